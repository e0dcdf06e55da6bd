/* table.c - the table over all tensor types, and the exact decode, which for every block format is the formula of panel.h.
 *
 * The order of the float operations is that of ggml's reference code: (d * scale) * code - (dmin * min), and d * code + m.
 */
#include "quant.h"

#include "types.h"

static void decode_f32(const void *blocks, float *out, size_t n) { memcpy(out, blocks, n * sizeof *out); }

static void decode_f16(const void *blocks, float *out, size_t n) {
  const uint8_t *p = blocks;
  for (size_t i = 0; i < n; i++) out[i] = RT_F16_AT(p + 2 * i);
}

static void decode_bf16(const void *blocks, float *out, size_t n) {
  const uint8_t *p = blocks;
  for (size_t i = 0; i < n; i++) out[i] = rt_bf16_to_f32(rt_load_u16(p + 2 * i));
}

enum { MOST = 256 }; /* elements of a block */

static void decode_panel(rt_panel_decode panel, const rt_panel_format *format, size_t block, size_t block_bytes, const uint8_t *blocks,
                         float *out, size_t n) {
  uint8_t codes[MOST];
  float d[MOST / 32], m[MOST / 32];
  int32_t scales[MOST / 16];
  int16_t mins[MOST / 16];
  const rt_panel_row row = {codes, d, m, scales, mins};
  for (size_t start = 0; start < n; start += block, blocks += block_bytes, out += block) {
    panel(blocks, 1, &row);
    for (unsigned j = 0; j < block; j++) {
      float code = (float)(codes[j] - format->zero);
      unsigned g = j / format->group;
      if (!format->sub) {
        out[j] = d[g] * code;
        if (format->min) out[j] = out[j] + m[g];
      } else {
        unsigned s = j / format->sub;
        out[j] = d[g] * (float)scales[s] * code;
        if (format->min) out[j] = out[j] - m[g] * (float)mins[s];
      }
    }
  }
}

#define DECODE(NAME, name, elements)                                                                           \
  _Static_assert(elements % 32 == 0 && elements <= MOST, "a block of whole groups");                           \
  static void decode_##name(const void *blocks, float *out, size_t n) {                                        \
    decode_panel(rt_##name##_panel, &rt_##name##_format, elements, sizeof(rt_##name##_block), blocks, out, n); \
  }
RT_QUANT_BLOCK_TYPES(DECODE)

#define ENTRY(NAME, name, elements) {RT_##NAME, #NAME, elements, sizeof(rt_##name##_block), decode_##name, &rt_##name##_format},
static const rt_quant table[] = {{RT_F32, "F32", 1, 4, decode_f32, NULL},
                                 {RT_F16, "F16", 1, 2, decode_f16, NULL},
                                 {RT_BF16, "BF16", 1, 2, decode_bf16, NULL},
                                 RT_QUANT_BLOCK_TYPES(ENTRY)};

const rt_quant *rt_quant_find(uint32_t id) {
  for (size_t i = 0; i < RT_COUNT(table); i++)
    if (table[i].id == id) return &table[i];
  return NULL;
}
