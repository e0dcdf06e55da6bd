/* random.c - xoshiro256** 1.0, its state filled by SplitMix64 from the seed.
 *
 * Sources: Blackman and Vigna, "Scrambled linear pseudorandom number generators" (2018); Steele, Lea and Flood, "Fast splittable
 * pseudorandom number generators" (2014). The sequence is part of what a seed promises: it may not change.
 */
#include "random.h"

static uint64_t rotate_left(uint64_t x, int n) { return x << n | x >> (64 - n); }

void rt_random_seed(rt_random *r, uint64_t seed) {
  for (int i = 0; i < 4; i++) {
    seed += 0x9E3779B97F4A7C15u;
    uint64_t z = seed;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    r->s[i] = z ^ z >> 31;
  }
}

uint64_t rt_random_next(rt_random *r) {
  uint64_t *s = r->s;
  uint64_t result = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate_left(s[3], 45);
  return result;
}

double rt_random_unit(rt_random *r) { return (double)(rt_random_next(r) >> 11) * 0x1p-53; }
