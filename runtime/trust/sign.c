/* sign.c - the signer, key generation and descriptions behind retort.h's trust section.
 *
 * Secret keys are wiped when the handle closes. Randomness comes with the options; signatures themselves need none (RFC 6979, Ed25519).
 */
#include <stdio.h>
#include <string.h>

#include "../base/sha256.h"
#include "../base/structs.h"
#include "bundle.h"
#include "chunks.h"
#include "encoding.h"
#include "minisign.h"
#include "sodium.h"

typedef struct signed_file {
  rt_resource resource;
  uint64_t fed;
  uint8_t *list; /* chunk list, or NULL */
  size_t list_size;
  struct signed_file *next;
} signed_file;

struct retort_signer {
  const retort_platform *platform;
  rt_arena arena;
  int32_t method;
  uint32_t chunk_size;
  const char *model_name;
  int64_t time;
  const char **ignored;
  size_t n_ignored;
  rt_key *key;
  rt_span certificates[RT_X509_MAX_CHAIN];
  size_t n_certificates;
  rt_minisign_secret secret;
  signed_file *first, *last;
  size_t n_files;
  rt_sha256 fresh, whole, chunk;
  rt_blake2b blake;
};

void retort_signer_options_init(retort_signer_options *options, size_t struct_size) {
  const retort_signer_options defaults = {.method = -1, .chunk_size = RT_CHUNK_DEFAULT};
  rt_struct_init(options, struct_size, &defaults, sizeof defaults);
}

static retort_status read_options(retort_signer *s, const retort_signer_options *o, retort_error *error) {
  retort_buffer key = {0}, *certificates;
  retort_status status = rt_struct_read(&key, sizeof key, o->secret_key, "retort_buffer", error);
  if (!status) status = rt_structs_read(&s->arena, &certificates, sizeof key, o->certificates, o->n_certificates, "retort_buffer", error);
  if (status) return status;
  const char *key_name = key.name ? key.name : "the secret key";
  if (o->method != RETORT_TRUST_KEY && o->method != RETORT_TRUST_CERTIFICATE && o->method != RETORT_TRUST_MINISIGN)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "signatures are made by key, certificate or minisign key");
  if (!key.data || !o->model_name || (o->n_ignored && !o->ignored))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "a secret key and the model's name are needed");
  if (o->chunk_size && !rt_chunk_size_ok(o->chunk_size))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "the chunk size must be a power of two from 64 KiB to 64 MiB");
  s->method = o->method;
  s->time = o->time;
  s->chunk_size = o->method == RETORT_TRUST_MINISIGN ? 0 : o->chunk_size;
  s->model_name = rt_arena_string(&s->arena, o->model_name, strlen(o->model_name));
  s->ignored = rt_arena_alloc(&s->arena, o->n_ignored, sizeof *s->ignored);
  if (!s->model_name || !s->ignored) return rt_fail_memory(error, o->n_ignored * sizeof *s->ignored, "a signer");
  for (size_t i = 0; i < o->n_ignored; i++) {
    if (!o->ignored[i] || !rt_name_is_canonical(o->ignored[i], strlen(o->ignored[i])))
      return rt_fail(error, RETORT_ERROR_ARGUMENT, "an ignored path is not a plain path inside the model");
    if (!(s->ignored[s->n_ignored++] = rt_arena_string(&s->arena, o->ignored[i], strlen(o->ignored[i]))))
      return rt_fail_memory(error, 0, "a signer");
  }
  if (o->method == RETORT_TRUST_MINISIGN) return rt_minisign_parse_secret(key.data, key.size, o->password, key_name, &s->secret, error);
  status = rt_key_open_private(s->platform, key.data, key.size, key_name, o->random, &s->key, error);
  if (!status && o->method == RETORT_TRUST_CERTIFICATE)
    status = rt_certificates_read(&s->arena, certificates, o->n_certificates, s->key, s->certificates, &s->n_certificates, error);
  return status;
}

retort_status retort_signer_open(const retort_platform *platform, const retort_signer_options *options, retort_signer **out,
                                 retort_error *error) {
  if (!options || !out) return rt_fail(error, RETORT_ERROR_ARGUMENT, "a signer needs options");
  retort_signer_options o;
  retort_signer_options_init(&o, sizeof o);
  retort_status status = rt_struct_read(&o, sizeof o, options, "retort_signer_options", error);
  if (!status) status = rt_platform_check(platform, error);
  if (status) return status;
  retort_signer *s = rt_alloc(platform, sizeof *s);
  if (!s) return rt_fail_memory(error, sizeof *s, "a signer");
  s->platform = platform;
  s->arena.platform = platform;
  rt_sha256_init_on(&s->fresh, platform);
  status = read_options(s, &o, error);
  if (status) retort_signer_close(s);
  else *out = s;
  return status;
}

void retort_signer_close(retort_signer *s) {
  if (!s) return;
  rt_key_close(s->key);
  rt_arena_close(&s->arena);
  const retort_platform *platform = s->platform;
  rt_wipe(s, sizeof *s);
  rt_free(platform, s, sizeof *s);
}

/* ---- files ---- */

static retort_status file_is_complete(const retort_signer *s, retort_error *error) {
  if (!s->last || s->last->fed == s->last->resource.size) return RETORT_OK;
  return rt_fail(error, RETORT_ERROR_ARGUMENT, "%s is incomplete: %llu of %llu bytes were given", s->last->resource.name,
                 (unsigned long long)s->last->fed, (unsigned long long)s->last->resource.size);
}

/* Ends the current file's digest and chunk list. */
static void close_file(retort_signer *s) {
  signed_file *f = s->last;
  rt_sha256_digest(&s->whole, f->resource.digest);
  if (!f->list) return;
  if (f->fed % s->chunk_size) rt_sha256_digest(&s->chunk, f->list + f->list_size - 32);
  rt_sha256 h;
  rt_sha256_init(&h);
  rt_sha256_update(&h, f->list, f->list_size);
  rt_sha256_digest(&h, f->resource.list_digest);
}

int retort_trust_name_is_plain(const char *name) { return name && rt_name_is_canonical(name, strlen(name)); }

retort_status retort_signer_add_file(retort_signer *s, const char *name, uint64_t size, retort_error *error) {
  if (!s || !name) return rt_fail(error, RETORT_ERROR_ARGUMENT, "a signer and a file name are needed");
  retort_status status = file_is_complete(s, error);
  if (status) return status;
  if (!retort_trust_name_is_plain(name) && !(strcmp(name, ".") == 0 && s->method != RETORT_TRUST_MINISIGN))
    return rt_fail(error, RETORT_ERROR_ARGUMENT,
                   "the file \"%.200s\" cannot be signed: a name is UTF-8 parted by '/', without \"..\", backslashes and control "
                   "characters; rename it",
                   name);
  if (s->method == RETORT_TRUST_MINISIGN && s->n_files)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "a minisign signature covers one file; sign each file of a set");
  if (s->n_files == RT_BUNDLE_MAX_RESOURCES) return rt_fail(error, RETORT_ERROR_ARGUMENT, "more than %d files", RT_BUNDLE_MAX_RESOURCES);
  signed_file *f = rt_arena_alloc(&s->arena, 1, sizeof *f);
  if (!f || !(f->resource.name = rt_arena_string(&s->arena, name, strlen(name)))) return rt_fail_memory(error, sizeof *f, "a file to sign");
  f->resource.size = size;
  /* A list for a file of one chunk would say nothing that its digest does not. */
  if (s->chunk_size && size > s->chunk_size) {
    uint64_t count = rt_chunk_count(size, s->chunk_size);
    if (count > (SIZE_MAX - RT_CHUNKS_HEADER) / 32) return rt_fail_memory(error, count, "a chunk list");
    f->list_size = RT_CHUNKS_HEADER + 32 * (size_t)count;
    if (!(f->list = rt_arena_alloc(&s->arena, f->list_size, 1))) return rt_fail_memory(error, f->list_size, "a chunk list");
    rt_chunks_write_header(s->chunk_size, size, f->list);
    f->resource.chunked = true;
    f->resource.chunk_size = s->chunk_size;
  }
  if (s->last) {
    s->last->next = f;
  } else {
    s->first = f;
  }
  s->last = f;
  s->n_files++;
  s->whole = s->chunk = s->fresh;
  rt_blake2b_init(&s->blake, 64);
  if (size == 0) close_file(s);
  return RETORT_OK;
}

retort_status retort_signer_feed(retort_signer *s, const void *data, size_t size, retort_error *error) {
  if (!s || !s->last || (size && !data)) return rt_fail(error, RETORT_ERROR_ARGUMENT, "add a file before its bytes");
  signed_file *f = s->last;
  if (size > f->resource.size - f->fed)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "%s has more bytes than were announced", f->resource.name);
  rt_sha256_update(&s->whole, data, size);
  if (s->method == RETORT_TRUST_MINISIGN) rt_blake2b_update(&s->blake, data, size);
  const uint8_t *p = data;
  for (size_t left = size; f->list && left;) {
    uint64_t at = f->fed + (size - left), room = s->chunk_size - at % s->chunk_size;
    size_t n = left < room ? left : (size_t)room;
    rt_sha256_update(&s->chunk, p, n);
    p += n;
    left -= n;
    if (n == room) {
      rt_sha256_digest(&s->chunk, f->list + RT_CHUNKS_HEADER + 32 * (size_t)(at / s->chunk_size));
      s->chunk = s->fresh;
    }
  }
  f->fed += size;
  if (size && f->fed == f->resource.size) close_file(s);
  return RETORT_OK;
}

retort_status retort_signer_chunks(const retort_signer *s, size_t index, const void **data, size_t *size, retort_error *error) {
  if (!data || !size) return rt_fail(error, RETORT_ERROR_ARGUMENT, "a place for the chunk list and its size are needed");
  const signed_file *f = s ? s->first : NULL;
  for (; f && index; index--) f = f->next;
  if (!f || f->fed != f->resource.size) return rt_fail(error, RETORT_ERROR_ARGUMENT, "there is no such file, or it is incomplete");
  *data = f->list;
  *size = f->list_size;
  return RETORT_OK;
}

static retort_status sign_bundle(retort_signer *s, const char **signature, size_t *size, retort_verdict *r, retort_error *error) {
  rt_resource *resources = rt_arena_alloc(&s->arena, s->n_files, sizeof *resources);
  if (!resources) return rt_fail_memory(error, s->n_files * sizeof *resources, "the list of signed files");
  size_t n = 0;
  for (const signed_file *f = s->first; f; f = f->next) resources[n++] = f->resource;
  bool chain = s->method == RETORT_TRUST_CERTIFICATE;
  rt_bundle_subject subject = {s->model_name, s->time, s->ignored, s->n_ignored};
  retort_status status =
      rt_bundle_sign(&s->arena, resources, n, &subject, s->key, chain ? s->certificates : NULL, s->n_certificates, signature, size, error);
  if (status) return status;
  uint8_t digest[32];
  rt_sha256 root; /* rt_bundle_sign sorted the resources */
  rt_sha256_init(&root);
  for (size_t i = 0; i < n; i++) rt_sha256_update(&root, resources[i].digest, 32);
  rt_sha256_digest(&root, digest);
  rt_sha256_hex(digest, r->digest);
  r->signed_time = s->time;
  snprintf(r->signer, sizeof r->signer, "%skey sha256:%s", chain ? "certificate for " : "", rt_key_fingerprint(s->key));
  return RETORT_OK;
}

static retort_status sign_minisign(retort_signer *s, const char **signature, size_t *size, retort_verdict *r, retort_error *error) {
  uint8_t digest[64], root[32];
  char id[17];
  size_t capacity = strlen(s->model_name) + 512;
  char *text = rt_arena_alloc(&s->arena, capacity, 1);
  if (!text) return rt_fail_memory(error, capacity, "a signature");
  rt_blake2b_final(&s->blake, digest, 64);
  retort_status status = rt_minisign_write_signature(&s->secret, digest, s->model_name, text, capacity, size, error);
  if (status) return status;
  rt_sha256 h;
  rt_sha256_init(&h);
  rt_sha256_update(&h, s->first->resource.digest, 32);
  rt_sha256_digest(&h, root);
  rt_sha256_hex(root, r->digest);
  rt_minisign_id_text(s->secret.id, id);
  snprintf(r->signer, sizeof r->signer, "minisign key %s", id);
  *signature = text;
  return RETORT_OK;
}

retort_status retort_signer_finish(retort_signer *s, const char **signature, size_t *size, retort_verdict *verdict, retort_error *error) {
  if (!s || !signature || !size || !verdict || !s->n_files)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "a signer with files and a verdict are needed");
  retort_status status = rt_struct_check(verdict, "retort_verdict", error);
  if (!status) status = file_is_complete(s, error);
  if (status) return status;
  retort_verdict r = {.method = s->method, .mode = RETORT_VERIFY_WHOLE, .n_files = (uint32_t)s->n_files};
  for (const signed_file *f = s->first; f; f = f->next) {
    r.n_bytes += f->resource.size;
    if (f->list) r.mode = RETORT_VERIFY_CHUNKS;
  }
  rt_sha256_hex(s->first->resource.digest, r.file_digest);
  snprintf(r.name, sizeof r.name, "%s", s->model_name);
  status = s->method == RETORT_TRUST_MINISIGN ? sign_minisign(s, signature, size, &r, error) : sign_bundle(s, signature, size, &r, error);
  if (!status) rt_struct_write(verdict, &r, sizeof r);
  return status;
}

/* ---- keys ---- */

retort_status retort_keygen(const retort_platform *platform, int32_t kind, const uint8_t random[96], const char *password,
                            char secret_key[RETORT_KEY_TEXT_SIZE], char public_key[RETORT_KEY_TEXT_SIZE], retort_error *error) {
  size_t length;
  retort_status status = rt_platform_check(platform, error);
  if (status) return status;
  if (!random || !secret_key || !public_key)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "random bytes and places for both keys are needed");
  if (kind == RETORT_KEY_MINISIGN) {
    rt_minisign_secret secret;
    rt_minisign_key key;
    rt_ed25519_keypair(random, key.key, secret.key);
    memcpy(key.id, random + 32, 8);
    memcpy(secret.id, key.id, 8);
    status = rt_minisign_write_secret(&secret, password, random + 40, secret_key, RETORT_KEY_TEXT_SIZE, &length, error);
    if (!status) status = rt_minisign_write_key(&key, public_key, RETORT_KEY_TEXT_SIZE, &length, error);
    rt_wipe(&secret, sizeof secret);
    return status;
  }
  if (kind != RETORT_KEY_P256 && kind != RETORT_KEY_P384 && kind != RETORT_KEY_P521)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "no such kind of key");
  if (password)
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED,
                   "PEM keys are written without a password; protect the file, or encrypt it with: openssl pkey -aes256 -in KEY");
  rt_key *key;
  status = rt_key_generate(platform, (unsigned)kind, random, &key, error);
  if (status) return status;
  status = rt_key_write_private(key, secret_key, RETORT_KEY_TEXT_SIZE, &length, error);
  if (!status) status = rt_key_write_public(key, public_key, RETORT_KEY_TEXT_SIZE, &length, error);
  rt_key_close(key);
  return status;
}

retort_status retort_trust_describe(const retort_platform *platform, int32_t method, const retort_buffer *anchor, char name[256],
                                    retort_error *error) {
  retort_buffer key_file = {0};
  retort_status status = rt_platform_check(platform, error);
  if (!status) status = rt_struct_read(&key_file, sizeof key_file, anchor, "retort_buffer", error);
  if (status) return status;
  if (!key_file.data || !name) return rt_fail(error, RETORT_ERROR_ARGUMENT, "a key and a place for its name are needed");
  anchor = &key_file;
  const char *label = anchor->name ? anchor->name : "the key";
  if (method == RETORT_TRUST_KEY) {
    rt_key *key;
    if ((status = rt_key_open_public(platform, anchor->data, anchor->size, label, &key, error)) != RETORT_OK) return status;
    snprintf(name, 256, "key sha256:%s", rt_key_fingerprint(key));
    rt_key_close(key);
    return RETORT_OK;
  }
  if (method == RETORT_TRUST_CERTIFICATE) {
    rt_anchors *anchors;
    if ((status = rt_anchors_open(platform, anchor, 1, &anchors, error)) != RETORT_OK) return status;
    rt_anchors_name(anchors, name, 256);
    rt_anchors_close(anchors);
    return RETORT_OK;
  }
  if (method == RETORT_TRUST_MINISIGN || method == RETORT_TRUST_SIGNIFY) {
    rt_minisign_key key;
    char id[17];
    if ((status = rt_minisign_parse_key(anchor->data, anchor->size, label, &key, error)) != RETORT_OK) return status;
    rt_minisign_id_text(key.id, id);
    snprintf(name, 256, "%s key %s", retort_trust_method_name(method), id);
    return RETORT_OK;
  }
  return rt_fail(error, RETORT_ERROR_ARGUMENT, "the method has no keys");
}
