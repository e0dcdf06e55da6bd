/* tokenizer.c - the table of tokenizers; see tokenizer.h. */
#include "tokenizer.h"

#include <stdio.h>
#include <string.h>

static const rt_tokenizer_kind *const kinds[] = {&rt_byte_bpe};

retort_status rt_tokenizer_find(const char *model, const rt_tokenizer_kind **kind, retort_error *error) {
  char known[160] = "";
  size_t n = 0;
  for (size_t i = 0; i < RT_COUNT(kinds); i++) {
    if (strcmp(kinds[i]->model, model) == 0) return *kind = kinds[i], RETORT_OK;
    if (n < sizeof known) n += (size_t)snprintf(known + n, sizeof known - n, "%s%s (%s)", i ? ", " : "", kinds[i]->model, kinds[i]->name);
  }
  return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "tokenizer.ggml.model is \"%.60s\"; this version knows %s", model, known);
}
