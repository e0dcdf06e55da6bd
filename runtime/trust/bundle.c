/* bundle.c - see bundle.h.
 *
 * The payload is verified as bytes and then parsed from those same bytes, once; nothing is ever written out again for checking. The outer
 * JSON is parsed before any signature is checked, so it is the part an attacker controls: its size, nesting and number of values are capped
 * first. Unknown members of the outer JSON are refused (as the Python tool does): nothing unauthenticated is carried along unseen. Absent
 * on purpose: keyless Sigstore bundles, timestamps, the "shards" method, hashes other than SHA-256.
 */
#include "bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/json.h"
#include "../base/sha256.h"
#include "chunks.h"
#include "encoding.h"

static const char MEDIA_TYPE[] = "application/vnd.dev.sigstore.bundle.v0.3+json", PAYLOAD_TYPE[] = "application/vnd.in-toto+json",
                  STATEMENT_TYPE[] = "https://in-toto.io/Statement/v1", PREDICATE_TYPE[] = "https://model_signing/signature/v1.0",
                  CHUNKS_ANNOTATION[] = "retort.chunks", TIME_ANNOTATION[] = "retort.time";
/* The predicate of model-signing 0.2, which signed other bytes than DSSE says and listed files in another place. */
static const char OLDER_PREDICATE[] = "https://model_signing/Digests/v0.1";

/* ---- small readers over the JSON tree; each says where it failed ---- */

static retort_status bad(retort_error *error, const char *name, const char *what) {
  return rt_fail(error, RETORT_ERROR_FORMAT, "%s: %s", name, what);
}

/* A string member without NULs inside. */
static const char *string_of(const rt_json *object, const char *key) {
  const rt_json *v = rt_json_get(object, key);
  return v && v->type == RT_JSON_STRING && strlen(v->as.string) == v->count ? v->as.string : NULL;
}
static bool is(const rt_json *object, const char *key, const char *wanted) {
  const char *s = string_of(object, key);
  return s && strcmp(s, wanted) == 0;
}
static const rt_json *member(const rt_json *object, const char *key, rt_json_type type) {
  const rt_json *v = rt_json_get(object, key);
  return v && v->type == type ? v : NULL;
}
/* True where all members of `object` are among the `n` keys. */
static bool only(const rt_json *object, const char *const *keys, size_t n) {
  for (size_t i = 0; i < object->count; i++) {
    size_t k = 0;
    while (k < n && strcmp(object->as.members[i].key, keys[k]) != 0) k++;
    if (k == n) return false;
  }
  return true;
}
#define ONLY(object, ...) only(object, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* The bytes of a base64 member, at least one; else `what` is said to be wrong. */
static retort_status base64_member(rt_arena *arena, const rt_json *object, const char *key, const char *name, const char *what,
                                   rt_span *out, retort_error *error) {
  const rt_json *v = member(object, key, RT_JSON_STRING);
  if (!v) return bad(error, name, what);
  uint8_t *bytes = rt_arena_alloc(arena, v->count / 4 * 3 + 1, 1);
  if (!bytes) return rt_fail_memory(error, v->count, "a signature's bytes");
  if (!rt_base64_decode(v->as.string, v->count, bytes, &out->size) || out->size == 0) return bad(error, name, what);
  out->data = bytes;
  return RETORT_OK;
}

/* ---- the signature ---- */

/* DSSE protocol.md: "DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload. Two pieces; the first is in `head`. */
static void pre_authentication(const rt_span *payload, char head[96], rt_span pieces[2]) {
  int n = snprintf(head, 96, "DSSEv1 %zu %s %zu ", strlen(PAYLOAD_TYPE), PAYLOAD_TYPE, payload->size);
  pieces[0] = (rt_span){(const uint8_t *)head, (size_t)n};
  pieces[1] = *payload;
}

static retort_status signer_text(rt_arena *arena, rt_bundle *out, const char *prefix, const char *text, retort_error *error) {
  char line[600];
  int n = snprintf(line, sizeof line, "%s%s", prefix, text);
  out->signer = rt_arena_string(arena, line, (size_t)n);
  return out->signer ? RETORT_OK : rt_fail_memory(error, (uint64_t)n, "the signer's name");
}

static retort_status verify_by_key(rt_arena *arena, const rt_json *material, const char *name, const rt_bundle_trust *trust,
                                   const rt_span pieces[2], const rt_span *signature, rt_bundle *out, retort_error *error) {
  const rt_json *key = rt_json_get(material, "publicKey");
  if (!key || key->type != RT_JSON_OBJECT)
    return rt_fail(error, RETORT_ERROR_TRUST, "%s: the bundle is not signed by a plain key, which is what the policy asks for", name);
  if (!ONLY(key, "hint", "rawBytes", "keyDetails")) return bad(error, name, "unknown members in publicKey");
  const rt_json *hint_value = rt_json_get(key, "hint");
  const char *hint = string_of(key, "hint");
  char raw_hint[65];
  if (hint_value && !hint) return bad(error, name, "publicKey.hint is not a text");
  if (rt_json_get(key, "keyDetails") && !string_of(key, "keyDetails")) return bad(error, name, "publicKey.keyDetails is not a text");
  if (rt_json_get(key, "rawBytes")) { /* bundles of model-signing before 1.1: the key's PEM itself. Good for choosing only. */
    rt_span pem = {0};
    if (hint) return bad(error, name, "publicKey has both hint and rawBytes");
    retort_status status = base64_member(arena, key, "rawBytes", name, "publicKey.rawBytes is not base64", &pem, error);
    if (status) return status;
    retort_sha256_hex(pem.data, pem.size, raw_hint);
    hint = raw_hint;
  }
  bool known = false;
  for (size_t i = 0; i < trust->n_keys; i++) {
    const char *fingerprint = rt_key_fingerprint(trust->keys[i]);
    if (hint && *hint && strcmp(hint, fingerprint) != 0) continue;
    known = true;
    if (rt_key_verify(trust->keys[i], pieces, 2, signature->data, signature->size))
      return signer_text(arena, out, "key sha256:", fingerprint, error);
  }
  if (!known)
    return rt_fail(error, RETORT_ERROR_TRUST, "%s: signed with the key sha256:%.64s, which is not among those that you trust", name, hint);
  return rt_fail(error, RETORT_ERROR_TRUST,
                 "%s: the signature does not fit its payload; the bundle was changed, or signed with another key", name);
}

static retort_status verify_by_certificate(rt_arena *arena, const rt_json *material, const char *name, const rt_bundle_trust *trust,
                                           const rt_span pieces[2], const rt_span *signature, rt_bundle *out, retort_error *error) {
  const rt_json *chain = member(material, "x509CertificateChain", RT_JSON_OBJECT);
  const rt_json *list = chain ? member(chain, "certificates", RT_JSON_ARRAY) : NULL;
  if (!list)
    return rt_fail(error, RETORT_ERROR_TRUST, "%s: the bundle is not signed through a certificate chain, which is what the policy asks for",
                   name);
  if (!ONLY(chain, "certificates")) return bad(error, name, "unknown members in x509CertificateChain");
  if (list->count == 0 || list->count > RT_X509_MAX_CHAIN) return bad(error, name, "the chain has no certificates, or more than eight");
  rt_span certificates[RT_X509_MAX_CHAIN];
  retort_status status = RETORT_OK;
  for (size_t i = 0; !status && i < list->count; i++) {
    if (list->as.items[i].type != RT_JSON_OBJECT || !ONLY(&list->as.items[i], "rawBytes"))
      return bad(error, name, "a certificate of the chain is not {rawBytes}");
    status =
        base64_member(arena, &list->as.items[i], "rawBytes", name, "a certificate of the chain is not base64", &certificates[i], error);
  }
  if (status) return status;
  rt_key *leaf = NULL;
  char subject[512];
  status = rt_anchors_verify(trust->anchors, certificates, list->count, trust->time, &leaf, subject, sizeof subject, error);
  if (status) return status;
  if (!rt_key_verify(leaf, pieces, 2, signature->data, signature->size))
    status = rt_fail(error, RETORT_ERROR_TRUST,
                     "%s: the signature does not fit its payload and the certificate of %s; the bundle was changed", name, subject);
  else status = signer_text(arena, out, "certificate ", subject, error);
  rt_key_close(leaf);
  return status;
}

/* ---- the statement ---- */

/* Nobody vouches for this text yet; it only decides in which words the bundle is refused. */
static bool is_older(const rt_span *payload) {
  const size_t n = sizeof OLDER_PREDICATE - 1;
  for (size_t i = 0; i + n <= payload->size; i++)
    if (memcmp(payload->data + i, OLDER_PREDICATE, n) == 0) return true;
  return false;
}

static int by_name(const void *a, const void *b) { return strcmp(((const rt_resource *)a)->name, ((const rt_resource *)b)->name); }

static retort_status read_chunk_annotation(const rt_json *item, const char *name, rt_resource *r, retort_error *error) {
  const rt_json *annotations = member(item, "annotations", RT_JSON_OBJECT),
                *chunks = annotations ? rt_json_get(annotations, CHUNKS_ANNOTATION) : NULL;
  const rt_json *version = chunks ? member(chunks, "version", RT_JSON_INTEGER) : NULL;
  if (!chunks || (version && version->as.integer != 1)) return RETORT_OK; /* none, or of a later kind: the whole-file digest decides */
  const rt_json *size = member(chunks, "size", RT_JSON_INTEGER), *chunk = member(chunks, "chunk_size", RT_JSON_INTEGER);
  const char *digest = string_of(chunks, "list_sha256");
  if (!version || !size || size->as.integer < 0 || !chunk || chunk->as.integer < 0 || !rt_chunk_size_ok((uint64_t)chunk->as.integer) ||
      !is(chunks, "hash", "sha256") || !digest || !rt_hex_decode(digest, strlen(digest), r->list_digest, 32))
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s: the annotation %s of %s is not well-formed", name, CHUNKS_ANNOTATION, r->name);
  r->chunked = true;
  r->size = (uint64_t)size->as.integer;
  r->chunk_size = (uint64_t)chunk->as.integer;
  return RETORT_OK;
}

/* The annotation of the subject that says when it was signed. */
static retort_status read_time(const rt_json *subject, const char *name, rt_bundle *out, retort_error *error) {
  const rt_json *annotations = member(subject, "annotations", RT_JSON_OBJECT),
                *time = annotations ? rt_json_get(annotations, TIME_ANNOTATION) : NULL;
  if (!time) return RETORT_OK;
  if (time->type != RT_JSON_INTEGER || !rt_time_is_plain(time->as.integer))
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s: the annotation %s is no time", name, TIME_ANNOTATION);
  out->signed_time = time->as.integer;
  return RETORT_OK;
}

static retort_status read_resources(rt_arena *arena, const rt_json *list, const char *name, rt_bundle *out, retort_error *error) {
  if (list->count == 0 || list->count > RT_BUNDLE_MAX_RESOURCES) return bad(error, name, "it lists no files, or more than 100,000");
  out->resources = rt_arena_alloc(arena, list->count, sizeof *out->resources);
  if (!out->resources) return rt_fail_memory(error, (uint64_t)list->count * sizeof *out->resources, "the list of signed files");
  out->n_resources = list->count;
  rt_sha256 root;
  rt_sha256_init(&root);
  for (size_t i = 0; i < list->count; i++) {
    const rt_json *item = &list->as.items[i];
    rt_resource *r = &out->resources[i];
    const char *file = item->type == RT_JSON_OBJECT ? string_of(item, "name") : NULL, *digest = file ? string_of(item, "digest") : NULL;
    if (!file || !digest) return bad(error, name, "a signed file has no name or no digest");
    if (!(strcmp(file, ".") == 0 && list->count == 1) && !rt_name_is_canonical(file, strlen(file)))
      return rt_fail(error, RETORT_ERROR_FORMAT, "%s: signed file %zu has a name that is not a plain path inside the model; refused", name,
                     i);
    if (!is(item, "algorithm", "sha256"))
      return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "%s: %.200s is not hashed with SHA-256", name, file);
    if (!rt_hex_decode(digest, strlen(digest), r->digest, 32))
      return rt_fail(error, RETORT_ERROR_FORMAT, "%s: the digest of %.200s is not 64 lowercase hex digits", name, file);
    r->name = file;
    retort_status status = read_chunk_annotation(item, name, r, error);
    if (status) return status;
    rt_sha256_update(&root, r->digest, 32);
  }
  rt_sha256_digest(&root, out->root); /* in the order of the list, before it is sorted */
  qsort(out->resources, out->n_resources, sizeof *out->resources, by_name);
  for (size_t i = 1; i < out->n_resources; i++)
    if (by_name(&out->resources[i - 1], &out->resources[i]) == 0)
      return rt_fail(error, RETORT_ERROR_FORMAT, "%s: it lists %.200s twice", name, out->resources[i].name);
  return RETORT_OK;
}

static retort_status read_serialization(rt_arena *arena, const rt_json *s, const char *name, rt_bundle *out, retort_error *error) {
  const rt_json *symlinks = rt_json_get(s, "allow_symlinks"), *ignored = rt_json_get(s, "ignore_paths");
  if (!is(s, "method", "files") || !is(s, "hash_type", "sha256"))
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED,
                   "%s: only the serialization \"files\" with SHA-256 is verified; sign again without shards or other hashes", name);
  if (!ONLY(s, "method", "hash_type", "allow_symlinks", "ignore_paths")) return bad(error, name, "unknown members in serialization");
  if (!symlinks || (symlinks->type != RT_JSON_TRUE && symlinks->type != RT_JSON_FALSE))
    return bad(error, name, "allow_symlinks is missing, or not a boolean");
  if (!ignored) return RETORT_OK;
  if (ignored->type != RT_JSON_ARRAY) return bad(error, name, "ignore_paths is not a list");
  out->ignored = rt_arena_alloc(arena, ignored->count, sizeof *out->ignored);
  if (!out->ignored) return rt_fail_memory(error, (uint64_t)ignored->count * sizeof *out->ignored, "the list of ignored paths");
  for (size_t i = 0; i < ignored->count; i++) {
    const rt_json *path = &ignored->as.items[i];
    if (path->type != RT_JSON_STRING) return bad(error, name, "an entry of ignore_paths is not a text");
    if (path->as.string[0] == '/') return bad(error, name, "an entry of ignore_paths is an absolute path");
    /* Signers write relative paths here that lie outside of the model (seen in the wild); those can match nothing. */
    if (strlen(path->as.string) == path->count && rt_name_is_canonical(path->as.string, path->count))
      out->ignored[out->n_ignored++] = path->as.string;
  }
  return RETORT_OK;
}

static retort_status read_statement(rt_arena *arena, const rt_span *payload, const char *name, rt_bundle *out, retort_error *error) {
  rt_json statement;
  retort_status status = rt_json_parse(arena, (const char *)payload->data, payload->size, RT_BUNDLE_MAX, name, &statement, error);
  if (status) return status;
  if (statement.type != RT_JSON_OBJECT || !is(&statement, "_type", STATEMENT_TYPE))
    return bad(error, name, "the payload is not an in-toto statement v1");
  if (!is(&statement, "predicateType", PREDICATE_TYPE))
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "%s: the statement is not a model signature v1.0 (predicateType)", name);
  const rt_json *subjects = member(&statement, "subject", RT_JSON_ARRAY),
                *subject = subjects && subjects->count == 1 ? subjects->as.items : NULL;
  const rt_json *digests = subject ? member(subject, "digest", RT_JSON_OBJECT) : NULL,
                *predicate = member(&statement, "predicate", RT_JSON_OBJECT);
  const char *root = digests ? string_of(digests, "sha256") : NULL;
  out->subject = subject ? string_of(subject, "name") : NULL;
  if (!root || !out->subject || !*out->subject || !rt_text_is_printable(out->subject, strlen(out->subject), false))
    return bad(error, name, "the statement has no single, named subject with a SHA-256 digest");
  const rt_json *resources = predicate ? member(predicate, "resources", RT_JSON_ARRAY) : NULL;
  const rt_json *serialization = predicate ? member(predicate, "serialization", RT_JSON_OBJECT) : NULL;
  if (!resources || !serialization || !ONLY(predicate, "resources", "serialization"))
    return bad(error, name, "the predicate is not {resources, serialization}");
  if ((status = read_time(subject, name, out, error)) != RETORT_OK ||
      (status = read_resources(arena, resources, name, out, error)) != RETORT_OK)
    return status;
  uint8_t claimed[32];
  if (!rt_hex_decode(root, strlen(root), claimed, 32) || memcmp(claimed, out->root, 32) != 0)
    return bad(error, name, "the model's digest is not that of its files' digests");
  return read_serialization(arena, serialization, name, out, error);
}

retort_status rt_bundle_verify(rt_arena *arena, const void *text, size_t size, const char *name, const rt_bundle_trust *trust,
                               rt_bundle *out, retort_error *error) {
  rt_json bundle;
  rt_bundle result = {0};
  if (size > RT_BUNDLE_MAX) return bad(error, name, "larger than 32 MiB; refused");
  retort_status status = rt_json_parse(arena, text, size, RT_BUNDLE_MAX, name, &bundle, error);
  if (status) return status;
  if (bundle.type != RT_JSON_OBJECT || !is(&bundle, "mediaType", MEDIA_TYPE))
    return bad(error, name, "not a Sigstore bundle v0.3 (mediaType), the form of model.sig");
  const rt_json *material = member(&bundle, "verificationMaterial", RT_JSON_OBJECT),
                *envelope = member(&bundle, "dsseEnvelope", RT_JSON_OBJECT);
  if (!material || !envelope || !ONLY(&bundle, "mediaType", "verificationMaterial", "dsseEnvelope"))
    return bad(error, name, "not a bundle of {mediaType, verificationMaterial, dsseEnvelope}");
  if (!ONLY(material, "publicKey", "x509CertificateChain", "certificate", "tlogEntries", "timestampVerificationData"))
    return bad(error, name, "unknown members in verificationMaterial");
  const rt_json *log = rt_json_get(material, "tlogEntries");
  if ((rt_json_get(material, "publicKey") != NULL) + (rt_json_get(material, "x509CertificateChain") != NULL) +
          (rt_json_get(material, "certificate") != NULL) !=
      1)
    return bad(error, name, "it names no verification method, or more than one");
  if (rt_json_get(material, "certificate"))
    return rt_fail(error, RETORT_ERROR_TRUST, "%s: a keyless Sigstore bundle; only keys and certificate chains are verified here", name);
  if (log && (log->type != RT_JSON_ARRAY || log->count))
    return bad(error, name, "it has transparency log entries, which a key or certificate bundle does not");
  const rt_json *signatures = member(envelope, "signatures", RT_JSON_ARRAY),
                *one = signatures && signatures->count == 1 ? signatures->as.items : NULL;
  if (!one || one->type != RT_JSON_OBJECT || !ONLY(one, "sig", "keyid") || !ONLY(envelope, "payload", "payloadType", "signatures"))
    return bad(error, name, "the envelope must have exactly one signature and no unknown members");
  const rt_json *keyid = rt_json_get(one, "keyid");
  if (keyid && keyid->type != RT_JSON_NULL && !(keyid->type == RT_JSON_STRING && keyid->count == 0))
    return bad(error, name, "keyid is not empty");
  rt_span payload = {0}, signature = {0}, pieces[2];
  status = base64_member(arena, envelope, "payload", name, "the payload is not base64", &payload, error);
  if (!status) status = base64_member(arena, one, "sig", name, "the signature is not base64", &signature, error);
  if (status) return status;
  if (is_older(&payload))
    return rt_fail(
        error, RETORT_ERROR_UNSUPPORTED,
        "%s: it is of the older format that model-signing 0.2 wrote; sign the model again (retort sign, or model-signing from 1.0)", name);
  if (!rt_der_signature_is_strict(signature.data, signature.size))
    return rt_fail(error, RETORT_ERROR_TRUST, "%s: the signature is not in strict DER", name);
  if (!is(envelope, "payloadType", PAYLOAD_TYPE)) return bad(error, name, "the payload is not an in-toto statement (payloadType)");
  char head[96];
  pre_authentication(&payload, head, pieces);
  status = trust->anchors ? verify_by_certificate(arena, material, name, trust, pieces, &signature, &result, error)
                          : verify_by_key(arena, material, name, trust, pieces, &signature, &result, error);
  if (!status) status = read_statement(arena, &payload, name, &result, error);
  if (!status) *out = result;
  return status;
}

const rt_resource *rt_bundle_find(const rt_bundle *bundle, const char *name) {
  rt_resource wanted = {.name = name};
  return bsearch(&wanted, bundle->resources, bundle->n_resources, sizeof wanted, by_name);
}

bool rt_bundle_ignores(const rt_bundle *bundle, const char *name) {
  for (size_t i = 0; i < bundle->n_ignored; i++) {
    size_t n = strlen(bundle->ignored[i]);
    if (strncmp(name, bundle->ignored[i], n) == 0 && (name[n] == 0 || name[n] == '/')) return true;
  }
  return false;
}

/* ---- writing ---- */

typedef struct text {
  rt_arena *arena;
  char *bytes;
  size_t size, capacity;
  bool failed;
} text;

static void put(text *t, const char *bytes, size_t n) {
  if (t->failed) return;
  if (t->capacity - t->size < n + 1) {
    size_t capacity = 2 * t->capacity + n + 4096;
    char *grown = rt_arena_alloc(t->arena, capacity, 1);
    if (!grown) {
      t->failed = true;
      return;
    }
    if (t->size) memcpy(grown, t->bytes, t->size);
    t->bytes = grown;
    t->capacity = capacity;
  }
  memcpy(t->bytes + t->size, bytes, n);
  t->size += n;
  t->bytes[t->size] = 0;
}
static void puts_(text *t, const char *s) { put(t, s, strlen(s)); }

static void put_json_string(text *t, const char *s) {
  char escape[8];
  puts_(t, "\"");
  for (; *s; s++) {
    if (*s == '"' || *s == '\\') snprintf(escape, sizeof escape, "\\%c", *s);
    else if ((unsigned char)*s < 0x20) snprintf(escape, sizeof escape, "\\u%04x", *s);
    else snprintf(escape, sizeof escape, "%c", *s);
    puts_(t, escape);
  }
  puts_(t, "\"");
}

static void put_digest(text *t, const uint8_t digest[32]) {
  char hex[65];
  rt_sha256_hex(digest, hex);
  put_json_string(t, hex);
}

static void put_base64(text *t, const uint8_t *bytes, size_t size) {
  char *base64 = rt_arena_alloc(t->arena, (size + 2) / 3 * 4 + 1, 1);
  if (!base64) {
    t->failed = true;
    return;
  }
  rt_base64_encode(bytes, size, base64);
  put_json_string(t, base64);
}

static void put_resource(text *t, const rt_resource *r) {
  char numbers[160];
  puts_(t, "{\"name\":");
  put_json_string(t, r->name);
  puts_(t, ",\"algorithm\":\"sha256\",\"digest\":");
  put_digest(t, r->digest);
  if (r->chunked) {
    snprintf(numbers, sizeof numbers,
             ",\"annotations\":{\"%s\":{\"version\":1,\"size\":%llu,\"chunk_size\":%llu,\"hash\":\"sha256\",\"list_sha256\":",
             CHUNKS_ANNOTATION, (unsigned long long)r->size, (unsigned long long)r->chunk_size);
    puts_(t, numbers);
    put_digest(t, r->list_digest);
    puts_(t, "}}");
  }
  puts_(t, "}");
}

static void put_statement(text *t, const rt_resource *resources, size_t n, const rt_bundle_subject *subject) {
  char time[64];
  uint8_t digest[32];
  rt_sha256 root;
  rt_sha256_init(&root);
  for (size_t i = 0; i < n; i++) rt_sha256_update(&root, resources[i].digest, 32);
  rt_sha256_digest(&root, digest);
  puts_(t, "{\"_type\":\"");
  puts_(t, STATEMENT_TYPE);
  puts_(t, "\",\"subject\":[{\"name\":");
  put_json_string(t, subject->name);
  puts_(t, ",\"digest\":{\"sha256\":");
  put_digest(t, digest);
  puts_(t, "}");
  snprintf(time, sizeof time, ",\"annotations\":{\"%s\":%lld}", TIME_ANNOTATION, (long long)subject->time);
  if (subject->time) puts_(t, time);
  puts_(t, "}],\"predicateType\":\"");
  puts_(t, PREDICATE_TYPE);
  puts_(t, "\",\"predicate\":{\"resources\":[");
  for (size_t i = 0; i < n; i++) {
    if (i) puts_(t, ",");
    put_resource(t, &resources[i]);
  }
  puts_(t, "],\"serialization\":{\"method\":\"files\",\"hash_type\":\"sha256\",\"allow_symlinks\":false,\"ignore_paths\":[");
  for (size_t i = 0; i < subject->n_ignored; i++) {
    if (i) puts_(t, ",");
    put_json_string(t, subject->ignored[i]);
  }
  puts_(t, "]}}}");
}

retort_status rt_bundle_sign(rt_arena *arena, rt_resource *resources, size_t n, const rt_bundle_subject *subject, rt_key *key,
                             const rt_span *certificates, size_t n_certificates, const char **out, size_t *size, retort_error *error) {
  text statement = {.arena = arena}, t = {.arena = arena};
  uint8_t signature[RT_SIGNATURE_MAX];
  size_t signature_size;
  if (n == 0 || n > RT_BUNDLE_MAX_RESOURCES)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "a signature covers 1 to %d files, not %zu", RT_BUNDLE_MAX_RESOURCES, n);
  if (subject->time && !rt_time_is_plain(subject->time)) return rt_fail(error, RETORT_ERROR_ARGUMENT, "the time of signing is none");
  if (!*subject->name || !rt_text_is_printable(subject->name, strlen(subject->name), false))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "the model's name is empty, or has control characters or broken UTF-8 in it");
  for (size_t i = 0; i < n; i++)
    if (!(n == 1 && strcmp(resources[i].name, ".") == 0) && !rt_name_is_canonical(resources[i].name, strlen(resources[i].name)))
      return rt_fail(error, RETORT_ERROR_ARGUMENT,
                     "a file's name cannot be signed: UTF-8 without control characters and backslashes is needed");
  qsort(resources, n, sizeof *resources, by_name);
  put_statement(&statement, resources, n, subject);
  if (statement.failed) return rt_fail_memory(error, statement.capacity, "the statement to sign");
  rt_span payload = {(const uint8_t *)statement.bytes, statement.size}, pieces[2];
  char head[96];
  pre_authentication(&payload, head, pieces);
  retort_status status = rt_key_sign(key, pieces, 2, signature, &signature_size, error);
  if (status) return status;
  puts_(&t, "{\"mediaType\":\"");
  puts_(&t, MEDIA_TYPE);
  puts_(&t, "\",\"verificationMaterial\":{");
  if (certificates) {
    puts_(&t, "\"x509CertificateChain\":{\"certificates\":[");
    for (size_t i = 0; i < n_certificates; i++) {
      puts_(&t, i ? ",{\"rawBytes\":" : "{\"rawBytes\":");
      put_base64(&t, certificates[i].data, certificates[i].size);
      puts_(&t, "}");
    }
    puts_(&t, "]}");
  } else {
    puts_(&t, "\"publicKey\":{\"hint\":");
    put_json_string(&t, rt_key_fingerprint(key));
    puts_(&t, "}");
  }
  puts_(&t, ",\"tlogEntries\":[]},\"dsseEnvelope\":{\"payload\":");
  put_base64(&t, payload.data, payload.size);
  puts_(&t, ",\"payloadType\":\"");
  puts_(&t, PAYLOAD_TYPE);
  puts_(&t, "\",\"signatures\":[{\"sig\":");
  put_base64(&t, signature, signature_size);
  puts_(&t, ",\"keyid\":\"\"}]}}\n");
  if (t.failed) return rt_fail_memory(error, t.capacity, "the bundle");
  *out = t.bytes;
  *size = t.size;
  return RETORT_OK;
}
