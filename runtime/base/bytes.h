/* bytes.h - a byte string that grows. */
#ifndef RT_BASE_BYTES_H
#define RT_BASE_BYTES_H

#include "base.h"

/* Zero-initialise; always closed with the platform that it grew with. */
typedef struct rt_bytes {
  uint8_t *data;
  size_t size, capacity;
} rt_bytes;

/* Makes the string `n` bytes longer and returns where they begin; NULL, with the string unchanged, when there is no memory. */
uint8_t *rt_bytes_grow(const retort_platform *platform, rt_bytes *b, uint64_t n);
bool rt_bytes_append(const retort_platform *platform, rt_bytes *b, const void *bytes, uint64_t n);
/* Takes the first n <= size bytes away. */
void rt_bytes_drop(rt_bytes *b, size_t n);
void rt_bytes_close(const retort_platform *platform, rt_bytes *b);

#endif
