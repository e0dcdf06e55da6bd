/* dispatch.c - chooses the kernel variant that this machine runs best. */
#include "kernels.h"

#include <string.h>

#include "retort_platform.h"
#include "variant.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <cpuid.h>

/* Which register states the operating system saves (Intel SDM volume 1, 13.3): AVX needs bits 1 and 2, AVX-512 also 5 to 7. */
static uint32_t saved_states(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

static const char *avx2_missing(const retort_platform *platform) {
  (void)platform;
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_AVX) || !(c & bit_F16C)) return "the CPU has no AVX or no F16C";
  if ((saved_states() & 0x6) != 0x6) return "the operating system does not save AVX registers";
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_AVX2)) return "the CPU has no AVX2";
  return NULL;
}

static const char *avx512_missing(const retort_platform *platform) {
  const char *reason = avx2_missing(platform);
  if (reason) return reason;
  uint32_t a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return "the CPU does not list its features";
  if (!(b & bit_AVX512F) || !(b & bit_AVX512BW) || !(b & bit_AVX512DQ) || !(b & bit_AVX512VL))
    return "the CPU has no AVX-512 F, BW, DQ and VL";
  if (!(c & bit_AVX512VNNI)) return "the CPU has no AVX-512 VNNI";
  if ((saved_states() & 0xe6) != 0xe6) return "the operating system does not save AVX-512 registers";
  return NULL;
}

static const char *avx_vnni_missing(const retort_platform *platform) {
#if defined(RT_VNNI_EVEX)
  return avx512_missing(platform); /* a test build: see avx_vnni.c */
#elif defined(RT_VNNI_IN_AVX2)
  return avx2_missing(platform);
#else
  const char *reason = avx2_missing(platform);
  uint32_t a, b, c, d;
  if (reason) return reason;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 4) ? NULL : "the CPU has no AVX-VNNI";
#endif
}
#elif defined(__aarch64__) || defined(RT_NEON)

/* A program cannot ask an ARM core what it has: the platform tells. */
static const char *feature_missing(const retort_platform *platform, uint32_t feature, const char *reason) {
  return RT_PLATFORM_HAS(platform, cpu_features) && (platform->cpu_features & feature) ? NULL : reason;
}
#if defined(__aarch64__)
static const char *neon_missing(const retort_platform *platform) { /* part of the base architecture */
  (void)platform;
  return NULL;
}
static const char *neon_dotprod_missing(const retort_platform *platform) {
  return feature_missing(platform, RETORT_CPU_DOTPROD, "the CPU has no dot products (asimddp)");
}
static const char *neon_i8mm_missing(const retort_platform *platform) {
  const char *reason = neon_dotprod_missing(platform);
  return reason ? reason : feature_missing(platform, RETORT_CPU_I8MM, "the CPU has no matrix products of bytes (i8mm)");
}
#else
static const char *neon_missing(const retort_platform *platform) {
  return feature_missing(platform, RETORT_CPU_NEON, "the CPU has no NEON");
}
#endif
#endif

#if !defined(RETORT_ONLY_RELAXED)
static const char *nothing_missing(const retort_platform *platform) {
  (void)platform;
  return NULL;
}
#endif

#if defined(RETORT_RELAXED_SIMD) && !defined(RETORT_ONLY_SIMD128)
static const char *relaxed_missing(const retort_platform *platform) {
  (void)platform;
  return rt_relaxed_dot_is_right() ? NULL : "this engine's relaxed dot product gives wrong sums";
}
#endif

/* Best first. RETORT_ONLY_*: a wasm module that is handed out in one file a variant, each small, has no other. */
static const struct {
  const rt_kernels *kernels;
  const char *(*missing)(const retort_platform *platform); /* why it cannot run here, or NULL */
} variants[] = {
#if defined(__x86_64__) || defined(_M_X64)
    {&rt_kernels_avx512, avx512_missing},
    {&rt_kernels_avx_vnni, avx_vnni_missing},
    {&rt_kernels_avx2, avx2_missing},
#elif defined(__aarch64__)
    {&rt_kernels_neon_i8mm, neon_i8mm_missing},
    {&rt_kernels_neon_dotprod, neon_dotprod_missing},
    {&rt_kernels_neon, neon_missing},
#elif defined(RT_NEON)
    {&rt_kernels_neon, neon_missing},
#elif defined(RETORT_ONLY_SIMD128)
    {&rt_kernels_simd128, nothing_missing},
#elif defined(__wasm_simd128__)
#if defined(RETORT_RELAXED_SIMD)
    {&rt_kernels_relaxed, relaxed_missing},
#endif
#if !defined(RETORT_ONLY_RELAXED)
    {&rt_kernels_simd128, nothing_missing},
#endif
#endif
#if !defined(RETORT_ONLY_SIMD128) && !defined(RETORT_ONLY_RELAXED)
    {&rt_kernels_portable, nothing_missing},
#endif
};

retort_status rt_kernels_select(const retort_platform *platform, const char *name, const rt_kernels **out, retort_error *error) {
  for (size_t i = 0; i < RT_COUNT(variants); i++) {
    const char *reason = variants[i].missing(platform);
    if (!name) {
      if (reason) continue;
    } else if (strcmp(name, variants[i].kernels->name) != 0) {
      continue;
    } else if (reason) {
      return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "kernel variant '%s' cannot run here: %s; choose another or none", name, reason);
    }
    *out = variants[i].kernels;
    return RETORT_OK;
  }
  if (!name)
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "this build has only %s kernels, and here %s; take another build",
                   variants[0].kernels->name, variants[0].missing(platform));
  char known[128] = "";
  for (size_t i = 0; i < RT_COUNT(variants); i++) {
    if (i) strcat(known, ", ");
    strcat(known, variants[i].kernels->name);
  }
  return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "there is no kernel variant '%s' in this build; it has: %s", name, known);
}

const char *rt_kernels_name(const rt_kernels *kernels) { return kernels->name; }

const uint16_t *rt_kernels_row_cost(const rt_kernels *kernels, bool two_planes) {
  /* The core has no clock: measured on two Zen 4 cores. Where arithmetic is what takes the time a second row is not cheaper. */
  static const uint16_t of_one_plane[RT_COSTED_ROWS] = {100, 110, 180, 180, 240, 250, 340, 350, 360, 370, 370, 380, 380, 380, 380, 380};
  static const uint16_t of_two_planes[RT_COSTED_ROWS] = {100, 140, 210, 260, 290, 300, 300, 310, 340, 360, 380, 410, 430, 450, 470, 490};
  static const uint16_t scalar[RT_COSTED_ROWS] = {100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100, 1200, 1300, 1400, 1500, 1600};
  if (kernels->scalar) return scalar;
  return two_planes ? of_two_planes : of_one_plane;
}

const char *retort_kernels_variant(const retort_platform *platform, uint32_t index, int *available, const char **reason) {
  if (index >= RT_COUNT(variants)) return NULL;
  const char *missing = variants[index].missing(platform);
  if (available) *available = missing == NULL;
  if (reason) *reason = missing ? missing : "runs on this CPU";
  return variants[index].kernels->name;
}
