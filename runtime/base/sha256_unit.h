/* sha256_unit.h - SHA-256 over whole blocks of one or two messages with a processor's own instructions, four rounds at a time.
 *
 * Two messages at once, because each instruction waits for the one before: a single message leaves half of the unit idle. The including
 * file supplies `words`, a register of four words, and
 *   load_state, store_state     (state, &first, &second): eight words as the instructions want them in two registers
 *   load_words(p)               four big-endian words of the message
 *   add_words(a, b)
 *   next_words(w0, w1, w2, w3)  w[t] = s1(w[t-2]) + w[t-7] + s0(w[t-15]) + w[t-16], four at once
 *   ROUNDS(t, w0)               rounds t..t+3 with w0, of each message: the first instruction of both before the second of either
 */
#ifndef RT_BASE_SHA256_UNIT_H
#define RT_BASE_SHA256_UNIT_H

#include "sha256.h"

/* With n of 1 or 2 known to the compiler each loop over the messages is unrolled. */
#define EACH for (int m = 0; m < n; m++)
/* ROUNDS, and the words of t+16..t+19 in the place of w0. */
#define QUAD(t, w0, w1, w2, w3) \
  ROUNDS(t, w0)                 \
  EACH w0[m] = next_words(w0[m], w1[m], w2[m], w3[m]);

static inline __attribute__((always_inline)) void blocks(int n, uint32_t (*state)[8], const uint8_t *const *data, size_t n_blocks,
                                                         const uint32_t rounds[64]) {
  words first[2], second[2], first_before[2], second_before[2], old[2], wa[2], wb[2], wc[2], wd[2], k[2];
  (void)old;
  EACH load_state(state[m], &first[m], &second[m]);
  for (size_t at = 0; at < 64 * n_blocks; at += 64) {
    EACH {
      const uint8_t *block = data[m] + at;
      first_before[m] = first[m], second_before[m] = second[m];
      wa[m] = load_words(block), wb[m] = load_words(block + 16), wc[m] = load_words(block + 32), wd[m] = load_words(block + 48);
    }
    for (int t = 0; t < 48; t += 16) {
      QUAD(t, wa, wb, wc, wd)
      QUAD(t + 4, wb, wc, wd, wa)
      QUAD(t + 8, wc, wd, wa, wb)
      QUAD(t + 12, wd, wa, wb, wc)
    }
    ROUNDS(48, wa)
    ROUNDS(52, wb)
    ROUNDS(56, wc)
    ROUNDS(60, wd)
    EACH first[m] = add_words(first[m], first_before[m]), second[m] = add_words(second[m], second_before[m]);
  }
  EACH store_state(state[m], first[m], second[m]);
}

static void blocks_of_one(uint32_t state[8], const uint8_t *data, size_t n_blocks, const uint32_t rounds[64]) {
  blocks(1, (uint32_t(*)[8])(void *)state, &data, n_blocks, rounds);
}

static void blocks_of_two(uint32_t (*state)[8], const uint8_t *const *data, size_t n_blocks, const uint32_t rounds[64]) {
  blocks(2, state, data, n_blocks, rounds);
}

static const rt_sha256_unit unit = {blocks_of_one, blocks_of_two, 2};

#endif
