/* paths.h - the files of a model on disk: one file, a split set, or a folder; read in pieces.
 *
 * Of a folder what git keeps for itself is left out (.git and its like at the top), the signature, wherever in it that lies, and what the
 * user has ignored (OMS 6.2). */
#ifndef PATHS_H
#define PATHS_H

#include "trust_policy.h"

/* What of a folder is no part of the model. */
typedef struct left_out {
  const char *signature;      /* path of the signature file, which need not be there; NULL: there is none */
  const string_list *ignored; /* paths in the folder, each with all below it; NULL: none. See ignored_path. */
} left_out;

typedef struct model_paths {
  char *root;           /* the folder, without a slash at its end; NULL: files were named */
  retort_buffer *files; /* path in `name`, size; data NULL */
  size_t count;
  uint64_t bytes;
  uint32_t n_left_out; /* paths that the user had ignored */
} model_paths;

/* `path` is a file, the first file of a split set (all are taken), or a folder or a link to one (all regular files below it). A link or
 * device below a folder is an error. Returns EXIT_OK, or the exit code once the error was reported. */
int model_paths_open(model_paths *t, const char *path, const left_out *out, bool json);
void model_paths_close(model_paths *t);

/* `given`, a path in the folder `root`, or from here where there is none, as the model's list has it: "a/b". false: it is none in there. */
bool ignored_path(const char *root, const char *given, char path[4300]);

/* "-00001-of-00005.gguf" at the end of `path`: the number of files, and where the five digits of the file's own number are; else 1. */
unsigned split_count(const char *path, size_t *digits);

/* Reads file `index` in pieces of at most 8 MiB and hands each to `take`, until that returns another status than RETORT_OK (left in
 * *error). */
int model_paths_read(const model_paths *t, size_t index,
                     retort_status (*take)(void *arg, uint64_t offset, const void *data, size_t size, retort_error *error), void *arg,
                     bool json);

/* Memory to read files into, `size` bytes or more, to be freed; begins on a page, for the kernel copies to odd addresses at half the speed.
 */
char *read_buffer(size_t size);

/* Fresh bytes from the kernel. */
bool random_bytes(void *out, size_t size);

/* Asks for a password on the terminal, or reads a line of standard input where that is none. malloc'ed; NULL: none could be read. */
char *ask_password(const char *prompt);

#endif
