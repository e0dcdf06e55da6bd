/* rights.h - what of the machine a command keeps, by its command line. */
#ifndef RIGHTS_H
#define RIGHTS_H

#include "terminal/options.h"

/* Gives up all that command `c` with these options does not need; with --no-sandbox nothing. Called before any thread is started. */
void rights_reduce(const command *c, const options *o);

#endif
