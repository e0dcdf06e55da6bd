/* sampler.c - see sampler.h.
 *
 * A vocabulary has up to 150,000 tokens and a token may take some milliseconds, so nothing here sorts them all: top_k keeps the k best in a
 * heap; top_p sums the probabilities by buckets of similar logits, finds the bucket where the share is reached, and sorts that one alone.
 */
#include "sampler.h"

#include <float.h>

#include "../base/heap.h"
#include "../base/lanes.h"

enum { PER_UNIT = 64, BUCKETS = 88 * PER_UNIT }; /* buckets of 1/64 in the exponent; exp_register is 0 below -87.3 */

retort_status rt_sampler_open(rt_sampler *s, rt_arena *arena, uint32_t n, retort_error *error) {
  s->n = n;
  s->marks = rt_arena_alloc(arena, n, sizeof *s->marks);
  s->candidates = rt_arena_alloc(arena, n, sizeof *s->candidates);
  s->sums = rt_arena_alloc(arena, BUCKETS, sizeof *s->sums);
  if (!s->marks || !s->candidates || !s->sums)
    return rt_fail_memory(error, n * (uint64_t)(sizeof *s->marks + sizeof *s->candidates), "the sampler");
  return RETORT_OK;
}

static void penalise(rt_sampler *s, float *logits, const int32_t *recent, size_t n_recent) {
  if (s->repetition_penalty == 1) return;
  for (size_t i = 0; i < n_recent; i++) {
    if ((uint32_t)recent[i] >= s->n || s->marks[recent[i]] & RT_MARK_SEEN) continue;
    s->marks[recent[i]] |= RT_MARK_SEEN;
    float *logit = &logits[recent[i]];
    *logit = *logit > 0 ? *logit / s->repetition_penalty : *logit * s->repetition_penalty;
  }
  for (size_t i = 0; i < n_recent; i++)
    if ((uint32_t)recent[i] < s->n) s->marks[recent[i]] &= (uint8_t)~RT_MARK_SEEN;
}

static retort_status find_best(const rt_sampler *s, const float *logits, int32_t *best, retort_error *error) {
  *best = -1;
  for (uint32_t i = 0; i < s->n; i++) {
    if (!(logits[i] <= FLT_MAX)) /* NaN or +infinity */
      return rt_fail(error, RETORT_ERROR_FORMAT,
                     "the logit of token %u is not a finite number: the model's weights are damaged or overflow, get them again", i);
    if (s->marks[i] & RT_MARK_BARRED) continue;
    if (*best < 0 || logits[i] > logits[*best]) *best = (int32_t)i;
  }
  if (*best < 0 || !(logits[*best] >= -FLT_MAX))
    return rt_fail(error, RETORT_ERROR_FORMAT, "no token has a finite logit: the model's weights are damaged or overflow, get them again");
  return RETORT_OK;
}

static bool worse(rt_candidate a, rt_candidate b) { return a.logit < b.logit || (a.logit == b.logit && a.id > b.id); }
RT_HEAP(heap, rt_candidate, worse) /* the worst on top; sorting puts the best first */

static void swap(rt_candidate *a, rt_candidate *b) {
  rt_candidate t = *a;
  *a = *b;
  *b = t;
}

/* The candidates: all tokens in order of id, or the top_k best in order of logit. */
static size_t gather(rt_sampler *s, const float *logits) {
  rt_candidate *c = s->candidates;
  size_t n = 0, k = s->top_k && s->top_k < s->n ? s->top_k : s->n;
  for (uint32_t i = 0; i < s->n; i++) {
    if (s->marks[i] & RT_MARK_BARRED) continue;
    rt_candidate next = {.logit = logits[i], .id = (int32_t)i};
    if (n < k) {
      c[n++] = next;
      if (n == k && k < s->n) heap_make(c, n);
    } else if (worse(c[0], next)) {
      c[0] = next;
      heap_sift_down(c, n, 0);
    }
  }
  if (k < s->n) {
    if (n < k) heap_make(c, n);
    heap_sort(c, n);
  }
  return n;
}

static double sum(const rt_candidate *c, size_t n) {
  double total = 0;
  for (size_t i = 0; i < n; i++) total += c[i].p;
  return total;
}

/* p = exp((logit - best) / temperature), in floats, a register at a time. */
static void weigh(rt_candidate *c, size_t n, float best, float temperature) {
  for (size_t i = 0; i < n; i += NATIVE) {
    float x[NATIVE] = {0};
    size_t lanes = n - i < NATIVE ? n - i : NATIVE;
    for (size_t l = 0; l < lanes; l++) x[l] = c[i + l].logit - best;
    store_register(x, exp_register(load_register(x) / splat_register(temperature)));
    for (size_t l = 0; l < lanes; l++) c[i + l].p = (double)x[l];
  }
}

/* 0 for the best; never smaller for a smaller logit. */
static uint32_t bucket(float logit, float best, float scale) {
  float x = (best - logit) * scale;
  return x < BUCKETS - 1 ? (uint32_t)x : BUCKETS - 1;
}

/* The fewest best candidates whose sum reaches top_p of the whole: all of the better buckets, and the best of the one where it is reached.
 */
static size_t keep_top_p(rt_sampler *s, size_t n, float best) {
  rt_candidate *c = s->candidates;
  float scale = PER_UNIT / s->temperature;
  if (!(scale <= FLT_MAX)) scale = FLT_MAX;
  for (uint32_t b = 0; b < BUCKETS; b++) s->sums[b] = 0;
  for (size_t i = 0; i < n; i++) s->sums[bucket(c[i].logit, best, scale)] += c[i].p;
  double total = 0, reached = 0;
  for (uint32_t b = 0; b < BUCKETS; b++) total += s->sums[b];
  double wanted = (double)s->top_p * total;
  uint32_t last = 0;
  while (last < BUCKETS - 1 && reached + s->sums[last] < wanted) reached += s->sums[last++];

  size_t sure = 0, end;
  for (size_t i = 0; i < n; i++)
    if (bucket(c[i].logit, best, scale) < last) swap(&c[sure++], &c[i]);
  end = sure;
  for (size_t i = sure; i < n; i++)
    if (bucket(c[i].logit, best, scale) == last) swap(&c[end++], &c[i]);
  heap_make(c + sure, end - sure);
  heap_sort(c + sure, end - sure);
  for (size_t i = sure; i < end; i++)
    if ((reached += c[i].p) >= wanted) return i + 1;
  return end;
}

static size_t keep_min_p(rt_candidate *c, size_t n, double min_p) {
  size_t m = 0;
  for (size_t i = 0; i < n; i++)
    if (c[i].p >= min_p) c[m++] = c[i];
  return m;
}

retort_status rt_sampler_pick(rt_sampler *s, float *logits, const int32_t *recent, size_t n_recent, int32_t *id, retort_error *error) {
  int32_t best;
  penalise(s, logits, recent, n_recent);
  retort_status status = find_best(s, logits, &best, error);
  if (status) return status;
  *id = best;
  if (s->temperature == 0 || s->top_k == 1) return RETORT_OK;

  rt_candidate *c = s->candidates;
  size_t n = gather(s, logits);
  weigh(c, n, logits[best], s->temperature);
  if (s->top_p < 1) n = keep_top_p(s, n, logits[best]);
  if (s->min_p > 0) n = keep_min_p(c, n, (double)s->min_p);

  double at = rt_random_unit(&s->random) * sum(c, n), reached = 0;
  for (size_t i = 0; i < n; i++) {
    if (c[i].p == 0) continue;
    *id = c[i].id; /* rounding may leave `at` at the very end: the last one with any probability has it */
    if ((reached += c[i].p) > at) break;
  }
  return RETORT_OK;
}
