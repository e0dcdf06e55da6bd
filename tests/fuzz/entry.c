/* entry.c - libFuzzer's entry into a target (target.h), with a limit on the processor time of one input: what is slow is a finding too.
 *
 * libFuzzer's own limit is in time by the clock, which says little on a machine that does something else besides.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "target.h"

/* An input that takes a second in the program takes this much of it under the sanitizers and the counters of the fuzzer. */
enum { MOST_SECONDS = 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static double seconds_used(void) {
  struct timespec now;
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0) return 0;
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const double start = seconds_used();
  fuzz_one(data, size);
  const double seconds = seconds_used() - start;
  if (seconds > MOST_SECONDS) {
    fprintf(stderr, "slow: %.1f s of processor time for an input of %zu bytes, the most is %d\n", seconds, size, MOST_SECONDS);
    abort();
  }
  return 0;
}
