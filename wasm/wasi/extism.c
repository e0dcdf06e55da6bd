/* extism.c - the plugin as Extism's hosts know plugins: one function, `chat`, JSON in and out (retort-plugin.extism.wasm).
 *
 * The host's manifest allows one directory (WASI), and its config has "load", the request of retort_load_directory, and perhaps "session",
 * that of retort_session_new. The model is loaded by the first call and stays; so does the session, which computes again only what a
 * request does not share with the one before. Input: the request of retort_chat. Output: {"text", "reasoning", "finish_reason", "usage",
 * "proof"}. Extism returns an answer as a whole; hosts that want it piece by piece take another build of the plugin.
 */
#include <jansson.h>
#include <retort.h>
#include <stdlib.h>
#include <string.h>

#include "directory.h"

#define EXTISM(name) __attribute__((import_module("extism:host/env"), import_name(#name)))
EXTISM(input_length) uint64_t extism_input_length(void);
EXTISM(input_load_u8) uint32_t extism_input_load_u8(uint64_t at);
EXTISM(config_get) uint64_t extism_config_get(uint64_t key);
EXTISM(length) uint64_t extism_length(uint64_t block);
EXTISM(alloc) uint64_t extism_alloc(uint64_t size);
EXTISM(load_u8) uint32_t extism_load_u8(uint64_t at);
EXTISM(store_u8) void extism_store_u8(uint64_t at, uint32_t byte);
EXTISM(output_set) void extism_output_set(uint64_t at, uint64_t size);
EXTISM(error_set) void extism_error_set(uint64_t block);

static int32_t model, session;

static uint64_t block_of(const char *text, size_t size) {
  uint64_t block = extism_alloc(size);
  for (size_t i = 0; i < size; i++) extism_store_u8(block + i, (unsigned char)text[i]);
  return block;
}

/* malloc'ed; "" where the host's config does not have it. NULL: no memory. */
static char *config(const char *key) {
  uint64_t block = extism_config_get(block_of(key, strlen(key)));
  size_t size = block ? (size_t)extism_length(block) : 0;
  char *text = malloc(size + 1);
  for (size_t i = 0; text && i < size; i++) text[i] = (char)extism_load_u8(block + i);
  if (text) text[size] = 0;
  return text;
}

static int32_t open_model(void) {
  char *load = config("load"), *options = config("session");
  int32_t status = load && options ? RETORT_OK : abi_failed(RETORT_ERROR_MEMORY, "the sandbox has no more memory");
  if (!status && !load[0])
    status =
        abi_failed(RETORT_ERROR_ARGUMENT, "the config has no \"load\": {\"trust\": {...}, \"files\": [names in the allowed directory]}");
  if (!status && !model && (status = abi_load_directory(load, strlen(load))) > 0) model = status;
  if (status >= 0 && (status = abi_session_new(model, options, strlen(options))) > 0) session = status;
  free(load);
  free(options);
  return status < 0 ? status : RETORT_OK;
}

/* Adds a piece to one of two texts. */
static int32_t add(char **text, size_t *size, const abi_event *e) {
  char *longer = realloc(*text, *size + e->size + 1);
  if (!longer) return abi_failed(RETORT_ERROR_MEMORY, "the sandbox has no more memory");
  memcpy(longer + *size, (const char *)(uintptr_t)e->text, e->size);
  longer[ *size += e->size] = 0;
  *text = longer;
  return RETORT_OK;
}

static json_t *result(int32_t size) { return size < 0 ? NULL : json_loadb(abi_result(), (size_t)size, 0, NULL); }

static int32_t answer(const char *request, size_t size, json_t **out) {
  char *text[2] = {NULL, NULL};
  size_t sizes[2] = {0, 0};
  int32_t status = abi_chat(session, request, size);
  const abi_event *e = abi_event_of(session);
  if (status > 0) do {
      status = abi_step(session, 0);
      if (status > 0) status = add(&text[e->section], &sizes[e->section], e);
    } while (status == RETORT_OK && e->kind != RETORT_EVENT_END);
  if (status == RETORT_OK) {
    json_t *usage = result(abi_usage(session)), *proof = result(abi_proof(session)); /* a proof, if it was asked for */
    *out = json_pack("{s:s,s:s,s:s,s:o*,s:o*}", "text", text[0] ? text[0] : "", "reasoning", text[1] ? text[1] : "", "finish_reason",
                     retort_finish_name((int32_t)e->finish), "usage", usage, "proof", proof);
    if (!*out) status = abi_failed(RETORT_ERROR_MEMORY, "the sandbox has no more memory");
  }
  free(text[0]);
  free(text[1]);
  return status;
}

EXPORT(chat) int32_t extism_chat(void);
int32_t extism_chat(void) {
  size_t size = (size_t)extism_input_length();
  char *request = malloc(size + 1), *text = NULL;
  json_t *out = NULL;
  int32_t status = request ? RETORT_OK : abi_failed(RETORT_ERROR_MEMORY, "the sandbox has no more memory");
  for (size_t i = 0; request && i < size; i++) request[i] = (char)extism_input_load_u8(i);
  if (!status && !session) status = open_model();
  if (!status) status = answer(request, size, &out);
  if (!status && (text = json_dumps(out, JSON_COMPACT | JSON_REAL_PRECISION(9))) == NULL)
    status = abi_failed(RETORT_ERROR_MEMORY, "the sandbox has no more memory");
  if (status) extism_error_set(block_of(abi_last_error(), strlen(abi_last_error())));
  else extism_output_set(block_of(text, strlen(text)), strlen(text));
  free(request);
  free(text);
  json_decref(out);
  return status != RETORT_OK;
}
