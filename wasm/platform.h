/* platform.h - what a WebAssembly host kind supplies to handles.c: memory, and workers where it has any. One file for each kind:
 * wasi/platform.c, browser/platform.c; what they share is libc.c. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include "retort_platform.h"

/* Fills memory and parallel; handles.c takes the log. */
void platform_fill(retort_platform *platform);

/* For the members alloc and free. */
void *platform_lend(void *user, size_t size);
void platform_take_back(void *user, void *memory, size_t size);

#endif
