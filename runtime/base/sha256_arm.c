/* sha256_arm.c - the SHA-256 rounds with the cryptographic extension of 64-bit ARM (Arm ARM, C7.2: SHA256H and friends).
 *
 * Compiled with +crypto and called only where the platform says that the processor has it. The state sits in two registers in its natural
 * order, {a, b, c, d} and {e, f, g, h}; each pair of SHA256H and SHA256H2 does four rounds.
 */
#include "sha256.h"

#if defined(__aarch64__) && defined(__ARM_FEATURE_SHA2)
#include <arm_neon.h>

/* Two messages at once for the same reason as in sha256_x86.c: each SHA256H waits for the one before. */
static inline __attribute__((always_inline)) void blocks(int n, uint32_t (*state)[8], const uint8_t *const *data, size_t n_blocks,
                                                         const uint32_t rounds[64]) {
  uint32x4_t abcd[2], efgh[2], abcd_before[2], efgh_before[2], old[2], wa[2], wb[2], wc[2], wd[2], k[2];
#define EACH for (int m = 0; m < n; m++)
  EACH abcd[m] = vld1q_u32(state[m]), efgh[m] = vld1q_u32(state[m] + 4);
  for (size_t at = 0; at < 64 * n_blocks; at += 64) {
    /* The last 16 words of the message schedule; QUAD does rounds t..t+3 with w0 and puts the words of t+16..t+19 in its place. */
#define LOAD(i) vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(data[m] + at + 16 * (i))))
    EACH abcd_before[m] = abcd[m], efgh_before[m] = efgh[m], wa[m] = LOAD(0), wb[m] = LOAD(1), wc[m] = LOAD(2), wd[m] = LOAD(3);
#define ROUNDS(t, w0)                                                      \
  EACH k[m] = vaddq_u32(w0[m], vld1q_u32(rounds + (t))), old[m] = abcd[m]; \
  EACH abcd[m] = vsha256hq_u32(abcd[m], efgh[m], k[m]);                    \
  EACH efgh[m] = vsha256h2q_u32(efgh[m], old[m], k[m]);
#define QUAD(t, w0, w1, w2, w3) \
  ROUNDS(t, w0)                 \
  EACH w0[m] = vsha256su1q_u32(vsha256su0q_u32(w0[m], w1[m]), w2[m], w3[m]);
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
    EACH abcd[m] = vaddq_u32(abcd[m], abcd_before[m]), efgh[m] = vaddq_u32(efgh[m], efgh_before[m]);
  }
  EACH vst1q_u32(state[m], abcd[m]), vst1q_u32(state[m] + 4, efgh[m]);
}

static void blocks_of_one(uint32_t state[8], const uint8_t *data, size_t n_blocks, const uint32_t rounds[64]) {
  blocks(1, (uint32_t(*)[8])(void *)state, &data, n_blocks, rounds);
}

static void blocks_of_two(uint32_t (*state)[8], const uint8_t *const *data, size_t n_blocks, const uint32_t rounds[64]) {
  blocks(2, state, data, n_blocks, rounds);
}

const rt_sha256_unit *rt_sha256_arm(uint32_t cpu_features) {
  static const rt_sha256_unit unit = {blocks_of_one, blocks_of_two, 2};
  return cpu_features & RETORT_CPU_SHA2 ? &unit : NULL;
}
#else
const rt_sha256_unit *rt_sha256_arm(uint32_t cpu_features) {
  (void)cpu_features;
  return NULL;
}
#endif
