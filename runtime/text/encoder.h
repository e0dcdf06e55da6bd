/* encoder.h - one text on its way to token ids: where they go, and the memory that tokenizers work in. */
#ifndef RT_ENCODER_H
#define RT_ENCODER_H

#include "../base/base.h"

/* Token ids for a caller's buffer: `count` goes on when the room is used up. */
typedef struct rt_ids {
  int32_t *ids;
  size_t capacity, count;
} rt_ids;
static inline void rt_ids_push(rt_ids *out, int32_t id) {
  if (out->count < out->capacity) out->ids[out->count] = id;
  out->count++;
}

/* Memory is reused from fragment to fragment. Zero-initialise, set platform, error and out, and close. */
typedef struct rt_encoder {
  const retort_platform *platform;
  retort_error *error;
  rt_ids out;
  void *memory;
  size_t size; /* bytes of it */
} rt_encoder;
/* Makes memory for `count` things of `unit` bytes; what was in it is lost. */
retort_status rt_encoder_reserve(rt_encoder *encoder, size_t count, size_t unit);
void rt_encoder_close(rt_encoder *encoder);

#endif
