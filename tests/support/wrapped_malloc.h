/* wrapped_malloc.h - for tests that are linked with --wrap=malloc and its like, to stand in front of the C library: its names, and theirs.
 */
#ifndef WRAPPED_MALLOC_H
#define WRAPPED_MALLOC_H

#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

#endif
