/* neighbours.c - a program with functions of its own that are named as jansson's, mbedTLS's and libsodium's are. retort, beside it in one
 * process, must go on calling its own copies and not these: they end the program. */
#include <retort.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static retort_error error;
static int failed(const char *what) { return printf("%s: %s\n", what, error.message), 1; }

#define NOT_YOURS(name)                         \
  void *name(void);                             \
  void *name(void) {                            \
    puts("retort called the program's " #name); \
    exit(3);                                    \
  }
NOT_YOURS(json_loadb)
NOT_YOURS(json_object_get)
NOT_YOURS(json_object_seed)
NOT_YOURS(json_delete)
NOT_YOURS(mbedtls_pk_parse_key)
NOT_YOURS(mbedtls_pk_verify)
NOT_YOURS(mbedtls_pk_init)
NOT_YOURS(mbedtls_ecp_group_load)
NOT_YOURS(mbedtls_mpi_init)
NOT_YOURS(mbedtls_free)
NOT_YOURS(crypto_sign_ed25519_detached)
NOT_YOURS(crypto_sign_ed25519_seed_keypair)
NOT_YOURS(crypto_generichash_blake2b_init)
NOT_YOURS(sodium_memzero)
NOT_YOURS(rt_fail)

/* Signs and verifies a few bytes: with a bundle (JSON, ECDSA) or with minisign (Ed25519, BLAKE2b). */
static int sign_and_verify(int32_t kind, int32_t method) {
  static const uint8_t random[96] = {1, 2, 3};
  char secret[RETORT_KEY_TEXT_SIZE], public_key[RETORT_KEY_TEXT_SIZE];
  const char *text;
  size_t size;
  if (retort_keygen(NULL, kind, random, NULL, secret, public_key, &error)) return failed("keygen");
  const retort_buffer key = {sizeof key, secret, strlen(secret), NULL}, anchor = {sizeof anchor, public_key, strlen(public_key), NULL};
  retort_signer_options options;
  retort_signer *signer;
  retort_verdict verdict = {.struct_size = sizeof verdict};
  retort_signer_options_init(&options, sizeof options);
  options.method = method;
  options.secret_key = &key;
  options.model_name = "file:model.gguf";
  if (retort_signer_open(NULL, &options, &signer, &error) || retort_signer_add_file(signer, "model.gguf", 5, &error) ||
      retort_signer_feed(signer, "bytes", 5, &error) || retort_signer_finish(signer, &text, &size, &verdict, &error))
    return failed("signing");
  const retort_buffer signature = {sizeof signature, text, size, NULL};
  const retort_trust_file file = {sizeof file, "model.gguf", 5, NULL, 0};
  retort_trust_policy policy;
  retort_verifier *verifier;
  retort_trust_policy_init(&policy, sizeof policy);
  policy.method = method;
  policy.anchors = &anchor;
  policy.n_anchors = 1;
  if (retort_verifier_open(NULL, &policy, &signature, 1, &file, 1, &verifier, &error) ||
      retort_verifier_feed(verifier, 0, 0, "bytes", 5, &error) || retort_verifier_finish(verifier, &verdict, &error))
    return failed("verifying");
  retort_verifier_close(verifier);
  retort_signer_close(signer);
  return 0;
}

int main(void) {
  if (sign_and_verify(RETORT_KEY_P256, RETORT_TRUST_KEY) || sign_and_verify(RETORT_KEY_MINISIGN, RETORT_TRUST_MINISIGN)) return 1;
  puts("neighbours do not meet");
  return 0;
}
