/* random.h - the project's own random numbers: the same for one seed on every target, for ever. */
#ifndef RT_RANDOM_H
#define RT_RANDOM_H

#include <stdint.h>

typedef struct rt_random {
  uint64_t s[4];
} rt_random;

void rt_random_seed(rt_random *r, uint64_t seed);
uint64_t rt_random_next(rt_random *r);
/* Uniform in [0, 1): the upper 53 bits of the next number times 2^-53, exactly. */
double rt_random_unit(rt_random *r);

#endif
