/* gguf_edit.h - a GGUF file written anew with changes that the fuzzer's input names: structure-aware, so that the file stays one that
 * opens.
 *
 * Bytes changed blindly rarely get past the reader. Here the file is read, and each key and tensor is put again as it is, in another type,
 * with another value, under another name, twice, or not at all.
 */
#ifndef FUZZ_GGUF_EDIT_H
#define FUZZ_GGUF_EDIT_H

#include <stdlib.h>
#include <string.h>

#include "gguf/writer.h"
#include "target.h"

enum { GGUF_EDITS = 12 };
enum gguf_edit_kind {
  EDIT_NUMBER,
  EDIT_TEXT,
  EDIT_NUMBERS,
  EDIT_TEXTS,
  EDIT_NAME,
  EDIT_TWICE,
  EDIT_LEAVE_OUT,
  EDIT_DIM,
  EDIT_TYPE,
  EDIT_N_DIMS,
  EDIT_KINDS
};

typedef struct gguf_edit {
  bool tensor;
  uint32_t index, kind;
  uint64_t number;
  fuzz_input text;
} gguf_edit;

typedef struct gguf_edits {
  gguf_edit list[GGUF_EDITS];
  size_t count;
} gguf_edits;

static inline gguf_edits gguf_edits_read(fuzz_input *in) {
  gguf_edits edits = {.count = fuzz_byte(in) % (GGUF_EDITS + 1)};
  for (size_t i = 0; i < edits.count; i++)
    edits.list[i] = (gguf_edit){.tensor = fuzz_byte(in) % 3 == 0,
                                .index = fuzz_byte(in),
                                .kind = fuzz_byte(in) % EDIT_KINDS,
                                .number = fuzz_number(in),
                                .text = fuzz_text(in, 4096)};
  return edits;
}

static inline const gguf_edit *gguf_edit_of(const gguf_edits *edits, bool tensor, uint32_t index, uint32_t count) {
  for (size_t i = edits->count; i-- > 0;)
    if (edits->list[i].tensor == tensor && edits->list[i].index % count == index) return &edits->list[i];
  return NULL;
}

/* The lines of a text, as strings into it. */
static inline size_t gguf_edit_lines(const fuzz_input *text, rt_string *lines, size_t most) {
  size_t n = 0;
  for (size_t i = 0, start = 0; i <= text->size && n < most; i++)
    if (i == text->size || text->data[i] == '\n') {
      lines[n++] = (rt_string){(const char *)text->data + start, i - start};
      start = i + 1;
    }
  return n;
}

static inline void gguf_put_changed(rt_gguf_writer *w, const char *key, const gguf_edit *edit) {
  rt_string lines[256];
  uint32_t type = (uint32_t)edit->number % RT_GGUF_VALUES;
  uint64_t number = edit->text.size >= 8 ? 0 : edit->number;
  if (edit->text.size >= 8) memcpy(&number, edit->text.data, 8);
  if (type == RT_GGUF_STRING || type == RT_GGUF_ARRAY) type = RT_GGUF_U32;
  if (type == RT_GGUF_BOOL) number &= 1;
  if (edit->kind == EDIT_NUMBER) rt_gguf_put(w, key, type, false, &number, 1);
  else if (edit->kind == EDIT_TEXT) rt_gguf_put_strings(w, key, false, &(rt_string){(const char *)edit->text.data, edit->text.size}, 1);
  else if (edit->kind == EDIT_NUMBERS) rt_gguf_put(w, key, RT_GGUF_I32, true, edit->text.data, edit->text.size / 4);
  else rt_gguf_put_strings(w, key, true, lines, gguf_edit_lines(&edit->text, lines, RT_COUNT(lines)));
}

/* The value as it is. What our own files do not hold (64-bit numbers, arrays of bools) comes out as a number, or is left out. */
static inline void gguf_put_again(rt_gguf_writer *w, const retort_gguf *g, const char *from, const char *key) {
  rt_arena arena = {0};
  rt_string text, *texts;
  uint32_t number, *numbers;
  float real, *reals;
  bool flag;
  size_t n;
  if (!rt_gguf_get_string(g, from, true, &text, NULL)) rt_gguf_put_strings(w, key, false, &text, 1);
  else if (!rt_gguf_get_strings(g, from, true, &arena, &texts, &n, NULL)) rt_gguf_put_strings(w, key, true, texts, n);
  else if (rt_gguf_count(g, from) == 1 && !rt_gguf_get_u32(g, from, true, 0, UINT32_MAX, &number, NULL)) rt_gguf_put_u32(w, key, number);
  else if (!rt_gguf_get_u32s(g, from, true, &arena, &numbers, &n, NULL)) rt_gguf_put(w, key, RT_GGUF_U32, true, numbers, n);
  else if (!rt_gguf_get_f32(g, from, true, &real, NULL)) rt_gguf_put_f32(w, key, real);
  else if (!rt_gguf_get_f32s(g, from, true, &arena, &reals, &n, NULL)) rt_gguf_put(w, key, RT_GGUF_F32, true, reals, n);
  else if (!rt_gguf_get_bool(g, from, &flag, NULL)) rt_gguf_put_bool(w, key, flag);
  rt_arena_close(&arena);
}

static inline void gguf_edit_entry(rt_gguf_writer *w, const retort_gguf *g, const char *key, const gguf_edit *edit) {
  char name[80];
  if (edit && edit->kind == EDIT_LEAVE_OUT) return;
  if (edit && edit->kind <= EDIT_TEXTS) {
    gguf_put_changed(w, key, edit);
    return;
  }
  if (edit && edit->kind == EDIT_NAME) {
    size_t n = edit->text.size < sizeof name ? edit->text.size : sizeof name - 1;
    memcpy(name, edit->text.data, n);
    name[n] = 0;
  }
  gguf_put_again(w, g, key, edit && edit->kind == EDIT_NAME ? name : key);
  if (edit && edit->kind == EDIT_TWICE) gguf_put_again(w, g, key, key);
}

static inline void gguf_edit_tensor(rt_gguf_writer *w, const rt_tensor *t, const gguf_edit *edit) {
  uint64_t dims[4];
  uint32_t type = t->type, n_dims = t->n_dims;
  memcpy(dims, t->dims, sizeof dims);
  if (edit && edit->kind == EDIT_LEAVE_OUT) return;
  if (edit && edit->kind == EDIT_DIM) dims[edit->text.size % 4] = edit->number;
  if (edit && edit->kind == EDIT_TYPE) type = (uint32_t)edit->number % 44;
  if (edit && edit->kind == EDIT_N_DIMS) n_dims = (uint32_t)edit->number % 5;
  if (edit && edit->kind == EDIT_NUMBER) dims[0] ^= edit->number;
  for (int i = 0; i < (edit && edit->kind == EDIT_TWICE ? 2 : 1); i++) rt_gguf_put_tensor(w, t->name, type, n_dims, dims, t->data, t->size);
}

/* Writes `g` with the edits. `w` is zeroed; the file belongs to it. */
static inline void gguf_edit_write(rt_gguf_writer *w, const retort_gguf *g, const gguf_edits *edits, const uint8_t **file, size_t *size) {
  retort_gguf_summary summary = {.struct_size = sizeof summary};
  if (retort_gguf_get_summary(g, &summary, NULL)) abort();
  for (uint32_t i = 0; i < summary.n_entries; i++) {
    retort_gguf_entry entry = {.struct_size = sizeof entry};
    if (retort_gguf_get_entry(g, i, &entry, NULL)) abort();
    gguf_edit_entry(w, g, entry.key, gguf_edit_of(edits, false, i, summary.n_entries));
  }
  for (uint32_t i = 0; i < summary.n_tensors; i++)
    gguf_edit_tensor(w, rt_gguf_tensor_at(g, i), gguf_edit_of(edits, true, i, summary.n_tensors));
  if (rt_gguf_finish(w, file, size, NULL)) abort();
}

#endif
