/* iq.h - what the formats with grids share: 32 elements at a time from points and signs to codes. */
#ifndef RT_QUANT_IQ_H
#define RT_QUANT_IQ_H

#include "grids.h"
#include "panel.h"

/* Four points of eight elements. */
static inline rt_bytes32 rt_points_of_8(const uint64_t *grid, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  return (rt_bytes32)(rt_longs4){grid[a], grid[b], grid[c], grid[d]};
}

/* Signs of 32 elements from four times seven bits: 255 where an element is negative. */
static inline rt_bytes32 rt_even_signs_32(uint32_t sevens) {
  return rt_points_of_8(rt_even_signs, sevens & 127, sevens >> 7 & 127, sevens >> 14 & 127, sevens >> 21 & 127);
}

/* zero + value, or zero - value where `minus` is 255 and not 0. */
static inline rt_bytes32 rt_signed_codes(rt_bytes32 value, rt_bytes32 minus, uint8_t zero) { return (value ^ minus) - minus + zero; }

/* Eight bytes, each with two four-bit numbers s: the sixteen scales 2s + 1, low ones first. */
static inline void rt_odd_scales_16(const uint8_t *packed, int32_t *scales) {
  RT_LOAD(rt_bytes8, v, packed);
  const rt_bytes8 low = v & 15, high = v >> 4;
  const rt_bytes16 s = __builtin_shufflevector(low, high, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
  RT_STORE(rt_ints16, scales, __builtin_convertvector(s + s + 1, rt_ints16));
}

#endif
