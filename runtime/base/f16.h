/* f16.h - half precision and bfloat16, exact, on any instruction set.
 *
 * Widening is exact, subnormals and infinities included; narrowing rounds to nearest, ties to even. A NaN stays a NaN; its payload is not
 * part of any promise. Sources: IEEE 754-2008 binary16; bfloat16 is the upper half of binary32.
 */
#ifndef RT_BASE_F16_H
#define RT_BASE_F16_H

#include <stdint.h>
#include <string.h>

#if defined(__F16C__)
#include <immintrin.h>
#endif

static inline uint32_t rt_float_bits(float f) {
  uint32_t u;
  memcpy(&u, &f, sizeof u);
  return u;
}
static inline float rt_bits_float(uint32_t u) {
  float f;
  memcpy(&f, &u, sizeof f);
  return f;
}

static inline float rt_f16_to_f32(uint16_t h) {
#if defined(__F16C__)
  return _cvtsh_ss(h);
#elif defined(__aarch64__)
  __fp16 half;
  memcpy(&half, &h, sizeof half);
  return half;
#else
  /* The half's exponent and fraction, put in a float's place, read 2^112 times too small: the product is exact and also
   * normalises subnormals. Infinity and NaN get the float's own exponent back. */
  uint32_t magnitude = (uint32_t)(h & 0x7fff) << 13, sign = (uint32_t)(h & 0x8000) << 16;
  uint32_t bits = rt_float_bits(rt_bits_float(magnitude) * 0x1p112f);
  if ((h & 0x7fff) >= 0x7c00) bits = magnitude | 0x7f800000u;
  return rt_bits_float(bits | sign);
#endif
}

static inline uint16_t rt_f32_to_f16(float f) {
#if defined(__aarch64__)
  __fp16 half = (__fp16)f;
  uint16_t h;
  memcpy(&h, &half, sizeof h);
  return h;
#else
  uint32_t bits = rt_float_bits(f), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return (uint16_t)(sign | 0x7e00);  /* NaN */
  if (magnitude >= 0x477ff000u) return (uint16_t)(sign | 0x7c00); /* rounds to 65536 or more: infinity */
  if (magnitude < 0x38800000u) {
    /* Subnormal half: adding 0.5 puts the unit of 2^-24 at the last place of the sum, which the addition itself rounds to even. */
    return (uint16_t)(sign | (rt_float_bits(rt_bits_float(magnitude) + 0.5f) - 0x3f000000u));
  }
  return (uint16_t)(sign | ((magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1)) >> 13));
#endif
}

static inline float rt_bf16_to_f32(uint16_t b) { return rt_bits_float((uint32_t)b << 16); }

#endif
