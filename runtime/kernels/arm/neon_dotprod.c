/* neon_dotprod.c - NEON with SDOT, sixteen products an instruction (Armv8.2 and later: Cortex-A55, A75, A76); neon.h has the code. */
#if defined(__aarch64__)
#include "neon_gemv.h"
#include "neon_inherited.h"

const rt_kernels rt_kernels_neon_dotprod = NEON_KERNELS("neon-dotprod");
#endif
