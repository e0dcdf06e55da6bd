/* unicode.c - character classes and NFC; see unicode.h.
 *
 * NFC goes in three passes over an array of code points: decompose, put runs of marks into canonical order, compose. A run of marks may be
 * as long as the text, so it is ordered by counting, never by comparing neighbours. In the array a code point carries its combining class
 * in the upper 8 bits, so the tables are asked once for each.
 */
#include "unicode.h"

#include <string.h>

#include "../base/utf8.h"
#include "unicode_tables.h"

/* Index of the last element whose bits of `mask` are <= key, where those of values[0] are. */
static size_t last_not_above(const uint32_t *values, size_t count, uint32_t mask, uint32_t key) {
  size_t low = 0;
  while (count > 1) {
    size_t half = count / 2;
    if ((values[low + half] & mask) <= key) {
      low += half;
      count -= half;
    } else {
      count = half;
    }
  }
  return low;
}

rt_class rt_unicode_class(uint32_t cp) {
  if (cp < 0x80) {
    static const char ascii[] =
        "0000000006666600000000000000000064445444444544442222222222445554" /* U+0000.. */
        "4111111111111111111111111114445451111111111111111111111111145450" /* U+0040.. */;
    return (rt_class)(ascii[cp] - '0');
  }
  if (cp > 0x10FFFF) return RT_OTHER;
  size_t start = last_not_above(class_starts, RT_COUNT(class_starts), UINT32_MAX, cp);
  const uint16_t *run = class_runs + 32 * start;
  for (uint32_t left = cp - class_starts[start]; left >= *run >> 3; run++) left -= *run >> 3;
  return (rt_class)(*run & 7);
}

static uint32_t combining_class(uint32_t cp) {
  if (cp < mark_runs[0] >> 11) return 0;
  uint32_t run = mark_runs[last_not_above(mark_runs, RT_COUNT(mark_runs), UINT32_MAX, cp << 11 | 0x7FF)];
  return cp - (run >> 11) <= (run >> 8 & 7) ? run & 0xFF : 0;
}

/* ---- decomposition ---- */

enum {
  S_BASE = 0xAC00,
  L_BASE = 0x1100,
  V_BASE = 0x1161,
  T_BASE = 0x11A7,
  L_COUNT = 19,
  V_COUNT = 21,
  T_COUNT = 28,
  S_COUNT = 11172,
  MASK = 0x1FFFFF
};

static bool is_ideograph(uint32_t cp) { return cp >= 0x3400 && cp < 0xA000; } /* the bulk of Chinese text: no marks, no decompositions */

enum { INDEX_MASK = 0xFFF }; /* of a run of decompositions */

/* The two parts of decomposition `i`; *b is 0 for a singleton. */
static void parts_of(size_t i, uint32_t *a, uint32_t *b) {
  uint32_t tail = tails[tail_of[i]];
  *a = tail >> 21 << 16 | first_parts[i];
  *b = tail & MASK;
}

/* The one-step decomposition of `cp`; false where there is none. */
static bool decompose_once(uint32_t cp, uint32_t *a, uint32_t *b) {
  if (cp < decomposed_runs[0] >> 12 || cp >= 1 << 20) return false; /* above is nothing, and no room in a run's number */
  size_t run = last_not_above(decomposed_runs, RT_COUNT(decomposed_runs), UINT32_MAX, cp << 12 | INDEX_MASK);
  size_t end = run + 1 < RT_COUNT(decomposed_runs) ? decomposed_runs[run + 1] & INDEX_MASK : RT_COUNT(first_parts);
  size_t i = (decomposed_runs[run] & INDEX_MASK) + (cp - (decomposed_runs[run] >> 12));
  if (i >= end) return false;
  parts_of(i, a, b);
  return true;
}

/* Writes the full decomposition, at most 4 code points with combining classes; returns how many. Only first parts go on decomposing. */
static size_t decompose(uint32_t cp, uint32_t out[4]) {
  if (cp < 0xC0 || is_ideograph(cp)) {
    out[0] = cp;
    return 1;
  }
  if (cp >= S_BASE && cp < S_BASE + S_COUNT) {
    uint32_t s = cp - S_BASE;
    out[0] = L_BASE + s / (V_COUNT * T_COUNT);
    out[1] = V_BASE + s % (V_COUNT * T_COUNT) / T_COUNT;
    out[2] = T_BASE + s % T_COUNT;
    return s % T_COUNT ? 3 : 2;
  }
  uint32_t tail[4], a, b;
  size_t n_tail = 0, n = 0;
  while (n_tail < 3 && decompose_once(cp, &a, &b)) {
    if (b) tail[n_tail++] = b;
    cp = a;
  }
  out[n++] = cp;
  while (n_tail > 0) out[n++] = tail[--n_tail];
  for (size_t i = 0; i < n; i++) out[i] |= combining_class(out[i]) << 24;
  return n;
}

/* ---- canonical order: stable, by combining class, inside runs of marks ---- */

static void order_run(uint32_t *run, size_t count, uint32_t *work) {
  if (count < 12) {
    for (size_t i = 1; i < count; i++) {
      uint32_t moved = run[i];
      size_t k = i;
      for (; k > 0 && run[k - 1] >> 24 > moved >> 24; k--) run[k] = run[k - 1];
      run[k] = moved;
    }
    return;
  }
  size_t starts[257] = {0};
  for (size_t i = 0; i < count; i++) starts[(run[i] >> 24) + 1]++;
  for (size_t c = 1; c < 257; c++) starts[c] += starts[c - 1];
  memcpy(work, run, count * sizeof *run);
  for (size_t i = 0; i < count; i++) run[starts[work[i] >> 24]++] = work[i];
}

static void order_marks(uint32_t *text, size_t count, uint32_t *work) {
  for (size_t i = 0; i < count; i++) {
    size_t first = i;
    while (i < count && text[i] >> 24) i++;
    if (i - first > 1) order_run(text + first, i - first, work);
  }
}

/* ---- composition ---- */

/* The primary composite of two code points, 0: none. */
static uint32_t compose_pair(uint32_t a, uint32_t b) {
  if (a - L_BASE < L_COUNT && b - V_BASE < V_COUNT) return S_BASE + ((a - L_BASE) * V_COUNT + (b - V_BASE)) * T_COUNT;
  if (a - S_BASE < S_COUNT && (a - S_BASE) % T_COUNT == 0 && b - T_BASE - 1 < T_COUNT - 1) return a + (b - T_BASE);
  size_t low = 0, high = RT_COUNT(compositions);
  while (low < high) {
    size_t middle = (low + high) / 2, i = compositions[middle];
    uint32_t first, second;
    parts_of(i, &first, &second);
    if (first == a && second == b) {
      uint32_t run = decomposed_runs[last_not_above(decomposed_runs, RT_COUNT(decomposed_runs), INDEX_MASK, (uint32_t)i)];
      return (run >> 12) + ((uint32_t)i - (run & INDEX_MASK));
    }
    if (first < a || (first == a && second < b)) low = middle + 1;
    else high = middle;
  }
  return 0;
}

static size_t compose(uint32_t *text, size_t count) {
  size_t n = 0, starter = SIZE_MAX;
  uint32_t last_class = 0; /* of the last character kept after the starter */
  for (size_t i = 0; i < count; i++) {
    uint32_t cp = text[i] & MASK, class_ = text[i] >> 24;
    bool adjacent = starter != SIZE_MAX && n == starter + 1;
    if (starter != SIZE_MAX && cp >= 0x300 && !is_ideograph(cp) && (adjacent || (last_class != 0 && last_class < class_))) {
      uint32_t composite = compose_pair(text[starter] & MASK, cp);
      if (composite) {
        text[starter] = composite;
        continue;
      }
    }
    if (class_ == 0) starter = n;
    last_class = class_;
    text[n++] = text[i];
  }
  return n;
}

bool rt_nfc(const retort_platform *platform, const uint8_t *text, size_t size, const uint8_t **out, size_t *out_size,
            size_t *out_capacity) {
  *out = text;
  *out_size = size;
  *out_capacity = 0;
  size_t plain = 0;
  while (plain < size && text[plain] < 0xCC) plain++; /* below U+0300 everything is normalised */
  if (plain == size) return true;

  /* Count first: code points, and the bytes that they may need at the end (composition only shortens). */
  size_t count = 0, used;
  uint32_t cp, parts[4];
  for (size_t i = 0; i < size; i += used) {
    used = rt_utf8_decode(text + i, size - i, &cp);
    count += decompose(cp, parts);
  }
  uint64_t bytes;
  size_t capacity;
  if (!rt_mul_u64(count, 2 * sizeof(uint32_t), &bytes) || !rt_to_size(bytes, &capacity)) return false;
  uint32_t *points = rt_alloc(platform, capacity);
  if (!points) return false;
  size_t n = 0;
  for (size_t i = 0; i < size; i += used) {
    used = rt_utf8_decode(text + i, size - i, &cp);
    size_t k = decompose(cp, parts);
    memcpy(points + n, parts, k * sizeof *parts);
    n += k;
  }
  order_marks(points, n, points + count);
  n = compose(points, n);
  uint8_t *written = rt_alloc(platform, n * 4);
  if (written) {
    size_t at = 0;
    for (size_t i = 0; i < n; i++) at += rt_utf8_encode(points[i] & MASK, written + at);
    *out = written;
    *out_size = at;
    *out_capacity = n * 4;
  }
  rt_free(platform, points, capacity);
  return written != NULL;
}
