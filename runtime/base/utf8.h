/* utf8.h - reading and writing UTF-8, well-formed or not. */
#ifndef RT_UTF8_H
#define RT_UTF8_H

#include "base.h"

enum { RT_UTF8_INVALID = 0x110000, RT_REPLACEMENT = 0xFFFD };

/* Reads one character from `size` > 0 bytes and returns the bytes taken. Ill-formed bytes give *cp = RT_UTF8_INVALID and take one maximal
 * subpart (Unicode, section 3.9), so that writing U+FFFD for each gives what Python's errors="replace" gives. */
size_t rt_utf8_decode(const uint8_t *bytes, size_t size, uint32_t *cp);

/* Writes `cp` (a scalar value) and returns the bytes written, 1 to 4. */
size_t rt_utf8_encode(uint32_t cp, uint8_t out[4]);

bool rt_utf8_valid(const uint8_t *bytes, size_t size);

/* Bytes (0 to 3) at the end that begin a character which may still be completed by bytes to come. Before them the text may be shown. */
size_t rt_utf8_incomplete(const uint8_t *bytes, size_t size);

#endif
