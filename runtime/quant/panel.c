/* panel.c - which kind of panel a format has: the one place where its bounds are looked at. */
#include "panel.h"

/* In each group of rows with equal group, sub and min the least general comes first. */
static const struct {
  uint16_t group;
  uint8_t sub;
  bool min;
  uint8_t max_code;
} kinds[RT_PANEL_KINDS] = {
    [RT_PANEL_32_4BIT] = {32, 0, false, 15},         [RT_PANEL_32_5BIT] = {32, 0, false, 31},
    [RT_PANEL_32_8BIT] = {32, 0, false, 255},        [RT_PANEL_32_MIN_4BIT] = {32, 0, true, 15},
    [RT_PANEL_32_MIN_5BIT] = {32, 0, true, 31},      [RT_PANEL_SUB16_5BIT] = {256, 16, false, 31},
    [RT_PANEL_SUB16_6BIT] = {256, 16, false, 63},    [RT_PANEL_SUB16_7BIT] = {256, 16, false, 127},
    [RT_PANEL_SUB16_MIN] = {256, 16, true, 31},      [RT_PANEL_SUB32_6BIT] = {256, 32, false, 63},
    [RT_PANEL_SUB32_7BIT] = {256, 32, false, 127},   [RT_PANEL_SUB32_8BIT] = {256, 32, false, 255},
    [RT_PANEL_SUB32_MIN_4BIT] = {256, 32, true, 15}, [RT_PANEL_SUB32_MIN_5BIT] = {256, 32, true, 31},
};

/* Whether the zero of codes 0..max_code is where kernels for codes up to `bound` need it. */
static bool zero_fits(const rt_panel_format *f, int bound) {
  if (f->min) return f->zero == 0;
  if (bound == 255) return f->zero == 128;
  const int most = bound == 127 ? 64 : 32;
  return f->zero <= most && f->max_code - f->zero <= most;
}

rt_panel_kind rt_panel_kind_of(const rt_panel_format *f) {
  if (!f) return RT_PANEL_NONE;
  for (rt_panel_kind kind = RT_PANEL_NONE + 1; kind < RT_PANEL_KINDS; kind++)
    if (kinds[kind].group == f->group && kinds[kind].sub == f->sub && kinds[kind].min == f->min && f->max_code <= kinds[kind].max_code &&
        zero_fits(f, kinds[kind].max_code))
      return kind;
  return RT_PANEL_NONE;
}
