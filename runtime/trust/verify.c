/* verify.c - the verifier behind retort.h's trust section: policy, files, feeding, verdict.
 *
 * Order of work: the policy's anchors, then the signature over the manifest (bundle.c), then the files are bound to what was signed, and
 * only then a byte of them is taken. A minisign or signify signature is over the file itself and can only be checked at its end. Whatever
 * fails poisons the handle; there is no way back from that, and no second method is tried.
 *
 * Threads: the state of a chunk is one atomic byte, set once after its hash fitted; everything else about a file belongs to the one thread
 * that feeds it. The poison mark is atomic.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "../base/sha256.h"
#include "../base/structs.h"
#include "bundle.h"
#include "chunks.h"
#include "encoding.h"
#include "minisign.h"
#include "sodium.h"
#include "verified.h"

typedef struct file {
  const char *name;
  uint64_t size;
  const rt_resource *resource; /* bundle methods */
  bool covered, finished;
  bool chunked;
  rt_chunks chunks;
  _Atomic uint8_t *done; /* (chunks.count): 1 once verified */
  uint64_t fed;          /* whole-file mode: bytes so far */
  rt_sha256 sha;
  rt_blake2b blake;
  uint8_t digest[32]; /* SHA-256 of the file: as signed, or as computed */
  rt_minisign_signature signature;
} file;

struct retort_verifier {
  const retort_platform *platform;
  rt_arena arena;
  int32_t method;
  uint32_t flags;
  int64_t time;
  rt_key **keys;
  size_t n_keys;
  rt_minisign_key *minisign_keys;
  size_t n_minisign_keys;
  rt_anchors *anchors;
  uint8_t (*pins)[32];
  size_t n_pins;
  const char *model_name;
  bool want_digest;
  uint8_t wanted_digest[32];
  rt_bundle bundle;
  file *files;
  size_t n_files;
  rt_sha256 fresh; /* initialised once: asking the processor what it can do takes longer than hashing a small chunk */
  _Atomic uint32_t poisoned;
  bool passed; /* finish succeeded */
};

void retort_trust_policy_init(retort_trust_policy *policy, size_t struct_size) {
  rt_struct_init(policy, struct_size, &(retort_trust_policy){.method = -1}, sizeof *policy);
}

const char *retort_trust_method_name(int32_t method) {
  static const char *const names[] = {"unsigned", "pinned", "key", "certificate", "minisign", "signify"};
  return method >= 0 && (size_t)method < RT_COUNT(names) ? names[method] : "none";
}

static bool is_bundle(int32_t method) { return method == RETORT_TRUST_KEY || method == RETORT_TRUST_CERTIFICATE; }
static bool is_line_signed(int32_t method) { return method == RETORT_TRUST_MINISIGN || method == RETORT_TRUST_SIGNIFY; }

/* ---- opening ---- */

static const char *label(const retort_buffer *b, const char *otherwise) { return b->name ? b->name : otherwise; }

static retort_status read_hex(const char *text, uint8_t out[32], const char *what, retort_error *error) {
  if (text && rt_hex_decode(text, strlen(text), out, 32)) return RETORT_OK;
  return rt_fail(error, RETORT_ERROR_ARGUMENT, "%s must be a SHA-256 of 64 lowercase hex digits", what);
}

static retort_status read_policy(retort_verifier *v, const retort_trust_policy *p, retort_error *error) {
  retort_status status = RETORT_OK;
  if (p->method < RETORT_TRUST_UNSIGNED || p->method > RETORT_TRUST_SIGNIFY)
    return rt_fail(error, RETORT_ERROR_ARGUMENT,
                   "the policy names no trust method: choose a key, certificate roots, a pin, or unsigned explicitly");
  bool anchored = is_bundle(p->method) || is_line_signed(p->method);
  if (anchored != (p->n_anchors > 0) || (p->method == RETORT_TRUST_PIN) != (p->n_pins > 0) || p->n_anchors > 1000 || p->n_pins > 100000)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "the policy's keys, roots or pins do not belong to its method \"%s\"",
                   retort_trust_method_name(p->method));
  if (p->model_name && (p->method == RETORT_TRUST_UNSIGNED || p->method == RETORT_TRUST_PIN || p->method == RETORT_TRUST_SIGNIFY))
    return rt_fail(error, RETORT_ERROR_ARGUMENT,
                   "a model name can be asked for only where it is signed: with a key, certificate or minisign key");
  if (p->model_digest && p->method == RETORT_TRUST_UNSIGNED)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "a digest is asked for but the method is unsigned; pin it");
  retort_buffer *anchors;
  if ((status = rt_structs_read(&v->arena, &anchors, sizeof *anchors, p->anchors, p->n_anchors, "retort_buffer", error))) return status;
  if (p->n_pins && !p->pins) return rt_fail(error, RETORT_ERROR_ARGUMENT, "pins are announced, but the list is NULL");
  v->method = p->method;
  v->flags = p->flags;
  if (p->method == RETORT_TRUST_CERTIFICATE) {
    v->time = p->flags & RETORT_TRUST_AT_SIGNING_TIME ? INT64_MIN : p->time;
    if (v->time == 0) return rt_fail(error, RETORT_ERROR_ARGUMENT, "certificates need the time at which they must be valid");
  }
  if (p->model_name && !(v->model_name = rt_arena_string(&v->arena, p->model_name, strlen(p->model_name))))
    return rt_fail_memory(error, 0, "the policy");
  if (p->model_digest) {
    v->want_digest = true;
    if ((status = read_hex(p->model_digest, v->wanted_digest, "the model digest asked for", error)) != RETORT_OK) return status;
  }
  size_t n = p->method == RETORT_TRUST_PIN ? p->n_pins : p->n_anchors;
  if (p->method == RETORT_TRUST_PIN) v->pins = rt_arena_alloc(&v->arena, n, sizeof *v->pins);
  if (p->method == RETORT_TRUST_KEY) v->keys = rt_arena_alloc(&v->arena, n, sizeof *v->keys);
  if (is_line_signed(p->method)) v->minisign_keys = rt_arena_alloc(&v->arena, n, sizeof *v->minisign_keys);
  if (n && !v->pins && !v->keys && !v->minisign_keys && p->method != RETORT_TRUST_CERTIFICATE)
    return rt_fail_memory(error, n * 64, "the policy");
  for (size_t i = 0; !status && v->pins && i < n; i++)
    if ((status = read_hex(p->pins[i], v->pins[i], "a pin", error)) == RETORT_OK) v->n_pins++;
  for (size_t i = 0; !status && v->keys && i < n; i++)
    if ((status = rt_key_open_public(v->platform, anchors[i].data, anchors[i].size, label(&anchors[i], "the public key"), &v->keys[i],
                                     error)) == RETORT_OK)
      v->n_keys++;
  for (size_t i = 0; !status && v->minisign_keys && i < n; i++)
    if ((status = rt_minisign_parse_key(anchors[i].data, anchors[i].size, label(&anchors[i], "the public key"), &v->minisign_keys[i],
                                        error)) == RETORT_OK)
      v->n_minisign_keys++;
  if (!status && p->method == RETORT_TRUST_CERTIFICATE) status = rt_anchors_open(v->platform, anchors, n, &v->anchors, error);
  return status;
}

/* The value of the first field "KEY:value" of a trusted comment (fields are parted by tabs); NULL: there is none. */
static const char *comment_field(const rt_minisign_signature *s, const char *key, size_t *length) {
  size_t n = strlen(key);
  for (size_t i = 0; i < s->comment_size;) {
    const char *field = s->comment + i, *tab = memchr(field, '\t', s->comment_size - i);
    size_t size = tab ? (size_t)(tab - field) : s->comment_size - i;
    if (size >= n && memcmp(field, key, n) == 0) {
      *length = size - n;
      return field + n;
    }
    i += size + 1;
  }
  return NULL;
}

static bool comment_names(const rt_minisign_signature *s, const char *name) {
  size_t n = 0;
  const char *value = comment_field(s, "file:", &n);
  return value && n == strlen(name) && memcmp(value, name, n) == 0;
}

static int64_t comment_time(const rt_minisign_signature *s) {
  size_t n = 0;
  const char *value = comment_field(s, "timestamp:", &n);
  int64_t time = 0;
  for (size_t i = 0; value && i < n; i++) {
    if (value[i] < '0' || value[i] > '9' || i == 12) return 0;
    time = 10 * time + (value[i] - '0');
  }
  return rt_time_is_plain(time) ? time : 0;
}

static retort_status read_signatures(retort_verifier *v, const retort_buffer *given, size_t n, retort_error *error) {
  size_t wanted = is_bundle(v->method) ? 1 : is_line_signed(v->method) ? v->n_files : 0;
  if (n != wanted)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "the method \"%s\" takes %zu signature files here, %zu were given",
                   retort_trust_method_name(v->method), wanted, n);
  retort_buffer *signatures;
  retort_status status = rt_structs_read(&v->arena, &signatures, sizeof *signatures, given, n, "retort_buffer", error);
  if (status) return status;
  if (is_bundle(v->method)) {
    rt_bundle_trust trust = {v->keys, v->n_keys, v->anchors, v->time};
    const char *name = label(&signatures[0], "the signature");
    status = rt_bundle_verify(&v->arena, signatures[0].data, signatures[0].size, name, &trust, &v->bundle, error);
    if (status) return status;
    if (v->model_name && strcmp(v->model_name, v->bundle.subject) != 0)
      return rt_fail(error, RETORT_ERROR_TRUST, "%s: it is the signature of the model \"%s\", not of \"%s\", which the policy asks for",
                     name, v->bundle.subject, v->model_name);
    return RETORT_OK;
  }
  for (size_t i = 0; i < n; i++) {
    const char *name = label(&signatures[i], "the signature");
    char *copy = rt_arena_string(&v->arena, signatures[i].data, signatures[i].size <= RT_MINISIGN_MAX ? signatures[i].size : 0);
    rt_minisign_signature *s = &v->files[i].signature;
    if (!copy) return rt_fail_memory(error, signatures[i].size, "a signature");
    status = rt_minisign_parse_signature(copy, signatures[i].size <= RT_MINISIGN_MAX ? signatures[i].size : 0, name, s, error);
    if (status) return status;
    if (s->trusted != (v->method == RETORT_TRUST_MINISIGN))
      return rt_fail(error, RETORT_ERROR_TRUST, "%s: it is a %s signature; the policy asks for %s", name,
                     s->trusted ? "minisign" : "signify", retort_trust_method_name(v->method));
  }
  return RETORT_OK;
}

/* Binds file `f` to its line in the signed list. */
static retort_status bind_file(retort_verifier *v, file *f, const retort_trust_file *given, retort_error *error) {
  const rt_bundle *b = &v->bundle;
  f->resource = rt_bundle_find(b, f->name);
  if (!f->resource && v->n_files == 1 && b->n_resources == 1 && strcmp(b->resources[0].name, ".") == 0) f->resource = &b->resources[0];
  if (!f->resource) {
    if ((v->flags & RETORT_TRUST_COMPLETE) && ((v->flags & RETORT_TRUST_IGNORE_UNSIGNED) || rt_bundle_ignores(b, f->name)))
      return RETORT_OK;
    return rt_fail(error, RETORT_ERROR_TRUST, "%s is not among the %zu files that the signature covers", f->name, b->n_resources);
  }
  f->covered = true;
  memcpy(f->digest, f->resource->digest, 32);
  if (!f->resource->chunked) return RETORT_OK;
  if (f->resource->size != f->size)
    return rt_fail(error, RETORT_ERROR_TRUST, "%s has %llu bytes, but %llu were signed", f->name, (unsigned long long)f->size,
                   (unsigned long long)f->resource->size);
  if (!given->chunks) return RETORT_OK;
  /* A stale or foreign list is refused rather than passed over: whoever wants the slower way takes the file away. */
  uint8_t digest[32];
  rt_sha256 h;
  uint8_t *list = rt_arena_alloc(&v->arena, given->chunks_size, 1);
  if (!list) return rt_fail_memory(error, given->chunks_size, "a chunk list");
  memcpy(list, given->chunks, given->chunks_size);
  rt_sha256_init(&h);
  rt_sha256_update(&h, list, given->chunks_size);
  rt_sha256_digest(&h, digest);
  if (memcmp(digest, f->resource->list_digest, 32) != 0)
    return rt_fail(error, RETORT_ERROR_TRUST, "%s.chunks is not the list that was signed; remove it to have the whole file hashed instead",
                   f->name);
  retort_status status = rt_chunks_parse(list, given->chunks_size, f->name, &f->chunks, error);
  if (status) return status;
  if (f->chunks.file_size != f->size || f->chunks.chunk_size != f->resource->chunk_size)
    return rt_fail(error, RETORT_ERROR_TRUST, "%s.chunks is about a file of another size", f->name);
  f->done = rt_arena_alloc(&v->arena, (size_t)f->chunks.count, sizeof *f->done);
  if (!f->done) return rt_fail_memory(error, f->chunks.count, "the state of a file's chunks");
  f->chunked = true;
  return RETORT_OK;
}

static retort_status read_files(retort_verifier *v, const retort_trust_file *files, size_t n, retort_error *error) {
  v->files = rt_arena_alloc(&v->arena, n, sizeof *v->files);
  if (!v->files) return rt_fail_memory(error, n * sizeof *v->files, "the list of files");
  v->n_files = n;
  for (size_t i = 0; i < n; i++) {
    file *f = &v->files[i];
    size_t length = files[i].name ? strlen(files[i].name) : 0;
    /* Where names are signed they must be such that nobody reads them differently. */
    if (!files[i].name || (is_bundle(v->method) && !rt_name_is_canonical(files[i].name, length)))
      return rt_fail(
          error, RETORT_ERROR_ARGUMENT,
          "the file \"%.200s\" cannot be in a signed model: a name is UTF-8 parted by '/', without \"..\", backslashes and control "
          "characters; rename it, or leave it out",
          files[i].name ? files[i].name : "");
    f->name = rt_arena_string(&v->arena, files[i].name, length);
    if (!f->name) return rt_fail_memory(error, length, "a file name");
    f->size = files[i].size;
    f->covered = !is_bundle(v->method);
    f->sha = v->fresh;
    rt_blake2b_init(&f->blake, 64);
  }
  return RETORT_OK;
}

static retort_status bind_files(retort_verifier *v, const retort_trust_file *files, retort_error *error) {
  for (size_t i = 0; i < v->n_files; i++) {
    file *f = &v->files[i];
    retort_status status = is_bundle(v->method) ? bind_file(v, f, &files[i], error) : RETORT_OK;
    if (status) return status;
    if (v->model_name && v->method == RETORT_TRUST_MINISIGN && !comment_names(&f->signature, v->model_name))
      return rt_fail(error, RETORT_ERROR_TRUST, "%s: its trusted comment does not name the file \"%s\", which the policy asks for", f->name,
                     v->model_name);
  }
  if (!is_bundle(v->method)) return RETORT_OK;
  /* No two files given may stand for one signed line: then every line is covered where the counts agree. */
  size_t covered = 0;
  bool *taken = rt_arena_alloc(&v->arena, v->bundle.n_resources, sizeof *taken);
  if (!taken) return rt_fail_memory(error, v->bundle.n_resources, "the marks of the signed files");
  for (size_t i = 0; i < v->n_files; i++) {
    if (!v->files[i].covered) continue;
    bool *mark = &taken[v->files[i].resource - v->bundle.resources];
    if (*mark) return rt_fail(error, RETORT_ERROR_ARGUMENT, "the file %s is given twice", v->files[i].name);
    *mark = true;
    covered++;
  }
  if ((v->flags & RETORT_TRUST_COMPLETE) && covered != v->bundle.n_resources)
    return rt_fail(error, RETORT_ERROR_TRUST, "the signature covers %zu files, of which only %zu are there", v->bundle.n_resources,
                   covered);
  if (v->want_digest && memcmp(v->wanted_digest, v->bundle.root, 32) != 0 &&
      !(v->bundle.n_resources == 1 && memcmp(v->wanted_digest, v->bundle.resources[0].digest, 32) == 0))
    return rt_fail(error, RETORT_ERROR_TRUST, "the signed model has another digest than the policy asks for");
  return RETORT_OK;
}

retort_status retort_verifier_open(const retort_platform *platform, const retort_trust_policy *policy, const retort_buffer *signatures,
                                   size_t n_signatures, const retort_trust_file *files, size_t n_files, retort_verifier **out,
                                   retort_error *error) {
  if (!policy || !out || !files || n_files == 0 || n_files > RT_BUNDLE_MAX_RESOURCES || (n_signatures && !signatures))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "a verifier needs a policy and 1 to %d files", RT_BUNDLE_MAX_RESOURCES);
  retort_trust_policy p;
  retort_trust_policy_init(&p, sizeof p);
  retort_status status = rt_struct_read(&p, sizeof p, policy, "retort_trust_policy", error);
  if (!status) status = rt_platform_check(platform, error);
  if (status) return status;
  retort_verifier *v = rt_alloc(platform, sizeof *v);
  if (!v) return rt_fail_memory(error, sizeof *v, "a verifier");
  v->platform = platform;
  v->arena.platform = platform;
  rt_sha256_init_on(&v->fresh, platform);
  retort_trust_file *list;
  status = read_policy(v, &p, error);
  if (!status) status = rt_structs_read(&v->arena, &list, sizeof *list, files, n_files, "retort_trust_file", error);
  if (!status) status = read_files(v, list, n_files, error);
  if (!status) status = read_signatures(v, signatures, n_signatures, error);
  if (!status) status = bind_files(v, list, error);
  if (status) retort_verifier_close(v);
  else *out = v;
  return status;
}

void retort_verifier_close(retort_verifier *v) {
  if (!v) return;
  for (size_t i = 0; i < v->n_keys; i++) rt_key_close(v->keys[i]);
  rt_anchors_close(v->anchors);
  rt_arena_close(&v->arena);
  rt_free(v->platform, v, sizeof *v);
}

/* ---- feeding ---- */

uint64_t retort_verifier_chunk_size(const retort_verifier *v, size_t index) {
  if (!v || index >= v->n_files) return 0;
  return v->files[index].chunked ? v->files[index].chunks.chunk_size : v->method == RETORT_TRUST_SIGNIFY ? v->files[index].size : 0;
}

void retort_verifier_file_digest(const retort_verifier *v, size_t index, char hex[65]) {
  if (!hex) return;
  hex[0] = 0;
  if (v && index < v->n_files && v->method != RETORT_TRUST_UNSIGNED && v->files[index].covered &&
      (is_bundle(v->method) || v->files[index].finished))
    rt_sha256_hex(v->files[index].digest, hex);
}

int retort_verifier_covers(const retort_verifier *v, size_t index) { return v && index < v->n_files && v->files[index].covered; }

static retort_status poison(retort_verifier *v) {
  atomic_store(&v->poisoned, 1);
  return RETORT_ERROR_TRUST;
}

static retort_status feed_chunks(retort_verifier *v, file *f, uint64_t offset, const uint8_t *data, size_t size, retort_error *error) {
  const uint64_t chunk_size = f->chunks.chunk_size;
  uint64_t end = offset + size;
  if (offset % chunk_size || (end % chunk_size && end != f->size))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "%s must be fed in whole chunks of %llu bytes", f->name, (unsigned long long)chunk_size);
  while (offset < end) {
    uint64_t n = end - offset < chunk_size ? end - offset : chunk_size;
    unsigned count = rt_sha256_at_once(&v->fresh); /* whole chunks are hashed side by side */
    if (end - offset < count * chunk_size) count = 1;
    uint8_t digests[RT_SHA256_MOST][32];
    rt_sha256_many(&v->fresh, data, (size_t)n, count, digests);
    for (unsigned i = 0; i < count; i++) {
      size_t index = (size_t)(offset / chunk_size);
      if (memcmp(digests[i], f->chunks.hashes + 32 * index, 32) != 0) {
        rt_fail(error, RETORT_ERROR_TRUST, "%s is not the file that was signed: bytes %llu to %llu differ", f->name,
                (unsigned long long)offset, (unsigned long long)(offset + n - 1));
        return poison(v);
      }
      atomic_store_explicit(&f->done[index], 1, memory_order_release);
      data += n;
      offset += n;
    }
  }
  return RETORT_OK;
}

/* All bytes of a whole-file mode file were fed: does it hold? `whole`: the file in one piece, or NULL. */
static retort_status finish_file(retort_verifier *v, file *f, const uint8_t *whole, retort_error *error) {
  uint8_t digest[64];
  retort_status status = RETORT_OK;
  f->finished = true;
  if (v->method == RETORT_TRUST_UNSIGNED) return RETORT_OK;
  rt_sha256_digest(&f->sha, digest);
  if (is_bundle(v->method)) {
    if (memcmp(digest, f->digest, 32) == 0) return RETORT_OK;
    rt_fail(error, RETORT_ERROR_TRUST, "%s is not the file that was signed: its SHA-256 differs", f->name);
    return poison(v);
  }
  memcpy(f->digest, digest, 32);
  if (v->method == RETORT_TRUST_PIN) return RETORT_OK; /* decided over all files */
  if (v->method == RETORT_TRUST_MINISIGN) {
    rt_blake2b_final(&f->blake, digest, 64);
    status = rt_minisign_verify(&f->signature, v->minisign_keys, v->n_minisign_keys, digest, 64, f->name, error);
  } else if (f->size && !whole) {
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "%s: a file with a signify signature must be fed in one piece", f->name);
  } else {
    status = rt_minisign_verify(&f->signature, v->minisign_keys, v->n_minisign_keys, whole ? whole : (const uint8_t *)"", (size_t)f->size,
                                f->name, error);
  }
  return status ? poison(v) : RETORT_OK;
}

retort_status retort_verifier_feed(retort_verifier *v, size_t index, uint64_t offset, const void *data, size_t size, retort_error *error) {
  if (!v || index >= v->n_files || (size && !data))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "there is no file %zu in this verifier, or no data", index);
  file *f = &v->files[index];
  if (atomic_load(&v->poisoned)) return rt_fail(error, RETORT_ERROR_TRUST, "the model was already refused");
  if (!f->covered) return rt_fail(error, RETORT_ERROR_TRUST, "%s is not covered by the signature", f->name);
  if (offset > f->size || size > f->size - offset) {
    rt_fail(error, RETORT_ERROR_TRUST, "%s has more bytes than the %llu that were announced", f->name, (unsigned long long)f->size);
    return poison(v);
  }
  if (f->chunked) return feed_chunks(v, f, offset, data, size, error);
  if (offset != f->fed)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "%s must be fed in order: byte %llu is next, not %llu", f->name,
                   (unsigned long long)f->fed, (unsigned long long)offset);
  if (v->method == RETORT_TRUST_SIGNIFY && size != f->size)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "%s: a file with a signify signature must be fed in one piece", f->name);
  if (v->method != RETORT_TRUST_UNSIGNED) rt_sha256_update(&f->sha, data, size);
  if (v->method == RETORT_TRUST_MINISIGN) rt_blake2b_update(&f->blake, data, size);
  f->fed += size;
  return f->fed == f->size && !f->finished ? finish_file(v, f, data, error) : RETORT_OK;
}

uint64_t retort_verifier_prefix(const retort_verifier *v, size_t index) {
  if (!v || index >= v->n_files || atomic_load(&v->poisoned)) return 0;
  const file *f = &v->files[index];
  if (v->method == RETORT_TRUST_UNSIGNED) return f->size; /* nothing is checked, and the verdict says so */
  if (!f->chunked) return f->finished && (v->passed || v->method != RETORT_TRUST_PIN) ? f->size : 0;
  uint64_t n = 0;
  while (n < f->chunks.count && atomic_load_explicit(&f->done[n], memory_order_acquire)) n++;
  return n == f->chunks.count ? f->size : n * f->chunks.chunk_size;
}

/* ---- the verdict ---- */

static retort_status check_pins(retort_verifier *v, const uint8_t root[32], retort_error *error) {
  size_t unpinned = v->n_files; /* the first of them */
  bool whole = false;
  for (size_t p = 0; p < v->n_pins; p++) whole = whole || memcmp(v->pins[p], root, 32) == 0;
  for (size_t i = 0; i < v->n_files; i++) {
    size_t p = 0;
    while (p < v->n_pins && memcmp(v->pins[p], v->files[i].digest, 32) != 0) p++;
    if (p == v->n_pins && unpinned == v->n_files) unpinned = i;
  }
  if (whole || unpinned == v->n_files) return RETORT_OK;
  char hex[65];
  rt_sha256_hex(v->files[unpinned].digest, hex);
  rt_fail(error, RETORT_ERROR_TRUST, "%s has the SHA-256 %s, which is not pinned", v->files[unpinned].name, hex);
  return poison(v);
}

static void fill_signer(const retort_verifier *v, retort_verdict *r) {
  if (is_bundle(v->method)) {
    snprintf(r->signer, sizeof r->signer, "%s", v->bundle.signer);
    snprintf(r->name, sizeof r->name, "%s", v->bundle.subject);
    r->signed_time = v->bundle.signed_time;
  } else if (is_line_signed(v->method)) {
    const rt_minisign_signature *s = &v->files[0].signature;
    char id[17];
    rt_minisign_id_text(s->id, id);
    snprintf(r->signer, sizeof r->signer, "%s key %s", retort_trust_method_name(v->method), id);
    if (s->trusted) {
      snprintf(r->name, sizeof r->name, "%.*s", (int)s->comment_size, s->comment);
      r->signed_time = comment_time(s);
    }
  }
}

retort_status retort_verifier_finish(retort_verifier *v, retort_verdict *verdict, retort_error *error) {
  if (!v || !verdict) return rt_fail(error, RETORT_ERROR_ARGUMENT, "a verifier and a verdict are needed");
  retort_status status = rt_struct_check(verdict, "retort_verdict", error);
  if (status) return status;
  if (atomic_load(&v->poisoned)) return rt_fail(error, RETORT_ERROR_TRUST, "the model was already refused");
  retort_verdict r = {.method = v->method, .time = v->method == RETORT_TRUST_CERTIFICATE && v->time != INT64_MIN ? v->time : 0};
  rt_sha256 root;
  uint8_t digest[32];
  rt_sha256_init(&root);
  for (size_t i = 0; i < v->n_files; i++) {
    file *f = &v->files[i];
    if (!f->covered) {
      r.n_left_out++;
      continue;
    }
    if (!f->chunked && f->size == 0 && !f->finished && (status = finish_file(v, f, NULL, error)) != RETORT_OK) return status;
    bool all = f->chunked ? retort_verifier_prefix(v, i) == f->size : f->finished || v->method == RETORT_TRUST_UNSIGNED;
    if (!all)
      return rt_fail(error, RETORT_ERROR_TRUST, "%s is incomplete: not all of its %llu bytes were given", f->name,
                     (unsigned long long)f->size);
    r.n_files++;
    r.n_bytes += f->size;
    if (f->chunked) r.mode = RETORT_VERIFY_CHUNKS;
    else if (v->method != RETORT_TRUST_UNSIGNED && r.mode == RETORT_VERIFY_NONE) r.mode = RETORT_VERIFY_WHOLE;
    rt_sha256_update(&root, f->digest, 32);
  }
  rt_sha256_digest(&root, digest);
  if (is_bundle(v->method)) memcpy(digest, v->bundle.root, 32);
  if (v->method == RETORT_TRUST_PIN && (status = check_pins(v, digest, error)) != RETORT_OK) return status;
  if (v->want_digest && !is_bundle(v->method) && memcmp(digest, v->wanted_digest, 32) != 0 &&
      !(v->n_files == 1 && memcmp(v->files[0].digest, v->wanted_digest, 32) == 0)) {
    rt_fail(error, RETORT_ERROR_TRUST, "the model has another digest than the policy asks for");
    return poison(v);
  }
  if (v->method != RETORT_TRUST_UNSIGNED) {
    rt_sha256_hex(digest, r.digest);
    if (v->files[0].covered) rt_sha256_hex(v->files[0].digest, r.file_digest);
  }
  fill_signer(v, &r);
  v->passed = true;
  rt_struct_write(verdict, &r, sizeof r);
  return RETORT_OK;
}

size_t retort_verdict_text(const retort_verdict *verdict, char *buffer, size_t capacity) {
  retort_verdict given = {0}, *r = &given;
  if (!verdict || (!buffer && capacity) || rt_struct_read(r, sizeof *r, verdict, "retort_verdict", NULL)) return 0;
  static const char *const modes[] = {"nothing was hashed", "whole files hashed", "every chunk hashed"};
  const char *mode = r->mode >= 0 && (size_t)r->mode < RT_COUNT(modes) ? modes[r->mode] : "?";
  char who[1024], when[RT_UTC_TEXT];
  rt_utc_text(r->signed_time, when);
  if (r->method == RETORT_TRUST_UNSIGNED) snprintf(who, sizeof who, "UNSIGNED: nobody vouches for this model");
  else if (r->method == RETORT_TRUST_PIN) snprintf(who, sizeof who, "pinned by its SHA-256");
  else
    snprintf(who, sizeof who, "signed by %s%s%s%s%s%s", r->signer, r->name[0] ? " as \"" : "", r->name, r->name[0] ? "\"" : "",
             when[0] ? ", " : "", when);
  char left_out[64] = "";
  if (r->n_left_out)
    snprintf(left_out, sizeof left_out, "; %u left out: nobody vouches for %s", r->n_left_out, r->n_left_out == 1 ? "it" : "them");
  int n = snprintf(buffer, capacity, "%s; %s%s%s%u file%s, %llu bytes, %s%s", who, r->digest[0] ? "digest sha256:" : "", r->digest,
                   r->digest[0] ? "; " : "", r->n_files, r->n_files == 1 ? "" : "s", (unsigned long long)r->n_bytes, mode, left_out);
  return n < 0 ? 0 : (size_t)n;
}

/* ---- the gate's question ---- */

retort_status rt_were_verified(const retort_verifier *v, const retort_buffer *files, size_t n, bool header_only, retort_error *error) {
  if (n > v->n_files) return rt_fail(error, RETORT_ERROR_ARGUMENT, "%zu files are given, the verifier checked %zu", n, (size_t)v->n_files);
  if (atomic_load(&v->poisoned)) return rt_fail(error, RETORT_ERROR_TRUST, "the model was already refused");
  for (size_t i = 0; i < n; i++) {
    const file *f = &v->files[i];
    uint64_t verified = retort_verifier_prefix(v, i);
    if (!f->covered || files[i].size > verified || (!header_only && (!v->passed || files[i].size != f->size)))
      return rt_fail(error, RETORT_ERROR_TRUST, "%s was not verified: %llu of %zu bytes were; feed the rest and finish the verifier first",
                     f->name, (unsigned long long)verified, files[i].size);
  }
  return RETORT_OK;
}
