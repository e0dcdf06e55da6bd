/* session.h - what a retort_session is made of: one sequence on one model.
 *
 * session.c owns everything here but `generation`, which generate.c makes when an answer is begun and frees in rt_generation_close.
 * Invariant: tokens[0..n_past) are exactly the tokens whose keys and values the cache holds, so a later prompt can be compared with
 * them and its common prefix be kept.
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
  rt_kv_cache cache;
  rt_work work;
  rt_arena arena;  /* tokens, rows */
  uint32_t n_past; /* positions in the cache */
  int32_t *tokens; /* (n_ctx) */
  rt_row *rows;    /* (n_batch) the piece being computed */
  struct rt_generation *generation; /* NULL until an answer was begun */
};

/* Frees session->generation (NULL is fine) and sets it to NULL. In generate.c. */
void rt_generation_close(retort_session *session);

#endif
