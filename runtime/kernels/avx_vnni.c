/* avx_vnni.c - AVX2 with VNNI on 256-bit registers: CPUs that have it without AVX-512.
 *
 * With RT_VNNI_EVEX the same instructions are compiled in the encoding that belongs to AVX-512, so that a CPU with AVX-512 VNNI can test
 * these kernels (tests/CMakeLists.txt); nothing else is built so.
 */
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#define VNNI 1
#if defined(RT_VNNI_EVEX)
#define dpbusd(acc, w, a) _mm256_dpbusd_epi32(acc, w, a)
#define dpwssd(acc, a, b) _mm256_dpwssd_epi32(acc, a, b)
#else
#define dpbusd(acc, w, a) _mm256_dpbusd_avx_epi32(acc, w, a)
#define dpwssd(acc, a, b) _mm256_dpwssd_avx_epi32(acc, a, b)
#endif
#include "avx2.h"

const rt_kernels rt_kernels_avx_vnni = {.name = "avx-vnni", .gemm_from = 8, .dot = dot, .gemm = gemm, RT_FLOAT_OPS};
#endif
