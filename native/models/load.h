/* load.h - from a file name to a model ready to run: the steps that all commands share, with their errors and memory checks. */
#ifndef LOAD_H
#define LOAD_H

#include "files.h"
#include "terminal/options.h"

typedef struct loaded {
  machine *m;
  model_files files;
  retort_gguf *gguf;
  retort_vocab *vocab;
  retort_model *model;
  retort_session *session;
  retort_vocab_info vocab_info;
  retort_model_info model_info;
  retort_session_info session_info;
  char path[4096]; /* of the model; EMBEDDED_NAME where none was named */
  bool embedded;
  char now[20];         /* when it was loaded, in UTC: "2026-07-31 17:04:59" */
  text_buffer template; /* of --template; empty: the model's own */
  char *variables;      /* of --template-var, a JSON object; NULL: none */
  double load_seconds;  /* from the start of loading to the open model */
  double parse_seconds; /* of these: from the verified bytes on */
} loaded;

enum {
  LOAD_VOCAB = 1u << 0,
  LOAD_MODEL = 1u << 1,
  LOAD_SESSION = 1u << 2 /* a session of the options' context will follow: it must fit beside the model */
};
/* Finds the model (o->model, $RETORT_MODEL, the embedded one), gets its bytes and opens what `what` asks for; without LOAD_MODEL only the
 * header of the file is touched. Returns EXIT_OK, or the exit code once the error was reported; call unload in either case. */
int load(loaded *l, const options *o, unsigned what);
/* Opens a session for `n_ctx` positions (0: the default) after checking that its cache fits in memory. */
int load_session(loaded *l, const options *o, uint32_t n_ctx);
void unload(loaded *l);

/* Sets l->path and l->embedded; false where the name given is too long (reported). */
bool find_model(const options *o, loaded *l);
/* For files_open: the path, or NULL for the embedded model. */
const char *model_file(const loaded *l);
/* The forced kernel variant, or NULL for the best. */
const char *wanted_kernels(const options *o);

#endif
