/* abi.h - the functions that a WebAssembly build of retort exports: one C interface for every host, in a browser or around a plugin.
 *
 * The exported names carry the prefix retort_ (`retort_step` is abi_step here); docs/PLUGIN.md is the manual. Habits, once for all:
 *  - Objects (loader, model, session) are numbers above 0. One that was closed, or is of another kind, is an error and never a crash.
 *  - What can fail returns a number, below 0 a retort_status; retort_last_error() is then the sentence that says why.
 *  - Text goes in as pointer and size, into memory of retort_alloc. Text, JSON and token ids come out as retort_result(): the function
 * returns their count, and they stay until the next call that has a result.
 *  - Offsets in files are 64 bits; everything else is 32. The browser's modules for large models have 64-bit addresses, and sizes in
 * memory.
 *  - Nothing is imported: no clock, no file, no randomness. The host passes the bytes, and the time where certificates need one.
 *
 * The order that the loader enforces is the native program's: the policy and the signatures first, then bytes, hashed as they are fed;
 * nothing of a file is parsed before everything was verified (retort_load_finish). Refused bytes are wiped.
 */
#ifndef ABI_H
#define ABI_H

#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))

/* ---- memory and results ---- */

EXPORT(retort_alloc) void *abi_alloc(size_t size); /* NULL: there is none */
EXPORT(retort_free) void abi_free(void *memory);
EXPORT(retort_last_error) const char *abi_last_error(void); /* NUL-terminated; "" before any error */
EXPORT(retort_result) const void *abi_result(void);

/* A random number of the host's, before anything else: the hash of JSON keys begins with it, so that nobody can choose keys that collide.
 * It changes no result. */
EXPORT(retort_seed) void abi_seed(uint32_t random);

/* ---- loading ----
 * {"trust": {"method": "key", "anchors": [PEM...], "pins": [hex...], "model_name": s, "model_digest": s, "time": n, "at_signing_time": b,
 * "complete": b}, "signatures": [text...], "files": [{"name": s, "size": n}...]}; method is a word of retort_trust_method_name, and there
 * is no default. */
EXPORT(retort_load_begin) int32_t abi_load_begin(const char *json, size_t size); /* loader */
EXPORT(retort_load_chunks)
int32_t abi_load_chunks(int32_t loader, uint32_t file, const void *list, size_t size);     /* the file's `.chunks`, copied */
EXPORT(retort_load_open) int32_t abi_load_open(int32_t loader);                            /* checks the signatures, takes the memory */
EXPORT(retort_load_chunk_size) int64_t abi_load_chunk_size(int32_t loader, uint32_t file); /* 0: feed in order; else whole chunks */
EXPORT(retort_load_buffer) void *abi_load_buffer(int32_t loader, uint32_t file);           /* where the file's byte 0 goes */
EXPORT(retort_load_fed)
int32_t abi_load_fed(int32_t loader, uint32_t file, uint64_t offset, uint32_t size); /* these bytes are there: hash them */
EXPORT(retort_load_finish) int32_t abi_load_finish(int32_t loader);                  /* model; the loader is no more */

/* ---- a model ---- */

EXPORT(retort_model_info) int32_t abi_model_info(int32_t model); /* JSON */
EXPORT(retort_digests)
int32_t abi_digests(int32_t model); /* JSON: each file's SHA-256 in hex; hashes them at the first call, for seconds if they are large */
EXPORT(retort_tokenize) int32_t abi_tokenize(int32_t model, const char *text, size_t size, uint32_t flags); /* ids, little-endian int32 */
EXPORT(retort_detokenize) int32_t abi_detokenize(int32_t model, const int32_t *ids, size_t count, uint32_t flags); /* bytes */

/* ---- sessions ---- */

/* {"n_ctx": n, "n_batch": n, "kv": "f16"|"f32"|"q8_0"}; nothing, or {}: the defaults of retort.h */
EXPORT(retort_session_new) int32_t abi_session_new(int32_t model, const char *json, size_t size);
EXPORT(retort_session_info) int32_t abi_session_info(int32_t session); /* JSON */
/* Begins an answer and returns the prompt's tokens. {"messages": [{"role", "content"}...]} or {"prompt": raw text}, and any of
 * "temperature", "top_p", "min_p", "top_k", "repetition_penalty", "repetition_window", "seed" (number, or decimal text), "max_tokens",
 * "thinking_budget", "stop" (text or texts), "proof", "draft", and for the template "variables", "template", "date",
 * "add_generation_prompt". OpenAI's and vLLM's spellings are taken too (service/options.def). Any other key is an error, and a value out of
 * its range, which the error names. */
EXPORT(retort_chat) int32_t abi_chat(int32_t session, const char *json, size_t size);
EXPORT(retort_step) int32_t abi_step(int32_t session, uint32_t work_tokens); /* the event's kind (retort_event_kind); fill retort_event */

typedef struct abi_event {
  uint32_t kind;    /* 0 a part of the prompt was read, 1 token, 2 end */
  int32_t token;    /* id, -1 none */
  uint32_t section; /* 0 answer, 1 reasoning */
  uint32_t text;    /* address of whole UTF-8 characters, valid until the next call on the session */
  uint32_t size;    /* their bytes */
  uint32_t finish;  /* kind 2: 1 the model ended, 2 length, 3 a stop string, 4 the model ended inside its reasoning */
  uint32_t prompt_done, prompt_total;
  uint32_t forced; /* 1: put there by the thinking budget */
#if UINTPTR_MAX > UINT32_MAX
  uint32_t text_high; /* of the address */
#endif
} abi_event;
EXPORT(retort_event) const abi_event *abi_event_of(int32_t session); /* NULL: no such session */
EXPORT(retort_logits)
const float *abi_logits(int32_t session); /* (1, n_vocab) that the last event's token was chosen from; NULL: it has no token */
EXPORT(retort_usage) int32_t abi_usage(int32_t session); /* JSON, OpenAI's names */
EXPORT(retort_proof) int32_t abi_proof(int32_t session); /* JSON, as `retort run --json --proof` has it */

/* A session, a model without sessions, or a loader. */
EXPORT(retort_close) int32_t abi_close(int32_t object);

/* ---- for the builds of wasi/ that import something from the host; not part of the plugin that imports nothing ---- */

/* Puts up to `size` bytes (1 or more) of the loader's file at `to`: how many; 0: it ends before; below 0: a retort_status, with the error
 * kept. */
typedef int32_t abi_reader(uint32_t file, uint64_t offset, void *to, uint32_t size);
int32_t abi_load_with(int32_t loader,
                      abi_reader *read_at); /* from retort_load_open to retort_load_finish; the loader is no more, whatever happens */
int32_t abi_load_put(int32_t loader, uint32_t file, uint64_t offset, const void *data,
                     uint32_t size);                                       /* copies the bytes and is retort_load_fed */
struct json_t *abi_parse(const char *text, size_t size, const char *what); /* a JSON object; NULL once the error is kept */
int32_t abi_failed(int32_t status, const char *format, ...) __attribute__((format(printf, 2, 3))); /* keeps the error */

#endif
