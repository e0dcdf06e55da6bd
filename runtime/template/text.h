/* text.h - text with its provenance: characters, search, and the building of new text.
 *
 * Whoever makes text goes through a jbuilder, which keeps the marks of input in step with the bytes. Every operation cuts at code points.
 */
#ifndef RT_TEMPLATE_TEXT_H
#define RT_TEMPLATE_TEXT_H

#include "value.h"

bool rtj_text(jrun *run, const char *bytes, size_t size, jvalue *out);                   /* keeps the bytes, not a copy; no marks */
bool rtj_word(jrun *run, const char *word, jvalue *out);                                 /* the same, to the NUL */
bool rtj_given_text(jrun *run, const char *bytes, size_t size, bool input, jvalue *out); /* input: all of it is marked */
bool rtj_slice(jrun *run, const jtext *text, size_t from, size_t to, jvalue *out);       /* bytes from..to of text */
bool rtj_is_word(const jtext *text, const char *word);
static inline jtext rtj_plain(const jtext *text) { return (jtext){text->bytes, text->marks, text->size, false}; } /* not `safe` */

/* ---- characters: offsets are in bytes, of valid UTF-8 ---- */
uint32_t rtj_decode(const char *bytes, size_t *at);                 /* the code point at *at; advances */
size_t rtj_before(const char *bytes, size_t at);                    /* where the character in front of `at` begins; at > 0 */
bool rtj_is_space(uint32_t code_point);                             /* Python's str.isspace */
size_t rtj_length(jrun *run, const jtext *text);                    /* code points */
size_t rtj_offset(jrun *run, const jtext *text, size_t code_point); /* of code point n, or the end */
/* First occurrence at or after `from` (backwards: last one that begins at or before it); *at is SIZE_MAX where there is none. */
bool rtj_find_text(jrun *run, const char *in, size_t size, const char *what, size_t what_size, size_t from, bool backwards, size_t *at);

/* ---- building ---- */
typedef struct jbuilder {
  char *bytes;
  uint8_t *marks; /* NULL until the first input byte */
  size_t size, capacity;
  bool safe;
} jbuilder;
bool rtj_append(jrun *run, jbuilder *builder, const char *bytes, size_t size, const uint8_t *marks);
bool rtj_append_marked(jrun *run, jbuilder *builder, const char *bytes, size_t size, bool input);
bool rtj_append_word(jrun *run, jbuilder *builder, const char *word);
bool rtj_append_text(jrun *run, jbuilder *builder, const jtext *text);
bool rtj_append_escaped(jrun *run, jbuilder *builder, const jtext *text); /* for HTML, as Python's markupsafe; not if text is `safe` */
/* As markupsafe joins texts: escaped where the builder's is `safe`. */
static inline bool rtj_append_joined(jrun *run, jbuilder *builder, const jtext *text) {
  return (builder->safe ? rtj_append_escaped : rtj_append_text)(run, builder, text);
}
bool rtj_build(jrun *run, const jbuilder *builder, jvalue *out);

#endif
