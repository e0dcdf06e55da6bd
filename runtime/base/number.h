/* number.h - numbers as programs write them, read the same way in every locale. */
#ifndef RT_BASE_NUMBER_H
#define RT_BASE_NUMBER_H

#include "base.h"

/* The value of `c` as a digit: 0 to 9, then letters of either case from 10 on; -1: it is none. */
int rt_digit(char c);

/* How many bytes `text` begins with that are digits of `base` (2 to 36), with single underscores between them as Python allows. */
size_t rt_digits(const char *text, size_t size, unsigned base);

/* The value of such digits; false: it does not fit in 64 bits. */
bool rt_read_integer(const char *digits, size_t size, unsigned base, bool negative, int64_t *out);

enum { RT_DECIMAL_MAX_DIGITS = 400 };

/* The decimal number that `text` begins with: digits, or digits with a fraction, an exponent or both ("12", "1_2.5", "1e-3"). Its digits
 * may be missing on one side of the point where `bare_point` says so ("5.", ".5"). *size_used is how many bytes it takes, 0: there is none.
 * False, without a value: it has more digits than RT_DECIMAL_MAX_DIGITS. */
bool rt_read_decimal(const char *text, size_t size, bool bare_point, size_t *size_used, double *out);

#endif
