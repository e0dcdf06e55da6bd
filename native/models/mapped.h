/* mapped.h - files mapped into memory, which may become shorter while they are read. */
#ifndef MAPPED_H
#define MAPPED_H

#include <stdbool.h>
#include <stddef.h>

/* The `size` bytes of the open file, to be read only; NULL with errno. Where they are no longer there when they are read, the process ends
 * with an error that gives `name`, and no output stays half written. */
const void *map_file(int descriptor, size_t size, const char *name, bool json);
void unmap_file(const void *memory, size_t size);

#endif
