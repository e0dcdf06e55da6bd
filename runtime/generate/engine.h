/* engine.h - many sequences on one model: scratch memory once, pages from one pool, rows of all in one pass. */
#ifndef RT_ENGINE_H
#define RT_ENGINE_H

#include "../base/bytes.h"
#include "generate.h"

/* What becomes of one sequence in a step. */
typedef struct rt_engine_event {
  retort_sequence *sequence;
  retort_event event; /* its text is text[at..at + text_size] of the engine until the step is over */
  size_t at;
  retort_status status; /* not RETORT_OK: the step failed for this sequence, and the text says why */
} rt_engine_event;

struct retort_engine {
  rt_arena arena; /* this struct, rows, parts, logits, the samplers' work space */
  const retort_platform *platform;
  const retort_model *model;
  const retort_vocab *vocab;
  uint32_t n_ctx, n_logits;
  rt_kv_pool pool;
  rt_work work;
  rt_generator generator;
  uint8_t model_digest[32];
  retort_sequence *sequences, *first; /* first: whose turn it is when not all get rows */
  uint32_t n_sequences;
  rt_row *rows;          /* (n_batch) the pass */
  struct rt_part *parts; /* (n_batch) what each sequence has in it */
  float *logits;         /* (n_logits, n_vocab) */
  rt_bytes events, text; /* of the last step */
};

/* retort_step on one of the engine's sequences, which must be the only one with an answer in progress. */
retort_status rt_engine_step_one(retort_sequence *sequence, uint32_t work_tokens, retort_event *event, retort_error *error);

#endif
