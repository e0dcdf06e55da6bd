/* record.h - what is said about an answer once it was given, as JSON: the same words from the program, the plugin and the page.
 *
 * A proof names all that enters the logits: numerics, model, prompt (the ids, so whatever the template made of the messages), each option
 * that can change a bit, and the seed. Two answers with the same proof inputs have the same logits.
 */
#ifndef SERVICE_RECORD_H
#define SERVICE_RECORD_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "retort.h"

typedef struct service_proof_inputs {
  json_t *model_sha256;  /* hex of each file, in order; the function takes the reference over */
  const int32_t *prompt; /* (n_prompt) ids */
  size_t n_prompt;
  const retort_generate_options *options; /* those that the answer was begun with */
  uint32_t kv_type, n_ctx;                /* of the session; n_ctx as retort_session_info has it: a full context ends an answer */
  uint64_t positions;                     /* tokens that were generated */
  const char *logits_sha256;              /* retort_session_get_proof */
} service_proof_inputs;

/* {"numerics", "model_sha256", "prompt_sha256", "options", "seed", "positions", "logits_sha256"}; NULL: out of memory. Write it with
 * JSON_REAL_PRECISION(9), which is as exact as a float and no longer than it was typed. */
json_t *service_proof(const service_proof_inputs *inputs);
/* The one line that `run --proof` prints (no newline), malloc'ed; NULL: out of memory. */
char *service_proof_line(const json_t *proof);

#endif
