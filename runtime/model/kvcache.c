/* kvcache.c - the memory of one sequence's keys and values; layout in model.h. */
#include "model.h"

const char *retort_kv_type_name(uint32_t kv_type) {
  static const char *const names[] = {[RETORT_KV_F16] = "f16", [RETORT_KV_F32] = "f32", [RETORT_KV_Q8_0] = "q8_0"};
  return kv_type < RT_COUNT(names) ? names[kv_type] : NULL;
}

uint64_t retort_kv_bytes(uint32_t kv_type, uint32_t n) { return rt_kv_row_bytes((int)kv_type, n); }

retort_status rt_kv_open(rt_kv_cache *cache, const retort_platform *platform, const rt_hparams *hparams, uint32_t n_ctx, int type,
                         retort_error *error) {
  uint64_t head = 0, half = 0, size;
  size_t row = rt_kv_row_bytes(type, hparams->head_dim);
  bool fits = rt_mul_u64(row, n_ctx, &head) && rt_mul_u64(head, hparams->n_kv_heads, &half) &&
              rt_mul_u64(half, 2 * (uint64_t)hparams->n_layers, &size);
  if (!fits) size = UINT64_MAX;
  *cache = (rt_kv_cache){.platform = platform, .type = type, .n_ctx = n_ctx, .row_bytes = row};
  if (fits && rt_to_size(size, &cache->size)) cache->data = rt_alloc(platform, cache->size);
  if (!cache->data) {
    return rt_fail(error, RETORT_ERROR_MEMORY,
                   "not enough memory: the KV cache of %u positions needs %llu bytes; use a smaller context (n_ctx)", n_ctx,
                   (unsigned long long)size);
  }
  cache->head_bytes = (size_t)head;
  cache->half_bytes = (size_t)half;
  return RETORT_OK;
}

void rt_kv_close(rt_kv_cache *cache) {
  rt_free(cache->platform, cache->data, cache->size);
  cache->data = NULL;
}
