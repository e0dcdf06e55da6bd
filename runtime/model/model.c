/* model.c - opening a model, and what can be asked about it; its parts are read by hparams.c, bind.c and rope.c. */
#include "bind.h"

#include "../base/structs.h"

#include <math.h>

static retort_status read_name(retort_model *m, const retort_gguf *gguf, retort_error *error) {
  rt_string name = {"", 0};
  retort_status status = rt_gguf_get_string(gguf, "general.name", false, &name, error);
  if (status) return status;
  m->name = rt_arena_string(&m->arena, name.bytes, name.size);
  return m->name ? RETORT_OK : rt_fail_memory(error, name.size, "the model's name");
}

static retort_status open_into(retort_model *m, const retort_platform *platform, const retort_gguf *gguf, const char *kernels,
                               retort_error *error) {
  retort_status status;
  if ((status = rt_kernels_select(platform, kernels, &m->kernels, error))) return status;
  if ((status = rt_hparams_read(gguf, &m->hparams, error))) return status;
  if ((status = read_name(m, gguf, error))) return status;
  if ((status = rt_bind_all(m, platform, gguf, error))) return status;
  uint32_t count = rt_gguf_tensor_count(gguf);
  for (uint32_t i = 0; i < count; i++) {
    const rt_tensor *t = rt_gguf_tensor_at(gguf, i);
    m->n_parameters += t->dims[0] * t->dims[1] * t->dims[2] * t->dims[3];
  }
  m->two_planes = m->hparams.n_embd < RT_TWO_PLANES_BELOW;
  m->attention_scale = (float)(1.0 / sqrt((double)m->hparams.head_dim)); /* IEEE division and square root: exact everywhere */
  return rt_rotation_open(&m->rope, gguf, &m->hparams, &m->arena, error);
}

void retort_model_options_init(retort_model_options *options, size_t struct_size) {
  rt_struct_init(options, struct_size, &(retort_model_options){0}, sizeof *options);
}

retort_status retort_model_open(const retort_platform *platform, const retort_gguf *gguf, const retort_model_options *options,
                                retort_model **out, retort_error *error) {
  if (!gguf || !out) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_model_open: gguf and out must not be NULL");
  retort_model_options o = {0};
  retort_status status = rt_platform_check(platform, error);
  if (!status) status = rt_struct_read(&o, sizeof o, options, "retort_model_options", error);
  if (status) return status;
  rt_arena arena = {.platform = platform};
  retort_model *m = rt_arena_alloc(&arena, 1, sizeof *m);
  if (!m) return rt_fail_memory(error, sizeof *m, "the model");
  m->arena = arena;
  status = open_into(m, platform, gguf, o.kernels, error);
  if (status) {
    retort_model_close(m);
    return status;
  }
  *out = m;
  return RETORT_OK;
}

void retort_model_close(retort_model *model) {
  if (!model) return;
  rt_arena arena = model->arena; /* the arena holds the model itself */
  rt_arena_close(&arena);
}

uint64_t retort_kv_bytes_per_token(const retort_gguf *gguf, uint32_t kv_type) {
  rt_hparams h;
  if (!gguf || !retort_kv_type_name(kv_type) || rt_hparams_read(gguf, &h, NULL) != RETORT_OK) return 0;
  const rt_kv_shape kv = rt_kv_shape_of(&h);
  return rt_kv_position_bytes(&kv, (int)kv_type);
}

retort_status retort_model_get_info(const retort_model *model, retort_model_info *info, retort_error *error) {
  if (!model || !info) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_model_get_info: model and info must not be NULL");
  retort_status status = rt_struct_check(info, "retort_model_info", error);
  if (status) return status;
  const rt_hparams *h = &model->hparams;
  const rt_kv_shape kv = rt_kv_shape_of(h);
  retort_model_info result = {.architecture = h->architecture->name,
                              .name = model->name,
                              .kernels = rt_kernels_name(model->kernels),
                              .n_parameters = model->n_parameters,
                              .n_vocab = h->n_vocab,
                              .n_ctx_train = h->n_ctx_train,
                              .n_layers = h->n_layers,
                              .n_embd = h->n_embd,
                              .n_heads = h->n_heads,
                              .n_kv_heads = h->n_kv_heads,
                              .head_dim = h->head_dim,
                              .n_ff = h->n_ff,
                              .kv_bytes_per_token = rt_kv_position_bytes(&kv, RT_KV_F16)};
  rt_struct_write(info, &result, sizeof result);
  return RETORT_OK;
}
