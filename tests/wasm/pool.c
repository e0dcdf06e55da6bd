/* pool.c - the browser's pool (wasm/browser/platform.c) with several threads that call it at once: what pool.mjs runs in worker threads,
 * each with an instance of this module on one memory. */
#include <stdatomic.h>
#include <stdint.h>

#include "platform.h"

enum { MOST_SHARES = 8, MOST_THREADS = 8, STACK = 64 << 10 };
static _Alignas(64) char stacks[MOST_THREADS][STACK];

/* Where the stack of thread `index` ends. */
__attribute__((export_name("stack_end"))) uintptr_t stack_end(uint32_t index);
uintptr_t stack_end(uint32_t index) { return (uintptr_t)stacks[index + 1]; }

typedef struct job {
  uint32_t sums[MOST_SHARES * 16]; /* plain: only the share's own runner writes it */
  uint32_t add;
  _Atomic uint32_t calls;
} job;

static void add(void *arg, unsigned worker, unsigned n_workers) {
  job *j = arg;
  j->sums[worker * 16] += j->add;
  atomic_fetch_add(&j->calls, n_workers);
}

/* `n` regions of one caller; 0, or the number of the first in which a share ran twice or not at all. */
__attribute__((export_name("regions"))) uint32_t regions(uint32_t n);
uint32_t regions(uint32_t n) {
  retort_platform p;
  job j = {0};
  uint32_t want = 0;
  platform_fill(&p);
  for (uint32_t i = 1; i <= n; i++) {
    j.add = i;
    want += i;
    p.parallel(p.user, add, &j);
    for (unsigned k = 0; k < p.workers; k++)
      if (j.sums[k * 16] != want) return i;
    if (atomic_load(&j.calls) != i * p.workers * p.workers) return i;
  }
  return 0;
}
