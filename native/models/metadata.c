/* metadata.c - see metadata.h. From the metadata alone, so that it is known for models that cannot be opened, and before the weights are
 * read. */
#include "metadata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal/report.h"

json_t *metadata_value(const retort_gguf *gguf, const char *key, size_t max) {
  size_t size = 0;
  if (retort_gguf_get_json(gguf, key, max, NULL, 0, &size, NULL) != RETORT_ERROR_BUFFER) return NULL;
  char *text = malloc(size + 1);
  json_t *value = NULL;
  if (text && retort_gguf_get_json(gguf, key, max, text, size + 1, &size, NULL) == RETORT_OK)
    value = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
  free(text);
  return value;
}

uint64_t metadata_number(const retort_gguf *gguf, const char *architecture, const char *name, uint64_t otherwise) {
  char key[160];
  snprintf(key, sizeof key, "%s.%s", architecture, name);
  json_t *value = metadata_value(gguf, key, 1);
  const json_t *number = json_is_array(value) ? json_array_get(value, 0) : value;
  uint64_t n = json_is_number(number) ? (uint64_t)json_number_value(number) : otherwise;
  json_decref(value);
  return n;
}

char *metadata_text(const retort_gguf *gguf, const char *key) {
  json_t *value = metadata_value(gguf, key, 0);
  char *text = json_is_string(value) ? strdup(json_string_value(value)) : NULL;
  json_decref(value);
  return text;
}

uint64_t metadata_elements(const retort_gguf_tensor *t) {
  uint64_t n = 1;
  for (uint32_t k = 0; k < t->n_dims; k++) n *= t->dims[k];
  return n;
}

bool memory_fits(const memory_need *n, uint64_t available, char way[160]) {
  /* Bits a parameter of whole files as they are published; the smaller ones keep a few tensors larger. */
  static const struct {
    const char *name;
    double bits;
  } types[] = {{"Q8_0", 8.5}, {"Q6_K", 6.57}, {"Q5_K_M", 5.7}, {"Q4_K_M", 4.9}, {"Q3_K_M", 4}, {"Q2_K", 3.3}};
  uint64_t free_bytes = available > MEMORY_MARGIN ? available - MEMORY_MARGIN : 0,
           left = free_bytes > n->weights ? free_bytes - n->weights : 0;
  if (free_bytes >= n->weights && (n->kv_per_token == 0 || n->context <= left / n->kv_per_token)) return true;
  uint64_t fits = n->kv_per_token ? left / n->kv_per_token / 256 * 256 : 0;
  if (fits) {
    snprintf(way, 160, "--ctx %llu would fit", (unsigned long long)fits);
    return false;
  }
  uint64_t cache = n->kv_per_token * (n->context < 1024 ? n->context : 1024);
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    double bytes = types[i].bits / 8 * (double)n->parameters;
    if (bytes >= (double)n->weights || bytes + (double)cache > (double)free_bytes) continue;
    snprintf(way, 160, "as %s (about %s) and with --ctx %llu it would fit", types[i].name, memory_text((uint64_t)bytes).text,
             (unsigned long long)(n->context < 1024 ? n->context : 1024));
    return false;
  }
  snprintf(way, 160, "no usual quantisation of it would fit: take a smaller model, or try --mmap (slow)");
  return false;
}
