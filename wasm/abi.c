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
#include "service/record.h"

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
  uint32_t kv_type;
  abi_event event;
  int32_t *prompt;
  size_t n_prompt;
  retort_generate_options options; /* of the last answer; its stop strings lie in the array `stop` */
  json_t *stop;                    /* where they lie; NULL: none */
  uint32_t positions;              /* tokens generated for it */
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

/* ---- reading JSON ---- */

/* An object; NULL once the error is kept. `size` 0 is {}. */
json_t *abi_parse(const char *text, size_t size, const char *what) {
  json_error_t why;
  char hex[65] = "";
  if (size == 0) return json_object();
  /* The library hashes keys with a seed that it would else make from a clock; this one is mixed from the first text that came. */
  retort_sha256_hex(text, size, hex);
  hex[8] = 0;
  json_object_seed(strtoul(hex, NULL, 16) | 1);
  json_t *tree = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
  if (json_is_object(tree)) return tree;
  if (tree) abi_failed(RETORT_ERROR_JSON, "%s is no JSON object", what);
  else abi_failed(RETORT_ERROR_JSON, "%s is not valid JSON: line %d, column %d: %s", what, why.line, why.column, why.text);
  json_decref(tree);
  return NULL;
}

/* Refuses members that nobody would read: a misspelt option must not be dropped in silence. */
static int32_t check_keys(json_t *object, const char *const *known, const char *what) {
  const char *key;
  json_t *value;
  json_object_foreach(object, key, value) {
    size_t i = 0;
    while (known[i] && strcmp(known[i], key) != 0) i++;
    if (!known[i]) return abi_failed(RETORT_ERROR_JSON, "%s: there is no \"%s\"", what, key);
  }
  return RETORT_OK;
}

static int32_t get_text(json_t *object, const char *key, const char **out) {
  json_t *value = json_object_get(object, key);
  if (!value || json_is_null(value)) return RETORT_OK;
  if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
    return abi_failed(RETORT_ERROR_JSON, "\"%s\" is no text", key);
  *out = json_string_value(value);
  return RETORT_OK;
}

static int32_t get_integer(json_t *object, const char *key, int64_t least, int64_t most, int64_t *out) {
  json_t *value = json_object_get(object, key);
  if (!value || json_is_null(value)) return RETORT_OK;
  if (!json_is_integer(value) || json_integer_value(value) < least || json_integer_value(value) > most)
    return abi_failed(RETORT_ERROR_JSON, "\"%s\" is no whole number from %lld to %lld", key, (long long)least, (long long)most);
  *out = json_integer_value(value);
  return RETORT_OK;
}

static int32_t get_u32(json_t *object, const char *key, uint32_t *out) {
  int64_t value = *out;
  int32_t status = get_integer(object, key, 0, UINT32_MAX, &value);
  *out = (uint32_t)value;
  return status;
}

static int32_t get_i32(json_t *object, const char *key, int32_t *out) {
  int64_t value = *out;
  int32_t status = get_integer(object, key, INT32_MIN, INT32_MAX, &value);
  *out = (int32_t)value;
  return status;
}

static int32_t get_float(json_t *object, const char *key, float *out) {
  json_t *value = json_object_get(object, key);
  if (!value || json_is_null(value)) return RETORT_OK;
  if (!json_is_number(value)) return abi_failed(RETORT_ERROR_JSON, "\"%s\" is no number", key);
  *out = (float)json_number_value(value);
  return RETORT_OK;
}

static int32_t get_flag(json_t *object, const char *key, uint32_t bit, uint32_t *flags) {
  json_t *value = json_object_get(object, key);
  if (!value || json_is_null(value)) return RETORT_OK;
  if (!json_is_boolean(value)) return abi_failed(RETORT_ERROR_JSON, "\"%s\" is neither true nor false", key);
  *flags = json_is_true(value) ? *flags | bit : *flags & ~bit;
  return RETORT_OK;
}

/* An array of texts, or, alone, one: (n) pointers into the tree, malloc'ed. */
static int32_t get_texts(json_t *object, const char *key, const char ***out, size_t *n) {
  json_t *list = json_object_get(object, key), *item;
  size_t i;
  *out = NULL;
  *n = 0;
  if (!list || json_is_null(list)) return RETORT_OK;
  bool alone = json_is_string(list);
  size_t count = alone ? 1 : json_array_size(list);
  const char **texts = malloc((count + 1) * sizeof *texts);
  if (!texts) return no_memory();
  if (alone) texts[0] = json_string_value(list);
  json_array_foreach(list, i, item) {
    if (json_is_string(item)) texts[i] = json_string_value(item);
    else count = SIZE_MAX;
    if (count == SIZE_MAX) break;
  }
  if (count == SIZE_MAX || (!alone && !json_is_array(list))) {
    free(texts);
    return abi_failed(RETORT_ERROR_JSON, "\"%s\" is no array of texts", key);
  }
  *out = texts;
  *n = count;
  return RETORT_OK;
}

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
    if ((status = check_keys(item, keys, "a file")) || (status = get_text(item, "name", &name)) ||
        (status = get_integer(item, "size", 0, INT64_MAX, &size)))
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
  int32_t status = !l->request ? state.error.status : check_keys(l->request, keys, "the request to load");
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
  int32_t status = get_text(trust, "method", &word);
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
  int32_t status =
      trust && !json_is_object(trust) ? abi_failed(RETORT_ERROR_JSON, "\"trust\" is no object") : check_keys(trust, keys, "trust");
  if (status || (status = read_method(trust, &p.method)) || (status = get_texts(trust, "anchors", &anchors, &p.n_anchors)) ||
      (status = get_texts(trust, "pins", &pins, &p.n_pins)) || (status = get_texts(l->request, "signatures", &signatures, &n_signatures)) ||
      (status = get_text(trust, "model_name", &p.model_name)) || (status = get_text(trust, "model_digest", &p.model_digest)) ||
      (status = get_integer(trust, "time", 0, INT64_MAX, &p.time)) ||
      (status = get_flag(trust, "at_signing_time", RETORT_TRUST_AT_SIGNING_TIME, &p.flags)) ||
      (status = get_flag(trust, "complete", RETORT_TRUST_COMPLETE, &p.flags)))
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

/* A signer's words may be no UTF-8; then the JSON says nothing. */
static json_t *text_json(const char *text) {
  json_t *made = json_string(text);
  return made ? made : json_null();
}

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
  json_t *trust =
      json_pack("{s:s,s:o,s:o,s:o,s:s,s:i,s:I,s:o}", "method", retort_trust_method_name(t->method), "signer", text_json(t->signer), "name",
                text_json(t->name), "signed_time", t->signed_time ? json_integer(t->signed_time) : json_null(), "digest", t->digest,
                "files", (int)t->n_files, "bytes", (json_int_t)t->n_bytes, "text", text_json(line));
  return give_json(json_pack("{s:s,s:i,s:s,s:o,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:i,s:i,s:i,s:i,s:b,s:o,s:O}", "version", retort_version(),
                             "numerics", (int)retort_numerics(), "architecture", i.architecture, "name", text_json(i.name), "kernels",
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
  if (!m) return state.error.status;
  int32_t status = retort_tokenize(m->vocab, text, size, flags, NULL, 0, &count, &state.error);
  if (status && status != RETORT_ERROR_BUFFER) return status;
  int32_t *ids = malloc((count + 1) * sizeof *ids);
  if (!ids) return no_memory();
  if (count && (status = retort_tokenize(m->vocab, text, size, flags, ids, count, &count, &state.error)) != RETORT_OK) {
    free(ids);
    return status;
  }
  return give(ids, count);
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
  free((void *)(uintptr_t)s->options.stop);
  json_decref(s->stop);
  free(s);
}

static int32_t session_options(json_t *o, retort_session_options *so) {
  static const char *const keys[] = {"n_ctx", "n_batch", "kv", NULL};
  const char *kv = "f16";
  int32_t status;
  retort_session_options_init(so, sizeof *so);
  if ((status = check_keys(o, keys, "session options")) || (status = get_u32(o, "n_ctx", &so->n_ctx)) ||
      (status = get_u32(o, "n_batch", &so->n_batch)) || (status = get_text(o, "kv", &kv)))
    return status;
  for (const char *name; (name = retort_kv_type_name(so->kv_type)); so->kv_type++)
    if (strcmp(kv, name) == 0) return RETORT_OK;
  return abi_failed(RETORT_ERROR_JSON, "\"kv\" is none of \"f16\", \"f32\" and \"q8_0\"");
}

int32_t abi_session_new(int32_t id, const char *json, size_t size) {
  model *m = find(id, MODEL);
  if (!m) return state.error.status;
  json_t *o = abi_parse(json, size, "session options");
  if (!o) return state.error.status;
  retort_session_options so;
  int32_t status = session_options(o, &so);
  json_decref(o);
  if (status) return status;
  session *s = calloc(1, sizeof *s);
  if (!s) return no_memory();
  s->model = m;
  s->kv_type = so.kv_type;
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
                             retort_kv_type_name(s->kv_type)));
}

static int32_t chat_prompt(session *s, json_t *o, json_t *messages, int32_t **ids, size_t *count) {
  retort_chat_options co;
  uint32_t no_prompt = 0;
  int32_t status;
  retort_chat_options_init(&co, sizeof co);
  json_t *variables = json_object_get(o, "variables");
  if ((status = get_text(o, "template", &co.template_source)) || (status = get_text(o, "date", &co.date)) ||
      (status = get_flag(o, "no_generation_prompt", 1, &no_prompt)))
    return status;
  co.add_generation_prompt = !no_prompt;
  char *text = json_dumps(messages, JSON_COMPACT | JSON_ENCODE_ANY),
       *more = variables ? json_dumps(variables, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
  co.variables_json = more;
  *count = 0;
  if (!text || (variables && !more)) status = no_memory();
  else if ((status = retort_chat_tokenize(platform(), s->model->vocab, text, &co, NULL, 0, count, &state.error)) == RETORT_ERROR_BUFFER) {
    *ids = malloc(*count * sizeof **ids);
    status = *ids ? retort_chat_tokenize(platform(), s->model->vocab, text, &co, *ids, *count, count, &state.error) : no_memory();
  }
  free(text);
  free(more);
  return status;
}

/* The ids of the request's messages or prompt; malloc'ed, also where this fails. */
static int32_t read_prompt(session *s, json_t *o, int32_t **ids, size_t *count) {
  json_t *messages = json_object_get(o, "messages"), *prompt = json_object_get(o, "prompt");
  if (messages && !prompt) return chat_prompt(s, o, messages, ids, count);
  if (messages || !json_is_string(prompt))
    return abi_failed(RETORT_ERROR_JSON, "the request needs \"messages\" or else \"prompt\", a text");
  const char *text = json_string_value(prompt);
  size_t size = json_string_length(prompt);
  uint32_t flags = RETORT_TOKENIZE_SPECIAL | RETORT_TOKENIZE_ADD_BOS;
  int32_t status = retort_tokenize(s->model->vocab, text, size, flags, NULL, 0, count, &state.error);
  if (status != RETORT_ERROR_BUFFER) return status;
  *ids = malloc(*count * sizeof **ids);
  return *ids ? retort_tokenize(s->model->vocab, text, size, flags, *ids, *count, count, &state.error) : no_memory();
}

static int32_t read_seed(json_t *o, uint64_t *seed) {
  json_t *value = json_object_get(o, "seed");
  int64_t number = 0;
  if (!json_is_string(value)) {
    int32_t status = get_integer(o, "seed", 0, INT64_MAX, &number);
    *seed = (uint64_t)number;
    return status;
  }
  /* Read back what was understood: that refuses signs, blanks and what is too large. */
  char text[24];
  *seed = strtoull(json_string_value(value), NULL, 10);
  snprintf(text, sizeof text, "%llu", (unsigned long long)*seed);
  return strcmp(text, json_string_value(value)) == 0
             ? RETORT_OK
             : abi_failed(RETORT_ERROR_JSON, "\"seed\" is no whole number from 0 to 18446744073709551615");
}

static int32_t generate_options(json_t *o, retort_generate_options *g) {
  static const char *const keys[] = {"messages",
                                     "prompt",
                                     "temperature",
                                     "top_p",
                                     "min_p",
                                     "top_k",
                                     "repetition_penalty",
                                     "repetition_window",
                                     "seed",
                                     "max_tokens",
                                     "thinking_budget",
                                     "stop",
                                     "proof",
                                     "draft",
                                     "variables",
                                     "template",
                                     "date",
                                     "no_generation_prompt",
                                     NULL};
  int32_t status;
  retort_generate_options_init(g, sizeof *g);
  if ((status = check_keys(o, keys, "the request")) || (status = get_float(o, "temperature", &g->temperature)) ||
      (status = get_float(o, "top_p", &g->top_p)) || (status = get_float(o, "min_p", &g->min_p)) ||
      (status = get_u32(o, "top_k", &g->top_k)) || (status = get_float(o, "repetition_penalty", &g->repetition_penalty)) ||
      (status = get_u32(o, "repetition_window", &g->repetition_window)) || (status = read_seed(o, &g->seed)) ||
      (status = get_u32(o, "max_tokens", &g->max_tokens)) || (status = get_i32(o, "thinking_budget", &g->thinking_budget)) ||
      (status = get_flag(o, "proof", 1, &g->proof)) || (status = get_i32(o, "draft", &g->draft)))
    return status;
  return RETORT_OK;
}

static int32_t begin_answer(session *s, json_t *o) {
  retort_generate_options g;
  const char **stop = NULL;
  int32_t *ids = NULL, status = generate_options(o, &g);
  size_t count = 0;
  if (!status) status = get_texts(o, "stop", &stop, &g.n_stop);
  g.stop = stop;
  if (!status) status = read_prompt(s, o, &ids, &count);
  if (!status) status = retort_generate_begin(s->session, ids, count, &g, &state.error);
  if (status) {
    free(stop);
    free(ids);
    return status;
  }
  free(s->prompt);
  free((void *)(uintptr_t)s->options.stop);
  json_decref(s->stop);
  s->prompt = ids;
  s->n_prompt = count;
  s->options = g;
  s->stop = json_incref(json_object_get(o, "stop"));
  s->positions = 0;
  s->event = (abi_event){.token = -1, .prompt_total = (uint32_t)count};
  return (int32_t)count;
}

int32_t abi_chat(int32_t id, const char *json, size_t size) {
  session *s = find(id, SESSION);
  if (!s) return state.error.status;
  json_t *o = abi_parse(json, size, "the request");
  if (!o) return state.error.status;
  int32_t status = begin_answer(s, o);
  json_decref(o);
  return status;
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
  return give_json(json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "prompt_tokens", (json_int_t)u.prompt_tokens, "cached_tokens",
                             (json_int_t)u.cached_tokens, "completion_tokens", (json_int_t)u.completion_tokens, "reasoning_tokens",
                             (json_int_t)u.reasoning_tokens, "total_tokens", (json_int_t)u.prompt_tokens + u.completion_tokens,
                             "drafted_tokens", (json_int_t)u.drafted_tokens, "accepted_tokens", (json_int_t)u.accepted_tokens));
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
                                                         .kv_type = s->kv_type,
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
