/* architectures.c - the architectures that run here: one line each, the functions of a family in a file of their own. */
#include "model.h"

#include <stdio.h>
#include <string.h>

static const rt_architecture ARCHITECTURES[] = {
    {.name = "llama", .family = &rt_dense}, /* the converter interleaves the rows of q and k for the (2i, 2i + 1) pairs */
    {.name = "qwen2", .family = &rt_dense, .neox = true},
    {.name = "qwen3", .family = &rt_dense, .neox = true, .head_norm = true},
};

const rt_architecture *rt_architecture_at(size_t index) { return index < RT_COUNT(ARCHITECTURES) ? &ARCHITECTURES[index] : NULL; }

/* "a, b and c" */
static void list_names(char *out, size_t size) {
  size_t used = 0, n = RT_COUNT(ARCHITECTURES);
  for (size_t i = 0; i < n && used < size; i++)
    used += (size_t)snprintf(out + used, size - used, "%s%s", i == 0 ? "" : i + 1 == n ? " and " : ", ", ARCHITECTURES[i].name);
}

/* The one that the file names. */
static retort_status find(const retort_gguf *gguf, const rt_architecture **out, retort_error *error) {
  rt_string name;
  retort_status status = rt_gguf_get_string(gguf, "general.architecture", true, &name, error);
  if (status) return status;
  for (size_t i = 0; i < RT_COUNT(ARCHITECTURES); i++) {
    if (strlen(ARCHITECTURES[i].name) != name.size || memcmp(ARCHITECTURES[i].name, name.bytes, name.size)) continue;
    *out = &ARCHITECTURES[i];
    return RETORT_OK;
  }
  char known[256];
  list_names(known, sizeof known);
  return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "general.architecture is '%.*s': this version runs %s",
                 (int)(name.size < 64 ? name.size : 64), name.bytes, known);
}

retort_status rt_hparams_read(const retort_gguf *gguf, rt_hparams *hparams, retort_error *error) {
  rt_hparams h = {0};
  retort_status status = find(gguf, &h.architecture, error);
  if (!status) status = rt_hparams_common(gguf, &h, error);
  if (!status) status = h.architecture->family->read(gguf, &h, error);
  if (!status) *hparams = h;
  return status;
}
