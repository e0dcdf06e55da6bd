/* utf8.c - see utf8.h. One decoder serves all: a lead byte fixes how many bytes follow and the range of the first of them, which is all
 * that keeps out overlong forms, surrogates and values over U+10FFFF. */
#include "utf8.h"

/* Bytes that must follow `lead`, 0 for ASCII, -1 where no character begins so; and the range of the first of them. */
static int followers(uint8_t lead, uint8_t *low, uint8_t *high) {
  *low = 0x80;
  *high = 0xBF;
  if (lead < 0x80) return 0;
  if (lead < 0xC2) return -1;
  if (lead < 0xE0) return 1;
  if (lead < 0xF0) {
    if (lead == 0xE0) *low = 0xA0;
    if (lead == 0xED) *high = 0x9F;
    return 2;
  }
  if (lead > 0xF4) return -1;
  if (lead == 0xF0) *low = 0x90;
  if (lead == 0xF4) *high = 0x8F;
  return 3;
}

size_t rt_utf8_decode(const uint8_t *bytes, size_t size, uint32_t *cp) {
  uint8_t low, high;
  int n = followers(bytes[0], &low, &high);
  *cp = RT_UTF8_INVALID;
  if (n < 0) return 1;
  uint32_t value = n == 0 ? bytes[0] : bytes[0] & (0x3Fu >> n);
  for (int i = 1; i <= n; i++) {
    if ((size_t)i >= size || bytes[i] < low || bytes[i] > high) return (size_t)i;
    value = value << 6 | (bytes[i] & 0x3Fu);
    low = 0x80;
    high = 0xBF;
  }
  *cp = value;
  return (size_t)n + 1;
}

size_t rt_utf8_encode(uint32_t cp, uint8_t out[4]) {
  if (cp < 0x80) {
    out[0] = (uint8_t)cp;
    return 1;
  }
  size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
  for (size_t i = n - 1; i > 0; i--, cp >>= 6) out[i] = (uint8_t)(0x80 | (cp & 0x3F));
  out[0] = (uint8_t)((0xF00u >> n & 0xF0u) | cp);
  return n;
}

bool rt_utf8_valid(const uint8_t *bytes, size_t size) {
  uint32_t cp;
  for (size_t i = 0; i < size;) {
    if (bytes[i] < 0x80) {
      i++;
      continue;
    }
    i += rt_utf8_decode(bytes + i, size - i, &cp);
    if (cp == RT_UTF8_INVALID) return false;
  }
  return true;
}

size_t rt_utf8_incomplete(const uint8_t *bytes, size_t size) {
  uint8_t low, high;
  for (size_t back = 1; back <= 3 && back <= size; back++) {
    const uint8_t *p = bytes + size - back;
    if ((*p & 0xC0) == 0x80) continue;
    int n = followers(*p, &low, &high);
    if (n < (int)back) return 0;
    /* The bytes after the lead are continuation bytes; only the first has a narrower range. */
    return back > 1 && (p[1] < low || p[1] > high) ? 0 : back;
  }
  return 0;
}
