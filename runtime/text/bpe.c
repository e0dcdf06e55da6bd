/* bpe.c - see bpe.h.
 *
 * Files spell tokens in GPT-2's alphabet: 188 printable bytes stand for themselves as Latin-1 characters, the other 68 are U+0100 on. Texts
 * stay in the file; the two hash tables hold ids only. Both use linear probing at a load of at most one half and give up after MAX_PROBES,
 * so that no file can make opening slow by colliding texts: real vocabularies stay two orders of magnitude below.
 *
 * Merging follows the reference (Hugging Face `tokenizers`): the pair of lowest rank first, the leftmost of equals, from a heap; entries
 * whose symbols have changed meanwhile are skipped when they come up.
 */
#include "bpe.h"

#include <string.h>

#include "../base/utf8.h"

typedef struct rt_token_slot {
  uint32_t tag; /* upper half of the hash */
  uint32_t id;  /* + 1; 0: free */
} token_slot;
typedef struct rt_merge_slot {
  uint32_t left, right, rank;
  uint32_t merged; /* id + 1; 0: free */
} merge_slot;

#if defined(__GNUC__) || defined(__clang__)
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address) ((void)(address))
#endif

enum { MAX_PROBES = 1024, MAX_TOKENS = 1 << 22, MAX_MERGES = 1 << 23 };

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

size_t rt_bpe_decode(rt_string token, uint8_t *out, size_t capacity) {
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

/* ---- tokens by text ---- */

static uint64_t mix(uint64_t h) {
  h ^= h >> 32;
  h *= 0xD6E8FEB86659FD93u;
  return h ^ h >> 32;
}

static uint64_t hash_text(const char *text, size_t size) {
  uint64_t h = size * 0x9E3779B97F4A7C15u;
  for (; size >= 8; text += 8, size -= 8) h = mix(h ^ rt_load_u64(text));
  uint64_t tail = 0;
  for (size_t i = 0; i < size; i++) tail |= (uint64_t)(uint8_t)text[i] << 8 * i;
  return mix(h ^ tail);
}

static bool equal(rt_string a, const char *text, size_t size) { return a.size == size && memcmp(a.bytes, text, size) == 0; }

static int32_t find_hashed(const rt_bpe *bpe, uint64_t h, const char *text, size_t size) {
  for (uint32_t i = (uint32_t)h & bpe->token_mask, probes = 0; bpe->slots[i].id && probes < MAX_PROBES;
       i = (i + 1) & bpe->token_mask, probes++)
    if (bpe->slots[i].tag == h >> 32 && equal(bpe->tokens[bpe->slots[i].id - 1], text, size)) return (int32_t)bpe->slots[i].id - 1;
  return -1;
}

int32_t rt_bpe_find(const rt_bpe *bpe, const char *text, size_t size) {
  return size > bpe->longest ? -1 : find_hashed(bpe, hash_text(text, size), text, size);
}

int32_t rt_bpe_find_piece(const rt_bpe *bpe, const uint8_t *piece, size_t size) {
  enum { LONGEST = 512 }; /* four times the longest token of any known vocabulary; longer pieces are merged instead */
  uint8_t mapped[2 * LONGEST + 4];
  size_t n = 0;
  if (size > bpe->longest || size > LONGEST) return -1;
  for (size_t i = 0; i < size; i++) n += map_byte(piece[i], mapped + n);
  return rt_bpe_find(bpe, (const char *)mapped, n);
}

static uint32_t table_size(size_t count) {
  uint32_t size = 16;
  while (size < 2 * count) size *= 2;
  return size;
}

/* Opening is bound by cache misses, one after the other: so hashes are taken for BATCH texts at a time and their slots fetched together. */
enum { BATCH = 32 };

static retort_status index_tokens(rt_bpe *bpe, retort_error *error) {
  uint64_t hashes[BATCH];
  for (uint32_t id = 0; id < bpe->n_tokens; id++) {
    rt_string token = bpe->tokens[id];
    if (token.size == 0) return rt_fail(error, RETORT_ERROR_FORMAT, "tokenizer.ggml.tokens[%u] is empty", id);
    if (token.size > bpe->longest) bpe->longest = token.size;
    for (uint32_t k = 0; id % BATCH == 0 && k < BATCH && k < bpe->n_tokens - id; k++) {
      hashes[k] = hash_text(bpe->tokens[id + k].bytes, bpe->tokens[id + k].size);
      PREFETCH(&bpe->slots[(uint32_t)hashes[k] & bpe->token_mask]);
    }
    uint64_t h = hashes[id % BATCH];
    uint32_t i = (uint32_t)h & bpe->token_mask, probes = 0;
    for (; bpe->slots[i].id; i = (i + 1) & bpe->token_mask) {
      if (bpe->slots[i].tag == h >> 32 && equal(bpe->tokens[bpe->slots[i].id - 1], token.bytes, token.size))
        return rt_fail(error, RETORT_ERROR_FORMAT, "tokenizer.ggml.tokens[%u] repeats [%u]", id, bpe->slots[i].id - 1);
      if (++probes == MAX_PROBES)
        return rt_fail(error, RETORT_ERROR_FORMAT,
                       "tokenizer.ggml.tokens was made to collide in a hash table; this is not a real vocabulary");
    }
    bpe->slots[i] = (token_slot){(uint32_t)(h >> 32), id + 1};
  }
  return RETORT_OK;
}

/* ---- merges by pair ---- */

static uint64_t hash_pair(uint32_t left, uint32_t right) { return mix(((uint64_t)left << 32 | right) + 0x9E3779B97F4A7C15u); }

static const merge_slot *find_merge(const rt_bpe *bpe, uint32_t left, uint32_t right) {
  uint32_t i = (uint32_t)hash_pair(left, right) & bpe->merge_mask;
  for (uint32_t probes = 0; bpe->merges[i].merged && probes < MAX_PROBES; i = (i + 1) & bpe->merge_mask, probes++)
    if (bpe->merges[i].left == left && bpe->merges[i].right == right) return &bpe->merges[i];
  return NULL;
}

/* A merge given twice keeps its last rank, as in the reference. */
static bool add_merge(rt_bpe *bpe, merge_slot merge) {
  uint32_t i = (uint32_t)hash_pair(merge.left, merge.right) & bpe->merge_mask, probes = 0;
  for (; bpe->merges[i].merged; i = (i + 1) & bpe->merge_mask) {
    if (bpe->merges[i].left == merge.left && bpe->merges[i].right == merge.right) break;
    if (++probes == MAX_PROBES) return false;
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

static void read_merge(const rt_bpe *bpe, rt_string line, pending *p) {
  const char *blank = line.size > 2 ? memchr(line.bytes + 1, ' ', line.size - 2) : NULL;
  *p = (pending){0};
  if (!blank || line.size - 1 > bpe->longest) return;
  size_t n_left = (size_t)(blank - line.bytes);
  p->halves[0] = (half){line.bytes, n_left, hash_text(line.bytes, n_left)};
  p->halves[1] = (half){blank + 1, line.size - n_left - 1, hash_text(blank + 1, line.size - n_left - 1)};
  for (int side = 0; side < 2; side++) PREFETCH(&bpe->slots[(uint32_t)p->halves[side].hash & bpe->token_mask]);
}

/* Fetches the text that the slot of `h` leads to, in two steps because each needs what the one before has fetched. */
static void prefetch_token(const rt_bpe *bpe, uint64_t h, bool text) {
  uint32_t id = bpe->slots[(uint32_t)h & bpe->token_mask].id;
  if (!id) return;
  if (text) PREFETCH(bpe->tokens[id - 1].bytes);
  else PREFETCH(&bpe->tokens[id - 1]);
}

/* Finds the three tokens. *guess: merged tokens mostly stand in the order of the merges. */
static bool resolve_merge(const rt_bpe *bpe, pending *p, uint32_t rank, char *joined, int32_t *guess) {
  const half *left = &p->halves[0], *right = &p->halves[1];
  if (!left->text) return false;
  int32_t left_id = find_hashed(bpe, left->hash, left->text, left->size),
          right_id = find_hashed(bpe, right->hash, right->text, right->size);
  memcpy(joined, left->text, left->size);
  memcpy(joined + left->size, right->text, right->size);
  size_t size = left->size + right->size;
  if ((uint32_t)++*guess >= bpe->n_tokens || !equal(bpe->tokens[*guess], joined, size)) *guess = rt_bpe_find(bpe, joined, size);
  p->merge = (merge_slot){(uint32_t)left_id, (uint32_t)right_id, rank, (uint32_t)*guess + 1};
  if (left_id < 0 || right_id < 0 || *guess < 0) return false;
  PREFETCH(&bpe->merges[(uint32_t)hash_pair((uint32_t)left_id, (uint32_t)right_id) & bpe->merge_mask]);
  return true;
}

static retort_status index_merges(rt_bpe *bpe, const rt_string *merges, size_t n_merges, char *joined, retort_error *error) {
  pending batch[BATCH];
  int32_t guess = -1;
  for (size_t first = 0; first < n_merges; first += BATCH) {
    size_t n = n_merges - first < BATCH ? n_merges - first : BATCH;
    for (size_t i = 0; i < n; i++) read_merge(bpe, merges[first + i], &batch[i]);
    for (int step = 0; step < 2; step++)
      for (size_t i = 0; i < n; i++)
        for (int side = 0; side < 2; side++) prefetch_token(bpe, batch[i].halves[side].hash, step == 1);
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

retort_status rt_bpe_open(rt_bpe *bpe, rt_arena *arena, const rt_string *tokens, size_t n_tokens, const rt_string *merges, size_t n_merges,
                          retort_error *error) {
  if (n_tokens == 0 || n_tokens > MAX_TOKENS || n_merges > MAX_MERGES)
    return rt_fail(error, RETORT_ERROR_FORMAT, "the vocabulary has %zu tokens and %zu merges; 1 to %d and at most %d are possible",
                   n_tokens, n_merges, MAX_TOKENS, MAX_MERGES);
  *bpe = (rt_bpe){.tokens = tokens, .n_tokens = (uint32_t)n_tokens};
  bpe->token_mask = table_size(n_tokens) - 1;
  bpe->merge_mask = table_size(n_merges) - 1;
  bpe->slots = rt_arena_alloc(arena, (size_t)bpe->token_mask + 1, sizeof *bpe->slots);
  bpe->merges = rt_arena_alloc(arena, (size_t)bpe->merge_mask + 1, sizeof *bpe->merges);
  if (!bpe->slots || !bpe->merges)
    return rt_fail_memory(error, (bpe->token_mask + 1ull) * sizeof *bpe->slots + (bpe->merge_mask + 1ull) * sizeof *bpe->merges,
                          "the vocabulary's index");
  retort_status status = index_tokens(bpe, error);
  if (status) return status;
  char *joined = rt_arena_alloc(arena, bpe->longest, 1);
  if (!joined) return rt_fail_memory(error, bpe->longest, "one token");
  if ((status = index_merges(bpe, merges, n_merges, joined, error))) return status;
  for (int b = 0; b < 256; b++) {
    uint8_t text[4];
    bpe->byte_ids[b] = rt_bpe_find(bpe, (const char *)text, map_byte((uint8_t)b, text));
  }
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

static void sift_down(candidate *heap, size_t count, size_t i) {
  candidate moved = heap[i];
  for (size_t child; (child = 2 * i + 1) < count; i = child) {
    if (child + 1 < count && before(heap[child + 1], heap[child])) child++;
    if (!before(heap[child], moved)) break;
    heap[i] = heap[child];
  }
  heap[i] = moved;
}

static void push(candidate *heap, size_t *count, candidate added) {
  size_t i = (*count)++;
  for (; i > 0 && before(added, heap[(i - 1) / 2]); i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
  heap[i] = added;
}

void rt_bpe_work_close(rt_bpe_work *work) {
  rt_free(work->platform, work->memory, work->size);
  *work = (rt_bpe_work){.platform = work->platform};
}

/* A merge takes one candidate off the heap and adds two at most, so 2n is room enough. */
static retort_status reserve(rt_bpe_work *work, size_t n, retort_error *error) {
  if (n <= work->symbols) return RETORT_OK;
  size_t grown = n < 256 ? 256 : n, size;
  uint64_t bytes;
  if (grown < 2 * work->symbols) grown = 2 * work->symbols;
  if (!rt_mul_u64(grown, sizeof(symbol) + 2 * sizeof(candidate), &bytes) || !rt_to_size(bytes, &size))
    return rt_fail_memory(error, n, "tokenising");
  rt_bpe_work_close(work);
  work->memory = rt_alloc(work->platform, size);
  if (!work->memory) return rt_fail_memory(error, bytes, "tokenising one long word");
  work->size = size;
  work->symbols = grown;
  return RETORT_OK;
}

static void consider(const rt_bpe *bpe, const symbol *symbols, uint32_t at, candidate *heap, size_t *count) {
  const merge_slot *merge = find_merge(bpe, symbols[at].id, symbols[symbols[at].next].id);
  if (merge) push(heap, count, (candidate){merge->rank, at, merge->merged - 1});
}

retort_status rt_bpe_encode(const rt_bpe *bpe, rt_bpe_work *work, const uint8_t *piece, size_t size, rt_ids *out, retort_error *error) {
  retort_status status = reserve(work, size, error);
  if (status) return status;
  symbol *symbols = work->memory;
  candidate *heap = (candidate *)(symbols + work->symbols);
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
    if (merge) heap[count++] = (candidate){merge->rank, i, merge->merged - 1};
  }
  for (size_t i = count / 2; i-- > 0;) sift_down(heap, count, i);

  while (count > 0) {
    candidate top = heap[0];
    heap[0] = heap[--count];
    if (count) sift_down(heap, count, 0);
    symbol *left = &symbols[top.at];
    if (left->id == DEAD || left->next == NONE) continue;
    symbol *right = &symbols[left->next];
    const merge_slot *merge = find_merge(bpe, left->id, right->id);
    if (!merge || merge->merged - 1 != top.merged) continue;
    left->id = top.merged;
    left->next = right->next;
    right->id = DEAD;
    if (left->next != NONE) symbols[left->next].previous = top.at;
    if (left->previous != NONE) consider(bpe, symbols, left->previous, heap, &count);
    if (left->next != NONE) consider(bpe, symbols, top.at, heap, &count);
  }
  for (uint32_t i = 0; i != NONE; i = symbols[i].next) rt_ids_push(out, (int32_t)symbols[i].id);
  return RETORT_OK;
}
