/* escape.c - preloaded into the program by test_sandbox.py: what a fault of ours could give to somebody else, a function of his own in our
 * process. When the program has begun its work it tries what RETORT_ESCAPE says, one thing a line, in a thread of its own as well, and
 * says on standard error how that went: "read /etc/passwd: Permission denied".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int try_one(const char *what, const char *name) {
  char *words[] = {"/bin/true", NULL};
  if (strcmp(what, "read") == 0) return open(name, O_RDONLY);
  if (strcmp(what, "write") == 0) return open(name, O_WRONLY | O_CREAT, 0600);
  if (strcmp(what, "change") == 0) return open(name, O_WRONLY | O_APPEND);
  if (strcmp(what, "remove") == 0) return unlink(name);
  if (strcmp(what, "folder") == 0) return mkdir(name, 0700);
  if (strcmp(what, "link") == 0) return symlink("/", name);
  if (strcmp(what, "exec") == 0) return execv("/bin/true", words);
  if (strcmp(what, "kill") == 0) return kill(getppid(), 0);
  if (strcmp(what, "trace") == 0) return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
  if (strcmp(what, "type") == 0) return ioctl(STDIN_FILENO, TIOCSTI, "x");
  if (strcmp(what, "socket") == 0) return socket(AF_INET, SOCK_STREAM, 0);
  if (strcmp(what, "unix") == 0) return socket(AF_UNIX, SOCK_STREAM, 0);
  errno = EINVAL;
  return -1;
}

static void *try_all(void *where) {
  char lines[4096], *rest = NULL;
  snprintf(lines, sizeof lines, "%s", getenv("RETORT_ESCAPE"));
  for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    char *name = strchr(line, ' ');
    if (name) *name++ = 0;
    errno = 0;
    const int code = try_one(line, name);
    fprintf(stderr, "%s: %s %s: %s\n", (const char *)where, line, name ? name : "", code >= 0 ? "done" : strerror(errno));
  }
  return NULL;
}

int posix_memalign(void **memory, size_t unit, size_t size) {
  static int (*real)(void **, size_t, size_t);
  static int tried;
  pthread_t thread;
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "posix_memalign");
  if (!tried++ && getenv("RETORT_ESCAPE")) {
    if (pthread_create(&thread, NULL, try_all, "thread") == 0) pthread_join(thread, NULL);
    try_all("main");
  }
  return real(memory, unit, size);
}
