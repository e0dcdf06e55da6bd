/* structs.h - the structs of retort.h at the door: a caller's may be shorter or longer than this library's.
 *
 * Each begins with its struct_size, and members are only ever added at the end. So a shorter one is an older caller's: what it lacks has
 * its default. A longer one is a newer caller's: it is taken where what this library does not know is zero. Inside the library every struct
 * has its full size; nothing but these functions looks at a size that a caller gave.
 */
#ifndef RT_BASE_STRUCTS_H
#define RT_BASE_STRUCTS_H

#include "base.h"

/* Copies the caller's `from` over `to`, which has `size` bytes and holds the defaults. `from` NULL: they stay. `name` for the message. */
retort_status rt_struct_read(void *to, size_t size, const void *from, const char *name, retort_error *error);

/* The same for an array of `n`, whose elements lie as far apart as the first one's struct_size says, into `arena`; the defaults are zeros.
 * *out is (n) structs of `size` bytes. */
retort_status rt_structs_read(rt_arena *arena, void *out, size_t size, const void *from, size_t n, const char *name, retort_error *error);

/* A result that the caller wants: whether its size is one that can be. Asked before the work is done. */
retort_status rt_struct_check(const void *result, const char *name, retort_error *error);

/* Fills it from `from` of `size` bytes: as many as the caller has room for, zeros behind what this library knows. Its struct_size stays. */
void rt_struct_write(void *result, const void *from, size_t size);

/* What the *_options_init functions do: as rt_struct_write, for a struct of `given` bytes that is not written yet. */
void rt_struct_init(void *options, size_t given, const void *defaults, size_t size);

/* What every function that opens something asks of its platform first. NULL is well: the C library's memory, one thread. */
retort_status rt_platform_check(const retort_platform *platform, retort_error *error);

#endif
