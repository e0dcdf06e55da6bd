/* fuzz_reasoning.c - any bytes as an answer, told in pieces: both sections are the same however it is cut, and whole UTF-8. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "generate/reasoning.h"
#include "target.h"

typedef struct sections {
  rt_bytes reasoning, answer;
} sections;

static void split(const fuzz_input *text, bool match, const char *tail, size_t piece, sections *out) {
  rt_reasoning s = {0};
  *out = (sections){0};
  rt_reasoning_begin(&s, NULL, match, tail, strlen(tail));
  for (size_t at = 0; at < text->size; at += piece)
    if (!rt_reasoning_feed(&s, text->data + at, text->size - at < piece ? text->size - at : piece, &out->reasoning, &out->answer)) abort();
  if (!rt_reasoning_finish(&s, &out->reasoning, &out->answer)) abort();
  rt_reasoning_close(&s);
}

static void close_sections(sections *s) {
  rt_bytes_close(NULL, &s->reasoning);
  rt_bytes_close(NULL, &s->answer);
}

static void same(const rt_bytes *a, const rt_bytes *b) {
  if (a->size != b->size || (a->size && memcmp(a->data, b->data, a->size) != 0)) abort();
}

static void is_utf8(const rt_bytes *text) {
  for (size_t i = 0; i < text->size;) {
    uint32_t cp;
    i += rt_utf8_decode(text->data + i, text->size - i, &cp);
    if (cp == RT_UTF8_INVALID) abort();
  }
}

void fuzz_one(const uint8_t *data, size_t size) {
  static const char *const tails[] = {"", "<think>", "<think>\n", "<think>\n\n</think>\n\n", "<|im_start|>assistant\n"};
  fuzz_input in = {data, size};
  const char *tail = tails[fuzz_byte(&in) % RT_COUNT(tails)];
  const bool match = fuzz_byte(&in) % 4 != 0;
  const size_t piece = fuzz_byte(&in) % 7 + 1;
  sections whole, pieces;
  split(&in, match, tail, in.size ? in.size : 1, &whole);
  split(&in, match, tail, piece, &pieces);
  same(&whole.reasoning, &pieces.reasoning);
  same(&whole.answer, &pieces.answer);
  is_utf8(&whole.reasoning);
  is_utf8(&whole.answer);
  close_sections(&whole);
  close_sections(&pieces);
}
