/* watch.c - preloaded into the program by test_gate.py and test_download.py: looks over its shoulder, and plays the kernel.
 *
 * RETORT_WATCH=FILE: for each large mapping that is given back, a line "SIZE OTHER": how many of its bytes are not zero. Memory of a
 * refused model must be zero by then. RETORT_SEALED=1: FS_IOC_MEASURE_VERITY succeeds on every file, as on a kernel with fs-verity.
 * RETORT_HURRY=N: the clock that measures durations runs N times as fast, and pauses are as much shorter.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/fsverity.h>

int munmap(void *memory, size_t size) {
  static int (*real)(void *, size_t);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "munmap");
  const char *path = getenv("RETORT_WATCH");
  FILE *file = path && size >= (size_t)1 << 20 ? fopen(path, "a") : NULL;
  if (file) {
    size_t other = 0;
    for (size_t i = 0; i < size; i++) other += ((const char *)memory)[i] != 0;
    fprintf(file, "%zu %zu\n", size, other);
    fclose(file);
  }
  return real(memory, size);
}

int ioctl(int descriptor, unsigned long request, ...) {
  static int (*real)(int, unsigned long, ...);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "ioctl");
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  if (request == FS_IOC_MEASURE_VERITY && getenv("RETORT_SEALED")) return 0;
  return real(descriptor, request, argument);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
  const char *times = getenv("RETORT_HURRY");
  const int code = real(clock, now);
  if (code != 0 || !times || (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_RAW)) return code;
  const long n = strtol(times, NULL, 10);
  const long long all = n * now->tv_nsec;
  now->tv_sec = now->tv_sec * n + all / 1000000000;
  now->tv_nsec = all % 1000000000;
  return 0;
}

int usleep(useconds_t microseconds) {
  static int (*real)(useconds_t);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "usleep");
  const char *times = getenv("RETORT_HURRY");
  return real(times ? microseconds / (useconds_t)strtol(times, NULL, 10) : microseconds);
}
