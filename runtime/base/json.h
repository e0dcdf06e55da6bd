/* json.h - the one door to the JSON library: text in, a plain tree in the caller's arena out.
 *
 * Strict on purpose: RFC 8259 text in UTF-8, duplicate keys rejected, nothing after the value, size and nesting capped before the library
 * sees the text. Objects keep the order of their members, because templates print them in that order. Absent: writing JSON (whoever
 * writes knows its own format), numbers beyond int64 and double (an error that says so).
 */
#ifndef RT_BASE_JSON_H
#define RT_BASE_JSON_H

#include "base.h"

typedef enum rt_json_type {
  RT_JSON_NULL,
  RT_JSON_FALSE,
  RT_JSON_TRUE,
  RT_JSON_INTEGER,
  RT_JSON_REAL,
  RT_JSON_STRING,
  RT_JSON_ARRAY,
  RT_JSON_OBJECT
} rt_json_type;

typedef struct rt_json rt_json;
typedef struct rt_json_member rt_json_member;
struct rt_json {
  rt_json_type type;
  size_t count; /* bytes of a string, elements of an array, members of an object */
  union {
    int64_t integer;
    double real;
    const char *string; /* NUL-terminated too, but may hold NULs inside */
    const rt_json *items;
    const rt_json_member *members;
  } as;
};
struct rt_json_member {
  const char *key; /* NUL-terminated, without NULs inside */
  size_t key_size;
  rt_json value;
};

/* Values and keys cost the library many times their bytes in the text, so they are counted before it sees them. RT_JSON_LIBRARY_MEMORY:
 * the most bytes that it takes of the C library meanwhile, for texts of at most 64 MiB (tests/base/test_library_memory.c; retort.h says
 * it). */
/* RT_JSON_MAX_MEMBERS: of one object. Keys that were made to collide cost its square, so this bounds the work whatever the seed of the
 * hash. */
enum { RT_JSON_MAX_DEPTH = 64, RT_JSON_MAX_MEMBERS = 1024, RT_JSON_MAX_VALUES = 2 << 20, RT_JSON_LIBRARY_MEMORY = 384 << 20 };

/* Parses `size` bytes, at most `max_size`; `name` says in messages what the text is ("messages_json"). The tree lives in `arena`.
 * Errors: RETORT_ERROR_JSON with line, column and byte offset; RETORT_ERROR_MEMORY. */
retort_status rt_json_parse(rt_arena *arena, const char *text, size_t size, size_t max_size, const char *name, rt_json *out,
                            retort_error *error);

/* Member `key` of an object; NULL where there is none or `object` is none. */
const rt_json *rt_json_get(const rt_json *object, const char *key);

#endif
