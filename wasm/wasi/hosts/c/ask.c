/* ask.c - answers one request: ask PLUGIN MODEL.gguf < {"trust": {...}, "chat": {"messages": [...], ...}}, and prints what came as JSON (jansson). */
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "retort_plugin.h"

/* The request to load: the signature beside the file, its name and size. */
static char *load_request(json_t *trust, const char *path) {
  const char *method = json_string_value(json_object_get(trust, "method")), *slash = strrchr(path, '/');
  char name[4096], text[65536];
  struct stat info;
  json_t *signatures = json_array();
  snprintf(name, sizeof name, "%s%s", path, method && strcmp(method, "minisign") == 0 ? ".minisig" : ".sig");
  FILE *f = method && (strcmp(method, "unsigned") == 0 || strcmp(method, "pinned") == 0) ? NULL : fopen(name, "r");
  if (f) {
    json_array_append_new(signatures, json_stringn(text, fread(text, 1, sizeof text, f)));
    fclose(f);
  }
  if (stat(path, &info) != 0) info.st_size = 0;
  json_t *all = json_pack("{s:O,s:o,s:[{s:s,s:I}]}", "trust", trust, "signatures", signatures, "files", "name", slash ? slash + 1 : path, "size", (json_int_t)info.st_size);
  char *line = json_dumps(all, JSON_COMPACT);
  json_decref(all);
  return line;
}

static json_t *parsed(plugin *p, const char *name, int32_t object) {
  char *text = plugin_json(p, name, object);
  json_t *tree = text ? json_loads(text, 0, NULL) : NULL;
  free(text);
  return tree;
}

int main(int argc, char **argv) {
  static const char *const finish[] = {"none", "stop", "length", "stop_string"};
  json_t *request = argc == 3 ? json_loadf(stdin, 0, NULL) : NULL, *out = json_object(), *text[2] = {json_string(""), json_string("")};
  if (!request) return 2;
  plugin *p = plugin_open(argv[1], 0);
  char *load = load_request(json_object_get(request, "trust"), argv[2]), *chat = json_dumps(json_object_get(request, "chat"), JSON_COMPACT);
  piece got = {0};
  int32_t model = plugin_load(p, argv[2], load), session = model > 0 ? plugin_session(p, model, NULL) : -1;
  int kind = session > 0 && plugin_chat(p, session, chat) > 0 ? 1 : -1;
  while (kind == 1 && (kind = plugin_next(p, session, &got)) > 0) {
    json_t *longer = json_sprintf("%s%.*s", json_string_value(text[got.reasoning]), (int)got.size, got.text);
    json_decref(text[got.reasoning]);
    text[got.reasoning] = longer;
  }
  if (kind == 2)
    json_object_update_new(out, json_pack("{s:O,s:O,s:s,s:o,s:o,s:o}", "text", text[0], "reasoning", text[1], "finish_reason", finish[got.finish], "usage", parsed(p, "usage", session), "proof",
                                          parsed(p, "proof", session), "info", parsed(p, "model_info", model)));
  else if (strcmp(plugin_error_kind(p), "host") != 0)
    json_object_update_new(out, json_pack("{s:s,s:s}", "error", plugin_error_kind(p), "message", plugin_error(p)));
  else fprintf(stderr, "%s\n", plugin_error(p));
  int good = json_object_size(out) > 0;
  if (good) puts(json_dumps(out, JSON_COMPACT));
  plugin_close(p);
  return !good;
}
