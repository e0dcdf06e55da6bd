/* chunks.c - see chunks.h. */
#include "chunks.h"

#include <string.h>

static const char MAGIC[8] = {'R', 'E', 'T', 'O', 'R', 'T', 'C', 'K'};

bool rt_chunk_size_ok(uint64_t chunk_size) {
  return chunk_size >= RT_CHUNK_MIN && chunk_size <= RT_CHUNK_MAX && (chunk_size & (chunk_size - 1)) == 0;
}

uint64_t rt_chunk_count(uint64_t file_size, uint64_t chunk_size) { return file_size / chunk_size + (file_size % chunk_size != 0); }

retort_status rt_chunks_parse(const void *list, size_t size, const char *name, rt_chunks *out, retort_error *error) {
  const uint8_t *b = list;
  rt_chunks c;
  if (size < RT_CHUNKS_HEADER || memcmp(b, MAGIC, 8) != 0 || rt_load_u32(b + 8) != 1 || rt_load_u32(b + 12) != 1)
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s: not a chunk list of version 1", name);
  c.chunk_size = rt_load_u64(b + 16);
  c.file_size = rt_load_u64(b + 24);
  if (!rt_chunk_size_ok(c.chunk_size))
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s: its chunk size, %llu bytes, is not a power of two from 64 KiB to 64 MiB", name,
                   (unsigned long long)c.chunk_size);
  c.count = rt_chunk_count(c.file_size, c.chunk_size);
  if (c.count > (SIZE_MAX - RT_CHUNKS_HEADER) / 32 || size != RT_CHUNKS_HEADER + 32 * (size_t)c.count)
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s: it has %zu bytes, but a file of %llu bytes needs a list of another length", name, size,
                   (unsigned long long)c.file_size);
  c.hashes = b + RT_CHUNKS_HEADER;
  *out = c;
  return RETORT_OK;
}

static void store_u64(uint8_t *out, uint64_t value) {
  for (unsigned i = 0; i < 8; i++) out[i] = (uint8_t)(value >> 8 * i);
}

void rt_chunks_write_header(uint64_t chunk_size, uint64_t file_size, uint8_t out[RT_CHUNKS_HEADER]) {
  memcpy(out, MAGIC, 8);
  store_u64(out + 8, 1 | (uint64_t)1 << 32);
  store_u64(out + 16, chunk_size);
  store_u64(out + 24, file_size);
}
