/* sequence.c - opening, cutting back and sharing sequences; see sequence.h. What is computed for them is engine.c's subject. */
#include "sequence.h"

#include <string.h>

retort_status rt_sequence_open(rt_kv_pool *pool, uint32_t n_ctx, retort_sequence **out, retort_error *error) {
  rt_arena arena = {.platform = pool->platform};
  retort_sequence *s = rt_arena_alloc(&arena, 1, sizeof *s);
  if (!s) return rt_fail_memory(error, sizeof *s, "the sequence");
  s->arena = arena;
  s->n_ctx = n_ctx;
  s->cache = (rt_kv_table){.pool = pool, .most = rt_kv_pages_for(n_ctx)};
  s->tokens = rt_arena_alloc(&s->arena, n_ctx, sizeof *s->tokens);
  s->cache.pages = rt_arena_alloc(&s->arena, s->cache.most, sizeof *s->cache.pages);
  if (!s->tokens || !s->cache.pages) {
    rt_sequence_close(s);
    return rt_fail_memory(error, n_ctx * (uint64_t)sizeof *s->tokens, "the sequence's tokens");
  }
  *out = s;
  return RETORT_OK;
}

void rt_sequence_close(retort_sequence *sequence) {
  rt_kv_cut(&sequence->cache, 0);
  rt_arena arena = sequence->arena; /* the arena holds the sequence itself */
  rt_arena_close(&arena);
}

void rt_sequence_cut(retort_sequence *sequence, uint32_t n) {
  sequence->n_past = n;
  sequence->n_ahead = 0;
  rt_kv_cut(&sequence->cache, n);
}

uint32_t rt_sequence_common(const retort_sequence *sequence, const int32_t *ids, uint32_t count) {
  uint32_t n = 0;
  while (n < sequence->n_past && n < count && sequence->tokens[n] == ids[n]) n++;
  return n;
}

void rt_sequence_share(retort_sequence *to, const retort_sequence *from, uint32_t n) {
  rt_kv_share(&to->cache, &from->cache, n);
  memcpy(to->tokens, from->tokens, n * sizeof *to->tokens);
  to->n_past = n;
  to->n_ahead = 0;
}

uint64_t rt_sequence_bytes(const retort_sequence *sequence) { return sequence->arena.used; }
