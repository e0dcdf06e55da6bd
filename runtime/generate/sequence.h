/* sequence.h - one conversation's tokens and the pages that hold their keys and values.
 *
 * Invariant: tokens[0..n_past + n_ahead) are exactly the tokens whose keys and values the pages hold. Those before n_past count as the
 * sequence's text: a later prompt is compared with them and its common prefix kept. Those after it are drafts (generate.c): whatever else
 * is done to the sequence forgets them.
 */
#ifndef RT_SEQUENCE_H
#define RT_SEQUENCE_H

#include "../base/base.h"
#include "../model/model.h"

struct rt_generation;

struct retort_sequence {
  retort_engine *engine; /* which lists it, and steps it */
  retort_sequence *next; /* in the engine's list */
  rt_arena arena;        /* this struct, tokens and the table of pages */
  rt_kv_table cache;
  uint32_t n_ctx;                   /* most positions */
  uint32_t n_past;                  /* positions of the text that are computed */
  uint32_t n_ahead;                 /* positions after them that are computed too, for tokens that were drafted */
  int32_t *tokens;                  /* (n_ctx) */
  atomic_bool interrupted;          /* asked for by retort_sequence_interrupt, until a call has given up for it */
  struct rt_generation *generation; /* generate.c's; NULL without a vocabulary */
};

retort_status rt_sequence_open(rt_kv_pool *pool, uint32_t n_ctx, retort_sequence **out, retort_error *error);
/* Gives back the pages; the generation was closed before. */
void rt_sequence_close(retort_sequence *sequence);
/* Forgets what stands after the first n positions. */
void rt_sequence_cut(retort_sequence *sequence, uint32_t n);
/* Positions that the text shares with ids[0..count). */
uint32_t rt_sequence_common(const retort_sequence *sequence, const int32_t *ids, uint32_t count);
/* `to` gets the first n positions of `from` in place of its own; the pages are shared. */
void rt_sequence_share(retort_sequence *to, const retort_sequence *from, uint32_t n);
uint64_t rt_sequence_bytes(const retort_sequence *sequence); /* beside its pages and its generation */

/* saved.c: the text, its keys and values as bytes. `model` (RT_SHA256_SIZE) says which model they belong to. */
retort_status rt_sequence_save(const retort_sequence *sequence, const uint8_t *model, void *buffer, size_t capacity, size_t *size,
                               retort_error *error);
/* On any failure the sequence has what it had. */
retort_status rt_sequence_restore(retort_sequence *sequence, const uint8_t *model, uint32_t n_vocab, const void *data, size_t size,
                                  retort_error *error);

#endif
