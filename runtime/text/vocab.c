/* vocab.c - the vocabulary of a GGUF file: tokens with their kinds, special tokens, and the way from text to ids and back.
 *
 * From text to ids, in this order, as the reference (Hugging Face `tokenizers`) does it: special tokens are cut out of the raw text,
 * leftmost first and the longest of those that begin at one place; each fragment between them has ill-formed UTF-8 replaced, is normalised
 * where the family asks for it (Qwen: NFC; the others: not), cut into pieces (pretokenize.c), and each piece merged (bpe.c).
 *
 * Invariants: token texts are views into the file and are looked up in place; ids below n_tokens always have a text; a special token is
 * well-formed UTF-8 of at most MAX_SPECIAL bytes, so cutting at special tokens never splits a character and costs a bounded time for each
 * byte of the text. Absent on purpose: SentencePiece and WordPiece vocabularies; R1 models are all byte-level BPE.
 */
#include "vocab.h"

#include <stdlib.h>
#include <string.h>

#include "../base/structs.h"
#include "../base/utf8.h"
#include "../gguf/gguf.h"
#include "bpe.h"
#include "pretokenize.h"
#include "unicode.h"

enum { NORMAL = 1, UNKNOWN = 2, CONTROL = 3, USER_DEFINED = 4, UNUSED = 5, BYTE = 6 }; /* tokenizer.ggml.token_type */
enum { MAX_SPECIAL = 512, MAX_ENDS = 32 };

typedef struct special {
  rt_string text;
  int32_t id;
} special;

struct retort_vocab {
  rt_arena arena;
  rt_bpe bpe;
  uint8_t *kinds;    /* (n_tokens) */
  special *specials; /* in order of their bytes */
  size_t n_specials;
  uint8_t first_bytes[32]; /* bit set: bytes that a special token begins with */
  rt_pre pre;
  bool nfc, whole_pieces; /* whole_pieces: a piece that is a token is not merged (ignore_merges) */
  int32_t ends[MAX_ENDS]; /* tokens that end a generation */
  uint32_t n_ends;
  retort_vocab_info info;
};

/* ---- opening ---- */

/* Converters fill the vocabulary up with "[PAD<id>]". */
static bool is_padding(rt_string text, uint32_t id) {
  if (text.size < 6 || text.size > 15 || memcmp(text.bytes, "[PAD", 4) != 0 || text.bytes[text.size - 1] != ']') return false;
  uint64_t number = 0;
  for (size_t i = 4; i + 1 < text.size; i++) {
    if (text.bytes[i] < '0' || text.bytes[i] > '9') return false;
    number = number * 10 + (uint64_t)(text.bytes[i] - '0');
  }
  return number == id;
}

static int compare_specials(const void *a, const void *b) {
  const special *x = a, *y = b;
  int order = memcmp(x->text.bytes, y->text.bytes, x->text.size < y->text.size ? x->text.size : y->text.size);
  return order ? order : (x->text.size > y->text.size) - (x->text.size < y->text.size);
}

static retort_status read_kinds(retort_vocab *vocab, const retort_gguf *gguf, rt_arena *temporary, retort_error *error) {
  uint32_t n = vocab->bpe.n_tokens, *kinds = NULL;
  size_t count = 0;
  retort_status status = rt_gguf_get_u32s(gguf, "tokenizer.ggml.token_type", false, temporary, &kinds, &count, error);
  if (status) return status;
  if (kinds && count != n)
    return rt_fail(error, RETORT_ERROR_FORMAT, "tokenizer.ggml.token_type has %zu elements, tokenizer.ggml.tokens %u", count, n);
  vocab->kinds = rt_arena_alloc(&vocab->arena, n, 1);
  if (!vocab->kinds) return rt_fail_memory(error, n, "token types");
  for (uint32_t id = 0; id < n; id++) {
    uint32_t kind = kinds ? kinds[id] : NORMAL;
    if (kind < NORMAL || kind > BYTE)
      return rt_fail(error, RETORT_ERROR_FORMAT, "tokenizer.ggml.token_type[%u] is %u; 1 to 6 are known", id, kind);
    if (kind != NORMAL && is_padding(vocab->bpe.tokens[id], id)) kind = UNUSED;
    vocab->kinds[id] = (uint8_t)kind;
    if (kind == CONTROL || kind == USER_DEFINED) vocab->n_specials++;
  }
  return RETORT_OK;
}

static retort_status collect_specials(retort_vocab *vocab, retort_error *error) {
  vocab->specials = rt_arena_alloc(&vocab->arena, vocab->n_specials, sizeof *vocab->specials);
  if (!vocab->specials) return rt_fail_memory(error, vocab->n_specials * (uint64_t)sizeof *vocab->specials, "special tokens");
  size_t n = 0;
  for (uint32_t id = 0; id < vocab->bpe.n_tokens; id++) {
    if (vocab->kinds[id] != CONTROL && vocab->kinds[id] != USER_DEFINED) continue;
    rt_string text = vocab->bpe.tokens[id];
    if (text.size > MAX_SPECIAL || !rt_utf8_valid((const uint8_t *)text.bytes, text.size))
      return rt_fail(error, RETORT_ERROR_FORMAT, "tokenizer.ggml.tokens[%u], a special token, is longer than %d bytes or not UTF-8", id,
                     MAX_SPECIAL);
    vocab->first_bytes[(uint8_t)text.bytes[0] >> 3] |= (uint8_t)(1u << (text.bytes[0] & 7));
    vocab->specials[n++] = (special){text, (int32_t)id};
  }
  qsort(vocab->specials, n, sizeof *vocab->specials, compare_specials);
  return RETORT_OK;
}

static int32_t find_special(const retort_vocab *vocab, const char *text) {
  int32_t id = rt_bpe_find(&vocab->bpe, text, strlen(text));
  return id >= 0 && (vocab->kinds[id] == CONTROL || vocab->kinds[id] == USER_DEFINED) ? id : -1;
}

static void add_end(retort_vocab *vocab, int32_t id) {
  if (id < 0 || retort_is_end_of_generation(vocab, id) || vocab->n_ends == MAX_ENDS) return;
  vocab->ends[vocab->n_ends++] = id;
}

static retort_status read_id(const retort_vocab *vocab, const retort_gguf *gguf, const char *key, int32_t *id, retort_error *error) {
  uint32_t value = UINT32_MAX;
  retort_status status = rt_gguf_get_u32(gguf, key, false, 0, vocab->bpe.n_tokens - 1, &value, error);
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
  bool add_bos = vocab->pre == RT_PRE_LLAMA3;
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

static retort_status choose_splitting(retort_vocab *vocab, const retort_gguf *gguf, retort_error *error) {
  retort_status status = read_text(vocab, gguf, "tokenizer.ggml.pre", &vocab->info.pre, error);
  if (status) return status;
  const char *pre = vocab->info.pre;
  if (!pre || strcmp(pre, "default") == 0) {
    rt_log(vocab->arena.platform, 1,
           "the file does not say how its tokenizer splits text (tokenizer.ggml.pre is %s); splitting as GPT-2 does, which may give the "
           "model tokens that it was not trained on",
           pre ? "\"default\"" : "missing");
    pre = "gpt-2";
    if (!vocab->info.pre) vocab->info.pre = "";
  }
  if (!rt_pre_find(pre, strlen(pre), &vocab->pre))
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "tokenizer.ggml.pre is \"%.60s\"; this version knows " RT_PRE_NAMES, pre);
  vocab->nfc = vocab->pre == RT_PRE_QWEN2;
  vocab->whole_pieces = vocab->pre == RT_PRE_LLAMA3;
  return RETORT_OK;
}

static retort_status open_vocab(retort_vocab *vocab, const retort_gguf *gguf, rt_arena *temporary, retort_error *error) {
  retort_status status = read_text(vocab, gguf, "tokenizer.ggml.model", &vocab->info.model, error);
  if (status) return status;
  if (!vocab->info.model) return rt_fail(error, RETORT_ERROR_FORMAT, "the file has no vocabulary: tokenizer.ggml.model is missing");
  if (strcmp(vocab->info.model, "gpt2") != 0)
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "tokenizer.ggml.model is \"%.60s\"; this version knows gpt2 (byte-level BPE)",
                   vocab->info.model);
  if ((status = choose_splitting(vocab, gguf, error))) return status;
  rt_string *tokens = NULL, *merges = NULL;
  size_t n_tokens = 0, n_merges = 0;
  if ((status = rt_gguf_get_strings(gguf, "tokenizer.ggml.tokens", true, &vocab->arena, &tokens, &n_tokens, error))) return status;
  if ((status = rt_gguf_get_strings(gguf, "tokenizer.ggml.merges", true, temporary, &merges, &n_merges, error))) return status;
  if ((status = rt_bpe_open(&vocab->bpe, &vocab->arena, tokens, n_tokens, merges, n_merges, error))) return status;
  vocab->info.n_tokens = vocab->bpe.n_tokens;
  if ((status = read_kinds(vocab, gguf, temporary, error))) return status;
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
  return id < 0 || (uint32_t)id >= vocab->bpe.n_tokens || vocab->kinds[id] == UNUSED;
}

/* ---- text to ids ---- */

typedef struct tokenizer {
  const retort_vocab *vocab;
  rt_bpe_work work;
  rt_ids out;
  bool add_bos; /* still to be put in front, unless the text begins with it */
  retort_error *error;
} tokenizer;

static void begin_output(tokenizer *t, int32_t first) {
  if (t->add_bos && first != t->vocab->info.bos) rt_ids_push(&t->out, t->vocab->info.bos);
  t->add_bos = false;
}

static retort_status encode_pieces(tokenizer *t, const uint8_t *text, size_t size) {
  const retort_vocab *vocab = t->vocab;
  rt_pretokenizer splitter;
  size_t start, end;
  if (size) begin_output(t, -1);
  rt_split_begin(&splitter, vocab->pre, text, size);
  while (rt_split_next(&splitter, &start, &end)) {
    int32_t id = vocab->whole_pieces ? rt_bpe_find_piece(&vocab->bpe, text + start, end - start) : -1;
    if (id >= 0 && vocab->kinds[id] == NORMAL) {
      rt_ids_push(&t->out, id);
      continue;
    }
    retort_status status = rt_bpe_encode(&vocab->bpe, &t->work, text + start, end - start, &t->out, t->error);
    if (status) return status;
  }
  return RETORT_OK;
}

static retort_status encode_normalised(tokenizer *t, const uint8_t *text, size_t size) {
  if (!t->vocab->nfc) return encode_pieces(t, text, size);
  const uint8_t *normal;
  size_t n, capacity;
  if (!rt_nfc(t->work.platform, text, size, &normal, &n, &capacity)) return rt_fail_memory(t->error, size * 8ull, "normalising the text");
  retort_status status = encode_pieces(t, normal, n);
  if (capacity) rt_free(t->work.platform, (void *)normal, capacity);
  return status;
}

/* Text between special tokens. */
static retort_status encode_fragment(tokenizer *t, const uint8_t *text, size_t size) {
  if (rt_utf8_valid(text, size)) return encode_normalised(t, text, size);
  uint64_t bytes;
  size_t capacity, n = 0;
  if (!rt_mul_u64(size, 3, &bytes) || !rt_to_size(bytes, &capacity)) return rt_fail_memory(t->error, size, "a copy of the text");
  uint8_t *repaired = rt_alloc(t->work.platform, capacity);
  if (!repaired) return rt_fail_memory(t->error, bytes, "a copy of the text");
  for (size_t i = 0; i < size;) {
    uint32_t cp;
    i += rt_utf8_decode(text + i, size - i, &cp);
    n += rt_utf8_encode(cp == RT_UTF8_INVALID ? RT_REPLACEMENT : cp, repaired + n);
  }
  retort_status status = encode_normalised(t, repaired, n);
  rt_free(t->work.platform, repaired, capacity);
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

static retort_status encode_text(tokenizer *t, const uint8_t *text, size_t size, const rt_text_span *spans, size_t n_spans) {
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
    rt_ids_push(&t->out, found->id);
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
  tokenizer t = {.vocab = vocab, .work.platform = vocab->arena.platform, .out = {ids, capacity, 0}, .error = error};
  t.add_bos = (flags & RETORT_TOKENIZE_ADD_BOS) && vocab->info.add_bos;
  const uint8_t *bytes = (const uint8_t *)(text ? text : "");
  retort_status status = flags & RETORT_TOKENIZE_SPECIAL ? encode_text(&t, bytes, size, spans, n_spans) : encode_fragment(&t, bytes, size);
  rt_bpe_work_close(&t.work);
  if (status) return status;
  begin_output(&t, -1);
  *count = t.out.count;
  if (t.out.count > capacity)
    return rt_fail(error, RETORT_ERROR_BUFFER, "the text has %zu tokens, the buffer room for %zu", t.out.count, capacity);
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
    if (ids[i] < 0 || (uint32_t)ids[i] >= vocab->bpe.n_tokens)
      return rt_fail(error, RETORT_ERROR_ARGUMENT, "token %d at %zu is not in the vocabulary of %u", ids[i], i, vocab->bpe.n_tokens);
    uint8_t kind = vocab->kinds[ids[i]];
    if (kind == UNUSED || (kind == CONTROL && !(flags & RETORT_TOKENIZE_SPECIAL))) continue;
    rt_string text = vocab->bpe.tokens[ids[i]];
    size_t room = total < capacity ? capacity - (size_t)total : 0;
    uint8_t *out = room ? (uint8_t *)buffer + total : NULL;
    if (kind == CONTROL || kind == USER_DEFINED) {
      if (room) memcpy(out, text.bytes, text.size < room ? text.size : room);
      total += text.size;
    } else {
      total += rt_bpe_decode(text, out, room);
    }
  }
  if (!rt_to_size(total, size)) return rt_fail_memory(error, total, "the text");
  if (total > capacity)
    return rt_fail(error, RETORT_ERROR_BUFFER, "the text has %llu bytes, the buffer room for %zu", (unsigned long long)total, capacity);
  return RETORT_OK;
}
