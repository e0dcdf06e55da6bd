/* draft.h - what the text may go on with: drafts for the next tokens from what stands in the context already (prompt lookup). */
#ifndef RT_DRAFT_H
#define RT_DRAFT_H

#include "../kernels/kernels.h"

enum {
  RT_MOST_DRAFTS = RT_COSTED_ROWS - 1,
  RT_LONGEST_MATCH = 16 /* tokens that are compared at most */
};

typedef struct rt_drafter {
  const uint16_t *cost;              /* (1 + RT_MOST_DRAFTS) [n]: of a token and n drafts, in hundredths of the token alone */
  float right[RT_LONGEST_MATCH + 1]; /* share of right drafts after matches of so many tokens, as seen lately */
  /* what was expected last */
  int32_t expected[RT_MOST_DRAFTS + 1];
  uint32_t n_expected, seen; /* seen: of them, already compared with what came */
  uint32_t length;           /* of the match before expected[0] */
} rt_drafter;

void rt_drafter_open(rt_drafter *drafter, const uint16_t *cost);

/* Drafts what follows tokens[0..n): into drafts, at most `most` <= RT_MOST_DRAFTS. Returns how many it pays to compute; with `always` as
 * many as there are. */
uint32_t rt_draft(rt_drafter *drafter, const int32_t *tokens, uint32_t n, uint32_t most, bool always, int32_t *drafts);

/* Tells what came next in fact, computed as a draft or not; id -1: nothing that could have been drafted. */
void rt_drafter_learn(rt_drafter *drafter, int32_t id);

#endif
