/* files.h - the bytes of a model: one GGUF file or a split set, read into private memory or mapped. */
#ifndef FILES_H
#define FILES_H

#include "posix.h"

typedef struct model_files {
  retort_buffer *buffers; /* one a file, in order; as retort_gguf_open wants them */
  size_t count;
  uint64_t bytes; /* of all files */
  bool mapped;
  double read_seconds;
  const machine *m;
} model_files;

/* Opens `path` and, where its name is that of one file of a split set (NAME-00001-of-000NN.gguf), the others beside it. `map`: the pages come
 * from the file as they are touched; else all is read at once, by all threads. Returns EXIT_OK, or the exit code once the error was reported. */
int files_open(model_files *f, const machine *m, const char *path, bool map, bool json);
void files_close(model_files *f);

/* SHA-256 of file `index` in hex. */
void files_digest(const model_files *f, size_t index, char hex[65]);

#endif
