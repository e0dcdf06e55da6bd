/* printable.c - see printable.h. */
#include "printable.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The character at the beginning, at least one byte; *code is -1 where it is not UTF-8. */
static size_t decode(const unsigned char *p, size_t size, int32_t *code) {
  static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const size_t n = p[0] < 0x80                   ? 1
                   : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
                   : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
                   : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                                 : 0;
  *code = -1;
  if (n == 0 || n > size) return 1;
  int32_t c = n == 1 ? p[0] : p[0] & (0x7f >> n);
  for (size_t i = 1; i < n; i++) {
    if ((p[i] & 0xc0) != 0x80) return 1;
    c = c << 6 | (p[i] & 0x3f);
  }
  if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return 1;
  *code = c;
  return n;
}

/* C1 controls, line and paragraph separators, and the marks of direction. */
static bool is_hidden(int32_t c) {
  return (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069);
}

/* `text` holds the escape, or is "" where the character may stand. */
static void escape(char text[8], unsigned char byte, int32_t c, bool lines) {
  text[0] = 0;
  if (c < 0) snprintf(text, 8, "\\x%02x", byte);
  else if ((c == '\n' || c == '\t') && lines) return;
  else if (c == '\n' || c == '\r' || c == '\t') snprintf(text, 8, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
  else if (c < 0x20 || c == 0x7f) snprintf(text, 8, "\\x%02x", byte);
  else if (is_hidden(c)) snprintf(text, 8, "\\u%04x", (unsigned)c & 0xffff);
}

size_t printable(char *out, size_t room, const char *text, size_t size, bool lines) {
  size_t at = 0, used = 0;
  while (at < size) {
    int32_t c;
    char escaped[8];
    const size_t n = decode((const unsigned char *)text + at, size - at, &c);
    escape(escaped, (unsigned char)text[at], c, lines);
    const size_t wanted = *escaped ? strlen(escaped) : n;
    if (used + wanted >= room) break;
    memcpy(out + used, *escaped ? escaped : text + at, wanted);
    used += wanted;
    at += n;
  }
  if (room) out[used] = 0;
  return at;
}

shown_text shown(const char *text) {
  shown_text s;
  const size_t size = text ? strlen(text) : 0, room = sizeof s.text - 3;
  if (printable(s.text, room, text ? text : "", size, false) < size) strcat(s.text, "...");
  return s;
}

/* JSON escapes the controls of ASCII itself. What is hidden can only stand in its strings. Pieces end anywhere, so a character may be cut.
 */
typedef struct piece {
  char held[4];
  size_t n;
} piece;

static int put_piece(const char *bytes, size_t size, void *data) {
  piece *p = data;
  for (size_t i = 0; i < size; i++) {
    int32_t c;
    p->held[p->n++] = bytes[i];
    const unsigned char first = (unsigned char)p->held[0];
    const size_t whole = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (p->n < whole) continue;
    decode((const unsigned char *)p->held, p->n, &c);
    if (is_hidden(c)) printf("\\u%04x", (unsigned)c);
    else fwrite(p->held, 1, p->n, stdout);
    p->n = 0;
  }
  return 0;
}

void put_json(const json_t *value, size_t flags) {
  piece p = {.n = 0};
  json_dump_callback(value, put_piece, &p, flags);
}
