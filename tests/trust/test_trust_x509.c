/* test_trust_x509.c - certificate chains and PEM keys: one good chain, and every kind of bad one refused for its own reason.
 *
 * The certificates are in tests/data/chains (its make.py made them); time is an argument, so that the same ones are early, good and
 * expired.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "counting.h"
#include "trust/x509.h"
#include "trust_vectors.h"

enum { SUMMER_2027 = 1814400000, SUMMER_2025 = 1751328000, YEAR_2028 = 1830297600, DAY = 86400 };

static char *data_file(const char *name, size_t *size) {
  char path[4096];
  snprintf(path, sizeof path, "%s/tests/data/chains/%s", RETORT_SOURCE_DIR, name);
  char *text = read_whole_file(path, size);
  if (!text) fail_msg("%s is missing", path);
  return text;
}

static void ok(retort_status status, const retort_error *error) {
  if (status) fail_msg("%s: %s", retort_status_name(status), error->message);
}

/* The DER bytes of PEM certificates, as a bundle carries them. Goes through a PEM key of the leaf only where one is asked for. */
static size_t der(const char *name, uint8_t *out) {
  size_t size, n = 0;
  char *text = data_file(name, &size), *from = strstr(text, "-----\n") + 6, *end = strstr(from, "-----END");
  uint32_t bits = 0;
  int held = 0;
  for (; from < end && *from != '='; from++) {
    const char *digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", *digit = strchr(digits, *from);
    if (*from == '\n') continue;
    bits = bits << 6 | (uint32_t)(digit - digits);
    if ((held += 6) >= 8) out[n++] = (uint8_t)(bits >> (held -= 8));
  }
  free(text);
  return n;
}

static rt_anchors *open_anchor(const char *name) {
  size_t size;
  char *text = data_file(name, &size);
  retort_buffer file = {sizeof(retort_buffer), text, size, name};
  rt_anchors *anchors;
  retort_error error;
  ok(rt_anchors_open(NULL, &file, 1, &anchors, &error), &error);
  free(text);
  return anchors;
}

/* Verifies the chain of up to four names under `anchor`. */
static retort_status verify(const char *anchor, int64_t time, retort_error *error, const char *const *names) {
  static uint8_t bytes[16][4096];
  rt_span chain[16];
  size_t n = 0;
  for (; names[n]; n++) chain[n] = (rt_span){bytes[n], der(names[n], bytes[n])};
  rt_anchors *anchors = open_anchor(anchor);
  rt_key *key;
  char subject[512];
  retort_status status = rt_anchors_verify(anchors, chain, n, time, &key, subject, sizeof subject, error);
  if (!status) {
    assert_non_null(strstr(subject, "CN="));
    rt_key_close(key);
  }
  rt_anchors_close(anchors);
  return status;
}
#define CHAIN(...) ((const char *const[]){__VA_ARGS__, NULL})

static void accepts(const char *anchor, int64_t time, const char *const *names) {
  retort_error error;
  ok(verify(anchor, time, &error, names), &error);
}
static void refuses(const char *anchor, int64_t time, const char *says, const char *const *names) {
  retort_error error;
  retort_status status = verify(anchor, time, &error, names);
  if (status != RETORT_ERROR_TRUST || !strstr(error.message, says))
    fail_msg("%s under %s: %s: %s", names[0], anchor, retort_status_name(status), status ? error.message : "accepted");
}

static void good_chains(void **state) {
  (void)state;
  accepts("root.pem", SUMMER_2027, CHAIN("leaf.pem", "mid.pem"));
  accepts("root.pem", SUMMER_2027, CHAIN("leaf.pem", "mid.pem", "root.pem")); /* signers should leave the root out, but some do not */
  accepts("root.pem", SUMMER_2027, CHAIN("leaf.pem", "root-other.pem", "mid.pem"));
  accepts("root.pem", INT64_MIN, CHAIN("leaf.pem", "mid.pem"));
  accepts("root.pem", SUMMER_2027, CHAIN("leaf-usage-only.pem", "mid.pem"));
  accepts("root.pem", SUMMER_2027, CHAIN("leaf-extended-only.pem", "mid.pem"));
  accepts("root-rsa-2048.pem", SUMMER_2027, CHAIN("leaf-under-rsa-2048.pem"));
  accepts("root-limits.pem", SUMMER_2027, CHAIN("leaf-under-code.pem", "mid-code.pem"));
  /* One certificate that is all: trusted as it is, it signs (as the Python and Go tools have it). */
  accepts("self-signed-leaf.pem", SUMMER_2027, CHAIN("self-signed-leaf.pem"));
  accepts("root-that-signs.pem", SUMMER_2027, CHAIN("root-that-signs.pem"));
}

static void paths(void **state) {
  (void)state;
  refuses("root-other.pem", SUMMER_2027, "does not lead", CHAIN("leaf.pem", "mid.pem"));
  refuses("root-same-name.pem", SUMMER_2027, "does not lead", CHAIN("leaf.pem", "mid.pem"));
  refuses("root-other.pem", SUMMER_2027, "does not lead",
          CHAIN("leaf.pem", "mid.pem", "root.pem")); /* a root that the bundle brings along is not trusted */
  refuses("root.pem", SUMMER_2027, "does not lead", CHAIN("leaf.pem"));
  refuses("root.pem", SUMMER_2027, "does not lead", CHAIN("leaf-under-not-ca.pem", "mid-not-ca.pem"));
  refuses("root-path-0.pem", SUMMER_2027, "does not lead", CHAIN("leaf.pem", "mid-under-path-0.pem"));
  refuses("root.pem", SUMMER_2027, "does not lead", CHAIN("self-signed-leaf.pem"));
  refuses("root.pem", SUMMER_2027, "certificates; 1 to 8",
          CHAIN("leaf.pem", "mid.pem", "mid.pem", "mid.pem", "mid.pem", "mid.pem", "mid.pem", "mid.pem", "mid.pem"));
  rt_anchors *anchors = open_anchor("root.pem");
  rt_key *key;
  char subject[64];
  assert_int_equal(rt_anchors_verify(anchors, NULL, 0, SUMMER_2027, &key, subject, sizeof subject, NULL), RETORT_ERROR_TRUST);
  static uint8_t nothing[RT_PEM_MAX + 1];
  rt_span large = {nothing, sizeof nothing};
  retort_error error;
  assert_int_equal(rt_anchors_verify(anchors, &large, 1, SUMMER_2027, &key, subject, sizeof subject, &error), RETORT_ERROR_FORMAT);
  rt_anchors_close(anchors);
}

static void times(void **state) {
  (void)state;
  const int64_t from = 1798761600, to = YEAR_2028; /* the year 2027, borders included */
  accepts("root.pem", from, CHAIN("leaf.pem", "mid.pem"));
  refuses("root.pem", from - 1, "not yet valid", CHAIN("leaf.pem", "mid.pem"));
  accepts("root.pem", to, CHAIN("leaf.pem", "mid.pem"));
  refuses("root.pem", to + 1, "expired", CHAIN("leaf.pem", "mid.pem"));
  refuses("root.pem", SUMMER_2025, "not yet valid", CHAIN("leaf.pem", "mid.pem"));
  refuses("root.pem", (int64_t)1 << 40, "expired", CHAIN("leaf.pem", "mid.pem"));
  refuses("root.pem", SUMMER_2025, "not yet valid",
          CHAIN("leaf-before-its-issuer.pem", "mid.pem")); /* the leaf would do, its issuer does not */
  refuses("root.pem", INT64_MIN, "not yet valid", CHAIN("leaf-before-its-issuer.pem", "mid.pem"));
  accepts("root.pem", SUMMER_2027, CHAIN("leaf-before-its-issuer.pem", "mid.pem"));
}

static void usages(void **state) {
  (void)state;
  refuses("root.pem", SUMMER_2027, "not meant for signing", CHAIN("leaf-no-usage.pem", "mid.pem"));
  refuses("root.pem", SUMMER_2027, "not meant for signing", CHAIN("leaf-encipherment.pem", "mid.pem"));
  refuses("root.pem", SUMMER_2027, "not meant for signing", CHAIN("leaf-encipherment-code.pem", "mid.pem"));
  refuses("root.pem", SUMMER_2027, "not meant for signing", CHAIN("leaf-server.pem", "mid.pem"));
  refuses("root.pem", SUMMER_2027, "not meant for signing", CHAIN("mid.pem"));
}

static void limits_of_issuers(void **state) {
  (void)state;
  refuses("root-limits.pem", SUMMER_2027, "name constraints", CHAIN("leaf-under-names.pem", "mid-names.pem"));
  refuses("root-limits.pem", SUMMER_2027, "none for signing code", CHAIN("leaf-under-server.pem", "mid-server.pem"));
  refuses("self-signed-leaf.pem", SUMMER_2027, "does not lead", CHAIN("leaf-under-not-ca.pem")); /* it vouches for itself alone */
}

/* Whoever sends a bundle decides which keys are computed with; so their sizes come first, also where the path would never use them. */
static void costly_keys(void **state) {
  (void)state;
  refuses("root.pem", SUMMER_2027, "more than 4096 bits", CHAIN("leaf.pem", "mid.pem", "mid-rsa-8192.pem"));
  refuses("root.pem", SUMMER_2027, "an exponent of more than 32", CHAIN("leaf.pem", "mid-rsa-exponent.pem"));
}

static void kinds_of_keys_and_hashes(void **state) {
  (void)state;
  retort_error error;
  refuses("root-rsa-1024.pem", SUMMER_2027, "not accepted", CHAIN("leaf-under-rsa-1024.pem"));
  for (const char *const *name = CHAIN("leaf-sha1.pem", "leaf-rsa.pem", "leaf-ed25519.pem", "leaf-secp256k1.pem"); *name; name++)
    assert_int_not_equal(verify("root.pem", SUMMER_2027, &error, CHAIN(*name, "mid.pem")), RETORT_OK);
}

static void every_byte_of_a_chain_counts(void **state) {
  (void)state;
  rt_anchors *anchors = open_anchor("root.pem");
  uint8_t leaf[4096], mid[4096];
  rt_span chain[2] = {{leaf, der("leaf.pem", leaf)}, {mid, der("mid.pem", mid)}};
  rt_key *key;
  char subject[512];
  for (int which = 0; which < 2; which++)
    for (size_t at = 0; at < chain[which].size; at++) {
      uint8_t *byte = (which ? mid : leaf) + at;
      *byte ^= (uint8_t)(1u << at % 8);
      if (rt_anchors_verify(anchors, chain, 2, SUMMER_2027, &key, subject, sizeof subject, NULL) == RETORT_OK)
        fail_msg("byte %zu of the %s was changed and accepted", at, which ? "issuer" : "leaf");
      *byte ^= (uint8_t)(1u << at % 8);
    }
  for (chain[0].size--; chain[0].size > 0; chain[0].size--)
    assert_int_not_equal(rt_anchors_verify(anchors, chain, 2, SUMMER_2027, &key, subject, sizeof subject, NULL), RETORT_OK);
  rt_anchors_close(anchors);
}

static retort_status anchor(const char *text, size_t size, retort_error *error) {
  rt_anchors *anchors;
  retort_buffer file = {sizeof(retort_buffer), text, size, NULL};
  retort_status status = rt_anchors_open(NULL, &file, 1, &anchors, error);
  if (!status) rt_anchors_close(anchors);
  return status;
}

static void what_can_be_a_root(void **state) {
  (void)state;
  static const struct {
    const char *file;
    retort_status status;
    const char *says;
  } cases[] = {{"root.pem", RETORT_OK, NULL},
               {"root-rsa-2048.pem", RETORT_OK, NULL},
               {"mid.pem", RETORT_ERROR_TRUST, "intermediate"},
               {"leaf.pem", RETORT_ERROR_TRUST, "not signed by itself"},
               {"self-signed-leaf.pem", RETORT_OK, NULL},
               {"root-names.pem", RETORT_ERROR_TRUST, "name constraints"},
               {"root-rsa-4608.pem", RETORT_ERROR_TRUST, "more than 4096 bits"},
               {"leaf-secp256k1.pem", RETORT_ERROR_FORMAT, "readable"},
               {"p256.pub", RETORT_ERROR_FORMAT, "no PEM certificate"}};
  retort_error error;
  size_t size, other_size;
  for (size_t i = 0; i < RT_COUNT(cases); i++) {
    char *text = data_file(cases[i].file, &size);
    retort_status status = anchor(text, size, &error);
    if (status != cases[i].status || (status && !strstr(error.message, cases[i].says)))
      fail_msg("%s: %s: %s", cases[i].file, retort_status_name(status), error.message);
    free(text);
  }
  /* A good root and something else in one file, a name that claims to be its own issuer, a NUL, an empty list. */
  char *root = data_file("root.pem", &size), *mid = data_file("mid.pem", &other_size), both[8192];
  int n = snprintf(both, sizeof both, "%s%s", root, mid);
  assert_int_equal(anchor(both, (size_t)n, &error), RETORT_ERROR_TRUST);
  n = snprintf(both, sizeof both, "%s%s", root, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  assert_int_equal(anchor(both, (size_t)n, &error), RETORT_ERROR_FORMAT);
  assert_int_equal(anchor(root, size + 1, &error), RETORT_ERROR_FORMAT);
  rt_anchors *anchors;
  assert_int_equal(rt_anchors_open(NULL, NULL, 0, &anchors, &error), RETORT_ERROR_ARGUMENT);
  /* Self-signed means that the signature fits, not only that the names are equal: change a byte of the signature. */
  uint8_t bytes[4096];
  size_t length = der("root.pem", bytes);
  bytes[length - 1] ^= 1;
  n = snprintf(both, sizeof both, "-----BEGIN CERTIFICATE-----\n");
  for (size_t i = 0; i < length; i += 3) {
    const char *digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = (uint32_t)bytes[i] << 16 | (i + 1 < length ? (uint32_t)bytes[i + 1] << 8 : 0u) | (i + 2 < length ? bytes[i + 2] : 0u);
    n += snprintf(both + n, sizeof both - (size_t)n, "%c%c%c%c%s", digits[bits >> 18], digits[bits >> 12 & 63],
                  i + 1 < length ? digits[bits >> 6 & 63] : '=', i + 2 < length ? digits[bits & 63] : '=', (i + 3) % 48 == 0 ? "\n" : "");
  }
  n += snprintf(both + n, sizeof both - (size_t)n, "\n-----END CERTIFICATE-----\n");
  assert_int_equal(anchor(both, (size_t)n, &error), RETORT_ERROR_TRUST);
  assert_non_null(strstr(error.message, "not signed by itself"));
  free(root);
  free(mid);
}

static retort_status open_key(const char *text, size_t size, bool private_key, retort_error *error) {
  static const uint8_t random[32] = {1};
  rt_key *key;
  retort_status status = private_key ? rt_key_open_private(NULL, text, size, "key", random, &key, error)
                                     : rt_key_open_public(NULL, text, size, "key", &key, error);
  if (!status) rt_key_close(key);
  return status;
}

static void keys_in_pem(void **state) {
  (void)state;
  retort_error error;
  size_t size, other_size;
  static const char *const unfit[] = {"rsa.pub", "ed25519.pub", "secp256k1.pub", "p224.pub"};
  char *good = data_file("p256.pub", &size), *other, text[RT_PEM_MAX + 8];
  ok(open_key(good, size, false, &error), &error);
  for (size_t i = 0; i < RT_COUNT(unfit); i++) {
    other = data_file(unfit[i], &other_size);
    retort_status status = open_key(other, other_size, false, &error);
    assert_true(status == RETORT_ERROR_UNSUPPORTED || status == RETORT_ERROR_FORMAT);
    free(other);
  }
  assert_int_equal(open_key(good, size, true, &error), RETORT_ERROR_FORMAT); /* a public key is no private one */
  other = data_file("p256-encrypted.key", &other_size);
  assert_int_equal(open_key(other, other_size, true, &error), RETORT_ERROR_UNSUPPORTED);
  assert_non_null(strstr(error.message, "encrypted"));
  free(other);
  int n = snprintf(text, sizeof text, "%s%s", good, good); /* which of the two would it be? */
  assert_int_equal(open_key(text, (size_t)n, false, &error), RETORT_ERROR_FORMAT);
  assert_non_null(strstr(error.message, "more than one"));
  assert_int_equal(open_key("", 0, false, &error), RETORT_ERROR_FORMAT);
  assert_non_null(strstr(error.message, "no PEM object"));
  assert_int_equal(open_key(good, size + 1, false, &error), RETORT_ERROR_FORMAT); /* with its NUL */
  memset(text, '\n', sizeof text);
  memcpy(text, good, size);
  ok(open_key(text, RT_PEM_MAX, false, &error), &error);
  assert_int_equal(open_key(text, RT_PEM_MAX + 1, false, &error), RETORT_ERROR_FORMAT);
  free(good);
  /* Private keys: of another curve's kind; a certificate in place of a key. */
  good = data_file("root.pem", &size);
  assert_int_equal(open_key(good, size, false, &error), RETORT_ERROR_FORMAT);
  assert_int_equal(open_key(good, size, true, &error), RETORT_ERROR_FORMAT);
  free(good);
  rt_key *key;
  static const uint8_t random[64] = {3};
  assert_int_equal(rt_key_generate(NULL, 255, random, &key, &error), RETORT_ERROR_ARGUMENT);
  ok(rt_key_generate(NULL, 256, random, &key, &error), &error);
  char small[20];
  size_t length;
  assert_int_equal(rt_key_write_public(key, small, sizeof small, &length, &error), RETORT_ERROR_BUFFER);
  assert_int_equal(rt_key_write_private(key, small, sizeof small, &length, &error), RETORT_ERROR_BUFFER);
  /* Certificates for signing must belong to the key, and be some. */
  rt_arena arena = {0};
  rt_span out[RT_X509_MAX_CHAIN];
  char *leaf = data_file("leaf.pem", &size);
  retort_buffer files[9];
  for (size_t i = 0; i < 9; i++) files[i] = (retort_buffer){sizeof(retort_buffer), leaf, size, NULL};
  assert_int_equal(rt_certificates_read(&arena, files, 1, key, out, &length, &error), RETORT_ERROR_ARGUMENT);
  assert_non_null(strstr(error.message, "does not belong"));
  assert_int_equal(rt_certificates_read(&arena, files, 9, key, out, &length, &error), RETORT_ERROR_ARGUMENT);
  assert_non_null(strstr(error.message, "more than 8"));
  assert_int_equal(rt_certificates_read(&arena, files, 0, key, out, &length, &error), RETORT_ERROR_ARGUMENT);
  assert_non_null(strstr(error.message, "no certificate"));
  free(leaf);
  rt_arena_close(&arena);
  rt_key_close(key);
}

/* Whatever memory the platform refuses, the answer is an error, and nothing is kept. */
static void memory_may_run_out(void **state) {
  (void)state;
  size_t size, root_size;
  char *pem = data_file("p256.pub", &size), *root = data_file("root.pem", &root_size), subject[512];
  uint8_t leaf[4096], mid[4096];
  rt_span chain[2] = {{leaf, der("leaf.pem", leaf)}, {mid, der("mid.pem", mid)}};
  retort_buffer file = {sizeof(retort_buffer), root, root_size, NULL};
  int failures = 0;
  for (size_t fail_at = 1;; fail_at++) {
    counting c = {.fail_at = fail_at};
    retort_platform platform = counting_platform(&c);
    retort_error error;
    rt_key *key, *of_leaf;
    rt_anchors *anchors;
    retort_status status = rt_key_open_public(&platform, pem, size, "key", &key, &error);
    if (!status) {
      status = rt_anchors_open(&platform, &file, 1, &anchors, &error);
      if (!status) {
        status = rt_anchors_verify(anchors, chain, 2, SUMMER_2027, &of_leaf, subject, sizeof subject, &error);
        if (!status) rt_key_close(of_leaf);
        rt_anchors_close(anchors);
      }
      rt_key_close(key);
    }
    assert_int_equal(c.live, 0);
    if (!status) break;
    assert_int_equal(status, RETORT_ERROR_MEMORY);
    failures++;
  }
  assert_int_equal(failures, 5);
  free(pem);
  free(root);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(good_chains),
      cmocka_unit_test(paths),
      cmocka_unit_test(times),
      cmocka_unit_test(usages),
      cmocka_unit_test(limits_of_issuers),
      cmocka_unit_test(costly_keys),
      cmocka_unit_test(kinds_of_keys_and_hashes),
      cmocka_unit_test(what_can_be_a_root),
      cmocka_unit_test(keys_in_pem),
      cmocka_unit_test(memory_may_run_out),
      cmocka_unit_test(every_byte_of_a_chain_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
