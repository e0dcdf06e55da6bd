/* options.h - the table of options (options.def) as values: what a command line or a request said about one answer.
 *
 * Defaults are retort.h's own. The texts belong to whoever was asked for them (argv, a JSON tree); nothing here is allocated.
 */
#ifndef SERVICE_OPTIONS_H
#define SERVICE_OPTIONS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "retort.h"

enum { SERVICE_MOST_STOP = 32 };

typedef struct service_options {
  retort_generate_options generate; /* its `stop` stays NULL: service_generate sets it */
  retort_session_options session;
  retort_chat_options chat;
  const char *stop[SERVICE_MOST_STOP]; /* (generate.n_stop) */
} service_options;

enum {
#define OPTION(id, type, member, least, most, scope, proof, json) SERVICE_##id,
#include "options.def"
  SERVICE_N_OPTIONS
};

typedef enum service_type {
  SERVICE_FLOAT,
  SERVICE_U32,
  SERVICE_I32,
  SERVICE_AUTO,
  SERVICE_SEED,
  SERVICE_FLAG,
  SERVICE_TEXTS,
  SERVICE_KV,
  SERVICE_TEXT,
  SERVICE_OBJECT
} service_type;

enum { SERVICE_SESSION = 1, SERVICE_ANSWER = 2, SERVICE_PROMPT = 4 }; /* scopes */
typedef enum service_proven { SERVICE_FREE, SERVICE_NAMED, SERVICE_IDS } service_proven;

typedef struct service_option {
  const char *json; /* spellings, '|' between */
  uint8_t type, scope, proof;
  uint16_t offset; /* in service_options */
  double least, most;
} service_option;
extern const service_option service_table[SERVICE_N_OPTIONS];

void service_options_init(service_options *options);
/* For retort_generate_begin; points into `options`. */
retort_generate_options service_generate(const service_options *options);

/* Takes the options of `scopes` out of a JSON object; what it does not have stays. The texts stay the tree's, but for the variables, which
 * are written into `*variables` (malloc'ed, also where this fails; may be NULL where the scopes have none). Members that are no option are
 * not looked at. An error names the member, its value and what it may be. */
retort_status service_options_read(json_t *object, unsigned scopes, service_options *options, char **variables, retort_error *error);
/* 1: `key` spells an option of `scopes`. */
int service_is_option(const char *key, unsigned scopes);

/* The options that a proof names, as an object, but the seed, which is a member of the proof. */
json_t *service_options_proven(const service_options *options);

#endif
