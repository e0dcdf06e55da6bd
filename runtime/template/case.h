/* case.h - Unicode case mapping of one character. */
#ifndef RT_TEMPLATE_CASE_H
#define RT_TEMPLATE_CASE_H

#include "../base/base.h"

/* how: 'u'pper, 'l'ower or 't'itle. Returns how many code points `out` holds then, 1 to 3. */
size_t rtj_map_case(uint32_t code_point, char how, uint32_t out[3]);
bool rtj_is_cased(uint32_t code_point);

#endif
