/* str.h - Python's operations on strings, for methods, filters and operators alike. Text keeps its provenance through all of them. */
#ifndef RT_TEMPLATE_STR_H
#define RT_TEMPLATE_STR_H

#include "builtin.h"

/* `chars` NULL: white space. */
bool rtj_strip(jrun *run, const jtext *text, const jtext *chars, bool left, bool right, jvalue *out);
/* At most `max` cuts, all where it is negative. `separator` NULL: at runs of white space; else it must not be empty. */
bool rtj_split(jrun *run, const jtext *text, const jtext *separator, int64_t max, bool from_right, jvalue *out);
bool rtj_split_lines(jrun *run, const jtext *text, bool keep_ends, jvalue *out);
bool rtj_ends_line(const jtext *text); /* its last character ends a line for str.splitlines */
bool rtj_pad(jrun *run, const jtext *text, int64_t width, char where, char with, jvalue *out); /* 'c'enter, 'l'just, 'r'just */
bool rtj_zero_fill(jrun *run, const jtext *text, int64_t width, jvalue *out);
/* At most `count` times, everywhere where it is negative. */
bool rtj_replace(jrun *run, const jtext *text, const jtext *old, const jtext *fresh, int64_t count, jvalue *out);
/* how: 'u'pper, 'l'ower, 'c'apitalize, 's'wapcase, 't'itle (the method), 'T'itle (the filter) */
bool rtj_change_case(jrun *run, const jtext *text, char how, jvalue *out);
bool rtj_has_case(jrun *run, const jtext *text, char how, bool *out);            /* str.isupper ('u'), str.islower ('l') */
bool rtj_escape(jrun *run, const jtext *text, jvalue *out);                      /* for HTML; the result is `safe` */
bool rtj_format(jrun *run, const jtext *format, const jargs *args, jvalue *out); /* format.format(...) with plain fields */
bool rtj_percent(jrun *run, const jtext *format, jvalue values, jvalue *out);    /* format % values */

#endif
