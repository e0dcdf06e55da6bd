/* encoding.c - see encoding.h. Data here is public: no attempt at constant time. */
#include "encoding.h"

#include <stdio.h>
#include <string.h>

static const char STANDARD[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

bool rt_hex_decode(const char *text, size_t length, uint8_t *out, size_t size) {
  if (length / 2 != size || length % 2) return false;
  for (size_t i = 0; i < size; i++) {
    int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = (uint8_t)(high << 4 | low);
  }
  return true;
}

void rt_hex_encode(const uint8_t *bytes, size_t size, char *out) {
  for (size_t i = 0; i < size; i++) {
    out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
    out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
  }
  out[2 * size] = 0;
}

static int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

bool rt_base64_decode(const char *text, size_t length, uint8_t *out, size_t *size) {
  size_t n = 0;
  if (length % 4) return false;
  for (size_t i = 0; i < length; i += 4) {
    unsigned padding = 0;
    if (i + 4 == length && text[i + 3] == '=') padding = text[i + 2] == '=' ? 2 : 1;
    uint32_t bits = 0;
    for (unsigned k = 0; k < 4; k++) {
      int digit = k < 4 - padding ? base64_digit(text[i + k]) : 0;
      if (digit < 0) return false;
      bits = bits << 6 | (uint32_t)digit;
    }
    if (bits & ((1u << 8 * padding) - 1)) return false;
    for (unsigned k = 0; k < 3 - padding; k++) out[n++] = (uint8_t)(bits >> (16 - 8 * k));
  }
  *size = n;
  return true;
}

void rt_base64_encode(const uint8_t *bytes, size_t size, char *out) {
  for (size_t i = 0; i < size; i += 3) {
    size_t left = size - i;
    uint32_t bits = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0u);
    *out++ = STANDARD[bits >> 18];
    *out++ = STANDARD[bits >> 12 & 63];
    *out++ = left > 1 ? STANDARD[bits >> 6 & 63] : '=';
    *out++ = left > 2 ? STANDARD[bits & 63] : '=';
  }
  *out = 0;
}

/* Length of the well-formed UTF-8 sequence at `s`, 0 where there is none. */
static size_t utf8_length(const uint8_t *s, size_t left) {
  if (s[0] < 0x80) return 1;
  size_t n = s[0] >= 0xC2 && s[0] <= 0xDF ? 2 : (s[0] & 0xF0) == 0xE0 ? 3 : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4 : 0;
  if (n == 0 || n > left) return 0;
  for (size_t i = 1; i < n; i++)
    if ((s[i] & 0xC0) != 0x80) return 0;
  if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
    return 0;
  return n;
}

bool rt_text_is_printable(const char *text, size_t size, bool tabs) {
  for (size_t i = 0; i < size;) {
    const uint8_t *s = (const uint8_t *)text + i;
    size_t n = utf8_length(s, size - i);
    if (n == 0 || ((s[0] < 0x20 || s[0] == 0x7F) && !(tabs && s[0] == '\t')) || (s[0] == 0xC2 && s[1] < 0xA0)) return false;
    i += n;
  }
  return true;
}

bool rt_name_is_canonical(const char *name, size_t size) {
  if (size == 0 || size > 4096 || memchr(name, '\\', size) || !rt_text_is_printable(name, size, false)) return false;
  for (size_t start = 0;;) {
    const char *slash = memchr(name + start, '/', size - start);
    size_t part = slash ? (size_t)(slash - name) - start : size - start;
    if (part == 0 || (part <= 2 && memcmp(name + start, "..", part) == 0)) return false;
    if (!slash) return true;
    start += part + 1;
    if (start == size) return false;
  }
}

bool rt_time_is_plain(int64_t seconds) { return seconds > 0 && seconds < 253402300800; }

/* Days to a date of the Gregorian calendar, over eras of 400 years that begin in March: the inverse of what x509.c does. */
void rt_utc_text(int64_t seconds, char text[RT_UTC_TEXT]) {
  text[0] = 0;
  if (!rt_time_is_plain(seconds)) return;
  unsigned days = (unsigned)(seconds / 86400) + 719468, minute = (unsigned)(seconds % 86400 / 60), era = days / 146097,
           of_era = days % 146097;
  unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365,
           of_year = of_era - (365 * year + year / 4 - year / 100), m = (5 * of_year + 2) / 153;
  unsigned day = of_year - (153 * m + 2) / 5 + 1, month = m < 10 ? m + 3 : m - 9;
  snprintf(text, RT_UTC_TEXT, "%04u-%02u-%02u %02u:%02u UTC", (year + era * 400 + (month <= 2)) % 10000, month % 100, day % 100,
           minute / 60 % 100, minute % 60);
}
