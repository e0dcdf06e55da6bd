/* counting.h - a platform for tests that counts memory, can refuse it at the k-th request, and knows what was not given back. */
#ifndef TEST_COUNTING_H
#define TEST_COUNTING_H

#include <stdlib.h>
#include <string.h>

#include "retort_platform.h"

typedef struct counting {
  size_t calls, live, peak; /* requests so far; bytes held now; most bytes held */
  size_t fail_at;           /* request number (from 1) that gets NULL; 0: none */
  size_t most;              /* bytes held at once, above which requests get NULL; 0: no limit */
} counting;

static void *counting_alloc(void *user, size_t size) {
  counting *c = user;
  if (++c->calls == c->fail_at || (c->most && (size > c->most || c->live > c->most - size))) return NULL;
  size_t rounded = (size + 63) & ~(size_t)63;
  void *memory = aligned_alloc(64, rounded);
  if (!memory) return NULL;
  memset(memory, 0, rounded);
  c->live += size;
  if (c->live > c->peak) c->peak = c->live;
  return memory;
}

static void counting_free(void *user, void *memory, size_t size) {
  counting *c = user;
  c->live -= size;
  free(memory);
}

static inline retort_platform counting_platform(counting *c) {
  return (retort_platform){.struct_size = sizeof(retort_platform), .user = c, .alloc = counting_alloc, .free = counting_free};
}

#endif
