/* session.h - what a retort_session is made of: one sequence on one model.
 *
 * session.c owns everything here but `generation`, which is generate.c's.
 * Invariant: tokens[0..n_past + n_ahead) are exactly the tokens whose keys and values the cache holds. Those before n_past count as the
 * session's text: a later prompt is compared with them and its common prefix kept. Those after it are drafts (generate.c): whatever else
 * is done to the session forgets them.
 */
#ifndef RT_SESSION_H
#define RT_SESSION_H

#include "../base/base.h"
#include "../model/model.h"

struct rt_generation;

struct retort_session {
  const retort_platform *platform;
  const retort_model *model;
  const retort_vocab *vocab; /* may be NULL */
  uint32_t n_ctx;
  rt_kv_pool pool;
  rt_kv_table cache;
  rt_work work;
  rt_arena arena;                   /* tokens, rows */
  uint32_t n_past;                  /* positions in the cache */
  uint32_t n_ahead;                 /* positions after them that are computed too, for tokens that were drafted */
  int32_t *tokens;                  /* (n_ctx) */
  rt_row *rows;                     /* (n_batch) the piece being computed */
  atomic_bool interrupted;          /* asked for by retort_session_interrupt, until a call has given up for it */
  struct rt_generation *generation; /* NULL without a vocabulary */
};

/* What generation needs for the life of the session; in generate.c, as are the next two. */
retort_status rt_generation_open(retort_session *session, retort_error *error);
/* Frees session->generation (NULL is fine) and sets it to NULL. */
void rt_generation_close(retort_session *session);
/* Bytes that it holds now. */
uint64_t rt_generation_bytes(const retort_session *session);

#endif
