/* tojson.h - the filter tojson: json.dumps. */
#ifndef RT_TEMPLATE_TOJSON_H
#define RT_TEMPLATE_TOJSON_H

#include "builtin.h"

bool rtj_to_json(jrun *run, jvalue value, const jargs *args, jvalue *out);

#endif
