/* platform.h - what a WebAssembly host kind supplies to abi.c: memory, and workers where it has any. One file for each kind: wasi/platform.c. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include "base/platform.h"

/* Fills memory and parallel; abi.c takes the log. */
void platform_fill(retort_platform *platform);

#endif
