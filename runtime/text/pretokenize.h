/* pretokenize.h - cuts text into the pieces inside which BPE merges: the regular expressions of the tokenizers, written as scanners. */
#ifndef RT_PRETOKENIZE_H
#define RT_PRETOKENIZE_H

#include "../base/base.h"

enum { RT_PRE_MAX_STAGES = 6, RT_PRE_MAX_NAMES = 4, RT_PRE_COUNT = 7 };

/* A text up to `end`, and a function that finds where the match at one place of it ends, or that place: there is none. */
typedef struct rt_span {
  const uint8_t *text;
  size_t end;
} rt_span;
typedef size_t (*rt_scanner)(rt_span span, size_t at);

/* A family of tokenizers: all that tokenizer.ggml.pre decides. */
typedef struct rt_pre {
  const char *names[RT_PRE_MAX_NAMES];  /* values of tokenizer.ggml.pre, NULL after the last */
  bool nfc;                             /* text is normalised to NFC first */
  bool whole_pieces;                    /* a piece that is a token is not merged (ignore_merges) */
  bool add_bos;                         /* BOS goes in front where tokenizer.ggml.add_bos_token does not say */
  rt_scanner stages[RT_PRE_MAX_STAGES]; /* the expressions, NULL after the last */
} rt_pre;
extern const rt_pre rt_pre_table[RT_PRE_COUNT];

/* The family of that name; an error that lists those there are. */
retort_status rt_pre_find(const char *name, size_t size, const rt_pre **pre, retort_error *error);

/* Walks over well-formed UTF-8. The pieces follow each other without gap and cover the text; a walk takes time proportional to it. */
typedef struct rt_pretokenizer {
  const rt_pre *pre;
  const uint8_t *text;
  size_t at;                          /* start of the next piece */
  size_t ends[RT_PRE_MAX_STAGES + 1]; /* [0]: end of the text; [k]: end of the piece that stage k is in */
} rt_pretokenizer;
void rt_pretokenize_begin(rt_pretokenizer *pretokenizer, const rt_pre *pre, const uint8_t *text, size_t size);
/* False at the end of the text. */
bool rt_pretokenize_next(rt_pretokenizer *pretokenizer, size_t *start, size_t *end);

#endif
