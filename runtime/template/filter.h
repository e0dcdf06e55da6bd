/* filter.h - filters (`x|name`) and tests (`x is name`). */
#ifndef RT_TEMPLATE_FILTER_H
#define RT_TEMPLATE_FILTER_H

#include "builtin.h"

bool rtj_filter(jrun *run, const jname *name, jvalue value, const jargs *args, jvalue *out);
bool rtj_test(jrun *run, const jname *name, jvalue value, const jargs *args, bool *out);

#endif
