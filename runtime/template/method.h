/* method.h - what x.y and x[y] find: items, Python's methods, and the fields of loops, macros and namespaces. */
#ifndef RT_TEMPLATE_METHOD_H
#define RT_TEMPLATE_METHOD_H

#include "builtin.h"

bool rtj_own_attribute(jrun *run, jvalue object, const jtext *name, jvalue *out, bool *found); /* getattr: no items */
bool rtj_get_attribute(jrun *run, jvalue object, const jtext *name, jvalue *out);              /* object.name */
bool rtj_get_item(jrun *run, jvalue object, jvalue key, jvalue *out);                          /* object[key] */
bool rtj_function(jrun *run, const jbuiltin *builtin, jvalue self, jvalue *out);               /* a function as a value */

#endif
