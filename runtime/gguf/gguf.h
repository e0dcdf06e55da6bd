/* gguf.h - the core's own view of an open GGUF: typed metadata and tensors.
 *
 * The reader (reader.c) has checked, before any of this can be called: every length against the buffers, keys and tensor names unique and
 * printable ASCII, tensor types known (but under RETORT_GGUF_METADATA_ONLY), row lengths divisible by the block size, tensors inside their
 * file and apart from each other. Pointers into the file bytes are therefore safe. Strings that are values may hold any bytes. The metadata
 * of a split set is that of its first file.
 */
#ifndef RT_GGUF_H
#define RT_GGUF_H

#include "../base/base.h"

/* Types of metadata values, as the files number them. */
enum rt_gguf_value {
  RT_GGUF_U8,
  RT_GGUF_I8,
  RT_GGUF_U16,
  RT_GGUF_I16,
  RT_GGUF_U32,
  RT_GGUF_I32,
  RT_GGUF_F32,
  RT_GGUF_BOOL,
  RT_GGUF_STRING,
  RT_GGUF_ARRAY,
  RT_GGUF_U64,
  RT_GGUF_I64,
  RT_GGUF_F64,
  RT_GGUF_VALUES
};

/* A tensor type as the file format knows it; whether it can be computed with is quant/'s knowledge. */
typedef struct rt_gguf_type {
  const char *name; /* "Q4_K" */
  uint32_t block;   /* elements per block: row lengths are multiples of it */
  uint32_t block_bytes;
} rt_gguf_type;
/* NULL for an id that the GGUF specification does not have. */
const rt_gguf_type *rt_gguf_type_find(uint32_t id);

typedef struct rt_string {
  const char *bytes; /* not NUL-terminated; points into the file */
  size_t size;
} rt_string;

/* Typed getters. A missing key leaves *value as it is (so set the default first) and returns RETORT_OK unless `required`;
 * a key of another type, or out of `min..max`, is RETORT_ERROR_FORMAT naming the key. Any integer type is accepted where it fits.
 * rt_gguf_get_u32 on an array takes it only when all elements are equal (per-layer values of equal layers). */
retort_status rt_gguf_get_u32(const retort_gguf *gguf, const char *key, bool required, uint32_t min, uint32_t max, uint32_t *value,
                              retort_error *error);
retort_status rt_gguf_get_f32(const retort_gguf *gguf, const char *key, bool required, float *value, retort_error *error); /* finite */
retort_status rt_gguf_get_bool(const retort_gguf *gguf, const char *key, bool *value, retort_error *error);
retort_status rt_gguf_get_string(const retort_gguf *gguf, const char *key, bool required, rt_string *value, retort_error *error);
/* Arrays: *count elements. The u32/f32 forms copy into the arena (any integer type that fits; f32 from f32, finite); strings are views. */
retort_status rt_gguf_get_strings(const retort_gguf *gguf, const char *key, bool required, rt_arena *arena, rt_string **values,
                                  size_t *count, retort_error *error);
retort_status rt_gguf_get_u32s(const retort_gguf *gguf, const char *key, bool required, rt_arena *arena, uint32_t **values, size_t *count,
                               retort_error *error);
retort_status rt_gguf_get_f32s(const retort_gguf *gguf, const char *key, bool required, rt_arena *arena, float **values, size_t *count,
                               retort_error *error);
/* An integer of any type, or an array of them: the first `most`; *count is 0 where the key is missing. */
retort_status rt_gguf_get_integers(const retort_gguf *gguf, const char *key, int64_t *values, size_t most, size_t *count,
                                   retort_error *error);
uint64_t rt_gguf_count(const retort_gguf *gguf, const char *key); /* elements of an array, 1 for a single value, 0: no such key */
bool rt_gguf_has(const retort_gguf *gguf, const char *key);

typedef struct rt_tensor {
  const char *name;
  uint32_t type; /* GGUF type id, known to rt_gguf_type_find; perhaps not to quant/ */
  uint32_t n_dims;
  uint64_t dims[4];    /* dims[0] fastest; unused ones are 1 */
  const uint8_t *data; /* first byte, inside the caller's buffer; NULL under RETORT_GGUF_METADATA_ONLY when it is not there */
  uint64_t size;       /* bytes */
  uint32_t file;
  uint64_t offset; /* of data in that file */
} rt_tensor;
/* NULL where there is no such tensor. Binary search. */
const rt_tensor *rt_gguf_find_tensor(const retort_gguf *gguf, const char *name);
uint32_t rt_gguf_tensor_count(const retort_gguf *gguf);
const rt_tensor *rt_gguf_tensor_at(const retort_gguf *gguf, uint32_t index);
uint32_t rt_gguf_flags(const retort_gguf *gguf);

#endif
