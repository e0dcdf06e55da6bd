/* test_pool.c - the thread pool of native/machine/posix.c: every share of every region runs exactly once, and its effects are seen by the
 * caller, with more workers than cores, with pauses in which workers fall asleep, and with pools opened and closed again. */
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "machine/posix.h"

enum { WORKERS = 5, REGIONS = 20000 };

typedef struct job {
  unsigned long sums[WORKERS * 16]; /* plain: only the share's own runner writes it */
  atomic_uint calls;
  unsigned add;
} job;

static void add(void *arg, unsigned worker, unsigned n_workers) {
  job *j = arg;
  if (n_workers == WORKERS) j->sums[worker * 16] += j->add;
  atomic_fetch_add(&j->calls, 1);
}

int main(void) {
  for (int round = 0; round < 3; round++) {
    machine *m = machine_open(WORKERS, false);
    if (!m) return 1;
    const retort_platform *p = machine_platform(m);
    job j = {0};
    unsigned long want = 0;
    for (unsigned i = 0; i < REGIONS; i++) {
      j.add = i;
      want += i;
      p->parallel(p->user, add, &j);
      for (int k = 0; k < WORKERS; k++)
        if (j.sums[k * 16] != want) {
          printf("region %u: worker %d's share ran %s\n", i, k, j.sums[k * 16] < want ? "not at all" : "twice");
          return 1;
        }
      if (i % 5000 == 0) usleep(3000);
    }
    if (atomic_load(&j.calls) != WORKERS * REGIONS) return 1;
    machine_close(m);
  }
  printf("%d regions of %d shares, three pools: each ran once\n", REGIONS, WORKERS);
  return 0;
}
