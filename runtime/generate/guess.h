/* guess.h - what the text may go on with: guesses for the next tokens from what stands in the context already (prompt lookup). */
#ifndef RT_GUESS_H
#define RT_GUESS_H

#include "../model/model.h"

enum {
  RT_MOST_GUESSES = 15, /* with the token before them one tile of 16 rows */
  RT_LONGEST_MATCH = 16 /* tokens that are compared at most */
};

typedef struct rt_guesser {
  const uint16_t *cost;              /* (1 + RT_MOST_GUESSES) [n]: of a token and n guesses, in hundredths of the token alone */
  float right[RT_LONGEST_MATCH + 1]; /* share of right guesses after matches of so many tokens, as seen lately */
  /* what was expected last */
  int32_t expected[RT_MOST_GUESSES + 1];
  uint32_t n_expected, seen; /* seen: of them, already compared with what came */
  uint32_t length;           /* of the match before expected[0] */
} rt_guesser;

/* What guesses cost with this model and its kernels. */
const uint16_t *rt_guess_cost_of(const retort_model *model);
void rt_guesser_open(rt_guesser *guesser, const uint16_t *cost);

/* Guesses what follows tokens[0..n): into guesses, at most `most` <= RT_MOST_GUESSES. Returns how many it pays to compute; with `always` as
 * many as there are. */
uint32_t rt_guess(rt_guesser *guesser, const int32_t *tokens, uint32_t n, uint32_t most, bool always, int32_t *guesses);

/* Tells what came next in fact, computed as a guess or not; id -1: nothing that could have been guessed. */
void rt_guesser_learn(rt_guesser *guesser, int32_t id);

#endif
