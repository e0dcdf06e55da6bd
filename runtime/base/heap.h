/* heap.h - a binary heap over an array of the caller's, and heap sort, as functions made for one type each.
 *
 * RT_HEAP(name, type, before) after `bool before(type a, type b)` makes
 *   name_sift_down(heap, count, i)  restores the order below i, whose element alone may be out of place
 *   name_make(heap, count)          orders any array
 *   name_push(heap, &count, item)   the caller has seen to the room
 *   name_pop(heap, &count)          takes the first off; count > 0
 *   name_sort(heap, count)          makes the heap an array, the last first
 * On top is the item that is before all others.
 */
#ifndef RT_BASE_HEAP_H
#define RT_BASE_HEAP_H

#include <stddef.h>

#if defined(__GNUC__) || defined(__clang__)
#define RT_HEAP_FUNCTION __attribute__((unused)) static inline
#else
#define RT_HEAP_FUNCTION static inline
#endif

#define RT_HEAP(name, type, before)                                                                 \
  RT_HEAP_FUNCTION void name##_sift_down(type *heap, size_t count, size_t i) {                      \
    type moved = heap[i];                                                                           \
    for (size_t child; (child = 2 * i + 1) < count; i = child) {                                    \
      if (child + 1 < count && before(heap[child + 1], heap[child])) child++;                       \
      if (!before(heap[child], moved)) break;                                                       \
      heap[i] = heap[child];                                                                        \
    }                                                                                               \
    heap[i] = moved;                                                                                \
  }                                                                                                 \
  RT_HEAP_FUNCTION void name##_make(type *heap, size_t count) {                                     \
    for (size_t i = count / 2; i-- > 0;) name##_sift_down(heap, count, i);                          \
  }                                                                                                 \
  RT_HEAP_FUNCTION void name##_push(type *heap, size_t *count, type added) {                        \
    size_t i = (*count)++;                                                                          \
    for (; i > 0 && before(added, heap[(i - 1) / 2]); i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2]; \
    heap[i] = added;                                                                                \
  }                                                                                                 \
  RT_HEAP_FUNCTION type name##_pop(type *heap, size_t *count) {                                     \
    type top = heap[0];                                                                             \
    heap[0] = heap[--*count];                                                                       \
    if (*count) name##_sift_down(heap, *count, 0);                                                  \
    return top;                                                                                     \
  }                                                                                                 \
  RT_HEAP_FUNCTION void name##_sort(type *heap, size_t count) {                                     \
    while (count > 1) {                                                                             \
      type top = name##_pop(heap, &count);                                                          \
      heap[count] = top;                                                                            \
    }                                                                                               \
  }

#endif
