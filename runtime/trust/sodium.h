/* sodium.h - the one door to libsodium: Ed25519, BLAKE2b and the scrypt of minisign's secret keys.
 *
 * None of these functions needs sodium_init: libsodium's portable implementations are in place from the start, and randomness comes from
 * the caller. Absent on purpose: everything that libsodium could draw or open by itself.
 */
#ifndef RT_TRUST_SODIUM_H
#define RT_TRUST_SODIUM_H

#include "../base/base.h"

typedef struct rt_blake2b {
  _Alignas(64) unsigned char state[384]; /* crypto_generichash_state */
} rt_blake2b;
void rt_blake2b_init(rt_blake2b *b, size_t out_size); /* 32 or 64 bytes, no key */
void rt_blake2b_update(rt_blake2b *b, const void *data, size_t size);
void rt_blake2b_final(rt_blake2b *b, uint8_t *out, size_t out_size);

/* RFC 8032, strict: non-canonical S, small-order keys and points are refused. */
bool rt_ed25519_verify(const uint8_t signature[64], const void *message, size_t size, const uint8_t public_key[32]);
void rt_ed25519_sign(const uint8_t secret_key[64], const void *message, size_t size, uint8_t signature[64]);
void rt_ed25519_keypair(const uint8_t seed[32], uint8_t public_key[32], uint8_t secret_key[64]);

/* libsodium's pwhash_scryptsalsa208sha256: the parameters follow from the two limits that a minisign secret key names. False: no memory, or
 * limits out of range. */
bool rt_scrypt(const char *password, size_t size, const uint8_t salt[32], uint64_t opslimit, uint64_t memlimit, uint8_t *out,
               size_t out_size);

void rt_wipe(void *memory, size_t size); /* not optimised away */

#endif
