/* hparams.c - the hyper-parameters of a model from its GGUF keys (names and defaults: the GGUF specification).
 *
 * Each number is range-checked here, so that later size arithmetic starts from sane values; how they fit the tensors is model.c's business.
 * Ignored on purpose: the sliding window keys (no R1 distill uses the window that its config mentions) and vocab_size (the embedding's
 * shape says it).
 */
#include "model.h"

#include <stdio.h>
#include <string.h>

static const rt_architecture ARCHITECTURES[] = {
    {"llama", false, false}, /* the converter interleaves the rows of q and k for the (2i, 2i + 1) pairs */
    {"qwen2", true, false},
    {"qwen3", true, true},
};

/* Far above every model known, far below what would overflow. */
enum { MAX_LAYERS = 1 << 14, MAX_WIDTH = 1 << 24, MAX_HEADS = 1 << 16, MAX_HEAD_DIM = 1 << 12 };

const char *rt_hparams_key(const rt_hparams *hparams, const char *name, char *key) {
  snprintf(key, 128, "%s.%s", hparams->architecture->name, name);
  return key;
}

/* NULL, and why in *status, where the file names none or another. */
static const rt_architecture *find_architecture(const retort_gguf *gguf, retort_status *status, retort_error *error) {
  rt_string name;
  if ((*status = rt_gguf_get_string(gguf, "general.architecture", true, &name, error))) return NULL;
  for (size_t i = 0; i < RT_COUNT(ARCHITECTURES); i++) {
    if (strlen(ARCHITECTURES[i].name) != name.size || memcmp(ARCHITECTURES[i].name, name.bytes, name.size)) continue;
    return &ARCHITECTURES[i];
  }
  *status = rt_fail(error, RETORT_ERROR_UNSUPPORTED, "general.architecture is '%.*s': this version runs llama, qwen2 and qwen3",
                    (int)(name.size < 64 ? name.size : 64), name.bytes);
  return NULL;
}

retort_status rt_hparams_read(const retort_gguf *gguf, rt_hparams *hparams, retort_error *error) {
  retort_status status;
  rt_hparams h = {.architecture = find_architecture(gguf, &status, error)};
  if (!h.architecture) return status;
  char key[128];
#define READ(name, required, min, max, field) \
  if ((status = rt_gguf_get_u32(gguf, rt_hparams_key(&h, name, key), required, min, max, &h.field, error))) return status
  READ("block_count", true, 1, MAX_LAYERS, n_layers);
  READ("embedding_length", true, 1, MAX_WIDTH, n_embd);
  READ("feed_forward_length", true, 1, MAX_WIDTH, n_ff);
  READ("context_length", true, 1, UINT32_MAX, n_ctx_train);
  READ("attention.head_count", true, 1, MAX_HEADS, n_heads);
  h.n_kv_heads = h.n_heads;
  READ("attention.head_count_kv", false, 1, MAX_HEADS, n_kv_heads);
  if (h.n_heads % h.n_kv_heads)
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s is %u, which does not divide the %u heads", key, h.n_kv_heads, h.n_heads);
  if (!rt_gguf_has(gguf, rt_hparams_key(&h, "attention.key_length", key)) && h.n_embd % h.n_heads)
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s is missing and the embedding length %u is not a multiple of the %u heads", key, h.n_embd,
                   h.n_heads);
  h.head_dim = h.n_embd / h.n_heads;
  READ("attention.key_length", false, 1, MAX_HEAD_DIM, head_dim);
  if (h.head_dim < 1 || h.head_dim > MAX_HEAD_DIM)
    return rt_fail(error, RETORT_ERROR_FORMAT, "head size %u is outside 1..%d", h.head_dim, MAX_HEAD_DIM);
  uint32_t value_length = h.head_dim;
  if ((status = rt_gguf_get_u32(gguf, rt_hparams_key(&h, "attention.value_length", key), false, 1, MAX_HEAD_DIM, &value_length, error)))
    return status;
  if (value_length != h.head_dim)
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "%s is %u but keys have %u elements: %s models with unequal ones are not run", key,
                   value_length, h.head_dim, h.architecture->name);
  if ((uint64_t)h.n_heads * h.head_dim > MAX_WIDTH)
    return rt_fail(error, RETORT_ERROR_FORMAT, "%u heads of %u elements are more than %d in sum", h.n_heads, h.head_dim, MAX_WIDTH);
  if ((status = rt_gguf_get_f32(gguf, rt_hparams_key(&h, "attention.layer_norm_rms_epsilon", key), true, &h.rms_eps, error))) return status;
  if (h.rms_eps < 0) return rt_fail(error, RETORT_ERROR_FORMAT, "%s is negative", key);
  uint32_t experts = 0;
  if ((status = rt_gguf_get_u32(gguf, rt_hparams_key(&h, "expert_count", key), false, 0, UINT32_MAX, &experts, error))) return status;
  if (experts)
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "%s is %u: mixture-of-experts models of architecture %s are not run", key, experts,
                   h.architecture->name);
#undef READ
  *hparams = h;
  return RETORT_OK;
}
