/* hparams.c - the hyper-parameters that every architecture has, from the GGUF keys (names and defaults: the GGUF specification); its family
 * reads the others.
 *
 * Each number is range-checked here, so that later size arithmetic starts from sane values; how they fit the tensors is bind.c's business.
 * Ignored on purpose: the sliding window keys (no R1 distill uses the window that its config mentions) and vocab_size (the embedding's
 * shape says it).
 */
#include "model.h"

#include <stdio.h>

const char *rt_hparams_key(const rt_hparams *hparams, const char *name, char *key) {
  snprintf(key, 128, "%s.%s", hparams->architecture->name, name);
  return key;
}

retort_status rt_hparams_numbers(const retort_gguf *gguf, const rt_hparams *hparams, const rt_number_key *keys, size_t n,
                                 retort_error *error) {
  char key[128];
  retort_status status = RETORT_OK;
  for (size_t i = 0; i < n && !status; i++)
    status =
        rt_gguf_get_u32(gguf, rt_hparams_key(hparams, keys[i].name, key), keys[i].required, keys[i].min, keys[i].max, keys[i].out, error);
  return status;
}

retort_status rt_hparams_common(const retort_gguf *gguf, rt_hparams *h, retort_error *error) {
  char key[128];
  const rt_number_key keys[] = {
      {"block_count", true, 1, RT_MAX_LAYERS, &h->n_layers},
      {"embedding_length", true, 1, RT_MAX_WIDTH, &h->n_embd},
      {"context_length", true, 1, UINT32_MAX, &h->n_ctx_train},
      {"attention.head_count", true, 1, RT_MAX_HEADS, &h->n_heads},
  };
  retort_status status = rt_hparams_numbers(gguf, h, keys, RT_COUNT(keys), error);
  if (!status) status = rt_gguf_get_f32(gguf, rt_hparams_key(h, "attention.layer_norm_rms_epsilon", key), true, &h->rms_eps, error);
  if (!status && h->rms_eps < 0) return rt_fail(error, RETORT_ERROR_FORMAT, "%s is negative", key);
  return status;
}

rt_kv_shape rt_kv_shape_of(const rt_hparams *h) { return h->architecture->family->kv_shape(h); }
