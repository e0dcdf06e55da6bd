/* sampler.h - from the logits of one position to one token.
 *
 * In this order, which is that of Hugging Face transformers and vLLM, for which DeepSeek's recommended values were chosen (llama.cpp
 * applies the temperature last, so that the same top_p keeps more there):
 *   repetition penalty, temperature, top_k, top_p, min_p, draw.
 * Everything is a function of the logits' bits, the options and the random state: arithmetic in a fixed order, the core's own exp,
 * ties go to the lower id. A probability is exp_register of base/lanes.h, a float whose relative error is below 2^-22.
 */
#ifndef RT_SAMPLER_H
#define RT_SAMPLER_H

#include "../base/base.h"
#include "random.h"

typedef struct rt_candidate {
  double p; /* not normalised: the best has 1 */
  float logit;
  int32_t id;
} rt_candidate;

typedef struct rt_sampler {
  float temperature; /* 0: the best token, no random number is drawn */
  float top_p;       /* (0, 1]: the fewest best tokens whose probabilities add up to this share */
  float min_p;       /* [0, 1]: only tokens at least this probable, relative to the best */
  float
      repetition_penalty; /* > 0: positive logits of recent tokens are divided by it, negative ones multiplied (CTRL, Keskar et al. 2019) */
  uint32_t top_k;         /* 0: off */
  rt_random random;
  uint32_t n;               /* logits */
  uint8_t *marks;           /* (n) RT_MARK_* */
  rt_candidate *candidates; /* (n) work space */
  double *sums;             /* work space of top_p */
} rt_sampler;

enum {
  RT_MARK_BARRED = 1, /* not sampled: rows of the output matrix that are no token, and what the caller bars for one call */
  RT_MARK_SEEN = 2    /* the sampler's own, clear between calls */
};

/* Allocates marks, all clear, and candidates for `n` logits. */
retort_status rt_sampler_open(rt_sampler *sampler, rt_arena *arena, uint32_t n, retort_error *error);

/* Picks a token. `logits` (n) are changed where the penalty applies. `recent` (n_recent): the tokens that it applies to. Logits that are
 * not numbers are RETORT_ERROR_FORMAT: they come from damaged weights. */
retort_status rt_sampler_pick(rt_sampler *sampler, float *logits, const int32_t *recent, size_t n_recent, int32_t *id, retort_error *error);

#endif
