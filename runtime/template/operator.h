/* operator.h - the operators of expressions: arithmetic, concatenation, comparison, `in`, slices; and sorting, which compares. */
#ifndef RT_TEMPLATE_OPERATOR_H
#define RT_TEMPLATE_OPERATOR_H

#include "tree.h"

bool rtj_binary(jrun *run, int op, jvalue a, jvalue b, jvalue *out); /* op: a character or joperator */
bool rtj_sign(jrun *run, bool negative, jvalue v, jvalue *out);      /* -v or +v */
bool rtj_compare(jrun *run, int op, jvalue a, jvalue b, bool *out);
bool rtj_order(jrun *run, jvalue a, jvalue b, const char *op, int *out); /* -1, 0, 1; 2: NaN involved; op: for the message */
bool rtj_contains(jrun *run, jvalue container, jvalue item, bool *out);
bool rtj_sort(jrun *run, jvalue *items, jvalue *keys, size_t count, bool reverse); /* stable, by keys */

typedef struct jbounds { /* of a slice */
  int64_t start, stop, step;
  bool has_start, has_stop;
} jbounds;
bool rtj_subscript(jrun *run, jvalue object, jbounds bounds, jvalue *out); /* object[start:stop:step] */

#endif
