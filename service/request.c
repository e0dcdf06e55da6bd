/* request.c - see request.h. */
#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"

static retort_status check_members(json_t *tree, unsigned scopes, const char *what, retort_error *error) {
  const char *key;
  json_t *value;
  json_object_foreach(tree, key, value) {
    int ours = (scopes & SERVICE_ANSWER) && (strcmp(key, "messages") == 0 || strcmp(key, "prompt") == 0);
    if (!ours && !service_is_option(key, scopes)) return service_fail(error, RETORT_ERROR_JSON, "%s: there is no \"%s\"", what, key);
  }
  return RETORT_OK;
}

static retort_status read_prompt(service_request *r, retort_error *error) {
  json_t *messages = json_object_get(r->tree, "messages"), *prompt = json_object_get(r->tree, "prompt");
  if (!messages == !prompt || (prompt && !json_is_string(prompt)))
    return service_fail(error, RETORT_ERROR_JSON, "the request needs \"messages\" or else \"prompt\", a text");
  if (prompt) {
    r->prompt = json_string_value(prompt);
    r->prompt_size = json_string_length(prompt);
    return RETORT_OK;
  }
  r->messages = json_dumps(messages, JSON_COMPACT | JSON_ENCODE_ANY);
  return r->messages ? RETORT_OK : service_no_memory(error);
}

retort_status service_request_read(service_request *r, const char *json, size_t size, retort_error *error) {
  static const char what[] = "the request";
  const unsigned scopes = SERVICE_ANSWER | SERVICE_PROMPT;
  *r = (service_request){0};
  service_options_init(&r->options);
  retort_status status = service_json_parse(json, size, what, &r->tree, error);
  if (!status) status = check_members(r->tree, scopes, what, error);
  if (!status) status = service_options_read(r->tree, scopes, &r->options, &r->variables, error);
  return status ? status : read_prompt(r, error);
}

void service_request_close(service_request *r) {
  json_decref(r->tree);
  free(r->messages);
  free(r->variables);
  *r = (service_request){0};
}

retort_status service_session_read(retort_session_options *session, const char *json, size_t size, retort_error *error) {
  static const char what[] = "session options";
  service_options o;
  service_options_init(&o);
  json_t *tree = NULL;
  retort_status status = service_json_parse(json, size, what, &tree, error);
  if (!status) status = check_members(tree, SERVICE_SESSION, what, error);
  if (!status) status = service_options_read(tree, SERVICE_SESSION, &o, NULL, error);
  json_decref(tree);
  *session = o.session;
  return status;
}

/* ---- ids ---- */

retort_status service_chat_ids(const retort_platform *platform, const retort_vocab *vocab, const char *messages,
                               const retort_chat_options *options, int32_t **ids, size_t *count, retort_error *error) {
  *ids = NULL;
  *count = 0;
  retort_status status = retort_chat_tokenize(platform, vocab, messages, options, NULL, 0, count, error);
  if (status != RETORT_ERROR_BUFFER) return status;
  if (!(*ids = malloc(*count * sizeof **ids))) return service_no_memory(error);
  status = retort_chat_tokenize(platform, vocab, messages, options, *ids, *count, count, error);
  if (!status) return status;
  free(*ids);
  *ids = NULL;
  return status;
}

retort_status service_text_ids(const retort_vocab *vocab, const char *text, size_t size, uint32_t flags, int32_t **ids, size_t *count,
                               retort_error *error) {
  size_t capacity = size + 8; /* every token but the BOS stands for a byte at least */
  retort_status status = RETORT_ERROR_MEMORY;
  *count = 0;
  if ((*ids = calloc(capacity, sizeof **ids))) status = retort_tokenize(vocab, text, size, flags, *ids, capacity, count, error);
  if (status == RETORT_ERROR_BUFFER) { /* normalisation may lengthen a text */
    free(*ids);
    capacity = *count;
    if ((*ids = calloc(capacity, sizeof **ids))) status = retort_tokenize(vocab, text, size, flags, *ids, capacity, count, error);
  }
  if (!*ids) return service_no_memory(error);
  if (!status) return status;
  free(*ids);
  *ids = NULL;
  return status;
}

retort_status service_request_ids(const service_request *r, const retort_platform *platform, const retort_vocab *vocab, int32_t **ids,
                                  size_t *count, retort_error *error) {
  if (r->messages) return service_chat_ids(platform, vocab, r->messages, &r->options.chat, ids, count, error);
  return service_text_ids(vocab, r->prompt, r->prompt_size, RETORT_TOKENIZE_SPECIAL | RETORT_TOKENIZE_ADD_BOS, ids, count, error);
}
