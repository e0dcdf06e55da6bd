/* steps.h - the steps that the forward passes of all families are made of. Each works row by row, so a row's bits cannot depend on its
 * neighbours. */
#ifndef RT_STEPS_H
#define RT_STEPS_H

#include "model.h"

/* Where a forward pass is. */
typedef struct rt_pass {
  const retort_model *model;
  rt_work *work;
  const rt_row *rows; /* (n) those that are left */
  uint32_t n;
  uint32_t layer;
  const float *norm; /* (n_embd) weight of the norm that ends the step */
} rt_pass;

/* Places what rt_matmul needs for products of up to max_cols columns, whose inputs have n rows together and are n_inputs. */
void rt_place_products(rt_work *work, rt_layout *at, uint32_t max_cols, uint32_t n, uint32_t n_inputs);

static inline float *rt_row_of(float *rows, uint32_t row, uint32_t n) { return rows + (size_t)row * n; }

/* step(p, i) for each row that is left, over the workers where there are enough. */
void rt_each_row(const rt_pass *p, void (*step)(const rt_pass *p, uint32_t row));

void rt_step_embed(const rt_pass *p, uint32_t row);        /* x = embedding of the token; h = norm(x); the row's RoPE angles */
void rt_step_add_and_norm(const rt_pass *p, uint32_t row); /* x += h; h = norm(x) */

/* y = W x of the rows that are left, whole rows of both: x (n, cols), y (n, rows). */
static inline rt_matmul_part rt_part(const rt_pass *p, const rt_matrix *w, const float *bias, const float *x, float *y) {
  return (rt_matmul_part){.w = w, .bias = bias, .x = x, .x_stride = w->cols, .n = p->n, .y = y, .y_stride = w->rows};
}

/* Goes on with the wanted rows only: of x, and of `more` (n, width), which moves along. */
void rt_keep_wanted(rt_pass *p, float *more, uint32_t width);
/* logits (n, n_vocab) = the output matrix times h. */
void rt_output(const rt_pass *p, float *logits);

/* Nobody waits for any of the rows any more. */
bool rt_all_given_up(const rt_pass *p);

#endif
