/* byte_bpe.c - the tokenizer "gpt2": byte-level byte pair encoding. Any bytes can be spelled, so nothing is unknown to it.
 *
 * Files spell tokens in GPT-2's alphabet: 188 printable bytes stand for themselves as Latin-1 characters, the other 68 are U+0100 on. A
 * fragment is normalised where the family asks for it (Qwen: NFC; the others: not), cut into pieces (pretokenize.c), and each piece merged.
 *
 * Merging follows the reference (Hugging Face `tokenizers`): the pair of lowest rank first, the leftmost of equals, from a heap; entries
 * whose symbols have changed meanwhile are skipped when they come up. Merges are hashed by their pair of ids, probing as tokens.h says.
 */
#include <string.h>

#include "../base/heap.h"
#include "../base/utf8.h"
#include "pretokenize.h"
#include "tokenizer.h"
#include "unicode.h"

typedef struct merge_slot {
  uint32_t left, right, rank;
  uint32_t merged; /* id + 1; 0: free */
} merge_slot;

typedef struct byte_bpe {
  rt_tokenizer base;
  const rt_pre *pre;
  merge_slot *merges; /* hash of (left id, right id) */
  uint32_t merge_mask;
  int32_t byte_ids[256]; /* the token of each byte, -1: none, such bytes are dropped as the reference does */
} byte_bpe;

enum { MAX_MERGES = 1 << 23 };

/* ---- GPT-2's alphabet ---- */

static bool is_plain(uint32_t b) { return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255); }

/* Writes the character of byte `b` in UTF-8 (1 or 2 bytes). */
static size_t map_byte(uint8_t b, uint8_t out[4]) {
  uint32_t n = b <= 32 ? b : b == 173 ? 67 : (uint32_t)b - 127 + 33;
  return rt_utf8_encode(is_plain(b) ? b : 256 + n, out);
}

static int unmap(uint32_t cp) {
  if (cp < 256) return is_plain(cp) ? (int)cp : -1;
  uint32_t n = cp - 256;
  return n <= 32 ? (int)n : n <= 66 ? (int)(n - 33 + 127) : n == 67 ? 173 : -1;
}

/* A text outside of the alphabet stands for itself. */
static size_t decode_token(const rt_tokenizer *tokenizer, int32_t id, uint8_t *out, size_t capacity) {
  rt_string token = tokenizer->tokens->texts[id];
  const uint8_t *text = (const uint8_t *)token.bytes;
  size_t count = 0;
  uint32_t cp;
  for (size_t i = 0; i < token.size; count++) {
    i += rt_utf8_decode(text + i, token.size - i, &cp);
    int byte = unmap(cp);
    if (byte < 0) {
      if (capacity) memcpy(out, text, token.size < capacity ? token.size : capacity);
      return token.size;
    }
    if (count < capacity) out[count] = (uint8_t)byte;
  }
  return count;
}

/* The token that is exactly `piece` (raw bytes), -1: none. */
static int32_t find_piece(const rt_tokens *tokens, const uint8_t *piece, size_t size) {
  enum { LONGEST = 512 }; /* four times the longest token of any known vocabulary; longer pieces are merged instead */
  uint8_t mapped[2 * LONGEST + 4];
  size_t n = 0;
  if (size > tokens->longest || size > LONGEST) return -1;
  for (size_t i = 0; i < size; i++) n += map_byte(piece[i], mapped + n);
  return rt_tokens_find(tokens, (const char *)mapped, n);
}

/* ---- merges by pair ---- */

static uint64_t hash_pair(uint32_t left, uint32_t right) { return rt_mix(((uint64_t)left << 32 | right) + 0x9E3779B97F4A7C15u); }

static const merge_slot *find_merge(const byte_bpe *bpe, uint32_t left, uint32_t right) {
  uint32_t i = (uint32_t)hash_pair(left, right) & bpe->merge_mask;
  for (uint32_t probes = 0; bpe->merges[i].merged && probes < RT_MAX_PROBES; i = (i + 1) & bpe->merge_mask, probes++)
    if (bpe->merges[i].left == left && bpe->merges[i].right == right) return &bpe->merges[i];
  return NULL;
}

/* A merge given twice keeps its last rank, as in the reference. */
static bool add_merge(byte_bpe *bpe, merge_slot merge) {
  uint32_t i = (uint32_t)hash_pair(merge.left, merge.right) & bpe->merge_mask, probes = 0;
  for (; bpe->merges[i].merged; i = (i + 1) & bpe->merge_mask) {
    if (bpe->merges[i].left == merge.left && bpe->merges[i].right == merge.right) break;
    if (++probes == RT_MAX_PROBES) return false;
  }
  bpe->merges[i] = merge;
  return true;
}

/* One merge on its way into the table. */
typedef struct half {
  const char *text;
  size_t size;
  uint64_t hash;
} half;
typedef struct pending {
  half halves[2]; /* left, right; text NULL: the line is not "a b" */
  merge_slot merge;
} pending;

static void read_merge(const rt_tokens *tokens, rt_string line, pending *p) {
  const char *blank = line.size > 2 ? memchr(line.bytes + 1, ' ', line.size - 2) : NULL;
  *p = (pending){0};
  if (!blank || line.size - 1 > tokens->longest) return;
  size_t n_left = (size_t)(blank - line.bytes);
  p->halves[0] = (half){line.bytes, n_left, rt_token_hash(line.bytes, n_left)};
  p->halves[1] = (half){blank + 1, line.size - n_left - 1, rt_token_hash(blank + 1, line.size - n_left - 1)};
  for (int side = 0; side < 2; side++) rt_tokens_prefetch(tokens, p->halves[side].hash, 0);
}

/* Finds the three tokens. *guess: merged tokens mostly stand in the order of the merges. */
static bool resolve_merge(const byte_bpe *bpe, pending *p, uint32_t rank, char *joined, int32_t *guess) {
  const half *left = &p->halves[0], *right = &p->halves[1];
  if (!left->text) return false;
  const rt_tokens *tokens = bpe->base.tokens;
  int32_t left_id = rt_tokens_find_hashed(tokens, left->hash, left->text, left->size);
  int32_t right_id = rt_tokens_find_hashed(tokens, right->hash, right->text, right->size);
  memcpy(joined, left->text, left->size);
  memcpy(joined + left->size, right->text, right->size);
  size_t size = left->size + right->size;
  if ((uint32_t)++*guess >= tokens->count || tokens->texts[*guess].size != size || memcmp(tokens->texts[*guess].bytes, joined, size) != 0)
    *guess = rt_tokens_find(tokens, joined, size);
  p->merge = (merge_slot){(uint32_t)left_id, (uint32_t)right_id, rank, (uint32_t)*guess + 1};
  if (left_id < 0 || right_id < 0 || *guess < 0) return false;
  RT_PREFETCH(&bpe->merges[(uint32_t)hash_pair((uint32_t)left_id, (uint32_t)right_id) & bpe->merge_mask]);
  return true;
}

static retort_status index_merges(byte_bpe *bpe, const rt_string *merges, size_t n_merges, char *joined, retort_error *error) {
  const rt_tokens *tokens = bpe->base.tokens;
  pending batch[RT_LOOK_UP_BATCH];
  int32_t guess = -1;
  for (size_t first = 0; first < n_merges; first += RT_LOOK_UP_BATCH) {
    size_t n = n_merges - first < RT_LOOK_UP_BATCH ? n_merges - first : RT_LOOK_UP_BATCH;
    for (size_t i = 0; i < n; i++) read_merge(tokens, merges[first + i], &batch[i]);
    for (int step = 1; step <= 2; step++)
      for (size_t i = 0; i < n; i++)
        for (int side = 0; side < 2; side++) rt_tokens_prefetch(tokens, batch[i].halves[side].hash, step);
    for (size_t i = 0; i < n; i++) {
      rt_string line = merges[first + i];
      if (!resolve_merge(bpe, &batch[i], (uint32_t)(first + i), joined, &guess))
        return rt_fail(error, RETORT_ERROR_FORMAT, "tokenizer.ggml.merges[%zu], \"%.*s\", does not join two tokens into a third", first + i,
                       (int)(line.size < 80 ? line.size : 80), line.bytes);
    }
    for (size_t i = 0; i < n; i++)
      if (!add_merge(bpe, batch[i].merge))
        return rt_fail(error, RETORT_ERROR_FORMAT,
                       "tokenizer.ggml.merges was made to collide in a hash table; this is not a real vocabulary");
  }
  return RETORT_OK;
}

static retort_status choose_pre(const retort_gguf *gguf, const retort_platform *platform, const rt_pre **pre, retort_error *error) {
  rt_string name = {0};
  retort_status status = rt_gguf_get_string(gguf, "tokenizer.ggml.pre", false, &name, error);
  if (status) return status;
  bool is_default = name.bytes && name.size == 7 && memcmp(name.bytes, "default", 7) == 0;
  if (!name.bytes || is_default) {
    rt_log(platform, 1,
           "the file does not say how its tokenizer splits text (tokenizer.ggml.pre is %s); splitting as GPT-2 does, which may give the "
           "model tokens that it was not trained on",
           is_default ? "\"default\"" : "missing");
    name = (rt_string){"gpt-2", 5};
  }
  return rt_pre_find(name.bytes, name.size, pre, error);
}

static retort_status open_byte_bpe(const rt_tokens *tokens, const retort_gguf *gguf, rt_arena *arena, rt_arena *temporary,
                                   rt_tokenizer **out, retort_error *error) {
  byte_bpe *bpe = rt_arena_alloc(arena, 1, sizeof *bpe);
  rt_string *merges = NULL;
  size_t n_merges = 0;
  if (!bpe) return rt_fail_memory(error, sizeof *bpe, "the tokenizer");
  retort_status status = choose_pre(gguf, arena->platform, &bpe->pre, error);
  if (!status) status = rt_gguf_get_strings(gguf, "tokenizer.ggml.merges", true, temporary, &merges, &n_merges, error);
  if (status) return status;
  if (n_merges > MAX_MERGES)
    return rt_fail(error, RETORT_ERROR_FORMAT, "the vocabulary has %zu merges; at most %d are possible", n_merges, MAX_MERGES);
  bpe->base = (rt_tokenizer){&rt_byte_bpe, tokens, bpe->pre->add_bos};
  bpe->merge_mask = rt_table_size(n_merges) - 1;
  bpe->merges = rt_arena_alloc(arena, (size_t)bpe->merge_mask + 1, sizeof *bpe->merges);
  if (!bpe->merges) return rt_fail_memory(error, (bpe->merge_mask + 1ull) * sizeof *bpe->merges, "the index of merges");
  char *joined = rt_arena_alloc(temporary, tokens->longest, 1);
  if (!joined) return rt_fail_memory(error, tokens->longest, "one token");
  if ((status = index_merges(bpe, merges, n_merges, joined, error))) return status;
  for (int b = 0; b < 256; b++) {
    uint8_t text[4];
    bpe->byte_ids[b] = rt_tokens_find(tokens, (const char *)text, map_byte((uint8_t)b, text));
  }
  *out = &bpe->base;
  return RETORT_OK;
}

/* ---- merging ---- */

typedef struct symbol {
  uint32_t id;
  uint32_t previous, next; /* indices, NONE at the ends */
} symbol;
typedef struct candidate {
  uint32_t rank, at, merged; /* `at`: index of the left symbol */
} candidate;
enum { NONE = UINT32_MAX, DEAD = UINT32_MAX };

static bool before(candidate a, candidate b) { return a.rank != b.rank ? a.rank < b.rank : a.at < b.at; }
RT_HEAP(heap, candidate, before)

static void consider(const byte_bpe *bpe, const symbol *symbols, uint32_t at, candidate *candidates, size_t *count) {
  const merge_slot *merge = find_merge(bpe, symbols[at].id, symbols[symbols[at].next].id);
  if (merge) heap_push(candidates, count, (candidate){merge->rank, at, merge->merged - 1});
}

/* Appends the tokens of one piece: a heap of the pairs that can be merged, over a list of symbols linked by index. A merge takes one pair
 * off the heap and adds two at most, so room for two pairs a symbol is enough. O(n log n) in the size of the piece. */
static retort_status merge_piece(const byte_bpe *bpe, rt_encoder *encoder, const uint8_t *piece, size_t size) {
  enum { UNIT = sizeof(symbol) + 2 * sizeof(candidate) };
  retort_status status = rt_encoder_reserve(encoder, size, UNIT);
  if (status) return status;
  symbol *symbols = encoder->memory;
  candidate *candidates = (candidate *)(symbols + encoder->size / UNIT);
  uint32_t n = 0;
  for (size_t i = 0; i < size; i++) {
    if (bpe->byte_ids[piece[i]] < 0) continue;
    symbols[n] = (symbol){(uint32_t)bpe->byte_ids[piece[i]], n ? n - 1 : NONE, n + 1};
    n++;
  }
  if (n == 0) return RETORT_OK;
  symbols[n - 1].next = NONE;
  size_t count = 0;
  for (uint32_t i = 0; i + 1 < n; i++) {
    const merge_slot *merge = find_merge(bpe, symbols[i].id, symbols[i + 1].id);
    if (merge) candidates[count++] = (candidate){merge->rank, i, merge->merged - 1};
  }
  heap_make(candidates, count);

  while (count > 0) {
    candidate top = heap_pop(candidates, &count);
    symbol *left = &symbols[top.at];
    if (left->id == DEAD || left->next == NONE) continue;
    symbol *right = &symbols[left->next];
    const merge_slot *merge = find_merge(bpe, left->id, right->id);
    if (!merge || merge->merged - 1 != top.merged) continue;
    left->id = top.merged;
    left->next = right->next;
    right->id = DEAD;
    if (left->next != NONE) symbols[left->next].previous = top.at;
    if (left->previous != NONE) consider(bpe, symbols, left->previous, candidates, &count);
    if (left->next != NONE) consider(bpe, symbols, top.at, candidates, &count);
  }
  for (uint32_t i = 0; i != NONE; i = symbols[i].next) rt_ids_push(&encoder->out, (int32_t)symbols[i].id);
  return RETORT_OK;
}

/* ---- fragments ---- */

static retort_status encode_pieces(const byte_bpe *bpe, rt_encoder *encoder, const uint8_t *text, size_t size) {
  const rt_tokens *tokens = bpe->base.tokens;
  rt_pretokenizer pretokenizer;
  size_t start, end;
  rt_pretokenize_begin(&pretokenizer, bpe->pre, text, size);
  while (rt_pretokenize_next(&pretokenizer, &start, &end)) {
    int32_t id = bpe->pre->whole_pieces ? find_piece(tokens, text + start, end - start) : -1;
    if (id >= 0 && tokens->kinds[id] == RT_TOKEN_NORMAL) {
      rt_ids_push(&encoder->out, id);
      continue;
    }
    retort_status status = merge_piece(bpe, encoder, text + start, end - start);
    if (status) return status;
  }
  return RETORT_OK;
}

static retort_status encode_fragment(const rt_tokenizer *tokenizer, rt_encoder *encoder, rt_fragment fragment) {
  const byte_bpe *bpe = (const byte_bpe *)tokenizer;
  if (!bpe->pre->nfc) return encode_pieces(bpe, encoder, fragment.text, fragment.size);
  const uint8_t *normal;
  size_t n, capacity;
  if (!rt_nfc(encoder->platform, fragment.text, fragment.size, &normal, &n, &capacity))
    return rt_fail_memory(encoder->error, fragment.size * 8ull, "normalising the text");
  retort_status status = encode_pieces(bpe, encoder, normal, n);
  if (capacity) rt_free(encoder->platform, (void *)normal, capacity);
  return status;
}

const rt_tokenizer_kind rt_byte_bpe = {"gpt2", "byte-level BPE", open_byte_bpe, encode_fragment, decode_token};
