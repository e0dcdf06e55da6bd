/* specials.c - see specials.h. A special token is well-formed UTF-8 of at most MAX_SPECIAL bytes, so cutting never splits a character and
 * costs a bounded time for each byte of the text. */
#include "specials.h"

#include <string.h>

#include "../base/heap.h"
#include "../base/utf8.h"

enum { MAX_SPECIAL = 512 };

typedef struct rt_special {
  rt_string text;
  int32_t id;
  bool word;
} special;

/* In order of their bytes, so the heap that sorts them (the C library's qsort may allocate) has the last on top. */
static bool comes_after(special x, special y) {
  int order = memcmp(x.text.bytes, y.text.bytes, x.text.size < y.text.size ? x.text.size : y.text.size);
  return order ? order > 0 : x.text.size > y.text.size;
}
RT_HEAP(specials, special, comes_after)

static bool begins(rt_string t, const char *with) {
  size_t n = strlen(with);
  return t.size > n && memcmp(t.bytes, with, n) == 0;
}
static bool ends(rt_string t, const char *with) {
  size_t n = strlen(with);
  return t.size > n && memcmp(t.bytes + t.size - n, with, n) == 0;
}

/* <...>, [...] and what has a bar in its brackets: the spellings of tokens that steer. */
static bool looks_like_control(rt_string t) {
  return t.size > 2 && (begins(t, "<") || (begins(t, "[") && ends(t, "]")) || ends(t, "|>") || ends(t, "｜>"));
}

/* Spelled as nothing but a control token would be. */
static bool is_control_spelling(rt_string t) {
  static const char *const known[] = {"<s>",    "</s>",    "<think>",         "</think>",      "<bos>",   "<eos>",
                                      "[INST]", "[/INST]", "<start_of_turn>", "<end_of_turn>", "[THINK]", "[/THINK]"};
  if (!t.size || (t.bytes[0] != '<' && t.bytes[0] != '[')) return false; /* nearly all of a vocabulary */
  if ((begins(t, "<|") && ends(t, "|>")) || (begins(t, "<｜") && ends(t, "｜>"))) return true;
  for (size_t i = 0; i < RT_COUNT(known); i++)
    if (t.size == strlen(known[i]) && memcmp(t.bytes, known[i], t.size) == 0) return true;
  return false;
}

uint32_t rt_specials_recognise(rt_tokens *tokens, const char *chat_template, int32_t *example) {
  uint32_t n = 0;
  char text[MAX_SPECIAL + 1];
  for (uint32_t id = 0; chat_template && id < tokens->count; id++) {
    const rt_string t = tokens->texts[id];
    if (tokens->kinds[id] != RT_TOKEN_NORMAL || t.size > MAX_SPECIAL || !is_control_spelling(t)) continue;
    memcpy(text, t.bytes, t.size);
    text[t.size] = 0;
    if (memchr(t.bytes, 0, t.size) || !strstr(chat_template, text)) continue;
    tokens->kinds[id] = RT_TOKEN_CONTROL;
    *example = (int32_t)id;
    n++;
  }
  return n;
}

retort_status rt_specials_open(rt_specials *specials, const rt_tokens *tokens, rt_arena *arena, retort_error *error) {
  *specials = (rt_specials){0};
  size_t count = 0, n = 0;
  for (uint32_t id = 0; id < tokens->count; id++) count += rt_tokens_is_special(tokens, (int32_t)id);
  specials->list = rt_arena_alloc(arena, count, sizeof *specials->list);
  if (!specials->list) return rt_fail_memory(error, count * (uint64_t)sizeof *specials->list, "special tokens");
  for (uint32_t id = 0; id < tokens->count; id++) {
    const rt_string text = tokens->texts[id];
    if (!rt_tokens_is_special(tokens, (int32_t)id) || !text.size) continue;
    if (text.size > MAX_SPECIAL || !rt_utf8_valid((const uint8_t *)text.bytes, text.size))
      return rt_fail(error, RETORT_ERROR_FORMAT, "tokenizer.ggml.tokens[%u], a special token, is longer than %d bytes or not UTF-8", id,
                     MAX_SPECIAL);
    const uint8_t first = (uint8_t)text.bytes[0], bit = (uint8_t)(1u << (first & 7));
    const bool word = tokens->kinds[id] == RT_TOKEN_USER_DEFINED && !looks_like_control(text);
    specials->first_bytes[first >> 3] |= bit;
    if (word) specials->first_bytes_of_words[first >> 3] |= bit;
    specials->list[n++] = (special){text, (int32_t)id, word};
  }
  specials->count = n;
  specials_make(specials->list, n);
  specials_sort(specials->list, n);
  return RETORT_OK;
}

/* Narrows the ordered list byte by byte. */
int32_t rt_specials_match(const rt_specials *specials, const uint8_t *text, size_t size, size_t own, size_t *length) {
  size_t low = 0, high = specials->count;
  int32_t best = -1;
  for (size_t depth = 0; depth < size && low < high; depth++) {
    size_t a = low, b = high;
    while (a < b) { /* the first whose byte at `depth` is not below */
      size_t middle = (a + b) / 2;
      if ((uint8_t)specials->list[middle].text.bytes[depth] < text[depth]) a = middle + 1;
      else b = middle;
    }
    low = a;
    b = high;
    while (a < b) {
      size_t middle = (a + b) / 2;
      if ((uint8_t)specials->list[middle].text.bytes[depth] <= text[depth]) a = middle + 1;
      else b = middle;
    }
    high = a;
    for (; low < high && specials->list[low].text.size == depth + 1; low++)
      if (specials->list[low].word || depth < own) best = specials->list[low].id, *length = depth + 1;
  }
  return best;
}
