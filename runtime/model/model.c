/* model.c - opening a model: reads the hyper-parameters, binds every tensor once and checks its shape exactly.
 *
 * Matrices stay in the file bytes. Vectors (norms, biases) are small and come in any type, so they are decoded to float into the model's
 * arena. Invariant for dense.c: after retort_model_open succeeded every matrix and vector has the shape that rt_layer's comments say.
 */
#include "model.h"

#include "../base/structs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What the binding functions share; `bound` remembers which tensors have found their use. */
typedef struct binder {
  const retort_gguf *gguf;
  retort_model *model;
  const rt_tensor **bound;
  uint32_t n_bound, max_bound;
  retort_error *error;
} binder;

static retort_status shape_error(binder *b, const rt_tensor *t, uint32_t cols, uint32_t rows) {
  char found[96] = "";
  size_t used = 0;
  for (uint32_t i = 0; i < t->n_dims && used < sizeof found; i++)
    used += (size_t)snprintf(found + used, sizeof found - used, "%s%llu", i ? " x " : "", (unsigned long long)t->dims[i]);
  if (rows == 1) return rt_fail(b->error, RETORT_ERROR_FORMAT, "tensor %s: shape %u expected, found %s", t->name, cols, found);
  return rt_fail(b->error, RETORT_ERROR_FORMAT, "tensor %s: shape %u x %u expected, found %s", t->name, cols, rows, found);
}

/* Finds `name`, checks its type and that it has `rows` rows (0: any number) of `cols` elements. *out is NULL where an optional one is
 * absent. */
static retort_status find(binder *b, const char *name, uint32_t cols, uint32_t rows, bool required, const rt_tensor **out) {
  const rt_tensor *t = rt_gguf_find_tensor(b->gguf, name);
  *out = t;
  if (!t && !required) return RETORT_OK;
  if (!t)
    return rt_fail(b->error, RETORT_ERROR_FORMAT, "tensor %s is missing: the file is incomplete or not a %s model", name,
                   b->model->hparams.architecture->name);
  if (!rt_quant_find(t->type)) {
    const rt_gguf_type *type = rt_gguf_type_find(t->type);
    return rt_fail(b->error, RETORT_ERROR_UNSUPPORTED, "tensor %s has type %s (%u), which this version cannot run", name,
                   type ? type->name : "unknown", t->type);
  }
  bool any_rows = rows == 0 && t->dims[1] >= 1 && t->dims[1] <= INT32_MAX;
  if (t->dims[0] != cols || (t->dims[1] != rows && !any_rows) || t->dims[2] != 1 || t->dims[3] != 1) return shape_error(b, t, cols, rows);
  if (!t->data)
    return rt_fail(b->error, RETORT_ERROR_ARGUMENT, "tensor %s: the file was opened for its metadata only, the weights are not here", name);
  if (b->n_bound < b->max_bound) b->bound[b->n_bound++] = t;
  return RETORT_OK;
}

static retort_status bind_matrix(binder *b, const char *name, uint32_t cols, uint32_t rows, rt_matrix *out) {
  const rt_tensor *t;
  retort_status status = find(b, name, cols, rows, true, &t);
  if (status) return status;
  const rt_quant *type = rt_quant_find(t->type);
  uint64_t row_bytes;
  size_t size;
  if (cols % type->block || !rt_mul_u64(cols / type->block, type->block_bytes, &row_bytes) || !rt_to_size(row_bytes, &size))
    return rt_fail(b->error, RETORT_ERROR_FORMAT, "tensor %s: rows of %u elements are not whole blocks of %s", name, cols, type->name);
  *out = (rt_matrix){.type = type, .data = t->data, .rows = (uint32_t)t->dims[1], .cols = cols, .row_bytes = size};
  out->kind = rt_panel_kind_of(type->panel);
  return RETORT_OK;
}

/* *out: (n) floats in the arena, NULL where an optional tensor is absent. */
static retort_status bind_vector(binder *b, const char *name, uint32_t n, bool required, const float **out) {
  const rt_tensor *t;
  retort_status status = find(b, name, n, 1, required, &t);
  if (status || !t) return status;
  const rt_quant *type = rt_quant_find(t->type);
  if (n % type->block)
    return rt_fail(b->error, RETORT_ERROR_FORMAT, "tensor %s: %u elements are not whole blocks of %s", name, n, type->name);
  float *values = rt_arena_alloc(&b->model->arena, n, sizeof *values);
  if (!values) return rt_fail_memory(b->error, 4 * (uint64_t)n, name);
  type->decode(t->data, values, n);
  *out = values;
  return RETORT_OK;
}

static retort_status bind_layer(binder *b, uint32_t index, rt_layer *l) {
  const rt_hparams *h = &b->model->hparams;
  uint32_t n_q = h->n_heads * h->head_dim, n_kv = h->n_kv_heads * h->head_dim;
  const struct {
    const char *name;
    uint32_t cols, rows;
    rt_matrix *out;
  } matrices[] = {
      {"attn_q", h->n_embd, n_q, &l->q},          {"attn_k", h->n_embd, n_kv, &l->k},         {"attn_v", h->n_embd, n_kv, &l->v},
      {"attn_output", n_q, h->n_embd, &l->o},     {"ffn_gate", h->n_embd, h->n_ff, &l->gate}, {"ffn_up", h->n_embd, h->n_ff, &l->up},
      {"ffn_down", h->n_ff, h->n_embd, &l->down},
  };
  const struct {
    const char *name;
    uint32_t n;
    bool required;
    const float **out;
  } vectors[] = {
      {"attn_norm.weight", h->n_embd, true, &l->attn_norm},
      {"ffn_norm.weight", h->n_embd, true, &l->ffn_norm},
      {"attn_q.bias", n_q, false, &l->q_bias},
      {"attn_k.bias", n_kv, false, &l->k_bias},
      {"attn_v.bias", n_kv, false, &l->v_bias},
      {"attn_output.bias", h->n_embd, false, &l->o_bias},
      {"attn_q_norm.weight", h->head_dim, true, &l->q_norm},
      {"attn_k_norm.weight", h->head_dim, true, &l->k_norm},
  };
  size_t n_vectors = RT_COUNT(vectors) - (h->architecture->head_norm ? 0 : 2); /* the head norms stand last */
  char name[64];
  retort_status status;
  for (size_t i = 0; i < RT_COUNT(matrices); i++) {
    snprintf(name, sizeof name, "blk.%u.%s.weight", index, matrices[i].name);
    if ((status = bind_matrix(b, name, matrices[i].cols, matrices[i].rows, matrices[i].out))) return status;
  }
  for (size_t i = 0; i < n_vectors; i++) {
    snprintf(name, sizeof name, "blk.%u.%s", index, vectors[i].name);
    if ((status = bind_vector(b, name, vectors[i].n, vectors[i].required, vectors[i].out))) return status;
  }
  return RETORT_OK;
}

/* A tensor without a use may change what the model computes (another architecture under a wrong name): say so, once. */
static void warn_about_unused(binder *b, const retort_platform *platform) {
  uint32_t unused = 0;
  const char *first = NULL;
  for (uint32_t i = 0; i < rt_gguf_tensor_count(b->gguf); i++) {
    const rt_tensor *t = rt_gguf_tensor_at(b->gguf, i);
    if (!strcmp(t->name, "rope_freqs.weight")) continue; /* read by rope.c */
    uint32_t k = 0;
    while (k < b->n_bound && b->bound[k] != t) k++;
    if (k < b->n_bound) continue;
    if (!unused++) first = t->name;
  }
  if (unused)
    rt_log(platform, RETORT_LOG_WARNING, "%u tensors of the file are not used by architecture %s, the first is %s", unused,
           b->model->hparams.architecture->name, first);
}

static retort_status bind_all(binder *b) {
  retort_model *m = b->model;
  rt_hparams *h = &m->hparams;
  retort_status status;
  if ((status = bind_matrix(b, "token_embd.weight", h->n_embd, 0, &m->embedding))) return status;
  h->n_vocab = m->embedding.rows;
  if ((status = bind_vector(b, "output_norm.weight", h->n_embd, true, &m->output_norm))) return status;
  m->output = m->embedding;
  if (rt_gguf_find_tensor(b->gguf, "output.weight") && (status = bind_matrix(b, "output.weight", h->n_embd, h->n_vocab, &m->output)))
    return status;
  /* A file that claims many layers must have tensors for them before memory is taken for their table. */
  if (h->n_layers > rt_gguf_tensor_count(b->gguf))
    return rt_fail(b->error, RETORT_ERROR_FORMAT, "the file claims %u layers but holds %u tensors", h->n_layers,
                   rt_gguf_tensor_count(b->gguf));
  m->layers = rt_arena_alloc(&m->arena, h->n_layers, sizeof *m->layers);
  if (!m->layers) return rt_fail_memory(b->error, (uint64_t)h->n_layers * sizeof *m->layers, "the table of layers");
  for (uint32_t i = 0; i < h->n_layers; i++)
    if ((status = bind_layer(b, i, &m->layers[i]))) return status;
  return RETORT_OK;
}

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
  uint32_t count = rt_gguf_tensor_count(gguf);
  rt_arena temporary = {.platform = platform};
  binder b = {.gguf = gguf, .model = m, .max_bound = count, .error = error};
  b.bound = rt_arena_alloc(&temporary, count, sizeof *b.bound);
  status = b.bound ? bind_all(&b) : rt_fail_memory(error, count * (uint64_t)sizeof *b.bound, "the list of tensors");
  if (!status) warn_about_unused(&b, platform);
  rt_arena_close(&temporary);
  if (status) return status;
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
