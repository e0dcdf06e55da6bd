/* avx_vnni.c - AVX2 with VNNI on 256-bit registers: CPUs that have it without AVX-512.
 *
 * Two builds for tests only (tests/CMakeLists.txt): with RT_VNNI_EVEX the same instructions are compiled in the encoding that belongs to
 * AVX-512, so that a CPU with AVX-512 VNNI can test these kernels; with RT_VNNI_IN_AVX2 each stands as AVX2 instructions that give its
 * result exactly, so that any CPU with AVX2 tests all but the two instructions themselves.
 */
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#define VNNI 1
#if defined(RT_VNNI_EVEX)
#define dpbusd(acc, w, a) _mm256_dpbusd_epi32(acc, w, a)
#define dpwssd(acc, a, b) _mm256_dpwssd_epi32(acc, a, b)
#elif defined(RT_VNNI_IN_AVX2)
static inline __m256i dpwssd(__m256i acc, __m256i a, __m256i b) { return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b)); }
static inline __m256i dpbusd(__m256i acc, __m256i w, __m256i a) {
  __m256i even = _mm256_madd_epi16(_mm256_and_si256(w, _mm256_set1_epi16(0xff)), _mm256_srai_epi16(_mm256_slli_epi16(a, 8), 8));
  __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(w, 8), _mm256_srai_epi16(a, 8));
  return _mm256_add_epi32(acc, _mm256_add_epi32(even, odd));
}
#else
#define dpbusd(acc, w, a) _mm256_dpbusd_avx_epi32(acc, w, a)
#define dpwssd(acc, a, b) _mm256_dpwssd_avx_epi32(acc, a, b)
#endif
#include "avx2.h"

const rt_kernels rt_kernels_avx_vnni = {
    .name = "avx-vnni", .gemm_from = 8, .side = RT_TOKENS, .unit = 4, .gemv = gemv, .gemm = gemm, RT_FLOAT_OPS};
#endif
