/* builtin.h - what every function written in C needs: its place in a table, and its arguments bound to names. */
#ifndef RT_TEMPLATE_BUILTIN_H
#define RT_TEMPLATE_BUILTIN_H

#include "repr.h"

typedef struct jargs {
  const jvalue *items; /* positional */
  size_t count;
  const jentry *named; /* keys are strings */
  size_t n_named;
} jargs;

typedef bool (*jcall)(jrun *run, jvalue self, const jargs *args, jvalue *out);
typedef struct jbuiltin {
  const char *name;
  jcall call;
} jbuiltin;

/* In a table that ends with a name of NULL; NULL: not there. */
const jbuiltin *rtj_look_up(const jbuiltin *table, const char *name, size_t size);

/* Binds arguments to the comma-separated parameter names; `required` of them must be given, the others keep what out[] holds. */
bool rtj_args(jrun *run, const char *function, const jargs *args, const char *names, size_t required, jvalue out[]);
bool rtj_no_args(jrun *run, const char *function, const jargs *args);
bool rtj_arg_int(jrun *run, const char *function, jvalue value, int64_t *out);
bool rtj_arg_text(jrun *run, const char *function, jvalue value, const jtext **out);
const jvalue *rtj_named_arg(const jargs *args, const char *name, size_t size); /* NULL: not given */

#endif
