/* text.c - see text.h. A text that is input as a whole shares its marks with others of its kind. */
#include "text.h"

#include <string.h>

static bool new_text(jrun *run, jtext from, jvalue *out) {
  jtext *text = rtj_alloc(run, 1, sizeof *text);
  if (!text) return false;
  *text = from;
  *out = (jvalue){.type = J_STRING, .as.text = text};
  return true;
}

bool rtj_text(jrun *run, const char *bytes, size_t size, jvalue *out) { return new_text(run, (jtext){.bytes = bytes, .size = size}, out); }

bool rtj_word(jrun *run, const char *word, jvalue *out) { return rtj_text(run, word, strlen(word), out); }

static const uint8_t *ones(jrun *run, size_t size) {
  if (size > run->n_ones) {
    size_t room = size < 4096 ? 4096 : size;
    uint8_t *fresh = rtj_alloc(run, room, 1);
    if (!fresh) return NULL;
    memset(fresh, 1, room);
    run->ones = fresh;
    run->n_ones = room;
  }
  return run->ones;
}

bool rtj_given_text(jrun *run, const char *bytes, size_t size, bool input, jvalue *out) {
  const uint8_t *marks = input && size ? ones(run, size) : NULL;
  if (input && size && !marks) return false;
  return new_text(run, (jtext){bytes, marks, size, false}, out);
}

bool rtj_slice(jrun *run, const jtext *text, size_t from, size_t to, jvalue *out) {
  return new_text(run, (jtext){text->bytes + from, text->marks ? text->marks + from : NULL, to - from, text->safe}, out);
}

bool rtj_is_word(const jtext *text, const char *word) { return text->size == strlen(word) && memcmp(text->bytes, word, text->size) == 0; }

/* ---- characters ---- */

uint32_t rtj_decode(const char *bytes, size_t *at) {
  const unsigned char *p = (const unsigned char *)bytes + *at;
  if (p[0] < 0x80) return *at += 1, p[0];
  if (p[0] < 0xE0) return *at += 2, (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3Fu);
  if (p[0] < 0xF0) return *at += 3, (uint32_t)(p[0] & 0x0F) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
  return *at += 4, (uint32_t)(p[0] & 0x07) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
}

size_t rtj_before(const char *bytes, size_t at) {
  do at--;
  while (at > 0 && ((unsigned char)bytes[at] & 0xC0) == 0x80);
  return at;
}

bool rtj_is_space(uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

size_t rtj_length(jrun *run, const jtext *text) {
  size_t n = 0;
  for (size_t i = 0; i < text->size; i++) n += ((unsigned char)text->bytes[i] & 0xC0) != 0x80;
  run->steps += text->size / 16;
  return n;
}

size_t rtj_offset(jrun *run, const jtext *text, size_t code_point) {
  size_t at = 0;
  for (; at < text->size; at++)
    if (((unsigned char)text->bytes[at] & 0xC0) != 0x80 && code_point-- == 0) break;
  run->steps += at / 16;
  return at;
}

bool rtj_find_text(jrun *run, const char *in, size_t size, const char *what, size_t what_size, size_t from, bool backwards, size_t *at) {
  *at = SIZE_MAX;
  if (what_size > size) return true;
  size_t last = size - what_size;
  if (backwards) {
    for (size_t i = (from < last ? from : last) + 1; i-- > 0;) {
      if (i % 16 == 0 && !rtj_work(run, 1)) return false;
      if (what_size && in[i] != what[0]) continue;
      if (!rtj_work(run, 1 + what_size / 16)) return false;
      if (memcmp(in + i, what, what_size) == 0) return *at = i, true;
    }
    return true;
  }
  for (size_t i = from; i <= last; i++) {
    if (what_size) {
      const char *candidate = memchr(in + i, what[0], last - i + 1);
      if (!rtj_work(run, (candidate ? (size_t)(candidate - in) - i : last - i) / 64)) return false;
      if (!candidate) return true;
      i = (size_t)(candidate - in);
    }
    if (!rtj_work(run, 1 + what_size / 16)) return false;
    if (memcmp(in + i, what, what_size) == 0) return *at = i, true;
  }
  return true;
}

/* ---- building ---- */

static bool reserve(jrun *run, jbuilder *b, size_t more, bool marks) {
  if (more > RT_TEMPLATE_MAX_MEMORY - b->size)
    return rtj_fail(run, "the template makes a text of more than %d bytes", RT_TEMPLATE_MAX_MEMORY);
  size_t capacity = b->capacity;
  if (b->size + more > capacity) {
    capacity = capacity < 64 ? 64 : capacity * 2;
    if (capacity < b->size + more) capacity = b->size + more;
    char *bytes = rtj_alloc(run, capacity, 1);
    if (!bytes) return false;
    if (b->size) memcpy(bytes, b->bytes, b->size);
    b->bytes = bytes;
  }
  if (capacity != b->capacity ? b->marks || marks : marks && !b->marks) {
    uint8_t *fresh = rtj_alloc(run, capacity, 1);
    if (!fresh) return false;
    if (b->marks) memcpy(fresh, b->marks, b->size);
    b->marks = fresh;
  }
  b->capacity = capacity;
  return true;
}

bool rtj_append(jrun *run, jbuilder *b, const char *bytes, size_t size, const uint8_t *marks) {
  if (!size) return true;
  if (!reserve(run, b, size, marks != NULL)) return false;
  memcpy(b->bytes + b->size, bytes, size);
  if (marks) memcpy(b->marks + b->size, marks, size);
  else if (b->marks) memset(b->marks + b->size, 0, size);
  b->size += size;
  return rtj_work(run, 1 + size / 16);
}

bool rtj_append_marked(jrun *run, jbuilder *b, const char *bytes, size_t size, bool input) {
  if (!size) return true;
  if (!reserve(run, b, size, input)) return false;
  memcpy(b->bytes + b->size, bytes, size);
  if (b->marks) memset(b->marks + b->size, input, size);
  b->size += size;
  return rtj_work(run, 1 + size / 16);
}

bool rtj_append_word(jrun *run, jbuilder *b, const char *word) { return rtj_append(run, b, word, strlen(word), NULL); }

bool rtj_append_text(jrun *run, jbuilder *b, const jtext *text) { return rtj_append(run, b, text->bytes, text->size, text->marks); }

bool rtj_append_escaped(jrun *run, jbuilder *b, const jtext *text) {
  static const char special[] = "&<>\"'", *const escapes[] = {"&amp;", "&lt;", "&gt;", "&#34;", "&#39;"};
  if (text->safe) return rtj_append_text(run, b, text);
  for (size_t at = 0; at < text->size;) {
    size_t from = at;
    while (at < text->size && !(text->bytes[at] && strchr(special, text->bytes[at]))) at++;
    if (!rtj_append(run, b, text->bytes + from, at - from, text->marks ? text->marks + from : NULL)) return false;
    if (at == text->size) break;
    const char *escape = escapes[strchr(special, text->bytes[at]) - special];
    if (!rtj_append_marked(run, b, escape, strlen(escape), text->marks && text->marks[at])) return false;
    at++;
  }
  return true;
}

bool rtj_build(jrun *run, const jbuilder *b, jvalue *out) {
  return new_text(run, (jtext){b->size ? b->bytes : "", b->marks, b->size, b->safe}, out);
}
