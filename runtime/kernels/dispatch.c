/* dispatch.c - chooses the kernel variant that this machine runs best. */
#include "kernels.h"

#include <string.h>

#include "variant.h"

static const char *nothing_missing(void) { return NULL; }

/* Best first. */
static const struct {
  const rt_kernels *kernels;
  const char *(*missing)(void); /* why it cannot run here, or NULL */
} variants[] = {
    {&rt_kernels_portable, nothing_missing},
};

retort_status rt_kernels_select(const retort_platform *platform, const char *name, const rt_kernels **out, retort_error *error) {
  (void)platform;
  for (size_t i = 0; i < RT_COUNT(variants); i++) {
    const char *reason = variants[i].missing();
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
  char known[128] = "";
  for (size_t i = 0; i < RT_COUNT(variants); i++) {
    if (i) strcat(known, ", ");
    strcat(known, variants[i].kernels->name);
  }
  return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "there is no kernel variant '%s' in this build; it has: %s", name, known);
}

const char *rt_kernels_name(const rt_kernels *kernels) { return kernels->name; }

const char *retort_kernels_variant(const retort_platform *platform, uint32_t index, int *available, const char **reason) {
  (void)platform;
  if (index >= RT_COUNT(variants)) return NULL;
  const char *missing = variants[index].missing();
  if (available) *available = missing == NULL;
  if (reason) *reason = missing ? missing : "runs on this CPU";
  return variants[index].kernels->name;
}
