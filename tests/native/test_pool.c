/* test_pool.c - the thread pool of native/machine/posix.c: every share of every region runs exactly once, and its effects are seen by the
 * caller, with more workers than cores, with pauses in which workers fall asleep, with pools opened and closed again, with several threads
 * that call one pool at once, and with calls from inside a region. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "machine/posix.h"

enum { WORKERS = 5, REGIONS = 20000, CALLERS = 3 };

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

/* `n` regions of one caller, each looked at; 1 where a share ran twice or not at all. */
static int regions(const retort_platform *p, unsigned n) {
  job j = {0};
  unsigned long want = 0;
  for (unsigned i = 0; i < n; i++) {
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
  return atomic_load(&j.calls) != WORKERS * n;
}

static void *caller(void *platform) { return regions(platform, REGIONS / 2) ? platform : NULL; }

static int several_callers(const retort_platform *p) {
  pthread_t threads[CALLERS];
  int wrong = 0;
  for (int i = 0; i < CALLERS; i++)
    if (pthread_create(&threads[i], NULL, caller, (void *)(uintptr_t)p)) return 1;
  for (int i = 0; i < CALLERS; i++) {
    void *result;
    pthread_join(threads[i], &result);
    wrong += result != NULL;
  }
  return wrong;
}

typedef struct nest {
  const retort_platform *platform;
  atomic_uint wrong;
} nest;

static void call_again(void *arg, unsigned worker, unsigned n_workers) {
  (void)worker, (void)n_workers;
  nest *n = arg;
  atomic_fetch_add(&n->wrong, (unsigned)regions(n->platform, 1));
}

int main(void) {
  for (int round = 0; round < 3; round++) {
    machine *m = machine_open(WORKERS, false);
    if (!m) return 1;
    const retort_platform *p = machine_platform(m);
    nest n = {.platform = p};
    if (regions(p, REGIONS) || several_callers(p)) return 1;
    for (int i = 0; i < 100; i++) p->parallel(p->user, call_again, &n);
    if (atomic_load(&n.wrong)) return 1;
    machine_close(m);
  }
  printf("%d regions of %d shares of one caller, then of %d at once, three pools: each ran once\n", REGIONS, WORKERS, CALLERS);
  return 0;
}
