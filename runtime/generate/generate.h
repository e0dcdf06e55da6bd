/* generate.h - an answer on a sequence, in three parts: what it wants computed (plan), that it was (computed), what follows (take).
 *
 * None of them calls the model: engine.c computes the plans of many sequences in one pass.
 */
#ifndef RT_GENERATE_H
#define RT_GENERATE_H

#include "draft.h"
#include "sampler.h"
#include "sequence.h"

/* What all answers of an engine share. */
typedef struct rt_generator {
  const retort_platform *platform;
  const retort_vocab *vocab;
  retort_vocab_info info;
  bool think_tokens;      /* the vocabulary has both tags as single tokens */
  const char *last_words; /* of a reasoning that is closed by force; "" none */
  uint32_t n_vocab;       /* logits; the vocabulary may be smaller */
  rt_sampler sampler;     /* its work space and marks */
  const uint16_t *draft_cost;
} rt_generator;
retort_status rt_generator_open(rt_generator *generator, rt_arena *arena, const retort_model *model, const retort_vocab *vocab,
                                retort_error *error);

/* Sets sequence->generation, which lives as long as the sequence. */
retort_status rt_generation_open(retort_sequence *sequence, const rt_generator *generator, retort_error *error);
void rt_generation_close(retort_sequence *sequence); /* none is fine */
uint64_t rt_generation_bytes(const retort_sequence *sequence);

/* An answer begins, in two parts: the first changes nothing. `options` have their full size. */
retort_status rt_generation_check(const retort_sequence *sequence, const int32_t *prompt, size_t count,
                                  const retort_generate_options *options, retort_error *error);
retort_status rt_generation_begin(retort_sequence *sequence, const int32_t *prompt, size_t count, const retort_generate_options *options,
                                  retort_error *error);

/* What it takes to go on. */
typedef enum rt_need {
  RT_NEED_NOTHING, /* no answer is in progress */
  RT_NEED_TAKE,    /* rt_generation_take has what it needs */
  RT_NEED_TOKEN,   /* the token that was chosen last must be computed, drafts with it where they pay */
  RT_NEED_PROMPT   /* more of the prompt must be computed */
} rt_need;
rt_need rt_generation_need(const retort_sequence *sequence);

typedef struct rt_plan {
  const int32_t *ids; /* to be computed at the sequence's end */
  uint32_t count;     /* 1 .. most */
  uint32_t n_logits;  /* of the last so many */
} rt_plan;
/* For RT_NEED_TOKEN and RT_NEED_PROMPT: at most `most` >= 1 tokens. Valid until the next call. */
rt_plan rt_generation_plan(retort_sequence *sequence, uint32_t most);
/* The plan was computed: the pages hold its keys and values, `logits` (n_logits, n_vocab) its logits, until the sequence needs another. */
void rt_generation_computed(retort_sequence *sequence, const rt_plan *plan, float *logits);
/* For RT_NEED_TAKE: what comes of it. event->text is valid until the next call. */
retort_status rt_generation_take(retort_sequence *sequence, retort_event *event, retort_error *error);

void rt_generation_usage(const retort_sequence *sequence, retort_usage *usage);
retort_status rt_generation_logits(const retort_sequence *sequence, const float **logits, uint32_t *count, retort_error *error);
retort_status rt_generation_proof(const retort_sequence *sequence, char hex[65], retort_error *error);
/* RETORT_ERROR_ARGUMENT unless an answer is in progress, and the sequence is as the answer left it. */
retort_status rt_generation_ready(const retort_sequence *sequence, retort_error *error);

#endif
