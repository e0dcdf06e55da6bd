/* options.c - see options.h: the table, and how each type of option is read from JSON and written into a proof. */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

const service_option service_table[] = {
#define OPTION(id, type, member, least, most, scope, proof, json) \
  {json, SERVICE_##type, SERVICE_##scope, SERVICE_##proof, offsetof(service_options, member), least, most},
#include "options.def"
};

void service_options_init(service_options *options) {
  *options = (service_options){0};
  retort_generate_options_init(&options->generate, sizeof options->generate);
  retort_session_options_init(&options->session, sizeof options->session);
  retort_chat_options_init(&options->chat, sizeof options->chat);
}

retort_generate_options service_generate(const service_options *options) {
  retort_generate_options g = options->generate;
  g.stop = options->stop;
  return g;
}

/* ---- reading ---- */

typedef struct place {
  const service_option *option;
  const char *key; /* the spelling found */
  const json_t *value;
  void *field;
  retort_error *error;
} place;

static retort_status wrong_number(const place *p, const char *kind) {
  char wanted[80];
  snprintf(wanted, sizeof wanted, "a %s from %.10g to %.10g", kind, p->option->least, p->option->most);
  return service_wrong(p->error, p->key, p->value, wanted);
}

/* A whole number in the option's range, or its default. */
static retort_status read_whole(const place *p, int64_t fallback, int64_t *out) {
  *out = json_integer_value(p->value);
  if (json_is_integer(p->value) && (*out == fallback || ((double)*out >= p->option->least && (double)*out <= p->option->most)))
    return RETORT_OK;
  return wrong_number(p, "whole number");
}

static retort_status read_float(const place *p) {
  double x = json_number_value(p->value);
  if (!json_is_number(p->value) || !(x >= p->option->least && x <= p->option->most)) return wrong_number(p, "number");
  *(float *)p->field = (float)x;
  return RETORT_OK;
}

/* A number, or its decimal text: JSON's numbers end at 2^63, and JavaScript's at 2^53. */
static retort_status read_seed(const place *p) {
  char back[24] = "";
  const char *text = json_string_value(p->value);
  uint64_t seed = text ? strtoull(text, NULL, 10) : (uint64_t)json_integer_value(p->value);
  /* Read back what was understood: that refuses signs, blanks and what is too large. */
  if (text) snprintf(back, sizeof back, "%llu", (unsigned long long)seed);
  if (text ? strcmp(back, text) != 0 : !json_is_integer(p->value) || json_integer_value(p->value) < 0)
    return service_wrong(p->error, p->key, p->value, "a whole number from 0 to 18446744073709551615");
  *(uint64_t *)p->field = seed;
  return RETORT_OK;
}

static retort_status read_stop(const place *p, service_options *options) {
  const json_t *list = p->value;
  size_t n = json_is_array(list) ? json_array_size(list) : 1;
  for (size_t i = 0; i < n && n <= SERVICE_MOST_STOP; i++) {
    const json_t *item = json_is_array(list) ? json_array_get(list, i) : list;
    const char *text = json_string_value(item);
    if (!text || !*text) n = SIZE_MAX;
    else options->stop[i] = text;
  }
  if (n > SERVICE_MOST_STOP) return service_wrong(p->error, p->key, list, "a text or at most 32 texts, none of them empty");
  options->generate.n_stop = n;
  return RETORT_OK;
}

static retort_status read_kv(const place *p) {
  const char *text = json_string_value(p->value), *name;
  for (uint32_t type = 0; text && (name = retort_kv_type_name(type)) != NULL; type++)
    if (strcmp(text, name) == 0) {
      *(uint32_t *)p->field = type;
      return RETORT_OK;
    }
  return service_wrong(p->error, p->key, p->value, "\"f16\", \"f32\" or \"q8_0\"");
}

static retort_status read_object(const place *p, char **text) {
  if (!json_is_object(p->value)) return service_wrong(p->error, p->key, p->value, "an object");
  free(*text);
  *text = json_dumps(p->value, JSON_COMPACT);
  if (!*text) return service_no_memory(p->error);
  *(const char **)p->field = *text;
  return RETORT_OK;
}

static retort_status read_one(const place *p, service_options *options, char **variables) {
  int64_t n;
  retort_status status;
  switch ((service_type)p->option->type) {
    case SERVICE_FLOAT: return read_float(p);
    case SERVICE_U32:
      if ((status = read_whole(p, *(uint32_t *)p->field, &n)) == RETORT_OK) *(uint32_t *)p->field = (uint32_t)n;
      return status;
    case SERVICE_I32:
    case SERVICE_AUTO:
      if ((status = read_whole(p, -1, &n)) == RETORT_OK) *(int32_t *)p->field = (int32_t)n;
      return status;
    case SERVICE_SEED: return read_seed(p);
    case SERVICE_FLAG:
      if (!json_is_boolean(p->value)) return service_wrong(p->error, p->key, p->value, "true or false");
      *(uint32_t *)p->field = json_is_true(p->value);
      return RETORT_OK;
    case SERVICE_TEXTS: return read_stop(p, options);
    case SERVICE_KV: return read_kv(p);
    case SERVICE_TEXT:
      if (!json_is_string(p->value)) return service_wrong(p->error, p->key, p->value, "a text");
      *(const char **)p->field = json_string_value(p->value);
      return RETORT_OK;
    case SERVICE_OBJECT: return read_object(p, variables);
  }
  return RETORT_OK;
}

/* The option that `key` spells; NULL: none of these scopes. */
static const service_option *find(const char *key, unsigned scopes) {
  size_t length = strlen(key);
  for (const service_option *o = service_table; o < service_table + SERVICE_N_OPTIONS; o++)
    for (const char *name = o->json; name && (o->scope & scopes); name = strchr(name, '|') ? strchr(name, '|') + 1 : NULL)
      if (strcspn(name, "|") == length && strncmp(name, key, length) == 0) return o;
  return NULL;
}

int service_is_option(const char *key, unsigned scopes) { return find(key, scopes) != NULL; }

retort_status service_options_read(json_t *object, unsigned scopes, service_options *options, char **variables, retort_error *error) {
  const char *key, *taken[SERVICE_N_OPTIONS] = {0};
  json_t *value;
  json_object_foreach(object, key, value) {
    const service_option *o = find(key, scopes);
    if (!o || json_is_null(value)) continue;
    if (taken[o - service_table])
      return service_fail(error, RETORT_ERROR_JSON, "\"%s\" and \"%s\" are the same option; give one", taken[o - service_table], key);
    taken[o - service_table] = key;
    place p = {o, key, value, (char *)options + o->offset, error};
    retort_status status = read_one(&p, options, variables);
    if (status) return status;
  }
  return RETORT_OK;
}

/* ---- proving ---- */

/* The shortest decimal that reads back as the same float: 0.6 and not 0.600000024. */
static double shortest(float x) {
  char text[32];
  for (int digits = 6; digits <= 9; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, (double)x);
    if (strtof(text, NULL) == x) break;
  }
  return strtod(text, NULL);
}

static json_t *stop_json(const service_options *options) {
  json_t *stop = json_array();
  for (size_t i = 0; i < options->generate.n_stop; i++) json_array_append_new(stop, json_string(options->stop[i]));
  return stop;
}

static json_t *value_json(const service_option *o, const service_options *options) {
  const void *field = (const char *)options + o->offset;
  switch ((service_type)o->type) {
    case SERVICE_FLOAT: return json_real(shortest(*(const float *)field));
    case SERVICE_U32: return json_integer(*(const uint32_t *)field);
    case SERVICE_I32:
    case SERVICE_AUTO: return json_integer(*(const int32_t *)field);
    case SERVICE_FLAG: return json_boolean(*(const uint32_t *)field);
    case SERVICE_TEXTS: return stop_json(options);
    case SERVICE_KV: return json_string(retort_kv_type_name(*(const uint32_t *)field));
    case SERVICE_SEED:
    case SERVICE_TEXT:
    case SERVICE_OBJECT: break;
  }
  return NULL;
}

json_t *service_options_proven(const service_options *options) {
  json_t *made = json_object();
  for (const service_option *o = service_table; o < service_table + SERVICE_N_OPTIONS; o++) {
    if (o->proof != SERVICE_NAMED || o->type == SERVICE_SEED) continue;
    json_object_setn_new(made, o->json, strcspn(o->json, "|"), value_json(o, options));
  }
  if (options->chat.date) json_object_set_new(made, service_table[SERVICE_date].json, json_string(options->chat.date));
  return made;
}
