/* watch.c - preloaded into the program by test_gate.py: looks over its shoulder, and plays the kernel.
 *
 * RETORT_WATCH=FILE: for each large mapping that is given back, a line "SIZE OTHER": how many of its bytes are not zero. Memory of a
 * refused model must be zero by then. RETORT_SEALED=1: FS_IOC_MEASURE_VERITY succeeds on every file, as on a kernel with fs-verity.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

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
