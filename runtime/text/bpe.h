/* bpe.h - byte-level byte pair encoding: tokens by text, merges by pair, and the merging itself. */
#ifndef RT_BPE_H
#define RT_BPE_H

#include "../base/base.h"
#include "../gguf/gguf.h"

/* Token ids for a caller's buffer: `count` goes on when the room is used up. */
typedef struct rt_ids {
  int32_t *ids;
  size_t capacity, count;
} rt_ids;
static inline void rt_ids_push(rt_ids *out, int32_t id) {
  if (out->count < out->capacity) out->ids[out->count] = id;
  out->count++;
}

typedef struct rt_bpe {
  const rt_string *tokens; /* (n_tokens), views into the file, GPT-2's byte alphabet */
  uint32_t n_tokens;
  struct rt_token_slot *slots;  /* hash of the tokens' texts; size is token_mask + 1 */
  struct rt_merge_slot *merges; /* hash of (left id, right id) */
  uint32_t token_mask, merge_mask;
  size_t longest;        /* bytes of the longest token */
  int32_t byte_ids[256]; /* the token of each byte, -1: none, such bytes are dropped as the reference does */
} rt_bpe;

/* Checks and indexes. `tokens` must stay, `merges` need not. Everything is in the arena. */
retort_status rt_bpe_open(rt_bpe *bpe, rt_arena *arena, const rt_string *tokens, size_t n_tokens, const rt_string *merges, size_t n_merges,
                          retort_error *error);

/* The token spelled `text` in the file (mapped alphabet), -1: none. */
int32_t rt_bpe_find(const rt_bpe *bpe, const char *text, size_t size);

/* Memory that encoding reuses from piece to piece. Zero-initialise, and close. */
typedef struct rt_bpe_work {
  const retort_platform *platform;
  void *memory;
  size_t size;    /* bytes of memory */
  size_t symbols; /* the longest piece that it serves */
} rt_bpe_work;
void rt_bpe_work_close(rt_bpe_work *work);

/* Appends the tokens of one piece (raw bytes). O(n log n) in its size. */
retort_status rt_bpe_encode(const rt_bpe *bpe, rt_bpe_work *work, const uint8_t *piece, size_t size, rt_ids *out, retort_error *error);

/* The token that is exactly `piece` (raw bytes), -1: none. */
int32_t rt_bpe_find_piece(const rt_bpe *bpe, const uint8_t *piece, size_t size);

/* The bytes that a token's text in the mapped alphabet stands for; a text outside of that alphabet stands for itself. Writes at most
 * `capacity` bytes and returns the number there are. */
size_t rt_bpe_decode(rt_string token, uint8_t *out, size_t capacity);

#endif
