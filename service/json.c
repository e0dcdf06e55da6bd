/* json.c - see json.h. */
#include "json.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

retort_status service_fail(retort_error *error, retort_status status, const char *format, ...) {
  if (!error) return status;
  va_list args;
  va_start(args, format);
  vsnprintf(error->message, sizeof error->message, format, args);
  va_end(args);
  error->status = status;
  return status;
}

retort_status service_no_memory(retort_error *error) {
  return service_fail(error, RETORT_ERROR_MEMORY, "there is no more memory: give more, or take a smaller model or context");
}

retort_status service_wrong(retort_error *error, const char *key, const json_t *value, const char *wanted) {
  char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9));
  service_fail(error, RETORT_ERROR_JSON, "\"%s\" is %.40s%s; it must be %s", key, text ? text : "too large",
               text && strlen(text) > 40 ? "..." : "", wanted);
  free(text);
  return RETORT_ERROR_JSON;
}

enum { MAX_DEPTH = 64, MAX_MEMBERS = 1024 }; /* the core's own bounds (runtime/base/json.h) */

/* Before the library sees it: nesting costs stack, and keys of one object that were made to collide cost their square. */
static retort_status check_shape(const char *text, size_t size, const char *what, retort_error *error) {
  size_t depth = 0, members[MAX_DEPTH + 1] = {0};
  bool in_string = false;
  for (size_t i = 0; i < size; i++) {
    const char c = text[i];
    if (in_string && c == '\\') i++;
    else if (c == '"') in_string = !in_string;
    else if (in_string) continue;
    else if ((c == '[' || c == '{') && ++depth > MAX_DEPTH)
      return service_fail(error, RETORT_ERROR_JSON, "%s: nested deeper than %d levels at offset %zu", what, MAX_DEPTH, i);
    else if (c == ':' && ++members[depth] > MAX_MEMBERS)
      return service_fail(error, RETORT_ERROR_JSON, "%s: an object with more than %d members at offset %zu", what, MAX_MEMBERS, i);
    else if ((c == ']' || c == '}') && depth) members[depth--] = 0;
  }
  return RETORT_OK;
}

retort_status service_json_parse(const char *text, size_t size, const char *what, json_t **out, retort_error *error) {
  json_error_t why;
  char hex[65] = "";
  if (size == 0) return (*out = json_object()) ? RETORT_OK : service_no_memory(error);
  retort_status status = check_shape(text, size, what, error);
  if (status) return status;
  /* The library hashes keys with a seed that it would else make from a clock. A host with randomness has set one already, which stays; this
   * one is mixed from the first text that came. */
  retort_sha256_hex(text, size, hex);
  hex[8] = 0;
  json_object_seed(strtoul(hex, NULL, 16) | 1);
  json_t *tree = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
  *out = json_is_object(tree) ? tree : NULL;
  if (*out) return RETORT_OK;
  if (tree) {
    json_decref(tree);
    return service_fail(error, RETORT_ERROR_JSON, "%s is no JSON object", what);
  }
  /* Where there is no memory for a value, jansson fails without a place. */
  if (why.line < 0 || json_error_code(&why) == json_error_out_of_memory) return service_no_memory(error);
  return service_fail(error, RETORT_ERROR_JSON, "%s is not valid JSON: line %d, column %d: %s", what, why.line, why.column, why.text);
}

retort_status service_json_only(json_t *object, const char *const *known, const char *what, retort_error *error) {
  const char *key;
  json_t *value;
  json_object_foreach(object, key, value) {
    size_t i = 0;
    while (known[i] && strcmp(known[i], key) != 0) i++;
    if (!known[i]) return service_fail(error, RETORT_ERROR_JSON, "%s: there is no \"%s\"", what, key);
  }
  return RETORT_OK;
}

json_t *service_json_get(json_t *object, const char *key) {
  json_t *value = json_object_get(object, key);
  return json_is_null(value) ? NULL : value;
}

retort_status service_json_text(json_t *object, const char *key, const char **out, retort_error *error) {
  json_t *value = service_json_get(object, key);
  if (!value) return RETORT_OK;
  if (!json_is_string(value)) return service_wrong(error, key, value, "a text");
  *out = json_string_value(value);
  return RETORT_OK;
}

retort_status service_json_integer(json_t *object, const char *key, int64_t least, int64_t most, int64_t *out, retort_error *error) {
  json_t *value = service_json_get(object, key);
  char wanted[80];
  if (!value) return RETORT_OK;
  if (json_is_integer(value) && json_integer_value(value) >= least && json_integer_value(value) <= most) {
    *out = json_integer_value(value);
    return RETORT_OK;
  }
  snprintf(wanted, sizeof wanted, "a whole number from %lld to %lld", (long long)least, (long long)most);
  return service_wrong(error, key, value, wanted);
}

retort_status service_json_flag(json_t *object, const char *key, uint32_t bit, uint32_t *flags, retort_error *error) {
  json_t *value = service_json_get(object, key);
  if (!value) return RETORT_OK;
  if (!json_is_boolean(value)) return service_wrong(error, key, value, "true or false");
  *flags = json_is_true(value) ? *flags | bit : *flags & ~bit;
  return RETORT_OK;
}

retort_status service_json_texts(json_t *object, const char *key, const char ***out, size_t *n, retort_error *error) {
  json_t *list = service_json_get(object, key);
  *out = NULL;
  *n = 0;
  if (!list) return RETORT_OK;
  size_t count = json_is_array(list) ? json_array_size(list) : 1;
  const char **texts = malloc((count + 1) * sizeof *texts);
  if (!texts) return service_no_memory(error);
  for (size_t i = 0; i < count; i++) {
    const json_t *item = json_is_array(list) ? json_array_get(list, i) : list;
    texts[i] = json_string_value(item);
    if (!texts[i]) {
      free(texts);
      return service_wrong(error, key, list, "an array of texts");
    }
  }
  *out = texts;
  *n = count;
  return RETORT_OK;
}

void service_put(json_t *object, const char *key, json_t *value) { json_object_set_new(object, key, value); }
void service_put_text(json_t *object, const char *key, const char *text) { service_put(object, key, json_string(text)); }
void service_put_integer(json_t *object, const char *key, int64_t n) { service_put(object, key, json_integer(n)); }

json_t *service_whole(json_t *object, size_t count) {
  if (json_object_size(object) == count) return object;
  json_decref(object);
  return NULL;
}
