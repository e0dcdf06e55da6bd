/* test_library_memory.c - what jansson and mbedTLS take from the C library's malloc, which retort.h bounds: the most for the most hostile
 * texts that are accepted, and that all of it is given back. Linked with --wrap, so that every request of these libraries is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <malloc.h>

#include "base/json.h"
#include "wrapped_malloc.h"

static size_t live, peak;
static bool counted; /* only between begin and end: what cmocka takes is not ours */

static void *took(void *memory) {
  if (!counted || !memory) return memory;
  live += malloc_usable_size(memory) + sizeof(size_t); /* and the block's own header */
  if (live > peak) peak = live;
  return memory;
}
static void gives(void *memory) {
  if (counted && memory) live -= malloc_usable_size(memory) + sizeof(size_t);
}
void *__wrap_malloc(size_t size) { return took(__real_malloc(size)); }
void *__wrap_calloc(size_t n, size_t size) { return took(__real_calloc(n, size)); }
void __wrap_free(void *memory) {
  gives(memory);
  __real_free(memory);
}
/* Both at once are alive for a moment where the block moves. */
void *__wrap_realloc(void *memory, size_t size) {
  void *fresh = took(__real_malloc(size));
  if (fresh && memory) {
    size_t old = malloc_usable_size(memory);
    memcpy(fresh, memory, old < size ? old : size);
    __wrap_free(memory);
  }
  return fresh;
}

/* The core's own memory comes from here and is not counted. */
static void *lend(void *user, size_t size) {
  (void)user;
  void *memory = __real_calloc(1, size + 64);
  return memory;
}
static void take_back(void *user, void *memory, size_t size) {
  (void)user, (void)size;
  __real_free(memory);
}
static const retort_platform platform = {.struct_size = sizeof platform, .alloc = lend, .free = take_back};

static void begin(void) {
  live = peak = 0;
  counted = true;
}
static size_t end(const char *what) {
  counted = false;
  printf("%-28s %8.1f MiB at most, %zu bytes left\n", what, (double)peak / 1048576, live);
  assert_int_equal(live, 0);
  return peak;
}

/* A text of at most `most` bytes made of `piece` (which may count with %x) over and over, and what parsing it takes; whether it is
 * accepted. */
static bool parse(const char *what, const char *open, const char *piece, const char *close, size_t times, size_t most) {
  char *text = __real_malloc(most + 1), *at = text;
  assert_non_null(text);
  at += sprintf(at, "%s", open);
  for (size_t i = 0; i < times; i++) at += sprintf(at, piece, (unsigned)i);
  at += sprintf(at, "%s", close);
  size_t size = (size_t)(at - text);
  assert_true(size <= most);
  rt_arena arena = {.platform = &platform};
  rt_json json;
  begin();
  retort_status status = rt_json_parse(&arena, text, size, most, "text", &json, NULL);
  end(what);
  rt_arena_close(&arena);
  __real_free(text);
  return status == RETORT_OK;
}

enum { TEXT = 64 << 20, MiB = 1 << 20 };

static void json_is_bounded(void **state) {
  (void)state;
  const size_t values = RT_JSON_MAX_VALUES - 2;
  assert_true(parse("empty objects", "[0", ",{}", "]", values / 2, TEXT));
  assert_true(peak <= (size_t)RT_JSON_LIBRARY_MEMORY);
  assert_true(parse("empty arrays", "[0", ",[]", "]", values / 2, TEXT));
  assert_true(peak <= (size_t)RT_JSON_LIBRARY_MEMORY);
  assert_true(parse("numbers", "[0", ",1", "]", values, TEXT));
  assert_true(peak <= (size_t)RT_JSON_LIBRARY_MEMORY);
  assert_true(parse("strings", "[0", ",\"\"", "]", values, TEXT));
  assert_true(peak <= (size_t)RT_JSON_LIBRARY_MEMORY);
  assert_true(parse("one member each", "[0", ",{\"a\":1}", "]", values / 3, TEXT));
  assert_true(peak <= (size_t)RT_JSON_LIBRARY_MEMORY);
  assert_true(parse("one object", "{\"\":0", ",\"%x\":1", "}", RT_JSON_MAX_MEMBERS - 1, TEXT));
  assert_true(peak <= (size_t)RT_JSON_LIBRARY_MEMORY);
  assert_true(parse("one long string", "[\"", "x", "\"]", TEXT - 4, TEXT));
  assert_true(peak <= (size_t)RT_JSON_LIBRARY_MEMORY);
  const size_t rest = TEXT - 3 * values / 2 - 16; /* as many objects as are accepted, and a string in all the room that they leave */
  char *end_string = __real_malloc(rest + 1);
  memset(end_string, 'x', rest);
  memcpy(end_string, ",\"", 2);
  memcpy(end_string + rest - 2, "\"]", 3);
  assert_true(parse("objects and a long string", "[0", ",{}", end_string, values / 2 - 2, TEXT));
  __real_free(end_string);
  assert_true(peak <= (size_t)RT_JSON_LIBRARY_MEMORY);
  assert_true(parse("strings that fill it", "[0", ",\"xxxxxxxxxxxxxxxxxxxxxxxxxxx\"", "]", values, TEXT));
  assert_true(peak <= (size_t)RT_JSON_LIBRARY_MEMORY);
}

static void more_values_are_refused(void **state) {
  (void)state;
  assert_false(parse("one value more", "[0", ",1", "]", RT_JSON_MAX_VALUES, TEXT));
  assert_int_equal(peak, 0); /* before the library sees it */
}

static size_t read_file(const char *path, char *buffer, size_t capacity) {
  FILE *file = fopen(path, "rb");
  size_t n = file ? fread(buffer, 1, capacity, file) : 0;
  if (file) fclose(file);
  return n;
}

/* Certificates one after the other, as many as the 64 KiB of a PEM file hold, in the most anchors that are accepted. */
static void certificates_are_bounded(void **state) {
  (void)state;
  static char one[8192], full[64 << 10];
  size_t n = read_file(RETORT_SOURCE_DIR "/tests/data/chains/root.pem", one, sizeof one), size = 0;
  assert_true(n > 0);
  while (size + n <= sizeof full) memcpy(full + size, one, n), size += n;
  const retort_buffer anchor = {sizeof anchor, full, size, "root.pem"};
  char name[256];
  begin();
  assert_int_equal(retort_trust_describe(&platform, RETORT_TRUST_CERTIFICATE, &anchor, name, NULL), RETORT_OK);
  assert_true(end("one file of certificates") <= 1 * (size_t)MiB);
  static char key[4096];
  const retort_buffer public_key = {sizeof public_key, key, read_file(RETORT_SOURCE_DIR "/models/retort-project.pub", key, sizeof key),
                                    NULL};
  begin();
  assert_int_equal(retort_trust_describe(&platform, RETORT_TRUST_KEY, &public_key, name, NULL), RETORT_OK);
  assert_true(end("one public key") <= 1 * (size_t)MiB);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(json_is_bounded),
      cmocka_unit_test(more_values_are_refused),
      cmocka_unit_test(certificates_are_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
