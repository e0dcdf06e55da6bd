/* sha256.h - SHA-256 (FIPS 180-4): portable, and with the instructions of x86 and 64-bit ARM where the processor has them. The digest is the same. */
#ifndef RT_BASE_SHA256_H
#define RT_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform.h"

enum { RT_SHA256_SIZE = 32 };

/* The rounds as a processor's instructions: of one message, and of two at once. */
typedef struct rt_sha256_unit {
  void (*blocks)(uint32_t state[8], const uint8_t *data, size_t n_blocks, const uint32_t rounds[64]);
  void (*two)(uint32_t state[2][8], const uint8_t *const data[2], size_t n_blocks, const uint32_t rounds[64]);
} rt_sha256_unit;

typedef struct rt_sha256 {
  uint32_t state[8];
  uint64_t length; /* bytes taken so far */
  uint8_t block[64];
  const rt_sha256_unit *unit; /* chosen when it was initialised; NULL: portable */
} rt_sha256;

void rt_sha256_init(rt_sha256 *h);
/* The same where much is to be hashed: with what `platform` (may be NULL) says that the processor has. */
void rt_sha256_init_on(rt_sha256 *h, const retort_platform *platform);
void rt_sha256_update(rt_sha256 *h, const void *data, size_t size);
/* The digest of everything so far; h stays as it is and can take more. */
void rt_sha256_digest(const rt_sha256 *h, uint8_t digest[RT_SHA256_SIZE]);
/* The digests of two messages of one size, which take little longer than one where the processor has the instructions. `fresh` was initialised
 * and fed nothing. */
void rt_sha256_two(const rt_sha256 *fresh, const void *first, const void *second, size_t size, uint8_t digests[2][RT_SHA256_SIZE]);
/* Lower-case hexadecimal with NUL. */
void rt_sha256_hex(const uint8_t digest[RT_SHA256_SIZE], char hex[65]);

/* sha256_x86.c and sha256_arm.c; NULL on other processors, and on those without the instructions. */
const rt_sha256_unit *rt_sha256_x86(void);
const rt_sha256_unit *rt_sha256_arm(uint32_t cpu_features);

#endif
