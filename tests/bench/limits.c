/* limits.c - what this machine reaches at most: the rate at which it multiplies bytes, and at which it reads memory.
 *
 * usage: limits THREADS KERNELS      KERNELS: a name that `retort bench --json` gives
 *
 * Prints one line of JSON: the instruction set's dot products of bytes in registers, in 10^9 multiplications with their addition a second
 * (null for an instruction set that is not written down here), and plain reading of memory on huge pages in 10^9 bytes a second. Both are
 * the best of some passes: a limit, not a mean. AVX2 has no dot product; counted is vpmaddubsw with the one addition that its results need
 * at least.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { MOST_THREADS = 256, PASSES = 8 };
static const size_t read_bytes = (size_t)512 << 20;
static const long multiply_steps = 4000000;

typedef struct worker {
  pthread_barrier_t *barrier;
  const uint64_t *from, *to;
  void (*multiply)(long steps);
  uint64_t sum;
} worker;

#if defined(__x86_64__)
/* Twelve sums at once hide the latency; the compiler must not see that nothing is done with them. */
#define TWELVE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define DEFINE(TYPE, KIND, STEP)                                                 \
  static __attribute__((target(KIND))) void multiply_##TYPE(long steps) {        \
    for (long i = 0; i < steps; i++) __asm__ volatile(TWELVE(STEP)::: "memory"); \
  }
#define STEP_512(r) "vpdpbusd %%zmm12, %%zmm13, %%zmm" #r "\n\t"
#define STEP_256(r) "%{vex%} vpdpbusd %%ymm12, %%ymm13, %%ymm" #r "\n\t"
#define STEP_AVX2(r) "vpmaddubsw %%ymm12, %%ymm13, %%ymm14\n\tvpaddw %%ymm14, %%ymm" #r ", %%ymm" #r "\n\t"
DEFINE(avx512, "avx512f", STEP_512)
DEFINE(avx_vnni, "avx2", STEP_256)
DEFINE(avx2, "avx2", STEP_AVX2)
static const struct {
  const char *name;
  void (*multiply)(long steps);
  double macs; /* a step */
} sets[] = {{"avx512", multiply_avx512, 12 * 64}, {"avx-vnni", multiply_avx_vnni, 12 * 32}, {"avx2", multiply_avx2, 12 * 32}};
#endif

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void read_all(worker *w) {
  uint64_t s[8] = {0};
  for (const uint64_t *p = w->from; p + 8 <= w->to; p += 8)
    for (int k = 0; k < 8; k++) s[k] += p[k];
  w->sum += s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7];
}

/* All passes of one worker; worker 0 is the main thread and takes the times. */
static void run_passes(worker *w, double best[2]) {
  for (int pass = 0; pass < 2 * PASSES; pass++) {
    pthread_barrier_wait(w->barrier);
    double start = seconds();
    if (pass < PASSES) read_all(w);
    else if (w->multiply) w->multiply(multiply_steps);
    pthread_barrier_wait(w->barrier);
    double took = seconds() - start;
    if (took < best[pass / PASSES]) best[pass / PASSES] = took;
  }
}
static void *work(void *arg) {
  double unused[2] = {0};
  run_passes(arg, unused);
  return NULL;
}

int main(int argc, char **argv) {
  unsigned n = argc == 3 ? (unsigned)atoi(argv[1]) : 0;
  if (n < 1 || n > MOST_THREADS) {
    fprintf(stderr, "usage: limits THREADS KERNELS\n");
    return 2;
  }
  void (*multiply)(long steps) = NULL;
  double macs = 0;
#if defined(__x86_64__)
  for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
    if (strcmp(argv[2], sets[i].name) == 0) multiply = sets[i].multiply, macs = sets[i].macs;
#endif
  const size_t huge = (size_t)2 << 20;
  char *memory = mmap(NULL, read_bytes + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    perror("limits");
    return 1;
  }
  memory += (huge - (uintptr_t)memory % huge) % huge;
#ifdef MADV_HUGEPAGE
  madvise(memory, read_bytes, MADV_HUGEPAGE);
#endif
  memset(memory, 1, read_bytes);
  static worker workers[MOST_THREADS];
  pthread_t threads[MOST_THREADS];
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, NULL, n);
  for (unsigned i = 0; i < n; i++) {
    size_t words = read_bytes / 8 / n / 8 * 8;
    workers[i] = (worker){.barrier = &barrier, .from = (uint64_t *)(void *)memory + i * words, .multiply = multiply};
    workers[i].to = workers[i].from + words;
    if (i && pthread_create(&threads[i], NULL, work, &workers[i]) != 0) return 1;
  }
  double best[2] = {1e9, 1e9};
  run_passes(&workers[0], best);
  uint64_t sum = 0;
  for (unsigned i = 0; i < n; i++) {
    if (i) pthread_join(threads[i], NULL);
    sum += workers[i].sum;
  }
  printf("{\"threads\": %u, \"read_gb_s\": %.2f, \"int8_gmac_s\": ", n, sum ? 1e-9 * (double)read_bytes / best[0] : 0);
  if (multiply) printf("%.1f}\n", 1e-9 * macs * (double)multiply_steps * n / best[1]);
  else printf("null}\n");
  return 0;
}
