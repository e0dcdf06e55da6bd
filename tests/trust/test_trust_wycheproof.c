/* test_trust_wycheproof.c - C2SP's Wycheproof vectors through the core's own verify functions: no mismatch allowed.
 *
 * The vectors are not part of the repository: `./build.sh test` fetches them, pinned, and $RETORT_WYCHEPROOF names their folder; else
 * ../shared/data/wycheproof beside the source is tried.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "trust/encoding.h"
#include "trust/sodium.h"
#include "trust/x509.h"
#include "trust_vectors.h"

static rt_json *open_vectors(rt_arena *arena, const char *file) {
  char path[4096];
  const char *folder = getenv("RETORT_WYCHEPROOF");
  snprintf(path, sizeof path, "%s/%s", folder ? folder : RETORT_SOURCE_DIR "/../shared/data/wycheproof", file);
  size_t size;
  char *text = read_whole_file(path, &size);
  if (!text) {
    print_message("SKIP: the Wycheproof file %s is not here (set RETORT_WYCHEPROOF)\n", path);
    return NULL;
  }
  rt_json *root = rt_arena_alloc(arena, 1, sizeof *root);
  retort_error error;
  assert_int_equal(rt_json_parse(arena, text, size, 16 << 20, file, root, &error), RETORT_OK);
  free(text);
  return root;
}

static size_t hex_member(rt_arena *arena, const rt_json *object, const char *key, uint8_t **out) {
  const rt_json *v = rt_json_get(object, key);
  assert_non_null(v);
  *out = rt_arena_alloc(arena, v->count / 2 + 1, 1);
  assert_true(rt_hex_decode(v->as.string, v->count, *out, v->count / 2));
  return v->count / 2;
}

typedef bool verifier(void *key, const uint8_t *message, size_t size, const uint8_t *signature, size_t signature_size);

static size_t run_group(rt_arena *arena, const rt_json *group, verifier *verify, void *key) {
  const rt_json *tests = rt_json_get(group, "tests");
  for (size_t t = 0; t < tests->count; t++) {
    const rt_json *test = &tests->as.items[t];
    uint8_t *message, *signature;
    size_t size = hex_member(arena, test, "msg", &message), signature_size = hex_member(arena, test, "sig", &signature);
    bool valid = strcmp(rt_json_get(test, "result")->as.string, "valid") == 0;
    if (verify(key, message, size, signature, signature_size) != valid)
      fail_msg("tcId %lld: %s", (long long)rt_json_get(test, "tcId")->as.integer, rt_json_get(test, "comment")->as.string);
  }
  return tests->count;
}

static bool verify_ed25519(void *key, const uint8_t *message, size_t size, const uint8_t *signature, size_t signature_size) {
  return signature_size == 64 && rt_ed25519_verify(signature, message, size, key);
}
static bool verify_ecdsa(void *key, const uint8_t *message, size_t size, const uint8_t *signature, size_t signature_size) {
  rt_span piece = {message, size};
  return rt_key_verify(key, &piece, 1, signature, signature_size);
}

static void ed25519(void **state) {
  (void)state;
  rt_arena arena = {0};
  size_t n = 0;
  rt_json *root = open_vectors(&arena, "ed25519_test.json");
  if (!root) {
    rt_arena_close(&arena);
    skip();
  }
  const rt_json *groups = rt_json_get(root, "testGroups");
  for (size_t g = 0; g < groups->count; g++) {
    uint8_t *key;
    assert_int_equal(hex_member(&arena, rt_json_get(&groups->as.items[g], "publicKey"), "pk", &key), 32);
    n += run_group(&arena, &groups->as.items[g], verify_ed25519, key);
  }
  print_message("%zu vectors\n", n);
  assert_true(n > 100);
  rt_arena_close(&arena);
}

static void ecdsa(const char *file, unsigned bits) {
  rt_arena arena = {0};
  size_t n = 0;
  rt_json *root = open_vectors(&arena, file);
  if (!root) {
    rt_arena_close(&arena);
    skip();
  }
  const rt_json *groups = rt_json_get(root, "testGroups");
  for (size_t g = 0; g < groups->count; g++) {
    const rt_json *pem = rt_json_get(&groups->as.items[g], "publicKeyPem");
    rt_key *key;
    retort_error error;
    assert_int_equal(rt_key_open_public(NULL, pem->as.string, pem->count, "vector", &key, &error), RETORT_OK);
    assert_int_equal(rt_key_bits(key), bits);
    n += run_group(&arena, &groups->as.items[g], verify_ecdsa, key);
    rt_key_close(key);
  }
  print_message("%zu vectors\n", n);
  assert_true(n > 100);
  rt_arena_close(&arena);
}
static void ecdsa_p256(void **state) {
  (void)state;
  ecdsa("ecdsa_secp256r1_sha256_test.json", 256);
}
static void ecdsa_p384(void **state) {
  (void)state;
  ecdsa("ecdsa_secp384r1_sha384_test.json", 384);
}

static void ecdsa_p521(void **state) {
  (void)state;
  ecdsa("ecdsa_secp521r1_sha512_test.json", 521);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(ed25519), cmocka_unit_test(ecdsa_p256), cmocka_unit_test(ecdsa_p384),
                                     cmocka_unit_test(ecdsa_p521)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
