/* pretokenize.h - cuts text into the pieces inside which BPE merges: the regular expressions of the tokenizers, written as scanners. */
#ifndef RT_PRETOKENIZE_H
#define RT_PRETOKENIZE_H

#include "../base/base.h"

/* One value per different splitting; several names of tokenizer.ggml.pre may share one. */
typedef enum rt_pre {
  RT_PRE_GPT2,
  RT_PRE_SMOLLM,
  RT_PRE_LLAMA3,
  RT_PRE_QWEN2,
  RT_PRE_DEEPSEEK_V3,
  RT_PRE_DEEPSEEK_LLM,
  RT_PRE_DEEPSEEK_CODER
} rt_pre;

/* Finds the splitting for a value of tokenizer.ggml.pre; false where it is not known. */
bool rt_pre_find(const char *name, size_t size, rt_pre *pre);
#define RT_PRE_NAMES "gpt-2, smollm, llama-bpe, llama3, llama-v3, qwen2, deepseek-r1-qwen, deepseek-v3, deepseek-llm, deepseek-coder"

enum { RT_PRE_MAX_STAGES = 6 };

/* Walks over well-formed UTF-8. The pieces follow each other without gap and cover the text; the whole walk takes time proportional to it.
 */
typedef struct rt_pretokenizer {
  rt_pre pre;
  const uint8_t *text;
  size_t at;                          /* start of the next piece */
  size_t ends[RT_PRE_MAX_STAGES + 1]; /* [0]: end of the text; [k]: end of the piece that stage k is in */
} rt_pretokenizer;
void rt_split_begin(rt_pretokenizer *splitter, rt_pre pre, const uint8_t *text, size_t size);
/* False at the end of the text. */
bool rt_split_next(rt_pretokenizer *splitter, size_t *start, size_t *end);

#endif
