/* sha256_lanes.c - the SHA-256 rounds on four messages at once, one in each lane of WebAssembly's SIMD128, which has no instruction for them.
 *
 * Every word of the state and of the message schedule is a vector, lane m belonging to message m. One message alone is as fast in sha256.c.
 */
#include "sha256.h"

#ifdef __wasm_simd128__
#include <string.h>

enum { LANES = 4 };
typedef uint32_t words __attribute__((vector_size(4 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(4 * LANES)));

static inline words rotate(words x, int n) { return x >> n | x << (32 - n); }

/* Words t .. t+3 of each message. */
static inline void load(words w[4], const uint8_t *const data[LANES], size_t at) {
  words m[LANES];
  for (int i = 0; i < LANES; i++) {
    bytes b;
    memcpy(&b, data[i] + at, sizeof b);
    m[i] = (words)__builtin_shufflevector(b, b, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
  }
  words low01 = __builtin_shufflevector(m[0], m[1], 0, 4, 1, 5), low23 = __builtin_shufflevector(m[2], m[3], 0, 4, 1, 5);
  words high01 = __builtin_shufflevector(m[0], m[1], 2, 6, 3, 7), high23 = __builtin_shufflevector(m[2], m[3], 2, 6, 3, 7);
  w[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
  w[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
  w[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
  w[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
}

/* A function of its own, like compress of sha256.c. */
static __attribute__((noinline)) void compress(words state[8], const uint8_t *const data[LANES], size_t at, const uint32_t rounds[64]) {
  words w[64];
  for (int t = 0; t < 16; t += 4) load(w + t, data, at + 4 * (size_t)t);
  for (int t = 16; t < 64; t++) {
    words s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3;
    words s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10;
    w[t] = w[t - 16] + s0 + w[t - 7] + s1;
  }
  words a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (int t = 0; t < 64; t++) {
    words t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) + rounds[t] + w[t];
    words t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static void blocks_of_four(uint32_t (*state)[8], const uint8_t *const *data, size_t n_blocks, const uint32_t rounds[64]) {
  words s[8];
  for (int i = 0; i < 8; i++)
    for (int m = 0; m < LANES; m++) s[i][m] = state[m][i];
  for (size_t i = 0; i < n_blocks; i++) compress(s, data, 64 * i, rounds);
  for (int i = 0; i < 8; i++)
    for (int m = 0; m < LANES; m++) state[m][i] = s[i][m];
}

const rt_sha256_unit *rt_sha256_lanes(void) {
  static const rt_sha256_unit unit = {.many = blocks_of_four, .at_once = LANES};
  return &unit;
}
#else
const rt_sha256_unit *rt_sha256_lanes(void) { return NULL; }
#endif
