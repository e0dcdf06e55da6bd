/* sha256.h - SHA-256 (FIPS 180-4): portable, and with the SHA extensions of x86 where the processor has them. The digest is the same. */
#ifndef RT_BASE_SHA256_H
#define RT_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RT_SHA256_SIZE = 32 };

typedef struct rt_sha256 {
  uint32_t state[8];
  uint64_t length; /* bytes taken so far */
  uint8_t block[64];
  bool x86; /* chosen by rt_sha256_init; a test may clear it */
} rt_sha256;

void rt_sha256_init(rt_sha256 *h);
void rt_sha256_update(rt_sha256 *h, const void *data, size_t size);
/* The digest of everything so far; h stays as it is and can take more. */
void rt_sha256_digest(const rt_sha256 *h, uint8_t digest[RT_SHA256_SIZE]);
/* The digests of two messages of one size, which take little longer than one where the processor has the instructions. `fresh` was initialised
 * and fed nothing. */
void rt_sha256_two(const rt_sha256 *fresh, const void *first, const void *second, size_t size, uint8_t digests[2][RT_SHA256_SIZE]);
/* Lower-case hexadecimal with NUL. */
void rt_sha256_hex(const uint8_t digest[RT_SHA256_SIZE], char hex[65]);

/* sha256_x86.c; all exist everywhere, on other processors the first says no. */
bool rt_sha256_has_x86(void);
void rt_sha256_blocks_x86(uint32_t state[8], const uint8_t *data, size_t n_blocks, const uint32_t rounds[64]);
void rt_sha256_two_x86(uint32_t state[2][8], const uint8_t *const data[2], size_t n_blocks, const uint32_t rounds[64]);

#endif
