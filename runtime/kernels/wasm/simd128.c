/* simd128.c - WebAssembly with its fixed 128-bit vectors: what every current engine runs. */
#if defined(__wasm_simd128__)
#include "wasm_simd.h"

const rt_kernels rt_kernels_simd128 = {
    .name = "simd128", .gemm_from = 4, .side = RT_TOKENS, .unit = 4, .gemv = gemv, .gemm = gemm_words, RT_FLOAT_OPS};
#endif
