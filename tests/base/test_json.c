/* test_json.c - the door to the JSON library: what it lets in, in which shape, and what it turns away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "counting.h"

static void values_keep_type_order_and_bytes(void **state) {
  (void)state;
  static const char text[] =
      "{\"z\": [1, -9223372036854775808, 2.5, true, false, null], \"a\": \"h\\u00e9\\u0000\\ud83d\\ude42\", \"\": {}}";
  rt_arena arena = {0};
  rt_json json;
  assert_int_equal(rt_json_parse(&arena, text, strlen(text), 1000, "test", &json, NULL), RETORT_OK);
  assert_int_equal(json.type, RT_JSON_OBJECT);
  assert_int_equal(json.count, 3);
  assert_string_equal(json.as.members[0].key, "z"); /* in the order of the text */
  assert_string_equal(json.as.members[1].key, "a");
  assert_string_equal(json.as.members[2].key, "");
  const rt_json *list = rt_json_get(&json, "z"), *string = rt_json_get(&json, "a"), *empty = rt_json_get(&json, "");
  assert_int_equal(list->count, 6);
  static const rt_json_type types[] = {RT_JSON_INTEGER, RT_JSON_INTEGER, RT_JSON_REAL, RT_JSON_TRUE, RT_JSON_FALSE, RT_JSON_NULL};
  for (size_t i = 0; i < 6; i++) assert_int_equal(list->as.items[i].type, types[i]);
  assert_true(list->as.items[1].as.integer == INT64_MIN);
  assert_true(list->as.items[2].as.real == 2.5);
  assert_int_equal(string->count, 8);
  assert_memory_equal(string->as.string, "h\xc3\xa9\0\xf0\x9f\x99\x82", 9);
  assert_int_equal(empty->type, RT_JSON_OBJECT);
  assert_int_equal(empty->count, 0);
  assert_null(rt_json_get(&json, "nope"));
  assert_null(rt_json_get(list, "z"));
  assert_null(rt_json_get(NULL, "z"));
  rt_arena_close(&arena);
}

static retort_status parse(const char *text, size_t size, size_t max, retort_error *error) {
  rt_arena arena = {0};
  rt_json json;
  char *exact = malloc(size ? size : 1); /* no byte to spare: reading on is seen by the sanitizer */
  memcpy(exact, text, size);
  *error = (retort_error){0};
  retort_status status = rt_json_parse(&arena, exact, size, max, "the_name", &json, error);
  free(exact);
  rt_arena_close(&arena);
  return status;
}

static void what_is_not_json_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *words;
  } cases[] = {{"", "the_name"},
               {"{\"a\": 1, \"a\": 2}", "duplicate"},
               {"{\"a\": {\"b\": 1, \"b\": 1}}", "duplicate"},
               {"{\"a\": 1, \"\\u0061\": 2}", "duplicate"},
               {"[1,]", "line 1"},
               {"[1] x", "end of file"},
               {"\n\n [1 2]", "line 3"},
               {"'a'", "line 1"},
               {"NaN", "line 1"},
               {"01", "line 1"},
               {"9223372036854775808", "big"},
               {"1e999", "real number overflow"},
               {"\"\xff\"", "decode"},
               {"\"\\ud800\"", "line 1"},
               {"\"a\nb\"", "line 1"},
               {"{\"a\\u0000\": 1}", "NUL"},
               {"// no\n1", "line 1"},
               {"[", "line 1"},
               {"\"", "line 1"}};
  retort_error error;
  for (size_t i = 0; i < RT_COUNT(cases); i++) {
    assert_int_equal(parse(cases[i].text, strlen(cases[i].text), 1000, &error), RETORT_ERROR_JSON);
    if (!strstr(error.message, cases[i].words) || !strstr(error.message, "the_name")) fail_msg("%s: %s", cases[i].text, error.message);
  }
}

static void size_and_nesting_are_capped(void **state) {
  (void)state;
  retort_error error;
  assert_int_equal(parse("[1]", 3, 3, &error), RETORT_OK);
  assert_int_equal(parse("[1]", 3, 2, &error), RETORT_ERROR_JSON);
  assert_non_null(strstr(error.message, "at most 2"));
  enum { MANY = 1000000 };
  char *deep = malloc(MANY);
  memset(deep, '[', MANY);
  for (size_t n = RT_JSON_MAX_DEPTH; n < MANY; n += MANY / 3) {
    bool closed = n <= RT_JSON_MAX_DEPTH;
    if (closed) memset(deep + n, ']', n);
    assert_int_equal(parse(deep, closed ? 2 * n : n, MANY, &error), closed ? RETORT_OK : RETORT_ERROR_JSON);
    memset(deep, '[', MANY);
  }
  memset(deep + RT_JSON_MAX_DEPTH + 1, ']', RT_JSON_MAX_DEPTH + 1);
  assert_int_equal(parse(deep, 2 * (RT_JSON_MAX_DEPTH + 1), MANY, &error), RETORT_ERROR_JSON);
  assert_non_null(strstr(error.message, "nested deeper than"));
  /* Brackets inside of strings do not count. */
  deep[0] = '"';
  memset(deep + 1, '[', 1000);
  memcpy(deep + 500, "\\\"", 2);
  deep[1001] = '"';
  assert_int_equal(parse(deep, 1002, MANY, &error), RETORT_OK);
  free(deep);
}

/* `n` members in each of `objects` objects of one array. */
static retort_status parse_members(int objects, int n, retort_error *error) {
  char *text = malloc((size_t)objects * (size_t)n * 16 + (size_t)objects * 4 + 8), *p = text;
  for (int o = 0; o < objects; o++) {
    *p++ = o ? ',' : '[';
    for (int i = 0; i < n; i++) p += sprintf(p, "%c\"a:,%d\":0", i ? ',' : '{', i);
    *p++ = '}';
  }
  *p++ = ']';
  const retort_status status = parse(text, (size_t)(p - text), SIZE_MAX, error);
  free(text);
  return status;
}

static void members_of_an_object_are_capped(void **state) {
  (void)state;
  retort_error error;
  assert_int_equal(parse_members(100, RT_JSON_MAX_MEMBERS, &error), RETORT_OK);
  assert_int_equal(parse_members(1, RT_JSON_MAX_MEMBERS + 1, &error), RETORT_ERROR_JSON);
  assert_non_null(strstr(error.message, "the_name: an object with more than 1024 members at offset"));
}

static void every_truncation_and_change_ends_well(void **state) {
  (void)state;
  static const char text[] = "{\"messages\": [{\"role\": \"user\", \"content\": \"a\\u00e9\\n\"}, [1, -2.5e3, null, true]], \"x\": {}}";
  retort_error error;
  for (size_t n = 0; n < sizeof text - 1; n++) assert_int_equal(parse(text, n, 1000, &error), RETORT_ERROR_JSON);
  char changed[sizeof text];
  for (size_t i = 0; i < sizeof text - 1; i++)
    for (int c = 0; c < 256; c++) {
      memcpy(changed, text, sizeof text);
      changed[i] = (char)c;
      retort_status status = parse(changed, sizeof text - 1, 1000, &error);
      assert_true(status == RETORT_OK || status == RETORT_ERROR_JSON);
    }
}

static void refused_memory_is_an_error(void **state) {
  (void)state;
  enum { ITEMS = 20000 };
  char *text = malloc(8 * ITEMS + 8), *p = text;
  *p++ = '[';
  for (int i = 0; i < ITEMS; i++) p = memcpy(p, "[\"abc\"],", 8), p += 8;
  memcpy(p - 1, "]", 2);
  for (size_t k = 1;; k++) {
    counting c = {.fail_at = k};
    retort_platform platform = counting_platform(&c);
    rt_arena arena = {.platform = &platform};
    rt_json json;
    retort_status status = rt_json_parse(&arena, text, strlen(text), 1 << 20, "test", &json, NULL);
    rt_arena_close(&arena);
    assert_int_equal(c.live, 0);
    if (c.calls < k) {
      assert_int_equal(status, RETORT_OK);
      assert_true(k > 5);
      break;
    }
    assert_int_equal(status, RETORT_ERROR_MEMORY);
  }
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_keep_type_order_and_bytes),      cmocka_unit_test(what_is_not_json_is_refused),
      cmocka_unit_test(size_and_nesting_are_capped),           cmocka_unit_test(members_of_an_object_are_capped),
      cmocka_unit_test(every_truncation_and_change_ends_well), cmocka_unit_test(refused_memory_is_an_error)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
