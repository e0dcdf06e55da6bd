/* retort_plugin.c - see retort_plugin.h. */
#include "retort_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wasmtime.h>

#define PIECE_SIZE ((uint64_t)16 << 20)
#define IO_STATUS -10

struct plugin {
  wasm_engine_t *engine;
  wasmtime_module_t *module;
  wasmtime_store_t *store;
  wasmtime_context_t *context;
  wasmtime_instance_t instance;
  wasmtime_memory_t memory;
  const char *kind;
  char error[600];
};

static int fail(plugin *p, const char *kind, const char *text) {
  p->kind = kind;
  snprintf(p->error, sizeof p->error, "%s", text);
  return IO_STATUS;
}

/* Takes an error or a trap over; 0 where there is none. */
static int host_failed(plugin *p, wasmtime_error_t *error, wasm_trap_t *trap) {
  wasm_name_t text;
  if (!error && !trap) return 0;
  if (error) wasmtime_error_message(error, &text);
  else wasm_trap_message(trap, &text);
  p->kind = "host";
  snprintf(p->error, sizeof p->error, "%.*s", (int)text.size, text.data);
  wasm_byte_vec_delete(&text);
  if (error) wasmtime_error_delete(error);
  if (trap) wasm_trap_delete(trap);
  return 1;
}

const char *plugin_error(const plugin *p) { return p->error; }
const char *plugin_error_kind(const plugin *p) { return p->kind; }

static unsigned char *bytes_at(plugin *p, uint32_t at, uint64_t size) {
  uint64_t all = wasmtime_memory_data_size(p->context, &p->memory);
  if (at == 0 || at > all || size > all - at) {
    fail(p, at ? "host" : "memory", at ? "an address lies outside of the sandbox" : "the sandbox has no more memory");
    return NULL;
  }
  return wasmtime_memory_data(p->context, &p->memory) + at;
}

#define I32(x) {.kind = WASMTIME_I32, .of.i32 = (int32_t)(x)}
#define I64(x) {.kind = WASMTIME_I64, .of.i64 = (int64_t)(x)}
#define VALUES(...) (wasmtime_val_t[]){__VA_ARGS__}, sizeof((wasmtime_val_t[]){__VA_ARGS__}) / sizeof(wasmtime_val_t)

/* Calls retort_NAME; false with the host's error. *out: what it returned, 0 for nothing. */
static int call(plugin *p, const char *name, const wasmtime_val_t *args, size_t n, int64_t *out) {
  char full[64];
  wasmtime_extern_t found;
  wasmtime_val_t result = I32(0);
  wasm_trap_t *trap = NULL;
  snprintf(full, sizeof full, "retort_%s", name);
  if (!wasmtime_instance_export_get(p->context, &p->instance, full, strlen(full), &found)) {
    fail(p, "host", full);
    return 0;
  }
  size_t n_results = strcmp(name, "free") == 0 ? 0 : 1;
  if (host_failed(p, wasmtime_func_call(p->context, &found.of.func, args, n, &result, n_results, &trap), trap)) return 0;
  *out = result.kind == WASMTIME_I64 ? result.of.i64 : result.of.i32;
  return 1;
}

/* Calls a function that can fail: its result, below 0 once the plugin's own sentence is kept. */
static int64_t ask(plugin *p, const char *name, const wasmtime_val_t *args, size_t n) {
  static const char *const kinds[] = {"",         "argument", "memory", "format", "unsupported", "context",
                                      "template", "json",     "buffer", "trust",  "io",          "interrupted"};
  int64_t at, value;
  if (!call(p, name, args, n, &value)) return IO_STATUS;
  if (value >= 0) return value;
  if (!call(p, "last_error", NULL, 0, &at)) return IO_STATUS;
  const unsigned char *text = bytes_at(p, (uint32_t)at, 508);
  if (text) fail(p, value > -12 ? kinds[-value] : "unknown", (const char *)text);
  return value;
}

static int64_t with_bytes(plugin *p, const char *name, const void *data, size_t size, const wasmtime_val_t *before, size_t n_before) {
  int64_t at, nothing;
  wasmtime_val_t args[4], length[] = {I32(size)};
  if (!call(p, "alloc", length, 1, &at)) return IO_STATUS;
  unsigned char *place = bytes_at(p, (uint32_t)at, size);
  if (!place) return IO_STATUS;
  memcpy(place, data, size);
  for (size_t i = 0; i < n_before; i++) args[i] = before[i];
  args[n_before] = (wasmtime_val_t)I32(at);
  args[n_before + 1] = length[0];
  int64_t status = ask(p, name, args, n_before + 2);
  return call(p, "free", VALUES(I32(at)), &nothing) ? status : IO_STATUS;
}

static void *read_file(const char *path, size_t *size) {
  FILE *f = fopen(path, "rb");
  if (!f) return NULL;
  char *data = NULL;
  if (fseek(f, 0, SEEK_END) == 0 && (*size = (size_t)ftell(f)) != SIZE_MAX && (data = malloc(*size + 1)) != NULL) {
    rewind(f);
    if (fread(data, 1, *size, f) != *size) {
      free(data);
      data = NULL;
    } else data[*size] = 0;
  }
  fclose(f);
  return data;
}

/* A sandbox around p->module, where there is one. */
static plugin *start(plugin *p, uint64_t memory_limit) {
  wasm_trap_t *trap = NULL;
  wasmtime_extern_t memory;
  p->store = wasmtime_store_new(p->engine, NULL, NULL);
  p->context = wasmtime_store_context(p->store);
  if (memory_limit) wasmtime_store_limiter(p->store, (int64_t)memory_limit, -1, -1, -1, -1);
  if (p->module && !host_failed(p, wasmtime_instance_new(p->context, p->module, NULL, 0, &p->instance, &trap), trap) &&
      wasmtime_instance_export_get(p->context, &p->instance, "memory", 6, &memory))
    p->memory = memory.of.memory;
  return p;
}

plugin *plugin_open(const char *wasm_path, uint64_t memory_limit) {
  plugin *p = calloc(1, sizeof *p);
  size_t size;
  if (!p) return NULL;
  p->kind = "host";
  void *code = read_file(wasm_path, &size);
  p->engine = wasm_engine_new();
  if (!code) fail(p, "io", "the module cannot be read");
  else host_failed(p, wasmtime_module_new(p->engine, code, size, &p->module), NULL);
  free(code);
  return start(p, memory_limit);
}

plugin *plugin_another(const plugin *of, uint64_t memory_limit) {
  plugin *p = of ? calloc(1, sizeof *p) : NULL;
  if (!p) return NULL;
  p->kind = "host";
  p->engine = wasmtime_engine_clone(of->engine);
  if (of->module) p->module = wasmtime_module_clone(of->module);
  else fail(p, of->kind, of->error);
  return start(p, memory_limit);
}

void plugin_close(plugin *p) {
  if (!p) return;
  wasmtime_store_delete(p->store);
  if (p->module) wasmtime_module_delete(p->module);
  wasm_engine_delete(p->engine);
  free(p);
}

uint64_t plugin_memory_bytes(plugin *p) { return wasmtime_memory_data_size(p->context, &p->memory); }

/* `without_list`: bytes at a time where the file has no list of chunks. */
static int64_t feed(plugin *p, FILE *f, int32_t loader, uint64_t without_list) {
  int64_t at, step;
  if (!call(p, "load_buffer", VALUES(I32(loader), I32(0)), &at) || (step = ask(p, "load_chunk_size", VALUES(I32(loader), I32(0)))) < 0)
    return IO_STATUS;
  uint64_t offset = 0, piece = step ? (uint64_t)step : without_list;
  char *data = malloc(piece);
  if (!data) return fail(p, "memory", "out of memory");
  int64_t status = 0;
  for (size_t n; status >= 0 && (n = fread(data, 1, piece, f)) > 0; offset += n) {
    unsigned char *place = bytes_at(p, (uint32_t)at + (uint32_t)offset, n);
    if (!place) status = IO_STATUS;
    else {
      memcpy(place, data, n);
      status = ask(p, "load_fed", VALUES(I32(loader), I32(0), I64(offset), I32(n)));
    }
  }
  free(data);
  return status;
}

/* Appends `text` to the JSON at `at` as a string; where that ends. */
static char *quote(char *at, const char *text) {
  *at++ = '"';
  for (; *text; text++)
    if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ') at += sprintf(at, "\\u%04x", (unsigned char)*text);
    else *at++ = *text;
  *at++ = '"';
  return at;
}

/* The request to load: with what lies beside the file for the policy's method. That is told by the method's word alone; the plugin reads
 * the policy. */
static char *load_request(const char *path, const char *trust_json, uint64_t size) {
  const char *slash = strrchr(path, '/'), *suffix = strstr(trust_json, "\"minisign\"") ? ".minisig" : ".sig";
  char name[4096];
  size_t length = 0;
  snprintf(name, sizeof name, "%s%s", path, suffix);
  char *signature = strstr(trust_json, "\"unsigned\"") || strstr(trust_json, "\"pinned\"") ? NULL : read_file(name, &length);
  char *request = malloc(strlen(trust_json) + 6 * (length + strlen(path)) + 128), *at = request;
  if (request) {
    at += sprintf(at, "{\"trust\":%s,\"signatures\":[", trust_json);
    if (signature) at = quote(at, signature);
    at += sprintf(at, "],\"files\":[{\"name\":");
    at = quote(at, slash ? slash + 1 : path);
    sprintf(at, ",\"size\":%llu}]}", (unsigned long long)size);
  }
  free(signature);
  return request;
}

int32_t plugin_load(plugin *p, const char *path, const char *trust_json) {
  char chunks_path[4096];
  size_t chunks_size;
  long size;
  if (p->error[0]) return IO_STATUS;
  FILE *f = fopen(path, "rb");
  if (!f || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0) {
    if (f) fclose(f);
    return fail(p, "io", "the model cannot be opened");
  }
  rewind(f);
  char *request = load_request(path, trust_json, (uint64_t)size);
  wasmtime_val_t loader =
      I32(request ? with_bytes(p, "load_begin", request, strlen(request), NULL, 0) : fail(p, "memory", "out of memory"));
  int64_t status = loader.of.i32;
  free(request);
  snprintf(chunks_path, sizeof chunks_path, "%s.chunks", path);
  void *chunks = read_file(chunks_path, &chunks_size);
  wasmtime_val_t first[] = {loader, I32(0)};
  if (status >= 0 && chunks) status = with_bytes(p, "load_chunks", chunks, chunks_size, first, 2);
  free(chunks);
  if (status >= 0) status = ask(p, "load_open", &loader, 1);
  if (status >= 0) status = feed(p, f, loader.of.i32, strstr(trust_json, "\"signify\"") ? (uint64_t)size + 1 : PIECE_SIZE);
  if (status >= 0) status = ask(p, "load_finish", &loader, 1);
  fclose(f);
  return (int32_t)status;
}

int32_t plugin_session(plugin *p, int32_t model, const char *options_json) {
  if (model < 0) return model; /* the error before stays */
  wasmtime_val_t first[] = {I32(model)};
  return (int32_t)with_bytes(p, "session_new", options_json ? options_json : "{}", options_json ? strlen(options_json) : 2, first, 1);
}

int32_t plugin_chat(plugin *p, int32_t session, const char *request_json) {
  if (session < 0) return session;
  wasmtime_val_t first[] = {I32(session)};
  return (int32_t)with_bytes(p, "chat", request_json, strlen(request_json), first, 1);
}

int plugin_next(plugin *p, int32_t session, piece *out) {
  int64_t kind, at;
  uint32_t event[9];
  do {
    kind = ask(p, "step", VALUES(I32(session), I32(0)));
    if (kind < 0) return (int)kind;
  } while (kind == 0);
  if (!call(p, "event", VALUES(I32(session)), &at)) return IO_STATUS;
  const unsigned char *bytes = bytes_at(p, (uint32_t)at, sizeof event);
  if (!bytes) return IO_STATUS;
  memcpy(event, bytes, sizeof event);
  const char *text = "";
  if (event[4] && (text = (const char *)bytes_at(p, event[3], event[4])) == NULL) return IO_STATUS;
  *out = (piece){
      .kind = (int)kind, .reasoning = event[2] == 1, .finish = (int)event[5], .token = (int32_t)event[1], .text = text, .size = event[4]};
  return (int)kind;
}

int32_t plugin_end(plugin *p, int32_t session) { return (int32_t)ask(p, "close", VALUES(I32(session))); }

char *plugin_json(plugin *p, const char *name, int32_t object) {
  int64_t at, size = ask(p, name, VALUES(I32(object)));
  if (size < 0 || !call(p, "result", NULL, 0, &at)) return NULL;
  const unsigned char *text = bytes_at(p, (uint32_t)at, (uint64_t)size);
  char *copy = text ? malloc((size_t)size + 1) : NULL;
  if (copy) {
    memcpy(copy, text, (size_t)size);
    copy[size] = 0;
  }
  return copy;
}
