/* neon.c - plain NEON: every 64-bit ARM core, and 32-bit ones that have it; neon.h has the code. */
#if defined(__ARM_NEON)
#include "../float_ops.h"
#include "neon_gemv.h"

const rt_kernels rt_kernels_neon = NEON_KERNELS("neon");
#endif
