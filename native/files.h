/* files.h - the bytes of a model: one GGUF file or a split set, read into private memory or mapped, and verified on the way in. */
#ifndef FILES_H
#define FILES_H

#include "gate.h"
#include "posix.h"

typedef struct model_files {
  retort_buffer *buffers; /* one a file, in order; as retort_gguf_open wants them */
  size_t count;
  uint64_t bytes; /* of all files */
  bool mapped;
  retort_verifier *verifier; /* finished */
  retort_verdict verdict;
  double read_seconds;
  const machine *m;
} model_files;

/* Opens `path` and, where its name is that of one file of a split set (NAME-00001-of-000NN.gguf), the others beside it, by the trust policy of the
 * options: each byte is hashed as it arrives, by the threads that read it, and a model that fails is given back unseen. `header_only`: the caller
 * will look at the header alone, so an unsigned file is mapped. Returns EXIT_OK, or the exit code once the error was reported. */
int files_open(model_files *f, const machine *m, const char *path, bool header_only, const options *o);
/* The only way to the parser: retort_gguf_open_verified over these files. */
retort_status files_parse(const model_files *f, uint32_t flags, retort_gguf **out, retort_error *error);
void files_close(model_files *f);

/* SHA-256 of file `index` in hex. */
void files_digest(const model_files *f, size_t index, char hex[65]);

#endif
