/* handles.h - what the parts of the modules' interface share: the objects that have numbers, the last error, the last result.
 *
 * An instance of the module is one thread, so handles.c may keep state. A session counts on its model; closing a model that has sessions
 * is refused.
 */
#ifndef HANDLES_H
#define HANDLES_H

#include <jansson.h>
#include <stdbool.h>

#include "abi.h"
#include "platform.h"
#include "service/options.h"

enum { LOADER = 1, MODEL, SESSION };

/* The first member of everything that has a number. */
typedef struct object {
  struct object *next;
  int32_t id, kind;
} object;

typedef struct file {
  char *name;
  size_t size;
  void *data; /* (size) of the platform; NULL before retort_load_open */
  void *chunks;
  size_t chunks_size;
} file;

typedef struct loader {
  object head;
  json_t *request; /* the policy's texts live in it */
  file *files;
  size_t n_files;
  retort_verifier *verifier;      /* NULL before retort_load_open */
  bool refused, unsigned_, whole; /* whole: the signature is over the file and not over a digest of it */
} loader;

typedef struct model {
  object head;
  file *files;
  size_t n_files;
  retort_verdict verdict;
  retort_gguf *gguf;
  retort_vocab *vocab;
  retort_model *model;
  json_t *warnings; /* what the core had to say while it loaded */
  json_t *digests;  /* SHA-256 of the files; NULL before somebody asked */
  uint32_t sessions;
} model;

typedef struct session {
  object head;
  model *model;
  retort_session *session;
  abi_event event;
  int32_t *prompt;
  size_t n_prompt;
  service_options options; /* of the last answer; its stop strings lie in `stop` */
  json_t *stop;
  uint32_t positions; /* tokens generated for it */
} session;

extern retort_error last_error;

const retort_platform *platform(void);
int32_t no_memory(void);
/* Where the core's warnings go from now on; NULL: nowhere. */
void collect_warnings(json_t *list);

/* Hands `memory` (malloc'ed) to the host: `count`, or the error where it is NULL. */
int32_t give(void *memory, size_t count);
/* The same with the text of the tree, which it takes over. */
int32_t give_json(json_t *tree);

/* Gives the object its number: that, or an error. */
int32_t enlist(object *o, int32_t kind);
void strike(object *o);
/* NULL once the error is set: there is no such object. Kind 0 is any. */
void *find(int32_t id, int32_t kind);

/* Each with the part that made it. */
void free_loader(loader *l);
void free_model(model *m);
void free_session(session *s);

/* SHA-256 of the files, as a JSON array; a reference of the caller's. */
json_t *digests(model *m);

#endif
