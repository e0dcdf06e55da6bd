/* test_number.c - digits, integers and decimal numbers; the doubles are those of the compiler's literals, the rules Python's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/number.h"

static void digits_end_where_pythons_do(void **state) {
  (void)state;
  static const struct {
    const char *text;
    unsigned base;
    size_t size;
  } cases[] = {{"", 10, 0},     {"12", 10, 2}, {"12a", 10, 2}, {"1_2", 10, 3},     {"1__2", 10, 1}, {"1_", 10, 1},
               {"_1", 10, 0},   {"19", 8, 1},  {"fFg", 16, 2}, {"f_f", 16, 3},     {"zZ", 36, 2},   {"0_1_0", 2, 5},
               {"1_2_", 10, 3}, {"-1", 10, 0}, {"1 2", 10, 1}, {"\xC3\xA9", 36, 0}};
  for (size_t i = 0; i < RT_COUNT(cases); i++)
    if (rt_digits(cases[i].text, strlen(cases[i].text), cases[i].base) != cases[i].size) fail_msg("case %zu: %s", i, cases[i].text);
  assert_int_equal(rt_digits("1_2", 2, 10), 1); /* nothing beyond `size` is looked at */
}

static void integers_fill_64_bits_and_no_more(void **state) {
  (void)state;
  int64_t value = 7;
  assert_true(rt_read_integer("9223372036854775807", 19, 10, false, &value) && value == INT64_MAX);
  assert_true(rt_read_integer("9223372036854775808", 19, 10, true, &value) && value == INT64_MIN);
  assert_true(rt_read_integer("7f_ff", 5, 16, false, &value) && value == 0x7FFF);
  assert_true(rt_read_integer("zz", 2, 36, false, &value) && value == 35 * 36 + 35);
  value = 7;
  assert_false(rt_read_integer("9223372036854775808", 19, 10, false, &value));
  assert_false(rt_read_integer("9223372036854775809", 19, 10, true, &value));
  assert_int_equal(value, 7);
}

static void decimals_are_read_to_the_last_bit(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool bare_point;
    size_t size;
    double value;
  } cases[] = {{"12", false, 2, 12},
               {"1_2.5_0", false, 7, 12.5},
               {"0.1", false, 3, 0.1},
               {"1e-3", false, 4, 1e-3},
               {"1E+2x", false, 4, 1e2},
               {"1e1_0", false, 5, 1e10},
               {"1e", false, 1, 1},
               {"1e+", false, 1, 1},
               {"1.e5", false, 1, 1},
               {"1.e5", true, 4, 1e5},
               {"5.", true, 2, 5},
               {"5.", false, 1, 5},
               {".5", true, 2, 0.5},
               {".5", false, 0, 0},
               {".", true, 0, 0},
               {".e5", true, 0, 0},
               {"", true, 0, 0},
               {"-1", true, 0, 0},
               {"1_.5", true, 1, 1},
               {"1._5", true, 2, 1},
               {"1.7976931348623157e308", false, 22, 1.7976931348623157e308},
               {"5e-324", false, 6, 5e-324},
               {"0.1e-999999999999999999999", false, 26, 0},
               {"123456789012345678901234567890.5", false, 32, 123456789012345678901234567890.5}};
  for (size_t i = 0; i < RT_COUNT(cases); i++) {
    size_t size = 99;
    double value = 0;
    assert_true(rt_read_decimal(cases[i].text, strlen(cases[i].text), cases[i].bare_point, &size, &value));
    if (size != cases[i].size || value != cases[i].value) fail_msg("case %zu: \"%s\" is %.17g in %zu bytes", i, cases[i].text, value, size);
  }
}

static void too_many_digits_are_refused(void **state) {
  (void)state;
  char text[RT_DECIMAL_MAX_DIGITS + 8];
  size_t size;
  double value = 7;
  memset(text, '0', sizeof text);
  text[0] = '1';
  text[1] = '.';
  assert_true(rt_read_decimal(text, RT_DECIMAL_MAX_DIGITS + 1, false, &size, &value));
  assert_int_equal(size, RT_DECIMAL_MAX_DIGITS + 1);
  assert_true(value == 1);
  assert_false(rt_read_decimal(text, RT_DECIMAL_MAX_DIGITS + 2, false, &size, &value));
  assert_int_equal(size, RT_DECIMAL_MAX_DIGITS + 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(digits_end_where_pythons_do),
      cmocka_unit_test(integers_fill_64_bits_and_no_more),
      cmocka_unit_test(decimals_are_read_to_the_last_bit),
      cmocka_unit_test(too_many_digits_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
