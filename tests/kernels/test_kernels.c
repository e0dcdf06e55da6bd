/* test_kernels.c - the portable kernels against double precision, and every other variant against the portable one, bit for bit.
 *
 *   test_kernels                 all variants that run here
 *   test_kernels [short] NAME    one of them; short: fewer shapes, for tests/emulated/x86.sh's machines
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>

#include <cmocka.h>

#include "kernels/kernels.h"
#include "cpu_features.h"
#include "pool.h"
#include "base/f16.h"
#include "quant/types.h"

#if defined(RT_TEST_FORMATS) /* the same program, built with formats that no file has, and with those alone */
#define TYPE(NAME, name, elements) RT_##NAME,
static const uint32_t types[] = {RT_TEST_BLOCK_TYPES(TYPE)};
#else
#define RT_TEST_HALVES(X)
static const uint32_t types[] = {RT_F32,     RT_F16,   RT_BF16,  RT_Q4_0,  RT_Q4_1,   RT_Q5_0,   RT_Q5_1,    RT_Q8_0,   RT_Q2_K,
                                 RT_Q3_K,    RT_Q4_K,  RT_Q5_K,  RT_Q6_K,  RT_IQ4_NL, RT_IQ4_XS, RT_IQ2_XXS, RT_IQ2_XS, RT_IQ2_S,
                                 RT_IQ3_XXS, RT_IQ3_S, RT_IQ1_S, RT_IQ1_M, RT_TQ1_0,  RT_TQ2_0,  RT_MXFP4,   RT_Q1_0,   RT_Q2_0};
#endif

static uint64_t seed = 88172645463325252u;
static uint64_t rnd(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  return seed ^= seed << 17;
}
static float rnd_float(void) { return (float)((double)(rnd() >> 11) * 0x1p-53 * 2 - 1); }
static bool same(float a, float b) { return rt_float_bits(a) == rt_float_bits(b) || (a != a && b != b); }

enum fill { RANDOM, ALL_MIN, ALL_MAX, DENORMAL, ZEROS, FILLS };

/* Blocks of one matrix; `d` bytes are found by trying which halves change all values: simpler, every half that is not finite is made so. */
static void fill_rows(const rt_quant *type, uint8_t *data, size_t bytes, enum fill fill) {
#define HALVES(NAME, first, second) {RT_##NAME, {first, second}},
  static const struct {
    uint32_t id;
    int halves[2];
  } scales[] = {{RT_Q4_0, {0, -1}},    {RT_Q4_1, {0, 2}},    {RT_Q5_0, {0, -1}},    {RT_Q5_1, {0, 2}},    {RT_Q8_0, {0, -1}},
                {RT_Q2_K, {80, 82}},   {RT_Q3_K, {108, -1}}, {RT_Q4_K, {0, 2}},     {RT_Q5_K, {0, 2}},    {RT_Q6_K, {208, -1}},
                {RT_IQ4_NL, {0, -1}},  {RT_IQ4_XS, {0, -1}}, {RT_IQ2_XXS, {0, -1}}, {RT_IQ2_XS, {0, -1}}, {RT_IQ2_S, {0, -1}},
                {RT_IQ3_XXS, {0, -1}}, {RT_IQ3_S, {0, -1}},  {RT_IQ1_S, {0, -1}},   {RT_TQ1_0, {52, -1}}, {RT_TQ2_0, {64, -1}},
                {RT_Q1_0, {0, -1}},    {RT_Q2_0, {0, -1}},   RT_TEST_HALVES(HALVES)};
  for (size_t i = 0; i < bytes; i++) data[i] = fill == ALL_MIN || fill == ZEROS ? 0x00 : fill == ALL_MAX ? 0xff : (uint8_t)(rnd() >> 32);
  for (size_t b = 0; b < bytes; b += type->block_bytes) {
    if (type->id == RT_F32) {
      float f = fill == RANDOM ? rnd_float() : fill == DENORMAL ? 1e-41f : fill == ZEROS ? -0.0f : fill == ALL_MIN ? -3e4f : 3e4f;
      memcpy(data + b, &f, 4);
    } else if (type->id == RT_F16 || type->id == RT_BF16) {
      float f = rnd_float();
      uint16_t h = fill == DENORMAL     ? 3
                   : fill == ZEROS      ? 0x8000
                   : type->id == RT_F16 ? rt_f32_to_f16(f)
                                        : (uint16_t)(rt_float_bits(f) >> 16);
      memcpy(data + b, &h, 2);
    }
    if (type->id == RT_IQ1_M && fill != ALL_MAX) data[b + 55] &= 0x3f; /* a finite scale, at most 2 */
    if (type->id == RT_MXFP4 && fill == RANDOM) data[b] = (uint8_t)(115 + data[b] % 8);
    for (size_t t = 0; t < RT_COUNT(scales); t++)
      for (int h = 0; h < 2 && scales[t].id == type->id; h++) {
        if (scales[t].halves[h] < 0) continue;
        uint16_t half = fill == RANDOM     ? rt_f32_to_f16(rnd_float() * 0.01f)
                        : fill == DENORMAL ? 0x0001
                        : fill == ZEROS    ? 0x8000
                        : fill == ALL_MIN  ? 0xfbff
                                           : 0x7bff;
        memcpy(data + b + scales[t].halves[h], &half, 2);
      }
  }
}

static rt_matrix make_matrix(uint32_t id, uint32_t rows, uint32_t cols, enum fill fill, uint8_t **memory) {
  const rt_quant *type = rt_quant_find(id);
  rt_matrix w = {.type = type, .rows = rows, .cols = cols, .row_bytes = (size_t)cols / type->block * type->block_bytes};
  w.kind = rt_panel_kind_of(type->panel);
  *memory = malloc(rows * w.row_bytes + 1); /* exact, so that a sanitizer sees a byte too many; odd, because files may be */
  fill_rows(type, *memory + 1, rows * w.row_bytes, fill);
  w.data = *memory + 1;
  return w;
}

static float *make_inputs(uint32_t n, uint32_t cols, enum fill fill) {
  float *x = malloc((size_t)n * cols * sizeof *x);
  for (size_t i = 0; i < (size_t)n * cols; i++) {
    float f = rnd_float();
    x[i] = fill == RANDOM ? f * f * f * 10 : fill == ALL_MIN ? -1.0f : fill == ALL_MAX ? 1.0f : fill == ZEROS ? -0.0f : f * 1e-30f;
  }
  for (uint32_t c = 0; c < 32 && fill == RANDOM && cols >= 64; c++) x[c] = 0; /* a group of zeros */
  return x;
}

/* Every part counts as an input of its own when memory is asked for, so that the worst case is what is checked. */
static void matmul(const rt_kernels *kernels, unsigned workers, bool two_planes, const rt_matmul_part *parts, size_t n_parts) {
  retort_platform platform = pool_platform(&workers);
  uint32_t cols = 0, most = 0, n = 0;
  for (size_t p = 0; p < n_parts; p++) {
    if (parts[p].w->cols > cols) cols = parts[p].w->cols;
    if (parts[p].n > most) most = parts[p].n;
    n += parts[p].n;
  }
  rt_exec exec = {.kernels = kernels, .platform = &platform, .two_planes = two_planes};
  exec.scratch_bytes = rt_matmul_scratch_bytes(&exec, cols, most);
  exec.scratch = rt_alloc(NULL, exec.scratch_bytes * workers);
  size_t work_bytes = rt_matmul_work_bytes(&exec, cols, n, (uint32_t)n_parts);
  uint8_t *work = rt_alloc(NULL, work_bytes);
  memset(exec.scratch, 0xaa, exec.scratch_bytes * workers);
  memset(work, 0x55, work_bytes);
  rt_matmul(&exec, parts, n_parts, work);
  rt_free(NULL, exec.scratch, 0);
  rt_free(NULL, work, 0);
}

static const rt_kernels *portable(void) {
  const rt_kernels *k;
  assert_int_equal(rt_kernels_select(NULL, "portable", &k, NULL), RETORT_OK);
  return k;
}

/* y = W x in double, with activations quantised by the rule of docs/NUMERICS.md written a second time. */
static void portable_matmul_is_right(void **state) {
  (void)state;
  for (size_t t = 0; t < RT_COUNT(types); t++) {
    uint32_t cols = 768, rows = 5, n = 3;
    uint8_t *memory;
    rt_matrix w = make_matrix(types[t], rows, cols, RANDOM, &memory);
    float *x = make_inputs(n, cols, RANDOM), y[15], bias[5] = {1, -2, 3, -4, 5};
    matmul(portable(), 1, false, &(rt_matmul_part){&w, bias, x, cols, n, y, rows}, 1);
    double *seen = malloc(cols * sizeof *seen);
    float *weights = malloc(cols * sizeof *weights);
    for (uint32_t i = 0; i < n; i++) {
      uint32_t group = w.type->panel ? w.type->panel->group : 1;
      for (uint32_t c = 0; c < cols; c++) seen[c] = x[i * cols + c];
      for (uint32_t g = 0; g < cols && group > 1; g += group) {
        float amax = 0;
        for (uint32_t c = g; c < g + group; c++) amax = fmaxf(amax, fabsf(x[i * cols + c]));
        for (uint32_t c = g; c < g + group; c++)
          seen[c] = amax == 0 ? 0 : (double)nearbyintf(x[i * cols + c] * (127.0f / amax)) * (double)(amax / 127.0f);
      }
      for (uint32_t r = 0; r < rows; r++) {
        double sum = bias[r], size = fabs(bias[r]);
        w.type->decode(w.data + r * w.row_bytes, weights, cols);
        for (uint32_t c = 0; c < cols; c++) sum += weights[c] * seen[c], size += fabs(weights[c] * seen[c]);
        assert_true(fabs(y[i * rows + r] - sum) <= 4e-6 * size);
      }
    }
    free(seen);
    free(weights);
    free(x);
    free(memory);
  }
}

static void compare_matmul(const rt_kernels *kernels, uint32_t id, uint32_t rows, uint32_t cols, uint32_t n, enum fill fill,
                           unsigned workers) {
  uint8_t *memory, *memory2;
  rt_matrix w = make_matrix(id, rows, cols, fill, &memory), w2 = make_matrix(RT_Q8_0, 7, cols, RANDOM, &memory2);
  float *x = make_inputs(n, cols, fill);
  size_t size = (size_t)n * (rows + 7);
  float *expected = malloc(size * sizeof(float)), *got = malloc(size * sizeof(float)), bias[7] = {1, 2, 3, 4, 5, 6, 7};
  bool both = cols % 32 == 0;
  for (int k = 0; k < 2; k++) {
    float *y = k ? got : expected;
    memset(y, 0xee, size * sizeof(float));
    const rt_matmul_part parts[2] = {{&w, NULL, x, cols, n, y, rows + 7}, {&w2, bias, x, cols, n, y + rows, rows + 7}};
    matmul(k ? kernels : portable(), k ? workers : 1, false, parts, both ? 2 : 1);
  }
  for (size_t i = 0; i < size; i++)
    if (!same(expected[i], got[i]))
      fail_msg("%s differs from portable: %s, rows %u, cols %u, n %u, fill %d, workers %u, at %zu: %a, not %a", rt_kernels_name(kernels),
               w.type->name, rows, cols, n, fill, workers, i, (double)got[i], (double)expected[i]);
  free(x);
  free(expected);
  free(got);
  free(memory);
  free(memory2);
}

static const char *only; /* NULL: all variants */
static bool shortened;

/* Calls `check` for each variant of this build; says by name which cannot run. */
static void each_variant(void (*check)(const rt_kernels *)) {
  int available;
  const char *reason, *name;
  const retort_platform here = bare_platform();
  for (uint32_t i = 0; (name = retort_kernels_variant(&here, i, &available, &reason)); i++) {
    const rt_kernels *kernels;
    retort_status status = rt_kernels_select(&here, name, &kernels, NULL);
    assert_int_equal(status, available ? RETORT_OK : RETORT_ERROR_UNSUPPORTED);
    if (available && (!only || !strcmp(only, name))) check(kernels);
    else print_message("NOT RUN: variant %s: %s\n", name, available ? "not named" : reason);
  }
}

static void check_matmul(const rt_kernels *kernels) {
  static const unsigned workers[] = {1, 2, 3, 5};
  for (size_t t = 0; t < RT_COUNT(types); t++) {
    uint32_t block = rt_quant_find(types[t])->block, unit = block == 1 ? 19 : block;
    for (int fill = 0; fill < FILLS; fill++) {
      compare_matmul(kernels, types[t], 19, unit, 1, fill, 1);
      compare_matmul(kernels, types[t], 35, 3 * unit, 33, fill, 2);
      compare_matmul(kernels, types[t], 17, 2 * unit, 5, fill, 1);
    }
    if (shortened) continue;
    for (uint32_t n = 1; n <= 70; n += n < 18 ? 1 : 13) compare_matmul(kernels, types[t], 1 + n % 21, 2 * unit, n, RANDOM, workers[n % 4]);
    for (uint32_t rows = 1; rows <= 50; rows += 7)
      compare_matmul(kernels, types[t], rows, unit, rows % 2 ? 3 : 20, RANDOM, workers[rows % 4]);
    if (block <= 32) {
      compare_matmul(kernels, types[t], 100, 576, 2, RANDOM, 2);
      compare_matmul(kernels, types[t], 100, 896, 17, RANDOM, 3);
    }
    compare_matmul(kernels, types[t], 130, 1536, 33, RANDOM, 2);
  }
}
static void variants_multiply_alike(void **state) {
  (void)state;
  each_variant(check_matmul);
}

/* ---- parts with inputs of their own ---- */

/* Products of experts: other rows, other numbers of rows and columns in one group give the bits that each gives alone. */
static void check_parts(const rt_kernels *kernels) {
  static const struct {
    uint32_t id, rows, cols, n, x; /* x: which of three arrays of inputs it reads */
  } made[] = {{RT_Q4_K, 40, 512, 1, 0},  {RT_Q8_0, 17, 512, 1, 0},  {RT_Q4_0, 5, 512, 2, 0},
              {RT_Q6_K, 33, 256, 20, 2}, {RT_Q3_K, 21, 256, 20, 2}, {RT_F16, 9, 256, 20, 1},
              {RT_Q8_0, 70, 96, 3, 2},   {RT_Q5_1, 3, 96, 0, 2},    {RT_Q4_1, 100, 64, 17, 1}};
  enum { PARTS = RT_COUNT(made) };
  for (unsigned way = 0; way < 12; way++) {
    bool two_planes = way % 2;
    unsigned workers = 1 + way % 3;
    rt_matrix w[PARTS];
    rt_matmul_part parts[PARTS];
    uint8_t *memory[PARTS];
    float *x[3], *y[PARTS], bias[100];
    for (int i = 0; i < 3; i++) x[i] = make_inputs(20, 512, RANDOM);
    for (int i = 0; i < 100; i++) bias[i] = rnd_float();
    for (size_t p = 0; p < PARTS; p++) {
      size_t size = (size_t)made[p].rows * made[p].n;
      w[p] = make_matrix(made[p].id, made[p].rows, made[p].cols, RANDOM, &memory[p]);
      y[p] = malloc((size + 1) * sizeof(float));
      memset(y[p], 0xee, (size + 1) * sizeof(float));
      parts[p] = (rt_matmul_part){&w[p], p % 3 ? NULL : bias, x[made[p].x], made[p].cols + 8 * (p / 4), made[p].n, y[p], made[p].rows};
    }
    matmul(kernels, workers, two_planes, parts, PARTS);
    for (size_t p = 0; p < PARTS; p++) {
      size_t size = (size_t)made[p].rows * made[p].n;
      rt_matmul_part one = parts[p];
      one.y = malloc((size + 1) * sizeof(float));
      memset(one.y, 0xee, (size + 1) * sizeof(float));
      matmul(way < 6 ? kernels : portable(), 1, two_planes, &one, 1);
      if (memcmp(one.y, y[p], (size + 1) * sizeof(float)))
        fail_msg("%s, %u workers%s: part %zu differs from itself alone", rt_kernels_name(kernels), workers,
                 two_planes ? ", two planes" : "", p);
      free(one.y);
    }
    for (size_t p = 0; p < PARTS; p++) free(y[p]), free(memory[p]);
    for (int i = 0; i < 3; i++) free(x[i]);
  }
}
static void parts_keep_to_their_inputs(void **state) {
  (void)state;
  each_variant(check_parts);
}

/* ---- inputs that are not numbers ---- */

static void check_odd_inputs(const rt_kernels *kernels) {
  static const float odd[] = {INFINITY, -INFINITY, NAN, 3.4e38f, 1e-38f, 1e-45f, -0.0f};
  for (size_t t = 0; t < RT_COUNT(types); t++) {
    uint8_t *memory;
    rt_matrix w = make_matrix(types[t], 3, 512, RANDOM, &memory);
    for (size_t o = 0; o < RT_COUNT(odd); o++) {
      float *x = make_inputs(12, 512, RANDOM), y[36];
      x[5 * 512 + 300] = odd[o];
      matmul(kernels, 1, false, &(rt_matmul_part){&w, NULL, x, 512, 12, y, 3}, 1);
      for (int i = 0; i < 36; i++) {
        bool broken = i / 3 == 5 && !isfinite(odd[o]);
        assert_true(broken ? !isfinite(y[i]) : !isnan(y[i]));
      }
      free(x);
    }
    free(memory);
  }
}
static void infinities_and_nans_stay_visible_and_in_their_row(void **state) {
  (void)state;
  each_variant(check_odd_inputs);
}

/* ---- the float operations ---- */

/* Number i of a key or a value as the cache gives it back: docs/NUMERICS.md written a second time. */
static double kept(int kv_type, const float *row, uint32_t n, uint32_t i) {
  if (kv_type == RT_KV_F32) return row[i];
  if (kv_type == RT_KV_F16) return rt_f16_to_f32(rt_f32_to_f16(row[i]));
  float amax = 0;
  for (uint32_t k = i / 32 * 32; k < n && k < i / 32 * 32 + 32; k++) amax = fmaxf(amax, fabsf(row[k]));
  return amax < 0x1p-100f ? 0 : (double)rt_f16_to_f32(rt_f32_to_f16(amax / 127.0f)) * (double)nearbyintf(row[i] * (127.0f / amax));
}

static const int kv_types[] = {RT_KV_F16, RT_KV_F32, RT_KV_Q8_0};

static bool is_nan_half(const uint8_t *p) { return (p[1] & 0x7f) > 0x7c || ((p[1] & 0x7f) == 0x7c && p[0]); }

/* Numbers at the edges: variants need only agree. */
static void check_extreme_floats(const rt_kernels *kernels) {
  static const float edges[] = {3.4e38f, -3.4e38f, 0.0f,     -0.0f,     1e-45f, -1e-41f, 1.1754944e-38f, 65519.0f, 65520.0f,
                                8.33e6f, 5.9e-8f,  INFINITY, -INFINITY, NAN,    88.8f,   -87.4f,         1.0f};
  const rt_kernels *spec = portable();
  for (int round = 0; round < 300; round++) {
    uint32_t n = 2 + 2 * (uint32_t)(rnd() % 65), kinds = 1 + (uint32_t)(rnd() % 3);
    float x[130], y[130], a[130], b[130], pick[3];
    for (uint32_t i = 0; i < kinds; i++) pick[i] = edges[rnd() % RT_COUNT(edges)];
    for (uint32_t i = 0; i < 130; i++) x[i] = round % 2 && rnd() % 4 ? rnd_float() : pick[rnd() % kinds], y[i] = rnd_float();
    for (int op = 0; op < 5; op++) {
      for (int k = 0; k < 2; k++) {
        const rt_kernels *which = k ? kernels : spec;
        float *out = k ? b : a;
        memcpy(out, x, sizeof x);
        if (op == 0) rt_rmsnorm(which, x, y, 1e-6f, n, out);
        else if (op == 1) rt_swiglu(which, out, y, n);
        else if (op == 2) rt_add(which, out, y, n);
        else rt_rope(which, out, y, n, op == 3);
      }
      for (uint32_t i = 0; i < n; i++)
        if (!same(a[i], b[i]))
          fail_msg("%s: operation %d at %u of %u: %a, not %a", rt_kernels_name(kernels), op, i, n, (double)b[i], (double)a[i]);
    }
    for (size_t t = 0; t < RT_COUNT(kv_types); t++) {
      size_t bytes = rt_kv_row_bytes(kv_types[t], n);
      uint8_t *ka = malloc(bytes), *kb = malloc(bytes); /* exact, for the sanitizers */
      rt_kv_store(spec, kv_types[t], x, n, ka);
      rt_kv_store(kernels, kv_types[t], x, n, kb);
      for (uint32_t i = 0; i < n && kv_types[t] == RT_KV_F16; i++)
        if (is_nan_half(ka + 2 * i) && is_nan_half(kb + 2 * i)) memcpy(kb + 2 * i, ka + 2 * i, 2);
      assert_memory_equal(ka, kb, bytes);
      free(ka), free(kb);
    }
  }
}
static void float_operations_are_alike_at_the_edges(void **state) {
  (void)state;
  each_variant(check_extreme_floats);
}

static void check_float_ops(const rt_kernels *kernels) {
  const rt_kernels *spec = portable();
  for (uint32_t n = 2; n <= 130; n += 2) {
    float x[130], y[130], a[130], b[130];
    for (uint32_t i = 0; i < n; i++) x[i] = rnd_float() * 20, y[i] = rnd_float();
    rt_rmsnorm(spec, x, y, 1e-6f, n, a);
    rt_rmsnorm(kernels, x, y, 1e-6f, n, b);
    assert_memory_equal(a, b, n * sizeof *a);
    double squares = 0;
    for (uint32_t i = 0; i < n; i++) squares += (double)x[i] * x[i];
    for (uint32_t i = 0; i < n; i++) assert_true(fabs(a[i] - x[i] / sqrt(squares / n + 1e-6) * y[i]) < 2e-6);
    memcpy(a, x, sizeof a), memcpy(b, x, sizeof b);
    rt_swiglu(spec, a, y, n);
    rt_swiglu(kernels, b, y, n);
    assert_memory_equal(a, b, n * sizeof *a);
    for (uint32_t i = 0; i < n; i++) assert_true(fabs(a[i] - x[i] / (1 + exp(-(double)x[i])) * y[i]) <= 3e-7 * fabs(x[i] * y[i]) + 1e-12);
    memcpy(a, x, sizeof a), memcpy(b, x, sizeof b);
    rt_add(spec, a, y, n);
    rt_add(kernels, b, y, n);
    assert_memory_equal(a, b, n * sizeof *a);
    for (int neox = 0; neox < 2; neox++) {
      memcpy(a, x, sizeof a), memcpy(b, x, sizeof b);
      rt_rope(spec, a, y, n, neox);
      rt_rope(kernels, b, y, n, neox);
      assert_memory_equal(a, b, n * sizeof *a);
      uint32_t i = n / 2 - 1, p = neox ? i : 2 * i, q = neox ? i + n / 2 : 2 * i + 1;
      assert_true(a[p] == x[p] * y[2 * i] - x[q] * y[2 * i + 1] && a[q] == x[p] * y[2 * i + 1] + x[q] * y[2 * i]);
    }
    uint16_t ha[130], hb[130];
    rt_kv_store(spec, RT_KV_F16, x, n, ha);
    rt_kv_store(kernels, RT_KV_F16, x, n, hb);
    assert_memory_equal(ha, hb, n * sizeof *ha);
    for (uint32_t i = 0; i < n; i++) assert_int_equal(ha[i], rt_f32_to_f16(x[i]));
    uint8_t block[5 * 34];
    rt_kv_store(kernels, RT_KV_Q8_0, x, n, block);
    for (uint32_t i = 0; i < rt_kv_row_bytes(RT_KV_Q8_0, n) / 34 * 32; i++) {
      uint16_t d;
      memcpy(&d, block + i / 32 * 34, sizeof d);
      double value = (double)rt_f16_to_f32(d) * (int8_t)block[i / 32 * 34 + 2 + i % 32];
      assert_true(value == (i < n ? kept(RT_KV_Q8_0, x, n, i) : 0));
      assert_true(i >= n || fabs(value - x[i]) <= 20 * (0.5 / 127 + 0x1p-11));
    }
  }
}
static void float_operations_are_right_and_alike(void **state) {
  (void)state;
  each_variant(check_float_ops);
}

/* ---- attention ---- */

static void attend(const rt_kernels *kernels, unsigned workers, const rt_attention *a) {
  retort_platform platform = pool_platform(&workers);
  rt_exec exec = {.kernels = kernels, .platform = &platform};
  uint8_t *work = rt_alloc(NULL, rt_attention_work_bytes(&exec, a, a->n, 1000));
  rt_attention_run(&exec, a, work);
  rt_free(NULL, work, 0);
}

/* One layer's keys and values in pages, and the same before they were rounded. */
typedef struct cache {
  int kv_type;
  uint32_t kv_heads, n_ctx, k_dim, v_dim;
  bool latent;  /* values are the first v_dim numbers of the keys */
  float *k, *v; /* (kv_heads, n_ctx, k_dim), (kv_heads, n_ctx, v_dim) */
  rt_kv_place k_place, v_place;
  const uint8_t **pages;
} cache;

static void open_cache(cache *c, enum fill fill, float extreme) {
  size_t nk = (size_t)c->kv_heads * c->n_ctx * c->k_dim, nv = (size_t)c->kv_heads * c->n_ctx * c->v_dim;
  uint32_t blocks = (c->n_ctx + RT_ATTENTION_BLOCK - 1) / RT_ATTENTION_BLOCK;
  c->k = malloc(nk * 4), c->v = malloc(nv * 4), c->pages = malloc(blocks * sizeof *c->pages);
  for (size_t i = 0; i < nk; i++) c->k[i] = fill ? extreme : rnd_float() * 3;
  for (size_t i = 0; i < nv; i++)
    c->v[i] = c->latent ? c->k[i / c->v_dim * c->k_dim + i % c->v_dim] : fill && i % 2 ? extreme : rnd_float();
  size_t k_row = rt_kv_row_bytes(c->kv_type, c->k_dim), v_row = rt_kv_row_bytes(c->kv_type, c->v_dim);
  c->k_place = (rt_kv_place){.head_bytes = RT_ATTENTION_BLOCK * k_row, .row_bytes = k_row, .dim = c->k_dim};
  c->v_place = (rt_kv_place){
      .offset = c->kv_heads * RT_ATTENTION_BLOCK * k_row, .head_bytes = RT_ATTENTION_BLOCK * v_row, .row_bytes = v_row, .dim = c->v_dim};
  size_t bytes = c->kv_heads * RT_ATTENTION_BLOCK * (k_row + v_row);
  if (c->latent) c->v_place = c->k_place, c->v_place.dim = c->v_dim, bytes = c->v_place.head_bytes * c->kv_heads;
  for (uint32_t b = 0; b < blocks; b++) {
    uint8_t *page = malloc(bytes);
    memset(page, 0xff, bytes); /* NaN: what nobody stored may not be read */
    for (uint32_t j = 0; j < RT_ATTENTION_BLOCK && b * RT_ATTENTION_BLOCK + j < c->n_ctx; j++)
      for (uint32_t h = 0; h < c->kv_heads; h++) {
        size_t at = (size_t)h * c->n_ctx + b * RT_ATTENTION_BLOCK + j;
        rt_kv_store(portable(), c->kv_type, c->k + at * c->k_dim, c->k_dim, page + h * c->k_place.head_bytes + j * k_row);
        if (c->latent) continue;
        rt_kv_store(portable(), c->kv_type, c->v + at * c->v_dim, c->v_dim,
                    page + c->v_place.offset + h * c->v_place.head_bytes + j * v_row);
      }
    c->pages[b] = page;
  }
}
static void close_cache(cache *c) {
  for (uint32_t b = 0; b * RT_ATTENTION_BLOCK < c->n_ctx; b++) free((void *)(uintptr_t)c->pages[b]);
  free(c->k), free(c->v), free(c->pages);
}

/* The last row of query head h in double. */
static void expect_attention(const cache *c, uint32_t heads, uint32_t n, uint32_t h, const float *q, const float *out) {
  size_t base = (size_t)(h / (heads / c->kv_heads)) * c->n_ctx;
  uint32_t positions = c->n_ctx - 3;
  const float *qh = q + ((size_t)(n - 1) * heads + h) * c->k_dim;
  double *score = malloc(positions * sizeof *score), max = -1e300, sum = 0;
  for (uint32_t j = 0; j < positions; j++) {
    score[j] = 0;
    for (uint32_t d = 0; d < c->k_dim; d++) score[j] += (double)qh[d] * kept(c->kv_type, c->k + (base + j) * c->k_dim, c->k_dim, d);
    score[j] *= 0.3f;
    max = fmax(max, score[j]);
  }
  for (uint32_t j = 0; j < positions; j++) sum += score[j] = exp(score[j] - max);
  for (uint32_t d = 0; d < c->v_dim; d++) {
    double o = 0;
    for (uint32_t j = 0; j < positions; j++)
      o += score[j] / sum *
           (c->latent ? kept(c->kv_type, c->k + (base + j) * c->k_dim, c->k_dim, d)
                      : kept(c->kv_type, c->v + (base + j) * c->v_dim, c->v_dim, d));
    assert_true(fabs(o - (double)out[((size_t)(n - 1) * heads + h) * c->v_dim + d]) < 1e-5);
  }
  free(score);
}

typedef struct widths {
  uint32_t k, v;
  bool latent;
} widths;
static void compare_attention_of(const rt_kernels *kernels, int kv_type, enum fill fill, widths dim, uint32_t heads, uint32_t kv_heads,
                                 uint32_t n, uint32_t past, unsigned workers) {
  static const float extreme[FILLS] = {[ALL_MIN] = -1e4f, [ALL_MAX] = 3e38f, [DENORMAL] = 1e-41f, [ZEROS] = -0.0f};
  cache c = {.kv_type = kv_type, .kv_heads = kv_heads, .n_ctx = past + n + 3, .k_dim = dim.k, .v_dim = dim.v, .latent = dim.latent};
  open_cache(&c, fill, extreme[fill]);
  size_t n_q = (size_t)n * heads * dim.k, n_out = (size_t)n * heads * dim.v;
  float *q = malloc(n_q * 4), *one = malloc(n_out * 4), *all = malloc(n_out * 4);
  uint32_t *visible = malloc(n * sizeof *visible);
  const uint8_t *const **tables = malloc(n * sizeof *tables);
  for (size_t i = 0; i < n_q; i++) q[i] = fill ? extreme[fill] : rnd_float() * 3;
  for (uint32_t i = 0; i < n; i++) visible[i] = past + i + 1, tables[i] = c.pages;
  rt_attention a = {
      .kv_type = kv_type, .k = c.k_place, .v = c.v_place, .n_heads = heads, .n_kv_heads = kv_heads, .scale = 0.3f, .pages = tables, .n = 1};
  for (uint32_t i = 0; i < n; i++) { /* the rows one at a time, portable */
    a.q = q + (size_t)i * heads * dim.k;
    a.out = one + (size_t)i * heads * dim.v;
    a.visible = visible + i;
    attend(portable(), 1, &a);
  }
  a.q = q, a.out = all, a.visible = visible, a.n = n;
  attend(kernels, workers, &a);
  for (size_t i = 0; i < n_out; i++)
    if (!same(one[i], all[i]))
      fail_msg("%s: attention differs at %zu: dims %u and %u, heads %u/%u, n %u, past %u, workers %u: %a, not %a", rt_kernels_name(kernels),
               i, dim.k, dim.v, heads, kv_heads, n, past, workers, (double)all[i], (double)one[i]);
  for (uint32_t h = 0; h < heads && fill == RANDOM; h++) expect_attention(&c, heads, n, h, q, all);
  close_cache(&c);
  free(q), free(one), free(all), free(visible), free(tables);
}
static void compare_attention(const rt_kernels *kernels, int kv_type, enum fill fill, uint32_t head_dim, uint32_t heads, uint32_t kv_heads,
                              uint32_t n, uint32_t past, unsigned workers) {
  compare_attention_of(kernels, kv_type, fill, (widths){head_dim, head_dim, false}, heads, kv_heads, n, past, workers);
}

/* Rows of several sequences in one call, few and many: each as alone. */
static void compare_sequences(const rt_kernels *kernels, uint32_t n_sequences, uint32_t rows, unsigned workers) {
  enum { HEADS = 6, KV_HEADS = 2, DIM = 64 };
  uint32_t n = n_sequences * rows;
  size_t row = HEADS * DIM;
  cache *caches = calloc(n_sequences, sizeof *caches);
  float *q = malloc(n * row * 4), *one = malloc(n * row * 4), *all = malloc(n * row * 4);
  uint32_t *visible = malloc(n * sizeof *visible);
  const uint8_t *const **tables = malloc(n * sizeof *tables);
  for (size_t i = 0; i < n * row; i++) q[i] = rnd_float() * 3;
  rt_attention a = {.kv_type = RT_KV_F16, .n_heads = HEADS, .n_kv_heads = KV_HEADS, .scale = 0.3f};
  for (uint32_t s = 0; s < n_sequences; s++) {
    caches[s] = (cache){.kv_type = RT_KV_F16, .kv_heads = KV_HEADS, .n_ctx = 3 + s * 97 % 400 + rows, .k_dim = DIM, .v_dim = DIM};
    open_cache(&caches[s], RANDOM, 0);
    for (uint32_t i = 0; i < rows; i++) visible[s * rows + i] = caches[s].n_ctx - rows + i + 1, tables[s * rows + i] = caches[s].pages;
    a.k = caches[s].k_place, a.v = caches[s].v_place;
    a.q = q + s * rows * row, a.out = one + s * rows * row, a.pages = tables + s * rows, a.visible = visible + s * rows, a.n = rows;
    attend(portable(), 1, &a);
  }
  a.q = q, a.out = all, a.pages = tables, a.visible = visible, a.n = n;
  attend(kernels, workers, &a);
  for (size_t i = 0; i < n * row; i++)
    if (!same(one[i], all[i])) fail_msg("%s: sequence %zu among %u differs", rt_kernels_name(kernels), i / row / rows, n_sequences);
  for (uint32_t s = 0; s < n_sequences; s++) close_cache(&caches[s]);
  free(caches), free(q), free(one), free(all), free(visible), free(tables);
}

static void check_attention(const rt_kernels *kernels) {
  static const unsigned workers[] = {1, 2, 3, 5};
  static const uint32_t dims[] = {8, 16, 64, 80, 100, 128};
  static const uint32_t shapes[][2] = {{1, 1}, {4, 4}, {6, 2}, {9, 3}, {12, 2}};
  int i = 0;
  for (size_t d = 0; d < RT_COUNT(dims) && !(shortened && d > 2); d++)
    for (size_t s = 0; s < RT_COUNT(shapes); s++)
      for (size_t t = 0; t < RT_COUNT(kv_types); t++, i++) {
        compare_attention(kernels, kv_types[t], RANDOM, dims[d], shapes[s][0], shapes[s][1], 1, (uint32_t)(i * 37 % 400), workers[i % 4]);
        compare_attention(kernels, kv_types[t], RANDOM, dims[d], shapes[s][0], shapes[s][1], 3 + (uint32_t)i % 5, 125,
                          workers[(i + 1) % 4]);
      }
  for (int fill = RANDOM + 1; fill < FILLS; fill++)
    for (size_t t = 0; t < RT_COUNT(kv_types); t++) {
      compare_attention(kernels, kv_types[t], fill, 80, 6, 2, 1, 140, 2);
      compare_attention(kernels, kv_types[t], fill, 64, 4, 2, 20, 120, 3);
    }
  compare_sequences(kernels, 3, 2, 2);
  compare_sequences(kernels, 5, 7, 3);
  if (shortened) return;
  for (size_t t = 0; t < RT_COUNT(kv_types); t++)
    for (uint32_t n = 1; n < 60; n += 29) {
      compare_attention_of(kernels, kv_types[t], RANDOM, (widths){96, 64, false}, 6, 3, n, 150, 2);
      compare_attention_of(kernels, kv_types[t], RANDOM, (widths){40, 128, false}, 4, 4, n, 100, 3);
      compare_attention_of(kernels, kv_types[t], RANDOM, (widths){96, 64, true}, 16, 1, n, 150, 2);
    }
  compare_attention(kernels, RT_KV_F16, RANDOM, 128, 12, 2, 70, 0, 2);
  compare_attention(kernels, RT_KV_F16, RANDOM, 64, 9, 3, 150, 200, 3);
  compare_attention(kernels, RT_KV_Q8_0, RANDOM, 80, 9, 3, 70, 60, 3);
}
static void attention_is_right_and_alike(void **state) {
  (void)state;
  each_variant(check_attention);
}

static void an_unknown_variant_is_refused_with_the_known_ones(void **state) {
  (void)state;
  const rt_kernels *kernels = NULL;
  retort_error error;
  const retort_platform here = bare_platform();
  assert_int_equal(rt_kernels_select(&here, "abacus", &kernels, &error), RETORT_ERROR_UNSUPPORTED);
  assert_null(kernels);
  assert_non_null(strstr(error.message, "portable"));
  assert_int_equal(rt_kernels_select(&here, NULL, &kernels, &error), RETORT_OK);
  print_message("best variant here: %s\n", rt_kernels_name(kernels));
}

int main(int argc, char **argv) {
  shortened = argc > 2 && !strcmp(argv[1], "short");
  only = argc > 1 ? argv[argc - 1] : NULL;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(portable_matmul_is_right),
      cmocka_unit_test(variants_multiply_alike),
      cmocka_unit_test(parts_keep_to_their_inputs),
      cmocka_unit_test(infinities_and_nans_stay_visible_and_in_their_row),
      cmocka_unit_test(float_operations_are_right_and_alike),
      cmocka_unit_test(float_operations_are_alike_at_the_edges),
      cmocka_unit_test(attention_is_right_and_alike),
      cmocka_unit_test(an_unknown_variant_is_refused_with_the_known_ones),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
