/* structs.c - see structs.h. */
#include "structs.h"

#include <string.h>

/* No struct of this or any later version is larger; a struct_size that was never set mostly is. */
enum { LARGEST = 4096 };

static size_t size_of(const void *given) {
  size_t size;
  memcpy(&size, given, sizeof size);
  return size;
}

retort_status rt_struct_check(const void *given, const char *name, retort_error *error) {
  size_t size = size_of(given);
  if (size >= sizeof size && size <= LARGEST && size % _Alignof(size_t) == 0) return RETORT_OK;
  return rt_fail(error, RETORT_ERROR_ARGUMENT, "%s.struct_size is %zu, which no version has: set it to sizeof(%s)", name, size, name);
}

static retort_status read_one(void *to, size_t size, const void *from, const char *name, retort_error *error) {
  size_t given = size_of(from);
  const unsigned char *bytes = from;
  for (size_t i = size; i < given; i++)
    if (bytes[i])
      return rt_fail(
          error, RETORT_ERROR_ARGUMENT,
          "%s asks for something that this library does not know: it has %zu bytes, of which byte %zu is not 0, and this library "
          "(%s) knows %zu; leave newer members at 0, or use a newer library",
          name, given, i, RETORT_VERSION_STRING, size);
  memcpy(to, from, given < size ? given : size);
  memcpy(to, &size, sizeof size);
  return RETORT_OK;
}

retort_status rt_struct_read(void *to, size_t size, const void *from, const char *name, retort_error *error) {
  if (!from) return RETORT_OK;
  retort_status status = rt_struct_check(from, name, error);
  return status ? status : read_one(to, size, from, name, error);
}

retort_status rt_structs_read(rt_arena *arena, void *out, size_t size, const void *from, size_t n, const char *name, retort_error *error) {
  if (n && !from) return rt_fail(error, RETORT_ERROR_ARGUMENT, "%zu structs %s are announced, but the array is NULL", n, name);
  char *list = rt_arena_alloc(arena, n, size);
  if (!list) return rt_fail_memory(error, n * (uint64_t)size, name);
  retort_status status = n ? rt_struct_check(from, name, error) : RETORT_OK;
  for (size_t i = 0, stride = n && !status ? size_of(from) : 0; !status && i < n; i++) {
    const char *element = (const char *)from + i * stride;
    if (size_of(element) != stride)
      return rt_fail(error, RETORT_ERROR_ARGUMENT, "%s %zu has the struct_size %zu and the first of the array %zu: set each to sizeof(%s)",
                     name, i, size_of(element), stride, name);
    status = read_one(list + i * size, size, element, name, error);
  }
  if (!status) memcpy(out, &list, sizeof list);
  return status;
}

void rt_struct_init(void *options, size_t given, const void *defaults, size_t size) {
  if (!options || given < sizeof given) return;
  memset(options, 0, given);
  memcpy(options, defaults, given < size ? given : size);
  memcpy(options, &given, sizeof given);
}

void rt_struct_write(void *result, const void *from, size_t size) { rt_struct_init(result, size_of(result), from, size); }

retort_status rt_platform_check(const retort_platform *platform, retort_error *error) {
  retort_platform known = {0};
  retort_status status = rt_struct_read(&known, sizeof known, platform, "retort_platform", error);
  if (status) return status;
  if (!known.alloc == !known.free) return RETORT_OK;
  return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_platform has only one of alloc and free: give both or none");
}
