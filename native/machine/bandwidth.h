/* bandwidth.h - how fast all workers together read memory: the ceiling of decoding. */
#ifndef BANDWIDTH_H
#define BANDWIDTH_H

#include "posix.h"

/* The best of a few passes over 256 MiB of huge-page memory (less where there is little), in bytes a second; 0 where there is no memory for
 * it. */
double read_bandwidth(const machine *m);

#endif
