/* quant.h - the tensor types: one file per block format, one table over all.
 *
 * Each format's file (q4_k.h, ...) owns its layout and its decode to integer codes and scales; panel.h says what those mean, and the exact
 * decode to float follows from it. To add a type: one file here, its id below, one line in types.h, its codebook in grids.c if it has one.
 * A format outside the bounds of every kind of panel (panel.c) needs a kernel in each variant first.
 * Sources: ggml's block layouts (GGUF specification); decoded values are bit-checked against PyPI `gguf`.
 */
#ifndef RT_QUANT_H
#define RT_QUANT_H

#include "../base/base.h"

enum rt_type {
  RT_F32 = 0,
  RT_F16 = 1,
  RT_Q4_0 = 2,
  RT_Q4_1 = 3,
  RT_Q5_0 = 6,
  RT_Q5_1 = 7,
  RT_Q8_0 = 8,
  RT_Q2_K = 10,
  RT_Q3_K = 11,
  RT_Q4_K = 12,
  RT_Q5_K = 13,
  RT_Q6_K = 14,
  RT_IQ2_XXS = 16,
  RT_IQ2_XS = 17,
  RT_IQ3_XXS = 18,
  RT_IQ1_S = 19,
  RT_IQ4_NL = 20,
  RT_IQ3_S = 21,
  RT_IQ2_S = 22,
  RT_IQ4_XS = 23,
  RT_IQ1_M = 29,
  RT_BF16 = 30,
  RT_TQ1_0 = 34,
  RT_TQ2_0 = 35,
  RT_MXFP4 = 39,
  RT_Q1_0 = 41,
  RT_Q2_0 = 42
};

typedef struct rt_quant {
  uint32_t id;      /* GGUF type id */
  const char *name; /* "Q4_K" */
  uint32_t block;   /* elements per block: 1, or a multiple of 32 up to 256 */
  uint32_t block_bytes;
  /* Exact values of n elements (a multiple of `block`), bit for bit what ggml's reference dequantiser gives. */
  void (*decode)(const void *blocks, float *out, size_t n);
  const struct rt_panel_format *panel; /* how the integer kernels see it; NULL for F32, F16, BF16 */
} rt_quant;

/* NULL for a type that cannot be computed with (gguf/types.c names and measures every type of the format). */
const rt_quant *rt_quant_find(uint32_t id);

#endif
