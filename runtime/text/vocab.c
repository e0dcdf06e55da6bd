/* vocab.c - the vocabulary of a GGUF file: its special tokens, and the way from text to ids and back.
 *
 * From text to ids as the reference (Hugging Face `tokenizers`) does it: special tokens are cut out of the raw text, leftmost first and the
 * longest of those that begin at one place; each fragment between them has ill-formed UTF-8 replaced and goes to the tokenizer.
 *
 * Invariants: token texts are views into the file and are looked up in place; ids below n_tokens always have a text; a special token is
 * well-formed UTF-8 of at most MAX_SPECIAL bytes, so cutting at special tokens never splits a character and costs a bounded time for each
 * byte of the text.
 */
#include "vocab.h"

#include <string.h>

#include "../base/heap.h"
#include "../base/structs.h"
#include "../base/utf8.h"
#include "tokenizer.h"

enum { MAX_SPECIAL = 512, MAX_ENDS = 32 };

typedef struct special {
  rt_string text;
  int32_t id;
} special;

struct retort_vocab {
  rt_arena arena;
  rt_tokens tokens;
  rt_tokenizer *tokenizer;
  special *specials; /* in order of their bytes */
  size_t n_specials;
  uint8_t first_bytes[32]; /* bit set: bytes that a special token begins with */
  int32_t ends[MAX_ENDS];  /* tokens that end a generation */
  uint32_t n_ends;
  retort_vocab_info info;
};

/* ---- opening ---- */

/* In order of their bytes, so the heap that sorts them (the C library's qsort may allocate) has the last on top. */
static bool comes_after(special x, special y) {
  int order = memcmp(x.text.bytes, y.text.bytes, x.text.size < y.text.size ? x.text.size : y.text.size);
  return order ? order > 0 : x.text.size > y.text.size;
}
RT_HEAP(specials, special, comes_after)

static retort_status collect_specials(retort_vocab *vocab, retort_error *error) {
  const rt_tokens *tokens = &vocab->tokens;
  for (uint32_t id = 0; id < tokens->count; id++) vocab->n_specials += rt_tokens_is_special(tokens, (int32_t)id);
  vocab->specials = rt_arena_alloc(&vocab->arena, vocab->n_specials, sizeof *vocab->specials);
  if (!vocab->specials) return rt_fail_memory(error, vocab->n_specials * (uint64_t)sizeof *vocab->specials, "special tokens");
  size_t n = 0;
  for (uint32_t id = 0; id < tokens->count; id++) {
    if (!rt_tokens_is_special(tokens, (int32_t)id)) continue;
    rt_string text = tokens->texts[id];
    if (text.size > MAX_SPECIAL || !rt_utf8_valid((const uint8_t *)text.bytes, text.size))
      return rt_fail(error, RETORT_ERROR_FORMAT, "tokenizer.ggml.tokens[%u], a special token, is longer than %d bytes or not UTF-8", id,
                     MAX_SPECIAL);
    vocab->first_bytes[(uint8_t)text.bytes[0] >> 3] |= (uint8_t)(1u << (text.bytes[0] & 7));
    vocab->specials[n++] = (special){text, (int32_t)id};
  }
  specials_make(vocab->specials, n);
  specials_sort(vocab->specials, n);
  return RETORT_OK;
}

static int32_t find_special(const retort_vocab *vocab, const char *text) {
  int32_t id = rt_tokens_find(&vocab->tokens, text, strlen(text));
  return id >= 0 && rt_tokens_is_special(&vocab->tokens, id) ? id : -1;
}

static void add_end(retort_vocab *vocab, int32_t id) {
  if (id < 0 || retort_is_end_of_generation(vocab, id) || vocab->n_ends == MAX_ENDS) return;
  vocab->ends[vocab->n_ends++] = id;
}

static retort_status read_id(const retort_vocab *vocab, const retort_gguf *gguf, const char *key, int32_t *id, retort_error *error) {
  uint32_t value = UINT32_MAX;
  retort_status status = rt_gguf_get_u32(gguf, key, false, 0, vocab->tokens.count - 1, &value, error);
  if (!status) *id = value == UINT32_MAX ? -1 : (int32_t)value;
  return status;
}

static retort_status read_ids(retort_vocab *vocab, const retort_gguf *gguf, retort_error *error) {
  static const char *const keys[] = {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id", "tokenizer.ggml.fim_pad_token_id",
                                     "tokenizer.ggml.fim_rep_token_id", "tokenizer.ggml.fim_sep_token_id"};
  static const char *const texts[] = {"<|eot_id|>",      "<|im_end|>",    "<|end|>",     "<end_of_turn>", "<|endoftext|>",
                                      "<|end_of_text|>", "<|eom_id|>",    "<EOT>",       "<|EOT|>",       "<｜end▁of▁sentence｜>",
                                      "<|fim_pad|>",     "<|repo_name|>", "<|file_sep|>"};
  retort_status status = read_id(vocab, gguf, "tokenizer.ggml.bos_token_id", &vocab->info.bos, error);
  if (!status) status = read_id(vocab, gguf, "tokenizer.ggml.eos_token_id", &vocab->info.eos, error);
  if (status) return status;
  add_end(vocab, vocab->info.eos);
  for (size_t i = 0; i < RT_COUNT(keys); i++) {
    int32_t id;
    if ((status = read_id(vocab, gguf, keys[i], &id, error))) return status;
    add_end(vocab, id);
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
  if ((status = collect_specials(vocab, error))) return status;
  if ((status = read_ids(vocab, gguf, error))) return status;
  return read_text(vocab, gguf, "tokenizer.chat_template", &vocab->info.chat_template, error);
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

/* The longest special token that `text` begins with, NULL: none. Narrows the ordered list byte by byte. */
static const special *match_special(const retort_vocab *vocab, const uint8_t *text, size_t size) {
  size_t low = 0, high = vocab->n_specials;
  const special *best = NULL;
  for (size_t depth = 0; depth < size && low < high; depth++) {
    size_t a = low, b = high;
    while (a < b) { /* the first whose byte at `depth` is not below */
      size_t middle = (a + b) / 2;
      if ((uint8_t)vocab->specials[middle].text.bytes[depth] < text[depth]) a = middle + 1;
      else b = middle;
    }
    low = a;
    b = high;
    while (a < b) {
      size_t middle = (a + b) / 2;
      if ((uint8_t)vocab->specials[middle].text.bytes[depth] <= text[depth]) a = middle + 1;
      else b = middle;
    }
    high = a;
    if (low < high && vocab->specials[low].text.size == depth + 1) best = &vocab->specials[low++];
  }
  return best;
}

static retort_status encode_text(tokenising *t, const uint8_t *text, size_t size, const rt_text_span *spans, size_t n_spans) {
  size_t fragment = 0, at = 0, span = 0;
  while (at < size) {
    while (span < n_spans && spans[span].offset + spans[span].size <= at) span++;
    size_t limit = span < n_spans ? spans[span].offset : size;
    if (at >= limit) { /* inside a span */
      at = spans[span].offset + spans[span].size;
      continue;
    }
    const special *found = NULL;
    if (t->vocab->first_bytes[text[at] >> 3] >> (text[at] & 7) & 1) found = match_special(t->vocab, text + at, limit - at);
    if (!found) {
      at++;
      continue;
    }
    retort_status status = encode_fragment(t, text + fragment, at - fragment);
    if (status) return status;
    begin_output(t, found->id);
    rt_ids_push(&t->encoder.out, found->id);
    at += found->text.size;
    fragment = at;
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
  retort_status status = flags & RETORT_TOKENIZE_SPECIAL ? encode_text(&t, bytes, size, spans, n_spans) : encode_fragment(&t, bytes, size);
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
