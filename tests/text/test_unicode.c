/* test_unicode.c - UTF-8 well-formed and not, character classes, and NFC. The reference tokenizers (oracle.tokens) check both on random
 * text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "counting.h"
#include "text/unicode.h"

static void every_scalar_value_survives_encoding_and_decoding(void **state) {
  (void)state;
  uint8_t bytes[4];
  for (uint32_t cp = 0; cp < 0x110000; cp++) {
    if (cp >= 0xD800 && cp < 0xE000) continue;
    size_t n = rt_utf8_encode(cp, bytes);
    uint32_t back;
    if (rt_utf8_decode(bytes, n, &back) != n || back != cp || !rt_utf8_valid(bytes, n)) fail_msg("U+%04X", cp);
    /* Every cut leaves an incomplete sequence that is known as such. */
    for (size_t cut = 1; cut < n; cut++)
      if (rt_utf8_incomplete(bytes, cut) != cut || rt_utf8_valid(bytes, cut)) fail_msg("U+%04X cut at %zu", cp, cut);
    if (rt_utf8_incomplete(bytes, n) != 0) fail_msg("U+%04X whole", cp);
  }
}

/* Expected number of replacement characters: Python's bytes.decode("utf-8", "replace"). */
static void ill_formed_bytes_count_as_maximal_subparts(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    int replaced;
  } cases[] = {{"\xff", 1},
               {"\x80\x80", 2},
               {"\xc0\xaf", 2},
               {"\xc3", 1},
               {"\xe2\x82", 1},
               {"\xe2\x82"
                "A",
                1},
               {"\xe0\x80", 2},
               {"\xed\xa0\x80", 3},
               {"\xf0\x9f\x98", 1},
               {"\xf0\x8f\x80", 3},
               {"\xf4\x90\x80\x80", 4},
               {"\xf5\x80", 2},
               {"\xf0\x9f\xe2\x82", 2},
               {"a\xc3\xc3\xa9z", 1}};
  for (size_t i = 0; i < RT_COUNT(cases); i++) {
    const uint8_t *p = (const uint8_t *)cases[i].bytes;
    size_t size = strlen(cases[i].bytes);
    int replaced = 0;
    uint32_t cp;
    for (size_t at = 0; at < size;) {
      at += rt_utf8_decode(p + at, size - at, &cp);
      assert_true(at <= size);
      replaced += cp == RT_UTF8_INVALID;
    }
    if (replaced != cases[i].replaced) fail_msg("case %zu: %d", i, replaced);
    assert_false(rt_utf8_valid(p, size));
  }
}

static void an_incomplete_end_is_only_what_can_still_be_completed(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t tail;
  } cases[] = {{"", 0},         {"abc", 0},      {"a\xc3", 1},    {"a\xe2\x82", 2},        {"a\xf0\x9f\x98", 3}, {"a\x80", 0}, {"a\xff", 0},
               {"\xed\xa0", 0}, {"\xe0\x80", 0}, {"\xf4\x90", 0}, {"\x80\x80\x80\x80", 0}, {"\xc3\xa9", 0},      {"\xc0", 0}};
  for (size_t i = 0; i < RT_COUNT(cases); i++)
    if (rt_utf8_incomplete((const uint8_t *)cases[i].bytes, strlen(cases[i].bytes)) != cases[i].tail) fail_msg("case %zu", i);
}

static void classes_are_those_of_unicode_16(void **state) {
  (void)state;
  static const struct {
    uint32_t cp;
    rt_class c;
  } cases[] = {{'a', RT_LETTER},     {'_', RT_PUNCTUATION}, {'`', RT_SYMBOL},    {'$', RT_SYMBOL},    {'7', RT_NUMBER},
               {'\n', RT_SPACE},     {0x7F, RT_OTHER},      {0x85, RT_SPACE},    {0xA0, RT_SPACE},    {0xAA, RT_LETTER},
               {0xB2, RT_NUMBER},    {0x301, RT_MARK},      {0x200B, RT_OTHER},  {0x2028, RT_SPACE},  {0x3000, RT_SPACE},
               {0x4E00, RT_LETTER},  {0x2167, RT_NUMBER},   {0xFF5C, RT_SYMBOL}, {0x2581, RT_SYMBOL}, {0xD800, RT_OTHER},
               {0x1F600, RT_SYMBOL}, {0x1C89, RT_LETTER},   {0xA7D2, RT_OTHER},  {0x10FFFF, RT_OTHER}};
  for (size_t i = 0; i < RT_COUNT(cases); i++)
    if (rt_unicode_class(cases[i].cp) != cases[i].c) fail_msg("U+%04X is %d", cases[i].cp, rt_unicode_class(cases[i].cp));
}

static void check_nfc(const char *text, const char *expected) {
  counting c = {0};
  retort_platform platform = counting_platform(&c);
  const uint8_t *out;
  size_t n, capacity;
  assert_true(rt_nfc(&platform, (const uint8_t *)text, strlen(text), &out, &n, &capacity));
  assert_int_equal(n, strlen(expected));
  assert_memory_equal(out, expected, n);
  if (capacity) rt_free(&platform, (void *)out, capacity);
  assert_int_equal(c.live, 0);
}

static void nfc_composes_reorders_and_leaves_the_rest(void **state) {
  (void)state;
  check_nfc("plain", "plain");
  check_nfc("e\u0301", "\u00e9");
  check_nfc("\u212b", "\u00c5");                                        /* a singleton */
  check_nfc("a\u0315\u0300\u05ae\u0300b", "\u00e0\u05ae\u0300\u0315b"); /* NormalizationTest part 1 */
  check_nfc("\u0344", "\u0308\u0301");                                  /* excluded from composition */
  check_nfc("\u1e69", "\u1e69");
  check_nfc("s\u0307\u0323", "\u1e69");
  check_nfc("\u1100\u1161\u11a8", "\uac01");
  check_nfc("\uac00\u11a8", "\uac01");
  check_nfc("\u0301e", "\u0301e");
  check_nfc("a\u0338\u0301", "\u00e1\u0338");  /* a mark of another class does not stand between */
  check_nfc("a\u0305\u0301", "a\u0305\u0301"); /* one of the same class does */
  check_nfc("\uac01\u11a8", "\uac01\u11a8");   /* a final consonant is there already */
  check_nfc("a\u0345\u0301", "\u00e1\u0345");
  check_nfc("\u09c7\u09be", "\u09cb");
  check_nfc("\U0002F800", "\u4e3d");
  check_nfc("a\u07fd\u0334", "a\u07fd\u0334"); /* U+07FD came with Unicode 11 and is left where it is, as in the reference */
}

static void a_megabyte_of_marks_is_ordered_in_linear_time(void **state) {
  (void)state;
  enum { N = 500000 };
  static char text[2 * N + 1];
  text[0] = 'q';
  for (size_t i = 0; i < N; i++) memcpy(text + 1 + 2 * i, i % 2 ? "\xcc\x81" : "\xcc\xa3", 2); /* U+0301 (230) and U+0323 (220) in turns */
  const uint8_t *out;
  size_t n, capacity;
  clock_t begin = clock();
  assert_true(rt_nfc(NULL, (const uint8_t *)text, sizeof text, &out, &n, &capacity));
  assert_true(clock() - begin < 5 * CLOCKS_PER_SEC); /* 30 ms; moving neighbours one by one takes half a minute */
  assert_int_equal(n, sizeof text);
  for (size_t i = 0; i < N; i++) assert_int_equal(out[1 + 2 * i + 1], i < N / 2 ? 0xa3 : 0x81);
  rt_free(NULL, (void *)out, capacity);
}

static void missing_memory_is_reported(void **state) {
  (void)state;
  for (size_t k = 1; k <= 2; k++) {
    counting c = {.fail_at = k};
    retort_platform platform = counting_platform(&c);
    const uint8_t *out;
    size_t n, capacity;
    assert_false(rt_nfc(&platform, (const uint8_t *)"e\u0301", 3, &out, &n, &capacity));
    assert_int_equal(c.live, 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_scalar_value_survives_encoding_and_decoding),
                                     cmocka_unit_test(ill_formed_bytes_count_as_maximal_subparts),
                                     cmocka_unit_test(an_incomplete_end_is_only_what_can_still_be_completed),
                                     cmocka_unit_test(classes_are_those_of_unicode_16),
                                     cmocka_unit_test(nfc_composes_reorders_and_leaves_the_rest),
                                     cmocka_unit_test(a_megabyte_of_marks_is_ordered_in_linear_time),
                                     cmocka_unit_test(missing_memory_is_reported)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
