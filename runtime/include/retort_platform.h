/* retort_platform.h - what the embedding program supplies to the core.
 *
 * The core makes no OS call: memory, parallel workers and a place for log lines come through this table. One table may serve any number
 * of handles, on any number of threads at once; its functions may be called from all of these, and it must outlive them. Implementations:
 * native/machine/posix.c (POSIX), wasm/ (browser, WASI). Absent on purpose: files, clock and randomness. The caller reads files, takes
 * times and chooses seeds.
 */
#ifndef RETORT_PLATFORM_H
#define RETORT_PLATFORM_H

#include "retort.h"

enum { RETORT_LOG_INFO = 0, RETORT_LOG_WARNING = 1 };

/* Bits of retort_platform.cpu_features, for instruction sets that a program cannot ask the CPU for itself (ARM: from HWCAP).
 * On x86 the core uses cpuid and ignores them. */
enum {
  RETORT_CPU_NEON = 1u << 0,
  RETORT_CPU_DOTPROD = 1u << 1,
  RETORT_CPU_I8MM = 1u << 2,
  RETORT_CPU_SHA2 = 1u << 3 /* SHA-256, of the cryptographic extension */
};

struct retort_platform {
  size_t struct_size;
  void *user; /* handed to each function below */

  /* `size` bytes aligned to 64, zeroed, or NULL. Large blocks should sit on huge pages where the system has them. */
  void *(*alloc)(void *user, size_t size);
  void (*free)(void *user, void *memory, size_t size);

  /* Calls work(arg, worker, n_workers) once for each worker = 0 .. n_workers - 1, worker 0 in the calling thread, as much at once as
   * threads are free, and returns when all are done. A call must not wait for another: two may run one after the other in one thread. All
   * memory effects of each are visible to the caller afterwards. Several threads may call it at once, each with work of its own, and a call
   * may come from inside `work`; a pool that is busy lets such a caller run all its shares itself. NULL: the core calls work(arg, 0, 1). */
  void (*parallel)(void *user, void (*work)(void *arg, unsigned worker, unsigned n_workers), void *arg);
  unsigned workers; /* n_workers that `parallel` uses; 0 counts as 1 */

  /* One line without newline; may be NULL. */
  void (*log)(void *user, int level, const char *line);

  uint32_t cpu_features;
};

#endif
