/* writer.h - makes GGUF v3 files in memory: for tests, and for tools that change or make models.
 *
 * Zero-initialise, set `platform` and perhaps `alignment`, put keys and tensors in any order, finish, close. The first failure sticks and
 * is what finish reports, so puts need no checks. The writer writes what it is told: whether keys are unique or shapes sensible is the
 * reader's question, and the tests of the reader want such files.
 */
#ifndef RT_GGUF_WRITER_H
#define RT_GGUF_WRITER_H

#include "../base/bytes.h"
#include "gguf.h"

typedef struct rt_gguf_writer {
  const retort_platform *platform;
  uint32_t alignment; /* 0: 32; another is also written as general.alignment */
  uint64_t n_entries, n_tensors;
  uint64_t data_size;
  rt_bytes entries, infos, pieces; /* encoded keys, encoded tensor directory, (n_tensors) pointers and sizes of tensor data */
  rt_bytes file;                   /* what finish made */
  bool failed;
} rt_gguf_writer;

/* `values`: `count` little-endian values of the type, which is not STRING; bools are single bytes. is_array false: count is 1. */
void rt_gguf_put(rt_gguf_writer *w, const char *key, enum rt_gguf_value type, bool is_array, const void *values, uint64_t count);
void rt_gguf_put_strings(rt_gguf_writer *w, const char *key, bool is_array, const rt_string *values, uint64_t count);
void rt_gguf_put_u32(rt_gguf_writer *w, const char *key, uint32_t value);
void rt_gguf_put_f32(rt_gguf_writer *w, const char *key, float value);
void rt_gguf_put_bool(rt_gguf_writer *w, const char *key, bool value);
void rt_gguf_put_string(rt_gguf_writer *w, const char *key, const char *value);

/* `data`, `size` bytes, is not copied and must live until finish. */
void rt_gguf_put_tensor(rt_gguf_writer *w, const char *name, uint32_t type, uint32_t n_dims, const uint64_t *dims, const void *data,
                        uint64_t size);

/* The whole file; it belongs to the writer. */
retort_status rt_gguf_finish(rt_gguf_writer *w, const uint8_t **file, size_t *size, retort_error *error);
void rt_gguf_writer_close(rt_gguf_writer *w);

#endif
