/* posix.c - the platform on POSIX systems: one thread pool, memory on huge pages, the log.
 *
 * The pool. A parallel region is announced by raising `generation`. The share of each worker is claimed once, by the worker or, when that
 * has not come yet after the caller did its own share, by the caller: on a busy machine nobody waits for a thread that got no core. Each
 * share that is done counts off `pending`. Between regions, which in decoding are microseconds apart, a worker spins, but only for a
 * bounded time; then it sleeps on a condition. The same holds for the caller that waits for the last worker. So an idle pool costs nothing,
 * and two processes that share the cores leave them to each other: whoever waits too long yields and then sleeps instead of burning the
 * time that the other, or its own late worker, needs.
 *
 * One region is open at a time. A thread that finds the pool serving another caller does not wait for it: it runs all shares of its region
 * by itself, in its own thread, and asks again for its next one. So callers cannot lock each other out, also not when one calls from inside
 * a region, and a lone caller pays one uncontended exchange.
 *
 * Memory. Blocks of 2 MiB and more are mapped on 2 MiB boundaries and offered to the kernel for huge pages: weights are read once a token,
 * and with 4 KiB pages the page walks cost a third of the memory bandwidth. Everything is 64-byte aligned and zeroed.
 *
 * Absent on purpose: NUMA placement, and pinning each thread to a core (the scheduler knows about other work, we do not); where there are
 * small cores all threads are kept off them. What the machine has is hardware.c's subject.
 */
#include "posix.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#if defined(__linux__) && (defined(__aarch64__) || defined(__arm__))
#include <sys/auxv.h>
#endif

/* ---- the pool ---- */

#define MAX_WORKERS 1024
enum { STACK_BYTES = 1 << 20 };

struct machine {
  retort_platform platform;
  bool verbose, pinned;
  atomic_uint_fast64_t allocated;

  _Alignas(64) atomic_bool busy; /* a region is open; who set it owns `work`, `arg` and the claims until it is cleared */
  void (*work)(void *arg, unsigned worker, unsigned n_workers);
  void *arg;
  _Alignas(64) atomic_uint generation; /* of regions; raised by the caller */
  _Alignas(64) atomic_uint pending;    /* workers that have not finished the region */
  _Alignas(64) atomic_uint sleepers;   /* workers asleep, or about to be */
  atomic_bool caller_sleeps;
  atomic_bool stop; /* read after `generation` changed */
  pthread_mutex_t lock;
  pthread_cond_t wake, done;
  unsigned n_threads; /* started; n_workers - 1 */
  pthread_t threads[MAX_WORKERS];
  struct claim {
    _Alignas(64) atomic_uint generation; /* the last region whose share was claimed */
  } claims[MAX_WORKERS];
};

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

/* Takes worker's share of region `generation`; true for exactly one caller. A share can be claimed only while its region is open, because
 * the region before closed with all shares claimed. */
static bool claim(machine *m, unsigned worker, unsigned generation) {
  unsigned before = generation - 1;
  return atomic_compare_exchange_strong(&m->claims[worker].generation, &before, generation);
}

/* Spins until *value differs from `old`, gives back whether it did: some 50 to 100 microseconds of pauses, then a few yields. */
static bool spin_until_not(atomic_uint *value, unsigned old) {
  for (int i = 0; i < 2000; i++) {
    if (atomic_load_explicit(value, memory_order_acquire) != old) return true;
    relax();
  }
  for (int i = 0; i < 4; i++) {
    sched_yield();
    if (atomic_load_explicit(value, memory_order_acquire) != old) return true;
  }
  return false;
}

typedef struct starter {
  machine *m;
  unsigned worker;
  atomic_bool taken;
} starter;

static void *worker_main(void *argument) {
  starter *s = argument;
  machine *m = s->m;
  unsigned worker = s->worker, seen = 0;
  atomic_store(&s->taken, true); /* the starter is gone from here on */
  for (;;) {
    if (!spin_until_not(&m->generation, seen)) {
      pthread_mutex_lock(&m->lock);
      atomic_fetch_add(&m->sleepers, 1);
      while (atomic_load(&m->generation) == seen) pthread_cond_wait(&m->wake, &m->lock);
      atomic_fetch_sub(&m->sleepers, 1);
      pthread_mutex_unlock(&m->lock);
    }
    seen = atomic_load(&m->generation);
    if (atomic_load(&m->stop)) return NULL;
    if (!claim(m, worker, seen)) continue; /* the caller was first */
    m->work(m->arg, worker, m->platform.workers);
    if (atomic_fetch_sub(&m->pending, 1) == 1 && atomic_load(&m->caller_sleeps)) {
      pthread_mutex_lock(&m->lock);
      pthread_cond_signal(&m->done);
      pthread_mutex_unlock(&m->lock);
    }
  }
}

/* Opens a region; its number. */
static unsigned announce(machine *m) {
  atomic_store(&m->pending, m->n_threads);
  unsigned generation = atomic_fetch_add(&m->generation, 1) + 1;
  if (atomic_load(&m->sleepers) == 0) return generation;
  pthread_mutex_lock(&m->lock);
  pthread_cond_broadcast(&m->wake);
  pthread_mutex_unlock(&m->lock);
  return generation;
}

/* Waits until every share of the open region is done. */
static void await_workers(machine *m) {
  for (unsigned left; (left = atomic_load_explicit(&m->pending, memory_order_acquire)) != 0;) {
    if (spin_until_not(&m->pending, left)) continue;
    pthread_mutex_lock(&m->lock);
    atomic_store(&m->caller_sleeps, true);
    while (atomic_load(&m->pending) != 0) pthread_cond_wait(&m->done, &m->lock);
    atomic_store(&m->caller_sleeps, false);
    pthread_mutex_unlock(&m->lock);
  }
}

static void run_parallel(void *user, void (*work)(void *arg, unsigned worker, unsigned n_workers), void *arg) {
  machine *m = user;
  if (m->n_threads == 0 || atomic_exchange_explicit(&m->busy, true, memory_order_acquire)) {
    for (unsigned worker = 0; worker < m->platform.workers; worker++) work(arg, worker, m->platform.workers);
    return;
  }
  m->work = work;
  m->arg = arg;
  unsigned generation = announce(m);
  work(arg, 0, m->platform.workers);
  for (unsigned worker = 1; worker <= m->n_threads; worker++) {
    if (!claim(m, worker, generation)) continue;
    work(arg, worker, m->platform.workers);
    atomic_fetch_sub(&m->pending, 1);
  }
  await_workers(m);
  atomic_store_explicit(&m->busy, false, memory_order_release);
}

/* ---- memory ---- */

#define HUGE_PAGE ((size_t)2 << 20)

static size_t round_up(size_t size, size_t unit) { return size > SIZE_MAX - unit ? 0 : (size + unit - 1) / unit * unit; }

static void *map_huge(size_t size) {
  size_t whole = round_up(size, HUGE_PAGE);
  if (whole == 0 || whole > SIZE_MAX - HUGE_PAGE) return NULL;
  char *raw = mmap(NULL, whole + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return NULL;
  char *start = (char *)(((uintptr_t)raw + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
  size_t before = (size_t)(start - raw);
  if (before) munmap(raw, before);
  munmap(start + whole, HUGE_PAGE - before);
#ifdef MADV_HUGEPAGE
  madvise(start, whole, MADV_HUGEPAGE);
#endif
  return start;
}

static void *allocate(void *user, size_t size) {
  machine *m = user;
  void *memory = NULL;
  if (size >= HUGE_PAGE) {
    memory = map_huge(size);
  } else if (posix_memalign(&memory, 64, size ? size : 1) == 0) {
    memset(memory, 0, size);
  } else {
    memory = NULL;
  }
  if (memory) atomic_fetch_add(&m->allocated, size);
  return memory;
}

static void take_back(void *user, void *memory, size_t size) {
  machine *m = user;
  if (!memory) return;
  atomic_fetch_sub(&m->allocated, size);
  if (size >= HUGE_PAGE) munmap(memory, round_up(size, HUGE_PAGE));
  else free(memory);
}

static void log_line(void *user, int level, const char *line) {
  const machine *m = user;
  if (level == RETORT_LOG_WARNING) warn("%s", line);
  else if (m->verbose) fprintf(stderr, "retort: %s\n", line);
}

static uint32_t arm_features(void) {
  uint32_t features = 0;
#if defined(__linux__) && defined(__aarch64__)
  unsigned long caps = getauxval(AT_HWCAP), caps2 = getauxval(AT_HWCAP2);
  features |= RETORT_CPU_NEON;                            /* part of the base architecture */
  if (caps & (1ul << 20)) features |= RETORT_CPU_DOTPROD; /* HWCAP_ASIMDDP */
  if (caps2 & (1ul << 13)) features |= RETORT_CPU_I8MM;   /* HWCAP2_I8MM */
  if (caps & (1ul << 6)) features |= RETORT_CPU_SHA2;     /* HWCAP_SHA2 */
#elif defined(__linux__) && defined(__arm__)
  if (getauxval(AT_HWCAP) & (1ul << 12)) features |= RETORT_CPU_NEON; /* HWCAP_NEON */
#elif defined(__APPLE__) && defined(__aarch64__)
  features |= RETORT_CPU_NEON | RETORT_CPU_DOTPROD | RETORT_CPU_SHA2; /* every Apple core since 2018; i8mm came with the M2 */
#endif
  return features;
}

unsigned usable_threads(unsigned asked) {
  hardware b;
  if (asked <= 1) return asked; /* the default, or one: no need to look at the machine for it */
  hardware_cores(&b, "");
  if (!b.n_allowed || asked <= b.n_allowed) return asked;
  warn("%u threads are asked for, more than there are processors to use: %u", asked, b.n_allowed);
  return b.n_allowed;
}

machine *machine_open(unsigned threads, bool verbose) {
  void *memory = NULL;
  if (posix_memalign(&memory, 64, sizeof(machine)) != 0) return NULL;
  machine *m = memset(memory, 0, sizeof(machine));
  m->verbose = verbose;
  pthread_mutex_init(&m->lock, NULL);
  pthread_cond_init(&m->wake, NULL);
  pthread_cond_init(&m->done, NULL);
  char why[160];
  if (threads == 0) threads = default_threads(why);
  m->pinned = keep_to_big_cores(threads);
  if (threads > MAX_WORKERS) threads = MAX_WORKERS;
  /* Signals are for the thread that talks with the user, so that they wake it: workers inherit a mask that blocks all, but those of their
   * own faults. */
  sigset_t all, before;
  sigfillset(&all);
  sigdelset(&all, SIGBUS);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes; /* stacks of a known size: the machine's own (ulimit -s) may be of 64 KB */
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  /* A worker reads platform.workers only after the first region was announced, so it may still be lowered when a thread cannot be started.
   */
  for (unsigned i = 1; i < threads; i++) {
    starter s = {.m = m, .worker = i};
    if (pthread_create(&m->threads[m->n_threads], &attributes, worker_main, &s) != 0) {
      warn("only %u of %u threads could be started: %s", i, threads, strerror(errno));
      break;
    }
    m->n_threads++;
    while (!atomic_load(&s.taken)) sched_yield();
  }
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  m->platform = (retort_platform){.struct_size = sizeof(retort_platform),
                                  .user = m,
                                  .alloc = allocate,
                                  .free = take_back,
                                  .parallel = run_parallel,
                                  .workers = m->n_threads + 1,
                                  .log = log_line,
                                  .cpu_features = arm_features()};
  return m;
}

void machine_close(machine *m) {
  if (!m) return;
  atomic_store(&m->stop, true);
  announce(m);
  for (unsigned i = 0; i < m->n_threads; i++) pthread_join(m->threads[i], NULL);
  pthread_mutex_destroy(&m->lock);
  pthread_cond_destroy(&m->wake);
  pthread_cond_destroy(&m->done);
  if (m->pinned) use_all_cores();
  free(m);
}

const retort_platform *machine_platform(const machine *m) { return &m->platform; }
uint64_t machine_allocated(const machine *m) { return atomic_load(&m->allocated); }
