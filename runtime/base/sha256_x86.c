/* sha256_x86.c - the SHA-256 rounds with Intel's SHA extensions (Intel SDM vol. 2, SHA256RNDS2 and friends).
 *
 * Compiled with -msse4.1 -msha and called only where the processor has both. The state sits in two registers as the instructions want it:
 * {a, b, e, f} and {c, d, g, h}, highest lane first; each pair of SHA256RNDS2 does four rounds.
 */
#include "sha256.h"

#if defined(__SHA__) && defined(__SSE4_1__)
#include <cpuid.h>
#include <immintrin.h>

typedef __m128i words;
static inline words load(const void *p) { return _mm_loadu_si128(p); }
static inline words load_words(const uint8_t *p) {
  return _mm_shuffle_epi8(load(p), _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}
static inline words add_words(words a, words b) { return _mm_add_epi32(a, b); }
static inline words next_words(words w0, words w1, words w2, words w3) {
  return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4)), w3);
}
static inline void load_state(const uint32_t state[8], words *abef, words *cdgh) {
  words abcd = _mm_shuffle_epi32(load(state), 0xB1), efgh = _mm_shuffle_epi32(load(state + 4), 0x1B);
  *abef = _mm_alignr_epi8(abcd, efgh, 8);
  *cdgh = _mm_blend_epi16(efgh, abcd, 0xF0);
}
static inline void store_state(uint32_t state[8], words abef, words cdgh) {
  words abcd = _mm_shuffle_epi32(abef, 0x1B), efgh = _mm_shuffle_epi32(cdgh, 0xB1);
  _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(abcd, efgh, 0xF0));
  _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(efgh, abcd, 8));
}
#define ROUNDS(t, w0)                                                \
  EACH k[m] = _mm_add_epi32(w0[m], load(rounds + (t)));              \
  EACH second[m] = _mm_sha256rnds2_epu32(second[m], first[m], k[m]); \
  EACH first[m] = _mm_sha256rnds2_epu32(first[m], second[m], _mm_shuffle_epi32(k[m], 0x0E));
#include "sha256_unit.h"

const rt_sha256_unit *rt_sha256_x86(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) || !(c & bit_SSSE3)) return NULL;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 29)) ? &unit : NULL;
}
#else
const rt_sha256_unit *rt_sha256_x86(void) { return NULL; }
#endif
