/* lanes.h - sixteen virtual float lanes, the unit of every float operation of the numerics contract.
 *
 * Written with GCC and clang vector types: one AVX-512 register, two AVX2, four SSE2, NEON or SIMD128 registers, and the same IEEE results
 * in each. Every variant includes this file and compiles it with its own flags; nothing here may depend on them.
 */
#ifndef RT_BASE_LANES_H
#define RT_BASE_LANES_H

#include <string.h>

#include "f16.h"

#if defined(__F16C__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__arm__) && defined(__ARM_NEON) && defined(__clang__)
#error "32-bit NEON flushes subnormals to zero, and clang uses it for float vectors: compile with -mfpu=vfpv4, or with GCC, which does not"
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

/* The same sixteen lanes in registers. Compilers keep wider vectors in memory from one turn of a loop to the next, and compare and pick
 * their lanes one by one; so running sums and comparisons are done on these. */
#if defined(__AVX512F__)
#define REGISTER_BYTES 64
#elif defined(__AVX__)
#define REGISTER_BYTES 32
#else
#define REGISTER_BYTES 16
#endif
#define NATIVE (REGISTER_BYTES / 4) /* lanes in a register */
enum { PARTS = 16 / NATIVE };
typedef float part_float __attribute__((vector_size(REGISTER_BYTES)));
typedef int32_t part_int __attribute__((vector_size(REGISTER_BYTES)));
typedef uint32_t part_unsigned __attribute__((vector_size(REGISTER_BYTES)));
typedef uint16_t part_half __attribute__((vector_size(REGISTER_BYTES / 2)));
typedef int8_t part_byte __attribute__((vector_size(REGISTER_BYTES / 4)));
typedef struct parts {
  part_float part[PARTS];
} parts;
INLINE parts split(v16f v) {
  parts l;
  memcpy(&l, &v, sizeof l);
  return l;
}
INLINE v16f join(parts l) {
  v16f v;
  memcpy(&v, &l, sizeof v);
  return v;
}
INLINE parts zero_parts(void) { return split(splat(0.0f)); }
INLINE void add_to(parts *sum, v16f term) {
  parts l = split(term);
  for (int k = 0; k < PARTS; k++) sum->part[k] = sum->part[k] + l.part[k];
}

INLINE part_float choose(part_int mask, part_float a, part_float b) { return (part_float)((mask & (part_int)a) | (~mask & (part_int)b)); }
INLINE part_float load_register(const float *p) {
  part_float v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE void store_register(float *p, part_float v) { memcpy(p, &v, sizeof v); }
INLINE part_float splat_register(float x) { return x - (part_float){0}; }

/* Lanes of the lower (or the upper) halves of a and b in turn: a0 b0 a1 b1 ... */
#if NATIVE == 16
INLINE part_float zip_low(part_float a, part_float b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
INLINE part_float zip_high(part_float a, part_float b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
#elif NATIVE == 8
INLINE part_float zip_low(part_float a, part_float b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
INLINE part_float zip_high(part_float a, part_float b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
#else
INLINE part_float zip_low(part_float a, part_float b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
INLINE part_float zip_high(part_float a, part_float b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
#endif

/* The contract's tree: lane l with l + 8, then + 4, + 2, + 1. */
INLINE float sum_of(parts l) {
#if REGISTER_BYTES == 16
  v4f b = (l.part[0] + l.part[2]) + (l.part[1] + l.part[3]);
#else
  v16f v = join(l);
  v8f a = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  v4f b = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
#endif
  return (b[0] + b[2]) + (b[1] + b[3]);
}
INLINE float sum_lanes(v16f v) { return sum_of(split(v)); }
/* Integers: running maxima, their greatest (0 at least), the sum, and the low bytes. */
typedef struct int_parts {
  part_int part[PARTS];
} int_parts;
INLINE int_parts split_int(v16i v) {
  int_parts l;
  memcpy(&l, &v, sizeof l);
  return l;
}
INLINE part_int greater_of(part_int a, part_int b) {
#if defined(__aarch64__)
  return (part_int)vmaxq_s32((int32x4_t)a, (int32x4_t)b);
#else
  part_int greater = a > b;
  return (greater & a) | (~greater & b);
#endif
}
INLINE void raise_int_to(int_parts *max, v16i v) {
  int_parts l = split_int(v);
  for (int k = 0; k < PARTS; k++) max->part[k] = greater_of(l.part[k], max->part[k]);
}
INLINE int32_t max_of(int_parts l) {
  for (int k = 1; k < PARTS; k++) l.part[0] = greater_of(l.part[k], l.part[0]);
  int32_t max = 0;
#if defined(__aarch64__)
  max = vmaxvq_s32((int32x4_t)l.part[0]);
#else
  for (int i = 0; i < REGISTER_BYTES / 4; i++) max = l.part[0][i] > max ? l.part[0][i] : max;
#endif
  return max;
}
INLINE int32_t sum_int_lanes(v16i v) {
  int_parts l = split_int(v);
  int32_t sum = 0;
  for (int k = 1; k < PARTS; k++) l.part[0] = l.part[0] + l.part[k];
#if defined(__aarch64__)
  sum = vaddvq_s32((int32x4_t)l.part[0]);
#else
  for (int i = 0; i < REGISTER_BYTES / 4; i++) sum += l.part[0][i];
#endif
  return sum;
}
INLINE void store_bytes(int8_t *p, v16i v) {
#if defined(__aarch64__)
  int32x4_t part[4];
  memcpy(part, &v, sizeof part);
  int16x8_t low = vuzp1q_s16(vreinterpretq_s16_s32(part[0]), vreinterpretq_s16_s32(part[1]));
  int16x8_t high = vuzp1q_s16(vreinterpretq_s16_s32(part[2]), vreinterpretq_s16_s32(part[3]));
  vst1q_s8(p, vuzp1q_s8(vreinterpretq_s8_s16(low), vreinterpretq_s8_s16(high)));
#else
  v16b narrow = __builtin_convertvector(v, v16b);
  memcpy(p, &narrow, sizeof narrow);
#endif
}

/* Halves widened exactly: a register of them, or sixteen. */
INLINE part_float load_register_f16(const uint8_t *p) {
#if defined(__AVX512F__)
  return (part_float)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p));
#elif defined(__F16C__)
  return (part_float)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)p));
#elif defined(__aarch64__)
  return (part_float)vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p)));
#else
  part_half half;
  memcpy(&half, p, sizeof half);
  part_unsigned h = __builtin_convertvector(half, part_unsigned);
  part_unsigned magnitude = (h & 0x7fff) << 13, special = (part_unsigned)(magnitude >= (0x7c00u << 13)) & 0x7f800000u;
  return (part_float)((part_unsigned)((part_float)magnitude * splat_register(0x1p112f)) | special | (h & 0x8000) << 16);
#endif
}
/* Signed bytes to floats, exactly: a register of them. */
INLINE part_float load_register_int8(const uint8_t *p) {
#if defined(__aarch64__)
  int32_t word;
  memcpy(&word, p, sizeof word);
  return (part_float)vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(word))))));
#else
  part_byte byte;
  memcpy(&byte, p, sizeof byte);
  return __builtin_convertvector(__builtin_convertvector(byte, part_int), part_float);
#endif
}
INLINE v16f load16_f16(const uint8_t *p) {
  parts l;
  for (int k = 0; k < PARTS; k++) l.part[k] = load_register_f16(p + 2 * NATIVE * k);
  return join(l);
}
INLINE v16f load16_bf16(const uint8_t *p) {
#if defined(__aarch64__)
  parts l;
  for (int k = 0; k < 4; k++) l.part[k] = (v4f)vshll_n_u16(vreinterpret_u16_u8(vld1_u8(p + 8 * k)), 16);
  return join(l);
#else
  v16h half;
  memcpy(&half, p, sizeof half);
  return (v16f)(__builtin_convertvector(half, v16u) << 16);
#endif
}

/* exp: 0 below -87.3, infinity above 88.7, relative error below 2^-22 between, exp(0) == 1, NaN stays NaN.
 * x = k ln 2 + r with k the nearest integer; Taylor's polynomial of degree 7 in r, evaluated by Horner's rule; then two exact scalings. */
INLINE part_float exp_register(part_float x) {
  const part_float magic = splat_register(0x1.8p23f);
  part_float shifted = x * splat_register(0x1.715476p0f) + magic;
  part_float k = shifted - magic;
  part_float r = x - k * splat_register(0x1.62ep-1f); /* ln 2 in two parts; the first has 12 bits, so its product with k is exact */
  r = r - k * splat_register(0x1.0bfbe8p-15f);
  part_float p = splat_register(0x1.a01a02p-13f); /* 1/5040 */
  p = p * r + splat_register(0x1.6c16c2p-10f);    /* 1/720 */
  p = p * r + splat_register(0x1.111112p-7f);     /* 1/120 */
  p = p * r + splat_register(0x1.555556p-5f);     /* 1/24 */
  p = p * r + splat_register(0x1.555556p-3f);     /* 1/6 */
  p = p * r + splat_register(0.5f);
  p = p * r + splat_register(1.0f);
  p = p * r + splat_register(1.0f);
  part_unsigned n = (part_unsigned)shifted - (part_unsigned)magic;
  part_unsigned half = (part_unsigned)((part_int)n >> 1);
  p = p * (part_float)((half + 127) << 23);
  p = p * (part_float)((n - half + 127) << 23);
  p = choose(x > splat_register(88.7f), splat_register(__builtin_inff()), p);
  return choose(x < splat_register(-87.3f), splat_register(0.0f), p);
}

#endif
