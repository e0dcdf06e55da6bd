/* sodium.c - see sodium.h. The only file that includes libsodium. */
#include "sodium.h"

#include <sodium.h>

_Static_assert(sizeof(crypto_generichash_state) <= sizeof(((rt_blake2b *)0)->state), "libsodium's BLAKE2b state must fit");

void rt_blake2b_init(rt_blake2b *b, size_t out_size) { crypto_generichash_init((crypto_generichash_state *)b->state, NULL, 0, out_size); }
void rt_blake2b_update(rt_blake2b *b, const void *data, size_t size) {
  if (size) crypto_generichash_update((crypto_generichash_state *)b->state, data, size);
}
void rt_blake2b_final(rt_blake2b *b, uint8_t *out, size_t out_size) {
  crypto_generichash_final((crypto_generichash_state *)b->state, out, out_size);
}

bool rt_ed25519_verify(const uint8_t signature[64], const void *message, size_t size, const uint8_t public_key[32]) {
  return crypto_sign_verify_detached(signature, message, size, public_key) == 0;
}
void rt_ed25519_sign(const uint8_t secret_key[64], const void *message, size_t size, uint8_t signature[64]) {
  crypto_sign_detached(signature, NULL, message, size, secret_key);
}
void rt_ed25519_keypair(const uint8_t seed[32], uint8_t public_key[32], uint8_t secret_key[64]) {
  crypto_sign_seed_keypair(public_key, secret_key, seed);
}

bool rt_scrypt(const char *password, size_t size, const uint8_t salt[32], uint64_t opslimit, uint64_t memlimit, uint8_t *out,
               size_t out_size) {
  /* A hostile key file must not choose to use up the machine: minisign's own limits are 2^25 and 2^30. */
  if (opslimit > (uint64_t)1 << 28 || memlimit > (uint64_t)1 << 31 || memlimit > SIZE_MAX) return false;
  return crypto_pwhash_scryptsalsa208sha256(out, out_size, password, size, salt, opslimit, (size_t)memlimit) == 0;
}

void rt_wipe(void *memory, size_t size) { sodium_memzero(memory, size); }
