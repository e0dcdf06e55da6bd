/* files.h - the bytes of a model: one GGUF file or a split set, read into private memory or mapped, and verified on the way in. */
#ifndef FILES_H
#define FILES_H

#include "trust_policy.h"
#include "machine/posix.h"

typedef struct model_files {
  retort_buffer *buffers; /* one a file, in order; as retort_gguf_open wants them */
  size_t count;
  uint64_t bytes;            /* of all files */
  size_t room;               /* memory for each file's header; 0: for the whole file */
  bool named;                /* each of several, by the user */
  bool embedded;             /* the bytes are the program's own data, used where they are */
  bool mapped, sealed;       /* sealed: by fs-verity, all of them */
  retort_verifier *verifier; /* finished, unless only the header was read */
  retort_verdict verdict;
  retort_gguf *header;               /* FILES_HEADER, until files_parse hands it out */
  uint64_t turns_begun;              /* of reading: what is to be wiped where the model is refused */
  double read_seconds, hash_seconds; /* parts of the time that getting the bytes took, by what the threads spent on each */
  const machine *m;
} model_files;

/* What the caller will do: run the model; look at it, its header above all, so that an unsigned file is mapped; or read metadata alone, for
 * which of a file with a signed chunk list only the chunks of the header are read; or the same if that is cheap, else nothing
 * (files_peeked); or look at the header of a file that nobody vouches for (options: allow_unsigned), of which nothing else is kept. */
enum { FILES_RUN, FILES_LOOK, FILES_HEADER, FILES_PEEK, FILES_STRANGER };

/* Opens `path` (NULL: the model embedded in the program) and the other files of a split set, which are those that the options name too, or
 * else, where its name is that of one file of a set (NAME-00001-of-000NN.gguf), the others beside it. All go by the trust policy of the
 * options: each byte is hashed as it arrives, by the threads that read it, and a model that fails is wiped and given back unseen. Returns
 * EXIT_OK, or the exit code once the error was reported. */
int files_open(model_files *f, const machine *m, const char *path, int look, const options *o);
/* The only way to the parser: retort_gguf_open_verified over these files. After FILES_HEADER and FILES_STRANGER the metadata alone may be
 * there, whatever `flags` say. */
retort_status files_parse(model_files *f, uint32_t flags, retort_gguf **out, retort_error *error);
/* After FILES_PEEK: the header is there. */
bool files_peeked(const model_files *f);
/* "private copy", "shared map", "fs-verity map" or "embedded". */
const char *files_memory(const model_files *f);
void files_close(model_files *f);

/* SHA-256 of file `index` in hex. */
void files_digest(const model_files *f, size_t index, char hex[65]);

#endif
