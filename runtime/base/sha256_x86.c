/* sha256_x86.c - the SHA-256 rounds with Intel's SHA extensions (Intel SDM vol. 2, SHA256RNDS2 and friends).
 *
 * Compiled with -msse4.1 -msha and called only where the processor has both. The state sits in two registers as the instructions want it:
 * {a, b, e, f} and {c, d, g, h}, highest lane first; each pair of SHA256RNDS2 does four rounds.
 */
#include "sha256.h"

#if defined(__SHA__) && defined(__SSE4_1__)
#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

/* Two messages at once: an SHA256RNDS2 waits for the one before, so a single message leaves half of the unit idle. With n of 1 or 2 known
 * to the compiler each loop over the messages is unrolled. */
static inline __attribute__((always_inline)) void blocks(int n, uint32_t (*state)[8], const uint8_t *const *data, size_t n_blocks,
                                                         const uint32_t rounds[64]) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i abef[2], cdgh[2], abef_before[2], cdgh_before[2], wa[2], wb[2], wc[2], wd[2], k[2];
#define EACH for (int m = 0; m < n; m++)
  EACH {
    __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state[m]), 0xB1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state[m] + 4)), 0x1B);
    abef[m] = _mm_alignr_epi8(abcd, efgh, 8);
    cdgh[m] = _mm_blend_epi16(efgh, abcd, 0xF0);
  }
  for (size_t at = 0; at < 64 * n_blocks; at += 64) {
    /* The last 16 words of the message schedule; QUAD does rounds t..t+3 with w0 and puts the words of t+16..t+19 in its place:
     * w[t] = s1(w[t-2]) + w[t-7] + s0(w[t-15]) + w[t-16], four at once. */
#define LOAD(i) _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(data[m] + at + 16 * (i))), big_endian)
    EACH abef_before[m] = abef[m], cdgh_before[m] = cdgh[m], wa[m] = LOAD(0), wb[m] = LOAD(1), wc[m] = LOAD(2), wd[m] = LOAD(3);
#define ROUNDS(t, w0)                                                                               \
  EACH k[m] = _mm_add_epi32(w0[m], _mm_loadu_si128((const __m128i *)(const void *)(rounds + (t)))); \
  EACH cdgh[m] = _mm_sha256rnds2_epu32(cdgh[m], abef[m], k[m]);                                     \
  EACH abef[m] = _mm_sha256rnds2_epu32(abef[m], cdgh[m], _mm_shuffle_epi32(k[m], 0x0E));
#define QUAD(t, w0, w1, w2, w3) \
  ROUNDS(t, w0)                 \
  EACH w0[m] = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0[m], w1[m]), _mm_alignr_epi8(w3[m], w2[m], 4)), w3[m]);
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
    EACH abef[m] = _mm_add_epi32(abef[m], abef_before[m]), cdgh[m] = _mm_add_epi32(cdgh[m], cdgh_before[m]);
  }
  EACH {
    __m128i abcd = _mm_shuffle_epi32(abef[m], 0x1B), efgh = _mm_shuffle_epi32(cdgh[m], 0xB1);
    _mm_storeu_si128((__m128i *)(void *)state[m], _mm_blend_epi16(abcd, efgh, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(state[m] + 4), _mm_alignr_epi8(efgh, abcd, 8));
  }
}

static void blocks_of_one(uint32_t state[8], const uint8_t *data, size_t n_blocks, const uint32_t rounds[64]) {
  uint32_t one[1][8];
  memcpy(one[0], state, sizeof one[0]);
  blocks(1, one, &data, n_blocks, rounds);
  memcpy(state, one[0], sizeof one[0]);
}

static void blocks_of_two(uint32_t (*state)[8], const uint8_t *const *data, size_t n_blocks, const uint32_t rounds[64]) {
  blocks(2, state, data, n_blocks, rounds);
}

const rt_sha256_unit *rt_sha256_x86(void) {
  static const rt_sha256_unit unit = {blocks_of_one, blocks_of_two, 2};
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3)) return NULL;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 29)) ? &unit : NULL;
}
#else
const rt_sha256_unit *rt_sha256_x86(void) { return NULL; }
#endif
