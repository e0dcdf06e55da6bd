/* handles.c - see handles.h and abi.h: memory, errors, results and the numbers of what lives. */
#include "handles.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/json.h"

static const char *const KIND_NAMES[] = {"", "loader", "model", "session"};

retort_error last_error;
static struct {
  retort_platform platform;
  object *live;
  int32_t last_id;
  void *result;
  json_t *warnings;
} state;

int32_t abi_failed(int32_t status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(last_error.message, sizeof last_error.message, format, args);
  va_end(args);
  return last_error.status = status;
}
int32_t no_memory(void) {
  return abi_failed(RETORT_ERROR_MEMORY, "the sandbox has no more memory: raise its limit, or take a smaller model or context");
}

void collect_warnings(json_t *list) { state.warnings = list; }

static void log_line(void *user, int level, const char *line) {
  (void)user;
  if (level == RETORT_LOG_WARNING && state.warnings) json_array_append_new(state.warnings, json_string(line));
}

const retort_platform *platform(void) {
  if (state.platform.struct_size == 0) {
    platform_fill(&state.platform);
    state.platform.log = log_line;
  }
  return &state.platform;
}

void abi_seed(uint32_t random) { json_object_seed(random ? random : 1); }

void *abi_alloc(size_t size) { return malloc(size ? size : 1); }
void abi_free(void *memory) { free(memory); }
const char *abi_last_error(void) { return last_error.message; }
const void *abi_result(void) { return state.result; }

int32_t give(void *memory, size_t count) {
  if (!memory) return no_memory();
  free(state.result);
  state.result = memory;
  return (int32_t)count;
}

int32_t give_json(json_t *tree) {
  char *text = tree ? json_dumps(tree, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
  json_decref(tree);
  return give(text, text ? strlen(text) : 0);
}

int32_t enlist(object *o, int32_t kind) {
  if (state.last_id == INT32_MAX) return abi_failed(RETORT_ERROR_MEMORY, "this instance has given out all its numbers; make a new one");
  o->kind = kind;
  o->id = ++state.last_id;
  o->next = state.live;
  state.live = o;
  return o->id;
}

void strike(object *o) {
  object **at = &state.live;
  while (*at != o) at = &(*at)->next;
  *at = o->next;
}

void *find(int32_t id, int32_t kind) {
  for (object *o = state.live; o; o = o->next)
    if (o->id == id && (kind == 0 || o->kind == kind)) return o;
  abi_failed(RETORT_ERROR_ARGUMENT, "%d is no open %s", (int)id, kind ? KIND_NAMES[kind] : "object");
  return NULL;
}

json_t *abi_parse(const char *text, size_t size, const char *what) {
  json_t *tree = NULL;
  service_json_parse(text, size, what, &tree, &last_error);
  return tree;
}

int32_t abi_close(int32_t id) {
  object *o = find(id, 0);
  if (!o) return last_error.status;
  if (o->kind == MODEL && ((model *)o)->sessions)
    return abi_failed(RETORT_ERROR_ARGUMENT, "model %d has %u sessions; close them first", (int)id, (unsigned)((model *)o)->sessions);
  strike(o);
  if (o->kind == LOADER) free_loader((loader *)o);
  else if (o->kind == MODEL) free_model((model *)o);
  else {
    ((session *)o)->model->sessions--;
    free_session((session *)o);
  }
  return RETORT_OK;
}
