/* download.h - a release from a web server into the folder `download` of a model under update (update.c). */
#ifndef DOWNLOAD_H
#define DOWNLOAD_H

#include "terminal/options.h"

typedef struct download {
  const options *o;   /* `from` is the URL */
  const char *folder; /* the model's folder, and open: */
  int dir;
  /* Called once the signature is known to be good and before the model is fetched: NAME@NUMBER as signed and the digest of the whole model.
   * EXIT_OK: go on; *done: there is nothing to fetch. */
  int (*judge)(void *arg, const char *name, const char *digest, bool *done);
  void *arg;
  /* out */
  char gguf[256];    /* the first model file by name */
  bool whole_folder; /* the signature is over the folder */
  bool done;
} download;

bool is_url(const char *from);

/* Fetches the signature, checks it against the options' policy, and then fetches exactly the files that it names, each up to its signed
 * size. What an earlier call for the same URL left half done is gone on with. EXIT_OK: all files are complete, synced, and not yet hashed.
 */
int download_release(download *d);
/* Removes `download` and what it remembers. */
int download_forget(const char *folder, int dir, bool json);

#endif
