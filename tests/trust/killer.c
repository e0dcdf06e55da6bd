/* killer.c - preloaded into the program by the tests of `retort update`: ends it with SIGKILL at the RETORT_KILL_AT-th call that changes
 * the disk. Calls of a child process are not counted. RETORT_TORN=N: of what is being written just then, N quarters arrive; "lost":
 * besides, what was written and not yet synced reads as zeros, as after a power cut. With RETORT_FULL=BYTES no more than so many bytes can
 * be written, as on a full disk.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long calls, written;
static pid_t first;
static struct {
  int file;
  ino_t inode;
  off_t from;
} unsynced[64];

static int is_time(void) {
  const char *at = getenv("RETORT_KILL_AT");
  if (!first) first = getpid();
  return at && getpid() == first && ++calls == atol(at);
}
static void end(void) {
  const char *torn = getenv("RETORT_TORN");
  if (torn && strcmp(torn, "lost") == 0)
    for (size_t i = 0; i < 64; i++) {
      if (!unsynced[i].inode) continue;
      off_t size = lseek(unsynced[i].file, 0, SEEK_END);
      for (off_t k = unsynced[i].from; k < size; k++)
        if (pwrite(unsynced[i].file, "", 1, k) != 1) abort();
    }
  kill(getpid(), SIGKILL);
}
static void step(void) {
  if (is_time()) end();
}
static void note(int descriptor, ino_t inode, int synced) {
  size_t at = 0;
  while (at < 64 && unsynced[at].inode != inode) at++;
  if (synced && at < 64) close(unsynced[at].file), unsynced[at].inode = 0;
  if (synced || at < 64) return;
  for (at = 0; at < 64 && unsynced[at].inode;) at++;
  if (at == 64) abort();
  unsynced[at].file = dup(descriptor), unsynced[at].inode = inode, unsynced[at].from = lseek(descriptor, 0, SEEK_CUR);
}

#define REAL(type, name, ...)       \
  static type (*real)(__VA_ARGS__); \
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name)

ssize_t write(int descriptor, const void *data, size_t size) {
  REAL(ssize_t, write, int, const void *, size_t);
  struct stat info;
  const char *full = getenv("RETORT_FULL");
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) return real(descriptor, data, size);
  note(descriptor, info.st_ino, 0);
  if (is_time()) {
    const char *torn = getenv("RETORT_TORN");
    if (real(descriptor, data, size * (torn ? (size_t)atol(torn) : 2) / 4) >= 0) end();
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
  struct stat info;
  step();
  if (fstat(descriptor, &info) == 0) note(descriptor, info.st_ino, 1);
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
