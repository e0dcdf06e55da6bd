/* killer.c - preloaded into the program by test_update.py and test_download.py: ends it with SIGKILL at the RETORT_KILL_AT-th call that changes the disk. A write is torn: half of it is
 * done before. Calls of a child process are not counted. With RETORT_FULL=BYTES no more than so many bytes can be written, as on a full disk.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static long calls, written;
static pid_t first;

static int is_time(void) {
  const char *at = getenv("RETORT_KILL_AT");
  if (!first) first = getpid();
  return at && getpid() == first && ++calls == atol(at);
}
static void step(void) {
  if (is_time()) kill(getpid(), SIGKILL);
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name)

ssize_t write(int descriptor, const void *data, size_t size) {
  REAL(ssize_t, write, int, const void *, size_t);
  struct stat info;
  const char *full = getenv("RETORT_FULL");
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) return real(descriptor, data, size);
  if (is_time()) {
    if (real(descriptor, data, size / 2) >= 0) kill(getpid(), SIGKILL);
  }
  if (full && written + (long)size > atol(full)) {
    errno = ENOSPC;
    return -1;
  }
  written += (long)size;
  return real(descriptor, data, size);
}
int ftruncate(int descriptor, off_t size) {
  REAL(int, ftruncate, int, off_t);
  step();
  return real(descriptor, size);
}
int fsync(int descriptor) {
  REAL(int, fsync, int);
  step();
  return real(descriptor);
}
int mkdirat(int dir, const char *name, mode_t mode) {
  REAL(int, mkdirat, int, const char *, mode_t);
  step();
  return real(dir, name, mode);
}
int symlinkat(const char *target, int dir, const char *name) {
  REAL(int, symlinkat, const char *, int, const char *);
  step();
  return real(target, dir, name);
}
int renameat(int from, const char *name, int to, const char *fresh) {
  REAL(int, renameat, int, const char *, int, const char *);
  step();
  return real(from, name, to, fresh);
}
int unlinkat(int dir, const char *name, int flags) {
  REAL(int, unlinkat, int, const char *, int);
  step();
  return real(dir, name, flags);
}
