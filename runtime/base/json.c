/* json.c - see json.h. The only file that includes jansson.
 *
 * jansson allocates with the C library, not with the platform: its allocator hook is global state, which the core does not touch. Its tree
 * is therefore short-lived: it is copied into the arena and freed before rt_json_parse returns, and the caps on size, nesting and number of
 * values are checked before it is built, so that neither memory nor the C stack can be exhausted by the text.
 */
#include "json.h"

#include <jansson.h>
#include <string.h>

/* Bytes of UTF-8 that the escape at `text` (behind its backslash) stands for; a pair of surrogates has two in each half. */
static size_t escaped_bytes(const char *text, size_t size) {
  unsigned code = 0;
  if (size < 5 || text[0] != 'u') return 1;
  for (int i = 1; i < 5; i++) {
    const char c = text[i];
    code = code * 16 + (unsigned)(c >= '0' && c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
  }
  return code < 0x80 ? 1 : code < 0x800 || (code >= 0xD800 && code < 0xE000) ? 2 : 3;
}

/* Nesting, values and members are counted outside of strings, the bytes of strings inside; what is unbalanced is left to the parser. */
static retort_status check_shape(const char *text, size_t size, const char *name, size_t *string_bytes, retort_error *error) {
  size_t depth = 0, values = 1, members[RT_JSON_MAX_DEPTH + 1] = {0}; /* of what is open, by depth */
  bool in_string = false;
  for (size_t i = 0; i < size; i++) {
    char c = text[i];
    if (in_string) {
      if (c == '"') in_string = false;
      else *string_bytes += c == '\\' ? escaped_bytes(text + i + 1, size - i - 1) : 1;
      if (c == '\\') i += i + 1 < size && text[i + 1] == 'u' ? 5 : 1;
      continue;
    }
    values += c == ',' || c == ':' || c == '[' || c == '{';
    if (c == '"') in_string = true;
    else if ((c == '[' || c == '{') && ++depth > RT_JSON_MAX_DEPTH)
      return rt_fail(error, RETORT_ERROR_JSON, "%s: nested deeper than %d levels at offset %zu", name, RT_JSON_MAX_DEPTH, i);
    else if (c == ':' && ++members[depth] > RT_JSON_MAX_MEMBERS)
      return rt_fail(error, RETORT_ERROR_JSON, "%s: an object with more than %d members at offset %zu", name, RT_JSON_MAX_MEMBERS, i);
    else if ((c == ']' || c == '}') && depth) members[depth--] = 0;
  }
  if (values <= RT_JSON_MAX_VALUES) return RETORT_OK;
  return rt_fail(error, RETORT_ERROR_JSON, "%s: more than %d values and keys; refused", name, RT_JSON_MAX_VALUES);
}

/* jansson hashes keys with a process-wide seed, set once. Left alone it would read a random device or the clock; the core does neither.
 * Where the program around set one from its own randomness, that stays. Else a seed mixed from the text and from addresses makes collisions
 * hard to choose; RT_JSON_MAX_MEMBERS bounds what they cost. It changes no result. */
static void seed_hashes(const char *text, size_t size) {
  uint64_t h = 1469598103934665603u ^ (uintptr_t)text ^ (uintptr_t)&size << 16;
  for (size_t i = 0; i < size; i++) h = (h ^ (unsigned char)text[i]) * 1099511628211u;
  uint32_t seed = (uint32_t)(h ^ h >> 32); /* all that jansson keeps of it */
  json_object_seed(seed ? seed : 1);
}

static retort_status copy(rt_arena *arena, const json_t *from, rt_json *to, size_t *string_bytes, retort_error *error) {
  switch (json_typeof(from)) {
    case JSON_NULL: to->type = RT_JSON_NULL; return RETORT_OK;
    case JSON_FALSE: to->type = RT_JSON_FALSE; return RETORT_OK;
    case JSON_TRUE: to->type = RT_JSON_TRUE; return RETORT_OK;
    case JSON_INTEGER:
      to->type = RT_JSON_INTEGER;
      to->as.integer = json_integer_value(from);
      return RETORT_OK;
    case JSON_REAL:
      to->type = RT_JSON_REAL;
      to->as.real = json_real_value(from);
      return RETORT_OK;
    case JSON_STRING:
      to->type = RT_JSON_STRING;
      *string_bytes += to->count = json_string_length(from);
      to->as.string = rt_arena_string(arena, json_string_value(from), to->count);
      return to->as.string ? RETORT_OK : rt_fail_memory(error, to->count, "a JSON string");
    case JSON_ARRAY: {
      to->type = RT_JSON_ARRAY;
      to->count = json_array_size(from);
      rt_json *items = rt_arena_alloc(arena, to->count, sizeof *items);
      if (!items) return rt_fail_memory(error, (uint64_t)to->count * sizeof *items, "a JSON array");
      to->as.items = items;
      for (size_t i = 0; i < to->count; i++) {
        retort_status status = copy(arena, json_array_get(from, i), &items[i], string_bytes, error);
        if (status) return status;
      }
      return RETORT_OK;
    }
    case JSON_OBJECT: {
      to->type = RT_JSON_OBJECT;
      to->count = json_object_size(from);
      rt_json_member *members = rt_arena_alloc(arena, to->count, sizeof *members);
      if (!members) return rt_fail_memory(error, (uint64_t)to->count * sizeof *members, "a JSON object");
      to->as.members = members;
      json_t *object = (json_t *)(uintptr_t)from; /* iteration reads only, but jansson asks for a mutable pointer */
      for (void *iter = json_object_iter(object); iter; iter = json_object_iter_next(object, iter), members++) {
        *string_bytes += members->key_size = json_object_iter_key_len(iter);
        members->key = rt_arena_string(arena, json_object_iter_key(iter), members->key_size);
        if (!members->key) return rt_fail_memory(error, members->key_size, "a JSON key");
        retort_status status = copy(arena, json_object_iter_value(iter), &members->value, string_bytes, error);
        if (status) return status;
      }
      return RETORT_OK;
    }
  }
  return rt_fail(error, RETORT_ERROR_JSON, "the JSON library returned a value of unknown type");
}

retort_status rt_json_parse(rt_arena *arena, const char *text, size_t size, size_t max_size, const char *name, rt_json *out,
                            retort_error *error) {
  if (size > max_size) return rt_fail(error, RETORT_ERROR_JSON, "%s has %zu bytes, at most %zu are accepted", name, size, max_size);
  size_t announced = 0, got = 0;
  retort_status status = check_shape(text, size, name, &announced, error);
  if (status) return status;
  seed_hashes(text, size);
  json_error_t why;
  json_t *tree = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
  if (!tree) {
    /* Where there is no memory for a value, jansson fails without a place. */
    if (why.line < 0 || json_error_code(&why) == json_error_out_of_memory) return rt_fail_memory(error, size, name);
    return rt_fail(error, RETORT_ERROR_JSON, "%s is not valid JSON: line %d, column %d (offset %d): %s", name, why.line, why.column,
                   why.position, why.text);
  }
  rt_json value = {0};
  status = copy(arena, tree, &value, &got, error);
  json_decref(tree);
  /* Where its buffer cannot grow, jansson goes on without the byte that had no room. */
  if (!status && got != announced) status = rt_fail_memory(error, size, name);
  if (status == RETORT_OK) *out = value;
  return status;
}

const rt_json *rt_json_get(const rt_json *object, const char *key) {
  if (!object || object->type != RT_JSON_OBJECT) return NULL;
  size_t size = strlen(key);
  for (size_t i = 0; i < object->count; i++) {
    const rt_json_member *member = &object->as.members[i];
    if (member->key_size == size && memcmp(member->key, key, size) == 0) return &member->value;
  }
  return NULL;
}
