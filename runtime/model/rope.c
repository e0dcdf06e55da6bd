/* rope.c - see rope.h. Sources: RoFormer (arXiv 2104.09864); position interpolation (2306.15595) = "linear"; YaRN (2309.00071);
 * Llama 3's scaling arrives as divisors in the tensor rope_freqs.weight.
 *
 * Angles are taken in double with our own sine and cosine, then rounded once to float, so position 100,000 is as exact as position 1.
 * YaRN is static: on for short prompts too, as the models were trained. Its magnitude is 1 + 0.1 ln(factor), times the file's
 * yarn_attn_factor (or, in older files, attn_factor) where there is one: DeepSeek-R1-0528-Qwen3-8B cancels the magnitude that way.
 */
#include "model.h"

#include "../base/math.h"

#include <string.h>

static const double PI = 3.14159265358979323846;

/* No pair may turn faster than this a position: keeps every angle inside RT_SINCOS_MAX for the longest context (2^24 positions). */
static const double MAX_FREQUENCY = 4.0;

/* YaRN section 3.2: the pair (as a real number) that makes `turns` full turns over the original context. */
static double pair_with_turns(double turns, double context, double base, uint32_t n_rot) {
  return n_rot * rt_ln(context / (turns * 2 * PI)) / (2 * rt_ln(base));
}

static double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }
static double floor_of(double x) { /* |x| < 2^31 */
  double whole = (double)(int64_t)x;
  return whole > x ? whole - 1 : whole;
}

typedef struct yarn {
  double first, last; /* pairs up to `first` keep their frequency, from `last` on they are interpolated */
  double mix;         /* 1: as the paper has it */
} yarn;

static retort_status read_yarn(rt_rotation *rope, const retort_gguf *gguf, const rt_hparams *hparams, double base, double factor, yarn *out,
                               retort_error *error) {
  char key[128];
  uint32_t original = hparams->n_ctx_train;
  float fast = 32, slow = 1, mix = 1, attention = 1;
  retort_status status;
  if ((status = rt_gguf_get_u32(gguf, rt_hparams_key(hparams, "rope.scaling.original_context_length", key), false, 1, UINT32_MAX, &original,
                                error)))
    return status;
  const struct {
    const char *name;
    float *value;
  } keys[] = {{"rope.scaling.yarn_beta_fast", &fast},
              {"rope.scaling.yarn_beta_slow", &slow},
              {"rope.scaling.yarn_ext_factor", &mix},
              {"rope.scaling.attn_factor", &attention},
              {"rope.scaling.yarn_attn_factor", &attention}};
  for (size_t i = 0; i < RT_COUNT(keys); i++)
    if ((status = rt_gguf_get_f32(gguf, rt_hparams_key(hparams, keys[i].name, key), false, keys[i].value, error))) return status;
  if (!(fast > 0 && slow > 0 && attention > 0 && mix >= 0 && mix <= 1))
    return rt_fail(error, RETORT_ERROR_FORMAT, "the YaRN keys %s.rope.scaling.yarn_* are not all positive, or yarn_ext_factor is above 1",
                   hparams->architecture->name);
  double last_pair = rope->n_rot - 1;
  out->first = clamp(floor_of(clamp(pair_with_turns(fast, original, base, rope->n_rot), -1e9, 1e9)), 0, last_pair);
  out->last = clamp(-floor_of(-clamp(pair_with_turns(slow, original, base, rope->n_rot), -1e9, 1e9)), 0, last_pair);
  out->mix = mix;
  rope->magnitude = attention * (factor > 1 && mix > 0 ? 1 + 0.1 * rt_ln(factor) : 1);
  return RETORT_OK;
}

/* The keys rope.scaling.type and .factor: *factor is 1 for "none" and *is_yarn tells the kind. */
static retort_status read_scaling(const retort_gguf *gguf, const rt_hparams *hparams, double *factor, bool *is_yarn, retort_error *error) {
  char key[128];
  float value = 1;
  retort_status status;
  if ((status = rt_gguf_get_f32(gguf, rt_hparams_key(hparams, "rope.scale_linear", key), false, &value, error))) return status;
  if ((status = rt_gguf_get_f32(gguf, rt_hparams_key(hparams, "rope.scaling.factor", key), false, &value, error))) return status;
  if (value == 0) value = 1; /* written by some converters for "no scaling" */
  if (!(value >= 0x1p-10f && value <= 0x1p20f))
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s is %g, outside any sensible range", key, (double)value);
  rt_string type = {"linear", 6};
  if ((status = rt_gguf_get_string(gguf, rt_hparams_key(hparams, "rope.scaling.type", key), false, &type, error))) return status;
  *is_yarn = type.size == 4 && !memcmp(type.bytes, "yarn", 4);
  bool none = type.size == 4 && !memcmp(type.bytes, "none", 4);
  if (!*is_yarn && !none && !(type.size == 6 && !memcmp(type.bytes, "linear", 6)))
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "%s is '%.*s': this version knows none, linear and yarn", key,
                   (int)(type.size < 32 ? type.size : 32), type.bytes);
  *factor = none ? 1 : value;
  return RETORT_OK;
}

static retort_status divide_by_tensor(rt_rotation *rope, const retort_gguf *gguf, retort_error *error) {
  const rt_tensor *tensor = rt_gguf_find_tensor(gguf, "rope_freqs.weight");
  if (!tensor) return RETORT_OK;
  if (tensor->type != RT_F32 || tensor->dims[0] != rope->n_rot / 2 || tensor->dims[1] * tensor->dims[2] * tensor->dims[3] != 1)
    return rt_fail(error, RETORT_ERROR_FORMAT, "tensor rope_freqs.weight must be F32 with %u elements, one a rotated pair",
                   rope->n_rot / 2);
  for (uint32_t i = 0; i < rope->n_rot / 2; i++) {
    float divisor;
    memcpy(&divisor, tensor->data + 4 * (size_t)i, 4);
    if (!(divisor > 0)) return rt_fail(error, RETORT_ERROR_FORMAT, "tensor rope_freqs.weight: element %u is not above 0", i);
    rope->frequency[i] /= divisor;
  }
  return RETORT_OK;
}

retort_status rt_rotation_open(rt_rotation *rope, const retort_gguf *gguf, const rt_hparams *hparams, rt_arena *arena,
                               retort_error *error) {
  char key[128];
  retort_status status;
  rope->n_rot = hparams->head_dim;
  rope->magnitude = 1;
  if ((status =
           rt_gguf_get_u32(gguf, rt_hparams_key(hparams, "rope.dimension_count", key), false, 2, hparams->head_dim, &rope->n_rot, error)))
    return status;
  if (rope->n_rot % 2) return rt_fail(error, RETORT_ERROR_FORMAT, "%s: %u elements cannot be rotated in pairs", key, rope->n_rot);
  float base = 10000;
  if ((status = rt_gguf_get_f32(gguf, rt_hparams_key(hparams, "rope.freq_base", key), false, &base, error))) return status;
  if (!(base > 1)) return rt_fail(error, RETORT_ERROR_FORMAT, "%s is %g, it must be above 1", key, (double)base);
  double factor = 1;
  bool is_yarn = false;
  if ((status = read_scaling(gguf, hparams, &factor, &is_yarn, error))) return status;
  yarn y = {0, 0, 0};
  if (is_yarn && (status = read_yarn(rope, gguf, hparams, base, factor, &y, error))) return status;

  rope->frequency = rt_arena_alloc(arena, rope->n_rot / 2, sizeof *rope->frequency);
  if (!rope->frequency) return rt_fail_memory(error, rope->n_rot / 2 * sizeof *rope->frequency, "the RoPE frequencies");
  double width = y.last - y.first > 0.001 ? y.last - y.first : 0.001;
  for (uint32_t i = 0; i < rope->n_rot / 2; i++) {
    double keep = y.mix * (1 - clamp((i - y.first) / width, 0, 1)); /* the share that is not interpolated */
    rope->frequency[i] = rt_exp(-(2.0 * i / rope->n_rot) * rt_ln(base)) * ((1 - keep) / factor + keep);
  }
  if ((status = divide_by_tensor(rope, gguf, error))) return status;
  for (uint32_t i = 0; i < rope->n_rot / 2; i++)
    if (!(rope->frequency[i] <= MAX_FREQUENCY))
      return rt_fail(error, RETORT_ERROR_FORMAT,
                     "RoPE: pair %u would turn by %g a position; the scaling factor or rope_freqs.weight is wrong", i, rope->frequency[i]);
  return RETORT_OK;
}

void rt_rotation_angles(const rt_rotation *rope, uint32_t position, float *cos_sin) {
  for (uint32_t i = 0; i < rope->n_rot / 2; i++) {
    double angle = position * rope->frequency[i];
    cos_sin[2 * i] = (float)(rt_cos(angle) * rope->magnitude);
    cos_sin[2 * i + 1] = (float)(rt_sin(angle) * rope->magnitude);
  }
}
