/* direct.h - products with one or a few inputs straight from the file's blocks, several rows side by side: what the variants that do so
 * share.
 *
 * The including file first says how many rows it takes at once (DIRECT_ROWS). It has one kernel for each of the most used types, of its own
 * type direct_kernel; every other type goes by way of the panel.
 */
#ifndef RT_KERNELS_DIRECT_H
#define RT_KERNELS_DIRECT_H

#include "variant.h"

/* Fetching ahead from memory, not from a cache, is what these kernels wait for: so many bytes ahead at least, in whole groups of
 * DIRECT_ROWS rows. More or less than 20 to 30 KB was slower, and into the first cache (T0, NTA) twice as slow. */
enum { AHEAD = 20000 };

typedef struct direct {
  const uint8_t *row[DIRECT_ROWS]; /* past the last row: the last again */
  const uint8_t *next;             /* rows to prefetch, or NULL */
  const int8_t *q;
  const float *da;
  const int16_t *sums;
  size_t cols, groups;
  size_t ahead; /* rows from those computed to those prefetched */
} direct;

static inline direct direct_open(const rt_strip *strip) {
  const rt_inputs *in = strip->inputs;
  const size_t bytes = strip->w->row_bytes;
  return (direct){.cols = in->cols, .groups = in->cols / in->group, .ahead = (AHEAD / DIRECT_ROWS + bytes - 1) / bytes * DIRECT_ROWS};
}

/* Points at the strip's rows from `start` on, and at those to prefetch meanwhile. Returns how many of DIRECT_ROWS there are. */
static inline uint32_t direct_rows(direct *x, const rt_strip *strip, uint32_t start) {
  const rt_matrix *w = strip->w;
  uint32_t left = strip->rows - start, rows = left < DIRECT_ROWS ? left : DIRECT_ROWS;
  for (uint32_t r = 0; r < DIRECT_ROWS; r++)
    x->row[r] = w->data + (size_t)(strip->first + start + (r < rows ? r : rows - 1)) * w->row_bytes;
  x->next = left >= x->ahead + DIRECT_ROWS ? x->row[0] + x->ahead * w->row_bytes : NULL;
  return rows;
}

static inline void direct_input(direct *x, const rt_inputs *in, uint32_t i) {
  x->q = in->q + (size_t)i * in->cols;
  x->da = in->d + i * x->groups;
  x->sums = in->sums + (size_t)i * (in->cols / RT_SUM);
}

/* Defines direct_for: a type's kernel, or NULL. */
#define DIRECT_FOR                                  \
  static direct_kernel *direct_for(uint32_t type) { \
    switch (type) {                                 \
      case RT_Q4_0: return direct_q4_0;             \
      case RT_Q4_1: return direct_q4_1;             \
      case RT_Q8_0: return direct_q8_0;             \
      case RT_Q4_K: return direct_q4_k;             \
      case RT_Q5_K: return direct_q5_k;             \
      case RT_Q6_K: return direct_q6_k;             \
      default: return NULL;                         \
    }                                               \
  }

#endif
