/* verified.h - what the gate in front of the parser (gguf/verified.c) asks a verifier. */
#ifndef RT_VERIFIED_H
#define RT_VERIFIED_H

#include "../base/base.h"

/* RETORT_OK where the first n files of the verifier are these bytes, and all of them were verified; with `header_only` the files may be
 * shorter, and the verdict still be open. Nobody may change `files` during the call and what follows from it. */
retort_status rt_were_verified(const retort_verifier *verifier, const retort_buffer *files, size_t n, bool header_only,
                               retort_error *error);

#endif
