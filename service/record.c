/* record.c - see record.h. */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

json_t *service_usage(const retort_usage *u) {
  json_t *o = json_object();
  service_put_integer(o, "prompt_tokens", u->prompt_tokens);
  service_put_integer(o, "cached_tokens", u->cached_tokens);
  service_put_integer(o, "completion_tokens", u->completion_tokens);
  service_put_integer(o, "reasoning_tokens", u->reasoning_tokens);
  service_put_integer(o, "total_tokens", (int64_t)u->prompt_tokens + u->completion_tokens);
  return service_whole(o, 5);
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
  json_t *o = json_object();
  service_put_text(o, "method", retort_trust_method_name(v->method));
  service_put(o, "signer", service_text(v->signer));
  service_put(o, "name", service_text(v->name));
  service_put(o, "signed_time", v->signed_time ? json_integer(v->signed_time) : json_null());
  service_put(o, "valid_time", v->time ? json_integer(v->time) : json_null());
  service_put_text(o, "digest", v->digest);
  service_put_integer(o, "files", v->n_files);
  service_put_integer(o, "bytes", (int64_t)v->n_bytes);
  service_put_integer(o, "left_out", v->n_left_out);
  service_put_text(o, "mode", modes[v->mode]);
  return service_whole(o, 10);
}

json_t *service_proof(const service_proof_inputs *in) {
  char prompt[65], seed[24];
  service_options options = *in->options;
  json_t *o = json_object();
  options.session.n_ctx = in->n_ctx;
  retort_sha256_hex(in->prompt, in->n_prompt * sizeof *in->prompt, prompt); /* as little-endian int32: the hosts that we run on */
  snprintf(seed, sizeof seed, "%llu", (unsigned long long)options.generate.seed);
  service_put_integer(o, "numerics", retort_numerics());
  service_put(o, "model_sha256", in->model_sha256);
  service_put_text(o, "prompt_sha256", prompt);
  service_put(o, "options", service_options_proven(&options));
  service_put_text(o, "seed", seed);
  service_put_integer(o, "positions", (int64_t)in->positions);
  service_put_text(o, "logits_sha256", in->logits_sha256);
  return service_whole(o, 7);
}

static const char *text_of(const json_t *proof, const char *key) {
  const char *text = json_string_value(json_object_get(proof, key));
  return text ? text : "";
}

char *service_proof_line(const json_t *proof) {
  static const char format[] =
      "proof: RETORT_NUMERICS=%d model=sha256:%s prompt=sha256:%s options=%s seed=%s positions=%lld logits=sha256:%s";
  const json_t *files = json_object_get(proof, "model_sha256");
  size_t n = json_array_size(files), size;
  char *options = json_dumps(json_object_get(proof, "options"), JSON_COMPACT | JSON_REAL_PRECISION(9)), *line = NULL;
  char *model = malloc(65 * n + 1), *end = model;
  if (!options || !model) goto end;
  *end = 0;
  for (size_t i = 0; i < n; i++) end += snprintf(end, 66, "%s%.64s", i ? "," : "", json_string_value(json_array_get(files, i)));
  size = sizeof format + strlen(model) + strlen(options) + 65 + 65 + 24 + 11 + 20;
  line = malloc(size);
  if (line)
    snprintf(line, size, format, (int)json_integer_value(json_object_get(proof, "numerics")), model, text_of(proof, "prompt_sha256"),
             options, text_of(proof, "seed"), (long long)json_integer_value(json_object_get(proof, "positions")),
             text_of(proof, "logits_sha256"));
end:
  free(options);
  free(model);
  return line;
}
