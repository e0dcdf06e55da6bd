/* chunks.h - the list of a file's chunk hashes, `FILE.chunks`.
 *
 * The list itself is untrusted; its SHA-256 stands in the signed bundle (resource annotation "retort.chunks"). With it a chunk can be
 * verified alone, in any order, by any thread. The digest covers the header too, so that file size and chunk size are bound (a bare list
 * would be ambiguous). Layout, little-endian: "RETORTCK", u32 version 1, u32 hash 1 (SHA-256), u64 chunk size, u64 file size, then the
 * 32-byte hashes.
 */
#ifndef RT_TRUST_CHUNKS_H
#define RT_TRUST_CHUNKS_H

#include "../base/base.h"

enum { RT_CHUNKS_HEADER = 32, RT_CHUNK_DEFAULT = 1 << 20, RT_CHUNK_MIN = 64 << 10, RT_CHUNK_MAX = 64 << 20 };

/* False for a chunk size that is not a power of two in range. */
bool rt_chunk_size_ok(uint64_t chunk_size);
uint64_t rt_chunk_count(uint64_t file_size, uint64_t chunk_size);

typedef struct rt_chunks {
  uint64_t chunk_size, file_size, count;
  const uint8_t *hashes; /* (count, 32), inside the list given */
} rt_chunks;
retort_status rt_chunks_parse(const void *list, size_t size, const char *name, rt_chunks *out, retort_error *error);
void rt_chunks_write_header(uint64_t chunk_size, uint64_t file_size, uint8_t out[RT_CHUNKS_HEADER]);

#endif
