/* vocab.c - the vocabulary of a GGUF file: its special tokens, and the way from text to ids and back.
 *
 * From text to ids as the reference (Hugging Face `tokenizers`) does it: special tokens are cut out of the raw text, leftmost first and the
 * longest of those that begin at one place; each fragment between them has ill-formed UTF-8 replaced and goes to the tokenizer.
 *
 * Invariants: token texts are views into the file and are looked up in place; ids below n_tokens always have a text, which may be empty.
 */
#include "vocab.h"

#include <string.h>

#include "../base/structs.h"
#include "../base/utf8.h"
#include "specials.h"
#include "tokenizer.h"

enum { MAX_ENDS = 32 };

struct retort_vocab {
  rt_arena arena;
  rt_tokens tokens;
  rt_tokenizer *tokenizer;
  rt_specials specials;
  int32_t ends[MAX_ENDS]; /* tokens that end a generation */
  uint32_t n_ends;
  retort_vocab_info info;
};

/* ---- opening ---- */

static int32_t find_special(const retort_vocab *vocab, const char *text) {
  int32_t id = rt_tokens_find(&vocab->tokens, text, strlen(text));
  return id >= 0 && rt_tokens_is_special(&vocab->tokens, id) ? id : -1;
}

static void add_end(retort_vocab *vocab, int32_t id) {
  if (id < 0 || retort_is_end_of_generation(vocab, id) || vocab->n_ends == MAX_ENDS) return;
  vocab->ends[vocab->n_ends++] = id;
}

/* The ids of a key: one, or an array; those outside of the vocabulary, as -1 for none, are left out. */
static retort_status read_key(const retort_vocab *vocab, const retort_gguf *gguf, const char *key, int32_t ids[MAX_ENDS], size_t *count,
                              retort_error *error) {
  int64_t values[MAX_ENDS];
  size_t n = 0;
  retort_status status = rt_gguf_get_integers(gguf, key, values, MAX_ENDS, &n, error);
  *count = 0;
  for (size_t i = 0; !status && i < n; i++)
    if (values[i] >= 0 && values[i] < vocab->tokens.count) ids[(*count)++] = (int32_t)values[i];
  return status;
}

static retort_status read_ids(retort_vocab *vocab, const retort_gguf *gguf, retort_error *error) {
  static const char *const keys[] = {"tokenizer.ggml.eos_token_id",     "tokenizer.ggml.eot_token_id",
                                     "tokenizer.ggml.eom_token_id",     "tokenizer.ggml.fim_pad_token_id",
                                     "tokenizer.ggml.fim_rep_token_id", "tokenizer.ggml.fim_sep_token_id"};
  static const char *const texts[] = {"<|eot_id|>",      "<|im_end|>",    "<|end|>",     "<end_of_turn>", "<|endoftext|>",
                                      "<|end_of_text|>", "<|eom_id|>",    "<EOT>",       "<|EOT|>",       "<｜end▁of▁sentence｜>",
                                      "<|fim_pad|>",     "<|repo_name|>", "<|file_sep|>"};
  int32_t ids[MAX_ENDS];
  size_t n;
  retort_status status = read_key(vocab, gguf, "tokenizer.ggml.bos_token_id", ids, &n, error);
  if (status) return status;
  vocab->info.bos = n ? ids[0] : -1;
  vocab->info.eos = -1;
  for (size_t i = 0; i < RT_COUNT(keys); i++) {
    if ((status = read_key(vocab, gguf, keys[i], ids, &n, error))) return status;
    if (i == 0 && n) vocab->info.eos = ids[0];
    for (size_t k = 0; k < n; k++) add_end(vocab, ids[k]);
  }
  for (size_t i = 0; i < RT_COUNT(texts); i++) add_end(vocab, find_special(vocab, texts[i]));
  vocab->info.think_begin = find_special(vocab, "<think>");
  vocab->info.think_end = find_special(vocab, "</think>");
  bool add_bos = vocab->tokenizer->add_bos;
  if ((status = rt_gguf_get_bool(gguf, "tokenizer.ggml.add_bos_token", &add_bos, error))) return status;
  vocab->info.add_bos = add_bos && vocab->info.bos >= 0;
  return RETORT_OK;
}

static retort_status read_text(retort_vocab *vocab, const retort_gguf *gguf, const char *key, const char **text, retort_error *error) {
  rt_string value = {0};
  retort_status status = rt_gguf_get_string(gguf, key, false, &value, error);
  if (status || !value.bytes) return status;
  if (memchr(value.bytes, 0, value.size)) return rt_fail(error, RETORT_ERROR_FORMAT, "%s holds a NUL byte", key);
  *text = rt_arena_string(&vocab->arena, value.bytes, value.size);
  return *text ? RETORT_OK : rt_fail_memory(error, value.size, key);
}

static retort_status open_vocab(retort_vocab *vocab, const retort_gguf *gguf, rt_arena *temporary, retort_error *error) {
  const rt_tokenizer_kind *kind;
  retort_status status = read_text(vocab, gguf, "tokenizer.ggml.model", &vocab->info.model, error);
  if (status) return status;
  if (!vocab->info.model) return rt_fail(error, RETORT_ERROR_FORMAT, "the file has no vocabulary: tokenizer.ggml.model is missing");
  if ((status = rt_tokenizer_find(vocab->info.model, &kind, error))) return status;
  if ((status = read_text(vocab, gguf, "tokenizer.ggml.pre", &vocab->info.pre, error))) return status;
  if (!vocab->info.pre) vocab->info.pre = "";
  if ((status = rt_tokens_open(&vocab->tokens, gguf, &vocab->arena, temporary, error))) return status;
  vocab->info.n_tokens = vocab->tokens.count;
  if ((status = kind->open(&vocab->tokens, gguf, &vocab->arena, temporary, &vocab->tokenizer, error))) return status;
  if ((status = read_text(vocab, gguf, "tokenizer.chat_template", &vocab->info.chat_template, error))) return status;
  int32_t example = 0;
  const uint32_t recognised = rt_specials_recognise(&vocab->tokens, vocab->info.chat_template, &example);
  if (recognised)
    rt_log(vocab->arena.platform, RETORT_LOG_WARNING,
           "%u tokens of the chat template, such as %.*s, are not marked as control tokens in the file; they are taken for such",
           recognised, (int)vocab->tokens.texts[example].size, vocab->tokens.texts[example].bytes);
  if ((status = rt_specials_open(&vocab->specials, &vocab->tokens, &vocab->arena, error))) return status;
  return read_ids(vocab, gguf, error);
}

retort_status retort_vocab_open(const retort_platform *platform, const retort_gguf *gguf, retort_vocab **out, retort_error *error) {
  if (!gguf || !out) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_vocab_open needs a gguf and a place for the vocabulary");
  retort_status status = rt_platform_check(platform, error);
  if (status) return status;
  rt_arena arena = {.platform = platform}, temporary = {.platform = platform};
  retort_vocab *vocab = rt_arena_alloc(&arena, 1, sizeof *vocab);
  if (!vocab) return rt_fail_memory(error, sizeof *vocab, "the vocabulary");
  vocab->arena = arena;
  status = open_vocab(vocab, gguf, &temporary, error);
  rt_arena_close(&temporary);
  if (status) retort_vocab_close(vocab);
  else *out = vocab;
  return status;
}

void retort_vocab_close(retort_vocab *vocab) {
  if (!vocab) return;
  rt_arena arena = vocab->arena; /* the vocabulary itself lies in it */
  rt_arena_close(&arena);
}

retort_status retort_vocab_get_info(const retort_vocab *vocab, retort_vocab_info *info, retort_error *error) {
  if (!vocab || !info) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_vocab_get_info needs a vocabulary and a place for the answer");
  retort_status status = rt_struct_check(info, "retort_vocab_info", error);
  if (status) return status;
  rt_struct_write(info, &vocab->info, sizeof vocab->info);
  return RETORT_OK;
}

int retort_is_end_of_generation(const retort_vocab *vocab, int32_t id) {
  for (uint32_t i = 0; vocab && i < vocab->n_ends; i++)
    if (vocab->ends[i] == id) return 1;
  return 0;
}

bool rt_vocab_is_unused(const retort_vocab *vocab, int32_t id) {
  return id < 0 || (uint32_t)id >= vocab->tokens.count || vocab->tokens.kinds[id] == RT_TOKEN_UNUSED;
}

/* ---- text to ids ---- */

typedef struct tokenising {
  const retort_vocab *vocab;
  rt_encoder encoder;
  bool add_bos; /* still to be put in front, unless the text begins with it */
} tokenising;

static void begin_output(tokenising *t, int32_t first) {
  if (t->add_bos && first != t->vocab->info.bos) rt_ids_push(&t->encoder.out, t->vocab->info.bos);
  t->add_bos = false;
}

/* Text between special tokens. */
static retort_status encode_fragment(tokenising *t, const uint8_t *text, size_t size) {
  const rt_tokenizer *tokenizer = t->vocab->tokenizer;
  rt_encoder *encoder = &t->encoder;
  uint64_t bytes;
  size_t capacity, n = 0;
  if (!size) return RETORT_OK;
  begin_output(t, -1);
  if (rt_utf8_valid(text, size)) return tokenizer->kind->encode_fragment(tokenizer, encoder, (rt_fragment){text, size});
  if (!rt_mul_u64(size, 3, &bytes) || !rt_to_size(bytes, &capacity)) return rt_fail_memory(encoder->error, size, "a copy of the text");
  uint8_t *repaired = rt_alloc(encoder->platform, capacity);
  if (!repaired) return rt_fail_memory(encoder->error, bytes, "a copy of the text");
  for (size_t i = 0; i < size;) {
    uint32_t cp;
    i += rt_utf8_decode(text + i, size - i, &cp);
    n += rt_utf8_encode(cp == RT_UTF8_INVALID ? RT_REPLACEMENT : cp, repaired + n);
  }
  retort_status status = tokenizer->kind->encode_fragment(tokenizer, encoder, (rt_fragment){repaired, n});
  rt_free(encoder->platform, repaired, capacity);
  return status;
}

/* Tokens that steer are taken where no byte of them lies in a span; words everywhere. */
static retort_status encode_text(tokenising *t, const uint8_t *text, size_t size, const rt_text_span *spans, size_t n_spans) {
  const rt_specials *specials = &t->vocab->specials;
  size_t fragment = 0, span = 0, length = 0;
  for (size_t at = 0; at < size;) {
    while (span < n_spans && spans[span].offset + spans[span].size <= at) span++;
    const size_t limit = span < n_spans ? spans[span].offset : size;
    int32_t id = -1;
    if (rt_specials_may_begin(specials, text[at], at >= limit))
      id = rt_specials_match(specials, text + at, size - at, at < limit ? limit - at : 0, &length);
    if (id < 0) {
      at++;
      continue;
    }
    retort_status status = encode_fragment(t, text + fragment, at - fragment);
    if (status) return status;
    begin_output(t, id);
    rt_ids_push(&t->encoder.out, id);
    fragment = at += length;
  }
  return encode_fragment(t, text + fragment, size - fragment);
}

retort_status rt_tokenize_spans(const retort_vocab *vocab, const char *text, size_t size, const rt_text_span *spans, size_t n_spans,
                                uint32_t flags, int32_t *ids, size_t capacity, size_t *count, retort_error *error) {
  if (!vocab || (!text && size) || (!ids && capacity) || !count)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "tokenising needs a vocabulary, a text and a place for the ids and their count");
  if (flags & ~(uint32_t)(RETORT_TOKENIZE_SPECIAL | RETORT_TOKENIZE_ADD_BOS))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "unknown tokenising flags 0x%x", flags);
  if (size > INT32_MAX) return rt_fail(error, RETORT_ERROR_ARGUMENT, "the text has %zu bytes; 2 GiB are the limit", size);
  for (size_t i = 0, end = 0; i < n_spans; end = spans[i].offset + spans[i].size, i++)
    if (spans[i].offset < end || spans[i].offset > size || spans[i].size > size - spans[i].offset)
      return rt_fail(error, RETORT_ERROR_ARGUMENT, "input span %zu is out of order or outside of the text", i);
  tokenising t = {.vocab = vocab, .encoder = {.platform = vocab->arena.platform, .error = error, .out = {ids, capacity, 0}}};
  t.add_bos = (flags & RETORT_TOKENIZE_ADD_BOS) && vocab->info.add_bos;
  const uint8_t *bytes = (const uint8_t *)(text ? text : "");
  const rt_text_span all = {0, size};
  const bool special = flags & RETORT_TOKENIZE_SPECIAL;
  retort_status status = encode_text(&t, bytes, size, special ? spans : &all, special ? n_spans : 1);
  rt_encoder_close(&t.encoder);
  if (status) return status;
  begin_output(&t, -1);
  *count = t.encoder.out.count;
  if (t.encoder.out.count > capacity)
    return rt_fail(error, RETORT_ERROR_BUFFER, "the text has %zu tokens, the buffer room for %zu", t.encoder.out.count, capacity);
  return RETORT_OK;
}

retort_status retort_tokenize(const retort_vocab *vocab, const char *text, size_t size, uint32_t flags, int32_t *ids, size_t capacity,
                              size_t *count, retort_error *error) {
  return rt_tokenize_spans(vocab, text, size, NULL, 0, flags, ids, capacity, count, error);
}

/* ---- ids to text ---- */

retort_status retort_detokenize(const retort_vocab *vocab, const int32_t *ids, size_t count, uint32_t flags, char *buffer, size_t capacity,
                                size_t *size, retort_error *error) {
  if (!vocab || (!ids && count) || (!buffer && capacity) || !size)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "detokenising needs a vocabulary, ids and a place for the text and its size");
  uint64_t total = 0;
  for (size_t i = 0; i < count; i++) {
    if (ids[i] < 0 || (uint32_t)ids[i] >= vocab->tokens.count)
      return rt_fail(error, RETORT_ERROR_ARGUMENT, "token %d at %zu is not in the vocabulary of %u", ids[i], i, vocab->tokens.count);
    uint8_t kind = vocab->tokens.kinds[ids[i]];
    if (kind == RT_TOKEN_UNUSED || (kind == RT_TOKEN_CONTROL && !(flags & RETORT_TOKENIZE_SPECIAL))) continue;
    rt_string text = vocab->tokens.texts[ids[i]];
    size_t room = total < capacity ? capacity - (size_t)total : 0;
    uint8_t *out = room ? (uint8_t *)buffer + total : NULL;
    if (rt_tokens_is_special(&vocab->tokens, ids[i])) {
      if (room) memcpy(out, text.bytes, text.size < room ? text.size : room);
      total += text.size;
    } else {
      total += vocab->tokenizer->kind->decode_token(vocab->tokenizer, ids[i], out, room);
    }
  }
  if (!rt_to_size(total, size)) return rt_fail_memory(error, total, "the text");
  if (total > capacity)
    return rt_fail(error, RETORT_ERROR_BUFFER, "the text has %llu bytes, the buffer room for %zu", (unsigned long long)total, capacity);
  return RETORT_OK;
}
