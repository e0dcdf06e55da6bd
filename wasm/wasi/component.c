/* component.c - the plugin's functions as retort.wit types them, lowered by hand to what the component model's canonical ABI wants of a
 * core module.
 *
 * A text or list comes as address and count, in memory that the host took with cabi_realloc and that is this side's to free. A result goes
 * out as the address of a static area: byte 0 is 1 for an error, and what follows is aligned as its widest member. What the area points to
 * stays until the next call, so that nothing has to be given back. Only a host that passes more than the memory holds meets a trap, in
 * cabi_realloc.
 */
#include <retort.h>
#include <stdlib.h>
#include <string.h>

#include "../abi.h"

/* Declares and defines the function. */
#define WIT(name, ...)                                                           \
  __attribute__((export_name("retort:plugin/runtime@0.1.0#" name))) __VA_ARGS__; \
  __VA_ARGS__

typedef struct text {
  const void *at;
  uint32_t count; /* of bytes or numbers */
} text;

typedef struct event {
  uint8_t kind;
  int32_t token;
  uint8_t section;
  text piece;
  uint8_t finish;
  uint32_t prompt_done, prompt_total;
} event;

typedef union payload {
  uint32_t number;
  text bytes;
  event event;
  text error[2]; /* kind, message */
} payload;

typedef struct result {
  uint8_t failed;
  payload is;
} result;

typedef struct result64 {
  uint8_t failed;
  union {
    uint64_t number;
    text error[2];
  } is;
} result64;

_Static_assert(sizeof(event) == 32 && offsetof(result, is) == 4 && offsetof(result64, is) == 8, "the host reads them by offsets");

static result out;

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size);
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
  (void)old_size;
  (void)align; /* 8 at most, and malloc's is 8 */
  void *memory = realloc(old, size ? size : 1);
  if (!memory) __builtin_trap();
  return memory;
}

static text text_of(const char *s) { return (text){s, (uint32_t)strlen(s)}; }

static void refuse(int64_t status, text *error) {
  error[0] = text_of(retort_status_name((retort_status)status));
  error[1] = text_of(abi_last_error());
}

/* A number or nothing. */
static result *number(int32_t status) {
  out.failed = status < 0;
  if (status < 0) refuse(status, out.is.error);
  else out.is.number = (uint32_t)status;
  return &out;
}

/* What lies at retort_result, `count` bytes or numbers of it. */
static result *bytes(int32_t count) {
  if (count < 0) return number(count);
  out.failed = 0;
  out.is.bytes = (text){abi_result(), (uint32_t)count};
  return &out;
}

static result *done(result *r, void *given) {
  free(given);
  return r;
}

WIT("load-begin", result *wit_load_begin(char *json, size_t size)) { return done(number(abi_load_begin(json, size)), json); }
WIT("load-chunks", result *wit_load_chunks(int32_t loader, uint32_t file, void *list, size_t size)) {
  return done(number(abi_load_chunks(loader, file, list, size)), list);
}
WIT("load-open", result *wit_load_open(int32_t loader)) { return number(abi_load_open(loader)); }
WIT("load-finish", result *wit_load_finish(int32_t loader)) { return number(abi_load_finish(loader)); }

WIT("load-chunk-size", result64 *wit_load_chunk_size(int32_t loader, uint32_t file)) {
  static result64 wide;
  int64_t size = abi_load_chunk_size(loader, file);
  wide.failed = size < 0;
  if (size < 0) refuse(size, wide.is.error);
  else wide.is.number = (uint64_t)size;
  return &wide;
}

WIT("load-feed", result *wit_load_feed(int32_t loader, uint32_t file, uint64_t offset, void *data, size_t size)) {
  return done(number(abi_load_put(loader, file, offset, data, size)), data);
}

WIT("model-info", result *wit_model_info(int32_t model)) { return bytes(abi_model_info(model)); }
WIT("tokenize", result *wit_tokenize(int32_t model, char *s, size_t size, uint32_t flags)) {
  return done(bytes(abi_tokenize(model, s, size, flags)), s);
}
WIT("detokenize", result *wit_detokenize(int32_t model, int32_t *ids, size_t count, uint32_t flags)) {
  return done(bytes(abi_detokenize(model, ids, count, flags)), ids);
}
WIT("session-new", result *wit_session_new(int32_t model, char *json, size_t size)) {
  return done(number(abi_session_new(model, json, size)), json);
}
WIT("session-info", result *wit_session_info(int32_t session)) { return bytes(abi_session_info(session)); }
WIT("chat", result *wit_chat(int32_t session, char *json, size_t size)) { return done(number(abi_chat(session, json, size)), json); }
WIT("usage", result *wit_usage(int32_t session)) { return bytes(abi_usage(session)); }
WIT("proof", result *wit_proof(int32_t session)) { return bytes(abi_proof(session)); }
WIT("close", result *wit_close(int32_t object)) { return number(abi_close(object)); }

WIT("step", result *wit_step(int32_t session, uint32_t work)) {
  int32_t kind = abi_step(session, work);
  if (kind < 0) return number(kind);
  const abi_event *e = abi_event_of(session);
  out.failed = 0;
  out.is.event = (event){.kind = (uint8_t)kind,
                         .token = e->token,
                         .section = e->section == 1,
                         .piece = {(const void *)(uintptr_t)e->text, e->size},
                         .finish = (uint8_t)e->finish,
                         .prompt_done = e->prompt_done,
                         .prompt_total = e->prompt_total};
  return &out;
}

WIT("version", text *wit_version(void)) {
  static text version;
  version = text_of(retort_version());
  return &version;
}
