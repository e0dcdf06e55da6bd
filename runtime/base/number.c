/* number.c - see number.h.
 *
 * The C library turns digits into the nearest double. It is given digits and an exponent without a point, because its point depends on the
 * locale. Absent on purpose: signs, blanks, prefixes and names like "inf", where the languages that are read here differ.
 */
#include "number.h"

#include <stdio.h>
#include <stdlib.h>

int rt_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : -1;
}

static bool is_digit(char c, unsigned base) { return (unsigned)rt_digit(c) < base; }

size_t rt_digits(const char *text, size_t size, unsigned base) {
  size_t n = 0;
  while (n < size && is_digit(text[n], base)) n += n + 2 < size && text[n + 1] == '_' && is_digit(text[n + 2], base) ? 2 : 1;
  return n;
}

bool rt_read_integer(const char *digits, size_t size, unsigned base, bool negative, int64_t *out) {
  int64_t value = 0;
  for (size_t i = 0; i < size; i++) {
    if (digits[i] == '_') continue;
    int digit = rt_digit(digits[i]);
    if (__builtin_mul_overflow(value, (int64_t)base, &value) || __builtin_add_overflow(value, negative ? -digit : digit, &value))
      return false;
  }
  *out = value;
  return true;
}

/* Appends digits without their underscores. *count goes on where the room ends. */
static void collect(const char *from, size_t size, char *digits, size_t *count) {
  for (size_t i = 0; i < size; i++) {
    if (from[i] == '_') continue;
    if (*count < RT_DECIMAL_MAX_DIGITS) digits[*count] = from[i];
    ++*count;
  }
}

/* "e-12" at the beginning of `text`: returns its bytes, 0 where it is no exponent. What no double can reach is cut. */
static size_t read_exponent(const char *text, size_t size, long *exponent) {
  enum { MOST = 100000 };
  if (size < 2 || (text[0] != 'e' && text[0] != 'E')) return 0;
  size_t sign = text[1] == '-' || text[1] == '+', start = 1 + sign, n = rt_digits(text + start, size - start, 10);
  int64_t value = MOST;
  if (!n) return 0;
  if (!rt_read_integer(text + start, n, 10, false, &value) || value > MOST) value = MOST;
  *exponent = sign && text[1] == '-' ? -(long)value : (long)value;
  return start + n;
}

bool rt_read_decimal(const char *text, size_t size, bool bare_point, size_t *size_used, double *out) {
  char digits[RT_DECIMAL_MAX_DIGITS + 32];
  size_t count = 0, whole = rt_digits(text, size, 10), used = whole, n_whole;
  long exponent = 0;
  *size_used = 0;
  collect(text, whole, digits, &count);
  n_whole = count;
  if (used < size && text[used] == '.') {
    size_t fraction = rt_digits(text + used + 1, size - used - 1, 10);
    collect(text + used + 1, fraction, digits, &count);
    if (bare_point ? whole || fraction : whole && fraction) used += 1 + fraction;
  }
  if (!used) return true;
  used += read_exponent(text + used, size - used, &exponent);
  *size_used = used;
  if (count > RT_DECIMAL_MAX_DIGITS) return false;
  snprintf(digits + count, sizeof digits - count, "e%ld", exponent - (long)(count - n_whole));
  *out = strtod(digits, NULL);
  return true;
}
