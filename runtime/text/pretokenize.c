/* pretokenize.c - see pretokenize.h.
 *
 * A tokenizer splits in stages. Each stage is one regular expression; it cuts every piece that the stage before it left into matches and
 * the gaps between them, and both go on to the next stage. (Look-ahead and $ see the end of the piece, not of the text.) Here a stage is a
 * function that tells how many bytes match at one place, taking alternatives in the order of the expression: the first that matches wins,
 * not the longest. Nothing recurses or backtracks beyond one run of blanks: a megabyte of one letter costs what one of prose costs.
 *
 * The expressions themselves stand above each scanner. Sources: tokenizer.json of the models named, and GPT-2's pattern. (?i:...) folds as
 * Unicode does, so U+017F (long s) counts as s.
 */
#include "pretokenize.h"

#include <stdio.h>
#include <string.h>

#include "../base/utf8.h"
#include "unicode.h"

typedef rt_span span;

/* The character at `at`: its class, and the place after it. Past the end: class RT_END, which is none of the others. */
enum { RT_END = 7 };
static unsigned look(span s, size_t at, uint32_t *cp, size_t *next) {
  if (at >= s.end) {
    *cp = 0;
    *next = at;
    return RT_END;
  }
  *next = at + rt_utf8_decode(s.text + at, s.end - at, cp);
  return rt_unicode_class(*cp);
}

/* Sets of classes as bits. */
#define SET(c) (1u << (c))
enum { LETTERS = SET(RT_LETTER), NUMBERS = SET(RT_NUMBER), SPACES = SET(RT_SPACE), ENDS = SET(RT_END) };

/* The end of the run of characters whose class is in `set`, `most` characters at most. */
static size_t run(span s, size_t at, unsigned set, size_t most) {
  uint32_t cp;
  size_t next;
  while (most-- > 0 && SET(look(s, at, &cp, &next)) & set) at = next;
  return at;
}

static size_t run_of_line_ends(span s, size_t at) {
  while (at < s.end && (s.text[at] == '\n' || s.text[at] == '\r')) at++;
  return at;
}

/* \s*[\r\n]+|\s+(?!\S)|\s+ at a blank (without the first alternative when `lines` is false). */
static size_t blanks(span s, size_t at, bool lines) {
  uint32_t cp;
  size_t next, last = at, after_line = 0, end = at;
  while (look(s, end, &cp, &next) == RT_SPACE) {
    last = end;
    end = next;
    if (cp == '\n' || cp == '\r') after_line = end;
  }
  if (lines && after_line) return after_line;
  return end == s.end || last == at ? end : last;
}

/* 's|'t|'re|'ve|'m|'ll|'d at an apostrophe; 0 where none matches. */
static size_t contraction(span s, size_t at, bool fold) {
  size_t left = s.end - at - 1;
  const uint8_t *p = s.text + at + 1;
  if (fold && left >= 2 && p[0] == 0xC5 && p[1] == 0xBF) return at + 3;
  uint8_t bit = fold ? 0x20 : 0, a = left >= 1 ? p[0] | bit : 0, b = left >= 2 ? p[1] | bit : 0;
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return at + 2;
  if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return at + 3;
  return 0;
}

/* ---- the scanners: where the match at `at` ends, or `at` where there is none ---- */

/* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
static size_t scan_gpt2(span s, size_t at) {
  uint32_t cp;
  size_t next, end;
  unsigned c = look(s, at, &cp, &next);
  if (cp == '\'' && (end = contraction(s, at, false))) return end;
  size_t word = at;
  if (cp == ' ') {
    word = next;
    c = look(s, word, &cp, &next);
  }
  if (c == RT_SPACE || c == RT_END) return blanks(s, at, false);
  if (c == RT_LETTER || c == RT_NUMBER) return run(s, next, SET(c), SIZE_MAX);
  return run(s, next, ~(LETTERS | NUMBERS | SPACES | ENDS), SIZE_MAX);
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ */
static size_t scan_llama3(span s, size_t at, size_t digits) {
  uint32_t cp, cp2;
  size_t next, next2, end;
  unsigned c = look(s, at, &cp, &next), c2;
  if (cp == '\'' && (end = contraction(s, at, true))) return end;
  if (c == RT_LETTER) return run(s, next, LETTERS, SIZE_MAX);
  if (c == RT_NUMBER) return run(s, next, NUMBERS, digits - 1);
  c2 = look(s, next, &cp2, &next2);
  if (cp != '\r' && cp != '\n' && c2 == RT_LETTER) return run(s, next2, LETTERS, SIZE_MAX);
  unsigned others = ~(LETTERS | NUMBERS | SPACES | ENDS);
  if (SET(c) & others) return run_of_line_ends(s, run(s, next, others, SIZE_MAX));
  if (cp == ' ' && SET(c2) & others) return run_of_line_ends(s, run(s, next2, others, SIZE_MAX));
  return blanks(s, at, true);
}

static size_t scan_llama3_3(span s, size_t at) { return scan_llama3(s, at, 3); }
static size_t scan_llama3_1(span s, size_t at) { return scan_llama3(s, at, 1); }

static size_t scan_1_number(span s, size_t at) { return run(s, at, NUMBERS, 1); }  /* \p{N} */
static size_t scan_3_numbers(span s, size_t at) { return run(s, at, NUMBERS, 3); } /* \p{N}{1,3} */

static bool is_ascii_letter(uint8_t b) { return (b | 0x20) >= 'a' && (b | 0x20) <= 'z'; }

/* Runs of characters from a few ranges (pairs of first, last). */
static bool in_ranges(uint32_t cp, const uint32_t (*ranges)[2], size_t count) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (cp > ranges[middle][1]) low = middle + 1;
    else if (cp < ranges[middle][0]) high = middle;
    else return true;
  }
  return false;
}
static size_t run_in_ranges(span s, size_t at, const uint32_t (*ranges)[2], size_t count) {
  uint32_t cp;
  size_t next;
  while (look(s, at, &cp, &next) != RT_END && in_ranges(cp, ranges, count)) at = next;
  return at;
}

/* [U+4E00-U+9FA5 U+3040-U+309F U+30A0-U+30FF]+ */
static size_t scan_kana_han(span s, size_t at) {
  static const uint32_t ranges[][2] = {{0x3040, 0x30FF}, {0x4E00, 0x9FA5}};
  return run_in_ranges(s, at, ranges, RT_COUNT(ranges));
}

/* [!-/:-@[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ */
static size_t scan_deepseek_v3(span s, size_t at) {
  enum { WORDS = SET(RT_LETTER) | SET(RT_MARK), SIGNS = SET(RT_PUNCTUATION) | SET(RT_SYMBOL) };
  uint32_t cp, cp2;
  size_t next, next2;
  unsigned c = look(s, at, &cp, &next), c2 = look(s, next, &cp2, &next2);
  if (cp < 0x80 && SET(c) & SIGNS && next < s.end && is_ascii_letter(s.text[next])) {
    while (next < s.end && is_ascii_letter(s.text[next])) next++;
    return next;
  }
  if (SET(c) & WORDS) return run(s, next, WORDS, SIZE_MAX);
  if (cp != '\r' && cp != '\n' && !(SET(c) & (SIGNS | ENDS)) && SET(c2) & WORDS) return run(s, next2, WORDS, SIZE_MAX);
  if (SET(c) & SIGNS) return run_of_line_ends(s, run(s, next, SIGNS, SIZE_MAX));
  if (cp == ' ' && SET(c2) & SIGNS) return run_of_line_ends(s, run(s, next2, SIGNS, SIZE_MAX));
  return c == RT_SPACE ? blanks(s, at, true) : at;
}

/* [\r\n] */
static size_t scan_line_end(span s, size_t at) { return at < s.end && (s.text[at] == '\n' || s.text[at] == '\r') ? at + 1 : at; }

/* The letters with case that DeepSeek-LLM's pattern lists one by one. */
static const uint32_t cased[][2] = {
    {0x41, 0x5A},       {0x61, 0x7A},       {0xB5, 0xB5},       {0xC0, 0xD6},       {0xD8, 0xF6},       {0xF8, 0x1BA},
    {0x1BC, 0x1BF},     {0x1C4, 0x293},     {0x295, 0x2AF},     {0x370, 0x373},     {0x376, 0x377},     {0x37B, 0x37D},
    {0x37F, 0x37F},     {0x386, 0x386},     {0x388, 0x38A},     {0x38C, 0x38C},     {0x38E, 0x3A1},     {0x3A3, 0x3F5},
    {0x3F7, 0x481},     {0x48A, 0x52F},     {0x531, 0x556},     {0x10A0, 0x10C5},   {0x13A0, 0x13F5},   {0x13F8, 0x13FD},
    {0x1C90, 0x1CBA},   {0x1CBD, 0x1CBF},   {0x1D00, 0x1D2B},   {0x1D6B, 0x1D77},   {0x1D79, 0x1D9A},   {0x1E00, 0x1F15},
    {0x1F18, 0x1F1D},   {0x1F20, 0x1F45},   {0x1F48, 0x1F4D},   {0x1F50, 0x1F57},   {0x1F59, 0x1F59},   {0x1F5B, 0x1F5B},
    {0x1F5D, 0x1F5D},   {0x1F5F, 0x1F7D},   {0x1F80, 0x1FB4},   {0x1FB6, 0x1FBC},   {0x1FBE, 0x1FBE},   {0x1FC2, 0x1FC4},
    {0x1FC6, 0x1FCC},   {0x1FD0, 0x1FD3},   {0x1FD6, 0x1FDB},   {0x1FE0, 0x1FEC},   {0x1FF2, 0x1FF4},   {0x1FF6, 0x1FFC},
    {0x2102, 0x2102},   {0x2107, 0x2107},   {0x210A, 0x2113},   {0x2115, 0x2115},   {0x2119, 0x211D},   {0x2124, 0x2124},
    {0x2126, 0x2126},   {0x2128, 0x2128},   {0x212A, 0x212D},   {0x212F, 0x2134},   {0x2139, 0x2139},   {0x213C, 0x213F},
    {0x2145, 0x2149},   {0x214E, 0x214E},   {0x2183, 0x2184},   {0x2C00, 0x2C7B},   {0x2C7E, 0x2CE4},   {0x2CEB, 0x2CEE},
    {0x2CF2, 0x2CF3},   {0xA640, 0xA66D},   {0xA680, 0xA69B},   {0xA722, 0xA76F},   {0xA771, 0xA787},   {0xA78B, 0xA78E},
    {0xAB70, 0xABBF},   {0xFB00, 0xFB06},   {0xFB13, 0xFB17},   {0xFF21, 0xFF3A},   {0xFF41, 0xFF5A},   {0x10400, 0x1044F},
    {0x104B0, 0x104D3}, {0x104D8, 0x104FB}, {0x10C80, 0x10CB2}, {0x10CC0, 0x10CF2}, {0x118A0, 0x118DF}, {0x1E900, 0x1E943}};

/* \s? and then a run that `of` finds: the place where the run ends, or `at` where it is empty. */
static size_t after_blank(span s, size_t at, size_t (*of)(span, size_t)) {
  uint32_t cp;
  size_t next, end = of(s, at);
  if (end != at) return end;
  if (look(s, at, &cp, &next) != RT_SPACE) return at;
  end = of(s, next);
  return end == next ? at : end;
}

static size_t cased_letters(span s, size_t at) { return run_in_ranges(s, at, cased, RT_COUNT(cased)); }
static size_t scan_cased_letters(span s, size_t at) { return after_blank(s, at, cased_letters); } /* \s?[A-Za-z ...]+ */

/* \s?[!-/:-~ U+FF01-FF0F U+FF1A-FF5E U+2018-201F U+3000-3002]+: the second range holds letters, but stage 2 has taken those. */
static size_t signs(span s, size_t at) {
  static const uint32_t ranges[][2] = {{0x21, 0x2F}, {0x3A, 0x7E}, {0x2018, 0x201F}, {0x3000, 0x3002}, {0xFF01, 0xFF0F}, {0xFF1A, 0xFF5E}};
  return run_in_ranges(s, at, ranges, RT_COUNT(ranges));
}
static size_t scan_signs(span s, size_t at) {
  /* \s? is greedy: U+3000 is a blank and a sign, but both readings end at the same place. */
  return after_blank(s, at, signs);
}

/* [U+4E00-U+9FA5 U+0800-U+4E00 U+AC00-U+D7FF]+ */
static size_t scan_east_asian(span s, size_t at) {
  static const uint32_t ranges[][2] = {{0x800, 0x9FA5}, {0xAC00, 0xD7FF}};
  return run_in_ranges(s, at, ranges, RT_COUNT(ranges));
}

static size_t letters(span s, size_t at) { return run(s, at, LETTERS, SIZE_MAX); }
static size_t scan_letters(span s, size_t at) { return after_blank(s, at, letters); } /* \s?\p{L}+ */
static size_t punctuation(span s, size_t at) { return run(s, at, SET(RT_PUNCTUATION), SIZE_MAX); }
static size_t scan_punctuation(span s, size_t at) { return after_blank(s, at, punctuation); } /* \s?\p{P}+ */

/* \s+$ is the one expression that looks far ahead at every place; piece_end treats it by itself. */
static size_t scan_final_blanks(span s, size_t at) { return run(s, at, SPACES, SIZE_MAX) == s.end ? s.end : at; }

/* ---- stages ---- */

/* Everything that differs between the families stands here. */
const rt_pre rt_pre_table[RT_PRE_COUNT] = {
    {.names = {"gpt-2"}, .stages = {scan_gpt2}},
    {.names = {"smollm"}, .stages = {scan_1_number, scan_gpt2}},
    {.names = {"llama-bpe", "llama3", "llama-v3"}, .whole_pieces = true, .add_bos = true, .stages = {scan_llama3_3}},
    {.names = {"qwen2", "deepseek-r1-qwen"}, .nfc = true, .stages = {scan_llama3_1}},
    {.names = {"deepseek-v3"}, .stages = {scan_3_numbers, scan_kana_han, scan_deepseek_v3}},
    {.names = {"deepseek-llm"},
     .stages = {scan_line_end, scan_cased_letters, scan_signs, scan_final_blanks, scan_east_asian, scan_1_number}},
    {.names = {"deepseek-coder"}, .stages = {scan_line_end, scan_letters, scan_punctuation, scan_east_asian, scan_1_number}},
};

retort_status rt_pre_find(const char *name, size_t size, const rt_pre **pre, retort_error *error) {
  char known[256] = "";
  size_t n = 0;
  for (size_t i = 0; i < RT_PRE_COUNT; i++)
    for (const char *const *one = rt_pre_table[i].names; *one; one++) {
      if (strlen(*one) == size && memcmp(*one, name, size) == 0) return *pre = &rt_pre_table[i], RETORT_OK;
      if (n < sizeof known) n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", *one);
    }
  return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "tokenizer.ggml.pre is \"%.*s\"; this version knows %s", (int)(size < 60 ? size : 60),
                 name, known);
}

/* Where the piece that begins at `at` ends: a match, or the gap before the next match. */
static size_t piece_end(rt_scanner scan, span s, size_t at) {
  uint32_t cp;
  size_t next;
  if (scan == scan_final_blanks) {
    size_t first = s.end; /* of the final blanks */
    for (size_t p = s.end; p > at;) {
      do p--;
      while (p > at && (s.text[p] & 0xC0) == 0x80);
      if (look(s, p, &cp, &next) != RT_SPACE) break;
      first = p;
    }
    return first == at ? s.end : first;
  }
  size_t end = scan(s, at);
  if (end != at) return end;
  do {
    look(s, at, &cp, &next);
    at = next;
  } while (at < s.end && scan(s, at) == at);
  return at;
}

void rt_pretokenize_begin(rt_pretokenizer *pretokenizer, const rt_pre *pre, const uint8_t *text, size_t size) {
  *pretokenizer = (rt_pretokenizer){.pre = pre, .text = text};
  pretokenizer->ends[0] = size;
}

bool rt_pretokenize_next(rt_pretokenizer *pretokenizer, size_t *start, size_t *end) {
  const rt_scanner *stages = pretokenizer->pre->stages;
  size_t at = pretokenizer->at, *ends = pretokenizer->ends, stage = 0;
  if (at >= ends[0]) return false;
  for (; stage < RT_PRE_MAX_STAGES && stages[stage]; stage++)
    if (ends[stage + 1] <= at) ends[stage + 1] = piece_end(stages[stage], (span){pretokenizer->text, ends[stage]}, at);
  *start = at;
  *end = pretokenizer->at = ends[stage];
  return true;
}
