/* output.h - files that commands write: there whole, or as they were before.
 *
 * What goes to a device, a pipe or a socket that already has the name is written there directly, and never removed.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

typedef struct output {
  FILE *file; /* to write to */
  const char *path;
  char real[4096];      /* what `path` leads to, through links */
  char temporary[4400]; /* beside it; "": written directly */
  bool json;
} output;

/* Both return an exit code, EXIT_OK or that of what was reported. output_close gives back what is open in any case: with EXIT_OK in `code`
 * the file takes its place and is on the disk, else nothing is left of it, and `code` comes back. */
int output_open(output *out, const char *path, bool secret, bool json);
int output_close(output *out, int code);
/* Removes what is not complete, from a signal handler that ends the process. */
void output_abandon(void);

/* Waits until what the descriptor holds is on the disk; false with errno, which is EINTR where an interrupt came meanwhile. */
bool sync_file(int descriptor);

/* A small file at once; `secret`: readable by the user alone, and never over an existing file. */
int write_file(const char *path, const void *data, size_t size, bool secret, bool json);

#endif
