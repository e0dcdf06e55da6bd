/* metadata.h - what a model's metadata says about it, and whether it fits in memory. */
#ifndef METADATA_H
#define METADATA_H

#include <jansson.h>
#include <stdbool.h>

#include "retort.h"

/* The value of `key` as JSON, arrays cut after `max` elements; NULL where there is no such key. */
json_t *metadata_value(const retort_gguf *gguf, const char *key, size_t max);
/* "ARCHITECTURE.NAME" (of an array the first), or `otherwise`. */
uint64_t metadata_number(const retort_gguf *gguf, const char *architecture, const char *name, uint64_t otherwise);
char *metadata_text(const retort_gguf *gguf, const char *key); /* malloc'ed */
uint64_t metadata_elements(const retort_gguf_tensor *t);
/* Beside weights, keys and values: rows of a batch, scores, a row of logits, the program. */
#define MEMORY_MARGIN ((uint64_t)64 << 20)

typedef struct memory_need {
  uint64_t weights, parameters; /* bytes; numbers */
  uint64_t kv_per_token;        /* bytes, as they will be kept */
  uint64_t context;             /* tokens */
} memory_need;
/* False where that does not fit into `available` bytes; then `way` says which context or which quantisation would. */
bool memory_fits(const memory_need *need, uint64_t available, char way[160]);

#endif
