/* paths.h - the files of a model on disk: one file, a split set, or a folder; read in pieces. */
#ifndef PATHS_H
#define PATHS_H

#include "trust_policy.h"

typedef struct model_paths {
  char *root;           /* the folder, without a slash at its end; NULL: files were named */
  retort_buffer *files; /* path in `name`, size; data NULL */
  size_t count;
  uint64_t bytes;
} model_paths;

/* `path` is a file, the first file of a split set (all are taken), or a folder or a link to one (all regular files below it, without .git
 * and its like at the top, without `model.sig`). A link or device below a folder is an error. Returns EXIT_OK, or the exit code once the
 * error was reported. */
int model_paths_open(model_paths *t, const char *path, bool json);
void model_paths_close(model_paths *t);

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
