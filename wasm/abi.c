/* abi.c - see abi.h. Translates between numbers, JSON and retort.h, and keeps what lives: loaders, models, sessions.
 *
 * An instance of the module is one thread, so this file may keep state: the list of live objects, the last error, the last result. A
 * session counts on its model; closing a model that has sessions is refused. JSON is read and written by jansson.
 */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include "abi.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"
#include "service/json.h"
#include "service/record.h"
#include "service/request.h"

_Static_assert(sizeof(abi_event) == 32 + sizeof(void *) && offsetof(abi_event, forced) == 32, "hosts read the event by offsets");

enum { LOADER = 1, MODEL, SESSION };
static const char *const KIND_NAMES[] = {"", "loader", "model", "session"};

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

static struct {
  retort_platform platform;
  object *live;
  int32_t last_id;
  retort_error error;
  void *result;
  json_t *warnings;
} state;

/* ---- errors, results, objects ---- */

int32_t abi_failed(int32_t status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(state.error.message, sizeof state.error.message, format, args);
  va_end(args);
  return state.error.status = status;
}
static int32_t no_memory(void) {
  return abi_failed(RETORT_ERROR_MEMORY, "the sandbox has no more memory: raise its limit, or take a smaller model or context");
}

static void log_line(void *user, int level, const char *line) {
  (void)user;
  if (level == RETORT_LOG_WARNING && state.warnings) json_array_append_new(state.warnings, json_string(line));
}

static const retort_platform *platform(void) {
  if (state.platform.struct_size == 0) {
    platform_fill(&state.platform);
    state.platform.log = log_line;
  }
  return &state.platform;
}

void *abi_alloc(size_t size) { return malloc(size ? size : 1); }
void abi_free(void *memory) { free(memory); }
const char *abi_last_error(void) { return state.error.message; }
const void *abi_result(void) { return state.result; }

/* Hands `memory` (malloc'ed) to the host. */
static int32_t give(void *memory, size_t count) {
  if (!memory) return no_memory();
  free(state.result);
  state.result = memory;
  return (int32_t)count;
}

/* Takes the tree over. */
static int32_t give_json(json_t *tree) {
  char *text = tree ? json_dumps(tree, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
  json_decref(tree);
  return give(text, text ? strlen(text) : 0);
}

static int32_t enlist(object *o, int32_t kind) {
  if (state.last_id == INT32_MAX) return abi_failed(RETORT_ERROR_MEMORY, "this instance has given out all its numbers; make a new one");
  o->kind = kind;
  o->id = ++state.last_id;
  o->next = state.live;
  state.live = o;
  return o->id;
}

static void strike(object *o) {
  object **at = &state.live;
  while (*at != o) at = &(*at)->next;
  *at = o->next;
}

static void *find(int32_t id, int32_t kind) {
  for (object *o = state.live; o; o = o->next)
    if (o->id == id && (kind == 0 || o->kind == kind)) return o;
  abi_failed(RETORT_ERROR_ARGUMENT, "%d is no open %s", (int)id, kind ? KIND_NAMES[kind] : "object");
  return NULL;
}

json_t *abi_parse(const char *text, size_t size, const char *what) { return service_json_parse(text, size, what, &state.error); }

/* ---- loading ---- */

static void free_files(file *files, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (files[i].data) platform()->free(NULL, files[i].data, files[i].size);
    free(files[i].name);
    free(files[i].chunks);
  }
  free(files);
}

static void free_loader(loader *l) {
  retort_verifier_close(l->verifier);
  free_files(l->files, l->n_files);
  json_decref(l->request);
  free(l);
}

static int32_t read_files(loader *l) {
  static const char *const keys[] = {"name", "size", NULL};
  json_t *list = json_object_get(l->request, "files"), *item;
  size_t i;
  if (!json_is_array(list) || json_array_size(list) == 0)
    return abi_failed(RETORT_ERROR_JSON, "\"files\" is no array of {\"name\", \"size\"}");
  l->files = calloc(json_array_size(list), sizeof *l->files);
  if (!l->files) return no_memory();
  l->n_files = json_array_size(list);
  json_array_foreach(list, i, item) {
    const char *name = NULL;
    int64_t size = -1;
    int32_t status;
    if (!json_is_object(item)) return abi_failed(RETORT_ERROR_JSON, "\"files\" is no array of {\"name\", \"size\"}");
    retort_error *error = &state.error;
    if ((status = service_json_only(item, keys, "a file", error)) || (status = service_json_text(item, "name", &name, error)) ||
        (status = service_json_integer(item, "size", 0, INT64_MAX, &size, error)))
      return status;
    if (!name || size < 0) return abi_failed(RETORT_ERROR_JSON, "file %u needs a \"name\" and a \"size\"", (unsigned)i);
    if ((uint64_t)size > SIZE_MAX / 2)
      return abi_failed(RETORT_ERROR_MEMORY, "%s has %lld bytes, more than this address space holds; take a smaller model", name,
                        (long long)size);
    l->files[i].name = strdup(name);
    l->files[i].size = (size_t)size;
    if (!l->files[i].name) return no_memory();
  }
  return RETORT_OK;
}

int32_t abi_load_begin(const char *json, size_t size) {
  static const char *const keys[] = {"trust", "signatures", "files", NULL};
  loader *l = calloc(1, sizeof *l);
  if (!l) return no_memory();
  l->request = abi_parse(json, size, "the request to load");
  int32_t status = !l->request ? state.error.status : service_json_only(l->request, keys, "the request to load", &state.error);
  if (!status) status = read_files(l);
  if (!status) status = enlist(&l->head, LOADER);
  if (status < 0) free_loader(l);
  return status;
}

static file *find_file(int32_t id, uint32_t index, loader **l) {
  *l = find(id, LOADER);
  if (!*l) return NULL;
  if (index < (*l)->n_files) return &(*l)->files[index];
  abi_failed(RETORT_ERROR_ARGUMENT, "there is no file %u", (unsigned)index);
  return NULL;
}

int32_t abi_load_chunks(int32_t id, uint32_t index, const void *list, size_t size) {
  loader *l;
  file *f = find_file(id, index, &l);
  if (!f) return state.error.status;
  if (l->verifier) return abi_failed(RETORT_ERROR_ARGUMENT, "chunk lists come before retort_load_open");
  void *copy = malloc(size ? size : 1);
  if (!copy) return no_memory();
  memcpy(copy, list, size);
  free(f->chunks);
  f->chunks = copy;
  f->chunks_size = size;
  return RETORT_OK;
}

static int32_t read_method(json_t *trust, int32_t *method) {
  const char *word = NULL;
  int32_t status = service_json_text(trust, "method", &word, &state.error);
  if (status) return status;
  for (int32_t m = RETORT_TRUST_UNSIGNED; word && m <= RETORT_TRUST_SIGNIFY; m++)
    if (strcmp(word, retort_trust_method_name(m)) == 0) {
      *method = m;
      return RETORT_OK;
    }
  return abi_failed(RETORT_ERROR_TRUST,
                    "\"trust\" must say by \"method\" how the model is vouched for: key, certificate, minisign, signify, pinned, or, "
                    "knowingly, unsigned");
}

static retort_buffer *buffers(const char *const *texts, size_t n) {
  retort_buffer *list = calloc(n + 1, sizeof *list);
  for (size_t i = 0; list && i < n; i++) list[i] = (retort_buffer){sizeof(retort_buffer), texts[i], strlen(texts[i]), NULL};
  return list;
}

static int32_t open_verifier(loader *l) {
  static const char *const keys[] = {"method", "anchors",         "pins",     "model_name", "model_digest",
                                     "time",   "at_signing_time", "complete", NULL};
  json_t *trust = json_object_get(l->request, "trust");
  const char **anchors = NULL, **pins = NULL, **signatures = NULL;
  size_t n_signatures = 0;
  retort_trust_policy p;
  retort_trust_policy_init(&p, sizeof p);
  retort_error *error = &state.error;
  int32_t status = trust && !json_is_object(trust) ? abi_failed(RETORT_ERROR_JSON, "\"trust\" is no object")
                                                   : service_json_only(trust, keys, "trust", error);
  if (status || (status = read_method(trust, &p.method)) ||
      (status = service_json_texts(trust, "anchors", &anchors, &p.n_anchors, error)) ||
      (status = service_json_texts(trust, "pins", &pins, &p.n_pins, error)) ||
      (status = service_json_texts(l->request, "signatures", &signatures, &n_signatures, error)) ||
      (status = service_json_text(trust, "model_name", &p.model_name, error)) ||
      (status = service_json_text(trust, "model_digest", &p.model_digest, error)) ||
      (status = service_json_integer(trust, "time", 0, INT64_MAX, &p.time, error)) ||
      (status = service_json_flag(trust, "at_signing_time", RETORT_TRUST_AT_SIGNING_TIME, &p.flags, error)) ||
      (status = service_json_flag(trust, "complete", RETORT_TRUST_COMPLETE, &p.flags, error)))
    goto end;
  retort_buffer *anchor_list = buffers(anchors, p.n_anchors), *signature_list = buffers(signatures, n_signatures);
  retort_trust_file *described = calloc(l->n_files, sizeof *described);
  for (size_t i = 0; described && i < l->n_files; i++)
    described[i] =
        (retort_trust_file){sizeof(retort_trust_file), l->files[i].name, l->files[i].size, l->files[i].chunks, l->files[i].chunks_size};
  p.anchors = anchor_list;
  p.pins = pins;
  l->unsigned_ = p.method == RETORT_TRUST_UNSIGNED;
  l->whole = p.method == RETORT_TRUST_SIGNIFY;
  if (!anchor_list || !signature_list || !described) status = no_memory();
  else status = retort_verifier_open(platform(), &p, signature_list, n_signatures, described, l->n_files, &l->verifier, &state.error);
  free(anchor_list);
  free(signature_list);
  free(described);
end:
  free(anchors);
  free(pins);
  free(signatures);
  return status;
}

int32_t abi_load_open(int32_t id) {
  loader *l = find(id, LOADER);
  if (!l) return state.error.status;
  if (l->verifier) return abi_failed(RETORT_ERROR_ARGUMENT, "loader %d is open already", (int)id);
  int32_t status = open_verifier(l);
  for (size_t i = 0; !status && i < l->n_files; i++) {
    file *f = &l->files[i];
    f->data = platform()->alloc(NULL, f->size);
    if (!f->data)
      status = abi_failed(RETORT_ERROR_MEMORY, "no memory for the %llu bytes of %s: raise the sandbox's limit, or take a smaller model",
                          (unsigned long long)f->size, f->name);
  }
  if (!status) return RETORT_OK;
  for (size_t i = 0; i < l->n_files; i++) {
    if (l->files[i].data) platform()->free(NULL, l->files[i].data, l->files[i].size);
    l->files[i].data = NULL;
  }
  retort_verifier_close(l->verifier);
  l->verifier = NULL;
  return status;
}

int64_t abi_load_chunk_size(int32_t id, uint32_t index) {
  loader *l;
  if (!find_file(id, index, &l)) return state.error.status;
  if (!l->verifier) return abi_failed(RETORT_ERROR_ARGUMENT, "loader %d is not open: retort_load_open comes first", (int)id);
  return (int64_t)retort_verifier_chunk_size(l->verifier, index);
}

void *abi_load_buffer(int32_t id, uint32_t index) {
  loader *l;
  file *f = find_file(id, index, &l);
  if (f && !f->data) abi_failed(RETORT_ERROR_ARGUMENT, "loader %d is not open: retort_load_open comes first", (int)id);
  return f ? f->data : NULL;
}

/* Bytes that were refused stay nowhere. */
static int32_t refuse(loader *l, int32_t status) {
  for (size_t i = 0; status == RETORT_ERROR_TRUST && i < l->n_files; i++) {
    volatile char *data = l->files[i].data;
    for (size_t k = 0; k < l->files[i].size; k++) data[k] = 0;
  }
  l->refused = l->refused || status == RETORT_ERROR_TRUST;
  return status;
}

enum { MOST_SHARES = 32 };
typedef struct shares {
  loader *l;
  uint32_t index;
  uint64_t offset, size, chunk;
  int32_t status[MOST_SHARES];
  retort_error errors[MOST_SHARES];
} shares;

static void verify_share(void *arg, unsigned worker, unsigned n_workers) {
  shares *f = arg;
  uint64_t count = (f->size + f->chunk - 1) / f->chunk, from = count * worker / n_workers * f->chunk,
           to = count * (worker + 1) / n_workers * f->chunk;
  if (to > f->size) to = f->size;
  if (from < to)
    f->status[worker] =
        retort_verifier_feed(f->l->verifier, f->index, f->offset + from, (const char *)f->l->files[f->index].data + f->offset + from,
                             (size_t)(to - from), &f->errors[worker]);
}

/* Several chunks: each thread hashes its share of them. What is told is the first that is wrong. */
static int32_t verify(loader *l, uint32_t index, uint64_t offset, uint32_t size) {
  const retort_platform *p = platform();
  uint64_t chunk = l->whole ? 0 : retort_verifier_chunk_size(l->verifier, index);
  if (!p->parallel || p->workers < 2 || p->workers > MOST_SHARES || !chunk || size < 2 * chunk)
    return retort_verifier_feed(l->verifier, index, offset, (const char *)l->files[index].data + offset, size, &state.error);
  shares *f = calloc(1, sizeof *f);
  if (!f) return no_memory();
  *f = (shares){.l = l, .index = index, .offset = offset, .size = size, .chunk = chunk};
  p->parallel(p->user, verify_share, f);
  int32_t status = 0;
  for (unsigned i = 0; !status && i < p->workers; i++) {
    if (f->status[i] == 0) continue;
    status = f->status[i];
    state.error = f->errors[i];
  }
  free(f);
  return status;
}

int32_t abi_load_fed(int32_t id, uint32_t index, uint64_t offset, uint32_t size) {
  loader *l;
  file *f = find_file(id, index, &l);
  if (!f) return state.error.status;
  if (!l->verifier) return abi_failed(RETORT_ERROR_ARGUMENT, "loader %d is not open: retort_load_open comes first", (int)id);
  if (offset > f->size || size > f->size - offset)
    return abi_failed(RETORT_ERROR_ARGUMENT, "%s ends at %llu", f->name, (unsigned long long)f->size);
  if (l->unsigned_) return RETORT_OK;
  return refuse(l, verify(l, index, offset, size));
}

static void free_model(model *m) {
  retort_model_close(m->model);
  retort_vocab_close(m->vocab);
  retort_gguf_close(m->gguf);
  free_files(m->files, m->n_files);
  json_decref(m->warnings);
  json_decref(m->digests);
  free(m);
}

static int32_t open_model(loader *l, model *m) {
  const retort_platform *p = platform();
  m->verdict.struct_size = sizeof m->verdict;
  int32_t status = retort_verifier_finish(l->verifier, &m->verdict, &state.error);
  if (status) return refuse(l, status);
  for (size_t i = 0; i < l->n_files; i++)
    if (!retort_verifier_covers(l->verifier, i))
      return abi_failed(RETORT_ERROR_TRUST, "the signer left %s out, so nobody vouches for it", l->files[i].name);
  retort_buffer *list = calloc(l->n_files, sizeof *list);
  if (!list) return no_memory();
  for (size_t i = 0; i < l->n_files; i++)
    list[i] = (retort_buffer){sizeof(retort_buffer), l->files[i].data, l->files[i].size, l->files[i].name};
  state.warnings = m->warnings = json_array();
  if (!(status = retort_gguf_open_verified(p, l->verifier, list, l->n_files, 0, &m->gguf, &state.error)) &&
      !(status = retort_vocab_open(p, m->gguf, &m->vocab, &state.error)))
    status = retort_model_open(p, m->gguf, NULL, &m->model, &state.error);
  state.warnings = NULL;
  free(list);
  return status;
}

int32_t abi_load_finish(int32_t id) {
  loader *l = find(id, LOADER);
  if (!l) return state.error.status;
  if (!l->verifier) return abi_failed(RETORT_ERROR_ARGUMENT, "loader %d is not open: retort_load_open comes first", (int)id);
  if (l->refused) return abi_failed(RETORT_ERROR_TRUST, "the files were refused; close the loader and begin again");
  model *m = calloc(1, sizeof *m);
  if (!m) return no_memory();
  int32_t status = open_model(l, m);
  if (!status) status = enlist(&m->head, MODEL);
  if (status < 0) {
    free_model(m);
    return status;
  }
  m->files = l->files;
  m->n_files = l->n_files;
  l->files = NULL;
  l->n_files = 0;
  strike(&l->head);
  free_loader(l);
  return status;
}

int32_t abi_load_put(int32_t id, uint32_t index, uint64_t offset, const void *data, uint32_t size) {
  loader *l;
  file *f = find_file(id, index, &l);
  if (f && f->data && offset <= f->size && size <= f->size - offset) memcpy((char *)f->data + offset, data, size);
  return f ? abi_load_fed(id, index, offset, size) : state.error.status;
}

static int32_t feed(loader *l, uint32_t index, abi_reader *read_at) {
  file *f = &l->files[index];
  const uint64_t piece = (uint64_t)16 << 20, chunk = retort_verifier_chunk_size(l->verifier, index),
                 step = chunk      ? chunk
                        : l->whole ? f->size
                                   : piece;
  int32_t status = RETORT_OK;
  for (uint64_t at = 0, end; !status && at < f->size; at = end) {
    end = step < f->size - at ? at + step : f->size;
    for (uint64_t got = at; got < end;) {
      int32_t n = read_at(index, got, (char *)f->data + got, (uint32_t)(end - got < piece ? end - got : piece));
      if (n < 0) return n;
      if (n == 0 || (uint64_t)n > end - got)
        return abi_failed(RETORT_ERROR_IO, "%s ends at %llu, and should have %llu bytes", f->name, (unsigned long long)got,
                          (unsigned long long)f->size);
      got += (uint64_t)n;
    }
    status = abi_load_fed(l->head.id, index, at, (uint32_t)(end - at));
  }
  return status;
}

int32_t abi_load_with(int32_t id, abi_reader *read_at) {
  loader *l = find(id, LOADER);
  if (!l) return state.error.status;
  int32_t status = l->verifier ? RETORT_OK : abi_load_open(id);
  for (uint32_t i = 0; !status && i < l->n_files; i++) status = feed(l, i, read_at);
  if (!status) status = abi_load_finish(id);
  if (status < 0) {
    strike(&l->head);
    free_loader(l);
  }
  return status;
}

/* ---- models ---- */

/* Of the files, hashed when they are first asked for: that takes seconds for a large model. */
static json_t *digests(model *m) {
  char hex[65];
  if (m->digests) return json_incref(m->digests);
  m->digests = json_array();
  for (size_t i = 0; i < m->n_files; i++) {
    retort_sha256_hex(m->files[i].data, m->files[i].size, hex);
    json_array_append_new(m->digests, json_string(hex));
  }
  return json_incref(m->digests);
}

int32_t abi_model_info(int32_t id) {
  model *m = find(id, MODEL);
  if (!m) return state.error.status;
  retort_model_info i = {.struct_size = sizeof i};
  retort_vocab_info v = {.struct_size = sizeof v};
  int32_t status;
  if ((status = retort_model_get_info(m->model, &i, &state.error)) || (status = retort_vocab_get_info(m->vocab, &v, &state.error)))
    return status;
  const retort_verdict *t = &m->verdict;
  char line[1400];
  retort_verdict_text(t, line, sizeof line);
  json_t *trust = service_verdict(t);
  json_object_set_new(trust, "text", service_text(line));
  return give_json(json_pack("{s:s,s:i,s:s,s:o,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:i,s:i,s:i,s:i,s:b,s:o,s:O}", "version", retort_version(),
                             "numerics", (int)retort_numerics(), "architecture", i.architecture, "name", service_text(i.name), "kernels",
                             i.kernels, "n_parameters", (json_int_t)i.n_parameters, "n_vocab", (json_int_t)i.n_vocab, "n_ctx_train",
                             (json_int_t)i.n_ctx_train, "n_layers", (json_int_t)i.n_layers, "n_embd", (json_int_t)i.n_embd, "n_heads",
                             (json_int_t)i.n_heads, "kv_bytes_per_token", (json_int_t)i.kv_bytes_per_token, "bos", (int)v.bos, "eos",
                             (int)v.eos, "think_begin", (int)v.think_begin, "think_end", (int)v.think_end, "chat_template",
                             v.chat_template != NULL, "trust", trust, "warnings", m->warnings));
}

int32_t abi_digests(int32_t id) {
  model *m = find(id, MODEL);
  return m ? give_json(digests(m)) : state.error.status;
}

int32_t abi_tokenize(int32_t id, const char *text, size_t size, uint32_t flags) {
  model *m = find(id, MODEL);
  size_t count = 0;
  int32_t *ids;
  if (!m) return state.error.status;
  int32_t status = service_text_ids(m->vocab, text, size, flags, &ids, &count, &state.error);
  return status ? status : give(ids, count);
}

int32_t abi_detokenize(int32_t id, const int32_t *ids, size_t count, uint32_t flags) {
  model *m = find(id, MODEL);
  size_t size = 0;
  if (!m) return state.error.status;
  int32_t status = retort_detokenize(m->vocab, ids, count, flags, NULL, 0, &size, &state.error);
  if (status && status != RETORT_ERROR_BUFFER) return status;
  char *text = malloc(size + 1);
  if (!text) return no_memory();
  if (size && (status = retort_detokenize(m->vocab, ids, count, flags, text, size, &size, &state.error)) != RETORT_OK) {
    free(text);
    return status;
  }
  text[size] = 0;
  return give(text, size);
}

/* ---- sessions ---- */

static void free_session(session *s) {
  retort_session_close(s->session);
  free(s->prompt);
  json_decref(s->stop);
  free(s);
}

int32_t abi_session_new(int32_t id, const char *json, size_t size) {
  model *m = find(id, MODEL);
  if (!m) return state.error.status;
  retort_session_options so;
  int32_t status = service_session_read(&so, json, size, &state.error);
  if (status) return status;
  session *s = calloc(1, sizeof *s);
  if (!s) return no_memory();
  s->model = m;
  service_options_init(&s->options);
  s->options.session = so;
  state.warnings = m->warnings;
  status = retort_session_open(platform(), m->model, m->vocab, &so, &s->session, &state.error);
  state.warnings = NULL;
  if (!status) status = enlist(&s->head, SESSION);
  if (status < 0) free_session(s);
  else m->sessions++;
  return status;
}

int32_t abi_session_info(int32_t id) {
  session *s = find(id, SESSION);
  retort_session_info i = {.struct_size = sizeof i};
  if (!s) return state.error.status;
  int32_t status = retort_session_get_info(s->session, &i, &state.error);
  if (status) return status;
  return give_json(json_pack("{s:I,s:I,s:I,s:I,s:I,s:s}", "n_ctx", (json_int_t)i.n_ctx, "n_batch", (json_int_t)i.n_batch, "n_past",
                             (json_int_t)i.n_past, "kv_bytes", (json_int_t)i.kv_bytes, "work_bytes", (json_int_t)i.work_bytes, "kv",
                             retort_kv_type_name(s->options.session.kv_type)));
}

/* Keeps of the request what its proof will name. */
static void keep_request(session *s, const service_request *r, int32_t *ids, size_t count) {
  free(s->prompt);
  json_decref(s->stop);
  s->prompt = ids;
  s->n_prompt = count;
  s->stop = json_incref(json_object_get(r->tree, "stop"));
  s->options.generate = r->options.generate;
  memcpy(s->options.stop, r->options.stop, sizeof s->options.stop);
  s->positions = 0;
  s->event = (abi_event){.token = -1, .prompt_total = (uint32_t)count};
}

int32_t abi_chat(int32_t id, const char *json, size_t size) {
  session *s = find(id, SESSION);
  service_request r;
  int32_t *ids = NULL;
  size_t count = 0;
  if (!s) return state.error.status;
  int32_t status = service_request_read(&r, json, size, &state.error);
  if (!status) status = service_request_ids(&r, platform(), s->model->vocab, &ids, &count, &state.error);
  if (!status) {
    const retort_generate_options g = service_generate(&r.options);
    status = retort_generate_begin(s->session, ids, count, &g, &state.error);
  }
  if (status) free(ids);
  else keep_request(s, &r, ids, count);
  service_request_close(&r);
  return status ? status : (int32_t)count;
}

int32_t abi_step(int32_t id, uint32_t work_tokens) {
  session *s = find(id, SESSION);
  retort_event e = {.struct_size = sizeof e};
  if (!s) return state.error.status;
  int32_t status = retort_step(s->session, work_tokens, &e, &state.error);
  if (status) return status;
  s->positions += e.kind == RETORT_EVENT_TOKEN;
  s->event = (abi_event){.kind = (uint32_t)e.kind,
                         .token = e.token,
                         .section = (uint32_t)e.section,
                         .text = (uint32_t)(uintptr_t)e.text,
                         .size = (uint32_t)e.text_size,
                         .finish = (uint32_t)e.finish,
                         .prompt_done = e.prompt_done,
                         .prompt_total = e.prompt_total,
                         .forced = (uint32_t)e.forced};
#ifdef __wasm64__
  s->event.text_high = (uint32_t)((uintptr_t)e.text >> 32);
#endif
  return e.kind;
}

const abi_event *abi_event_of(int32_t id) {
  session *s = find(id, SESSION);
  return s ? &s->event : NULL;
}

const float *abi_logits(int32_t id) {
  session *s = find(id, SESSION);
  const float *logits = NULL;
  uint32_t count;
  return s && !retort_session_get_logits(s->session, &logits, &count, &state.error) ? logits : NULL;
}

int32_t abi_usage(int32_t id) {
  session *s = find(id, SESSION);
  retort_usage u = {.struct_size = sizeof u};
  if (!s) return state.error.status;
  int32_t status = retort_session_get_usage(s->session, &u, &state.error);
  if (status) return status;
  json_t *usage = service_usage(&u);
  json_object_set_new(usage, "drafted_tokens", json_integer(u.drafted_tokens));
  json_object_set_new(usage, "accepted_tokens", json_integer(u.accepted_tokens));
  return give_json(usage);
}

int32_t abi_proof(int32_t id) {
  session *s = find(id, SESSION);
  char logits[65];
  retort_session_info i = {.struct_size = sizeof i};
  if (!s) return state.error.status;
  int32_t status = retort_session_get_proof(s->session, logits, &state.error);
  if (!status) status = retort_session_get_info(s->session, &i, &state.error);
  if (status) return status;
  return give_json(service_proof(&(service_proof_inputs){.model_sha256 = digests(s->model),
                                                         .prompt = s->prompt,
                                                         .n_prompt = s->n_prompt,
                                                         .options = &s->options,
                                                         .n_ctx = i.n_ctx,
                                                         .positions = s->positions,
                                                         .logits_sha256 = logits}));
}

int32_t abi_close(int32_t id) {
  object *o = find(id, 0);
  if (!o) return state.error.status;
  if (o->kind == MODEL && ((model *)o)->sessions)
    return abi_failed(RETORT_ERROR_ARGUMENT, "model %d has %u sessions; close them first", (int)id, (unsigned)((model *)o)->sessions);
  strike(o);
  if (o->kind == LOADER) free_loader((loader *)o);
  else if (o->kind == MODEL) free_model((model *)o);
  else {
    ((session *)o)->model->sessions--;
    free_session((session *)o);
  }
  return RETORT_OK;
}
