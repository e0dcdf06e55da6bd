/* sha256.c - SHA-256 as FIPS 180-4 sections 5 and 6.2 write it, portable C around the rounds of sha256_rounds.h;
 * sha256_x86.c and sha256_arm.c have them as instructions, sha256_lanes.c on several messages at once.
 *
 * The constants are the first 32 bits of the fractional parts of the square roots (start state) and cube roots (rounds) of the first
 * primes.
 */
#include "sha256.h"

#include <string.h>

#include "base.h"

typedef uint32_t word;
#include "sha256_rounds.h"

static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
static const uint32_t rounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t load_be(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }
static void store_be(uint8_t *p, uint32_t v) {
  p[0] = (uint8_t)(v >> 24);
  p[1] = (uint8_t)(v >> 16);
  p[2] = (uint8_t)(v >> 8);
  p[3] = (uint8_t)v;
}

/* A function of its own: engines of WebAssembly put their better code in place at the next call, and a large hash is one call of `blocks`.
 */
static __attribute__((noinline)) void compress(uint32_t state[8], const uint8_t *block) {
  uint32_t w[64];
  for (int t = 0; t < 16; t++) w[t] = load_be(block + 4 * t);
  rounds_of_block(state, w, rounds);
}

static void blocks(rt_sha256 *h, const uint8_t *data, size_t n) {
  if (h->unit && h->unit->blocks) h->unit->blocks(h->state, data, n, rounds);
  else
    for (size_t i = 0; i < n; i++) compress(h->state, data + 64 * i);
}

void rt_sha256_init(rt_sha256 *h) {
  *h = (rt_sha256){.unit = rt_sha256_x86()};
  if (!h->unit) h->unit = rt_sha256_lanes();
  memcpy(h->state, start, sizeof start);
}

void rt_sha256_init_on(rt_sha256 *h, const retort_platform *platform) {
  rt_sha256_init(h);
  if (!h->unit && RT_PLATFORM_HAS(platform, cpu_features)) h->unit = rt_sha256_arm(platform->cpu_features);
}

void rt_sha256_update(rt_sha256 *h, const void *data, size_t size) {
  const uint8_t *p = data;
  size_t held = (size_t)(h->length % 64);
  if (size == 0) return; /* `data` may be NULL then, which memcpy may not be given */
  h->length += size;
  if (held) {
    size_t n = size < 64 - held ? size : 64 - held;
    memcpy(h->block + held, p, n);
    if (held + n < 64) return;
    blocks(h, h->block, 1);
    p += n;
    size -= n;
  }
  blocks(h, p, size / 64);
  if (size % 64) memcpy(h->block, p + size / 64 * 64, size % 64);
}

void rt_sha256_digest(const rt_sha256 *h, uint8_t digest[RT_SHA256_SIZE]) {
  rt_sha256 last = *h;
  size_t held = (size_t)(h->length % 64);
  memset(last.block + held, 0, 64 - held);
  last.block[held] = 0x80;
  if (held >= 56) {
    blocks(&last, last.block, 1);
    memset(last.block, 0, 64);
  }
  store_be(last.block + 56, (uint32_t)(h->length >> 29));
  store_be(last.block + 60, (uint32_t)(h->length << 3));
  blocks(&last, last.block, 1);
  for (int i = 0; i < 8; i++) store_be(digest + 4 * i, last.state[i]);
}

unsigned rt_sha256_at_once(const rt_sha256 *fresh) { return fresh->unit ? fresh->unit->at_once : 1; }

void rt_sha256_many(const rt_sha256 *fresh, const void *first, size_t size, unsigned n, uint8_t digests[][RT_SHA256_SIZE]) {
  const uint8_t *data[RT_SHA256_MOST];
  size_t together = n > 1 && n == rt_sha256_at_once(fresh) ? size / 64 * 64 : 0;
  uint32_t states[RT_SHA256_MOST][8];
  for (unsigned i = 0; i < n; i++) {
    data[i] = (const uint8_t *)first + i * size;
    memcpy(states[i], fresh->state, sizeof states[i]);
  }
  if (together) fresh->unit->many(states, data, together / 64, rounds);
  for (unsigned i = 0; i < n; i++) {
    rt_sha256 h = *fresh;
    memcpy(h.state, states[i], sizeof h.state);
    h.length = together;
    rt_sha256_update(&h, data[i] + together, size - together);
    rt_sha256_digest(&h, digests[i]);
  }
}

void rt_sha256_hex(const uint8_t digest[RT_SHA256_SIZE], char hex[65]) {
  for (int i = 0; i < RT_SHA256_SIZE; i++) {
    hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
    hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
  }
  hex[64] = 0;
}

void retort_sha256_hex(const void *data, size_t size, char hex[65]) {
  if (!hex) return;
  hex[0] = 0;
  if (!data && size) return;
  rt_sha256 h;
  uint8_t digest[RT_SHA256_SIZE];
  rt_sha256_init(&h);
  rt_sha256_update(&h, data, size);
  rt_sha256_digest(&h, digest);
  rt_sha256_hex(digest, hex);
}
