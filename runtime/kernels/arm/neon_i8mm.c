/* neon_i8mm.c - NEON with SMMLA, thirty-two products an instruction (Armv8.6: Cortex-A510, A710, Neoverse V1); neon.h has the code. */
#if defined(__aarch64__)
#include "neon.h"
#include "neon_inherited.h"

static void gemv(const rt_strip *strip) { rt_kernels_neon_dotprod.gemv(strip); }

const rt_kernels rt_kernels_neon_i8mm = NEON_KERNELS("neon-i8mm");
#endif
