/* retort_plugin.h - a reasoning model in a sandbox inside your C program: retort-plugin.wasm under wasmtime's C API.
 *
 * The module imports nothing: no file, clock or network is open to it. This code reads the model and feeds it piece by piece; the plugin
 * hashes each piece, and parses nothing before all of it was verified. docs/PLUGIN.md describes the functions called underneath.
 *
 * Functions that can fail return NULL or a number below 0; plugin_error() is then a sentence. A plugin is for one thread at a time. JSON
 * goes in and comes out as text: use the JSON library that you like. A number below 0 may be handed on: plugin_session(p, plugin_load(...),
 * NULL) keeps the first error.
 */
#ifndef RETORT_PLUGIN_H
#define RETORT_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

typedef struct plugin plugin;

typedef struct piece {
  int kind;      /* 1 token, 2 the last */
  int reasoning; /* 1: reasoning, 0: answer */
  int finish;    /* kind 2: 1 the model ended, 2 length, 3 a stop string */
  int32_t token;
  const char *text; /* `size` bytes of UTF-8, valid until the next call */
  size_t size;
} piece;

/* Compiles and starts the module; `memory_limit`: the most bytes that it may take, 0: 4 GiB. */
plugin *plugin_open(const char *wasm_path, uint64_t memory_limit);
plugin *plugin_another(const plugin *p,
                       uint64_t memory_limit); /* one more sandbox, which shares p's compiled code; p may be closed before it */
void plugin_close(plugin *p);
uint64_t plugin_memory_bytes(plugin *p);        /* what the sandbox has taken */
const char *plugin_error(const plugin *p);      /* "" before any error */
const char *plugin_error_kind(const plugin *p); /* "trust", "memory", ...; "host" for what went wrong on this side */

/* Loads one GGUF file, with its signature (FILE.sig, FILE.minisig) and FILE.chunks where they are there. `trust_json`: the policy
 * (docs/PLUGIN.md). */
int32_t plugin_load(plugin *p, const char *path, const char *trust_json);
int32_t plugin_session(plugin *p, int32_t model, const char *options_json); /* NULL: defaults */
int32_t plugin_chat(plugin *p, int32_t session, const char *request_json);  /* begins an answer */
int plugin_next(plugin *p, int32_t session, piece *out);                    /* the next piece: its kind. Stop calling to cancel. */
int32_t plugin_end(plugin *p, int32_t session);                             /* closes a session */
/* JSON by the name of its function, without retort_: "model_info", "usage", "proof". malloc'ed. */
char *plugin_json(plugin *p, const char *name, int32_t object);

#endif
