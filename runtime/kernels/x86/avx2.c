/* avx2.c - AVX2 with F16C, what most x86 machines have. */
#if defined(__x86_64__) || defined(_M_X64)
#define VNNI 0
#include "avx2.h"

const rt_kernels rt_kernels_avx2 = {
    .name = "avx2", .gemm_from = 11, .side = RT_TOKENS, .unit = 4, .gemv = gemv, .gemm = gemm, RT_FLOAT_OPS};
#endif
