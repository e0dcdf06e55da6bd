/* repr.h - Python's str() and repr() of values, and the error for one that is undefined. */
#ifndef RT_TEMPLATE_REPR_H
#define RT_TEMPLATE_REPR_H

#include "text.h"

bool rtj_repr(jrun *run, jbuilder *builder, jvalue value);    /* repr(value), appended */
bool rtj_str(jrun *run, jbuilder *builder, jvalue value);     /* str(value), appended */
bool rtj_to_text(jrun *run, jvalue value, const jtext **out); /* str(value) */
/* None, a boolean or a number; `words` are those for None, True and False. */
bool rtj_append_scalar(jrun *run, jbuilder *builder, jvalue value, const char *const words[3]);

bool rtj_store_undefined(jrun *run, jvalue undefined);
#define rtj_fail_undefined(run, v) rtj_false(rtj_store_undefined(run, v))

#endif
