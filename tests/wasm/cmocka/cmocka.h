/* cmocka.h - the few names of cmocka that test_kernels.c and test_sha256.c use, for WASI, which has no setjmp: a failed check
 * ends the program. */
#ifndef CMOCKA_H
#define CMOCKA_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define print_message(...) printf(__VA_ARGS__)
#define fail_msg(...) (printf("%s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__), printf("\n"), exit(1))
#define assert_true(condition) ((condition) ? (void)0 : fail_msg("%s", #condition))
#define assert_int_equal(a, b) assert_true((a) == (b))
#define assert_string_equal(a, b) assert_true(strcmp(a, b) == 0)
#define assert_null(p) assert_true((p) == NULL)
#define assert_non_null(p) assert_true((p) != NULL)
#define assert_memory_equal(a, b, size) assert_true(memcmp(a, b, size) == 0)

struct CMUnitTest {
  const char *name;
  void (*run)(void **state);
};
#define cmocka_unit_test(f) {#f, f}
#define cmocka_run_group_tests(tests, setup, teardown) run_tests(tests, sizeof(tests) / sizeof *(tests))
static inline int run_tests(const struct CMUnitTest *tests, size_t n) {
  for (size_t i = 0; i < n; i++) {
    void *state = NULL;
    tests[i].run(&state);
    printf("[       OK ] %s\n", tests[i].name);
  }
  return 0;
}

#endif
