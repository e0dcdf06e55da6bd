/* posix.h - the platform that the program supplies to the core: memory, threads, log. */
#ifndef POSIX_H
#define POSIX_H

#include "retort_platform.h"
#include "hardware.h"
#include "terminal/report.h"

typedef struct machine machine;

/* A platform with `threads` workers (0: as hardware.h says), or NULL when there is no memory. Log lines of level INFO are shown only where
 * `verbose`. One pool, which any number of threads may call: it serves one at a time, and who finds it busy does its work alone. */
machine *machine_open(unsigned threads, bool verbose);
/* `asked`, or with a warning as many as there are processors for: threads that wait for each other must not wait for a processor too. */
unsigned usable_threads(unsigned asked);
void machine_close(machine *m);
const retort_platform *machine_platform(const machine *m);
uint64_t machine_allocated(const machine *m); /* bytes in use now */

#endif
