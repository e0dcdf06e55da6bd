/* saved.c - a sequence as bytes, and back. The bytes come from outside: every number is checked before it is used.
 *
 *   magic, version, RETORT_NUMERICS, kv_type, n         5 x u32: "RTKV", ...; little-endian, as all hosts are
 *   model                                               32 bytes: which model, and the shape of its cache
 *   tokens                                              n x i32
 *   keys, then values, of each layer and head           n rows each, as in the pages
 *   SHA-256 of all that                                 32 bytes: against damage; it does not say who wrote them
 */
#include <string.h>

#include "../base/sha256.h"
#include "sequence.h"

enum { MAGIC = 0x564b5452, VERSION = 1, NUMBERS = 5, HEADER = NUMBERS * 4 + RT_SHA256_SIZE };

static uint64_t saved_size(const retort_sequence *s, uint32_t n) {
  const rt_kv_layout *l = &s->cache.pool->layout;
  uint64_t position = (uint64_t)l->n_layers * l->n_heads * (l->k.row_bytes + (l->stores_values ? l->v.row_bytes : 0)) + sizeof *s->tokens;
  return HEADER + n * position + RT_SHA256_SIZE;
}

/* Copies n positions of one place (keys or values of a layer) between pages and bytes; returns the end of the bytes. */
static uint8_t *copy_place(const rt_kv_table *t, rt_kv_place place, uint32_t n_heads, uint32_t n, uint8_t *bytes, bool save) {
  for (uint32_t head = 0; head < n_heads; head++)
    for (uint32_t at = 0; at < n; at += RT_ATTENTION_BLOCK) {
      uint8_t *page = t->pages[at / RT_ATTENTION_BLOCK] + place.offset + head * place.head_bytes;
      size_t size = (n - at < RT_ATTENTION_BLOCK ? n - at : RT_ATTENTION_BLOCK) * place.row_bytes;
      memcpy(save ? bytes : page, save ? page : bytes, size);
      bytes += size;
    }
  return bytes;
}

static uint8_t *copy_cache(const rt_kv_table *t, uint32_t n, uint8_t *bytes, bool save) {
  const rt_kv_layout *l = &t->pool->layout;
  for (uint32_t layer = 0; layer < l->n_layers; layer++) {
    bytes = copy_place(t, rt_kv_keys(l, layer), l->n_heads, n, bytes, save);
    if (l->stores_values) bytes = copy_place(t, rt_kv_values(l, layer), l->n_heads, n, bytes, save);
  }
  return bytes;
}

static void digest_of(const retort_sequence *s, const uint8_t *bytes, size_t size, uint8_t digest[RT_SHA256_SIZE]) {
  rt_sha256 hash;
  rt_sha256_init_on(&hash, s->arena.platform);
  rt_sha256_update(&hash, bytes, size);
  rt_sha256_digest(&hash, digest);
}

retort_status rt_sequence_save(const retort_sequence *s, const uint8_t *model, void *buffer, size_t capacity, size_t *size,
                               retort_error *error) {
  uint32_t n = s->n_past;
  if (!rt_to_size(saved_size(s, n), size)) return rt_fail_memory(error, saved_size(s, n), "the saved sequence");
  if (capacity < *size || !buffer)
    return rt_fail(error, RETORT_ERROR_BUFFER, "the saved sequence has %zu bytes, the buffer %zu", *size, capacity);
  const uint32_t numbers[NUMBERS] = {MAGIC, VERSION, RETORT_NUMERICS, (uint32_t)s->cache.pool->layout.type, n};
  uint8_t *at = buffer;
  memcpy(at, numbers, sizeof numbers);
  memcpy(at + sizeof numbers, model, RT_SHA256_SIZE);
  memcpy(at + HEADER, s->tokens, n * sizeof *s->tokens);
  at = copy_cache(&s->cache, n, at + HEADER + n * sizeof *s->tokens, true);
  digest_of(s, buffer, *size - RT_SHA256_SIZE, at);
  return RETORT_OK;
}

static retort_status check(const retort_sequence *s, const uint8_t *model, uint32_t n_vocab, const uint8_t *data, size_t size,
                           uint32_t *n_out, retort_error *error) {
  uint32_t numbers[NUMBERS];
  if (size < HEADER + RT_SHA256_SIZE || (memcpy(numbers, data, sizeof numbers), numbers[0] != MAGIC))
    return rt_fail(error, RETORT_ERROR_FORMAT, "these %zu bytes are no saved sequence", size);
  if (numbers[1] != VERSION)
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "the saved sequence has version %u, this library reads %d; compute it anew", numbers[1],
                   VERSION);
  uint32_t n = *n_out = numbers[4];
  if (numbers[2] != RETORT_NUMERICS || numbers[3] != (uint32_t)s->cache.pool->layout.type)
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED,
                   "the saved sequence has numerics %u and keys and values of kind %u, here they are %d and %d; compute it anew",
                   numbers[2], numbers[3], RETORT_NUMERICS, s->cache.pool->layout.type);
  if (memcmp(data + sizeof numbers, model, RT_SHA256_SIZE) != 0)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "the saved sequence belongs to another model");
  if (n > s->n_ctx)
    return rt_fail(error, RETORT_ERROR_CONTEXT, "the saved sequence has %u positions and the context %u; use a larger n_ctx", n, s->n_ctx);
  if (size != saved_size(s, n))
    return rt_fail(error, RETORT_ERROR_FORMAT, "the saved sequence has %zu bytes instead of %llu: it is damaged", size,
                   (unsigned long long)saved_size(s, n));
  uint8_t digest[RT_SHA256_SIZE];
  digest_of(s, data, size - RT_SHA256_SIZE, digest);
  if (memcmp(digest, data + size - RT_SHA256_SIZE, RT_SHA256_SIZE) != 0)
    return rt_fail(error, RETORT_ERROR_FORMAT, "the saved sequence is damaged: its SHA-256 is another; compute it anew");
  for (uint32_t i = 0; i < n; i++) {
    int32_t id;
    memcpy(&id, data + HEADER + i * sizeof id, sizeof id);
    if (id < 0 || (uint32_t)id >= n_vocab)
      return rt_fail(error, RETORT_ERROR_FORMAT, "token %u of the saved sequence is %d, outside the vocabulary of %u", i, id, n_vocab);
  }
  return RETORT_OK;
}

retort_status rt_sequence_restore(retort_sequence *s, const uint8_t *model, uint32_t n_vocab, const void *data, size_t size,
                                  retort_error *error) {
  uint32_t n = 0;
  retort_status status = check(s, model, n_vocab, data, size, &n, error);
  if (status) return status;
  rt_arena arena = {.platform = s->arena.platform};
  rt_kv_table fresh = {.pool = s->cache.pool, .most = s->cache.most};
  fresh.pages = rt_arena_alloc(&arena, fresh.most, sizeof *fresh.pages);
  if (!fresh.pages || !rt_kv_reserve(&fresh, 0, n)) {
    if (fresh.pages) rt_kv_cut(&fresh, 0);
    rt_arena_close(&arena);
    return rt_fail_memory(error, n * (fresh.pool->layout.page_bytes / RT_ATTENTION_BLOCK), "the saved sequence");
  }
  uint8_t *bytes = (uint8_t *)(uintptr_t)data; /* only read */
  copy_cache(&fresh, n, bytes + HEADER + n * sizeof *s->tokens, false);
  memcpy(s->tokens, bytes + HEADER, n * sizeof *s->tokens);
  rt_kv_share(&s->cache, &fresh, n);
  s->n_past = n;
  s->n_ahead = 0;
  rt_kv_cut(&fresh, 0);
  rt_arena_close(&arena);
  return RETORT_OK;
}
