/* record.c - see record.h. */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The shortest decimal that reads back as the same float: 0.6 and not 0.600000024. */
static double shortest(float x) {
  char text[32];
  for (int digits = 6; digits <= 9; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, (double)x);
    if (strtof(text, NULL) == x) break;
  }
  return strtod(text, NULL);
}

static json_t *options_json(const service_proof_inputs *in) {
  const retort_generate_options *g = in->options;
  json_t *stop = json_array();
  for (size_t i = 0; i < g->n_stop; i++) json_array_append_new(stop, json_string(g->stop[i]));
  return json_pack("{s:f,s:f,s:f,s:I,s:f,s:I,s:I,s:i,s:o,s:s,s:I}", "temperature", shortest(g->temperature), "top_p", shortest(g->top_p),
                   "min_p", shortest(g->min_p), "top_k", (json_int_t)g->top_k, "repetition_penalty", shortest(g->repetition_penalty),
                   "repetition_window", (json_int_t)g->repetition_window, "max_tokens", (json_int_t)g->max_tokens, "thinking_budget",
                   (int)g->thinking_budget, "stop", stop, "kv", retort_kv_type_name(in->kv_type), "n_ctx", (json_int_t)in->n_ctx);
}

json_t *service_proof(const service_proof_inputs *in) {
  char prompt[65], seed[24];
  retort_sha256_hex(in->prompt, in->n_prompt * sizeof *in->prompt, prompt); /* as little-endian int32: the hosts that we run on */
  snprintf(seed, sizeof seed, "%llu", (unsigned long long)in->options->seed);
  return json_pack("{s:i,s:o,s:s,s:o,s:s,s:I,s:s}", "numerics", (int)retort_numerics(), "model_sha256", in->model_sha256, "prompt_sha256",
                   prompt, "options", options_json(in), "seed", seed, "positions", (json_int_t)in->positions, "logits_sha256",
                   in->logits_sha256);
}

static const char *text_of(const json_t *proof, const char *key) {
  const char *text = json_string_value(json_object_get(proof, key));
  return text ? text : "";
}

char *service_proof_line(const json_t *proof) {
  static const char format[] = "proof: RETORT_NUMERICS=%d model=sha256:%s prompt=sha256:%s options=%s seed=%s logits=sha256:%s";
  const json_t *files = json_object_get(proof, "model_sha256");
  size_t n = json_array_size(files), size;
  char *options = json_dumps(json_object_get(proof, "options"), JSON_COMPACT | JSON_REAL_PRECISION(9)), *line = NULL;
  char *model = malloc(65 * n + 1), *end = model;
  if (!options || !model) goto end;
  *end = 0;
  for (size_t i = 0; i < n; i++) end += snprintf(end, 66, "%s%.64s", i ? "," : "", json_string_value(json_array_get(files, i)));
  size = sizeof format + strlen(model) + strlen(options) + 65 + 65 + 24 + 11;
  line = malloc(size);
  if (line)
    snprintf(line, size, format, (int)json_integer_value(json_object_get(proof, "numerics")), model, text_of(proof, "prompt_sha256"),
             options, text_of(proof, "seed"), text_of(proof, "logits_sha256"));
end:
  free(options);
  free(model);
  return line;
}
