/* loading.c - see abi.h: from a policy, signatures and fed bytes to a model, and what is told of it.
 *
 * The order is fixed: policy and signatures, then bytes, each hashed as it comes, then the parser. Bytes that are refused are wiped.
 */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include <stdlib.h>
#include <string.h>

#include "handles.h"
#include "service/json.h"
#include "service/record.h"

static void free_files(file *files, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (files[i].data) platform()->free(NULL, files[i].data, files[i].size);
    free(files[i].name);
    free(files[i].chunks);
  }
  free(files);
}

void free_loader(loader *l) {
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
    retort_error *error = &last_error;
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
  int32_t status = !l->request ? last_error.status : service_json_only(l->request, keys, "the request to load", &last_error);
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
  if (!f) return last_error.status;
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
  int32_t status = service_json_text(trust, "method", &word, &last_error);
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
  retort_error *error = &last_error;
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
  else status = retort_verifier_open(platform(), &p, signature_list, n_signatures, described, l->n_files, &l->verifier, &last_error);
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
  if (!l) return last_error.status;
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
  if (!find_file(id, index, &l)) return last_error.status;
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
    return retort_verifier_feed(l->verifier, index, offset, (const char *)l->files[index].data + offset, size, &last_error);
  shares *f = calloc(1, sizeof *f);
  if (!f) return no_memory();
  *f = (shares){.l = l, .index = index, .offset = offset, .size = size, .chunk = chunk};
  p->parallel(p->user, verify_share, f);
  int32_t status = 0;
  for (unsigned i = 0; !status && i < p->workers; i++) {
    if (f->status[i] == 0) continue;
    status = f->status[i];
    last_error = f->errors[i];
  }
  free(f);
  return status;
}

int32_t abi_load_fed(int32_t id, uint32_t index, uint64_t offset, uint32_t size) {
  loader *l;
  file *f = find_file(id, index, &l);
  if (!f) return last_error.status;
  if (!l->verifier) return abi_failed(RETORT_ERROR_ARGUMENT, "loader %d is not open: retort_load_open comes first", (int)id);
  if (offset > f->size || size > f->size - offset)
    return abi_failed(RETORT_ERROR_ARGUMENT, "%s ends at %llu", f->name, (unsigned long long)f->size);
  if (l->unsigned_) return RETORT_OK;
  return refuse(l, verify(l, index, offset, size));
}

void free_model(model *m) {
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
  int32_t status = retort_verifier_finish(l->verifier, &m->verdict, &last_error);
  if (status) return refuse(l, status);
  for (size_t i = 0; i < l->n_files; i++)
    if (!retort_verifier_covers(l->verifier, i))
      return abi_failed(RETORT_ERROR_TRUST, "the signer left %s out, so nobody vouches for it", l->files[i].name);
  retort_buffer *list = calloc(l->n_files, sizeof *list);
  if (!list) return no_memory();
  for (size_t i = 0; i < l->n_files; i++)
    list[i] = (retort_buffer){sizeof(retort_buffer), l->files[i].data, l->files[i].size, l->files[i].name};
  m->warnings = json_array();
  collect_warnings(m->warnings);
  if (!(status = retort_gguf_open_verified(p, l->verifier, list, l->n_files, 0, &m->gguf, &last_error)) &&
      !(status = retort_vocab_open(p, m->gguf, &m->vocab, &last_error)))
    status = retort_model_open(p, m->gguf, NULL, &m->model, &last_error);
  collect_warnings(NULL);
  free(list);
  return status;
}

int32_t abi_load_finish(int32_t id) {
  loader *l = find(id, LOADER);
  if (!l) return last_error.status;
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
  return f ? abi_load_fed(id, index, offset, size) : last_error.status;
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
  if (!l) return last_error.status;
  int32_t status = l->verifier ? RETORT_OK : abi_load_open(id);
  for (uint32_t i = 0; !status && i < l->n_files; i++) status = feed(l, i, read_at);
  if (!status) status = abi_load_finish(id);
  if (status < 0) {
    strike(&l->head);
    free_loader(l);
  }
  return status;
}

/* ---- what is told of a model ---- */

/* Of the files, hashed when they are first asked for: that takes seconds for a large model. */
json_t *digests(model *m) {
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
  if (!m) return last_error.status;
  retort_model_info i = {.struct_size = sizeof i};
  retort_vocab_info v = {.struct_size = sizeof v};
  int32_t status;
  if ((status = retort_model_get_info(m->model, &i, &last_error)) || (status = retort_vocab_get_info(m->vocab, &v, &last_error)))
    return status;
  const retort_verdict *t = &m->verdict;
  char line[1400];
  retort_verdict_text(t, line, sizeof line);
  json_t *trust = service_verdict(t), *o = json_object();
  service_put(trust, "text", service_text(line));
  service_put_text(o, "version", retort_version());
  service_put_integer(o, "numerics", retort_numerics());
  service_put_text(o, "architecture", i.architecture);
  service_put(o, "name", service_text(i.name));
  service_put_text(o, "kernels", i.kernels);
  service_put_integer(o, "n_parameters", (int64_t)i.n_parameters);
  service_put_integer(o, "n_vocab", i.n_vocab);
  service_put_integer(o, "n_ctx_train", i.n_ctx_train);
  service_put_integer(o, "n_layers", i.n_layers);
  service_put_integer(o, "n_embd", i.n_embd);
  service_put_integer(o, "n_heads", i.n_heads);
  service_put_integer(o, "kv_bytes_per_token", (int64_t)i.kv_bytes_per_token);
  service_put_integer(o, "bos", v.bos);
  service_put_integer(o, "eos", v.eos);
  service_put_integer(o, "think_begin", v.think_begin);
  service_put_integer(o, "think_end", v.think_end);
  service_put(o, "chat_template", json_boolean(v.chat_template != NULL));
  service_put(o, "trust", trust);
  service_put(o, "warnings", json_incref(m->warnings));
  return give_json(service_whole(o, 19));
}

int32_t abi_digests(int32_t id) {
  model *m = find(id, MODEL);
  return m ? give_json(digests(m)) : last_error.status;
}
