/* pool.h - a plain POSIX-thread pool behind retort_platform, for tests: workers are started for each region. Where there are no threads, or
 * too dear ones (WASI; RETORT_EMULATED: qemu-user keeps memory of each of the millions that would be started), the shares of a region run
 * one after the other, the last first, which the platform's contract allows. */
#ifndef POOL_H
#define POOL_H

#include "base/base.h"

#if defined(RETORT_EMULATED) || (defined(__wasm__) && !defined(__EMSCRIPTEN_PTHREADS__))
static void pool_parallel(void *user, void (*work)(void *, unsigned, unsigned), void *arg) {
  for (unsigned n = *(unsigned *)user, i = n; i--;) work(arg, i, n);
}
#else
#include <pthread.h>
#include <stdlib.h>

enum { POOL_MOST = 8 };
typedef struct pool_call {
  void (*work)(void *, unsigned, unsigned);
  void *arg;
  unsigned worker, n;
} pool_call;

static void *pool_main(void *arg) {
  pool_call *c = arg;
  c->work(c->arg, c->worker, c->n);
  return NULL;
}

static void pool_parallel(void *user, void (*work)(void *, unsigned, unsigned), void *arg) {
  unsigned n = *(unsigned *)user;
  pthread_t threads[POOL_MOST];
  pool_call calls[POOL_MOST];
  for (unsigned i = 1; i < n; i++) {
    calls[i] = (pool_call){work, arg, i, n};
    if (pthread_create(&threads[i], NULL, pool_main, &calls[i])) abort();
  }
  work(arg, 0, n);
  for (unsigned i = 1; i < n; i++) pthread_join(threads[i], NULL);
}
#endif

static retort_platform pool_platform(unsigned *workers) {
  return (retort_platform){.struct_size = sizeof(retort_platform), .user = workers, .parallel = pool_parallel, .workers = *workers};
}

#endif
