/* test_trust.c - signing, verifying and refusing, inside one process: every byte of every artefact changed, and the hostile list.
 *
 * `test_trust full` (label `full`) gives each byte of signature, chunk list and key each of its 255 other values and changes each byte of a
 * model of three chunks; without it a few changes of each byte, and a sample of the large model, are tried. Cross-checks with other
 * people's tools are in tests/trust/; here the same small model is signed and attacked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/sha256.h"
#include "counting.h"
#include "trust/bundle.h"
#include "trust/chunks.h"
#include "trust/encoding.h"
#include "trust/minisign.h"

enum { CHUNK = RT_CHUNK_MIN, MODEL = 2 * CHUNK + 700, SMALL = 600 };
static uint8_t model[MODEL], other[MODEL];
static bool full;

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
  retort_signer_options_init(&options, sizeof options);
  options.method = m->method;
  options.chunk_size = CHUNK;
  options.secret_key = &(retort_buffer){sizeof(retort_buffer), m->secret, strlen(m->secret), "secret"};
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
  retort_trust_policy_init(&policy, sizeof policy);
  retort_buffer key = {sizeof(retort_buffer), m->public_key, strlen(m->public_key), "public key"},
                signature = {sizeof(retort_buffer), m->signature, m->signature_size, "signature"};
  policy.method = m->method;
  policy.anchors = &key;
  policy.n_anchors = 1;
  retort_trust_file file = {sizeof(retort_trust_file), "model.gguf", m->size, with_chunks ? m->chunks : NULL,
                            with_chunks ? m->chunks_size : 0};
  retort_verifier *v;
  retort_status status = retort_verifier_open(NULL, &policy, &signature, 1, &file, 1, &v, error);
  if (status) return status;
  uint64_t chunk = retort_verifier_chunk_size(v, 0);
  if (chunk) {
    for (uint64_t i = (m->size + chunk - 1) / chunk; !status && i-- > 0;)
      status = retort_verifier_feed(v, 0, i * chunk, m->data + i * chunk,
                                    m->size - i * chunk < chunk ? (size_t)(m->size - i * chunk) : (size_t)chunk, error);
  } else {
    for (size_t at = 0; !status && at < m->size; at += 1000)
      status = retort_verifier_feed(v, 0, at, m->data + at, m->size - at < 1000 ? m->size - at : 1000, error);
  }
  retort_verdict own = {.struct_size = sizeof own};
  if (status) { /* poisoned: nothing is accepted any more, nothing opens */
    retort_gguf *gguf;
    retort_buffer bytes = {sizeof(retort_buffer), m->data, m->size, NULL};
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

/* When it was signed is said where the signer wrote it down; a minisign comment may say anything. */
static void the_time_of_signing_is_said(void **state) {
  (void)state;
  static const struct {
    const char *comment;
    int64_t time;
  } comments[] = {{"timestamp:1795892700\tfile:x\thashed", 1795892700},
                  {"file:x\ttimestamp:1795892700", 1795892700},
                  {"timestamp:0", 0},
                  {"timestamp:", 0},
                  {"timestamp:12x", 0},
                  {"timestamp:-5", 0},
                  {"timestamp:999999999999", 0},
                  {"timestamp:9999999999999", 0},
                  {"a timestamp:1795892700", 0},
                  {"timestamp:1\ttimestamp:2", 1},
                  {"", 0}};
  char secret[RETORT_KEY_TEXT_SIZE], public_key[RETORT_KEY_TEXT_SIZE], text[1024];
  const int64_t times[] = {1795892700, 0, -1, 253402300800};
  for (size_t i = 0; i < RT_COUNT(comments) + RT_COUNT(times); i++) {
    bool mini = i < RT_COUNT(comments);
    retort_error error;
    uint8_t random[96] = {7};
    int64_t time = mini ? comments[i].time : times[i - RT_COUNT(comments)];
    ok(retort_keygen(NULL, mini ? RETORT_KEY_MINISIGN : RETORT_KEY_P256, random, NULL, secret, public_key, &error), &error);
    retort_signer_options options;
    retort_signer_options_init(&options, sizeof options);
    options.method = mini ? RETORT_TRUST_MINISIGN : RETORT_TRUST_KEY;
    options.secret_key = &(retort_buffer){sizeof(retort_buffer), secret, strlen(secret), NULL};
    options.model_name = mini ? comments[i].comment : "model";
    options.time = mini ? 0 : time;
    retort_signer *signer;
    ok(retort_signer_open(NULL, &options, &signer, &error), &error);
    ok(retort_signer_add_file(signer, "model.gguf", 5, &error), &error);
    ok(retort_signer_feed(signer, model, 5, &error), &error);
    retort_verdict made = {.struct_size = sizeof made}, verdict = {.struct_size = sizeof verdict};
    signed_model m = {.data = model, .size = 5, .method = options.method};
    const char *signature;
    retort_status status = retort_signer_finish(signer, &signature, &m.signature_size, &made, &error);
    if (!mini && (time < 0 || time > 253402300799)) assert_int_equal(status, RETORT_ERROR_ARGUMENT);
    else {
      ok(status, &error);
      m.signature = (char *)(uintptr_t)signature;
      memcpy(m.public_key, public_key, sizeof m.public_key);
      ok(verify(&m, false, &verdict, &error), &error);
      assert_int_equal(verdict.signed_time, time);
      if (!mini) assert_int_equal(made.signed_time, time);
      retort_verdict_text(&verdict, text, sizeof text);
      assert_true((strstr(text, ", 2026-11-28 19:05 UTC; ") != NULL) == (time == 1795892700));
    }
    retort_signer_close(signer);
  }
}

/* Changes of the signature file that do not change what it says: the other base64 alphabet, the white space at its end (of minisign: its
 * last line end), and, for minisign, the comment that is called untrusted because nobody signs it. */
static bool outside_of_the_meaning(const signed_model *m, size_t at, char before, char after) {
  if (m->method == RETORT_TRUST_MINISIGN && at < (size_t)(strchr(m->signature, '\n') - m->signature) && at >= strlen("untrusted comment: "))
    return true;
  if (at + 1 == m->signature_size && m->method == RETORT_TRUST_KEY) return after == ' ' || after == '\t' || after == '\r';
  if (m->method == RETORT_TRUST_MINISIGN && before == '\n') return at + 1 == m->signature_size && after == '\r';
  return (before == '+' && after == '-') || (before == '/' && after == '_') || (before == '-' && after == '+') ||
         (before == '_' && after == '/');
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
      for (size_t c = 0; c < (full ? 255 : sizeof changes); c++) {
        m.signature[at] = (char)(before ^ (full ? (unsigned char)(c + 1) : changes[c]));
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

/* A chunk list and a public key; of a key file, changes that leave the key as it is are let pass: line ends, text around the PEM block, the
 * untrusted comment. */
static void every_byte_of_list_and_key_counts(void **state) {
  (void)state;
  const int32_t kinds[] = {RETORT_KEY_P256, RETORT_KEY_MINISIGN};
  for (size_t k = 0; k < 2; k++) {
    signed_model m;
    retort_error error;
    char own[256], changed[256];
    sign(&m, kinds[k], model, MODEL, 4);
    for (size_t at = 0; at < m.chunks_size; at++)
      for (unsigned change = 1; change < 256; change = full ? change + 1 : change * 2) {
        m.chunks[at] ^= (uint8_t)change;
        assert_int_equal(verify(&m, true, NULL, &error), RETORT_ERROR_TRUST);
        m.chunks[at] ^= (uint8_t)change;
      }
    drop(&m);
    sign(&m, kinds[k], model, SMALL, 4);
    retort_buffer key = {sizeof(retort_buffer), m.public_key, strlen(m.public_key), NULL};
    size_t refused = 0, harmless = 0;
    ok(retort_trust_describe(NULL, m.method, &key, own, &error), &error);
    for (size_t at = 0; m.public_key[at]; at++) {
      char before = m.public_key[at];
      for (unsigned change = 1; change < 256; change = full ? change + 1 : change * 2) {
        m.public_key[at] = (char)(before ^ change);
        if (!m.public_key[at] || verify(&m, false, NULL, &error)) {
          refused++;
          continue;
        }
        harmless++;
        ok(retort_trust_describe(NULL, m.method, &key, changed, &error), &error);
        assert_string_equal(own, changed);
        /* Outside of the base64 text only: its digits are the key, but for the unused bits of the last one and the other alphabet's two. */
        bool in_comment = kinds[k] == RETORT_KEY_MINISIGN && at < (size_t)(strchr(m.public_key, '\n') - m.public_key);
        bool other_alphabet = (before == '+' && m.public_key[at] == '-') || (before == '/' && m.public_key[at] == '_');
        if (before != '\n' && !in_comment && !other_alphabet && before != '=' && m.public_key[at + 1] != '=')
          fail_msg("byte %zu of the public key, '%c' to %d, was accepted", at, before, m.public_key[at]);
      }
      m.public_key[at] = before;
    }
    print_message("%s: %zu changes of the key file refused, %zu left the key as it is\n", retort_trust_method_name(m.method), refused,
                  harmless);
    assert_true(refused > harmless);
    drop(&m);
  }
}

/* The model: each byte of the short last chunk and a sample of the others, or with `full` each byte; each byte of a small model. */
static void every_byte_of_the_model_counts(void **state) {
  (void)state;
  retort_error error;
  uint8_t *copy = malloc(MODEL);
  memcpy(copy, model, MODEL);
  size_t changes = 0;
  for (int chunked = 0; chunked < 2; chunked++) {
    signed_model m;
    sign(&m, RETORT_KEY_P256, copy, MODEL, 4);
    for (size_t at = 0, step; at < MODEL; at += full ? 1 : step, changes++) {
      step = at < 2 * CHUNK ? (chunked ? 641 : 9973) : (chunked ? 1 : 97);
      copy[at] ^= (uint8_t)(1u << at % 8);
      assert_int_equal(verify(&m, chunked, NULL, &error), RETORT_ERROR_TRUST);
      copy[at] ^= (uint8_t)(1u << at % 8);
    }
    assert_int_equal(verify(&m, chunked, NULL, &error), RETORT_OK);
    drop(&m);
    for (int32_t kind = RETORT_KEY_MINISIGN; kind <= RETORT_KEY_P256; kind += RETORT_KEY_P256 - RETORT_KEY_MINISIGN) {
      sign(&m, kind, copy, SMALL, 5);
      for (size_t at = 0; at < SMALL; at++, changes++) {
        copy[at] ^= (uint8_t)(1u << (at % 8));
        assert_int_equal(verify(&m, chunked, NULL, &error), RETORT_ERROR_TRUST);
        copy[at] ^= (uint8_t)(1u << (at % 8));
      }
      assert_int_equal(verify(&m, chunked, NULL, &error), RETORT_OK);
      drop(&m);
    }
  }
  print_message("%zu changes refused\n", changes);
  free(copy);
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
    for (t.signature_size = 0; t.signature_size < m.signature_size - 1; t.signature_size++)
      assert_int_not_equal(verify(&t, chunks, NULL, &error), RETORT_OK);
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
  retort_trust_policy_init(&policy, sizeof policy);
  retort_buffer key = {sizeof(retort_buffer), m.public_key, strlen(m.public_key), NULL},
                signature = {sizeof(retort_buffer), m.signature, m.signature_size, NULL}, part = {sizeof(retort_buffer), model, 10, NULL},
                all = {sizeof(retort_buffer), model, MODEL, NULL};
  retort_trust_file file = {sizeof(retort_trust_file), "model.gguf", MODEL, m.chunks, m.chunks_size};
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
    "{\"mediaType\":\"application/"
    "vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"publicKey\":{\"hint\":\"\"},\"tlogEntries\":[]},"
    "\"dsseEnvelope\":{\"payload\":\"%s\",\"payloadType\":\"application/"
    "vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\",\"keyid\":\"\"}]}}";
#define STATEMENT(resources, serialization)                                                                                         \
  "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"$R\"}}],\"predicateType\":" \
  "\"https://model_signing/signature/v1.0\",\"predicate\":{\"resources\":[" resources "],\"serialization\":{" serialization "}}}"
#define FILE_LINE(name) "{\"name\":\"" name "\",\"algorithm\":\"sha256\",\"digest\":\"$D\"}"
#define TIMED(time)                                                                                          \
  "{\"_type\":\"https://in-toto.io/Statement/"                                                               \
  "v1\",\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"$R\"},\"annotations\":{\"retort.time\":" time  \
  "}}],\"predicateType\":\"https://model_signing/signature/v1.0\",\"predicate\":{\"resources\":[" FILE_LINE( \
      "model.gguf") "],\"serialization\":{" PLAIN "}}}"
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
  m.signature_size = (size_t)snprintf(m.signature, capacity, "%.*s%s%.*s%s%s", (int)(first - bundle), bundle, payload64,
                                      (int)(second - first - 2), first + 2, signature64, second + 2);
  assert_true(m.signature_size < capacity);
  retort_status status = verify(&m, false, NULL, &error);
  if (status != f->expected || (f->says && !strstr(error.message, f->says)))
    fail_msg("forgery %zu: %s: %s", index, retort_status_name(status), error.message);
  rt_key_close(key);
  free(payload);
  free(payload64);
  drop(&m);
}

/* Statements and bundles, each wrong in one way (but for the first ones), and what is said of it. */
static const forge forgeries[] = {
    {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0, 0, RETORT_OK, 0},
    {STATEMENT(FILE_LINE("."), PLAIN), 0, 0, RETORT_OK, 0},
    {STATEMENT(FILE_LINE("model.gguf"), "\"method\":\"files\",\"hash_type\":\"sha256\",\"allow_symlinks\":true"), 0, 0, RETORT_OK, 0},
    {STATEMENT(FILE_LINE("model.gguf"), "\"method\":\"files\",\"hash_type\":\"sha256\""), 0, 0, RETORT_ERROR_FORMAT, "allow_symlinks"},
    {STATEMENT(FILE_LINE("model.gguf"),
               "\"method\":\"files\",\"hash_type\":\"sha256\",\"allow_symlinks\":false,\"ignore_paths\":[\"/tmp\"]"),
     0, 0, RETORT_ERROR_FORMAT, "absolute"},
    {STATEMENT(FILE_LINE("model.gguf"),
               "\"method\":\"files\",\"hash_type\":\"sha256\",\"allow_symlinks\":false,\"ignore_paths\":[\"../x\",\"a\"]"),
     0, 0, RETORT_OK, 0},
    {STATEMENT(FILE_LINE("\\u006dodel.gguf"), PLAIN), 0, 0, RETORT_OK, 0},
    {TIMED("1,\"other\":[]"), 0, 0, RETORT_OK, 0},
    {TIMED("253402300799"), 0, 0, RETORT_OK, 0},
    {TIMED("253402300800"), 0, 0, RETORT_ERROR_FORMAT, "time"},
    {TIMED("0"), 0, 0, RETORT_ERROR_FORMAT, "time"},
    {TIMED("-1"), 0, 0, RETORT_ERROR_FORMAT, "time"},
    {TIMED("1.5"), 0, 0, RETORT_ERROR_FORMAT, "time"},
    {TIMED("\"1\""), 0, 0, RETORT_ERROR_FORMAT, "time"},
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
    {"{\"_type\":\"https://in-toto.io/Statement/"
     "v1\",\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"$2\"}}],\"predicateType\":\"https://model_signing/signature/v1.0\","
     "\"predicate\":{\"resources\":[" FILE_LINE("model.gguf") "," FILE_LINE("model.gguf") "],\"serialization\":{" PLAIN "}}}",
     0, 0, RETORT_ERROR_FORMAT, "twice"},
    {"{\"_type\":\"https://in-toto.io/Statement/"
     "v1\",\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"$2\"}}],\"predicateType\":\"https://model_signing/signature/v1.0\","
     "\"predicate\":{\"resources\":[" FILE_LINE(".") "," FILE_LINE("model.gguf") "],\"serialization\":{" PLAIN "}}}",
     0, 0, RETORT_ERROR_FORMAT, "plain path"},
    {STATEMENT("", PLAIN), 0, 0, RETORT_ERROR_FORMAT, "no files"},
    {STATEMENT("{\"name\":\"model.gguf\",\"algorithm\":\"blake2b\",\"digest\":\"$D\"}", PLAIN), 0, 0, RETORT_ERROR_UNSUPPORTED, "SHA-256"},
    {STATEMENT("{\"name\":\"model.gguf\",\"algorithm\":\"sha256\",\"digest\":\"ABCD\"}", PLAIN), 0, 0, RETORT_ERROR_FORMAT, "lowercase"},
    {STATEMENT("{\"name\":\"model.gguf\",\"name\":\"model.gguf\",\"algorithm\":\"sha256\",\"digest\":\"$D\"}", PLAIN), 0, 0,
     RETORT_ERROR_JSON, 0},
    {STATEMENT("{\"name\":\"model.gguf\",\"algorithm\":\"sha256\",\"digest\":\"$D\",\"annotations\":{\"retort.chunks\":{\"version\":1}}}",
               PLAIN),
     0, 0, RETORT_ERROR_FORMAT, "annotation"},
    {STATEMENT("{\"name\":\"model.gguf\",\"algorithm\":\"sha256\",\"digest\":\"$D\",\"annotations\":{\"retort.chunks\":{\"version\":2},"
               "\"x\":[1.5]},\"extra\":1}",
               PLAIN),
     0, 0, RETORT_OK, 0},
    {STATEMENT(FILE_LINE("model.gguf"), "\"method\":\"shards\",\"hash_type\":\"sha256\",\"allow_symlinks\":false"), 0, 0,
     RETORT_ERROR_UNSUPPORTED, "shards"},
    {STATEMENT(FILE_LINE("model.gguf"), "\"method\":\"shards\",\"shard_size\":2,\"hash_type\":\"sha256\",\"allow_symlinks\":false"), 0, 0,
     RETORT_ERROR_UNSUPPORTED, "shards"},
    {"{\"_type\":\"https://in-toto.io/Statement/"
     "v1\",\"subject\":[{\"name\":\"model.gguf\",\"digest\":{\"sha256\":\"$D\"}}],\"predicateType\":"
     "\"https://model_signing/Digests/v0.1\",\"predicate\":{\"unused\":\"Unused, just passed due to API\"}}",
     0, 0, RETORT_ERROR_UNSUPPORTED, "older format"},
    {STATEMENT(FILE_LINE("model.gguf"), "\"method\":\"files\",\"hash_type\":\"blake3\""), 0, 0, RETORT_ERROR_UNSUPPORTED, 0},
    {STATEMENT(FILE_LINE("model.gguf"), "\"method\":\"files\",\"hash_type\":\"sha256\",\"more\":1"), 0, 0, RETORT_ERROR_FORMAT,
     "serialization"},
    {"{\"_type\":\"https://in-toto.io/Statement/"
     "v1\",\"subject\":[{\"name\":\"m\",\"digest\":{\"sha256\":\"$D\"}}],\"predicateType\":\"https://model_signing/signature/v1.0\","
     "\"predicate\":{\"resources\":[" FILE_LINE("model.gguf") "],\"serialization\":{" PLAIN "}}}",
     0, 0, RETORT_ERROR_FORMAT, "digests"},
    {"{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[],\"predicateType\":\"https://model_signing/signature/"
     "v1.0\",\"predicate\":{}}",
     0, 0, RETORT_ERROR_FORMAT, "subject"},
    {"{\"_type\":\"https://in-toto.io/Statement/v0.1\"}", 0, 0, RETORT_ERROR_FORMAT, "in-toto"},
    {"{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicateType\":\"https://slsa.dev/provenance/v1\"}", 0, 0, RETORT_ERROR_UNSUPPORTED,
     "predicateType"},
    {"not json", 0, 0, RETORT_ERROR_JSON, 0},
    /* two signatures, an unknown member, two methods, a keyless bundle, another payload type, an old media type */
    {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0,
     "{\"mediaType\":\"application/"
     "vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"publicKey\":{\"hint\":\"\"}},\"dsseEnvelope\":{\"payload\":\"%s\","
     "\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\"},{\"sig\":\"AAAA\"}]}}",
     RETORT_ERROR_FORMAT, "exactly one signature"},
    {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0,
     "{\"mediaType\":\"application/"
     "vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"publicKey\":{\"hint\":\"\"},\"x\":1},\"dsseEnvelope\":{\"payload\":"
     "\"%s\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\"}]}}",
     RETORT_ERROR_FORMAT, "unknown members"},
    {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0,
     "{\"mediaType\":\"application/"
     "vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"publicKey\":{\"hint\":\"\"},\"certificate\":{}},\"dsseEnvelope\":{"
     "\"payload\":\"%s\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\"}]}}",
     RETORT_ERROR_FORMAT, "more than one"},
    {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0,
     "{\"mediaType\":\"application/"
     "vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"certificate\":{}},\"dsseEnvelope\":{\"payload\":\"%s\","
     "\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\"}]}}",
     RETORT_ERROR_TRUST, "keyless"},
    {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0,
     "{\"mediaType\":\"application/"
     "vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"x509CertificateChain\":{\"certificates\":[{\"rawBytes\":\"AAAA\"}]}"
     "},\"dsseEnvelope\":{\"payload\":\"%s\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\"}]}}",
     RETORT_ERROR_TRUST, "plain key"},
    {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0,
     "{\"mediaType\":\"application/"
     "vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"publicKey\":{\"hint\":\"\"}},\"dsseEnvelope\":{\"payload\":\"%s\","
     "\"payloadType\":\"text/plain\",\"signatures\":[{\"sig\":\"%s\"}]}}",
     RETORT_ERROR_FORMAT, "payloadType"},
    {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0,
     "{\"mediaType\":\"application/"
     "vnd.dev.sigstore.bundle+json;version=0.1\",\"verificationMaterial\":{\"publicKey\":{\"hint\":\"\"}},\"dsseEnvelope\":{\"payload\":"
     "\"%s\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\"}]}}",
     RETORT_ERROR_FORMAT, "mediaType"},
    {STATEMENT(FILE_LINE("model.gguf"), PLAIN), 0,
     "{\"mediaType\":\"application/"
     "vnd.dev.sigstore.bundle.v0.3+json\",\"verificationMaterial\":{\"publicKey\":{\"hint\":"
     "\"0000000000000000000000000000000000000000000000000000000000000000\"}},\"dsseEnvelope\":{\"payload\":\"%s\",\"payloadType\":"
     "\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"%s\"}]}}",
     RETORT_ERROR_TRUST, "not among"},
};

static void hostile_bundles_are_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < RT_COUNT(forgeries); i++) forge_and_verify(&forgeries[i], i);
}

/* ---- every value of bundle and statement in turn left out, or of another kind ---- */

typedef struct place {
  const char *start, *end; /* of the value */
  const char *member;      /* where its key begins; NULL: an element of a list, or the whole */
  char key[40];            /* innermost member that it belongs to; "[]" behind it for elements */
} place;

/* Collects the values of a compact, well-formed JSON text; returns the end of the one at `p`. */
static const char *places_of(const char *p, const char *member, const char *key, place *out, size_t *n) {
  place *own = &out[(*n)++];
  char close = *p == '{' ? '}' : *p == '[' ? ']' : 0;
  *own = (place){.start = p, .member = member};
  snprintf(own->key, sizeof own->key, "%.39s", key);
  if (close) {
    for (p++; *p != close; p += *p == ',') {
      const char *name = p;
      char inner[64];
      if (close == '}') {
        p = strchr(p + 1, '"') + 2;
        snprintf(inner, sizeof inner, "%.*s", (int)(p - name - 3), name + 1);
      } else snprintf(inner, sizeof inner, "%.37s[]", own->key);
      p = places_of(p, close == '}' ? name : NULL, inner, out, n);
    }
    p++;
  } else if (*p == '"') {
    p = strchr(p + 1, '"') + 1; /* there are no escapes in these texts */
  } else p += strcspn(p, ",]}");
  own->end = p;
  return p;
}

static char *splice(const char *text, const char *from, const char *to, const char *with) {
  size_t size = strlen(text) + strlen(with) + 1;
  char *out = malloc(size);
  snprintf(out, size, "%.*s%s%s", (int)(from - text), text, with, to);
  return out;
}

/* The bundle of `m` around another payload, signed with m's own key. */
static char *bundle_around(const signed_model *m, const char *payload) {
  retort_error error;
  rt_key *key;
  uint8_t random[32] = {1}, signature[RT_SIGNATURE_MAX];
  char head[128], signature64[256], *payload64 = malloc(strlen(payload) * 2 + 8), *out = malloc(strlen(payload) * 2 + 2000);
  size_t size;
  rt_span pieces[2] = {
      {(uint8_t *)head, (size_t)snprintf(head, sizeof head, "DSSEv1 28 application/vnd.in-toto+json %zu ", strlen(payload))},
      {(const uint8_t *)payload, strlen(payload)}};
  ok(rt_key_open_private(NULL, m->secret, strlen(m->secret), "key", random, &key, &error), &error);
  ok(rt_key_sign(key, pieces, 2, signature, &size, &error), &error);
  rt_key_close(key);
  rt_base64_encode((const uint8_t *)payload, strlen(payload), payload64);
  rt_base64_encode(signature, size, signature64);
  const char *second = strstr(strstr(USUAL, "%s") + 1, "%s"), *first = strstr(USUAL, "%s");
  snprintf(out, strlen(payload) * 2 + 2000, "%.*s%s%.*s%s%s", (int)(first - USUAL), USUAL, payload64, (int)(second - first - 2), first + 2,
           signature64, second + 2);
  free(payload64);
  return out;
}

/* Changes each value of `text` in turn; what is accepted is listed in `accepted`, a line each. */
static void change_each_value(signed_model *m, const char *text, bool is_payload, char accepted[8000]) {
  static const char *const others[] = {"null", "true", "0",    "-1",  "1.5",  "\"\"",           "\"x\"", "\"a/../b\"", "\"\\u0000\"",
                                       "[]",   "{}",   "[[]]", "[0]", "[{}]", "{\"sha256\":0}", "",      "+"};
  static place places[200];
  size_t n = 0, refused = 0, length = 0;
  places_of(text, NULL, "", places, &n);
  assert_true(n < RT_COUNT(places));
  accepted[0] = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < RT_COUNT(others); k++) {
      const place *at = &places[i];
      const char *with = others[k], *from = at->start, *to = at->end;
      if (*with == '+' && *at->start != '{') continue;
      if (*with == '+') to = from = at->start + 1, with = at->start[1] == '}' ? "\"more\":1" : "\"more\":1,"; /* one more member */
      else if (!*with) {                                                                                      /* left out, with one comma */
        if (i == 0) continue;
        if (at->member) from = at->member;
        if (*to == ',') to++;
        else if (from[-1] == ',') from--;
      } else if (strlen(with) == (size_t)(to - from) && memcmp(with, from, strlen(with)) == 0) continue;
      char *changed = splice(text, from, to, with), *bundle = is_payload ? bundle_around(m, changed) : changed;
      signed_model t = *m;
      retort_error error;
      t.signature = bundle;
      t.signature_size = strlen(bundle);
      if (verify(&t, true, NULL, &error)) refused++;
      else
        length += (size_t)snprintf(accepted + length, 8000 - length, "%s%s%s\n", at->key,
                                   *others[k] == '+' ? " with one more member"
                                   : *with           ? ": "
                                                     : " left out",
                                   *others[k] == '+' ? "" : with);
      assert_true(length < 8000);
      if (is_payload) free(bundle);
      free(changed);
    }
  print_message("%zu values, %zu changes refused\n", n, refused);
}

static void every_value_must_be_there_and_of_its_kind(void **state) {
  (void)state;
  signed_model m;
  char accepted[8000];
  sign(&m, RETORT_KEY_P256, model, MODEL, 9);
  m.signature[m.signature_size - 1] = 0; /* the line feed */
  change_each_value(&m, m.signature, false, accepted);
  /* Without a hint each of the caller's keys is tried; an empty log is no log; no keyid is an empty one. */
  assert_string_equal(accepted, "publicKey: {}\nhint: \"\"\nhint left out\ntlogEntries left out\nkeyid: null\nkeyid left out\n");
  /* The older form, in which the bundle carries the key itself; it is used for choosing among the caller's only. */
  char old[1200], key64[600];
  const char *from = strstr(m.signature, "{\"hint\""), *to = strchr(from, '}') + 1;
  rt_base64_encode((const uint8_t *)m.public_key, strlen(m.public_key), key64);
  snprintf(old, sizeof old, "{\"rawBytes\":\"%s\",\"keyDetails\":\"PKIX_ECDSA_P256_SHA_256\"}", key64);
  char *older = splice(m.signature, from, to, old);
  change_each_value(&m, older, false, accepted);
  assert_string_equal(accepted,
                      "publicKey: {}\nrawBytes left out\nkeyDetails: \"\"\nkeyDetails: \"x\"\nkeyDetails: \"a/../b\"\nkeyDetails left out\n"
                      "tlogEntries left out\nkeyid: null\nkeyid left out\n");
  free(older);
  /* The signed statement, which only who has the key can change: the subject's name is whatever the signer says; the schema leaves
   * statement, subject and files open to more members; without its annotation a file is hashed as a whole. */
  const char *payload64 = strstr(m.signature, "\"payload\":\"") + 11;
  size_t size;
  uint8_t *payload = calloc(1, m.signature_size);
  assert_true(rt_base64_decode(payload64, (size_t)(strchr(payload64, '"') - payload64), payload, &size));
  change_each_value(&m, (char *)payload, true, accepted);
  assert_string_equal(
      accepted,
      " with one more member\n"
      "subject[] with one more member\n"
      "name: \"x\"\nname: \"a/../b\"\n"
      "digest with one more member\n"
      "resources[] with one more member\n"
      "annotations: null\nannotations: true\nannotations: 0\nannotations: -1\nannotations: 1.5\nannotations: \"\"\nannotations: \"x\"\n"
      "annotations: \"a/../b\"\nannotations: \"\\u0000\"\nannotations: []\nannotations: {}\nannotations: [[]]\nannotations: [0]\n"
      "annotations: [{}]\nannotations: {\"sha256\":0}\nannotations left out\nannotations with one more member\n"
      "retort.chunks left out\nretort.chunks with one more member\n"
      "version: 0\nversion: -1\n"
      "allow_symlinks: true\n"
      "ignore_paths left out\n");
  free(payload);
  drop(&m);
}

/* The model and 2,000 empty files in one bundle, by m's key. */
static char *sign_many(const signed_model *m, size_t *size) {
  retort_error error;
  retort_signer_options options;
  retort_signer_options_init(&options, sizeof options);
  options.method = RETORT_TRUST_KEY;
  options.chunk_size = CHUNK;
  options.secret_key = &(retort_buffer){sizeof(retort_buffer), m->secret, strlen(m->secret), NULL};
  options.model_name = "model";
  retort_signer *signer;
  const char *text;
  retort_verdict verdict = {.struct_size = sizeof verdict};
  ok(retort_signer_open(NULL, &options, &signer, &error), &error);
  ok(retort_signer_add_file(signer, "model.gguf", m->size, &error), &error);
  ok(retort_signer_feed(signer, m->data, m->size, &error), &error);
  for (int i = 0; i < 2000; i++) {
    char name[32];
    snprintf(name, sizeof name, "file-%d", i);
    ok(retort_signer_add_file(signer, name, 0, &error), &error);
  }
  ok(retort_signer_finish(signer, &text, size, &verdict, &error), &error);
  char *copy = malloc(*size);
  memcpy(copy, text, *size);
  retort_signer_close(signer);
  return copy;
}

/* Whatever memory the platform refuses, the answer is an error, and nothing is kept. */
static void memory_may_run_out(void **state) {
  (void)state;
  const int32_t kinds[] = {RETORT_KEY_P256, RETORT_KEY_MINISIGN};
  for (size_t k = 0; k < 2; k++) {
    signed_model m;
    sign(&m, kinds[k], model, MODEL, 9);
    size_t failures = 0, many_size = 0;
    char *many = k == 0 ? sign_many(&m, &many_size) : NULL; /* large enough to need memory for each of its parts */
    for (size_t fail_at = 1;; fail_at++) {
      counting c = {.fail_at = fail_at};
      retort_platform platform = counting_platform(&c);
      retort_error error;
      retort_trust_policy policy;
      retort_trust_policy_init(&policy, sizeof policy);
      retort_buffer key = {sizeof(retort_buffer), m.public_key, strlen(m.public_key), NULL},
                    signature = {sizeof(retort_buffer), k == 0 ? many : m.signature, k == 0 ? many_size : m.signature_size, "signature"};
      policy.method = m.method;
      policy.anchors = &key;
      policy.n_anchors = 1;
      policy.model_name = m.method == RETORT_TRUST_MINISIGN ? "model.gguf" : "model";
      retort_trust_file file = {sizeof(retort_trust_file), "model.gguf", m.size, m.chunks, m.chunks_size};
      retort_verifier *v;
      retort_status status = retort_verifier_open(&platform, &policy, &signature, 1, &file, 1, &v, &error);
      if (!status) retort_verifier_close(v);
      assert_int_equal(c.live, 0);
      if (!status) break;
      if (status != RETORT_ERROR_MEMORY) fail_msg("request %zu refused: %s: %s", fail_at, retort_status_name(status), error.message);
      failures++;
    }
    print_message("%s: %zu requests for memory refused in turn\n", retort_trust_method_name(m.method), failures);
    assert_true(failures >= (k == 0 ? 10 : 1));
    free(many);
    drop(&m);
  }
}

/* Opens a verifier over the text and says what it took: most bytes of memory, and processor seconds. */
static retort_status open_text(const signed_model *m, const char *text, size_t size, size_t *memory, double *seconds, retort_error *error) {
  counting c = {0};
  retort_platform platform = counting_platform(&c);
  retort_trust_policy policy;
  retort_trust_policy_init(&policy, sizeof policy);
  retort_buffer key = {sizeof(retort_buffer), m->public_key, strlen(m->public_key), NULL},
                signature = {sizeof(retort_buffer), text, size, "signature"};
  policy.method = RETORT_TRUST_KEY;
  policy.anchors = &key;
  policy.n_anchors = 1;
  retort_trust_file file = {sizeof(retort_trust_file), "model.gguf", m->size, NULL, 0};
  retort_verifier *v;
  clock_t start = clock();
  retort_status status = retort_verifier_open(&platform, &policy, &signature, 1, &file, 1, &v, error);
  *seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
  *memory = c.peak;
  if (!status) retort_verifier_close(v);
  assert_int_equal(c.live, 0);
  return status;
}

/* Texts of the largest size and of the worst kinds that fit in it: too deep, too many values, or just not too many, one long text, keys all
 * alike. */
static void deep_and_huge_texts_are_refused_early(void **state) {
  (void)state;
  static const struct {
    const char *head, *repeated, *tail;
    size_t size;
    retort_status status;
    const char *says;
    size_t memory; /* in MiB, at most */
  } texts[] = {
      {"", "[", "", (size_t)RT_BUNDLE_MAX + 1, RETORT_ERROR_FORMAT, "32 MiB", 1},
      {"", "[", "", RT_BUNDLE_MAX, RETORT_ERROR_JSON, "nested deeper", 1},
      {"", "[", "", 100000, RETORT_ERROR_JSON, NULL, 8},
      {"", "{\"a\":", "", 100000, RETORT_ERROR_JSON, NULL, 8},
      {"[0", ",0", "]", RT_BUNDLE_MAX, RETORT_ERROR_JSON, "values", 1},
      {"[0", ",0", "]", 2 * (size_t)RT_JSON_MAX_VALUES - 8, RETORT_ERROR_FORMAT, "mediaType", 256},
      {"[{}", ",{}", "]", RT_JSON_MAX_VALUES, RETORT_ERROR_FORMAT, "mediaType", 256},
      {"[\"\"", ",\"\"", "]", 2 * (size_t)RT_JSON_MAX_VALUES, RETORT_ERROR_FORMAT, "mediaType", 256},
      {"{\"a\":0", ",\"a\":0", "}", RT_JSON_MAX_VALUES, RETORT_ERROR_JSON, NULL, 256},
      {"\"", "a", "\"", RT_BUNDLE_MAX, RETORT_ERROR_FORMAT, "mediaType", 128},
      {"\"", "\\u00e9", "\"", RT_BUNDLE_MAX, RETORT_ERROR_FORMAT, "mediaType", 128},
      {"0", "0", "", RT_BUNDLE_MAX, RETORT_ERROR_JSON, NULL, 128},
      {"", " ", "", RT_BUNDLE_MAX, RETORT_ERROR_JSON, NULL, 128},
  };
  signed_model m;
  sign(&m, RETORT_KEY_P256, model, SMALL, 9);
  const double most_seconds = sizeof(void *) == 4 ? 60 : 10; /* 0.7 on a PC; 32-bit ARM is only ever emulated here, and takes 11 */
  char *text = malloc((size_t)RT_BUNDLE_MAX + 16);
  for (size_t i = 0; i < RT_COUNT(texts); i++) {
    size_t n = strlen(texts[i].head), step = strlen(texts[i].repeated), memory, most = texts[i].memory << 20;
    double seconds;
    retort_error error;
    memcpy(text, texts[i].head, n);
    for (; n + step + strlen(texts[i].tail) <= texts[i].size; n += step) memcpy(text + n, texts[i].repeated, step);
    memcpy(text + n, texts[i].tail, strlen(texts[i].tail));
    n += strlen(texts[i].tail);
    retort_status status = open_text(&m, text, n, &memory, &seconds, &error);
    if (status != texts[i].status || (texts[i].says && !strstr(error.message, texts[i].says)) || memory > most || seconds > most_seconds)
      fail_msg("text %zu (%zu bytes): %s: %s; %zu bytes of memory, %.2f s", i, n, retort_status_name(status),
               status ? error.message : "accepted", memory, seconds);
    print_message("text %zu: %zu bytes, refused with %zu KiB of memory in %.3f s\n", i, n, memory >> 10, seconds);
  }
  free(text);
  drop(&m);
  /* What the JSON library takes is the C library's memory: all that this process ever held, the text itself included. */
  struct rusage usage;
  assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
  print_message("at most %ld MiB resident\n", usage.ru_maxrss >> 10);
#if !defined(__SANITIZE_ADDRESS__)
  assert_true(usage.ru_maxrss >> 10 < 1024);
#endif
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
  retort_buffer key = {sizeof(retort_buffer), m->public_key, strlen(m->public_key), NULL},
                signature = {sizeof(retort_buffer), m->signature, m->signature_size, NULL};
  bool anchored = policy->method >= RETORT_TRUST_KEY;
  policy->anchors = anchored ? &key : NULL;
  policy->n_anchors = anchored;
  retort_trust_file file = {sizeof(retort_trust_file), name, m->size, NULL, 0};
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
  retort_trust_policy_init(&p, sizeof p);
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
  retort_trust_policy_init(&p, sizeof p);
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
  retort_trust_policy_init(&p, sizeof p);
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
  retort_signer_options_init(&options, sizeof options);
  options.method = RETORT_TRUST_KEY;
  options.secret_key = &(retort_buffer){sizeof(retort_buffer), m.secret, strlen(m.secret), NULL};
  options.model_name = "folder";
  retort_signer *signer;
  ok(retort_signer_open(NULL, &options, &signer, &error), &error);
  for (size_t i = 0; i < FILES; i++) {
    snprintf(names[i], sizeof names[i], "f%zu", i);
    files[i] = (retort_trust_file){sizeof(retort_trust_file), names[i], 0, NULL, 0};
    ok(retort_signer_add_file(signer, names[i], 0, &error), &error);
  }
  const char *text;
  size_t size;
  retort_verdict verdict = {.struct_size = sizeof verdict};
  ok(retort_signer_finish(signer, &text, &size, &verdict, &error), &error);
  retort_trust_policy policy;
  retort_trust_policy_init(&policy, sizeof policy);
  retort_buffer key = {sizeof(retort_buffer), m.public_key, strlen(m.public_key), NULL},
                signature = {sizeof(retort_buffer), text, size, NULL};
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
  } bad[] = {{{0x30, 0x81, 6, 2, 1, 1, 2, 1, 1}, 9}, {{0x30, 7, 2, 2, 0, 1, 2, 1, 1}, 9},       {{0x30, 6, 2, 1, 0x81, 2, 1, 1}, 8},
             {{0x30, 6, 2, 1, 0, 2, 1, 1}, 8},       {{0x30, 6, 2, 1, 1, 2, 1, 1, 0}, 9},       {{0x30, 7, 2, 1, 1, 2, 1, 1, 0}, 9},
             {{0x30, 6, 2, 1, 1, 3, 1, 1}, 8},       {{0x31, 6, 2, 1, 1, 2, 1, 1}, 8},          {{0x30, 7, 2, 0x81, 1, 1, 2, 1, 1}, 9},
             {{0x30, 5, 2, 1, 1, 2, 0}, 7},          {{0x30, 0x80, 2, 1, 1, 2, 1, 1, 0, 0}, 10}};
  for (size_t i = 0; i < RT_COUNT(bad); i++) assert_false(rt_der_signature_is_strict(bad[i].bytes, bad[i].size));
}

int main(int argc, char **argv) {
  full = argc > 1 && strcmp(argv[1], "full") == 0;
  for (size_t i = 0; i < MODEL; i++) {
    model[i] = (uint8_t)(i * 2654435761u >> 11);
    other[i] = (uint8_t)(i * 2246822519u >> 9);
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_signed_verifies),
      cmocka_unit_test(the_time_of_signing_is_said),
      cmocka_unit_test(strict_der_only),
      cmocka_unit_test(only_verified_bytes_open),
      cmocka_unit_test(hostile_bundles_are_refused),
      cmocka_unit_test(every_value_must_be_there_and_of_its_kind),
      cmocka_unit_test(memory_may_run_out),
      cmocka_unit_test(wrong_keys_and_methods_are_refused),
      cmocka_unit_test(the_policy_binds_name_and_digest),
      cmocka_unit_test(no_file_stands_for_another),
      cmocka_unit_test(lengths_and_order_count),
      cmocka_unit_test(deep_and_huge_texts_are_refused_early),
      cmocka_unit_test(every_byte_of_the_signature_counts),
      cmocka_unit_test(every_byte_of_list_and_key_counts),
      cmocka_unit_test(every_byte_of_the_model_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
