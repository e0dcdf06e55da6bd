/* sha256.h - SHA-256 (FIPS 180-4): portable, with the instructions of x86 and 64-bit ARM where the processor has them, and in the lanes of
 * WebAssembly's vectors. The digest is the same. */
#ifndef RT_BASE_SHA256_H
#define RT_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "retort_platform.h"

enum { RT_SHA256_SIZE = 32, RT_SHA256_MOST = 4 };

/* The rounds as a processor's instructions: of one message (NULL: the portable ones), and of `at_once` <= RT_SHA256_MOST messages side by
 * side. */
typedef struct rt_sha256_unit {
  void (*blocks)(uint32_t state[8], const uint8_t *data, size_t n_blocks, const uint32_t rounds[64]);
  void (*many)(uint32_t (*state)[8], const uint8_t *const *data, size_t n_blocks, const uint32_t rounds[64]);
  unsigned at_once;
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
/* How many messages of one size are best hashed together: they take little longer than one. */
unsigned rt_sha256_at_once(const rt_sha256 *fresh);
/* The digests of n <= RT_SHA256_MOST messages of `size` bytes that lie one behind the other. `fresh` was initialised and fed nothing. */
void rt_sha256_many(const rt_sha256 *fresh, const void *first, size_t size, unsigned n, uint8_t digests[][RT_SHA256_SIZE]);
/* Lower-case hexadecimal with NUL. */
void rt_sha256_hex(const uint8_t digest[RT_SHA256_SIZE], char hex[65]);

/* sha256_x86.c, sha256_arm.c and sha256_lanes.c; NULL on other processors, and on those without the instructions. */
const rt_sha256_unit *rt_sha256_x86(void);
const rt_sha256_unit *rt_sha256_lanes(void);
const rt_sha256_unit *rt_sha256_arm(uint32_t cpu_features);

#endif
