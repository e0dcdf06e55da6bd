/* request.h - an OpenAI-shaped request: messages, or a raw prompt, and options; read from JSON, turned into the ids that the model sees. */
#ifndef SERVICE_REQUEST_H
#define SERVICE_REQUEST_H

#include "options.h"

typedef struct service_request {
  service_options options; /* its texts lie in `tree` and `variables` */
  json_t *tree;            /* the request as it came */
  char *messages;          /* JSON text; NULL: there is a prompt */
  const char *prompt;      /* (prompt_size) bytes of the tree */
  size_t prompt_size;
  char *variables;
} service_request;

/* Reads {"messages": [...]} or {"prompt": text}, with the options of an answer and of its prompt. An unknown member is an error, and each
 * error names the member, its value and what it may be. Close the request in any case. */
retort_status service_request_read(service_request *request, const char *json, size_t size, retort_error *error);
void service_request_close(service_request *request);

/* The ids of the prompt, malloc'ed (NULL where this fails). A message cannot spell a special token; a raw prompt can. */
retort_status service_request_ids(const service_request *request, const retort_platform *platform, const retort_vocab *vocab, int32_t **ids,
                                  size_t *count, retort_error *error);
/* The two halves of it. `messages` is JSON text. */
retort_status service_chat_ids(const retort_platform *platform, const retort_vocab *vocab, const char *messages,
                               const retort_chat_options *options, int32_t **ids, size_t *count, retort_error *error);
retort_status service_text_ids(const retort_vocab *vocab, const char *text, size_t size, uint32_t flags, int32_t **ids, size_t *count,
                               retort_error *error);

/* What retort_session_new takes: n_ctx, n_batch, kv. */
retort_status service_session_read(retort_session_options *session, const char *json, size_t size, retort_error *error);

#endif
