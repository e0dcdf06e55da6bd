/* state.c - see state.h. Errors carry the line and column of what was being done. */
#include "state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fail_v(jrun *run, uint32_t at, const char *format, va_list args) {
  char text[RETORT_ERROR_MESSAGE_SIZE];
  unsigned line = 1, column = 1;
  vsnprintf(text, sizeof text, format, args);
  for (uint32_t i = 0; i < at && i < run->source_size; i++) {
    if (run->source[i] == '\n') line++, column = 1;
    else column += ((unsigned char)run->source[i] & 0xC0) != 0x80;
  }
  run->status = rt_fail(run->error, RETORT_ERROR_TEMPLATE, "chat template, line %u, column %u: %s", line, column, text);
}

bool rtj_store_error_at(jrun *run, uint32_t at, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fail_v(run, at, format, args);
  va_end(args);
  return false;
}

bool rtj_store_error(jrun *run, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fail_v(run, run->at, format, args);
  va_end(args);
  return false;
}

enum { STEPS_A_LOOK = 50000 }; /* some milliseconds */

void *rtj_alloc(jrun *run, size_t count, size_t size) {
  uint64_t bytes;
  if (!rt_mul_u64(count, size, &bytes) || bytes > RT_TEMPLATE_MAX_MEMORY || run->arena.used + bytes > RT_TEMPLATE_MAX_MEMORY) {
    rtj_fail(run, "the template needs more than %d bytes of memory", RT_TEMPLATE_MAX_MEMORY);
    return NULL;
  }
  void *memory = rt_arena_alloc(&run->arena, count, size);
  if (!memory) run->status = rt_fail_memory(run->error, bytes, "the chat template");
  return memory;
}

void *rtj_grow(jrun *run, void *items, size_t count, size_t *capacity, size_t size) {
  if (count < *capacity) return items;
  size_t twice = *capacity ? *capacity * 2 : 8;
  void *grown = rtj_alloc(run, twice, size);
  if (!grown) return NULL;
  if (count) memcpy(grown, items, count * size);
  *capacity = twice;
  return grown;
}

bool rtj_work(jrun *run, uint64_t steps) {
  run->steps += steps;
  if (RT_LIKELY(run->steps < run->next_look)) return true;
  run->next_look = run->steps + STEPS_A_LOOK;
  if (run->world.interrupted && run->world.interrupted(run->world.interrupted_arg)) {
    run->status = rt_fail(run->error, RETORT_ERROR_INTERRUPTED, "interrupted while the chat template ran");
    return false;
  }
  if (run->steps <= RT_TEMPLATE_MAX_STEPS) return true;
  return rtj_fail(run, "the template does not come to an end within %d steps", RT_TEMPLATE_MAX_STEPS);
}

bool rtj_enter(jrun *run) {
  if (++run->depth <= RT_TEMPLATE_MAX_CALLS) return rtj_work(run, 1);
  return rtj_fail(run, "nested deeper than %d while running: calls or values without end?", RT_TEMPLATE_MAX_CALLS);
}

const jname *rtj_name(jrun *run, const char *bytes, size_t size) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < size; i++) hash = (hash ^ (unsigned char)bytes[i]) * 16777619u;
  jname **bucket = &run->names[hash % JNAME_BUCKETS];
  for (jname *name = *bucket; name; name = name->next, run->steps++)
    if (name->size == size && memcmp(name->bytes, bytes, size) == 0) return name;
  jname *name = rtj_alloc(run, 1, sizeof *name);
  if (!name) return NULL;
  *name = (jname){bytes, size, *bucket};
  return *bucket = name;
}
