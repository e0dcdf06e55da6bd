/* global.h - the functions that every template has: range, dict, namespace, raise_exception, strftime_now. */
#ifndef RT_TEMPLATE_GLOBAL_H
#define RT_TEMPLATE_GLOBAL_H

#include "builtin.h"

const jbuiltin *rtj_global(const char *name, size_t size); /* NULL: there is none of that name */

#endif
