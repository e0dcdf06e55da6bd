/* base.c - errors, memory and parallel regions; see base.h. */
#include "base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *retort_version(void) { return RETORT_VERSION_STRING; }
uint32_t retort_abi_version(void) { return RETORT_ABI_VERSION; }
uint32_t retort_numerics(void) { return RETORT_NUMERICS; }

const char *retort_status_name(retort_status status) {
  switch (status) {
    case RETORT_OK: return "ok";
    case RETORT_ERROR_ARGUMENT: return "argument";
    case RETORT_ERROR_MEMORY: return "memory";
    case RETORT_ERROR_FORMAT: return "format";
    case RETORT_ERROR_UNSUPPORTED: return "unsupported";
    case RETORT_ERROR_CONTEXT: return "context";
    case RETORT_ERROR_TEMPLATE: return "template";
    case RETORT_ERROR_JSON: return "json";
    case RETORT_ERROR_BUFFER: return "buffer";
    case RETORT_ERROR_TRUST: return "trust";
    case RETORT_ERROR_IO: return "io";
    case RETORT_ERROR_INTERRUPTED: return "interrupted";
    case RETORT_STATUS_FORCE_INT32: break;
  }
  return "unknown";
}

retort_status rt_fail(retort_error *error, retort_status status, const char *format, ...) {
  if (error) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    if (n < 0) error->message[0] = 0;
    /* A cut message must not end inside a UTF-8 sequence. */
    if ((size_t)n >= sizeof error->message) {
      size_t end = sizeof error->message - 1;
      while (end > 0 && ((unsigned char)error->message[end - 1] & 0xC0) == 0x80) end--;
      if (end > 0 && (unsigned char)error->message[end - 1] >= 0xC0) end--;
      error->message[end] = 0;
    }
    error->status = status;
  }
  return status;
}

retort_status rt_fail_memory(retort_error *error, uint64_t bytes, const char *what) {
  return rt_fail(error, RETORT_ERROR_MEMORY,
                 "not enough memory: %llu bytes for %s could not be had; close other programs or use a smaller model or context",
                 (unsigned long long)bytes, what);
}

/* ---- memory ---- */

enum { ALIGNMENT = 64 };

void *rt_alloc(const retort_platform *platform, size_t size) {
  if (size == 0) size = 1;
  if (RT_PLATFORM_HAS(platform, alloc) && platform->alloc) return platform->alloc(platform->user, size);
  if (size > SIZE_MAX - ALIGNMENT) return NULL;
  size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
  void *memory = aligned_alloc(ALIGNMENT, size);
  if (memory) memset(memory, 0, size);
  return memory;
}

void rt_free(const retort_platform *platform, void *memory, size_t size) {
  if (!memory) return;
  if (RT_PLATFORM_HAS(platform, free) && platform->free) platform->free(platform->user, memory, size ? size : 1);
  else free(memory);
}

struct rt_arena_block {
  struct rt_arena_block *next;
  size_t size; /* of the whole block, this header included */
  size_t used;
};
enum {
  BLOCK_HEADER = (sizeof(struct rt_arena_block) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT,
  BLOCK_SIZE = 64 * 1024,
  ALIGNED = 256,
  LARGE = 4096
};

void *rt_arena_alloc(rt_arena *arena, size_t count, size_t size) {
  uint64_t wanted;
  if (!rt_mul_u64(count, size, &wanted) || wanted > SIZE_MAX / 2) return NULL;
  if (wanted == 0) wanted = 1;
  size_t align = wanted >= ALIGNED ? ALIGNMENT : 16;
  struct rt_arena_block *block = arena->blocks;
  size_t start = block ? (block->used + align - 1) & ~(align - 1) : 0;
  if (!block || start > block->size || block->size - start < wanted) {
    size_t total = BLOCK_HEADER + (size_t)wanted;
    if (total < BLOCK_SIZE) total = BLOCK_SIZE;
    struct rt_arena_block *fresh = rt_alloc(arena->platform, total);
    if (!fresh) return NULL;
    fresh->size = total;
    fresh->used = BLOCK_HEADER;
    arena->used += total;
    /* A block for one large object goes behind the current one, so that the room left there is still used. */
    if (block && wanted >= LARGE) {
      fresh->next = block->next;
      block->next = fresh;
    } else {
      fresh->next = block;
      arena->blocks = fresh;
    }
    block = fresh;
    start = BLOCK_HEADER;
  }
  block->used = start + (size_t)wanted;
  return (char *)block + start;
}

char *rt_arena_string(rt_arena *arena, const char *bytes, size_t size) {
  if (size == SIZE_MAX) return NULL;
  char *copy = rt_arena_alloc(arena, size + 1, 1);
  if (copy && size) memcpy(copy, bytes, size);
  return copy;
}

void rt_arena_close(rt_arena *arena) {
  struct rt_arena_block *block = arena->blocks;
  while (block) {
    struct rt_arena_block *next = block->next;
    rt_free(arena->platform, block, block->size);
    block = next;
  }
  arena->blocks = NULL;
  arena->used = 0;
}

/* ---- parallel regions and log ---- */

unsigned rt_workers(const retort_platform *platform) {
  return RT_PLATFORM_HAS(platform, workers) && platform->parallel && platform->workers ? platform->workers : 1;
}

void rt_parallel(const retort_platform *platform, void (*work)(void *, unsigned, unsigned), void *arg) {
  if (rt_workers(platform) > 1) platform->parallel(platform->user, work, arg);
  else work(arg, 0, 1);
}

void rt_log(const retort_platform *platform, int level, const char *format, ...) {
  if (!RT_PLATFORM_HAS(platform, log) || !platform->log) return;
  char line[512];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  platform->log(platform->user, level, line);
}
