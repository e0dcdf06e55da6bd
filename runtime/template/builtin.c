/* builtin.c - see builtin.h. */
#include "builtin.h"

#include <string.h>

const jbuiltin *rtj_look_up(const jbuiltin *table, const char *name, size_t size) {
  for (; table->name; table++)
    if (strlen(table->name) == size && memcmp(table->name, name, size) == 0) return table;
  return NULL;
}

bool rtj_args(jrun *run, const char *function, const jargs *args, const char *names, size_t required, jvalue out[]) {
  size_t given = 0, index = 0;
  const char *name = names;
  while (*name) {
    size_t size = strcspn(name, ",");
    const jvalue *value = index < args->count ? &args->items[index] : NULL;
    for (size_t i = 0; i < args->n_named; i++) {
      const jtext *key = args->named[i].key.as.text;
      if (key->size != size || memcmp(key->bytes, name, size) != 0) continue;
      if (value) return rtj_fail(run, "%s: two values for the argument '%.*s'", function, (int)size, name);
      value = &args->named[i].value;
    }
    if (value) {
      out[index] = *value;
      given++;
    } else if (index < required) {
      return rtj_fail(run, "%s: the argument '%.*s' is missing", function, (int)size, name);
    }
    index++;
    name += size + (name[size] == ',');
  }
  if (args->count > index) return rtj_fail(run, "%s takes at most %zu argument(s), %zu given", function, index, args->count);
  if (given < args->count + args->n_named)
    return rtj_fail(run, "%s has no such keyword argument; it has: %s", function, *names ? names : "none");
  return true;
}

bool rtj_no_args(jrun *run, const char *function, const jargs *args) { return rtj_args(run, function, args, "", 0, NULL); }

bool rtj_arg_int(jrun *run, const char *function, jvalue v, int64_t *out) {
  if (v.type == J_UNDEFINED) return rtj_fail_undefined(run, v);
  if (!rtj_is_int(v)) return rtj_fail(run, "%s: '%s' object cannot be interpreted as an integer", function, rtj_type_name(v));
  *out = rtj_int_of(v);
  return true;
}

bool rtj_arg_text(jrun *run, const char *name, jvalue v, const jtext **out) {
  if (v.type == J_UNDEFINED) return rtj_fail_undefined(run, v);
  if (v.type != J_STRING) return rtj_fail(run, "%s: the argument must be str, not %s", name, rtj_type_name(v));
  *out = v.as.text;
  return true;
}

const jvalue *rtj_named_arg(const jargs *args, const char *bytes, size_t size) {
  for (size_t i = 0; i < args->n_named; i++)
    if (args->named[i].key.as.text->size == size && memcmp(args->named[i].key.as.text->bytes, bytes, size) == 0)
      return &args->named[i].value;
  return NULL;
}
