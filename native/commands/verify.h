/* verify.h - a model on disk, file, split set or folder, against the trust policy of the options. */
#ifndef VERIFY_H
#define VERIFY_H

#include "terminal/options.h"
#include "machine/posix.h"
#include "retort.h"

/* Reads and hashes all of `model`, changes nothing and keeps nothing. Returns EXIT_OK with the verdict, or the exit code once the error was
 * reported. Files that are cut short meanwhile end the program (SIGBUS), unless the caller lets nobody else write them. */
int verify_files(const options *o, const machine *m, const char *model, retort_verdict *verdict);

#endif
