/* ask.c - answers the requests of tests/wasm/hosts/hosts.py, a line of JSON each: ask PLUGIN [MOST-BYTES-OF-MEMORY] (jansson). */
#include <jansson.h>
#include <string.h>

#include "retort_plugin.h"

static json_t *parsed(plugin *p, const char *name, int32_t object) {
  char *text = plugin_json(p, name, object);
  json_t *tree = text ? json_loads(text, 0, NULL) : NULL;
  free(text);
  return tree;
}

enum { MOST = 256 };
static plugin *code, *plugins[MOST];
static int32_t models[MOST], sessions[MOST], owners[MOST]; /* owners: of the sessions, indexes of plugins */
static int n_plugins, n_sessions;
static uint64_t limit;

/* What went wrong in p, as JSON; NULL where it is the host's fault. */
static json_t *refusal(const plugin *p) {
  if (strcmp(plugin_error_kind(p), "host") != 0) return json_pack("{s:s,s:s}", "error", plugin_error_kind(p), "message", plugin_error(p));
  fprintf(stderr, "%s\n", plugin_error(p));
  return NULL;
}

static int number(json_t *r, const char *key) { return (int)json_integer_value(json_object_get(r, key)); }

static json_t *answer(json_t *r);

static json_t *open_model(json_t *r) {
  char *trust = json_dumps(json_object_get(r, "trust"), JSON_COMPACT);
  plugin *p = plugin_another(code, limit);
  int32_t model = plugin_load(p, json_string_value(json_object_get(r, "open")), trust);
  json_t *out = model > 0 ? json_pack("{s:i,s:o}", "model", n_plugins, "info", parsed(p, "model_info", model)) : refusal(p);
  free(trust);
  if (model > 0 && n_plugins < MOST) {
    models[n_plugins] = model;
    plugins[n_plugins++] = p;
  } else plugin_close(p);
  return out;
}

static json_t *open_session(json_t *r) {
  int i = number(r, "session");
  char *options = json_dumps(json_object_get(r, "options"), JSON_COMPACT);
  int32_t session = plugin_session(plugins[i], models[i], options);
  free(options);
  if (session < 0) return refusal(plugins[i]);
  if (n_sessions == MOST) return NULL;
  owners[n_sessions] = i;
  sessions[n_sessions] = session;
  return json_pack("{s:i}", "session", n_sessions++);
}

static json_t *chat(json_t *r) {
  static const char *const finish[] = {"", "stop", "length", "stop_string"};
  int i = owners[number(r, "in")], after = number(r, "after"), count = 0, kind = 1;
  int32_t session = sessions[number(r, "in")];
  plugin *p = plugins[i];
  json_t *meanwhile = json_object_get(r, "meanwhile"), *inner = NULL, *text[2] = {json_string(""), json_string("")};
  char *request = json_dumps(json_object_get(r, "chat"), JSON_COMPACT);
  piece got = {0};
  if (plugin_chat(p, session, request) < 0) kind = -1;
  free(request);
  while (kind == 1 && (kind = plugin_next(p, session, &got)) > 0) {
    json_t *longer = json_sprintf("%s%.*s", json_string_value(text[got.reasoning]), (int)got.size, got.text);
    json_decref(text[got.reasoning]);
    text[got.reasoning] = longer;
    if (++count != after) continue;
    if (!meanwhile) break;
    inner = answer(meanwhile);
  }
  if (kind < 0) return refusal(p);
  return json_pack("{s:o,s:o,s:s,s:o,s:o*,s:o*}", "answer", text[0], "reasoning", text[1], "finish_reason", finish[got.finish], "usage",
                   parsed(p, "usage", session), "meanwhile", inner, "proof", got.finish ? parsed(p, "proof", session) : NULL);
}

static json_t *answer(json_t *r) {
  if (json_object_get(r, "open")) return open_model(r);
  if (json_object_get(r, "session")) return open_session(r);
  if (json_object_get(r, "end")) {
    plugin *p = plugins[owners[number(r, "end")]];
    return plugin_end(p, sessions[number(r, "end")]) < 0 ? refusal(p) : json_pack("{s:I}", "memory", (json_int_t)plugin_memory_bytes(p));
  }
  if (!json_object_get(r, "close")) return chat(r);
  plugin_close(plugins[number(r, "close")]);
  return json_object();
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  limit = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
  code = plugin_open(argv[1], 0);
  for (json_t *r; (r = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, NULL)) != NULL; json_decref(r)) {
    json_t *out = answer(r);
    if (!out) return 1;
    char *line = json_dumps(out, JSON_COMPACT);
    puts(line);
    fflush(stdout);
    free(line);
    json_decref(out);
  }
  plugin_close(code);
  return 0;
}
