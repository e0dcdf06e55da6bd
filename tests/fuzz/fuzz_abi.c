/* fuzz_abi.c - the WebAssembly modules' interface, called from outside as the input says: any order, any numbers, any JSON.
 *
 * The input is a list of calls, parted by the byte 0x1e: which call, on which object, and the rest as its text. Compiled for this machine,
 * where the sanitizers see; memory is counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "platform.h"
#include "small_model.h"
#include "target.h"

enum { MOST_CALLS = 40, MOST_OBJECTS = 64, MOST_BLOCK = 64 << 20, MOST_BYTES = 300 << 20, SEPARATOR = 0x1e };

/* ---- the host: memory with limits, and two workers that take turns ---- */

static size_t live;

void *platform_lend(void *user, size_t size) {
  (void)user;
  if (size > MOST_BLOCK || live + size > MOST_BYTES) return NULL;
  const size_t rounded = (size + 63) / 64 * 64;
  void *memory = aligned_alloc(64, rounded ? rounded : 64);
  if (!memory) return NULL;
  memset(memory, 0, rounded);
  live += size;
  return memory;
}

void platform_take_back(void *user, void *memory, size_t size) {
  (void)user;
  if (memory) live -= size;
  free(memory);
}

static void take_turns(void *user, void (*work)(void *, unsigned, unsigned), void *arg) {
  (void)user;
  work(arg, 0, 2);
  work(arg, 1, 2);
}

void platform_fill(retort_platform *platform) {
  *platform = (retort_platform){
      .struct_size = sizeof *platform, .alloc = platform_lend, .free = platform_take_back, .parallel = take_turns, .workers = 2};
}

/* ---- calls ---- */

typedef struct objects {
  int32_t ids[MOST_OBJECTS];
  size_t count;
} objects;

static void keep(objects *o, int32_t id) {
  if (id > 0 && o->count < MOST_OBJECTS) o->ids[o->count++] = id;
}

static int32_t load_model(void) {
  static tiny_model model;
  char request[160];
  if (!model.file.data) small_model_build(&model, 1, RT_Q8_0);
  snprintf(request, sizeof request, "{\"trust\": {\"method\": \"unsigned\"}, \"files\": [{\"name\": \"m.gguf\", \"size\": %zu}]}",
           model.file.size);
  int32_t loader = abi_load_begin(request, strlen(request));
  if (loader < 0 || abi_load_open(loader) < 0) abort();
  memcpy(abi_load_buffer(loader, 0), model.file.data, model.file.size);
  if (abi_load_fed(loader, 0, 0, (uint32_t)model.file.size) < 0) abort();
  int32_t opened = abi_load_finish(loader);
  if (opened < 0) abort();
  return opened;
}

static void answer(int32_t session, const char *text, size_t size) {
  if (abi_chat(session, text, size) > 0)
    for (uint32_t i = 0; i < 6; i++)
      if (abi_step(session, i) < 0) break;
}

static void call_loader(objects *o, uint32_t which, int32_t id, const char *text, size_t size) {
  fuzz_input in = {(const uint8_t *)text, size};
  const uint32_t file = fuzz_byte(&in) % 4;
  const uint64_t offset = fuzz_number(&in);
  switch (which) {
    case 0: keep(o, abi_load_begin(text, size)); break;
    case 1: abi_load_chunks(id, file, in.data, in.size); break;
    case 2: abi_load_open(id); break;
    case 3: abi_load_chunk_size(id, file); break;
    case 4: abi_load_buffer(id, file); break;
    case 5: abi_load_fed(id, file, offset, (uint32_t)fuzz_number(&in)); break;
    case 6: keep(o, abi_load_finish(id)); break;
    default: abi_load_put(id, file, offset, in.data, (uint32_t)in.size);
  }
}

static void call_model(objects *o, uint32_t which, int32_t id, const char *text, size_t size) {
  switch (which) {
    case 0: abi_model_info(id); break;
    case 1: abi_digests(id); break;
    case 2: abi_tokenize(id, text, size, size ? (uint8_t)text[0] % 4 : 0); break;
    case 3: {
      int32_t ids[32];
      const size_t n = size / 4 < RT_COUNT(ids) ? size / 4 : RT_COUNT(ids);
      memcpy(ids, text, n * 4);
      abi_detokenize(id, ids, n, 1);
      break;
    }
    default: keep(o, abi_session_new(id, text, size));
  }
}

static void call_session(uint32_t which, int32_t id, const char *text, size_t size) {
  switch (which) {
    case 0: abi_session_info(id); break;
    case 1: answer(id, text, size); break;
    case 2:
      abi_step(id, size ? (uint8_t)text[0] : 0);
      abi_event_of(id);
      abi_logits(id);
      break;
    case 3: abi_usage(id); break;
    case 4: abi_proof(id); break;
    default:
      if (size % 4 == 0) abi_close(id);
  }
}

static void call(objects *o, const uint8_t *record, size_t size) {
  if (size < 2) return;
  const uint32_t which = record[0] % 19;
  const int32_t id = record[1] < 0xf0 ? o->ids[record[1] % o->count] : (int32_t)(record[1] * 9999991u);
  char *text = malloc(size - 1); /* of its own size, so that a byte read too far is seen */
  if (!text) abort();
  memcpy(text, record + 2, size - 2);
  if (which < 8) call_loader(o, which, id, text, size - 2);
  else if (which < 13) call_model(o, which - 8, id, text, size - 2);
  else call_session(which - 13, id, text, size - 2);
  free(text);
}

void fuzz_one(const uint8_t *data, size_t size) {
  objects o = {0};
  keep(&o, load_model());
  keep(&o, abi_session_new(o.ids[0], "{\"n_ctx\": 64}", 13));
  if (o.count != 2) abort();
  for (size_t at = 0, calls = 0; at < size && calls < MOST_CALLS; calls++) {
    const uint8_t *end = memchr(data + at, SEPARATOR, size - at);
    const size_t n = end ? (size_t)(end - data) - at : size - at;
    call(&o, data + at, n);
    at += n + 1;
  }
  for (int pass = 0; pass < 2; pass++) /* sessions, then their models */
    for (size_t i = o.count; i-- > 0;) abi_close(o.ids[i]);
  if (live) {
    fprintf(stderr, "%zu bytes were not given back\n", live);
    abort();
  }
}
