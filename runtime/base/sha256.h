/* sha256.h - SHA-256 (FIPS 180-4). */
#ifndef RT_BASE_SHA256_H
#define RT_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { RT_SHA256_SIZE = 32 };

typedef struct rt_sha256 {
  uint32_t state[8];
  uint64_t length; /* bytes taken so far */
  uint8_t block[64];
} rt_sha256;

void rt_sha256_init(rt_sha256 *h);
void rt_sha256_update(rt_sha256 *h, const void *data, size_t size);
/* The digest of everything so far; h stays as it is and can take more. */
void rt_sha256_digest(const rt_sha256 *h, uint8_t digest[RT_SHA256_SIZE]);
/* Lower-case hexadecimal with NUL. */
void rt_sha256_hex(const uint8_t digest[RT_SHA256_SIZE], char hex[65]);

#endif
