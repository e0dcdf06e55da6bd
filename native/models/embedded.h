/* embedded.h - the default model, Ember, as part of the program: its bytes, its signature and its signed chunk list. */
#ifndef EMBEDDED_H
#define EMBEDDED_H

#include "retort.h"

/* What the model is called in messages; the part behind the slash is the name that was signed. */
#define EMBEDDED_NAME "embedded/ember.gguf"

/* Views of the program's own read-only data; nothing is copied. They are no more trusted than a file: they are verified like one. */
retort_buffer embedded_model(void);
retort_buffer embedded_signature(void); /* ember.gguf.sig */
retort_buffer embedded_chunks(void);    /* ember.gguf.chunks */

#endif
