/* mapped.c - see mapped.h.
 *
 * The kernel tells of bytes that went away by a signal in the midst of a computation (SIGBUS), in whichever thread that was. Going on is
 * not possible, and nothing that was computed from there on may be shown, so the process ends in the handler. What it says was made up
 * beforehand, for a handler may hardly do more than write and leave.
 */
#include "mapped.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "output.h"
#include "terminal/report.h"

typedef struct mapping {
  struct mapping *next;
  uintptr_t begin, end;
  char *words, *object; /* for standard error; for standard output, NULL without --json */
} mapping;

static mapping *volatile mappings; /* changed only while no other thread computes */

static void on_fault(int number, siginfo_t *info, void *context) {
  const uintptr_t at = (uintptr_t)info->si_addr;
  (void)context;
  for (const mapping *m = mappings; m; m = m->next) {
    if (at < m->begin || at >= m->end) continue;
    output_abandon();
    ssize_t n = write(STDERR_FILENO, m->words, strlen(m->words));
    if (m->object) n = write(STDOUT_FILENO, m->object, strlen(m->object));
    (void)n;
    _exit(EXIT_MODEL);
  }
  signal(number, SIG_DFL); /* it comes again at once, and then it ends the process */
}

static bool make_words(mapping *m, const char *name, bool json) {
  char message[1024], line[1100];
  snprintf(message, sizeof message, "%.800s became shorter, or could not be read, while it was in use as mapped memory (--mmap)",
           shown(name).text);
  snprintf(line, sizeof line, "\nretort: error: %s\n", message);
  m->words = strdup(line);
  if (!m->words || !json) return m->words != NULL;
  json_t *object = json_pack("{s:{s:i,s:s,s:s}}", "error", "code", EXIT_MODEL, "kind", "model", "message", message);
  m->object = json_dumps(object, 0);
  json_decref(object);
  return m->object != NULL;
}

static void free_mapping(mapping *m) {
  if (!m) return;
  free(m->words);
  free(m->object);
  free(m);
}

const void *map_file(int descriptor, size_t size, const char *name, bool json) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  mapping *m = calloc(1, sizeof *m);
  void *memory = m && make_words(m, name, json) ? mmap(NULL, size, PROT_READ, MAP_SHARED, descriptor, 0) : MAP_FAILED;
  if (memory == MAP_FAILED) {
    const int reason = m && m->words ? errno : ENOMEM;
    free_mapping(m);
    errno = reason;
    return NULL;
  }
  m->begin = (uintptr_t)memory;
  m->end = m->begin + size;
  m->next = mappings;
  mappings = m;
  sigaction(SIGBUS, &action, NULL);
  return memory;
}

void unmap_file(const void *memory, size_t size) {
  mapping *before = NULL, *m = mappings;
  while (m && m->begin != (uintptr_t)memory) before = m, m = m->next;
  if (m && before) before->next = m->next;
  else if (m) mappings = m->next;
  munmap((void *)(uintptr_t)memory, size);
  free_mapping(m);
}
