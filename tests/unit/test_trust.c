/* test_trust.c - signing, verifying and refusing, inside one process: every byte of every artefact changed, and the hostile list.
 *
 * Cross-checks with other people's tools are in tests/trust/; here the same small model is signed and attacked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha256.h"
#include "trust/bundle.h"
#include "trust/chunks.h"
#include "trust/encoding.h"
#include "trust/minisign.h"

enum { CHUNK = RT_CHUNK_MIN, MODEL = 2 * CHUNK + 700, SMALL = 600 };
static uint8_t model[MODEL], other[MODEL];

typedef struct signed_model {
  char secret[RETORT_KEY_TEXT_SIZE], public_key[RETORT_KEY_TEXT_SIZE];
  char *signature;
  size_t signature_size;
  uint8_t *chunks;
  size_t chunks_size;
  const uint8_t *data;
  size_t size;
  int32_t method;
  retort_verdict verdict;
} signed_model;

static void ok(retort_status status, const retort_error *error) {
  if (status) fail_msg("%s: %s", retort_status_name(status), error->message);
}

static void sign(signed_model *m, int32_t kind, const uint8_t *data, size_t size, uint8_t seed) {
  retort_error error;
  uint8_t random[96];
  for (size_t i = 0; i < sizeof random; i++) random[i] = (uint8_t)(i * 7 + seed);
  *m = (signed_model){.data = data, .size = size, .method = kind == RETORT_KEY_MINISIGN ? RETORT_TRUST_MINISIGN : RETORT_TRUST_KEY};
  ok(retort_keygen(NULL, kind, random, NULL, m->secret, m->public_key, &error), &error);
  retort_signer_options options;
  retort_signer_options_init(&options);
  options.method = m->method;
  options.chunk_size = CHUNK;
  options.secret_key = (retort_buffer){m->secret, strlen(m->secret), "secret"};
  options.model_name = kind == RETORT_KEY_MINISIGN ? "timestamp:1\tfile:model.gguf\thashed" : "model";
  memcpy(options.random, random, 32);
  retort_signer *signer;
  ok(retort_signer_open(NULL, &options, &signer, &error), &error);
  ok(retort_signer_add_file(signer, "model.gguf", size, &error), &error);
  for (size_t at = 0, step = 1; at < size; at += step, step = step * 3 + 1) {
    if (step > size - at) step = size - at;
    ok(retort_signer_feed(signer, data + at, step, &error), &error);
  }
  const char *text;
  const void *chunks;
  m->verdict.struct_size = sizeof m->verdict;
  ok(retort_signer_finish(signer, &text, &m->signature_size, &m->verdict, &error), &error);
  m->signature = malloc(m->signature_size + 1);
  memcpy(m->signature, text, m->signature_size);
  m->signature[m->signature_size] = 0;
  ok(retort_signer_chunks(signer, 0, &chunks, &m->chunks_size, &error), &error);
  if (m->chunks_size) {
    m->chunks = malloc(m->chunks_size);
    memcpy(m->chunks, chunks, m->chunks_size);
  }
  retort_signer_close(signer);
}

static void drop(signed_model *m) {
  free(m->signature);
  free(m->chunks);
}

/* Opens, feeds from the last chunk to the first (or in order), finishes. */
static retort_status verify(const signed_model *m, bool with_chunks, retort_verdict *verdict, retort_error *error) {
  retort_trust_policy policy;
  retort_trust_policy_init(&policy);
  retort_buffer key = {m->public_key, strlen(m->public_key), "public key"}, signature = {m->signature, m->signature_size, "signature"};
  policy.method = m->method;
  policy.anchors = &key;
  policy.n_anchors = 1;
  retort_trust_file file = {"model.gguf", m->size, with_chunks ? m->chunks : NULL, with_chunks ? m->chunks_size : 0};
  retort_verifier *v;
  retort_status status = retort_verifier_open(NULL, &policy, &signature, 1, &file, 1, &v, error);
  if (status) return status;
  uint64_t chunk = retort_verifier_chunk_size(v, 0);
  if (chunk) {
    for (uint64_t i = (m->size + chunk - 1) / chunk; !status && i-- > 0;)
      status = retort_verifier_feed(v, 0, i * chunk, m->data + i * chunk, m->size - i * chunk < chunk ? (size_t)(m->size - i * chunk) : (size_t)chunk, error);
  } else {
    for (size_t at = 0; !status && at < m->size; at += 1000)
      status = retort_verifier_feed(v, 0, at, m->data + at, m->size - at < 1000 ? m->size - at : 1000, error);
  }
  retort_verdict own = {.struct_size = sizeof own};
  if (status) { /* poisoned: nothing is accepted any more, nothing opens */
    retort_gguf *gguf;
    retort_buffer bytes = {m->data, m->size, NULL};
    if (status == RETORT_ERROR_TRUST) assert_int_equal(retort_verifier_finish(v, &own, NULL), RETORT_ERROR_TRUST);
    assert_int_equal(retort_gguf_open_verified(NULL, v, &bytes, 1, 0, &gguf, NULL), RETORT_ERROR_TRUST);
    assert_int_equal(retort_gguf_open_verified(NULL, v, &bytes, 1, RETORT_GGUF_METADATA_ONLY, &gguf, NULL), RETORT_ERROR_TRUST);
  } else status = retort_verifier_finish(v, verdict ? verdict : &own, error);
  retort_verifier_close(v);
  return status;
}

static void what_is_signed_verifies(void **state) {
  (void)state;
  const int32_t kinds[] = {RETORT_KEY_P256, RETORT_KEY_P384, RETORT_KEY_P521, RETORT_KEY_MINISIGN};
  for (size_t k = 0; k < 4; k++) {
    for (int chunks = 0; chunks < 2; chunks++) {
      signed_model m;
      retort_error error;
      retort_verdict verdict = {.struct_size = sizeof verdict};
      char whole[65], text[1024];
      sign(&m, kinds[k], model, MODEL, (uint8_t)k);
      ok(verify(&m, chunks, &verdict, &error), &error);
      assert_int_equal(verdict.mode, chunks && kinds[k] != RETORT_KEY_MINISIGN ? RETORT_VERIFY_CHUNKS : RETORT_VERIFY_WHOLE);
      assert_string_equal(verdict.digest, m.verdict.digest);
      assert_string_equal(verdict.signer, m.verdict.signer);
      assert_string_equal(verdict.name, m.verdict.name);
      retort_sha256_hex(model, MODEL, whole);
      assert_string_equal(verdict.file_digest, whole);
      assert_int_equal(verdict.n_bytes, MODEL);
      assert_true(retort_verdict_text(&verdict, text, sizeof text) < sizeof text);
      assert_non_null(strstr(text, verdict.signer));
      drop(&m);
    }
  }
}

/* Changes of the signature file that do not change what it says: the other base64 alphabet, the white space at its end, and, for minisign, the
 * comment that is called untrusted because nobody signs it. */
static bool outside_of_the_meaning(const signed_model *m, size_t at, char before, char after) {
  if (m->method == RETORT_TRUST_MINISIGN && at < (size_t)(strchr(m->signature, '\n') - m->signature) && at >= strlen("untrusted comment: ")) return true;
  if (at + 1 == m->signature_size && m->method == RETORT_TRUST_KEY) return after == ' ' || after == '\t' || after == '\r';
  if (m->method == RETORT_TRUST_MINISIGN && before == '\n') return false;
  return (before == '+' && after == '-') || (before == '/' && after == '_') || (before == '-' && after == '+') || (before == '_' && after == '/');
}

static void every_byte_of_the_signature_counts(void **state) {
  (void)state;
  const int32_t kinds[] = {RETORT_KEY_P256, RETORT_KEY_MINISIGN};
  for (size_t k = 0; k < 2; k++) {
    signed_model m;
    sign(&m, kinds[k], model, SMALL, 3);
    size_t harmless = 0, refused = 0;
    for (size_t at = 0; at < m.signature_size; at++) {
      char before = m.signature[at];
      const unsigned char changes[] = {1, 2, 4, 8, 16, 32, 64, 128, '+' ^ '-', '/' ^ '_', '\n' ^ ' '};
      for (size_t c = 0; c < sizeof changes; c++) {
        m.signature[at] = (char)(before ^ changes[c]);
        char after = m.signature[at];
        retort_error error;
        retort_status status = verify(&m, true, NULL, &error);
        m.signature[at] = before;
        if (status) refused++;
        else if (outside_of_the_meaning(&m, at, before, after)) harmless++;
        else fail_msg("byte %zu of the signature, '%c' to '%c' (%d), was accepted", at, before, after, after);
      }
    }
    print_message("%zu changes refused, %zu outside of the signed meaning\n", refused, harmless);
    assert_true(refused > 5 * m.signature_size);
    drop(&m);
  }
}

static void every_byte_of_key_list_and_model_counts(void **state) {
  (void)state;
  for (int chunked = 0; chunked < 2; chunked++) {
    signed_model m;
    retort_error error;
    uint8_t *copy = malloc(MODEL);
    memcpy(copy, model, MODEL);
    sign(&m, RETORT_KEY_P256, copy, MODEL, 4);
    for (size_t at = 0; chunked && at < m.chunks_size; at++)
      for (unsigned bit = 0; bit < 8; bit++) {
        m.chunks[at] ^= (uint8_t)(1u << bit);
        assert_int_equal(verify(&m, true, NULL, &error), RETORT_ERROR_TRUST);
        m.chunks[at] ^= (uint8_t)(1u << bit);
      }
    /* A key file may be changed where the key stays the same: line ends, unused bits of the last base64 digit. */
    char fingerprint[256], changed[256];
    retort_buffer key = {m.public_key, strlen(m.public_key), NULL};
    ok(retort_trust_describe(NULL, RETORT_TRUST_KEY, &key, fingerprint, &error), &error);
    for (size_t at = 0; chunked && m.public_key[at]; at++) {
      char before = m.public_key[at];
      for (unsigned bit = 0; bit < 7; bit++) {
        m.public_key[at] = (char)(before ^ (1 << bit));
        if (!m.public_key[at] || verify(&m, true, NULL, &error)) continue;
        ok(retort_trust_describe(NULL, RETORT_TRUST_KEY, &key, changed, &error), &error);
        assert_string_equal(fingerprint, changed);
      }
      m.public_key[at] = before;
    }
    /* The model: each byte of the short last chunk, and a sample of the others (each costs a hash of its chunk); every byte of a small model below. */
    for (size_t at = 0; at < MODEL; at += at < 2 * CHUNK ? (chunked ? 641 : 9973) : (chunked ? 1 : 97)) {
      copy[at] ^= 0x10;
      assert_int_equal(verify(&m, chunked, NULL, &error), RETORT_ERROR_TRUST);
      copy[at] ^= 0x10;
    }
    assert_int_equal(verify(&m, chunked, NULL, &error), RETORT_OK);
    drop(&m);
    for (int32_t kind = RETORT_KEY_MINISIGN; kind <= RETORT_KEY_P256; kind += RETORT_KEY_P256 - RETORT_KEY_MINISIGN) {
      sign(&m, kind, copy, SMALL, 5);
      for (size_t at = 0; at < SMALL; at++) {
        copy[at] ^= (uint8_t)(1u << (at % 8));
        assert_int_equal(verify(&m, chunked, NULL, &error), RETORT_ERROR_TRUST);
        copy[at] ^= (uint8_t)(1u << (at % 8));
      }
      assert_int_equal(verify(&m, chunked, NULL, &error), RETORT_OK);
      drop(&m);
    }
    free(copy);
  }
}

static void lengths_and_order_count(void **state) {
  (void)state;
  signed_model m, n;
  retort_error error;
  uint8_t *copy = malloc(MODEL + 1);
  memcpy(copy, model, MODEL);
  copy[MODEL] = 0;
  sign(&m, RETORT_KEY_P256, copy, MODEL, 6);
  sign(&n, RETORT_KEY_P256, other, MODEL, 6);
  for (int chunks = 0; chunks < 2; chunks++) {
    signed_model t = m;
    t.size = MODEL - 1; /* truncated */
    assert_int_equal(verify(&t, chunks, NULL, &error), RETORT_ERROR_TRUST);
    t.size = MODEL + 1; /* extended */
    assert_int_equal(verify(&t, chunks, NULL, &error), RETORT_ERROR_TRUST);
    t.size = 0;
    assert_int_equal(verify(&t, chunks, NULL, &error), RETORT_ERROR_TRUST);
    t = m;
    for (t.signature_size = 0; t.signature_size < m.signature_size - 1; t.signature_size++) assert_int_not_equal(verify(&t, chunks, NULL, &error), RETORT_OK);
    t = m;
    for (size_t s = 0; chunks && s < m.chunks_size; s++) {
      t.chunks_size = s;
      if (s) assert_int_equal(verify(&t, true, NULL, &error), RETORT_ERROR_TRUST);
    }
    t = m;
    t.data = other; /* another model under this signature */
    assert_int_equal(verify(&t, chunks, NULL, &error), RETORT_ERROR_TRUST);
  }
  signed_model t = m; /* the list of another model, whole and validly signed with the same key */
  t.chunks = n.chunks;
  assert_int_equal(verify(&t, true, NULL, &error), RETORT_ERROR_TRUST);
  t.data = other;
  assert_int_equal(verify(&t, true, NULL, &error), RETORT_ERROR_TRUST);
  memcpy(copy, model + CHUNK, CHUNK); /* two chunks change places */
  memcpy(copy + CHUNK, model, CHUNK);
  assert_int_equal(verify(&m, true, NULL, &error), RETORT_ERROR_TRUST);
  assert_int_equal(verify(&m, false, NULL, &error), RETORT_ERROR_TRUST);
  memcpy(copy, model, MODEL);
  t = m; /* text behind the bundle */
  t.signature = malloc(m.signature_size + 8);
  memcpy(t.signature, m.signature, m.signature_size);
  memcpy(t.signature + m.signature_size, "{}", 2);
  t.signature_size += 2;
  assert_int_not_equal(verify(&t, true, NULL, &error), RETORT_OK);
  free(t.signature);
  drop(&m);
  drop(&n);
  free(copy);
}

static void only_verified_bytes_open(void **state) {
  (void)state;
  signed_model m;
  retort_error error;
  retort_gguf *gguf;
  sign(&m, RETORT_KEY_P256, model, MODEL, 7);
  retort_trust_policy policy;
  retort_trust_policy_init(&policy);
  retort_buffer key = {m.public_key, strlen(m.public_key), NULL}, signature = {m.signature, m.signature_size, NULL}, part = {model, 10, NULL}, all = {model, MODEL, NULL};
  retort_trust_file file = {"model.gguf", MODEL, m.chunks, m.chunks_size};
  retort_verifier *v;
  assert_int_equal(retort_verifier_open(NULL, &policy, &signature, 1, &file, 1, &v, &error), RETORT_ERROR_ARGUMENT); /* no method chosen */
  policy.method = RETORT_TRUST_KEY;
  assert_int_equal(retort_verifier_open(NULL, &policy, &signature, 1, &file, 1, &v, &error), RETORT_ERROR_ARGUMENT); /* no key */
  policy.anchors = &key;
  policy.n_anchors = 1;
  ok(retort_verifier_open(NULL, &policy, &signature, 1, &file, 1, &v, &error), &error);
  assert_int_equal(retort_verifier_prefix(v, 0), 0);
  assert_int_equal(retort_gguf_open_verified(NULL, v, &part, 1, RETORT_GGUF_METADATA_ONLY, &gguf, &error), RETORT_ERROR_TRUST);
  ok(retort_verifier_feed(v, 0, CHUNK, model + CHUNK, CHUNK, &error), &error);
  assert_int_equal(retort_verifier_prefix(v, 0), 0);
  assert_int_equal(retort_verifier_feed(v, 0, 1, model + 1, CHUNK, &error), RETORT_ERROR_ARGUMENT);
  ok(retort_verifier_feed(v, 0, 0, model, CHUNK, &error), &error);
  assert_int_equal(retort_verifier_prefix(v, 0), 2 * CHUNK);
  /* Now the parser sees the bytes: and says that this is not a GGUF file. */
  assert_int_equal(retort_gguf_open_verified(NULL, v, &part, 1, RETORT_GGUF_METADATA_ONLY, &gguf, &error), RETORT_ERROR_FORMAT);
  assert_int_equal(retort_gguf_open_verified(NULL, v, &all, 1, RETORT_GGUF_METADATA_ONLY, &gguf, &error), RETORT_ERROR_TRUST);
  retort_verdict verdict = {.struct_size = sizeof verdict};
  assert_int_equal(retort_verifier_finish(v, &verdict, &error), RETORT_ERROR_TRUST);
  ok(retort_verifier_feed(v, 0, 2 * CHUNK, model + 2 * CHUNK, MODEL - 2 * CHUNK, &error), &error);
  assert_int_equal(retort_gguf_open_verified(NULL, v, &all, 1, 0, &gguf, &error), RETORT_ERROR_TRUST); /* not finished */
  ok(retort_verifier_finish(v, &verdict, &error), &error);
  assert_int_equal(retort_gguf_open_verified(NULL, v, &all, 1, 0, &gguf, &error), RETORT_ERROR_FORMAT);
  retort_verifier_close(v);
  drop(&m);
}

/* ---- hostile bundles, signed with the right key: what a careless or malicious signer could make ---- */

typedef struct forge {
  const char *payload; /* with %s for the digest of `model`'s first SMALL bytes and %s for the root over it */
  const char *subject_digest;
  const char *bundle; /* NULL: the usual one; with %s for payload and signature */
  retort_status expected;
  const char *says; /* in the message */
} forge;

static const char USUAL[] =
    "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"publicKey\":{\"hint\":\"\"},\"tlogEntries\":[]},"
    "\"dsseEnvelope\":{\"payload\":\"%s\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\",\"keyid\":\"\"}]}}";
#define STATEMENT(resources, serialization)                                                                                                      \
  "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"$R\"}}],\"predicateType\":"             \
  "\"https://model_signing/signature/v1.0\",\"predicate\":{\"resources\":[" resources "],\"serialization\":{" serialization "}}}"
#define FILE_LINE(name) "{\"name\":\"" name "\",\"algorithm\":\"sha256\",\"digest\":\"$D\"}"
#define PLAIN "\"method\":\"files\",\"hash_type\":\"sha256\",\"allow_symlinks\":false,\"ignore_paths\":[]"

/* $D: digest of the file; $R: root over one such digest; $2: root over two. */
static char *fill(const char *payload, size_t size) {
  uint8_t d[32], r[32];
  char file[65], root[65], root2[65];
  rt_sha256 h;
  rt_sha256_init(&h);
  rt_sha256_update(&h, model, size);
  rt_sha256_digest(&h, d);
  rt_sha256_hex(d, file);
  rt_sha256_init(&h);
  rt_sha256_update(&h, d, 32);
  rt_sha256_digest(&h, r);
  rt_sha256_hex(r, root);
  rt_sha256_update(&h, d, 32);
  rt_sha256_digest(&h, r);
  rt_sha256_hex(r, root2);
  char *out = malloc(strlen(payload) * 1 + 64 * 64), *to = out;
  for (const char *p = payload; *p; p++) {
    const char *with = *p != '$' ? NULL : p[1] == 'D' ? file : p[1] == 'R' ? root : p[1] == '2' ? root2 : NULL;
    if (with) {
      memcpy(to, with, 64);
      to += 64;
      p++;
    } else *to++ = *p;
  }
  *to = 0;
  return out;
}

static void forge_and_verify(const forge *f, size_t index) {
  retort_error error = {0};
  signed_model m;
  rt_key *key;
  sign(&m, RETORT_KEY_P256, model, SMALL, 9);
  uint8_t random[32] = {1};
  ok(rt_key_open_private(NULL, m.secret, strlen(m.secret), "key", random, &key, &error), &error);
  char *payload = fill(f->payload, SMALL), head[128];
  int n = snprintf(head, sizeof head, "DSSEv1 28 application/vnd.in-toto+json %zu ", strlen(payload));
  rt_span pieces[2] = {{(uint8_t *)head, (size_t)n}, {(uint8_t *)payload, strlen(payload)}};
  uint8_t signature[RT_SIGNATURE_MAX];
  size_t size;
  ok(rt_key_sign(key, pieces, 2, signature, &size, &error), &error);
  char *payload64 = malloc(strlen(payload) * 2 + 8), signature64[256];
  rt_base64_encode((uint8_t *)payload, strlen(payload), payload64);
  rt_base64_encode(signature, size, signature64);
  size_t capacity = strlen(payload64) + 4000;
  free(m.signature);
  m.signature = malloc(capacity);
  const char *bundle = f->bundle ? f->bundle : USUAL, *first = strstr(bundle, "%s"), *second = strstr(first + 1, "%s");
  m.signature_size = (size_t)snprintf(m.signature, capacity, "%.*s%s%.*s%s%s", (int)(first - bundle), bundle, payload64, (int)(second - first - 2), first + 2, signature64, second + 2);
  assert_true(m.signature_size < capacity);
  retort_status status = verify(&m, false, NULL, &error);
  if (status != f->expected || (f->says && !strstr(error.message, f->says))) fail_msg("forgery %zu: %s: %s", index, retort_status_name(status), error.message);
  rt_key_close(key);
  free(payload);
  free(payload64);
  drop(&m);
}

static void hostile_bundles_are_refused(void **state) {
  (void)state;
  static const forge forgeries[] = {
      {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0, 0, RETORT_OK, 0},
      {STATEMENT(FILE_LINE("."), PLAIN), 0, 0, RETORT_OK, 0},
      {STATEMENT(FILE_LINE("model.gguf"), "\"method\":\"files\",\"hash_type\":\"sha256\""), 0, 0, RETORT_OK, 0},
      {STATEMENT(FILE_LINE("\\u006dodel.gguf"), PLAIN), 0, 0, RETORT_OK, 0},
      {STATEMENT(FILE_LINE("other.gguf"), PLAIN), 0, 0, RETORT_ERROR_TRUST, "not among"},
      {STATEMENT(FILE_LINE("../model.gguf"), PLAIN), 0, 0, RETORT_ERROR_FORMAT, "plain path"},
      {STATEMENT(FILE_LINE("/model.gguf"), PLAIN), 0, 0, RETORT_ERROR_FORMAT, "plain path"},
      {STATEMENT(FILE_LINE("./model.gguf"), PLAIN), 0, 0, RETORT_ERROR_FORMAT, "plain path"},
      {STATEMENT(FILE_LINE("a//model.gguf"), PLAIN), 0, 0, RETORT_ERROR_FORMAT, "plain path"},
      {STATEMENT(FILE_LINE("a/"), PLAIN), 0, 0, RETORT_ERROR_FORMAT, "plain path"},
      {STATEMENT(FILE_LINE("a\\\\b"), PLAIN), 0, 0, RETORT_ERROR_FORMAT, "plain path"},
      {STATEMENT(FILE_LINE("a\\u0007b"), PLAIN), 0, 0, RETORT_ERROR_FORMAT, "plain path"},
      {STATEMENT(FILE_LINE("a\\u0000b"), PLAIN), 0, 0, RETORT_ERROR_FORMAT, 0},
      {STATEMENT(FILE_LINE(""), PLAIN), 0, 0, RETORT_ERROR_FORMAT, "plain path"},
      {"{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"$2\"}}],\"predicateType\":\"https://model_signing/signature/v1.0\","
       "\"predicate\":{\"resources\":[" FILE_LINE("model.gguf") "," FILE_LINE("model.gguf") "],\"serialization\":{" PLAIN "}}}", 0, 0, RETORT_ERROR_FORMAT, "twice"},
      {"{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"$2\"}}],\"predicateType\":\"https://model_signing/signature/v1.0\","
       "\"predicate\":{\"resources\":[" FILE_LINE(".") "," FILE_LINE("model.gguf") "],\"serialization\":{" PLAIN "}}}", 0, 0, RETORT_ERROR_FORMAT, "plain path"},
      {STATEMENT("", PLAIN), 0, 0, RETORT_ERROR_FORMAT, "no files"},
      {STATEMENT("{\"name\":\"model.gguf\",\"algorithm\":\"blake2b\",\"digest\":\"$D\"}", PLAIN), 0, 0, RETORT_ERROR_UNSUPPORTED, "SHA-256"},
      {STATEMENT("{\"name\":\"model.gguf\",\"algorithm\":\"sha256\",\"digest\":\"ABCD\"}", PLAIN), 0, 0, RETORT_ERROR_FORMAT, "lowercase"},
      {STATEMENT("{\"name\":\"model.gguf\",\"name\":\"model.gguf\",\"algorithm\":\"sha256\",\"digest\":\"$D\"}", PLAIN), 0, 0, RETORT_ERROR_JSON, 0},
      {STATEMENT("{\"name\":\"model.gguf\",\"algorithm\":\"sha256\",\"digest\":\"$D\",\"annotations\":{\"retort.chunks\":{\"version\":1}}}", PLAIN), 0, 0, RETORT_ERROR_FORMAT, "annotation"},
      {STATEMENT("{\"name\":\"model.gguf\",\"algorithm\":\"sha256\",\"digest\":\"$D\",\"annotations\":{\"retort.chunks\":{\"version\":2},\"x\":[1.5]},\"extra\":1}", PLAIN), 0, 0, RETORT_OK, 0},
      {STATEMENT(FILE_LINE("model.gguf"), "\"method\":\"shards\",\"hash_type\":\"sha256\",\"allow_symlinks\":false"), 0, 0, RETORT_ERROR_UNSUPPORTED, "shards"},
      {STATEMENT(FILE_LINE("model.gguf"), "\"method\":\"files\",\"hash_type\":\"blake3\""), 0, 0, RETORT_ERROR_UNSUPPORTED, 0},
      {STATEMENT(FILE_LINE("model.gguf"), "\"method\":\"files\",\"hash_type\":\"sha256\",\"more\":1"), 0, 0, RETORT_ERROR_FORMAT, "serialization"},
      {"{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"$D\"}}],\"predicateType\":\"https://model_signing/signature/v1.0\","
       "\"predicate\":{\"resources\":[" FILE_LINE("model.gguf") "],\"serialization\":{" PLAIN "}}}", 0, 0, RETORT_ERROR_FORMAT, "digests"},
      {"{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[],\"predicateType\":\"https://model_signing/signature/v1.0\",\"predicate\":{}}", 0, 0, RETORT_ERROR_FORMAT, "subject"},
      {"{\"_type\":\"https://in-toto.io/Statement/v0.1\"}", 0, 0, RETORT_ERROR_FORMAT, "in-toto"},
      {"{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicateType\":\"https://slsa.dev/provenance/v1\"}", 0, 0, RETORT_ERROR_UNSUPPORTED, "predicateType"},
      {"not json", 0, 0, RETORT_ERROR_JSON, 0},
      /* two signatures, an unknown member, two methods, a keyless bundle, another payload type, an old media type */
      {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0, "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"publicKey\":{\"hint\":\"\"}},\"dsseEnvelope\":{\"payload\":\"%s\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\"},{\"sig\":\"AAAA\"}]}}", RETORT_ERROR_FORMAT, "exactly one signature"},
      {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0, "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"publicKey\":{\"hint\":\"\"},\"x\":1},\"dsseEnvelope\":{\"payload\":\"%s\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\"}]}}", RETORT_ERROR_FORMAT, "unknown members"},
      {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0, "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"publicKey\":{\"hint\":\"\"},\"certificate\":{}},\"dsseEnvelope\":{\"payload\":\"%s\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\"}]}}", RETORT_ERROR_FORMAT, "more than one"},
      {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0, "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"certificate\":{}},\"dsseEnvelope\":{\"payload\":\"%s\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\"}]}}", RETORT_ERROR_TRUST, "keyless"},
      {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0, "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"x509CertificateChain\":{\"certificates\":[{\"rawBytes\":\"AAAA\"}]}},\"dsseEnvelope\":{\"payload\":\"%s\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\"}]}}", RETORT_ERROR_TRUST, "plain key"},
      {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0, "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"publicKey\":{\"hint\":\"\"}},\"dsseEnvelope\":{\"payload\":\"%s\",\"payloadType\":\"text/plain\",\"signatures\":[{\"sig\":\"%s\"}]}}", RETORT_ERROR_FORMAT, "payloadType"},
      {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0, "{\"mediaType\":\"application/vnd.dev.sigstore.bundle+json;version=0.1\",\"verificationMaterial\":{\"publicKey\":{\"hint\":\"\"}},\"dsseEnvelope\":{\"payload\":\"%s\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\"}]}}", RETORT_ERROR_FORMAT, "mediaType"},
      {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0, "{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"publicKey\":{\"hint\":\"0000000000000000000000000000000000000000000000000000000000000000\"}},\"dsseEnvelope\":{\"payload\":\"%s\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\"}]}}", RETORT_ERROR_TRUST, "not among"},
  };
  for (size_t i = 0; i < RT_COUNT(forgeries); i++) forge_and_verify(&forgeries[i], i);
}

static void deep_and_huge_texts_are_refused_early(void **state) {
  (void)state;
  signed_model m;
  retort_error error;
  sign(&m, RETORT_KEY_P256, model, SMALL, 9);
  free(m.signature);
  m.signature_size = (size_t)RT_BUNDLE_MAX + 1;
  m.signature = malloc(m.signature_size);
  memset(m.signature, '[', m.signature_size);
  assert_int_equal(verify(&m, false, NULL, &error), RETORT_ERROR_FORMAT);
  assert_non_null(strstr(error.message, "32 MiB"));
  m.signature_size = 10000;
  assert_int_equal(verify(&m, false, NULL, &error), RETORT_ERROR_JSON); /* too deep */
  for (size_t i = 0; i < RT_BUNDLE_MAX; i++) m.signature[i] = i % 2 ? ',' : '0';
  m.signature[0] = '[';
  m.signature_size = RT_BUNDLE_MAX;
  assert_int_equal(verify(&m, false, NULL, &error), RETORT_ERROR_FORMAT);
  assert_non_null(strstr(error.message, "values"));
  drop(&m);
}

static void wrong_keys_and_methods_are_refused(void **state) {
  (void)state;
  signed_model a, b, c, mini;
  retort_error error;
  sign(&a, RETORT_KEY_P256, model, SMALL, 11);
  sign(&b, RETORT_KEY_P256, model, SMALL, 12);
  sign(&c, RETORT_KEY_P384, model, SMALL, 13);
  sign(&mini, RETORT_KEY_MINISIGN, model, SMALL, 14);
  signed_model t = a;
  memcpy(t.public_key, b.public_key, sizeof t.public_key);
  assert_int_equal(verify(&t, false, NULL, &error), RETORT_ERROR_TRUST);
  assert_non_null(strstr(error.message, "not among those"));
  memcpy(t.public_key, c.public_key, sizeof t.public_key); /* another curve */
  assert_int_equal(verify(&t, false, NULL, &error), RETORT_ERROR_TRUST);
  memcpy(t.public_key, mini.public_key, sizeof t.public_key);
  assert_int_equal(verify(&t, false, NULL, &error), RETORT_ERROR_FORMAT);
  t = mini; /* the policy says minisign, the signature is a bundle */
  t.signature = a.signature;
  t.signature_size = a.signature_size;
  assert_int_equal(verify(&t, false, NULL, &error), RETORT_ERROR_FORMAT);
  t = a;
  t.method = RETORT_TRUST_CERTIFICATE;
  assert_int_not_equal(verify(&t, false, NULL, &error), RETORT_OK);
  t = mini; /* minisign asked for as signify */
  t.method = RETORT_TRUST_SIGNIFY;
  assert_int_equal(verify(&t, false, NULL, &error), RETORT_ERROR_TRUST);
  drop(&a), drop(&b), drop(&c), drop(&mini);
}

static retort_status verify_policy(const signed_model *m, retort_trust_policy *policy, const char *name) {
  retort_error error;
  retort_buffer key = {m->public_key, strlen(m->public_key), NULL}, signature = {m->signature, m->signature_size, NULL};
  bool anchored = policy->method >= RETORT_TRUST_KEY;
  policy->anchors = anchored ? &key : NULL;
  policy->n_anchors = anchored;
  retort_trust_file file = {name, m->size, NULL, 0};
  retort_verifier *v;
  retort_status status = retort_verifier_open(NULL, policy, anchored ? &signature : NULL, anchored, &file, 1, &v, &error);
  if (status) return status;
  status = retort_verifier_feed(v, 0, 0, m->data, m->size, &error);
  retort_verdict verdict = {.struct_size = sizeof verdict};
  if (!status) status = retort_verifier_finish(v, &verdict, &error);
  retort_verifier_close(v);
  return status;
}

static void the_policy_binds_name_and_digest(void **state) {
  (void)state;
  signed_model m, mini;
  char whole[65];
  sign(&m, RETORT_KEY_P256, model, SMALL, 15);
  sign(&mini, RETORT_KEY_MINISIGN, model, SMALL, 16);
  retort_sha256_hex(model, SMALL, whole);
  retort_trust_policy p;
  retort_trust_policy_init(&p);
  p.method = RETORT_TRUST_KEY;
  p.model_name = "model";
  assert_int_equal(verify_policy(&m, &p, "model.gguf"), RETORT_OK);
  p.model_name = "mode";
  assert_int_equal(verify_policy(&m, &p, "model.gguf"), RETORT_ERROR_TRUST);
  p.model_name = NULL;
  assert_int_equal(verify_policy(&m, &p, "renamed.gguf"), RETORT_ERROR_TRUST);
  assert_int_equal(verify_policy(&m, &p, "../model.gguf"), RETORT_ERROR_ARGUMENT);
  p.model_digest = whole;
  assert_int_equal(verify_policy(&m, &p, "model.gguf"), RETORT_OK);
  p.model_digest = m.verdict.digest;
  assert_int_equal(verify_policy(&m, &p, "model.gguf"), RETORT_OK);
  p.method = RETORT_TRUST_MINISIGN;
  p.model_digest = mini.verdict.digest;
  p.model_name = "model.gguf";
  assert_int_equal(verify_policy(&mini, &p, "x"), RETORT_OK);
  p.model_name = "model.ggu";
  assert_int_equal(verify_policy(&mini, &p, "x"), RETORT_ERROR_TRUST);
  p.model_name = NULL;
  whole[0] = whole[0] == '0' ? '1' : '0';
  p.model_digest = whole;
  assert_int_equal(verify_policy(&mini, &p, "x"), RETORT_ERROR_TRUST);
  p.method = RETORT_TRUST_KEY;
  assert_int_equal(verify_policy(&m, &p, "model.gguf"), RETORT_ERROR_TRUST);
  /* pins: of the file, of the model, of something else */
  retort_trust_policy_init(&p);
  p.method = RETORT_TRUST_PIN;
  const char *pins[1] = {whole};
  p.pins = pins;
  p.n_pins = 1;
  assert_int_equal(verify_policy(&m, &p, "x"), RETORT_ERROR_TRUST);
  pins[0] = m.verdict.digest;
  assert_int_equal(verify_policy(&m, &p, "x"), RETORT_OK);
  pins[0] = m.verdict.file_digest;
  assert_int_equal(verify_policy(&m, &p, "x"), RETORT_OK);
  pins[0] = "0123";
  assert_int_equal(verify_policy(&m, &p, "x"), RETORT_ERROR_ARGUMENT);
  retort_trust_policy_init(&p);
  p.method = RETORT_TRUST_UNSIGNED;
  assert_int_equal(verify_policy(&m, &p, "x"), RETORT_OK);
  p.model_name = "model";
  assert_int_equal(verify_policy(&m, &p, "x"), RETORT_ERROR_ARGUMENT);
  drop(&m), drop(&mini);
}

/* A folder of many files, one of which is given in place of another: however many there are, a signed line is covered by one file only. */
static void no_file_stands_for_another(void **state) {
  (void)state;
  enum { FILES = 5000 };
  static char names[FILES][16];
  static retort_trust_file files[FILES];
  signed_model m;
  retort_error error;
  sign(&m, RETORT_KEY_P256, model, SMALL, 21); /* for its keys */
  retort_signer_options options;
  retort_signer_options_init(&options);
  options.method = RETORT_TRUST_KEY;
  options.secret_key = (retort_buffer){m.secret, strlen(m.secret), NULL};
  options.model_name = "folder";
  retort_signer *signer;
  ok(retort_signer_open(NULL, &options, &signer, &error), &error);
  for (size_t i = 0; i < FILES; i++) {
    snprintf(names[i], sizeof names[i], "f%zu", i);
    files[i] = (retort_trust_file){names[i], 0, NULL, 0};
    ok(retort_signer_add_file(signer, names[i], 0, &error), &error);
  }
  const char *text;
  size_t size;
  retort_verdict verdict = {.struct_size = sizeof verdict};
  ok(retort_signer_finish(signer, &text, &size, &verdict, &error), &error);
  retort_trust_policy policy;
  retort_trust_policy_init(&policy);
  retort_buffer key = {m.public_key, strlen(m.public_key), NULL}, signature = {text, size, NULL};
  policy.method = RETORT_TRUST_KEY;
  policy.flags = RETORT_TRUST_COMPLETE;
  policy.anchors = &key;
  policy.n_anchors = 1;
  retort_verifier *v;
  ok(retort_verifier_open(NULL, &policy, &signature, 1, files, FILES, &v, &error), &error);
  retort_verifier_close(v);
  assert_int_equal(retort_verifier_open(NULL, &policy, &signature, 1, files, FILES - 1, &v, &error), RETORT_ERROR_TRUST);
  files[17].name = names[4800];
  assert_int_equal(retort_verifier_open(NULL, &policy, &signature, 1, files, FILES, &v, &error), RETORT_ERROR_ARGUMENT);
  assert_non_null(strstr(error.message, "twice"));
  retort_signer_close(signer);
  drop(&m);
}

static void strict_der_only(void **state) {
  (void)state;
  const uint8_t good[] = {0x30, 6, 2, 1, 1, 2, 1, 1};
  assert_true(rt_der_signature_is_strict(good, sizeof good));
  static const struct {
    uint8_t bytes[12];
    size_t size;
  } bad[] = {{{0x30, 0x81, 6, 2, 1, 1, 2, 1, 1}, 9}, {{0x30, 7, 2, 2, 0, 1, 2, 1, 1}, 9}, {{0x30, 6, 2, 1, 0x81, 2, 1, 1}, 8},   {{0x30, 6, 2, 1, 0, 2, 1, 1}, 8},
             {{0x30, 6, 2, 1, 1, 2, 1, 1, 0}, 9},    {{0x30, 7, 2, 1, 1, 2, 1, 1, 0}, 9}, {{0x30, 6, 2, 1, 1, 3, 1, 1}, 8},      {{0x31, 6, 2, 1, 1, 2, 1, 1}, 8},
             {{0x30, 7, 2, 0x81, 1, 1, 2, 1, 1}, 9}, {{0x30, 5, 2, 1, 1, 2, 0}, 7},       {{0x30, 0x80, 2, 1, 1, 2, 1, 1, 0, 0}, 10}};
  for (size_t i = 0; i < RT_COUNT(bad); i++) assert_false(rt_der_signature_is_strict(bad[i].bytes, bad[i].size));
}

int main(void) {
  for (size_t i = 0; i < MODEL; i++) {
    model[i] = (uint8_t)(i * 2654435761u >> 11);
    other[i] = (uint8_t)(i * 2246822519u >> 9);
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_signed_verifies),
      cmocka_unit_test(every_byte_of_the_signature_counts),
      cmocka_unit_test(every_byte_of_key_list_and_model_counts),
      cmocka_unit_test(lengths_and_order_count),
      cmocka_unit_test(only_verified_bytes_open),
      cmocka_unit_test(hostile_bundles_are_refused),
      cmocka_unit_test(deep_and_huge_texts_are_refused_early),
      cmocka_unit_test(wrong_keys_and_methods_are_refused),
      cmocka_unit_test(the_policy_binds_name_and_digest),
      cmocka_unit_test(no_file_stands_for_another),
      cmocka_unit_test(strict_der_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
