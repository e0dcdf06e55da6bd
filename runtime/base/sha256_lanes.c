/* sha256_lanes.c - the rounds of SHA-256 on four messages at once, one in each lane of WebAssembly's SIMD128, which has no instruction for
 * them.
 *
 * Every word of the state and of the message schedule is a vector, lane m belonging to message m. One message alone is as fast in sha256.c.
 */
#include "sha256.h"

#ifdef __wasm_simd128__
#include <string.h>

enum { LANES = 4 };
typedef uint32_t word __attribute__((vector_size(4 * LANES)));
typedef uint8_t bytes __attribute__((vector_size(4 * LANES)));
#include "sha256_rounds.h"

/* Words t .. t+3 of each message. */
static inline void load(word w[4], const uint8_t *const data[LANES], size_t at) {
  word m[LANES];
  for (int i = 0; i < LANES; i++) {
    bytes b;
    memcpy(&b, data[i] + at, sizeof b);
    m[i] = (word)__builtin_shufflevector(b, b, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
  }
  word low01 = __builtin_shufflevector(m[0], m[1], 0, 4, 1, 5), low23 = __builtin_shufflevector(m[2], m[3], 0, 4, 1, 5);
  word high01 = __builtin_shufflevector(m[0], m[1], 2, 6, 3, 7), high23 = __builtin_shufflevector(m[2], m[3], 2, 6, 3, 7);
  w[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
  w[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
  w[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
  w[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
}

/* A function of its own, like compress of sha256.c. */
static __attribute__((noinline)) void compress(word state[8], const uint8_t *const data[LANES], size_t at, const uint32_t rounds[64]) {
  word w[64];
  for (int t = 0; t < 16; t += 4) load(w + t, data, at + 4 * (size_t)t);
  rounds_of_block(state, w, rounds);
}

static void blocks_of_four(uint32_t (*state)[8], const uint8_t *const *data, size_t n_blocks, const uint32_t rounds[64]) {
  word s[8];
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
