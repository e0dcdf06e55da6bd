/* encoder.c - see encoder.h. */
#include "encoder.h"

void rt_encoder_close(rt_encoder *encoder) {
  rt_free(encoder->platform, encoder->memory, encoder->size);
  encoder->memory = NULL;
  encoder->size = 0;
}

retort_status rt_encoder_reserve(rt_encoder *encoder, size_t count, size_t unit) {
  size_t had = encoder->size / unit, grown = count < 256 ? 256 : count, size;
  uint64_t bytes;
  if (count <= had) return RETORT_OK;
  if (grown < 2 * had) grown = 2 * had;
  if (!rt_mul_u64(grown, unit, &bytes) || !rt_to_size(bytes, &size)) return rt_fail_memory(encoder->error, count, "tokenising");
  rt_encoder_close(encoder);
  encoder->memory = rt_alloc(encoder->platform, size);
  if (!encoder->memory) return rt_fail_memory(encoder->error, bytes, "tokenising one long word");
  encoder->size = size;
  return RETORT_OK;
}
