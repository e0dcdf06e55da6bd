/* bandwidth.c - see bandwidth.h. Plain reads that the compiler turns into vector loads; decoding can hardly be faster. */
#include "bandwidth.h"

#include <stdatomic.h>
#include <string.h>

#include "terminal/report.h"

typedef struct reading {
  const uint64_t *words;
  size_t count;
  _Atomic uint64_t sum; /* so that the reads are not left out */
} reading;

static void read_words(void *arg, unsigned worker, unsigned n_workers) {
  reading *r = arg;
  size_t from = r->count / 64 * worker / n_workers * 64, to = r->count / 64 * (worker + 1) / n_workers * 64;
  uint64_t s[8] = {0};
  for (size_t i = from; i + 8 <= to; i += 8)
    for (int k = 0; k < 8; k++) s[k] += r->words[i + (size_t)k];
  atomic_fetch_add(&r->sum, s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7]);
}

double read_bandwidth(const machine *m) {
  const retort_platform *p = machine_platform(m);
  size_t size = (size_t)256 << 20;
  uint64_t available = available_memory();
  while (available && size > available / 4 && size >= (size_t)32 << 20) size /= 2;
  if (available && size > available / 4) return 0;
  uint64_t *words = p->alloc(p->user, size);
  double best = 0;
  if (!words) return 0;
  memset(words, 1, size);
  reading r = {.words = words, .count = size / sizeof *words};
  for (int pass = 0; pass < 5; pass++) {
    double start = seconds();
    p->parallel(p->user, read_words, &r);
    double speed = (double)size / (seconds() - start);
    if (speed > best) best = speed;
  }
  p->free(p->user, words, size);
  return best;
}
