/* case.c - Unicode case mapping for upper, lower, capitalize and title: full mappings, so one character may become three.
 *
 * The table holds runs of characters whose mappings lie at one distance, and the exceptions (make_case_table.py). Where a table says
 * nothing a character maps to itself. */
#include "case.h"

#include "case_table.h"

static size_t in_special(const case_special *table, size_t n, uint32_t c, uint32_t out[3]) {
  for (size_t i = 0; i < n && table[i].from <= c; i++) {
    if (table[i].from != c) continue;
    size_t count = 0;
    while (count < 3 && table[i].to[count]) {
      out[count] = table[i].to[count];
      count++;
    }
    return count;
  }
  return 0;
}

static uint32_t in_runs(const case_run *table, size_t n, uint32_t c) {
  size_t low = 0, high = n;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (table[middle].last < c) low = middle + 1;
    else high = middle;
  }
  if (low == n || c < table[low].first || (c - table[low].first) % table[low].step) return c;
  return (uint32_t)((int32_t)c + table[low].delta);
}

size_t rtj_map_case(uint32_t c, char how, uint32_t out[3]) {
  size_t n = 0;
  if (how == 't') n = in_special(title_special, RT_COUNT(title_special), c, out);
  if (!n && how != 'l') n = in_special(upper_special, RT_COUNT(upper_special), c, out);
  if (!n && how == 'l') n = in_special(lower_special, RT_COUNT(lower_special), c, out);
  if (n) return n;
  out[0] = how == 'l' ? in_runs(lower_runs, RT_COUNT(lower_runs), c) : in_runs(upper_runs, RT_COUNT(upper_runs), c);
  return 1;
}

bool rtj_is_cased(uint32_t c) {
  uint32_t ignored[3];
  return in_runs(upper_runs, RT_COUNT(upper_runs), c) != c || in_runs(lower_runs, RT_COUNT(lower_runs), c) != c ||
         in_special(upper_special, RT_COUNT(upper_special), c, ignored) || in_special(title_special, RT_COUNT(title_special), c, ignored);
}
