/* small_model.h - a model of some kilobytes that answers: a tiny random model with a vocabulary of bytes, tags of reasoning and a chat
 * template. */
#ifndef SMALL_MODEL_H
#define SMALL_MODEL_H

#include "base/utf8.h"
#include "tiny_model.h"

enum { SMALL_TOKENS = 256 + 8, SMALL_END = 258 };

static inline void small_vocabulary(rt_gguf_writer *w) {
  static const char *const more[] = {"<think>", "</think>", "<|im_end|>", "<|im_start|>", "ab", "th", "the", "\xC4\xA0t"};
  static const char *const merges[] = {"a b", "t h", "th e", "\xC4\xA0 t"};
  static const char template[] =
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt "
      "%}<|im_start|>assistant\n"
      "{% if not no_thinking %}<think>{% endif %}{% endif %}";
  char bytes[256][4];
  rt_string tokens[SMALL_TOKENS], rules[RT_COUNT(merges)];
  int32_t types[SMALL_TOKENS];
  uint32_t next = 256;
  for (uint32_t b = 0; b < 256; b++) {
    bool plain = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    tokens[b] = (rt_string){bytes[b], rt_utf8_encode(plain ? b : next++, (uint8_t *)bytes[b])};
  }
  for (size_t i = 0; i < RT_COUNT(more); i++) tokens[256 + i] = (rt_string){more[i], strlen(more[i])};
  for (size_t i = 0; i < SMALL_TOKENS; i++) types[i] = i >= 256 && i < 260 ? 3 : 1;
  for (size_t i = 0; i < RT_COUNT(merges); i++) rules[i] = (rt_string){merges[i], strlen(merges[i])};
  rt_gguf_put_string(w, "tokenizer.ggml.model", "gpt2");
  rt_gguf_put_string(w, "tokenizer.ggml.pre", "qwen2");
  rt_gguf_put_strings(w, "tokenizer.ggml.tokens", true, tokens, SMALL_TOKENS);
  rt_gguf_put(w, "tokenizer.ggml.token_type", RT_GGUF_I32, true, types, SMALL_TOKENS);
  rt_gguf_put_strings(w, "tokenizer.ggml.merges", true, rules, RT_COUNT(rules));
  rt_gguf_put_u32(w, "tokenizer.ggml.bos_token_id", SMALL_END);
  rt_gguf_put_u32(w, "tokenizer.ggml.eos_token_id", SMALL_END);
  rt_gguf_put_bool(w, "tokenizer.ggml.add_bos_token", true);
  rt_gguf_put_string(w, "tokenizer.chat_template", template);
  rt_gguf_put_string(w, "general.name", "small");
}

/* Fills `t`: one of three architectures, matrices of `type`, as small as its blocks allow. Close with tiny_model_close. */
static inline void small_model_build(tiny_model *t, uint32_t arch, uint32_t type) {
  static const char *const names[] = {"llama", "qwen2", "qwen3"};
  const uint32_t n = tiny_format_find(type)->block > 32 ? 256 : 32;
  *t = (tiny_model){.arch = names[arch % 3],
                    .type = type,
                    .n_layers = 1,
                    .n_embd = n,
                    .n_ff = n,
                    .n_heads = 2,
                    .n_kv_heads = 1,
                    .head_dim = n / 2,
                    .n_vocab = SMALL_TOKENS,
                    .bias = arch % 3 == 1,
                    .more_keys = small_vocabulary};
  if (tiny_model_build(t, NULL)) abort();
}

#endif
