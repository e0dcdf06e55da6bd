/* panel_strip.h - a strip of weight rows decoded into codes and scales, compiled for the variant that includes it. */
#ifndef RT_KERNELS_PANEL_STRIP_H
#define RT_KERNELS_PANEL_STRIP_H

#include "variant.h"
#include "../quant/types.h"

typedef struct panel {
  rt_panel_format format;
  uint32_t cols, groups, subs; /* of one row; subs is 0 where the format has no integer scales */
  uint8_t *codes;              /* (rows, cols) */
  float *d, *m;                /* (rows, groups) */
  int32_t *scales;             /* (rows, subs) */
  int16_t *mins;               /* (rows, subs) */
  uint8_t *rest;               /* scratch after the panel */
} panel;

/* Lays a panel of `rows` rows out from `at` on; after 64 bytes, with a multiple of 16 rows every array starts on 64. */
static inline panel panel_of(const rt_matrix *w, uint8_t *at, size_t rows) {
  const rt_panel_format *format = w->type->panel;
  panel p = {.format = *format, .cols = w->cols};
  p.groups = p.cols / format->group;
  p.subs = format->sub ? p.cols / format->sub : 0;
  p.codes = at;
  at += rows * p.cols;
  p.d = (float *)(void *)at;
  at += rows * p.groups * sizeof(float);
  p.m = (float *)(void *)at;
  at += rows * p.groups * sizeof(float);
  p.scales = (int32_t *)(void *)at;
  at += rows * p.subs * sizeof(int32_t);
  p.mins = (int16_t *)(void *)at;
  at += rows * ((p.subs + 1) / 2 * 2) * sizeof(int16_t);
  p.rest = at;
  return p;
}
static inline panel panel_layout(const rt_strip *strip) { return panel_of(strip->w, strip->scratch, RT_STRIP_ROWS); }

#define PANEL_CASE(NAME, name, elements) \
  case RT_##NAME: rt_##name##_panel(blocks, n_blocks, out); break;
static __attribute__((noinline)) void panel_decode_row(uint32_t type, const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  switch (type) { RT_QUANT_BLOCK_TYPES(PANEL_CASE) }
}

/* Row first + r of the matrix into row r of the panel. */
static inline void panel_fill(const panel *p, const rt_matrix *w, uint32_t first, uint32_t rows) {
  for (uint32_t r = 0; r < rows; r++) {
    const rt_panel_row out = {p->codes + (size_t)r * p->cols, p->d + (size_t)r * p->groups, p->m + (size_t)r * p->groups,
                              p->scales + (size_t)r * p->subs, p->mins + (size_t)r * p->subs};
    panel_decode_row(w->type->id, w->data + (size_t)(first + r) * w->row_bytes, w->cols / w->type->block, &out);
  }
}

#endif
