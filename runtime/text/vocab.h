/* vocab.h - what the rest of the core asks of a vocabulary beyond retort.h. */
#ifndef RT_VOCAB_H
#define RT_VOCAB_H

#include "../base/base.h"

/* A part of a text that comes from the user. */
typedef struct rt_text_span {
  size_t offset, size; /* bytes */
} rt_text_span;

/* retort_tokenize for a rendered chat: text that spells a special token becomes it only where no byte of it lies in one of `spans` (in
 * order, without overlap). Everything else is as if the spans were not there, so text without look-alikes gets the same ids either way. */
retort_status rt_tokenize_spans(const retort_vocab *vocab, const char *text, size_t size, const rt_text_span *spans, size_t n_spans,
                                uint32_t flags, int32_t *ids, size_t capacity, size_t *count, retort_error *error);

/* Padding of the vocabulary and ids outside of it: never to be sampled. */
bool rt_vocab_is_unused(const retort_vocab *vocab, int32_t id);

#endif
