/* fuzz_request.c - any bytes as a request in JSON: for an answer, and for a session. A refusal says why; what is taken has its values in
 * range. */
#include <stdlib.h>

#include "service/request.h"
#include "target.h"

static void said(retort_status status, const retort_error *error) {
  if (status && (error->status != status || error->message[0] == 0)) abort();
}

static void read_answer(const uint8_t *data, size_t size) {
  service_request request;
  retort_error error = {0};
  retort_status status = service_request_read(&request, (const char *)data, size, &error);
  said(status, &error);
  if (status == RETORT_OK) {
    const retort_generate_options *o = &request.options.generate;
    if ((request.messages == NULL) == (request.prompt == NULL)) abort();
    if (!(o->temperature >= 0) || !(o->top_p >= 0 && o->top_p <= 1) || !(o->min_p >= 0 && o->min_p <= 1) || o->n_stop > SERVICE_MOST_STOP)
      abort();
  }
  service_request_close(&request);
}

void fuzz_one(const uint8_t *data, size_t size) {
  retort_session_options session;
  retort_error error = {0};
  read_answer(data, size);
  retort_session_options_init(&session, sizeof session);
  said(service_session_read(&session, (const char *)data, size, &error), &error);
}
