/* lanes.h - sixteen virtual float lanes, the unit of every float operation of the numerics contract.
 *
 * Written with GCC and clang vector types: one AVX-512 register, two AVX2, four SSE2, NEON or SIMD128 registers, and the same IEEE results
 * in each. Every variant includes this file and compiles it with its own flags; nothing here may depend on them.
 */
#ifndef RT_KERNELS_LANES_H
#define RT_KERNELS_LANES_H

#include <string.h>

#include "../quant/f16.h"

#if defined(__F16C__)
#include <immintrin.h>
#endif

/* Vectors wider than the registers are passed between inlined functions only, so their ABI does not matter. */
#pragma GCC diagnostic ignored "-Wpsabi"

#define INLINE static inline __attribute__((always_inline, unused))

typedef float v16f __attribute__((vector_size(64)));
typedef float v8f __attribute__((vector_size(32)));
typedef float v4f __attribute__((vector_size(16)));
typedef int32_t v16i __attribute__((vector_size(64)));
typedef uint32_t v16u __attribute__((vector_size(64)));
typedef int8_t v16b __attribute__((vector_size(16)));
typedef uint16_t v16h __attribute__((vector_size(32)));

INLINE v16f load16(const float *p) {
  v16f v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE void store16(float *p, v16f v) { memcpy(p, &v, sizeof v); }
/* The first `count` (1..16) lanes from memory, the others 0. */
INLINE v16f load_part(const float *p, size_t count) {
  v16f v = {0};
  memcpy(&v, p, count * sizeof *p);
  return v;
}
INLINE void store_part(float *p, v16f v, size_t count) { memcpy(p, &v, count * sizeof *p); }
INLINE v16f splat(float x) { return (v16f){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE v16i splat_int(int32_t x) { return (v16i){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }

INLINE v16f as_float(v16i v) { return (v16f)v; }
INLINE v16i as_int(v16f v) { return (v16i)v; }
/* mask (all ones or zeros in each lane) ? a : b */
INLINE v16f choose(v16i mask, v16f a, v16f b) { return as_float((mask & as_int(a)) | (~mask & as_int(b))); }
/* a > b ? a : b */
INLINE v16f max16(v16f a, v16f b) { return choose(a > b, a, b); }

/* The contract's tree: lane l with l + 8, then + 4, + 2, + 1. */
INLINE float sum_lanes(v16f v) {
  v8f a = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  v4f b = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
  return (b[0] + b[2]) + (b[1] + b[3]);
}
INLINE float max_lanes(v16f v) {
  float m = v[0];
  for (int l = 1; l < 16; l++) m = v[l] > m ? v[l] : m;
  return m;
}

/* Sixteen halves widened exactly. */
INLINE v16f load16_f16(const uint8_t *p) {
#if defined(__AVX512F__)
  return (v16f)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p));
#elif defined(__F16C__)
  v8f low = (v8f)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)p));
  v8f high = (v8f)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(p + 16)));
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#else
  v16h half;
  memcpy(&half, p, sizeof half);
  v16u h = __builtin_convertvector(half, v16u);
  v16u magnitude = (h & 0x7fff) << 13;
  v16f scaled = (v16f)magnitude * splat(0x1p112f);
  v16i special = (v16i)(magnitude >= (0x7c00u << 13));
  v16i bits = (special & (v16i)(magnitude | 0x7f800000u)) | (~special & as_int(scaled));
  return (v16f)((v16u)bits | (h & 0x8000) << 16);
#endif
}
INLINE v16f load16_bf16(const uint8_t *p) {
  v16h half;
  memcpy(&half, p, sizeof half);
  return (v16f)(__builtin_convertvector(half, v16u) << 16);
}

/* exp: 0 below -87.3, infinity above 88.7, relative error below 2^-22 between, exp(0) == 1, NaN stays NaN.
 * x = k ln 2 + r with k the nearest integer; Taylor's polynomial of degree 7 in r, evaluated by Horner's rule; then two exact scalings. */
INLINE v16f exp16(v16f x) {
  const v16f magic = splat(0x1.8p23f);
  v16f shifted = x * splat(0x1.715476p0f) + magic;
  v16f k = shifted - magic;
  v16f r = x - k * splat(0x1.62ep-1f); /* ln 2 in two parts; the first has 12 bits, so its product with k is exact */
  r = r - k * splat(0x1.0bfbe8p-15f);
  v16f p = splat(0x1.a01a02p-13f);    /* 1/5040 */
  p = p * r + splat(0x1.6c16c2p-10f); /* 1/720 */
  p = p * r + splat(0x1.111112p-7f);  /* 1/120 */
  p = p * r + splat(0x1.555556p-5f);  /* 1/24 */
  p = p * r + splat(0x1.555556p-3f);  /* 1/6 */
  p = p * r + splat(0.5f);
  p = p * r + splat(1.0f);
  p = p * r + splat(1.0f);
  v16u n = (v16u)as_int(shifted) - (v16u)as_int(magic);
  v16u half = (v16u)((v16i)n >> 1);
  p = p * (v16f)((half + 127) << 23);
  p = p * (v16f)((n - half + 127) << 23);
  p = choose(x > splat(88.7f), splat(__builtin_inff()), p);
  return choose(x < splat(-87.3f), splat(0.0f), p);
}

#endif
