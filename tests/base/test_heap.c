/* test_heap.c - heaps held against the C library's qsort, with many equal keys. */
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/heap.h"

typedef struct item {
  unsigned key, order;
} item;

static bool before(item a, item b) { return a.key != b.key ? a.key < b.key : a.order < b.order; }
RT_HEAP(heap, item, before)

static int compare(const void *a, const void *b) {
  const item *x = a, *y = b;
  return before(*x, *y) ? -1 : before(*y, *x);
}

enum { MOST = 200 };

static size_t fill(item *items, size_t count, unsigned seed) {
  for (size_t i = 0; i < count; i++) {
    seed = seed * 1664525u + 1013904223u;
    items[i] = (item){seed >> 28, (unsigned)i};
  }
  return count;
}

static void sorting_puts_the_first_last(void **state) {
  (void)state;
  item items[MOST], expected[MOST];
  for (size_t count = 0; count <= MOST; count++) {
    fill(items, count, (unsigned)count);
    fill(expected, count, (unsigned)count);
    qsort(expected, count, sizeof *expected, compare);
    heap_make(items, count);
    heap_sort(items, count);
    for (size_t i = 0; i < count; i++) assert_int_equal(items[i].order, expected[count - 1 - i].order);
  }
}

static void what_is_pushed_comes_off_in_order(void **state) {
  (void)state;
  item items[MOST], expected[MOST], built[MOST];
  size_t count = 0;
  fill(items, MOST, 7);
  fill(expected, MOST, 7);
  qsort(expected, MOST, sizeof *expected, compare);
  for (size_t i = 0; i < MOST; i++) heap_push(built, &count, items[i]);
  assert_int_equal(count, MOST);
  for (size_t i = 0; i < MOST; i++) assert_int_equal(heap_pop(built, &count).order, expected[i].order);
  assert_int_equal(count, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sorting_puts_the_first_last),
      cmocka_unit_test(what_is_pushed_comes_off_in_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
