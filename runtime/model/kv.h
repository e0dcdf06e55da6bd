/* kv.h - the KV cache: pages of RT_ATTENTION_BLOCK positions, counted and shared, from one pool.
 *
 * A page holds the keys and values of all layers for one block of positions. Sequences that begin alike hold the same pages: a page with
 * more than one holder is only read, and whoever wants to write into it takes a copy first. What a page holds beyond a sequence's last
 * position is not defined and never read.
 */
#ifndef RT_KV_H
#define RT_KV_H

#include "../base/base.h"
#include "../kernels/kernels.h"

/* What one layer keeps of a position, by architecture. */
typedef struct rt_kv_shape {
  uint32_t n_layers, n_heads; /* key heads */
  uint32_t k_dim, v_dim;      /* numbers of a key and of a value */
  bool values_in_keys;        /* latent attention: a value is the first v_dim numbers of its key, and is not stored again */
} rt_kv_shape;

/* Bytes of one position over all layers. Every size and estimate follows from this function. */
uint64_t rt_kv_position_bytes(const rt_kv_shape *shape, int kv_type);

/* (n_layers, {k (n_heads, RT_ATTENTION_BLOCK, k_dim), v (n_heads, RT_ATTENTION_BLOCK, v_dim)}), or k alone. */
typedef struct rt_kv_layout {
  int type; /* RT_KV_* */
  uint32_t n_layers, n_heads;
  rt_kv_place k, v;   /* of layer 0 */
  bool stores_values; /* not: they lie in the keys */
  size_t layer_bytes, page_bytes;
} rt_kv_layout;
static inline rt_kv_place rt_kv_keys(const rt_kv_layout *l, uint32_t layer) {
  rt_kv_place place = l->k;
  place.offset += layer * l->layer_bytes;
  return place;
}
static inline rt_kv_place rt_kv_values(const rt_kv_layout *l, uint32_t layer) {
  rt_kv_place place = l->v;
  place.offset += layer * l->layer_bytes;
  return place;
}

typedef struct rt_kv_pool {
  const retort_platform *platform;
  rt_kv_layout layout;
  uint32_t max_pages, n_pages, n_used; /* allowed; in memory; of those, held by a sequence */
  struct rt_kv_page *unused;
  struct rt_kv_chunk *chunks; /* pages come from the platform many at once, so that they lie on huge pages */
} rt_kv_pool;

/* Takes no memory for pages yet. RETORT_ERROR_MEMORY where a page would be larger than memory can be. */
retort_status rt_kv_pool_open(rt_kv_pool *pool, const retort_platform *platform, const rt_kv_shape *shape, int kv_type, uint32_t max_pages,
                              retort_error *error);
void rt_kv_pool_close(rt_kv_pool *pool);           /* all sequences have given back what they held */
uint64_t rt_kv_pool_bytes(const rt_kv_pool *pool); /* in memory now */

static inline uint32_t rt_kv_pages_for(uint32_t positions) {
  return positions / RT_ATTENTION_BLOCK + (positions % RT_ATTENTION_BLOCK != 0);
}

/* The pages of one sequence. */
typedef struct rt_kv_table {
  rt_kv_pool *pool;
  uint8_t **pages; /* (most): page b has positions b * RT_ATTENTION_BLOCK ... */
  uint32_t n, most;
} rt_kv_table;

/* Makes positions from..to-1 writable, of which the sequence must hold those before `from`: takes pages, and copies of shared ones. false:
 * the pool is used up or there is no memory; the sequence has what it had. to is at most most * RT_ATTENTION_BLOCK. */
bool rt_kv_reserve(rt_kv_table *table, uint32_t from, uint32_t to);
/* Gives back the pages that hold nothing before position n. */
void rt_kv_cut(rt_kv_table *table, uint32_t n);
/* `to` holds the first n positions of `from`, of the same pool, and nothing else. */
void rt_kv_share(rt_kv_table *to, const rt_kv_table *from, uint32_t n);

#endif
