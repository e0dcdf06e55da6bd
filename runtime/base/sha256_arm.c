/* sha256_arm.c - the SHA-256 rounds with the cryptographic extension of 64-bit ARM (Arm ARM, C7.2: SHA256H and friends).
 *
 * Compiled with +crypto and called only where the platform says that the processor has it. The state sits in two registers in its natural
 * order, {a, b, c, d} and {e, f, g, h}; each pair of SHA256H and SHA256H2 does four rounds.
 */
#include "sha256.h"

#if defined(__aarch64__) && defined(__ARM_FEATURE_SHA2)
#include <arm_neon.h>

typedef uint32x4_t words;
static inline words load_words(const uint8_t *p) { return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(p))); }
static inline words add_words(words a, words b) { return vaddq_u32(a, b); }
static inline words next_words(words w0, words w1, words w2, words w3) { return vsha256su1q_u32(vsha256su0q_u32(w0, w1), w2, w3); }
static inline void load_state(const uint32_t state[8], words *abcd, words *efgh) {
  *abcd = vld1q_u32(state);
  *efgh = vld1q_u32(state + 4);
}
static inline void store_state(uint32_t state[8], words abcd, words efgh) {
  vst1q_u32(state, abcd);
  vst1q_u32(state + 4, efgh);
}
#define ROUNDS(t, w0)                                                       \
  EACH k[m] = vaddq_u32(w0[m], vld1q_u32(rounds + (t))), old[m] = first[m]; \
  EACH first[m] = vsha256hq_u32(first[m], second[m], k[m]);                 \
  EACH second[m] = vsha256h2q_u32(second[m], old[m], k[m]);
#include "sha256_unit.h"

const rt_sha256_unit *rt_sha256_arm(uint32_t cpu_features) { return cpu_features & RETORT_CPU_SHA2 ? &unit : NULL; }
#else
const rt_sha256_unit *rt_sha256_arm(uint32_t cpu_features) {
  (void)cpu_features;
  return NULL;
}
#endif
