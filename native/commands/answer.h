/* answer.h - one answer, from prompt tokens to text, ids, times and proof: what `run` and `chat` share. */
#ifndef ANSWER_H
#define ANSWER_H

#include <jansson.h>

#include "models/load.h"
#include "terminal/answer_view.h"

typedef struct answer {
  text_buffer text, reasoning;
  int32_t *ids;
  size_t n_ids, ids_capacity;
  const char *finish_reason; /* as retort_finish_name has it, or "interrupted" */
  retort_usage usage;
  double prompt_seconds, first_token_seconds, decode_seconds;
  char logits_sha256[65]; /* "" without --proof */
} answer;

/* The seed that the options ask for ("random": from the system). */
int answer_seed(const options *o, uint64_t *seed);

/* The ids of a chat (OpenAI-style messages) or of a raw prompt; malloc'ed. */
int chat_prompt(const loaded *l, const options *o, json_t *messages, int32_t **ids, size_t *count);
/* After load(), before chat_prompt: --template takes the place of the model's own, --template-var is read. */
int chat_settings(loaded *l, const options *o);
int raw_prompt(const loaded *l, const options *o, const char *text, size_t size, int32_t **ids, size_t *count);

/* Generates and shows the answer. Ctrl-C ends it early and keeps what there is (finish_reason "interrupted", EXIT_OK). */
int answer_generate(loaded *l, const options *o, const int32_t *ids, size_t count, uint64_t seed, answer_view *v, answer *a);
void answer_free(answer *a);

/* The fixed keys of `run --json`. */
json_t *answer_json(const loaded *l, const options *o, const answer *a, const int32_t *prompt, size_t count, uint64_t seed);
void print_proof(const loaded *l, const options *o, const answer *a, const int32_t *prompt, size_t count, uint64_t seed);
/* The closing line on standard error: with -v always, else on a terminal, dim. */
void print_timings(const loaded *l, const options *o, const answer *a);

#endif
