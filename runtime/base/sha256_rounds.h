/* sha256_rounds.h - the message schedule and the 64 rounds of SHA-256 (FIPS 180-4 section 6.2.2) in plain C.
 *
 * The including file defines `word` before: uint32_t, or a vector of them, each lane a message of its own.
 */
#ifndef RT_BASE_SHA256_ROUNDS_H
#define RT_BASE_SHA256_ROUNDS_H

#include <stdint.h>

static inline word rotate(word x, int n) { return x >> n | x << (32 - n); }

/* w[0 .. 15] are the block's words; the rest is room for the schedule. */
static inline void rounds_of_block(word state[8], word w[64], const uint32_t rounds[64]) {
  for (int t = 16; t < 64; t++) {
    word s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3;
    word s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10;
    w[t] = w[t - 16] + s0 + w[t - 7] + s1;
  }
  word a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (int t = 0; t < 64; t++) {
    word t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) + rounds[t] + w[t];
    word t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

#endif
