/* encoding.h - hex, base64 and names: the small text forms that signatures travel in, read strictly. */
#ifndef RT_TRUST_ENCODING_H
#define RT_TRUST_ENCODING_H

#include "../base/base.h"

/* Exactly 2 * size lowercase hex digits; false otherwise. */
bool rt_hex_decode(const char *text, size_t length, uint8_t *out, size_t size);
/* 2 * size digits and a NUL. */
void rt_hex_encode(const uint8_t *bytes, size_t size, char *out);

/* Padded base64 in the standard or the URL alphabet (RFC 4648; DSSE asks verifiers for both), no white space, unused bits zero. `out` has
 * room for length / 4 * 3 bytes. */
bool rt_base64_decode(const char *text, size_t length, uint8_t *out, size_t *size);
/* Standard alphabet with padding and a NUL: (size + 2) / 3 * 4 + 1 bytes. */
void rt_base64_encode(const uint8_t *bytes, size_t size, char *out);

/* A name that stays inside its folder: UTF-8, '/' between parts, no empty, "." or ".." part, no backslash, no control character, at most
 * 4096 bytes. */
bool rt_name_is_canonical(const char *name, size_t size);

/* UTF-8 (Unicode, table 3-7) without control characters, except a tab where `tabs`: what may be shown on a terminal. */
bool rt_text_is_printable(const char *text, size_t size, bool tabs);

/* Seconds since 1970 that can be said as a date with four digits of the year. */
enum { RT_UTC_TEXT = 24 };
bool rt_time_is_plain(int64_t seconds);
/* "2026-11-28 19:05 UTC" with NUL; "" for a time that is not plain. */
void rt_utc_text(int64_t seconds, char text[RT_UTC_TEXT]);

#endif
