/* platform.c - the browser's platform with threads: shared memory, and web workers that compute shares of parallel regions.
 *
 * Every thread is an instance of this module on the same memory. The one that serves the page calls retort_pool_open before anything else;
 * each of the others sets its own stack pointer, enters retort_pool_work and stays there until its worker is terminated. They compute
 * shares of parallel regions and nothing else: only the first thread allocates.
 *
 * A region is announced by raising `generation`. The share of each thread is claimed once, by the thread or, when that has not come yet
 * after the caller did its own, by the caller. So a worker that starts late, or that the browser holds back, costs speed and never the
 * answer. Between regions, which in generating are microseconds apart, a thread spins for a bounded time; then it sleeps
 * (memory.atomic.wait32), and so does the caller that waits for the last share. One region is open at a time: a thread that finds the pool
 * serving another caller runs all shares of its region by itself.
 */
#include "../platform.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(#name)))
/* How many threads there are to be, this one included; gives back how many it will use. Only before anything else was called. */
EXPORT(retort_pool_open) uint32_t pool_open(uint32_t threads);
/* Thread `worker`, 1 .. threads - 1. */
EXPORT(retort_pool_work) _Noreturn void pool_work(uint32_t worker);

enum { MAX_THREADS = 32, SPINS = 20000 };

typedef struct share {
  _Alignas(64) _Atomic uint32_t generation; /* of the last region in which it was claimed */
} share;

static struct {
  _Alignas(64) _Atomic bool busy; /* a region is open; who set it owns `work`, `arg` and the claims until it is cleared */
  void (*work)(void *arg, unsigned worker, unsigned n_workers);
  void *arg;
  unsigned threads; /* the caller's included; 0 before retort_pool_open: one */
  _Alignas(64) _Atomic uint32_t generation;
  _Alignas(64) _Atomic uint32_t pending; /* shares of the region that are not done */
  _Atomic uint32_t sleepers;
  _Atomic bool caller_sleeps;
  share claims[MAX_THREADS];
} pool;

static void sleep_while(_Atomic uint32_t *word, uint32_t value) { __builtin_wasm_memory_atomic_wait32((int *)word, (int)value, -1); }
static void wake_all(_Atomic uint32_t *word) { __builtin_wasm_memory_atomic_notify((int *)word, UINT32_MAX); }

static bool spin_until_not(_Atomic uint32_t *word, uint32_t value) {
  for (int i = 0; i < SPINS; i++)
    if (atomic_load_explicit(word, memory_order_acquire) != value) return true;
  return false;
}

/* True for exactly one caller. A share can be claimed only while its region is open, because the region before closed with all shares
 * claimed. */
static bool claim(unsigned worker, uint32_t generation) {
  uint32_t before = generation - 1;
  return atomic_compare_exchange_strong(&pool.claims[worker].generation, &before, generation);
}

static void run_parallel(void *user, void (*work)(void *arg, unsigned worker, unsigned n_workers), void *arg) {
  (void)user;
  if (atomic_exchange(&pool.busy, true)) {
    for (unsigned worker = 0; worker < pool.threads; worker++) work(arg, worker, pool.threads);
    return;
  }
  pool.work = work;
  pool.arg = arg;
  atomic_store(&pool.pending, pool.threads - 1);
  uint32_t generation = atomic_fetch_add(&pool.generation, 1) + 1;
  if (atomic_load(&pool.sleepers)) wake_all(&pool.generation);
  work(arg, 0, pool.threads);
  for (unsigned worker = 1; worker < pool.threads; worker++) {
    if (!claim(worker, generation)) continue;
    work(arg, worker, pool.threads);
    atomic_fetch_sub(&pool.pending, 1);
  }
  for (uint32_t left; (left = atomic_load_explicit(&pool.pending, memory_order_acquire)) != 0;) {
    if (spin_until_not(&pool.pending, left)) continue;
    atomic_store(&pool.caller_sleeps, true);
    sleep_while(&pool.pending, left);
    atomic_store(&pool.caller_sleeps, false);
  }
  atomic_store(&pool.busy, false);
}

uint32_t pool_open(uint32_t threads) { return pool.threads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads; }

void pool_work(uint32_t worker) {
  uint32_t seen = 0;
  for (;;) {
    if (!spin_until_not(&pool.generation, seen)) {
      atomic_fetch_add(&pool.sleepers, 1);
      while (atomic_load(&pool.generation) == seen) sleep_while(&pool.generation, seen);
      atomic_fetch_sub(&pool.sleepers, 1);
    }
    seen = atomic_load(&pool.generation);
    if (!claim(worker, seen)) continue; /* the caller was first */
    pool.work(pool.arg, worker, pool.threads);
    /* Every end of a share changes the word that a sleeping caller compares, so it is woken each time and looks again. */
    atomic_fetch_sub(&pool.pending, 1);
    if (atomic_load(&pool.caller_sleeps)) wake_all(&pool.pending);
  }
}

/* ---- memory ---- */

enum { TOUCH = 4096, WORTH_SHARING = 16 << 20 };
typedef struct fresh {
  char *from;
  size_t size;
} fresh;

static void touch(void *arg, unsigned worker, unsigned n_workers) {
  const fresh *f = arg;
  for (size_t at = f->size / n_workers * worker, end = worker + 1 < n_workers ? f->size / n_workers * (worker + 1) : f->size; at < end;
       at += TOUCH)
    *(volatile char *)(f->from + at) = 0;
}

/* Like platform_lend, but what the memory grew by is zero already (the allocator writes nothing inside a block). All threads touch it: the
 * system gives each page when it is first touched, which for a large model can take longer than reading and hashing it. */
static void *allocate(void *user, size_t size) {
  (void)user;
  if (size > SIZE_MAX - 64) return NULL;
  size_t had = __builtin_wasm_memory_size(0) * 65536;
  char *memory = aligned_alloc(64, (size + 63) / 64 * 64);
  if (!memory) return NULL;
  size_t used = (uintptr_t)memory >= had ? 0 : had - (uintptr_t)memory;
  if (used > size) used = size;
  memset(memory, 0, used);
  fresh f = {memory + used, size - used};
  if (pool.threads > 1 && f.size >= WORTH_SHARING) run_parallel(NULL, touch, &f);
  return memory;
}

void platform_fill(retort_platform *platform) {
  *platform = (retort_platform){.struct_size = sizeof *platform,
                                .alloc = allocate,
                                .free = platform_take_back,
                                .parallel = run_parallel,
                                .workers = pool.threads ? pool.threads : 1};
}
