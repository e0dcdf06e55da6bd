/* tokens.h - the tokens of a vocabulary, which it shares with its tokenizer: their texts and kinds, and the index from text to id. */
#ifndef RT_TOKENS_H
#define RT_TOKENS_H

#include "../base/base.h"
#include "../gguf/gguf.h"

/* tokenizer.ggml.token_type */
enum { RT_TOKEN_NORMAL = 1, RT_TOKEN_UNKNOWN = 2, RT_TOKEN_CONTROL = 3, RT_TOKEN_USER_DEFINED = 4, RT_TOKEN_UNUSED = 5, RT_TOKEN_BYTE = 6 };

typedef struct rt_tokens {
  const rt_string *texts; /* (count), views into the file, in the spelling of its tokenizer; a text is found as the first that has it */
  uint8_t *kinds;         /* (count) */
  uint32_t count;         /* at least 1 */
  uint32_t mask;
  struct rt_token_slot *slots; /* hash of the texts; (mask + 1) */
  size_t longest;              /* bytes of the longest text */
} rt_tokens;

/* Reads tokenizer.ggml.tokens and .token_type, checks and indexes. What stays is in `arena`; the texts stay in the file. */
retort_status rt_tokens_open(rt_tokens *tokens, const retort_gguf *gguf, rt_arena *arena, rt_arena *temporary, retort_error *error);

/* The token of this text, -1: none. */
int32_t rt_tokens_find(const rt_tokens *tokens, const char *text, size_t size);

/* Its texts stand for themselves and are cut out of a text before anything else: control and user-defined tokens. */
static inline bool rt_tokens_is_special(const rt_tokens *tokens, int32_t id) {
  return tokens->kinds[id] == RT_TOKEN_CONTROL || tokens->kinds[id] == RT_TOKEN_USER_DEFINED;
}

/* ---- for those who look up many at once: finding is bound by cache misses, one after the other, which prefetching overlaps ---- */
uint64_t rt_token_hash(const char *text, size_t size);
int32_t rt_tokens_find_hashed(const rt_tokens *tokens, uint64_t hash, const char *text, size_t size);
/* Fetches what looking up `hash` will read: the slot (step 0), where its token's text is (1), the text (2). Each needs the one before. */
void rt_tokens_prefetch(const rt_tokens *tokens, uint64_t hash, int step);

/* What the hash tables of a vocabulary have in common: linear probing at a load of at most one half, given up after RT_MAX_PROBES, so that
 * no file can make opening slow by colliding texts: real vocabularies stay two orders of magnitude below. */
enum { RT_MAX_PROBES = 1024, RT_LOOK_UP_BATCH = 32 };
uint32_t rt_table_size(size_t count); /* slots for `count` entries, a power of two */
uint64_t rt_mix(uint64_t h);

#if defined(__GNUC__) || defined(__clang__)
#define RT_PREFETCH(address) __builtin_prefetch(address)
#else
#define RT_PREFETCH(address) ((void)(address))
#endif

#endif
