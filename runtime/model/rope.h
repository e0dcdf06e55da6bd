/* rope.h - rotary position embedding: the angle of each pair of a head's elements, and how it is scaled for long contexts. */
#ifndef RT_ROPE_H
#define RT_ROPE_H

#include "../base/base.h"
#include "../gguf/gguf.h"

struct rt_hparams;

/* Pair i of a head at position p turns by p * frequency[i]; the turned pair is multiplied by `magnitude`. */
typedef struct rt_rotation {
  uint32_t n_rot;    /* elements of a head that turn, even; the rest stay as they are */
  double *frequency; /* (n_rot / 2) */
  double magnitude;  /* 1 but for YaRN */
} rt_rotation;

/* Reads the rope keys and the optional tensor rope_freqs.weight; the frequencies live in the arena. */
retort_status rt_rotation_open(rt_rotation *rope, const retort_gguf *gguf, const struct rt_hparams *hparams, rt_arena *arena,
                               retort_error *error);
/* cos_sin: (n_rot / 2, 2), what rt_rope of kernels.h turns one head with. */
void rt_rotation_angles(const rt_rotation *rope, uint32_t position, float *cos_sin);

#endif
