/* kv.c - pages of keys and values: sizes, the pool, and who holds what; see kv.h.
 *
 * A page in memory is a header of 64 bytes and its data, so that a pointer to the data, which is what attention reads, finds the header
 * too.
 */
#include "kv.h"

#include <string.h>

const char *retort_kv_type_name(uint32_t kv_type) {
  static const char *const names[] = {[RETORT_KV_F16] = "f16", [RETORT_KV_F32] = "f32", [RETORT_KV_Q8_0] = "q8_0"};
  return kv_type < RT_COUNT(names) ? names[kv_type] : NULL;
}

/* ---- sizes: hparams.c's bounds keep them far from 2^64 ---- */

static uint64_t head_bytes(const rt_kv_shape *s, int kv_type) {
  return (uint64_t)rt_kv_row_bytes(kv_type, s->k_dim) + (s->values_in_keys ? 0 : rt_kv_row_bytes(kv_type, s->v_dim));
}

uint64_t rt_kv_position_bytes(const rt_kv_shape *s, int kv_type) { return (uint64_t)s->n_layers * s->n_heads * head_bytes(s, kv_type); }

static rt_kv_layout layout_of(const rt_kv_shape *s, int kv_type) {
  size_t k_row = rt_kv_row_bytes(kv_type, s->k_dim), v_row = rt_kv_row_bytes(kv_type, s->v_dim);
  rt_kv_layout l = {.type = kv_type, .n_layers = s->n_layers, .n_heads = s->n_heads, .stores_values = !s->values_in_keys};
  l.k = (rt_kv_place){.head_bytes = RT_ATTENTION_BLOCK * k_row, .row_bytes = k_row, .dim = s->k_dim};
  l.v = l.k;
  if (l.stores_values)
    l.v = (rt_kv_place){.offset = s->n_heads * l.k.head_bytes, .head_bytes = RT_ATTENTION_BLOCK * v_row, .row_bytes = v_row};
  l.v.dim = s->v_dim;
  l.layer_bytes = (size_t)(s->n_heads * head_bytes(s, kv_type) * RT_ATTENTION_BLOCK);
  l.page_bytes = s->n_layers * l.layer_bytes;
  return l;
}

/* ---- the pool ---- */

struct rt_kv_page {
  struct rt_kv_page *next; /* of the unused */
  uint32_t holders;
};
struct rt_kv_chunk {
  struct rt_kv_chunk *next;
  size_t size;
};
enum { HEADER = 64, MOST_CHUNK = 16 << 20 }; /* bytes; of more than one page a chunk is at most so large */

static struct rt_kv_page *page_of(uint8_t *data) { return (struct rt_kv_page *)(void *)(data - HEADER); }
static uint8_t *data_of(struct rt_kv_page *page) { return (uint8_t *)(void *)page + HEADER; }
static size_t stride_of(const rt_kv_pool *pool) { return HEADER + ((pool->layout.page_bytes + 63) & ~(size_t)63); }

retort_status rt_kv_pool_open(rt_kv_pool *pool, const retort_platform *platform, const rt_kv_shape *shape, int kv_type, uint32_t max_pages,
                              retort_error *error) {
  uint64_t bytes = 0;
  size_t size;
  *pool = (rt_kv_pool){.platform = platform, .max_pages = max_pages};
  if (!rt_mul_u64(rt_kv_position_bytes(shape, kv_type), RT_ATTENTION_BLOCK, &bytes) || !rt_to_size(bytes, &size) || size > SIZE_MAX / 2)
    return rt_fail_memory(error, bytes, "a page of the KV cache");
  pool->layout = layout_of(shape, kv_type);
  return RETORT_OK;
}

void rt_kv_pool_close(rt_kv_pool *pool) {
  while (pool->chunks) {
    struct rt_kv_chunk *chunk = pool->chunks;
    pool->chunks = chunk->next;
    rt_free(pool->platform, chunk, chunk->size);
  }
  *pool = (rt_kv_pool){0};
}

uint64_t rt_kv_pool_bytes(const rt_kv_pool *pool) { return (uint64_t)pool->n_pages * stride_of(pool); }

/* Takes as much again as there is: a short conversation of a small model, in a page or a plugin, costs little; a long one gets large
 * chunks. */
static bool grow(rt_kv_pool *pool) {
  size_t stride = stride_of(pool), left = pool->max_pages - pool->n_pages, n = pool->n_pages;
  if (left == 0) return false;
  if (n > MOST_CHUNK / stride) n = MOST_CHUNK / stride;
  if (n < 1) n = 1;
  if (n > left) n = left;
  size_t size = HEADER + n * stride;
  struct rt_kv_chunk *chunk = rt_alloc(pool->platform, size);
  if (!chunk) return false;
  *chunk = (struct rt_kv_chunk){pool->chunks, size};
  pool->chunks = chunk;
  pool->n_pages += (uint32_t)n;
  while (n--) { /* the first is handed out first */
    struct rt_kv_page *page = (struct rt_kv_page *)(void *)((uint8_t *)chunk + HEADER + n * stride);
    *page = (struct rt_kv_page){.next = pool->unused};
    pool->unused = page;
  }
  return true;
}

static uint8_t *take(rt_kv_pool *pool) {
  if (!pool->unused && !grow(pool)) return NULL;
  struct rt_kv_page *page = pool->unused;
  pool->unused = page->next;
  page->holders = 1;
  pool->n_used++;
  return data_of(page);
}

static void give_back(rt_kv_pool *pool, uint8_t *data) {
  struct rt_kv_page *page = page_of(data);
  if (--page->holders) return;
  page->next = pool->unused;
  pool->unused = page;
  pool->n_used--;
}

/* ---- one sequence ---- */

void rt_kv_cut(rt_kv_table *t, uint32_t n) {
  for (uint32_t keep = rt_kv_pages_for(n); t->n > keep;) give_back(t->pool, t->pages[--t->n]);
}

bool rt_kv_reserve(rt_kv_table *t, uint32_t from, uint32_t to) {
  uint32_t end = rt_kv_pages_for(to);
  for (uint32_t b = from / RT_ATTENTION_BLOCK; b < end; b++) {
    if (b < t->n && page_of(t->pages[b])->holders == 1) continue;
    uint8_t *page = take(t->pool);
    if (!page) {
      rt_kv_cut(t, from);
      return false;
    }
    if (b < t->n) {
      if (from > b * RT_ATTENTION_BLOCK) memcpy(page, t->pages[b], t->pool->layout.page_bytes);
      give_back(t->pool, t->pages[b]);
    } else {
      t->n++;
    }
    t->pages[b] = page;
  }
  return true;
}

void rt_kv_share(rt_kv_table *to, const rt_kv_table *from, uint32_t n) {
  uint32_t pages = rt_kv_pages_for(n);
  for (uint32_t b = 0; b < pages; b++) page_of(from->pages[b])->holders++;
  rt_kv_cut(to, 0);
  if (pages) memcpy(to->pages, from->pages, pages * sizeof *to->pages);
  to->n = pages;
}
