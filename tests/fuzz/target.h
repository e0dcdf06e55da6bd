/* target.h - what a fuzz target is, and how it reads its input as decisions.
 *
 * A target is one function, fuzz_one. entry.c calls it for libFuzzer, and for replay.c in the quick tests, and watches the time that it
 * takes.
 */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include "base/base.h"

/* Tries one input: any bytes, in a block of their own size. A finding aborts or is seen by a sanitizer. */
void fuzz_one(const uint8_t *data, size_t size);

/* What is left of an input. Each reader takes from its front, and gives zeros past its end. */
typedef struct fuzz_input {
  const uint8_t *data;
  size_t size;
} fuzz_input;

static inline uint32_t fuzz_byte(fuzz_input *in) {
  if (in->size == 0) return 0;
  in->size--;
  return *in->data++;
}

static inline uint64_t fuzz_bytes(fuzz_input *in, unsigned n) {
  uint64_t value = 0;
  for (unsigned i = 0; i < n; i++) value |= (uint64_t)fuzz_byte(in) << 8 * i;
  return value;
}

/* A number: one near a border of something, a small one, or any. */
static inline uint64_t fuzz_number(fuzz_input *in) {
  static const uint64_t borders[] = {0,           1,          2,          3,          7,         8,          15,
                                     16,          31,         32,         33,         63,        64,         255,
                                     256,         257,        65535,      65536,      1u << 20,  1u << 24,   INT32_MAX,
                                     0x80000000u, UINT32_MAX, 1ull << 32, 1ull << 40, INT64_MAX, 1ull << 63, UINT64_MAX};
  uint32_t kind = fuzz_byte(in);
  if (kind < RT_COUNT(borders)) return borders[kind];
  return fuzz_bytes(in, kind < 160 ? 1 : kind % 8 + 1);
}

/* Up to `most` bytes, as many as a byte in front says (times 16 above 200); they lie in the input. */
static inline fuzz_input fuzz_text(fuzz_input *in, size_t most) {
  size_t n = fuzz_byte(in);
  if (n > 200) n *= 16;
  if (n > most) n = most;
  if (n > in->size) n = in->size;
  fuzz_input front = {in->data, n};
  in->data += n;
  in->size -= n;
  return front;
}

#endif
