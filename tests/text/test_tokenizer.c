/* test_tokenizer.c - splitting, merging, special tokens and hostile vocabularies, on a small vocabulary made here.
 *
 * The expected pieces come from PyPI tokenizers 0.23 running the published regular expressions; oracle.tokens compares whole vocabularies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "counting.h"
#include "gguf/writer.h"
#include "text/pretokenize.h"
#include "text/vocab.h"

/* ---- splitting ---- */

static void pieces_are_those_of_the_regular_expressions(void **state) {
  (void)state;
  static const struct {
    const char *pre, *pieces; /* "~" stands between pieces */
  } cases[] = {
      {"gpt-2", "I~'ll~ DON~'~T~ ~ x~\n\n~ y"},
      {"gpt-2", "a~1~ 23~ !\?~\t~\t~z"},
      {"gpt-2", "  \n  "},
      {"smollm", "year~ ~2~0~2~4~ ~ '~tis~ ~3~.~1~4"},
      {"llama-bpe", "I~'LL~ it~'\305\277~a~ ~123~45~ a~\tb"}, /* U+017F folds to s */
      {"llama-bpe", "x~ \n\n~ ~ y~!!\n\n~z~ "},
      {"llama3", "\302\240word~ \"~quoted~\"~ e~\314\201"},
      {"llama-v3", "a~\342\200\251b"},
      {"qwen2", "I~'LL~ it~'\305\277~a~ ~1~2~3~ a~\tb"}, /* one digit a piece: GPT-2's or llama's splitting would group them */
      {"qwen2", "x~ \n\n~ ~ y~!!\n\n~z~ "},
      {"deepseek-r1-qwen", "if~ (~a~ ==~ ~1~0~)~ {\r\n~\treturn~;\r\n~}"},
      {"qwen2", " \344\275\240\345\245\275~\357\274\214\344\270\226\347\225\214~ ~2~\302\262"},
      {"deepseek-v3",
       "call~(x~)=~123~4~ e\314\201~ ~\346\227\245\346\234\254\350\252\236\343\203\206\343\202\255\343\202\271\343\203\210~ok"},
      {"deepseek-v3", "\360\237\230\200\360\237\230\200~ a~\n\n~ ~ b~ !!\n"},
      {"deepseek-v3", "_foo~ .~bar~\342\200\213baz~ \340\246\276"},
      {"deepseek-llm", "Hello~ ~ w~\303\266~rld~\342\200\251~x~ ~1~2~3~  "}, /* U+2029 alone: once wrong in llama.cpp */
      {"deepseek-llm", "\320\264\320\260~ ~\344\275\240\345\245\275~,~ok~\n~\n~  ~\n"},
      {"deepseek-llm", " ~ a~\t!~b~ ~\354\225\210\353\205\225~ "},
      {"deepseek-coder", "int~ x~ = ~4~2~;~ //~ ~\344\275\240\345\245\275~  ~\n~\ty"},
      {"deepseek-coder", "a~  $~b~_~c~\342\200\251~d"},
  };
  for (size_t i = 0; i < RT_COUNT(cases); i++) {
    uint8_t text[256];
    char seen[512];
    size_t size = 0, n = 0, start, end;
    for (const char *p = cases[i].pieces; *p; p++)
      if (*p != '~') text[size++] = (uint8_t)*p;
    const rt_pre *pre;
    assert_int_equal(rt_pre_find(cases[i].pre, strlen(cases[i].pre), &pre, NULL), RETORT_OK);
    rt_pretokenizer pretokenizer;
    rt_pretokenize_begin(&pretokenizer, pre, text, size);
    while (rt_pretokenize_next(&pretokenizer, &start, &end)) {
      assert_true(end > start);
      if (n) seen[n++] = '~';
      memcpy(seen + n, text + start, end - start);
      n += end - start;
    }
    seen[n] = 0;
    assert_string_equal(seen, cases[i].pieces);
  }
}

static void unknown_splittings_are_not_guessed(void **state) {
  (void)state;
  const rt_pre *pre;
  retort_error error;
  assert_int_equal(rt_pre_find("qwen3", 5, &pre, &error), RETORT_ERROR_UNSUPPORTED);
  assert_non_null(strstr(error.message, "\"qwen3\"; this version knows gpt-2, smollm, llama-bpe, "));
  assert_non_null(strstr(error.message, ", deepseek-coder"));
  assert_int_equal(rt_pre_find("qwen", 4, &pre, NULL), RETORT_ERROR_UNSUPPORTED);
  assert_int_equal(rt_pre_find("", 0, &pre, NULL), RETORT_ERROR_UNSUPPORTED);
}

/* Each name finds its own row, and the properties of the families are those of their tokenizer.json. */
static void a_family_has_its_properties_in_one_row(void **state) {
  (void)state;
  static const struct {
    const char *name;
    bool nfc, whole_pieces, add_bos;
  } families[] = {{"gpt-2", false, false, false},           {"smollm", false, false, false},
                  {"llama-bpe", false, true, true},         {"llama3", false, true, true},
                  {"llama-v3", false, true, true},          {"qwen2", true, false, false},
                  {"deepseek-r1-qwen", true, false, false}, {"deepseek-v3", false, false, false},
                  {"deepseek-llm", false, false, false},    {"deepseek-coder", false, false, false}};
  size_t names = 0;
  for (size_t i = 0; i < RT_COUNT(families); i++) {
    const rt_pre *pre;
    assert_int_equal(rt_pre_find(families[i].name, strlen(families[i].name), &pre, NULL), RETORT_OK);
    if (pre->nfc != families[i].nfc || pre->whole_pieces != families[i].whole_pieces || pre->add_bos != families[i].add_bos)
      fail_msg("%s", families[i].name);
  }
  for (size_t i = 0; i < RT_PRE_COUNT; i++) {
    assert_non_null(rt_pre_table[i].stages[0]);
    for (const char *const *name = rt_pre_table[i].names; *name; name++) names++;
  }
  assert_int_equal(names, RT_COUNT(families));
}

/* Seconds of processor time to walk over `size` bytes; checks that the pieces cover them. */
static double walk(const rt_pre *pre, const uint8_t *text, size_t size) {
  rt_pretokenizer pretokenizer;
  size_t start, end, last = 0;
  clock_t begin = clock();
  rt_pretokenize_begin(&pretokenizer, pre, text, size);
  while (rt_pretokenize_next(&pretokenizer, &start, &end)) {
    if (start != last || end <= start) fail_msg("a gap at %zu", start);
    last = end;
  }
  assert_int_equal(last, size);
  return (double)(clock() - begin) / CLOCKS_PER_SEC;
}

/* Runs that crashed or stalled other tokenizers. Ten times the text must not cost thirty times the work; quadratic would be a hundred. */
static void long_runs_split_in_linear_time(void **state) {
  (void)state;
  static const char *const units[] = {"A",
                                      " ",
                                      "\n",
                                      " \n",
                                      "\t",
                                      "1",
                                      "=",
                                      "'",
                                      "\xe4\xbd\xa0",
                                      "\xcc\x81",
                                      "e\xcc\x81",
                                      "\xe2\x80\xa9",
                                      "a ",
                                      "\xf0\x9f\x98\x80",
                                      "\x01",
                                      "\xe3\x80\x80",
                                      "  x"};
  static const char *const ends[] = {"", "x", "\n", "\x01"};
  enum { SIZE = 200000 };
  uint8_t *text = malloc(SIZE + 8);
  for (size_t u = 0; u < RT_COUNT(units); u++) {
    size_t unit = strlen(units[u]), size = 0, part = SIZE / 10 / unit * unit;
    for (; size + unit <= SIZE; size += unit) memcpy(text + size, units[u], unit);
    for (size_t e = 0; e < RT_COUNT(ends); e++) {
      memcpy(text + size, ends[e], strlen(ends[e]));
      for (size_t p = 0; p < RT_PRE_COUNT; p++) {
        const rt_pre *pre = &rt_pre_table[p];
        double tenth = walk(pre, text + size - part, part + strlen(ends[e])), whole = walk(pre, text, size + strlen(ends[e]));
        if (whole > 30 * tenth + 0.5)
          fail_msg("unit %zu, end %zu, splitting %s: %g s, a tenth of it %g s", u, e, pre->names[0], whole, tenth);
      }
    }
  }
  free(text);
}

/* ---- a small vocabulary ---- */

static const char *const merged[] = {"h e", "l l", "he ll", "hell o", "Ġ hello", "A A", "AA AA", "AAAA AAAA", "a b",
                                     "b c", "c d", "Ġ Ġ",   "Ã ©",    "1 2",     "y z", "x y",   "x yz"};
static const struct {
  const char *text;
  int32_t type;
} added[] = {{"<|bos|>", 3}, {"<｜end▁of▁sentence｜>", 3}, {"<think>", 4}, {"</think>", 4}, {"<|a|>", 3}, {"<|a|><|b|>", 3}, {"<|b|>", 3},
             {"ün", 4}};
enum {
  N_MERGES = RT_COUNT(merged),
  FIRST_ADDED = 256 + N_MERGES,
  N_ADDED = RT_COUNT(added),
  PADDING = FIRST_ADDED + N_ADDED,
  N_TOKENS = PADDING + 2
};
enum { BOS = FIRST_ADDED, EOS, THINK, THINK_END, A, AB, B, UEN };

typedef struct fixture {
  char texts[N_TOKENS][40];
  rt_string tokens[N_TOKENS + 1], merges[N_MERGES + 2];
  int32_t types[N_TOKENS + 1];
  size_t n_tokens, n_merges, n_types;
  const char *pre, *model;
  int64_t bos, eos, add_bos; /* -1: no key */
  int32_t ends[3];           /* (n_ends) eos_token_id as an array */
  size_t n_ends;
  rt_gguf_writer writer;
  retort_gguf *gguf;
  retort_vocab *vocab;
  retort_error error;
  retort_platform platform;
  counting counting;
} fixture;

static rt_string view(const char *s) { return (rt_string){s, strlen(s)}; }

static fixture *make(void) {
  fixture *f = calloc(1, sizeof *f);
  uint32_t next = 256;
  for (uint32_t b = 0; b < 256; b++) {
    bool plain = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    f->texts[b][rt_utf8_encode(plain ? b : next++, (uint8_t *)f->texts[b])] = 0;
  }
  for (size_t i = 0; i < N_MERGES; i++) {
    const char *blank = strchr(merged[i], ' ');
    snprintf(f->texts[256 + i], 40, "%.*s%s", (int)(blank - merged[i]), merged[i], blank + 1);
    f->merges[i] = view(merged[i]);
  }
  for (size_t i = 0; i < N_ADDED; i++) snprintf(f->texts[FIRST_ADDED + i], 40, "%s", added[i].text);
  for (size_t i = PADDING; i < N_TOKENS; i++) snprintf(f->texts[i], 40, "[PAD%zu]", i);
  for (size_t i = 0; i < N_TOKENS; i++) {
    f->tokens[i] = view(f->texts[i]);
    f->types[i] = i < FIRST_ADDED ? 1 : i < PADDING ? added[i - FIRST_ADDED].type : i == PADDING ? 5 : 4;
  }
  f->n_tokens = f->n_types = N_TOKENS;
  f->n_merges = N_MERGES;
  f->pre = "qwen2";
  f->model = "gpt2";
  f->bos = BOS;
  f->eos = EOS;
  f->add_bos = 1;
  f->platform = counting_platform(&f->counting);
  return f;
}

static retort_status open_fixture(fixture *f) {
  rt_gguf_writer *w = &f->writer;
  rt_gguf_put_string(w, "general.architecture", "llama");
  if (f->model) rt_gguf_put_string(w, "tokenizer.ggml.model", f->model);
  if (f->pre) rt_gguf_put_string(w, "tokenizer.ggml.pre", f->pre);
  rt_gguf_put_strings(w, "tokenizer.ggml.tokens", true, f->tokens, f->n_tokens);
  rt_gguf_put_strings(w, "tokenizer.ggml.merges", true, f->merges, f->n_merges);
  if (f->n_types) rt_gguf_put(w, "tokenizer.ggml.token_type", RT_GGUF_I32, true, f->types, f->n_types);
  if (f->bos >= 0) rt_gguf_put_u32(w, "tokenizer.ggml.bos_token_id", (uint32_t)f->bos);
  if (f->n_ends) rt_gguf_put(w, "tokenizer.ggml.eos_token_id", RT_GGUF_I32, true, f->ends, f->n_ends);
  else if (f->eos >= 0) rt_gguf_put_u32(w, "tokenizer.ggml.eos_token_id", (uint32_t)f->eos);
  if (f->add_bos >= 0) rt_gguf_put_bool(w, "tokenizer.ggml.add_bos_token", f->add_bos);
  const uint8_t *file;
  size_t size;
  assert_int_equal(rt_gguf_finish(w, &file, &size, NULL), RETORT_OK);
  retort_buffer buffer = {sizeof(retort_buffer), file, size, "test.gguf"};
  assert_int_equal(retort_gguf_open(NULL, &buffer, 1, 0, &f->gguf, &f->error), RETORT_OK);
  return retort_vocab_open(&f->platform, f->gguf, &f->vocab, &f->error);
}

static void drop(fixture *f) {
  retort_vocab_close(f->vocab);
  assert_int_equal(f->counting.live, 0);
  retort_gguf_close(f->gguf);
  rt_gguf_writer_close(&f->writer);
  free(f);
}

/* Opens a changed fixture that must be refused with a message that names `what`. */
static void refuse(fixture *f, retort_status status, const char *what) {
  assert_int_equal(open_fixture(f), status);
  assert_null(f->vocab);
  if (!strstr(f->error.message, what)) fail_msg("\"%s\" does not name %s", f->error.message, what);
  drop(f);
}

static void check_spans(const fixture *f, const char *text, size_t size, const rt_text_span *spans, size_t n_spans, uint32_t flags,
                        const int32_t *expected, size_t n_expected) {
  int32_t ids[64];
  size_t n;
  assert_int_equal(rt_tokenize_spans(f->vocab, text, size, spans, n_spans, flags, ids, 64, &n, NULL), RETORT_OK);
  if (n != n_expected || memcmp(ids, expected, n * sizeof *ids) != 0) {
    for (size_t i = 0; i < n; i++) printf("%d ", ids[i]);
    fail_msg("\"%s\": %zu ids, not the %zu expected", text, n, n_expected);
  }
}
#define CHECK(f, text, flags, ...)                                                   \
  check_spans(f, text, strlen(text), NULL, 0, flags, (const int32_t[]){__VA_ARGS__}, \
              sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

enum { SPECIAL = RETORT_TOKENIZE_SPECIAL, ADD_BOS = RETORT_TOKENIZE_ADD_BOS };

static void merges_go_by_rank_and_from_the_left(void **state) {
  (void)state;
  fixture *f = make();
  assert_int_equal(open_fixture(f), RETORT_OK);
  CHECK(f, "hello hello", 0, 256 + 3, 256 + 4);
  CHECK(f, "AAAAA", 0, 256 + 6, 'A');
  CHECK(f, "AAA", 0, 256 + 5, 'A');
  CHECK(f, "abcd", 0, 256 + 8, 256 + 10); /* "b c" comes up after "a b" has taken the b */
  CHECK(f, "xyz", 0, 256 + 16);           /* "x y" comes up when its y has gone into "yz" */
  CHECK(f, "xyx", 0, 256 + 15, 'x');
  CHECK(f, "12", 0, '1', '2');      /* qwen2: digits are pieces of their own, so they cannot merge */
  CHECK(f, "e\u0301", 0, 256 + 12); /* NFC makes it U+00E9 */
  drop(f);
  f = make();
  f->pre = "gpt-2";
  assert_int_equal(open_fixture(f), RETORT_OK);
  CHECK(f, "12", 0, 256 + 13);
  CHECK(f, "e\u0301", 0, 'e', 0xCC, 0x81); /* GPT-2 does not normalise */
  CHECK(f, "\xff", 0, 0xEF, 0xBF, 0xBD);   /* U+FFFD */
  drop(f);
}

static void whole_pieces_are_taken_where_the_family_ignores_merges(void **state) {
  (void)state;
  for (int llama = 0; llama < 2; llama++) {
    fixture *f = make();
    f->pre = llama ? "llama-bpe" : "gpt-2";
    f->merges[13] = f->merges[12]; /* the token "12" stays, no merge leads to it */
    assert_int_equal(open_fixture(f), RETORT_OK);
    if (llama) CHECK(f, "12 ab", 0, 256 + 13, ' ', 256 + 8);
    else CHECK(f, "12 ab", 0, '1', '2', ' ', 256 + 8);
    drop(f);
  }
}

static void special_tokens_are_cut_out_first_the_longest_at_each_place(void **state) {
  (void)state;
  fixture *f = make();
  assert_int_equal(open_fixture(f), RETORT_OK);
  CHECK(f, "<think>ab</think>", SPECIAL, THINK, 256 + 8, THINK_END);
  CHECK(f, "<|a|><|b|><|b|><|a|>", SPECIAL, AB, B, A);
  CHECK(f, "a<|a|>b", SPECIAL, 'a', A, 'b'); /* no merge across */
  CHECK(f, "<thin", SPECIAL, '<', 't', 'h', 'i', 'n');
  CHECK(f, "<<think>", SPECIAL, '<', THINK);
  CHECK(f, "\xC3<think>\xA9", SPECIAL, 0xEF, 0xBF, 0xBD, THINK, 0xEF, 0xBF, 0xBD);
  CHECK(f, "u\u0308n", SPECIAL, 0xC3, 0xBC, 'n'); /* specials are sought before NFC */
  CHECK(f, "\u00fcn", SPECIAL, UEN);
  CHECK(f, "[PAD281]", SPECIAL, '[', 'P', 'A', 'D', '2', '8', '1', ']'); /* padding has a text but is never recognised */
  /* Without the flag, text stays text. */
  CHECK(f, "<|a|>", 0, '<', '|', 'a', '|', '>');
  drop(f);
}

static void bos_comes_once_and_only_where_asked_for(void **state) {
  (void)state;
  fixture *f = make();
  assert_int_equal(open_fixture(f), RETORT_OK);
  CHECK(f, "ab", SPECIAL | ADD_BOS, BOS, 256 + 8);
  CHECK(f, "<|bos|>ab", SPECIAL | ADD_BOS, BOS, 256 + 8);
  CHECK(f, "", ADD_BOS, BOS);
  CHECK(f, "<|bos|>", ADD_BOS, BOS, '<', '|', 'b', 'o', 's', '|', '>');
  CHECK(f, "ab<|bos|>", SPECIAL | ADD_BOS, BOS, 256 + 8, BOS);
  CHECK(f, "ab", SPECIAL, 256 + 8);
  drop(f);
  f = make();
  f->add_bos = -1;
  assert_int_equal(open_fixture(f), RETORT_OK);
  CHECK(f, "ab", ADD_BOS, 256 + 8);
  drop(f);
}

static void input_spans_cannot_forge_special_tokens(void **state) {
  (void)state;
  fixture *f = make();
  assert_int_equal(open_fixture(f), RETORT_OK);
  static const char text[] = "<|a|><|a|><|b|><|b|>";
  const int32_t literal[] = {A, '<', '|', 'a', '|', '>', B, B};
  check_spans(f, text, 20, (rt_text_span[]){{5, 5}}, 1, SPECIAL, literal, RT_COUNT(literal));
  /* A token half from the template and half from the message is none; what can be matched before the span still is. */
  const int32_t half[] = {A, A, '<', '|', 'b', '|', '>', B};
  check_spans(f, text, 20, (rt_text_span[]){{12, 1}}, 1, SPECIAL, half, RT_COUNT(half));
  /* Without look-alikes spans change nothing: merges go across their borders. */
  const int32_t across[] = {THINK, 256 + 3, 256 + 4};
  check_spans(f, "<think>hello hello", 18, (rt_text_span[]){{7, 3}, {10, 0}, {12, 4}}, 3, SPECIAL, across, RT_COUNT(across));
  int32_t ids[32];
  size_t n;
  assert_int_equal(rt_tokenize_spans(f->vocab, text, 20, (rt_text_span[]){{5, 5}, {9, 1}}, 2, SPECIAL, ids, 32, &n, NULL),
                   RETORT_ERROR_ARGUMENT);
  assert_int_equal(rt_tokenize_spans(f->vocab, text, 20, (rt_text_span[]){{5, 16}}, 1, SPECIAL, ids, 32, &n, NULL), RETORT_ERROR_ARGUMENT);
  assert_int_equal(rt_tokenize_spans(f->vocab, text, 20, (rt_text_span[]){{SIZE_MAX, 2}}, 1, SPECIAL, ids, 32, &n, NULL),
                   RETORT_ERROR_ARGUMENT);
  drop(f);
}

static void ids_become_text_again(void **state) {
  (void)state;
  fixture *f = make();
  assert_int_equal(open_fixture(f), RETORT_OK);
  const int32_t ids[] = {BOS, THINK, 256 + 3, 256 + 4, 256 + 12, 0xE4, PADDING, EOS};
  char text[64];
  size_t n;
  assert_int_equal(retort_detokenize(f->vocab, ids, RT_COUNT(ids), 0, text, sizeof text, &n, NULL), RETORT_OK);
  assert_int_equal(n, 21);
  assert_memory_equal(text, "<think>hello hello\u00e9\xe4", 21);
  assert_int_equal(retort_detokenize(f->vocab, ids, RT_COUNT(ids), SPECIAL, NULL, 0, &n, NULL), RETORT_ERROR_BUFFER);
  assert_int_equal(n, 21 + 7 + strlen(added[1].text));
  memset(text, 'x', sizeof text);
  assert_int_equal(retort_detokenize(f->vocab, ids, RT_COUNT(ids), 0, text, 9, &n, NULL), RETORT_ERROR_BUFFER);
  assert_memory_equal(text, "<think>hex", 10);
  assert_int_equal(retort_detokenize(f->vocab, (int32_t[]){N_TOKENS}, 1, 0, text, 9, &n, NULL), RETORT_ERROR_ARGUMENT);
  assert_int_equal(retort_detokenize(f->vocab, (int32_t[]){-1}, 1, 0, text, 9, &n, NULL), RETORT_ERROR_ARGUMENT);
  drop(f);
}

static void a_small_buffer_is_told_the_size_needed(void **state) {
  (void)state;
  fixture *f = make();
  assert_int_equal(open_fixture(f), RETORT_OK);
  int32_t ids[4] = {-7, -7, -7, -7};
  size_t n = 0;
  assert_int_equal(retort_tokenize(f->vocab, "pqr", 3, 0, ids, 2, &n, NULL), RETORT_ERROR_BUFFER);
  assert_int_equal(n, 3);
  assert_int_equal(ids[2], -7);
  assert_int_equal(retort_tokenize(f->vocab, NULL, 0, 0, NULL, 0, &n, NULL), RETORT_OK);
  assert_int_equal(n, 0);
  assert_int_equal(retort_tokenize(f->vocab, "x", 1, 0x80, ids, 4, &n, NULL), RETORT_ERROR_ARGUMENT);
  drop(f);
}

static void the_vocabulary_says_what_it_knows(void **state) {
  (void)state;
  fixture *f = make();
  assert_int_equal(open_fixture(f), RETORT_OK);
  retort_vocab_info info = {.struct_size = sizeof info};
  assert_int_equal(retort_vocab_get_info(f->vocab, &info, NULL), RETORT_OK);
  assert_int_equal(info.n_tokens, N_TOKENS);
  assert_int_equal(info.bos, BOS);
  assert_int_equal(info.eos, EOS);
  assert_int_equal(info.think_begin, THINK);
  assert_int_equal(info.think_end, THINK_END);
  assert_int_equal(info.add_bos, 1);
  assert_string_equal(info.pre, "qwen2");
  assert_null(info.chat_template);
  assert_true(retort_is_end_of_generation(f->vocab, EOS));
  assert_false(retort_is_end_of_generation(f->vocab, BOS));
  assert_true(rt_vocab_is_unused(f->vocab, PADDING));
  assert_true(rt_vocab_is_unused(f->vocab, PADDING + 1)); /* padding that an older converter called user-defined */
  assert_true(rt_vocab_is_unused(f->vocab, N_TOKENS));
  assert_false(rt_vocab_is_unused(f->vocab, EOS));
  drop(f);
}

/* One word of a megabyte, merged by the heap; and many special tokens. Quadratic work would take hours. */
static void long_words_merge_in_n_log_n(void **state) {
  (void)state;
  fixture *f = make();
  assert_int_equal(open_fixture(f), RETORT_OK);
  enum { SIZE = 1 << 20 };
  char *text = malloc(SIZE);
  int32_t *ids = malloc(SIZE * sizeof *ids);
  size_t n;
  memset(text, 'A', SIZE);
  assert_int_equal(retort_tokenize(f->vocab, text, SIZE, SPECIAL, ids, SIZE, &n, NULL), RETORT_OK);
  assert_int_equal(n, SIZE / 8);
  for (size_t i = 0; i < n; i++) assert_int_equal(ids[i], 256 + 7);
  memset(text, '<', SIZE);
  assert_int_equal(retort_tokenize(f->vocab, text, SIZE, SPECIAL, ids, SIZE, &n, NULL), RETORT_OK);
  assert_int_equal(n, SIZE);
  for (size_t i = 0; i + 7 <= SIZE; i += 7) memcpy(text + i, "<|bos|>", 7);
  assert_int_equal(retort_tokenize(f->vocab, text, SIZE / 7 * 7, SPECIAL, ids, SIZE, &n, NULL), RETORT_OK);
  assert_int_equal(n, SIZE / 7);
  free(text);
  free(ids);
  drop(f);
}

static void damaged_vocabularies_are_refused(void **state) {
  (void)state;
  fixture *f = make();
  f->model = "llama";
  refuse(f, RETORT_ERROR_UNSUPPORTED, "\"llama\"; this version knows gpt2 (byte-level BPE)");
  f = make();
  f->model = NULL;
  refuse(f, RETORT_ERROR_FORMAT, "tokenizer.ggml.model");
  f = make();
  f->pre = "qwen99";
  refuse(f, RETORT_ERROR_UNSUPPORTED, "qwen99");
  f = make();
  f->n_types--;
  refuse(f, RETORT_ERROR_FORMAT, "token_type");
  f = make();
  f->types[7] = 9;
  refuse(f, RETORT_ERROR_FORMAT, "token_type[7]");
  f = make();
  f->types[7] = -1;
  refuse(f, RETORT_ERROR_FORMAT, "token_type");
  static const char *const bad[] = {"x p", "xy", "x ", " x", "", "h nothere", "nothere e", "h e e", "h  e"};
  for (size_t i = 0; i < RT_COUNT(bad); i++) {
    f = make();
    f->merges[3] = view(bad[i]);
    refuse(f, RETORT_ERROR_FORMAT, "merges[3]");
  }
  f = make();
  f->n_tokens = f->n_types = f->n_merges = 0;
  f->bos = f->eos = -1;
  refuse(f, RETORT_ERROR_FORMAT, "0 tokens");
  f = make();
  f->tokens[A] = view("<\xff>");
  refuse(f, RETORT_ERROR_FORMAT, "special");
  char *huge = calloc(1, 700);
  memset(huge, 'y', 600);
  f = make();
  f->tokens[A] = view(huge);
  refuse(f, RETORT_ERROR_FORMAT, "special");
  free(huge);
}

/* As llama.cpp does it. */
static void odd_vocabularies_that_the_reference_loads_are_loaded(void **state) {
  (void)state;
  fixture *f = make();
  f->tokens[PADDING] = view("");           /* no text */
  f->tokens[PADDING + 1] = f->tokens['x']; /* the same text again */
  f->types[PADDING] = f->types[PADDING + 1] = 1;
  f->bos = UINT32_MAX; /* -1: none */
  assert_int_equal(open_fixture(f), RETORT_OK);
  CHECK(f, "x", ADD_BOS, 'x');
  int32_t ids[] = {PADDING, PADDING + 1};
  char text[8];
  size_t size;
  assert_int_equal(retort_detokenize(f->vocab, ids, 2, 0, text, sizeof text, &size, NULL), RETORT_OK);
  assert_int_equal(size, 1);
  assert_int_equal(text[0], 'x');
  drop(f);
  f = make();
  f->n_ends = 3;
  f->ends[0] = EOS, f->ends[1] = -1, f->ends[2] = A;
  assert_int_equal(open_fixture(f), RETORT_OK);
  retort_vocab_info info = {.struct_size = sizeof info};
  assert_int_equal(retort_vocab_get_info(f->vocab, &info, NULL), RETORT_OK);
  assert_int_equal(info.eos, EOS);
  assert_true(retort_is_end_of_generation(f->vocab, EOS) && retort_is_end_of_generation(f->vocab, A));
  assert_false(retort_is_end_of_generation(f->vocab, B));
  drop(f);
}

/* A file without token types, or with wrong ones: what the template spells is a control token all the same, and the log says so. */
static void control_tokens_are_recognised_by_their_spelling(void **state) {
  (void)state;
  for (int with_template = 0; with_template < 2; with_template++) {
    fixture *f = make();
    f->n_types = 0;
    if (with_template) rt_gguf_put_string(&f->writer, "tokenizer.chat_template", "{{ '<|a|>' }}<think>");
    assert_int_equal(open_fixture(f), RETORT_OK);
    if (with_template) CHECK(f, "<|a|><think><|b|>", SPECIAL, A, THINK, '<', '|', 'b', '|', '>');
    else CHECK(f, "<|b|>", SPECIAL, '<', '|', 'b', '|', '>');
    drop(f);
  }
}

/* User-defined tokens are words, which user text may hold, unless they look like control tokens. */
static void words_are_found_in_user_text(void **state) {
  (void)state;
  fixture *f = make();
  assert_int_equal(open_fixture(f), RETORT_OK);
  static const char text[] = "<think>x\u00fcn<think><|a|>\u00fcn";
  const rt_text_span user = {strlen("<think>"), sizeof text - 1 - strlen("<think>")};
  static const int32_t expected[] = {THINK, 'x', UEN, '<', 't', 'h', 'i', 'n', 'k', '>', '<', '|', 'a', '|', '>', UEN};
  check_spans(f, text, sizeof text - 1, &user, 1, SPECIAL, expected, RT_COUNT(expected));
  CHECK(f, "x\u00fcn<|a|>", 0, 'x', UEN, '<', '|', 'a', '|', '>');
  drop(f);
}

static void a_missing_splitting_is_read_as_gpt2(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    fixture *f = make();
    f->pre = i ? "default" : NULL;
    assert_int_equal(open_fixture(f), RETORT_OK);
    CHECK(f, "12", 0, 256 + 13);
    drop(f);
  }
}

static void missing_memory_is_an_error_and_leaks_nothing(void **state) {
  (void)state;
  fixture *f = make();
  f->add_bos = 0;
  size_t k = 1;
  for (;; k++, rt_gguf_writer_close(&f->writer), f->writer = (rt_gguf_writer){0}, retort_gguf_close(f->gguf)) {
    f->counting.calls = 0;
    f->counting.fail_at = k;
    retort_status status = open_fixture(f);
    if (!status) break;
    assert_int_equal(status, RETORT_ERROR_MEMORY);
    assert_int_equal(f->counting.live, 0);
  }
  assert_true(k > 2);
  size_t held = f->counting.live;
  for (k = 1;; k++) {
    int32_t ids[16];
    size_t n;
    f->counting.calls = 0;
    f->counting.fail_at = k;
    retort_status status = retort_tokenize(f->vocab, "e\u0301 \xff hello", 12, SPECIAL, ids, 16, &n, NULL);
    assert_int_equal(f->counting.live, held);
    if (!status) break;
    assert_int_equal(status, RETORT_ERROR_MEMORY);
  }
  assert_true(k == 5); /* the repaired copy, two for NFC, one to merge in */
  drop(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(pieces_are_those_of_the_regular_expressions),
                                     cmocka_unit_test(unknown_splittings_are_not_guessed),
                                     cmocka_unit_test(a_family_has_its_properties_in_one_row),
                                     cmocka_unit_test(long_runs_split_in_linear_time),
                                     cmocka_unit_test(merges_go_by_rank_and_from_the_left),
                                     cmocka_unit_test(whole_pieces_are_taken_where_the_family_ignores_merges),
                                     cmocka_unit_test(special_tokens_are_cut_out_first_the_longest_at_each_place),
                                     cmocka_unit_test(bos_comes_once_and_only_where_asked_for),
                                     cmocka_unit_test(input_spans_cannot_forge_special_tokens),
                                     cmocka_unit_test(ids_become_text_again),
                                     cmocka_unit_test(a_small_buffer_is_told_the_size_needed),
                                     cmocka_unit_test(the_vocabulary_says_what_it_knows),
                                     cmocka_unit_test(long_words_merge_in_n_log_n),
                                     cmocka_unit_test(damaged_vocabularies_are_refused),
                                     cmocka_unit_test(odd_vocabularies_that_the_reference_loads_are_loaded),
                                     cmocka_unit_test(control_tokens_are_recognised_by_their_spelling),
                                     cmocka_unit_test(words_are_found_in_user_text),
                                     cmocka_unit_test(a_missing_splitting_is_read_as_gpt2),
                                     cmocka_unit_test(missing_memory_is_an_error_and_leaks_nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
