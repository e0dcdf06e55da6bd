/* sandbox.h - what this process can no longer do once it has read its command line, on Linux: Landlock for files, seccomp for the rest. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>

typedef struct sandbox {
  int rules; /* Landlock's; -1: the kernel has none */
} sandbox;

enum { SANDBOX_READ, SANDBOX_WRITE };

void sandbox_open(sandbox *s);
/* Leaves `path`, and all below it, open to reading, or to reading and writing. What is not there is passed over. */
void sandbox_allow(sandbox *s, const char *path, int how);
/* From here on this thread, and every thread and process that it starts, sees only what was allowed, executes no program, and opens no
 * connection unless `network`. What is open already stays so. There is no way back. */
void sandbox_enter(sandbox *s, bool network);
/* Takes the network away too, from a process that had kept it. */
void sandbox_leave_network(void);

/* In words, for people: what holds, or why nothing does. */
const char *sandbox_words(void);
/* What to add to the error of an open that failed: "" or, where the file's own rights would have let us, a hint at the sandbox. */
const char *sandbox_hint(const char *path, int how);

#endif
