/* bind.c - see bind.h.
 *
 * Matrices stay in the file bytes. Vectors (norms, biases) are small and come in any type, so they are decoded to float into the model's
 * arena. Invariant for a forward pass: after rt_bind_all every matrix and vector has the shape that was asked for.
 */
#include "bind.h"

#include <stdio.h>
#include <string.h>

void rt_bind_layer(rt_binder *b, uint32_t layer) { snprintf(b->prefix, sizeof b->prefix, "blk.%u.", layer); }

/* "cols x rows" of a shape's first n dimensions. */
static const char *shape_text(const uint64_t *dims, uint32_t n, char out[96]) {
  size_t used = 0;
  out[0] = 0;
  for (uint32_t i = 0; i < n && used < 96; i++)
    used += dims[i] ? (size_t)snprintf(out + used, 96 - used, "%s%llu", i ? " x " : "", (unsigned long long)dims[i])
                    : (size_t)snprintf(out + used, 96 - used, "%sany", i ? " x " : "");
  return out;
}

/* The first n dimensions as given (0: any number from 1 on), the others 1. */
static bool has_shape(const rt_tensor *t, const uint64_t *dims, uint32_t n) {
  for (uint32_t i = 0; i < RT_COUNT(t->dims); i++) {
    if (i < n && dims[i] == 0 ? t->dims[i] < 1 || t->dims[i] > INT32_MAX : t->dims[i] != (i < n ? dims[i] : 1)) return false;
  }
  return true;
}

static retort_status check(const rt_binder *b, const rt_tensor *t, const uint64_t *dims, uint32_t n) {
  char expected[96], found[96];
  if (!rt_quant_find(t->type)) {
    const rt_gguf_type *type = rt_gguf_type_find(t->type);
    return rt_fail(b->error, RETORT_ERROR_UNSUPPORTED, "tensor %s has type %s (%u), which this version cannot run", t->name,
                   type ? type->name : "unknown", t->type);
  }
  if (!has_shape(t, dims, n))
    return rt_fail(b->error, RETORT_ERROR_FORMAT, "tensor %s: shape %s expected, found %s", t->name, shape_text(dims, n, expected),
                   shape_text(t->dims, t->n_dims, found));
  if (!t->data)
    return rt_fail(b->error, RETORT_ERROR_ARGUMENT, "tensor %s: the file was opened for its metadata only, the weights are not here",
                   t->name);
  return RETORT_OK;
}

/* NULL where an optional tensor is absent, or something has failed. */
static const rt_tensor *find(rt_binder *b, const char *name, const uint64_t *dims, uint32_t n, bool required) {
  char full[96];
  if (b->status) return NULL;
  snprintf(full, sizeof full, "%s%s", b->prefix, name);
  const rt_tensor *t = rt_gguf_find_tensor(b->gguf, full);
  if (!t && required)
    b->status = rt_fail(b->error, RETORT_ERROR_FORMAT, "tensor %s is missing: the file is incomplete or not a %s model", full,
                        b->model->hparams.architecture->name);
  if (!t || (b->status = check(b, t, dims, n))) return NULL;
  if (b->n_bound < rt_gguf_tensor_count(b->gguf)) b->bound[b->n_bound++] = t;
  return t;
}

void rt_bind_matrix(rt_binder *b, const char *name, uint32_t cols, uint32_t rows, rt_matrix *out) {
  const uint64_t dims[] = {cols, rows};
  const rt_tensor *t = find(b, name, dims, 2, true);
  if (!t) return;
  const rt_quant *type = rt_quant_find(t->type);
  uint64_t row_bytes;
  size_t size;
  if (cols % type->block || !rt_mul_u64(cols / type->block, type->block_bytes, &row_bytes) || !rt_to_size(row_bytes, &size)) {
    b->status =
        rt_fail(b->error, RETORT_ERROR_FORMAT, "tensor %s: rows of %u elements are not whole blocks of %s", t->name, cols, type->name);
    return;
  }
  *out = (rt_matrix){.type = type, .data = t->data, .rows = (uint32_t)t->dims[1], .cols = cols, .row_bytes = size};
  out->kind = rt_panel_kind_of(type->panel);
}

void rt_bind_vector(rt_binder *b, const char *name, uint32_t n, bool required, const float **out) {
  const uint64_t dims[] = {n};
  const rt_tensor *t = find(b, name, dims, 1, required);
  if (!t) return;
  const rt_quant *type = rt_quant_find(t->type);
  float *values = NULL;
  if (n % type->block)
    b->status = rt_fail(b->error, RETORT_ERROR_FORMAT, "tensor %s: %u elements are not whole blocks of %s", t->name, n, type->name);
  else if (!(values = rt_arena_alloc(&b->model->arena, n, sizeof *values))) b->status = rt_fail_memory(b->error, 4 * (uint64_t)n, t->name);
  if (b->status) return;
  type->decode(t->data, values, n);
  *out = values;
}

/* A tensor without a use may change what the model computes (another architecture under a wrong name): say so, once. */
static void warn_about_unused(const rt_binder *b, const retort_platform *platform, bool *used) {
  uint32_t unused = 0;
  const char *first = NULL;
  for (uint32_t k = 0; k < b->n_bound; k++) used[b->bound[k] - rt_gguf_tensor_at(b->gguf, 0)] = true; /* they stand side by side */
  for (uint32_t i = 0; i < rt_gguf_tensor_count(b->gguf); i++) {
    const rt_tensor *t = rt_gguf_tensor_at(b->gguf, i);
    if (!strcmp(t->name, "rope_freqs.weight")) continue; /* read by rope.c */
    if (!used[i] && !unused++) first = t->name;
  }
  if (unused)
    rt_log(platform, RETORT_LOG_WARNING, "%u tensors of the file are not used by architecture %s, the first is %s", unused,
           b->model->hparams.architecture->name, first);
}

static void bind_common(rt_binder *b) {
  retort_model *m = b->model;
  rt_hparams *h = &m->hparams;
  rt_bind_matrix(b, "token_embd.weight", h->n_embd, 0, &m->embedding);
  h->n_vocab = m->embedding.rows;
  const uint64_t n_tokens = rt_gguf_count(b->gguf, "tokenizer.ggml.tokens");
  if (!b->status && n_tokens > h->n_vocab)
    b->status = rt_fail(b->error, RETORT_ERROR_FORMAT,
                        "the vocabulary has %llu tokens, but token_embd.weight has rows for %u: the file was put together wrongly",
                        (unsigned long long)n_tokens, h->n_vocab);
  rt_bind_vector(b, "output_norm.weight", h->n_embd, true, &m->output_norm);
  m->output = m->embedding;
  if (rt_gguf_find_tensor(b->gguf, "output.weight")) rt_bind_matrix(b, "output.weight", h->n_embd, h->n_vocab, &m->output);
  /* A file that claims many layers must have tensors for them before memory is taken for their table. */
  if (!b->status && h->n_layers > rt_gguf_tensor_count(b->gguf))
    b->status = rt_fail(b->error, RETORT_ERROR_FORMAT, "the file claims %u layers but holds %u tensors", h->n_layers,
                        rt_gguf_tensor_count(b->gguf));
}

retort_status rt_bind_all(retort_model *model, const retort_platform *platform, const retort_gguf *gguf, retort_error *error) {
  uint32_t count = rt_gguf_tensor_count(gguf);
  rt_arena temporary = {.platform = platform};
  rt_binder b = {.gguf = gguf, .model = model, .error = error};
  b.bound = rt_arena_alloc(&temporary, count, sizeof *b.bound);
  bool *used = rt_arena_alloc(&temporary, count, sizeof *used);
  if (!b.bound || !used) return rt_arena_close(&temporary), rt_fail_memory(error, count * (uint64_t)sizeof *b.bound, "the list of tensors");
  bind_common(&b);
  if (!b.status) model->hparams.architecture->family->bind(&b);
  if (!b.status) warn_about_unused(&b, platform, used);
  rt_arena_close(&temporary);
  return b.status;
}
