/* test_quant.c - block sizes, exact decode against digests made by PyPI gguf, and half precision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha256.h"
#include "gguf/gguf.h"
#include "base/f16.h"
#include "quant/panel.h"
#include "quant/quant.h"
#include "quant_golden.h"

/* xorshift64*, upper byte of each number. */
static void random_bytes(uint8_t *out, size_t n, uint64_t s) {
  for (size_t i = 0; i < n; i++) {
    s ^= s >> 12;
    s ^= s << 25;
    s ^= s >> 27;
    out[i] = (uint8_t)((s * 0x2545F4914F6CDD1Du) >> 56);
  }
}

static void decode_gives_the_reference_values(void **state) {
  (void)state;
  static uint8_t blocks[64 * 256 + 1];
  static float values[64 * 256];
  for (size_t t = 0; t < RT_COUNT(quant_golden); t++) {
    const rt_quant *type = rt_quant_find(quant_golden[t].type);
    assert_non_null(type);
    uint8_t *start = blocks + t % 2; /* on odd addresses too */
    random_bytes(start, 64 * (size_t)type->block_bytes, 1000 + type->id);
    for (int b = 0; b < 64; b++)
      for (int h = 0; h < 2; h++) {
        if (quant_golden[t].halves[h] < 0) continue;
        uint8_t *high = start + (size_t)b * type->block_bytes + quant_golden[t].halves[h] + 1;
        if ((*high & 0x7c) == 0x7c) *high &= 0xbf;
      }
    for (size_t b = 0; type->id == RT_IQ1_M && b < 64; b++) start[b * 56 + 55] &= 0xbf; /* the half's high nibble */
    type->decode(start, values, 64 * (size_t)type->block);
    rt_sha256 hash;
    uint8_t digest[RT_SHA256_SIZE];
    char hex[65];
    rt_sha256_init(&hash);
    rt_sha256_update(&hash, values, 64 * (size_t)type->block * sizeof *values);
    rt_sha256_digest(&hash, digest);
    rt_sha256_hex(digest, hex);
    assert_string_equal(hex, quant_golden[t].sha256);
  }
}

static void formats_keep_the_bounds_of_the_panel(void **state) {
  (void)state;
  for (uint32_t id = 0; id < 64; id++) {
    const rt_quant *type = rt_quant_find(id);
    if (!type) continue;
    const rt_gguf_type *format = rt_gguf_type_find(id);
    assert_string_equal(type->name, format->name);
    assert_true(type->block == format->block && type->block_bytes == format->block_bytes);
    if (!type->panel) continue;
    assert_int_equal(type->block % type->panel->group, 0);
    assert_int_not_equal(rt_panel_kind_of(type->panel), RT_PANEL_NONE);
  }
  assert_null(rt_quant_find(40)); /* NVFP4 */
}

/* A kernel that adds products in 16 bits gives wrong sums outside of its kind's bounds, so such a format has no kind. */
static void the_kind_of_a_panel_is_the_least_general_that_is_right(void **state) {
  (void)state;
  static const struct {
    rt_panel_format format;
    rt_panel_kind kind;
  } cases[] = {
      {{.group = 32, .zero = 8, .max_code = 15}, RT_PANEL_32_4BIT},
      {{.group = 32, .zero = 8, .max_code = 16}, RT_PANEL_32_5BIT},
      {{.group = 32, .zero = 16, .max_code = 32}, RT_PANEL_NONE},
      {{.group = 32, .zero = 128, .max_code = 32}, RT_PANEL_32_8BIT},
      {{.group = 32, .zero = 127, .max_code = 255}, RT_PANEL_NONE},
      {{.group = 32, .max_code = 15, .min = true}, RT_PANEL_32_MIN_4BIT},
      {{.group = 32, .max_code = 31, .min = true}, RT_PANEL_32_MIN_5BIT},
      {{.group = 32, .max_code = 32, .min = true}, RT_PANEL_NONE},
      {{.group = 32, .zero = 1, .max_code = 15, .min = true}, RT_PANEL_NONE},
      {{.group = 64, .zero = 8, .max_code = 15}, RT_PANEL_NONE},
      {{.group = 32, .sub = 16, .zero = 8, .max_code = 15}, RT_PANEL_NONE},
      {{.group = 256, .zero = 8, .max_code = 15}, RT_PANEL_NONE},
      {{.group = 256, .sub = 8, .zero = 8, .max_code = 15}, RT_PANEL_NONE},
      {{.group = 256, .sub = 16, .zero = 4, .max_code = 7}, RT_PANEL_SUB16_5BIT},
      {{.group = 256, .sub = 16, .zero = 32, .max_code = 63}, RT_PANEL_SUB16_6BIT},
      {{.group = 256, .sub = 16, .zero = 30, .max_code = 63}, RT_PANEL_SUB16_7BIT},
      {{.group = 256, .sub = 16, .zero = 43, .max_code = 86}, RT_PANEL_SUB16_7BIT},
      {{.group = 256, .sub = 16, .zero = 64, .max_code = 128}, RT_PANEL_NONE},
      {{.group = 256, .sub = 16, .zero = 62, .max_code = 127}, RT_PANEL_NONE},
      {{.group = 256, .sub = 16, .zero = 65, .max_code = 127}, RT_PANEL_NONE},
      {{.group = 256, .sub = 16, .zero = 128, .max_code = 255}, RT_PANEL_NONE},
      {{.group = 256, .sub = 16, .max_code = 3, .min = true}, RT_PANEL_SUB16_MIN},
      {{.group = 256, .sub = 32, .zero = 15, .max_code = 30}, RT_PANEL_SUB32_6BIT},
      {{.group = 256, .sub = 32, .zero = 62, .max_code = 124}, RT_PANEL_SUB32_7BIT},
      {{.group = 256, .sub = 32, .zero = 128, .max_code = 241}, RT_PANEL_SUB32_8BIT},
      {{.group = 256, .sub = 32, .max_code = 15, .min = true}, RT_PANEL_SUB32_MIN_4BIT},
      {{.group = 256, .sub = 32, .max_code = 31, .min = true}, RT_PANEL_SUB32_MIN_5BIT},
      {{.group = 256, .sub = 32, .max_code = 63, .min = true}, RT_PANEL_NONE},
  };
  for (size_t i = 0; i < RT_COUNT(cases); i++) assert_int_equal(rt_panel_kind_of(&cases[i].format), cases[i].kind);
  assert_int_equal(rt_panel_kind_of(NULL), RT_PANEL_NONE);
}

/* Narrowing against the definition: the nearest of all 63488 finite halves, ties to the even one. */
static void halves_round_trip_and_round_to_nearest_even(void **state) {
  (void)state;
  for (uint32_t h = 0; h < 65536; h++) {
    float f = rt_f16_to_f32((uint16_t)h);
    if ((h & 0x7fff) > 0x7c00) {
      assert_true(f != f);
      uint16_t back = rt_f32_to_f16(f);
      assert_true((back & 0x7fff) > 0x7c00);
      continue;
    }
    assert_int_equal(rt_f32_to_f16(f), h);
    if ((h & 0x7fff) >= 0x7bff) continue;
    float above = rt_f16_to_f32((uint16_t)(h + 1)), middle = (f + above) / 2; /* exact in float */
    float toward = (h & 0x8000) ? -1.0f : 1.0f;
    assert_int_equal(rt_f32_to_f16(middle), h & 1 ? h + 1 : h);
    uint32_t bits = rt_float_bits(middle);
    assert_int_equal(rt_f32_to_f16(rt_bits_float(bits - 1)), h);
    assert_int_equal(rt_f32_to_f16(rt_bits_float(bits + 1)), h + 1);
    assert_true((above - f) * toward > 0);
  }
  assert_int_equal(rt_f32_to_f16(65519.996f), 0x7bff);
  assert_int_equal(rt_f32_to_f16(65520.0f), 0x7c00);
  assert_int_equal(rt_f32_to_f16(-3e38f), 0xfc00);
  assert_int_equal(rt_f32_to_f16(1e-30f), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(decode_gives_the_reference_values),
      cmocka_unit_test(formats_keep_the_bounds_of_the_panel),
      cmocka_unit_test(the_kind_of_a_panel_is_the_least_general_that_is_right),
      cmocka_unit_test(halves_round_trip_and_round_to_nearest_even),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
