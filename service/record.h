/* record.h - what is said about an answer once it was given, as JSON: the same words from the program, the plugin and the page.
 *
 * A proof names all that enters the logits: numerics, model, prompt (the ids, so whatever the template made of the messages), each option
 * that can change a bit, and the seed. Two answers with the same proof inputs have the same logits.
 */
#ifndef SERVICE_RECORD_H
#define SERVICE_RECORD_H

#include "options.h"

/* {"prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens", "total_tokens"}: what was asked and given. How many tokens
 * were drafted is a matter of speed and not among them. */
json_t *service_usage(const retort_usage *usage);

/* How a model was accepted: method, signer, name, signed_time (by the signer's word) and valid_time (of certificates) in seconds since
 * 1970 or null, digest, files, bytes, and mode, which says what was hashed: none, whole, chunks. */
json_t *service_verdict(const retort_verdict *verdict);

/* A text that may not be UTF-8, such as a signer's words or a path: its foreign bytes become '?'. */
json_t *service_text(const char *text);

typedef struct service_proof_inputs {
  json_t *model_sha256;  /* hex of each file, in order; the function takes the reference over */
  const int32_t *prompt; /* (n_prompt) ids */
  size_t n_prompt;
  const service_options *options; /* those that the answer was begun with, and its session's; what `generate` says of the seed counts */
  uint32_t n_ctx;                 /* as retort_session_info has it: a full context ends an answer */
  uint64_t positions;             /* tokens that were generated */
  const char *logits_sha256;      /* retort_session_get_proof */
} service_proof_inputs;

/* {"numerics", "model_sha256", "prompt_sha256", "options", "seed", "positions", "logits_sha256"}; NULL: out of memory. Write it with
 * JSON_REAL_PRECISION(9), which is as exact as a float and no longer than it was typed. */
json_t *service_proof(const service_proof_inputs *inputs);
/* The one line that `run --proof` prints (no newline), malloc'ed; NULL: out of memory. */
char *service_proof_line(const json_t *proof);

#endif
