/* fetch.h - files from a web server into files here: HTTPS or HTTP, resumed where they broke off. */
#ifndef FETCH_H
#define FETCH_H

#include "terminal/options.h"
#include "terminal/report.h"

typedef struct fetch fetch;

/* For files below the folder `url` ("https://host/path/"). Returns EXIT_OK, or the exit code once the error was reported; call fetch_close
 * in either case. */
int fetch_open(fetch **f, const options *o, const char *url);
void fetch_close(fetch *f);

typedef struct fetch_file {
  const char *name;    /* below the folder's URL; a plain name */
  uint64_t most;       /* bytes; the transfer ends with an error beyond them */
  uint64_t size;       /* exactly so many; 0: not known */
  unsigned seconds;    /* for all tries together; 0: as long as it comes at a rate worth waiting for */
  bool optional;       /* that the server does not have it is no error */
  char validator[256]; /* in: the ETag or date under which `descriptor` holds the beginning of the file, "": none; out: the one of this
                          transfer */
  bool found;          /* out */
} fetch_file;
/* Appends to what the open file `descriptor` holds, where the server still has the file with that validator, else writes it anew. Tries
 * again after broken connections. `note` is called with the validator before the first byte is written. On failure what arrived stays, for
 * the next time. */
int fetch_get(fetch *f, fetch_file *file, int descriptor, int (*note)(void *arg, const fetch_file *file), void *arg);

#endif
