/* parser.h - the source of a template to its tree. */
#ifndef RT_TEMPLATE_PARSER_H
#define RT_TEMPLATE_PARSER_H

#include "tree.h"

bool rtj_parse(jrun *run, const char *source, size_t size, jnode **tree);

#endif
