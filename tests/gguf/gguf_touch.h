/* gguf_touch.h - asks an open GGUF for everything it can be asked, so that a sanitizer sees every byte that it would read. */
#ifndef TEST_GGUF_TOUCH_H
#define TEST_GGUF_TOUCH_H

#include <stdlib.h>

#include "gguf/gguf.h"

static inline uint64_t gguf_touch(const retort_gguf *g) {
  uint64_t sum = 0;
  retort_error error;
  retort_gguf_summary summary = {.struct_size = sizeof summary};
  if (retort_gguf_get_summary(g, &summary, &error)) abort();
  for (uint32_t i = 0; i < summary.n_entries; i++) {
    retort_gguf_entry entry = {.struct_size = sizeof entry};
    if (retort_gguf_get_entry(g, i, &entry, &error)) abort();
    char json[200];
    size_t size;
    retort_gguf_get_json(g, entry.key, i % 2 ? 5 : 0, json, sizeof json, &size, &error);
    uint32_t u = 0, *us;
    float f = 0, *fs;
    bool b = false;
    rt_string s = {0}, *ss;
    size_t n = 0;
    rt_arena arena = {0};
    sum += size + (uint64_t)rt_gguf_has(g, entry.key);
    if (!rt_gguf_get_u32(g, entry.key, true, 0, UINT32_MAX, &u, &error)) sum += u;
    if (!rt_gguf_get_f32(g, entry.key, true, &f, &error)) sum += f > 0;
    if (!rt_gguf_get_bool(g, entry.key, &b, &error)) sum += b;
    if (!rt_gguf_get_string(g, entry.key, true, &s, &error))
      for (size_t k = 0; k < s.size; k++) sum += (uint8_t)s.bytes[k];
    if (!rt_gguf_get_u32s(g, entry.key, true, &arena, &us, &n, &error))
      for (size_t k = 0; k < n; k++) sum += us[k];
    if (!rt_gguf_get_f32s(g, entry.key, true, &arena, &fs, &n, &error))
      for (size_t k = 0; k < n; k++) sum += fs[k] > 0;
    if (!rt_gguf_get_strings(g, entry.key, true, &arena, &ss, &n, &error))
      for (size_t k = 0; k < n; k++)
        for (size_t j = 0; j < ss[k].size; j++) sum += (uint8_t)ss[k].bytes[j];
    rt_arena_close(&arena);
  }
  for (uint32_t i = 0; i < summary.n_tensors; i++) {
    retort_gguf_tensor t = {.struct_size = sizeof t};
    if (retort_gguf_get_tensor(g, i, &t, &error)) abort();
    const rt_tensor *found = rt_gguf_find_tensor(g, t.name);
    if (found != rt_gguf_tensor_at(g, i)) abort();
    for (uint64_t k = 0; found->data && k < found->size; k++) sum += found->data[k];
  }
  return sum;
}

#endif
