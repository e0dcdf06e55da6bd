/* record.c - see record.h. */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *service_usage(const retort_usage *u) {
  return json_pack("{s:I,s:I,s:I,s:I,s:I}", "prompt_tokens", (json_int_t)u->prompt_tokens, "cached_tokens", (json_int_t)u->cached_tokens,
                   "completion_tokens", (json_int_t)u->completion_tokens, "reasoning_tokens", (json_int_t)u->reasoning_tokens,
                   "total_tokens", (json_int_t)u->prompt_tokens + u->completion_tokens);
}

json_t *service_text(const char *text) {
  json_t *value = json_string(text);
  if (value) return value;
  size_t size = strlen(text) + 1;
  char *copy = malloc(size);
  for (size_t i = 0; copy && i < size; i++) copy[i] = (unsigned char)text[i] >= 0x80 ? '?' : text[i];
  value = copy ? json_string(copy) : NULL;
  free(copy);
  return value;
}

json_t *service_verdict(const retort_verdict *v) {
  static const char *const modes[] = {[RETORT_VERIFY_NONE] = "none", [RETORT_VERIFY_WHOLE] = "whole", [RETORT_VERIFY_CHUNKS] = "chunks"};
  json_t *signed_time = v->signed_time ? json_integer(v->signed_time) : json_null(),
         *valid_time = v->time ? json_integer(v->time) : json_null();
  return json_pack("{s:s,s:o,s:o,s:o,s:o,s:s,s:i,s:I,s:s}", "method", retort_trust_method_name(v->method), "signer",
                   service_text(v->signer), "name", service_text(v->name), "signed_time", signed_time, "valid_time", valid_time, "digest",
                   v->digest, "files", (int)v->n_files, "bytes", (json_int_t)v->n_bytes, "mode", modes[v->mode]);
}

json_t *service_proof(const service_proof_inputs *in) {
  char prompt[65], seed[24];
  service_options options = *in->options;
  options.session.n_ctx = in->n_ctx;
  retort_sha256_hex(in->prompt, in->n_prompt * sizeof *in->prompt, prompt); /* as little-endian int32: the hosts that we run on */
  snprintf(seed, sizeof seed, "%llu", (unsigned long long)options.generate.seed);
  return json_pack("{s:i,s:o,s:s,s:o,s:s,s:I,s:s}", "numerics", (int)retort_numerics(), "model_sha256", in->model_sha256, "prompt_sha256",
                   prompt, "options", service_options_proven(&options), "seed", seed, "positions", (json_int_t)in->positions,
                   "logits_sha256", in->logits_sha256);
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
