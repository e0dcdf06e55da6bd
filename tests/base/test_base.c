/* test_base.c - errors, arena and checked arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

static void a_long_message_is_cut_between_characters(void **state) {
  (void)state;
  char text[2000];
  for (int shift = 0; shift < 3; shift++) {
    memset(text, 'a', sizeof text);
    for (size_t i = (size_t)shift; i + 3 < sizeof text; i += 3) memcpy(text + i, "\xE2\x82\xAC", 3);
    text[sizeof text - 1] = 0;
    retort_error error;
    assert_int_equal(rt_fail(&error, RETORT_ERROR_FORMAT, "%s", text), RETORT_ERROR_FORMAT);
    size_t n = strlen(error.message);
    assert_true(n >= sizeof error.message - 4 && n < sizeof error.message);
    assert_int_equal((n - (size_t)shift) % 3, 0);
  }
}

static void arena_gives_aligned_zeroed_separate_memory(void **state) {
  (void)state;
  rt_arena arena = {0};
  uint8_t *seen[400];
  size_t sizes[400];
  for (size_t i = 0; i < 400; i++) {
    sizes[i] = (i * 977) % 9000 + 1;
    seen[i] = rt_arena_alloc(&arena, sizes[i], 1);
    assert_non_null(seen[i]);
    assert_int_equal((uintptr_t)seen[i] % (sizes[i] >= 256 ? 64 : 16), 0);
    for (size_t k = 0; k < sizes[i]; k++) assert_int_equal(seen[i][k], 0);
    memset(seen[i], (int)(i & 255), sizes[i]);
  }
  for (size_t i = 0; i < 400; i++)
    for (size_t k = 0; k < sizes[i]; k++) assert_int_equal(seen[i][k], i & 255);
  assert_null(rt_arena_alloc(&arena, SIZE_MAX / 2, 4));
  rt_arena_close(&arena);
}

static void checked_arithmetic_refuses_overflow(void **state) {
  (void)state;
  uint64_t r = 7;
  assert_false(rt_mul_u64(UINT64_MAX, 2, &r));
  assert_false(rt_add_u64(UINT64_MAX, 1, &r));
  assert_int_equal(r, 7);
  assert_true(rt_mul_u64(UINT32_MAX, UINT32_MAX, &r));
  assert_true(r == (uint64_t)UINT32_MAX * UINT32_MAX);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_long_message_is_cut_between_characters),
      cmocka_unit_test(arena_gives_aligned_zeroed_separate_memory),
      cmocka_unit_test(checked_arithmetic_refuses_overflow),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
