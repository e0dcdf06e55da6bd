/* fuzz_chunks.c - libFuzzer target: any bytes as a chunk list. What is accepted must agree with its own header and lie inside the bytes. */
#include "trust/chunks.h"

#include <string.h>
#include "target.h"

void fuzz_one(const uint8_t *data, size_t size) {
  rt_chunks c;
  uint8_t header[RT_CHUNKS_HEADER], sum = 0;
  if (rt_chunks_parse(data, size, "fuzz", &c, NULL) != RETORT_OK) return;
  rt_chunks_write_header(c.chunk_size, c.file_size, header);
  if (memcmp(header, data, sizeof header) != 0 || !rt_chunk_size_ok(c.chunk_size) || c.hashes != data + RT_CHUNKS_HEADER ||
      c.count != (size - RT_CHUNKS_HEADER) / 32)
    __builtin_trap();
  if (c.count && ((c.count - 1) * c.chunk_size >= c.file_size || c.count * c.chunk_size < c.file_size)) __builtin_trap();
  for (size_t i = 0; i < 32 * (size_t)c.count; i++) sum ^= c.hashes[i];
  (void)*(volatile uint8_t *)&sum; /* the reads above must happen */
}
