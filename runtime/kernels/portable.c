/* portable.c - the executable form of docs/NUMERICS.md: plain C17 that any target compiles.
 *
 * Its integer dot product is written for reading; the other variants may take any order there, because integers do not care. The order of
 * the float operations in `gemv` is the contract.
 */
#include "float_ops.h"
#include "panel_strip.h"

/* The sum over one group of 32: t = d * isum, or t = d * isum + m * suma. */
static float group_of_32(const panel *p, size_t row, uint32_t g, const int8_t *q, const int16_t *sums) {
  const uint8_t *codes = p->codes + row * p->cols + g * 32u;
  int32_t isum = 0;
  for (int k = 0; k < 32; k++) isum += (codes[k] - p->format.zero) * q[g * 32u + k];
  float t = p->d[row * p->groups + g] * (float)isum;
  if (p->format.min) t = t + p->m[row * p->groups + g] * (float)(sums[2 * g] + sums[2 * g + 1]);
  return t;
}

/* The sum over one group of 256: t = d * isum, or t = d * isum - m * msum. */
static float group_of_256(const panel *p, size_t row, uint32_t g, const int8_t *q, const int16_t *sums) {
  const uint8_t *codes = p->codes + row * p->cols + g * 256u;
  uint32_t sub = p->format.sub, per_group = 256 / sub;
  int32_t isum = 0, msum = 0;
  for (uint32_t s = 0; s < per_group; s++) {
    size_t at = row * p->subs + g * per_group + s;
    int32_t dot = 0, suma = 0;
    for (uint32_t k = s * sub; k < (s + 1) * sub; k++) dot += (codes[k] - p->format.zero) * q[g * 256u + k];
    for (uint32_t k = 0; k < sub / RT_SUM; k++) suma += sums[g * 16u + s * (sub / RT_SUM) + k];
    isum += p->scales[at] * dot;
    if (p->format.min) msum += p->mins[at] * suma;
  }
  float t = p->d[row * p->groups + g] * (float)isum;
  if (p->format.min) t = t - p->m[row * p->groups + g] * (float)msum;
  return t;
}

static void gemv(const rt_strip *strip) {
  const rt_inputs *in = strip->inputs;
  panel p = panel_layout(strip);
  for (uint32_t start = 0; start < strip->rows; start += RT_STRIP_ROWS) {
    uint32_t rows = strip->rows - start < RT_STRIP_ROWS ? strip->rows - start : RT_STRIP_ROWS;
    panel_fill(&p, strip->w, strip->first + start, rows);
    for (uint32_t i = 0; i < in->n; i++) {
      const int8_t *q = in->q + (size_t)i * in->cols;
      const float *d = in->d + (size_t)i * p.groups;
      const int16_t *sums = in->sums + (size_t)i * (in->cols / RT_SUM);
      for (uint32_t r = 0; r < rows; r++) {
        float acc = 0.0f;
        for (uint32_t g = 0; g < p.groups; g++)
          acc = acc + d[g] * (p.format.group == 32 ? group_of_32(&p, r, g, q, sums) : group_of_256(&p, r, g, q, sums));
        strip->y[i * strip->y_stride + start + r] = acc;
      }
    }
  }
}

const rt_kernels rt_kernels_portable = {.name = "portable", .gemm_from = UINT32_MAX, .scalar = true, .gemv = gemv, RT_FLOAT_OPS};
