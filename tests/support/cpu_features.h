/* cpu_features.h - what the CPU under a test has, told to the core as a program's platform does (native/machine/posix.c). */
#ifndef CPU_FEATURES_H
#define CPU_FEATURES_H

#include "retort_platform.h"

#if defined(__linux__) && (defined(__aarch64__) || defined(__arm__))
#include <sys/auxv.h>
#endif

static inline uint32_t cpu_features(void) {
#if defined(__linux__) && defined(__aarch64__)
  return RETORT_CPU_NEON | (getauxval(AT_HWCAP) & (1ul << 20) ? RETORT_CPU_DOTPROD : 0) |
         (getauxval(AT_HWCAP2) & (1ul << 13) ? RETORT_CPU_I8MM : 0) | (getauxval(AT_HWCAP) & (1ul << 6) ? RETORT_CPU_SHA2 : 0);
#elif defined(__linux__) && defined(__arm__)
  return getauxval(AT_HWCAP) & (1ul << 12) ? RETORT_CPU_NEON : 0;
#else
  return 0;
#endif
}
/* A platform of one thread that knows the CPU. */
static inline retort_platform bare_platform(void) {
  return (retort_platform){.struct_size = sizeof(retort_platform), .cpu_features = cpu_features()};
}

#endif
