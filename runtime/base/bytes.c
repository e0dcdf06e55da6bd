/* bytes.c - see bytes.h. Capacity doubles, so appending costs constant time on average. */
#include "bytes.h"

#include <string.h>

uint8_t *rt_bytes_grow(const retort_platform *platform, rt_bytes *b, uint64_t n) {
  if (n > SIZE_MAX / 4 || b->size > SIZE_MAX / 4) return NULL;
  size_t wanted = b->size + (size_t)n;
  if (wanted > b->capacity || !b->data) {
    size_t capacity = wanted < 128 ? 256 : 2 * wanted;
    uint8_t *fresh = rt_alloc(platform, capacity);
    if (!fresh) return NULL;
    if (b->data) memcpy(fresh, b->data, b->size);
    rt_free(platform, b->data, b->capacity);
    b->data = fresh;
    b->capacity = capacity;
  }
  uint8_t *room = b->data + b->size;
  b->size = wanted;
  return room;
}

bool rt_bytes_append(const retort_platform *platform, rt_bytes *b, const void *bytes, uint64_t n) {
  uint8_t *room = rt_bytes_grow(platform, b, n);
  if (room && n) memcpy(room, bytes, (size_t)n);
  return room != NULL;
}

void rt_bytes_drop(rt_bytes *b, size_t n) {
  b->size -= n;
  if (b->size) memmove(b->data, b->data + n, b->size);
}

void rt_bytes_close(const retort_platform *platform, rt_bytes *b) {
  rt_free(platform, b->data, b->capacity);
  *b = (rt_bytes){0};
}
