/* tiny_model.h - small random models built in memory for unit tests: any architecture and any tensor type, the same bytes everywhere.
 *
 * Weights come from integer dice without libm. For block formats the blocks are random bytes, with the float16 scales set to sizes that
 * keep the activations sane; every bit pattern of the codes and sub-block scales so occurs.
 */
#ifndef TINY_MODEL_H
#define TINY_MODEL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gguf/writer.h"
#include "quant/quant.h"

typedef struct tiny_model {
  const char *arch;
  uint32_t type; /* of the matrices */
  uint32_t n_layers, n_embd, n_ff, n_heads, n_kv_heads, head_dim, n_vocab;
  bool bias, tied;
  /* spoils one tensor: gives it another number of columns, another type, or leaves it out */
  const char *spoil;
  uint32_t spoil_cols, spoil_type;
  bool leave_out;
  void (*more_keys)(rt_gguf_writer *w);
  /* made by tiny_model_open */
  rt_gguf_writer writer;
  void *kept[256];
  size_t n_kept;
  uint64_t dice;
  retort_buffer file;
} tiny_model;

static inline uint32_t tiny_dice(tiny_model *t) {
  t->dice ^= t->dice << 13;
  t->dice ^= t->dice >> 7;
  t->dice ^= t->dice << 17;
  return (uint32_t)(t->dice >> 32);
}
static inline float tiny_float(tiny_model *t) { return (float)((double)tiny_dice(t) * 0x1p-31 - 1.0); } /* [-1, 1) */

static inline void *tiny_keep(tiny_model *t, size_t size) {
  void *memory = calloc(1, size);
  if (!memory || t->n_kept == sizeof t->kept / sizeof *t->kept) abort();
  return t->kept[t->n_kept++] = memory;
}

/* Where a block has its float16 scales, and how large they are for weights of about 1/16. */
enum { TINY_EXPONENT = -2, TINY_IN_PARTS = -3 }; /* MXFP4: one byte, the power; IQ1_M: the high nibbles of the last four pairs of bytes */
typedef struct tiny_format {
  uint32_t id, block, bytes;
  int d, m;          /* offsets, -1: none, or how else */
  uint16_t d16, m16; /* float16 bits */
} tiny_format;

static inline const tiny_format *tiny_format_find(uint32_t id) {
  static const tiny_format formats[] = {
      {RT_F32, 1, 4, -1, -1, 0, 0},
      {RT_F16, 1, 2, -1, -1, 0, 0},
      {RT_BF16, 1, 2, -1, -1, 0, 0},
      {RT_Q4_0, 32, 18, 0, -1, 0x2200, 0},
      {RT_Q4_1, 32, 20, 0, 2, 0x2200, 0xAE00},
      {RT_Q5_0, 32, 22, 0, -1, 0x1E00, 0},
      {RT_Q5_1, 32, 24, 0, 2, 0x1E00, 0xAE00},
      {RT_Q8_0, 32, 34, 0, -1, 0x1200, 0},
      {RT_Q2_K, 256, 84, 80, 82, 0x1A00, 0x1A00},
      {RT_Q3_K, 256, 110, 108, -1, 0x1600, 0},
      {RT_Q4_K, 256, 144, 0, 2, 0x0A00, 0x1600},
      {RT_Q5_K, 256, 176, 0, 2, 0x0600, 0x1600},
      {RT_Q6_K, 256, 210, 208, -1, 0x0300, 0},
      {RT_IQ4_NL, 32, 18, 0, -1, 0x1200, 0},
      {RT_IQ4_XS, 256, 136, 0, -1, 0x0280, 0},
      {RT_IQ2_XXS, 256, 66, 0, -1, 0x0200, 0},
      {RT_IQ2_XS, 256, 74, 0, -1, 0x0200, 0},
      {RT_IQ2_S, 256, 82, 0, -1, 0x0200, 0},
      {RT_IQ3_XXS, 256, 98, 0, -1, 0x0180, 0},
      {RT_IQ3_S, 256, 110, 0, -1, 0x0240, 0},
      {RT_IQ1_S, 256, 50, 0, -1, 0x1400, 0},
      {RT_IQ1_M, 256, 56, TINY_IN_PARTS, -1, 0x1400, 0},
      {RT_TQ1_0, 256, 54, 52, -1, 0x2A00, 0},
      {RT_TQ2_0, 256, 66, 64, -1, 0x2A00, 0},
      {RT_MXFP4, 32, 17, TINY_EXPONENT, -1, 0, 0},
      {RT_Q1_0, 128, 18, 0, -1, 0x2A00, 0},
      {RT_Q2_0, 64, 18, 0, -1, 0x2A00, 0},
      {40, 64, 36, -1, -1, 0, 0} /* NVFP4: not run */
  };
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (formats[i].id == id) return &formats[i];
  abort();
}

static inline void tiny_fill(tiny_model *t, const tiny_format *f, uint8_t *out, uint64_t blocks, float scale, float mean) {
  for (uint64_t b = 0; b < blocks; b++, out += f->bytes) {
    if (f->block == 1) {
      float value = mean + scale * tiny_float(t);
      uint32_t bits;
      memcpy(&bits, &value, 4);
      if (f->id == RT_F32) memcpy(out, &bits, 4);
      uint16_t half = (uint16_t)(bits >> 16);                                                            /* a bfloat16, cut off */
      if (f->id == RT_F16) half = (uint16_t)((tiny_dice(t) & 0x8000) | 0x2400 | (tiny_dice(t) & 0x7ff)); /* 2^-6..2^-4, either sign */
      if (f->id != RT_F32) memcpy(out, &half, 2);
      continue;
    }
    for (uint32_t i = 0; i < f->bytes; i++) out[i] = (uint8_t)tiny_dice(t);
    uint16_t d = (uint16_t)(f->d16 + (tiny_dice(t) & 0xff)), m = (uint16_t)(f->m16 + (tiny_dice(t) & 0xff));
    if (f->d >= 0) memcpy(out + f->d, &d, 2);
    if (f->m >= 0) memcpy(out + f->m, &m, 2);
    if (f->d == TINY_EXPONENT) out[0] = (uint8_t)(121 + (d & 3));
    for (int k = 0; f->d == TINY_IN_PARTS && k < 4; k++) out[49 + 2 * k] = (uint8_t)((out[49 + 2 * k] & 15) | (d >> 4 * k & 15) << 4);
  }
}

static inline void tiny_tensor(tiny_model *t, const char *name, uint32_t type, uint32_t cols, uint32_t rows, float scale, float mean) {
  if (t->spoil && !strcmp(t->spoil, name)) {
    if (t->leave_out) return;
    if (t->spoil_cols) cols = t->spoil_cols;
    if (t->spoil_type) type = t->spoil_type;
  }
  const tiny_format *f = tiny_format_find(type);
  uint64_t blocks = (uint64_t)cols / f->block * (rows ? rows : 1);
  uint8_t *data = tiny_keep(t, (size_t)blocks * f->bytes);
  tiny_fill(t, f, data, blocks, scale, mean);
  uint64_t dims[2] = {cols, rows};
  char *copy = tiny_keep(t, strlen(name) + 1);
  strcpy(copy, name);
  rt_gguf_put_tensor(&t->writer, copy, type, rows ? 2 : 1, dims, data, blocks * f->bytes);
}

static inline void tiny_keys(tiny_model *t) {
  const struct {
    const char *name;
    uint32_t value;
  } keys[] = {{"block_count", t->n_layers},          {"context_length", 4096},
              {"embedding_length", t->n_embd},       {"feed_forward_length", t->n_ff},
              {"attention.head_count", t->n_heads},  {"attention.head_count_kv", t->n_kv_heads},
              {"attention.key_length", t->head_dim}, {"attention.value_length", t->head_dim}};
  char key[128];
  rt_gguf_put_string(&t->writer, "general.architecture", t->arch);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    snprintf(key, sizeof key, "%s.%s", t->arch, keys[i].name);
    rt_gguf_put_u32(&t->writer, key, keys[i].value);
  }
  snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", t->arch);
  rt_gguf_put_f32(&t->writer, key, 1e-5f);
  if (t->more_keys) t->more_keys(&t->writer);
}

/* Builds the file; close with tiny_model_close. */
static inline retort_status tiny_model_build(tiny_model *t, retort_error *error) {
  t->dice = 88172645463325252u;
  uint32_t n_q = t->n_heads * t->head_dim, n_kv = t->n_kv_heads * t->head_dim;
  char name[64];
  tiny_keys(t);
  tiny_tensor(t, "token_embd.weight", t->type, t->n_embd, t->n_vocab, 1.0f, 0);
  for (uint32_t l = 0; l < t->n_layers; l++) {
    const struct {
      const char *name;
      uint32_t cols, rows;
    } matrices[] = {{"attn_q", t->n_embd, n_q},      {"attn_k", t->n_embd, n_kv},      {"attn_v", t->n_embd, n_kv},
                    {"attn_output", n_q, t->n_embd}, {"ffn_gate", t->n_embd, t->n_ff}, {"ffn_up", t->n_embd, t->n_ff},
                    {"ffn_down", t->n_ff, t->n_embd}};
    for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++) {
      snprintf(name, sizeof name, "blk.%u.%s.weight", l, matrices[i].name);
      tiny_tensor(t, name, t->type, matrices[i].cols, matrices[i].rows, 0.125f, 0);
      if (!t->bias || i > 2) continue;
      snprintf(name, sizeof name, "blk.%u.%s.bias", l, matrices[i].name);
      tiny_tensor(t, name, RT_F32, matrices[i].rows, 0, 0.25f, 0);
    }
    const char *norms[] = {"attn_norm", "ffn_norm", "attn_q_norm", "attn_k_norm"};
    for (size_t i = 0; i < (strcmp(t->arch, "qwen3") ? 2u : 4u); i++) {
      snprintf(name, sizeof name, "blk.%u.%s.weight", l, norms[i]);
      tiny_tensor(t, name, RT_F32, i < 2 ? t->n_embd : t->head_dim, 0, 0.25f, 1.0f);
    }
  }
  tiny_tensor(t, "output_norm.weight", RT_F32, t->n_embd, 0, 0.25f, 1.0f);
  if (!t->tied) tiny_tensor(t, "output.weight", t->type, t->n_embd, t->n_vocab, 0.125f, 0);
  const uint8_t *bytes;
  retort_status status = rt_gguf_finish(&t->writer, &bytes, &t->file.size, error);
  t->file.data = bytes;
  t->file.name = "tiny.gguf";
  t->file.struct_size = sizeof t->file;
  return status;
}

static inline void tiny_model_close(tiny_model *t) {
  rt_gguf_writer_close(&t->writer);
  while (t->n_kept) free(t->kept[--t->n_kept]);
}

#endif
