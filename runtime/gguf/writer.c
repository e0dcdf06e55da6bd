/* writer.c - see writer.h. The layout is described in reader.c's source, docs/gguf.md of ggml. */
#include "writer.h"

#include <string.h>

typedef struct piece {
  const void *data;
  uint64_t size;
} piece;

static void append(rt_gguf_writer *w, rt_bytes *b, const void *bytes, uint64_t size) {
  if (!w->failed) w->failed = !rt_bytes_append(w->platform, b, bytes, size);
}
static void append_u32(rt_gguf_writer *w, rt_bytes *b, uint32_t v) {
  append(w, b, (uint8_t[]){(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)}, 4);
}
static void append_u64(rt_gguf_writer *w, rt_bytes *b, uint64_t v) {
  append_u32(w, b, (uint32_t)v);
  append_u32(w, b, (uint32_t)(v >> 32));
}
static void append_string(rt_gguf_writer *w, rt_bytes *b, const char *bytes, uint64_t size) {
  append_u64(w, b, size);
  append(w, b, bytes, size);
}

static void put_key(rt_gguf_writer *w, const char *key, enum rt_gguf_value type, bool is_array, uint64_t count) {
  append_string(w, &w->entries, key, strlen(key));
  if (is_array) append_u32(w, &w->entries, RT_GGUF_ARRAY);
  append_u32(w, &w->entries, type);
  if (is_array) append_u64(w, &w->entries, count);
  w->n_entries++;
}

void rt_gguf_put(rt_gguf_writer *w, const char *key, enum rt_gguf_value type, bool is_array, const void *values, uint64_t count) {
  static const uint8_t size[RT_GGUF_VALUES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  uint64_t bytes;
  put_key(w, key, type, is_array, count);
  if (rt_mul_u64(count, size[type], &bytes)) append(w, &w->entries, values, bytes);
  else w->failed = true;
}

void rt_gguf_put_strings(rt_gguf_writer *w, const char *key, bool is_array, const rt_string *values, uint64_t count) {
  put_key(w, key, RT_GGUF_STRING, is_array, count);
  for (uint64_t i = 0; i < count; i++) append_string(w, &w->entries, values[i].bytes, values[i].size);
}

void rt_gguf_put_u32(rt_gguf_writer *w, const char *key, uint32_t value) { rt_gguf_put(w, key, RT_GGUF_U32, false, &value, 1); }
void rt_gguf_put_f32(rt_gguf_writer *w, const char *key, float value) { rt_gguf_put(w, key, RT_GGUF_F32, false, &value, 1); }
void rt_gguf_put_bool(rt_gguf_writer *w, const char *key, bool value) { rt_gguf_put(w, key, RT_GGUF_BOOL, false, &(uint8_t){value}, 1); }
void rt_gguf_put_string(rt_gguf_writer *w, const char *key, const char *value) {
  rt_gguf_put_strings(w, key, false, &(rt_string){value, strlen(value)}, 1);
}

static uint64_t aligned(const rt_gguf_writer *w, uint64_t at) {
  uint64_t alignment = w->alignment ? w->alignment : 32;
  return (at + alignment - 1) / alignment * alignment;
}

void rt_gguf_put_tensor(rt_gguf_writer *w, const char *name, uint32_t type, uint32_t n_dims, const uint64_t *dims, const void *data,
                        uint64_t size) {
  append_string(w, &w->infos, name, strlen(name));
  append_u32(w, &w->infos, n_dims);
  for (uint32_t i = 0; i < n_dims; i++) append_u64(w, &w->infos, dims[i]);
  append_u32(w, &w->infos, type);
  append_u64(w, &w->infos, w->data_size);
  append(w, &w->pieces, &(piece){data, size}, sizeof(piece));
  w->n_tensors++;
  if (size > INT64_MAX / 4 || w->data_size > INT64_MAX / 4) w->failed = true;
  else w->data_size = aligned(w, w->data_size + size);
}

retort_status rt_gguf_finish(rt_gguf_writer *w, const uint8_t **file, size_t *size, retort_error *error) {
  if (w->alignment && w->alignment != 32) rt_gguf_put_u32(w, "general.alignment", w->alignment);
  rt_bytes *f = &w->file;
  append(w, f, "GGUF", 4);
  append_u32(w, f, 3);
  append_u64(w, f, w->n_tensors);
  append_u64(w, f, w->n_entries);
  append(w, f, w->entries.data, w->entries.size);
  append(w, f, w->infos.data, w->infos.size);
  uint64_t data_at = aligned(w, f->size);
  if (w->failed || !rt_bytes_grow(w->platform, f, data_at - f->size + w->data_size))
    return rt_fail_memory(error, data_at + w->data_size, "a GGUF file");
  uint64_t at = data_at;
  for (uint64_t i = 0; i < w->n_tensors; i++) {
    piece p;
    memcpy(&p, w->pieces.data + i * sizeof p, sizeof p);
    if (p.size) memcpy(f->data + at, p.data, (size_t)p.size);
    at = aligned(w, at + p.size);
  }
  *file = f->data;
  *size = f->size;
  return RETORT_OK;
}

void rt_gguf_writer_close(rt_gguf_writer *w) {
  rt_bytes_close(w->platform, &w->entries);
  rt_bytes_close(w->platform, &w->infos);
  rt_bytes_close(w->platform, &w->pieces);
  rt_bytes_close(w->platform, &w->file);
  *w = (rt_gguf_writer){.platform = w->platform};
}
