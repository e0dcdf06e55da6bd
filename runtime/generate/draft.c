/* draft.c - prompt lookup: what followed the last time these tokens stood in the context is the draft for what follows now.
 *
 * The longest match counts (of equal ones the newest), up to RT_LONGEST_MATCH tokens. Nothing here has any influence on what is generated:
 * a draft is only computed in the same batch as the token before it, and used if the sampler then takes that very token.
 *
 * How many drafts to compute follows from two numbers. The first is how often drafts have been right after a match of that length: it is
 * learned from every token, also from those for which the draft was not worth computing, so watching costs nothing and a text in which
 * nothing repeats gets no drafts at all. The second is what a batch costs, which depends on the kernels (rt_kernels_row_cost). Most tokens
 * for the cost wins, and only where they win clearly.
 *
 * Source: Saxena, "Prompt Lookup Decoding" (2023); the choice of the length is our own.
 */
#include "draft.h"

#include <string.h>

void rt_drafter_open(rt_drafter *g, const uint16_t *cost) {
  *g = (rt_drafter){.cost = cost};
  /* To begin with: low for short matches. */
  for (int length = 1; length <= RT_LONGEST_MATCH; length++) g->right[length] = length < 8 ? 0.1f * (float)length : 0.8f;
}

/* Where the longest earlier occurrence of the last tokens ends, and how long it is (0: there is none). */
static uint32_t find_match(const int32_t *tokens, uint32_t n, uint32_t *length) {
  uint32_t best = 0;
  *length = 0;
  for (uint32_t at = n; at-- > 1 && *length < RT_LONGEST_MATCH;) {
    if (tokens[at - 1] != tokens[n - 1]) continue;
    uint32_t same = 1;
    while (same < RT_LONGEST_MATCH && same < at && tokens[at - 1 - same] == tokens[n - 1 - same]) same++;
    if (same > *length) {
      *length = same;
      best = at;
    }
  }
  return best;
}

/* The most tokens for the cost, counted in tokens of a single row each; nothing below a tenth is worth a draft. */
static uint32_t best_count(const rt_drafter *g, uint32_t most) {
  float all_right = 1, tokens = 1, best = 1.1f;
  uint32_t count = 0;
  for (uint32_t n = 1; n <= most; n++) {
    uint32_t length = g->length + n - 1;
    all_right *= g->right[length < RT_LONGEST_MATCH ? length : RT_LONGEST_MATCH];
    tokens += all_right;
    float gain = tokens * 100 / (float)g->cost[n];
    if (gain > best) {
      best = gain;
      count = n;
    }
  }
  return count;
}

uint32_t rt_draft(rt_drafter *g, const int32_t *tokens, uint32_t n, uint32_t most, bool always, int32_t *drafts) {
  g->n_expected = g->seen = 0;
  uint32_t at = n ? find_match(tokens, n, &g->length) : 0;
  if (!at) return 0;
  /* Past the end of the text its continuation is what was just drafted. */
  while (g->n_expected <= most) {
    uint32_t from = at + g->n_expected;
    int32_t next = from < n ? tokens[from] : g->expected[from - n];
    g->expected[g->n_expected++] = next;
  }
  uint32_t count = always ? most : best_count(g, most);
  memcpy(drafts, g->expected, count * sizeof *drafts);
  return count;
}

void rt_drafter_learn(rt_drafter *g, int32_t id) {
  if (g->seen == g->n_expected) return;
  uint32_t length = g->length + g->seen;
  float *right = &g->right[length < RT_LONGEST_MATCH ? length : RT_LONGEST_MATCH];
  bool hit = g->expected[g->seen++] == id;
  if (id >= 0) *right += ((hit ? 1.0f : 0.0f) - *right) / 16;
  if (!hit) g->seen = g->n_expected;
}
