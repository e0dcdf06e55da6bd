/* base.h - the small common ground of the core: errors, checked sizes, memory, parallel regions.
 *
 * Everything else in runtime/ builds on this and on nothing beside it. Absent on purpose: containers, logging levels, string classes.
 */
#ifndef RT_BASE_H
#define RT_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "retort_platform.h"

#if defined(__GNUC__) || defined(__clang__)
#define RT_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define RT_LIKELY(x) __builtin_expect(!!(x), 1)
#define RT_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#define RT_PRINTF(f, a)
#define RT_LIKELY(x) (x)
#define RT_UNLIKELY(x) (x)
#endif

#define RT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Stores `status` and the formatted message in `error` (may be NULL) and returns `status`: `return rt_fail(error, RETORT_ERROR_...,
 * "...")`. */
retort_status rt_fail(retort_error *error, retort_status status, const char *format, ...) RT_PRINTF(3, 4);

/* The common failure: says how much was wanted and for what. */
retort_status rt_fail_memory(retort_error *error, uint64_t bytes, const char *what);

/* Checked arithmetic: false on overflow, *out untouched. */
static inline bool rt_mul_u64(uint64_t a, uint64_t b, uint64_t *out) {
  uint64_t r;
  if (__builtin_mul_overflow(a, b, &r)) return false;
  *out = r;
  return true;
}
static inline bool rt_add_u64(uint64_t a, uint64_t b, uint64_t *out) {
  uint64_t r;
  if (__builtin_add_overflow(a, b, &r)) return false;
  *out = r;
  return true;
}
/* False when the value does not fit in size_t (wasm32, 32-bit ARM). */
static inline bool rt_to_size(uint64_t a, size_t *out) {
  if (a > SIZE_MAX) return false;
  *out = (size_t)a;
  return true;
}

/* Whether the caller's table reaches as far as `member`: it may be an older, shorter one (structs.h), or NULL. */
#define RT_PLATFORM_HAS(platform, member) \
  ((platform) && (platform)->struct_size >= offsetof(retort_platform, member) + sizeof((platform)->member))

/* Memory from the platform: 64-byte aligned and zeroed; NULL when there is none. `platform` NULL or without alloc: the C library's. */
void *rt_alloc(const retort_platform *platform, size_t size);
void rt_free(const retort_platform *platform, void *memory, size_t size);

/* An arena: memory that lives and dies together. Zero-initialise, set `platform`, and close. Not for concurrent use. */
typedef struct rt_arena {
  const retort_platform *platform;
  struct rt_arena_block *blocks; /* newest first */
  size_t used;                   /* bytes asked of the platform so far */
} rt_arena;
/* Zeroed, 16-byte aligned (64 from 256 bytes on, for vectors and what holds them); NULL when there is no memory. count * size is checked.
 */
void *rt_arena_alloc(rt_arena *arena, size_t count, size_t size);
/* A NUL-terminated copy of `size` bytes. */
char *rt_arena_string(rt_arena *arena, const char *bytes, size_t size);
void rt_arena_close(rt_arena *arena);

/* Arrays one after the other in one piece of memory, each on 64 bytes. With `base` NULL it only counts, so one function both sizes and
 * carves: run it once on a zeroed layout, take `size` bytes (64-byte aligned), run it again with them as `base`. */
typedef struct rt_layout {
  uint8_t *base;
  size_t size; /* SIZE_MAX once it overflowed: no memory has so many bytes */
} rt_layout;
/* Where `count` elements of `size` bytes stand; NULL while counting. */
static inline void *rt_place(rt_layout *layout, uint64_t count, size_t size) {
  void *at = layout->base ? layout->base + layout->size : NULL;
  uint64_t bytes;
  if (!rt_mul_u64(count, size, &bytes) || !rt_add_u64(bytes, 63, &bytes) || !rt_add_u64(bytes & ~UINT64_C(63), layout->size, &bytes) ||
      !rt_to_size(bytes, &layout->size))
    layout->size = SIZE_MAX;
  return at;
}

/* Workers that rt_parallel uses; at least 1. */
unsigned rt_workers(const retort_platform *platform);
/* See retort_platform.parallel. */
void rt_parallel(const retort_platform *platform, void (*work)(void *arg, unsigned worker, unsigned n_workers), void *arg);

void rt_log(const retort_platform *platform, int level, const char *format, ...) RT_PRINTF(3, 4);

/* ---- little-endian loads from unaligned bytes ---- */
static inline uint16_t rt_load_u16(const void *p) {
  const uint8_t *b = p;
  return (uint16_t)(b[0] | b[1] << 8);
}
static inline uint32_t rt_load_u32(const void *p) {
  const uint8_t *b = p;
  return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}
static inline uint64_t rt_load_u64(const void *p) { return (uint64_t)rt_load_u32(p) | (uint64_t)rt_load_u32((const uint8_t *)p + 4) << 32; }

#endif
