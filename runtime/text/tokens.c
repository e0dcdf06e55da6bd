/* tokens.c - see tokens.h. Texts stay in the file; the table holds ids only. */
#include "tokens.h"

#include <string.h>

typedef struct rt_token_slot {
  uint32_t tag; /* upper half of the hash */
  uint32_t id;  /* + 1; 0: free */
} token_slot;

enum { MAX_TOKENS = 1 << 22 };

/* ---- the index ---- */

uint64_t rt_mix(uint64_t h) {
  h ^= h >> 32;
  h *= 0xD6E8FEB86659FD93u;
  return h ^ h >> 32;
}

uint32_t rt_table_size(size_t count) {
  uint32_t size = 16;
  while (size < 2 * count) size *= 2;
  return size;
}

uint64_t rt_token_hash(const char *text, size_t size) {
  uint64_t h = size * 0x9E3779B97F4A7C15u;
  for (; size >= 8; text += 8, size -= 8) h = rt_mix(h ^ rt_load_u64(text));
  uint64_t tail = 0;
  for (size_t i = 0; i < size; i++) tail |= (uint64_t)(uint8_t)text[i] << 8 * i;
  return rt_mix(h ^ tail);
}

static bool equal(rt_string a, const char *text, size_t size) { return a.size == size && memcmp(a.bytes, text, size) == 0; }

int32_t rt_tokens_find_hashed(const rt_tokens *tokens, uint64_t h, const char *text, size_t size) {
  const token_slot *slots = tokens->slots;
  for (uint32_t i = (uint32_t)h & tokens->mask, probes = 0; slots[i].id && probes < RT_MAX_PROBES; i = (i + 1) & tokens->mask, probes++)
    if (slots[i].tag == h >> 32 && equal(tokens->texts[slots[i].id - 1], text, size)) return (int32_t)slots[i].id - 1;
  return -1;
}

int32_t rt_tokens_find(const rt_tokens *tokens, const char *text, size_t size) {
  return size > tokens->longest ? -1 : rt_tokens_find_hashed(tokens, rt_token_hash(text, size), text, size);
}

void rt_tokens_prefetch(const rt_tokens *tokens, uint64_t h, int step) {
  const token_slot *slot = &tokens->slots[(uint32_t)h & tokens->mask];
  if (step == 0) RT_PREFETCH(slot);
  else if (slot->id && step == 1) RT_PREFETCH(&tokens->texts[slot->id - 1]);
  else if (slot->id) RT_PREFETCH(tokens->texts[slot->id - 1].bytes);
}

static retort_status add(rt_tokens *tokens, uint32_t id, uint64_t h, retort_error *error) {
  rt_string text = tokens->texts[id];
  uint32_t i = (uint32_t)h & tokens->mask, probes = 0;
  for (; tokens->slots[i].id; i = (i + 1) & tokens->mask) {
    if (tokens->slots[i].tag == h >> 32 && equal(tokens->texts[tokens->slots[i].id - 1], text.bytes, text.size))
      return RETORT_OK; /* repeats an earlier one, which stays */
    if (++probes == RT_MAX_PROBES)
      return rt_fail(error, RETORT_ERROR_FORMAT,
                     "tokenizer.ggml.tokens was made to collide in a hash table; this is not a real vocabulary");
  }
  tokens->slots[i] = (token_slot){(uint32_t)(h >> 32), id + 1};
  return RETORT_OK;
}

static retort_status index_texts(rt_tokens *tokens, retort_error *error) {
  uint64_t hashes[RT_LOOK_UP_BATCH];
  for (uint32_t first = 0; first < tokens->count; first += RT_LOOK_UP_BATCH) {
    uint32_t n = tokens->count - first < RT_LOOK_UP_BATCH ? tokens->count - first : RT_LOOK_UP_BATCH;
    for (uint32_t k = 0; k < n; k++) {
      rt_string text = tokens->texts[first + k];
      if (text.size > tokens->longest) tokens->longest = text.size;
      hashes[k] = rt_token_hash(text.bytes, text.size);
      rt_tokens_prefetch(tokens, hashes[k], 0);
    }
    for (uint32_t k = 0; k < n; k++) {
      if (!tokens->texts[first + k].size) continue; /* never found, and no text when it is generated */
      retort_status status = add(tokens, first + k, hashes[k], error);
      if (status) return status;
    }
  }
  return RETORT_OK;
}

/* ---- kinds ---- */

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

static retort_status read_kinds(rt_tokens *tokens, const retort_gguf *gguf, rt_arena *arena, rt_arena *temporary, retort_error *error) {
  uint32_t *kinds = NULL;
  size_t count = 0;
  retort_status status = rt_gguf_get_u32s(gguf, "tokenizer.ggml.token_type", false, temporary, &kinds, &count, error);
  if (status) return status;
  if (kinds && count != tokens->count)
    return rt_fail(error, RETORT_ERROR_FORMAT, "tokenizer.ggml.token_type has %zu elements, tokenizer.ggml.tokens %u", count,
                   tokens->count);
  tokens->kinds = rt_arena_alloc(arena, tokens->count, 1);
  if (!tokens->kinds) return rt_fail_memory(error, tokens->count, "token types");
  for (uint32_t id = 0; id < tokens->count; id++) {
    uint32_t kind = kinds ? kinds[id] : RT_TOKEN_NORMAL;
    if (kind < RT_TOKEN_NORMAL || kind > RT_TOKEN_BYTE)
      return rt_fail(error, RETORT_ERROR_FORMAT, "tokenizer.ggml.token_type[%u] is %u; 1 to 6 are known", id, kind);
    if (kind != RT_TOKEN_NORMAL && is_padding(tokens->texts[id], id)) kind = RT_TOKEN_UNUSED;
    tokens->kinds[id] = (uint8_t)kind;
  }
  return RETORT_OK;
}

retort_status rt_tokens_open(rt_tokens *tokens, const retort_gguf *gguf, rt_arena *arena, rt_arena *temporary, retort_error *error) {
  rt_string *texts = NULL;
  size_t count = 0;
  retort_status status = rt_gguf_get_strings(gguf, "tokenizer.ggml.tokens", true, arena, &texts, &count, error);
  if (status) return status;
  if (count == 0 || count > MAX_TOKENS)
    return rt_fail(error, RETORT_ERROR_FORMAT, "the vocabulary has %zu tokens; 1 to %d are possible", count, MAX_TOKENS);
  *tokens = (rt_tokens){.texts = texts, .count = (uint32_t)count, .mask = rt_table_size(count) - 1};
  tokens->slots = rt_arena_alloc(arena, (size_t)tokens->mask + 1, sizeof *tokens->slots);
  if (!tokens->slots) return rt_fail_memory(error, (tokens->mask + 1ull) * sizeof *tokens->slots, "the vocabulary's index");
  if ((status = index_texts(tokens, error))) return status;
  return read_kinds(tokens, gguf, arena, temporary, error);
}
