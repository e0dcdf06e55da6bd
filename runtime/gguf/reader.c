/* reader.c - opens GGUF v2 and v3 files and split sets, and answers for them; see gguf.h and the GGUF part of retort.h.
 *
 * A model file comes from strangers, so nothing in it is believed before it is checked:
 *  - One cursor reads the header; each read is first compared with the bytes that are left.
 *  - A file's whole header is walked once before anything is allocated for it. Counts in the file therefore never size an allocation by
 *    themselves: what is allocated is at most five times the bytes of headers really walked, plus a constant.
 *  - Uniqueness of keys and names is proved by heap-sorting an index: n log n whatever the file holds, which no hash without a secret can
 * say.
 *  - Size arithmetic is u64 and checked; size_t is used only for positions inside buffers that exist.
 * Values are left in place and decoded when asked for; getters may thus rely on every length, but on nothing else.
 *
 * Absent on purpose: GGUF v1, big-endian files and arrays of arrays, which no model in use needs; and reading files, which is the caller's.
 * Source: docs/gguf.md of ggml.
 */
#include "gguf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/structs.h"
#include "../base/utf8.h"

static const uint8_t value_size[RT_GGUF_VALUES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}; /* 0: not of fixed size */
static const char *const value_name[RT_GGUF_VALUES] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                       "bool", "string", "array", "u64", "i64", "f64"};
static const char *const array_name[RT_GGUF_VALUES] = {"array of u8",  "array of i8",  "array of u16",  "array of i16",    "array of u32",
                                                       "array of i32", "array of f32", "array of bool", "array of string", NULL,
                                                       "array of u64", "array of i64", "array of f64"};

enum {
  MIN_ENTRY = 8 + 1 + 4 + 1,          /* bytes of the shortest key-value pair: key length, one letter, type, one byte */
  MIN_TENSOR = 8 + 1 + 4 + 8 + 4 + 8, /* of the shortest tensor: name length, one letter, n_dims, one dim, type, offset */
  MAX_KEY = 65535,                    /* both from the specification */
  MAX_TENSOR_NAME = 64,
  DEFAULT_ALIGNMENT = 32,
  MAX_ALIGNMENT = 1 << 20, /* the specification sets no bound; pages are at most 64 KiB, and sums with this cannot wrap */
  MAX_FILES = 4096         /* split.count is a u16; sets in use have up to some dozens */
};

typedef struct entry {
  const char *key;
  const uint8_t *value; /* first element; a string: its length prefix */
  uint64_t count;
  uint32_t type; /* of the elements */
  bool is_array;
} entry;

typedef struct file {
  const char *name; /* last path component, for messages */
  const uint8_t *bytes;
  size_t size;
  entry *entries;   /* (n_entries) in file order */
  uint32_t *by_key; /* (n_entries) indices sorted by key */
  uint32_t n_entries, n_tensors, version, alignment;
  size_t tensors_at; /* where the tensor directory starts */
  uint64_t data_at;  /* where tensor data starts */
  uint64_t end;      /* where the last tensor ends */
} file;

struct retort_gguf {
  rt_arena arena;
  file *files;
  uint32_t n_files, flags;
  rt_tensor *tensors; /* (n_tensors) all files' in order */
  uint32_t *by_name;  /* (n_tensors) indices sorted by name */
  uint32_t n_tensors;
  uint64_t tensor_bytes;
};

/* ---- sorting ---- */

typedef int (*compare_fn)(const void *array, uint32_t a, uint32_t b);

static void sift_down(uint32_t *index, uint32_t root, uint32_t n, const void *array, compare_fn compare) {
  for (uint64_t child; (child = 2 * (uint64_t)root + 1) < n; root = (uint32_t)child) {
    if (child + 1 < n && compare(array, index[child], index[child + 1]) < 0) child++;
    if (compare(array, index[root], index[child]) >= 0) return;
    uint32_t t = index[root];
    index[root] = index[child];
    index[child] = t;
  }
}

/* Heap sort, since the C library's qsort may allocate behind the platform's back. */
static void sort_index(uint32_t *index, uint32_t n, const void *array, compare_fn compare) {
  for (uint32_t i = n / 2; i-- > 0;) sift_down(index, i, n, array, compare);
  for (uint32_t end = n; end-- > 1;) {
    uint32_t t = index[0];
    index[0] = index[end];
    index[end] = t;
    sift_down(index, 0, end, array, compare);
  }
}

static int compare_entries(const void *array, uint32_t a, uint32_t b) {
  const entry *entries = array;
  return strcmp(entries[a].key, entries[b].key);
}
static int compare_names(const void *array, uint32_t a, uint32_t b) {
  const rt_tensor *tensors = array;
  return strcmp(tensors[a].name, tensors[b].name);
}
static int compare_places(const void *array, uint32_t a, uint32_t b) {
  const rt_tensor *x = (const rt_tensor *)array + a, *y = (const rt_tensor *)array + b;
  if (x->file != y->file) return x->file < y->file ? -1 : 1;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* ---- the cursor ---- */

typedef struct cursor {
  const file *f;
  size_t at;
  retort_error *error;
} cursor;

static size_t left(const cursor *c) { return c->f->size - c->at; }

static retort_status need(const cursor *c, uint64_t bytes, const char *what) {
  if (bytes <= left(c)) return RETORT_OK;
  return rt_fail(
      c->error, RETORT_ERROR_FORMAT,
      "%s: the file ends inside %s: %llu bytes are wanted at byte %zu and %zu are left; the download is incomplete or the file is damaged, "
      "get it again",
      c->f->name, what, (unsigned long long)bytes, c->at, left(c));
}

static retort_status read_u32(cursor *c, const char *what, uint32_t *out) {
  retort_status status = need(c, 4, what);
  if (status) return status;
  *out = rt_load_u32(c->f->bytes + c->at);
  c->at += 4;
  return RETORT_OK;
}

static retort_status read_u64(cursor *c, const char *what, uint64_t *out) {
  retort_status status = need(c, 8, what);
  if (status) return status;
  *out = rt_load_u64(c->f->bytes + c->at);
  c->at += 8;
  return RETORT_OK;
}

static retort_status read_string(cursor *c, const char *what, rt_string *out) {
  uint64_t size;
  retort_status status = read_u64(c, what, &size);
  if (!status) status = need(c, size, what);
  if (status) return status;
  *out = (rt_string){(const char *)c->f->bytes + c->at, (size_t)size};
  c->at += (size_t)size;
  return RETORT_OK;
}

/* Keys and tensor names: printable ASCII, so that they can stand in messages and be C strings. */
static retort_status read_name(cursor *c, const char *what, size_t max, rt_string *out) {
  size_t at = c->at;
  retort_status status = read_string(c, what, out);
  if (status) return status;
  if (out->size == 0 || out->size > max)
    return rt_fail(c->error, RETORT_ERROR_FORMAT,
                   "%s: %s at byte %zu is %zu bytes long, 1 to %zu are allowed; the file is damaged, get it again", c->f->name, what, at,
                   out->size, max);
  for (size_t i = 0; i < out->size; i++)
    if (out->bytes[i] < 0x20 || out->bytes[i] > 0x7e)
      return rt_fail(c->error, RETORT_ERROR_FORMAT,
                     "%s: %s at byte %zu holds the byte 0x%02x, only printable ASCII is allowed; the file is damaged, get it again",
                     c->f->name, what, at, (unsigned char)out->bytes[i]);
  return RETORT_OK;
}

/* ---- metadata ---- */

static retort_status skip_bools(cursor *c, uint64_t count, const rt_string *key) {
  for (uint64_t i = 0; i < count; i++)
    if (c->f->bytes[c->at + (size_t)i] > 1)
      return rt_fail(c->error, RETORT_ERROR_FORMAT,
                     "%s: key %.*s: the bool at byte %zu is %u, 0 or 1 is allowed; the file is damaged, get it again", c->f->name,
                     (int)(key->size < 80 ? key->size : 80), key->bytes, c->at + (size_t)i, c->f->bytes[c->at + (size_t)i]);
  return RETORT_OK;
}

/* Reads the value of `key` up to its end; *out gets everything but the key. */
static retort_status walk_value(cursor *c, const rt_string *key, entry *out) {
  char what[128];
  snprintf(what, sizeof what, "the value of key %.*s", (int)(key->size < 80 ? key->size : 80), key->bytes);
  size_t at = c->at;
  uint32_t type;
  retort_status status = read_u32(c, what, &type);
  out->count = 1;
  out->is_array = type == RT_GGUF_ARRAY;
  if (!status && type == RT_GGUF_ARRAY) status = read_u32(c, what, &type);
  if (!status && out->is_array) status = read_u64(c, what, &out->count);
  if (status) return status;
  if (type >= RT_GGUF_VALUES)
    return rt_fail(c->error, RETORT_ERROR_FORMAT,
                   "%s: %s has the unknown type %u at byte %zu; the file is damaged or made by a newer version of GGUF", c->f->name, what,
                   type, at);
  if (type == RT_GGUF_ARRAY)
    return rt_fail(c->error, RETORT_ERROR_UNSUPPORTED, "%s: %s at byte %zu is an array of arrays, which is not supported", c->f->name, what,
                   at);
  out->type = type;
  out->value = c->f->bytes + c->at;
  if (type == RT_GGUF_STRING) {
    rt_string skipped;
    for (uint64_t i = 0; i < out->count && !status; i++) status = read_string(c, what, &skipped);
    return status;
  }
  uint64_t bytes;
  if (!rt_mul_u64(out->count, value_size[type], &bytes)) bytes = UINT64_MAX;
  if ((status = need(c, bytes, what))) return status;
  if (type == RT_GGUF_BOOL && (status = skip_bools(c, out->count, key))) return status;
  c->at += (size_t)bytes;
  return RETORT_OK;
}

/* Walks a file's entries; fills them when `arena` is given, which is done in a second walk. */
static retort_status walk_entries(cursor *c, file *f, rt_arena *arena) {
  for (uint32_t i = 0; i < f->n_entries; i++) {
    char what[48];
    snprintf(what, sizeof what, "the name of key %u of %u", i + 1, f->n_entries);
    rt_string key;
    entry value;
    retort_status status = read_name(c, what, MAX_KEY, &key);
    if (!status) status = walk_value(c, &key, &value);
    if (status) return status;
    if (!arena) continue;
    value.key = rt_arena_string(arena, key.bytes, key.size);
    if (!value.key) return rt_fail_memory(c->error, key.size, "metadata");
    f->entries[i] = value;
    f->by_key[i] = i;
  }
  return RETORT_OK;
}

static const entry *find_entry(const file *f, const char *key) {
  uint32_t low = 0, high = f->n_entries;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    const entry *e = &f->entries[f->by_key[middle]];
    int order = strcmp(key, e->key);
    if (order == 0) return e;
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return NULL;
}

/* Element i of an integer entry as magnitude and sign; false where the type is not an integer. */
static bool integer_at(const entry *e, uint64_t i, bool *negative, uint64_t *magnitude) {
  const uint8_t *p = e->value + (size_t)i * value_size[e->type];
  int64_t s = 0;
  uint64_t u = 0;
  switch (e->type) {
    case RT_GGUF_U8: u = *p; break;
    case RT_GGUF_U16: u = rt_load_u16(p); break;
    case RT_GGUF_U32: u = rt_load_u32(p); break;
    case RT_GGUF_U64: u = rt_load_u64(p); break;
    case RT_GGUF_I8: s = (int8_t)*p; break;
    case RT_GGUF_I16: s = (int16_t)rt_load_u16(p); break;
    case RT_GGUF_I32: s = (int32_t)rt_load_u32(p); break;
    case RT_GGUF_I64: s = (int64_t)rt_load_u64(p); break;
    default: return false;
  }
  *negative = s < 0;
  *magnitude = s < 0 ? 0 - (uint64_t)s : s > 0 ? (uint64_t)s : u;
  return true;
}

static float load_f32(const uint8_t *p) {
  uint32_t bits = rt_load_u32(p);
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
static double load_f64(const uint8_t *p) {
  uint64_t bits = rt_load_u64(p);
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
static bool is_finite_f32(float value) { return value - value == 0; }

static const char *type_name(const entry *e) { return e->is_array ? array_name[e->type] : value_name[e->type]; }

static retort_status fail_type(const file *f, const entry *e, const char *wanted, retort_error *error) {
  return rt_fail(error, RETORT_ERROR_FORMAT, "%s: key %.80s is of type %s, %s is needed; the file is damaged or made by a faulty converter",
                 f->name, e->key, type_name(e), wanted);
}

static retort_status fail_missing(const file *f, const char *key, retort_error *error) {
  return rt_fail(error, RETORT_ERROR_FORMAT,
                 "%s: key %.80s is missing; the file is incomplete or not a model of the kind that it claims to be", f->name, key);
}

static retort_status u32_at(const file *f, const entry *e, uint64_t i, uint32_t min, uint32_t max, uint32_t *value, retort_error *error) {
  bool negative;
  uint64_t magnitude;
  if (!integer_at(e, i, &negative, &magnitude)) return fail_type(f, e, e->is_array ? "an array of integers" : "an integer", error);
  if (negative || magnitude < min || magnitude > max)
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s: key %.80s is %s%llu, allowed is %u to %u", f->name, e->key, negative ? "-" : "",
                   (unsigned long long)magnitude, min, max);
  *value = (uint32_t)magnitude;
  return RETORT_OK;
}

static retort_status get_u32(const file *f, const char *key, bool required, uint32_t min, uint32_t max, uint32_t *value,
                             retort_error *error) {
  const entry *e = find_entry(f, key);
  if (!e) return required ? fail_missing(f, key, error) : RETORT_OK;
  if (e->count == 0) return rt_fail(error, RETORT_ERROR_FORMAT, "%s: key %.80s is an empty array, an integer is needed", f->name, key);
  uint32_t first;
  retort_status status = u32_at(f, e, 0, min, max, &first, error);
  if (status) return status;
  for (uint64_t i = 1; i < e->count; i++) {
    uint32_t other;
    if ((status = u32_at(f, e, i, min, max, &other, error))) return status;
    if (other != first)
      return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "%s: key %.80s differs between layers (%u and %u), which this version does not run",
                     f->name, key, first, other);
  }
  *value = first;
  return RETORT_OK;
}

/* ---- the header of one file ---- */

/* People meet wrong magics for few reasons; say which. */
static retort_status fail_magic(const file *f, retort_error *error) {
  const uint8_t *b = f->bytes;
  const char *kind = "this is not a GGUF file";
  if (!memcmp(b, "FUGG", 4)) kind = "this is a GGUF file of the wrong byte order";
  else if (!memcmp(b, "vers", 4)) kind = "this looks like a Git LFS pointer: fetch the real file (git lfs pull)";
  else if (b[0] == '<') kind = "this looks like a web page: the download went wrong or needs a login";
  else if (!memcmp(b, "PK\3\4", 4)) kind = "this looks like a PyTorch or zip file: convert it to GGUF";
  else if (f->size > 8 && b[8] == '{') kind = "this looks like a safetensors file: convert it to GGUF";
  else if (!memcmp(b, "lmgg", 4) || !memcmp(b, "tjgg", 4) || !memcmp(b, "fmgg", 4))
    kind = "this is a GGML file from before GGUF: get a newer conversion";
  return rt_fail(error, RETORT_ERROR_FORMAT, "%s: the file starts with the bytes %02x %02x %02x %02x instead of \"GGUF\": %s", f->name,
                 b[0], b[1], b[2], b[3], kind);
}

static retort_status check_version(const file *f, retort_error *error) {
  if (f->version == 2 || f->version == 3) return RETORT_OK;
  if (f->version == 1)
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "%s: GGUF version 1 is not supported: get a newer conversion of the model", f->name);
  if (f->version && !(f->version & 0xffff))
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED,
                   "%s: the file is big-endian (version bytes %08x): get the little-endian conversion of the model", f->name, f->version);
  return rt_fail(error, RETORT_ERROR_UNSUPPORTED,
                 "%s: GGUF version %u is not supported (2 and 3 are): the file is damaged or newer than this library", f->name, f->version);
}

static retort_status check_count(const cursor *c, uint64_t count, uint64_t least_bytes, const char *what) {
  if (count <= left(c) / least_bytes && count < UINT32_MAX) return RETORT_OK;
  return rt_fail(c->error, RETORT_ERROR_FORMAT,
                 "%s: the header claims %llu %s, which cannot be in the %zu bytes that are left; the download is incomplete or the file is "
                 "damaged, get it again",
                 c->f->name, (unsigned long long)count, what, left(c));
}

static retort_status walk_tensor_names(cursor *c, const file *f) {
  for (uint32_t i = 0; i < f->n_tensors; i++) {
    char what[64];
    snprintf(what, sizeof what, "the name of tensor %u of %u", i + 1, f->n_tensors);
    rt_string name;
    retort_status status = read_name(c, what, MAX_TENSOR_NAME, &name);
    if (status) return status;
    size_t at = c->at;
    uint32_t n_dims;
    if ((status = read_u32(c, "a tensor's dimensions", &n_dims))) return status;
    if (n_dims < 1 || n_dims > 4)
      return rt_fail(c->error, RETORT_ERROR_FORMAT,
                     "%s: tensor %.*s has %u dimensions at byte %zu, 1 to 4 are allowed; the file is damaged, get it again", f->name,
                     (int)name.size, name.bytes, n_dims, at);
    if ((status = need(c, 8 * (uint64_t)n_dims + 4 + 8, "a tensor's dimensions"))) return status;
    c->at += 8 * (size_t)n_dims + 4 + 8;
  }
  return RETORT_OK;
}

static retort_status open_file(file *f, rt_arena *arena, retort_error *error) {
  cursor c = {f, 0, error};
  uint64_t n_tensors = 0, n_entries = 0;
  if (f->size >= 4 && memcmp(f->bytes, "GGUF", 4)) return fail_magic(f, error);
  if (f->size >= 8) {
    f->version = rt_load_u32(f->bytes + 4);
    retort_status bad = check_version(f, error);
    if (bad) return bad;
  }
  if (f->size < 24) return need(&c, 24, "the header");
  c.at = 8;
  retort_status status;
  if ((status = read_u64(&c, "the header", &n_tensors)) || (status = read_u64(&c, "the header", &n_entries))) return status;
  if ((status = check_count(&c, n_tensors, MIN_TENSOR, "tensors")) || (status = check_count(&c, n_entries, MIN_ENTRY, "metadata keys")))
    return status;
  f->n_tensors = (uint32_t)n_tensors;
  f->n_entries = (uint32_t)n_entries;

  size_t entries_at = c.at;
  if ((status = walk_entries(&c, f, NULL))) return status;
  f->tensors_at = c.at;
  if ((status = walk_tensor_names(&c, f))) return status;
  size_t header_end = c.at;

  f->entries = rt_arena_alloc(arena, f->n_entries, sizeof *f->entries);
  f->by_key = rt_arena_alloc(arena, f->n_entries, sizeof *f->by_key);
  if (!f->entries || !f->by_key)
    return rt_fail_memory(error, f->n_entries * (uint64_t)(sizeof *f->entries + sizeof *f->by_key), "metadata");
  c.at = entries_at;
  if ((status = walk_entries(&c, f, arena))) return status;
  sort_index(f->by_key, f->n_entries, f->entries, compare_entries);
  for (uint32_t i = 1; i < f->n_entries; i++)
    if (!compare_entries(f->entries, f->by_key[i - 1], f->by_key[i]))
      return rt_fail(error, RETORT_ERROR_FORMAT, "%s: key %.80s is there twice; the file is damaged or made by a faulty tool", f->name,
                     f->entries[f->by_key[i]].key);

  f->alignment = DEFAULT_ALIGNMENT;
  if ((status = get_u32(f, "general.alignment", false, 8, MAX_ALIGNMENT, &f->alignment, error))) return status;
  if (f->alignment & (f->alignment - 1))
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s: general.alignment is %u, a power of two is needed; the file is damaged, get it again",
                   f->name, f->alignment);
  f->data_at = ((uint64_t)header_end + f->alignment - 1) & ~(uint64_t)(f->alignment - 1);
  return RETORT_OK;
}

/* ---- tensors ---- */

/* The bytes of a tensor from its type and dims; every product is checked. With `metadata_only` it may be of a type that nobody knows: 0
 * bytes. */
static retort_status measure_tensor(const file *f, bool metadata_only, rt_tensor *t, retort_error *error) {
  const rt_gguf_type *type = rt_gguf_type_find(t->type);
  if (!type && !metadata_only)
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED,
                   "%s: tensor %s has the type %u, which %s; use a file in a common quantisation such as Q4_K_M", f->name, t->name, t->type,
                   t->type >= 133 && t->type < 400 ? "only ik_llama.cpp defines" : "GGUF does not define");
  uint64_t elements = 1;
  for (int k = 0; k < 4; k++)
    if (t->dims[k] == 0 || !rt_mul_u64(elements, t->dims[k], &elements) || elements > INT64_MAX)
      return rt_fail(error, RETORT_ERROR_FORMAT,
                     "%s: tensor %s has impossible dimensions %llu x %llu x %llu x %llu; the file is damaged, get it again", f->name,
                     t->name, (unsigned long long)t->dims[0], (unsigned long long)t->dims[1], (unsigned long long)t->dims[2],
                     (unsigned long long)t->dims[3]);
  if (!type) return RETORT_OK;
  if (t->dims[0] % type->block)
    return rt_fail(error, RETORT_ERROR_FORMAT,
                   "%s: tensor %s of type %s has rows of %llu elements, a multiple of %u is needed; the file is damaged, get it again",
                   f->name, t->name, type->name, (unsigned long long)t->dims[0], type->block);
  if (!rt_mul_u64(elements / type->block, type->block_bytes, &t->size))
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s: tensor %s is larger than any file; the file is damaged, get it again", f->name,
                   t->name);
  return RETORT_OK;
}

static retort_status place_tensor(file *f, rt_tensor *t, uint64_t relative, retort_error *error) {
  uint64_t end;
  if (relative % f->alignment)
    return rt_fail(error, RETORT_ERROR_FORMAT,
                   "%s: tensor %s starts at data offset %llu, which is no multiple of the alignment %u; the file is damaged, get it again",
                   f->name, t->name, (unsigned long long)relative, f->alignment);
  if (!rt_add_u64(f->data_at, relative, &t->offset) || !rt_add_u64(t->offset, t->size, &end))
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s: tensor %s has the impossible data offset %llu; the file is damaged, get it again",
                   f->name, t->name, (unsigned long long)relative);
  if (end <= f->size) t->data = f->bytes + (size_t)t->offset;
  if (end > f->end) f->end = end;
  return RETORT_OK;
}

static retort_status check_complete(const file *f, retort_error *error) {
  if (f->end <= f->size) return RETORT_OK;
  return rt_fail(
      error, RETORT_ERROR_FORMAT,
      "%s: the download is incomplete: %llu bytes are missing (tensors reach to byte %llu, the file has %zu); resume it or get it again",
      f->name, (unsigned long long)(f->end - f->size), (unsigned long long)f->end, f->size);
}

/* The names were walked and checked by walk_tensor_names: the reads cannot fail. */
static retort_status read_tensor(retort_gguf *g, uint32_t file_index, cursor *c, rt_tensor *t) {
  file *f = &g->files[file_index];
  rt_string name;
  uint64_t relative;
  retort_status status = read_name(c, "a tensor's name", MAX_TENSOR_NAME, &name);
  if (!status) status = read_u32(c, "a tensor", &t->n_dims);
  if (status) return status;
  t->name = rt_arena_string(&g->arena, name.bytes, name.size);
  if (!t->name) return rt_fail_memory(c->error, name.size, "tensor names");
  t->file = file_index;
  for (uint32_t k = 0; k < 4; k++) {
    t->dims[k] = 1;
    if (k < t->n_dims && (status = read_u64(c, "a tensor", &t->dims[k]))) return status;
  }
  if ((status = read_u32(c, "a tensor", &t->type)) || (status = read_u64(c, "a tensor", &relative))) return status;
  if ((status = measure_tensor(f, g->flags & RETORT_GGUF_METADATA_ONLY, t, c->error))) return status;
  return place_tensor(f, t, relative, c->error);
}

static retort_status fail_twice(const retort_gguf *g, const rt_tensor *a, const rt_tensor *b, retort_error *error) {
  if (a->file == b->file)
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s: tensor %s is there twice; the file is damaged, get it again", g->files[a->file].name,
                   a->name);
  return rt_fail(error, RETORT_ERROR_FORMAT, "%s: tensor %s is already in %s: these files do not belong to one set, or one was given twice",
                 g->files[a->file > b->file ? a->file : b->file].name, a->name, g->files[a->file < b->file ? a->file : b->file].name);
}

/* A tensor whose bytes are also another's is a lie about one of them. */
static retort_status check_apart(const retort_gguf *g, retort_error *error) {
  sort_index(g->by_name, g->n_tensors, g->tensors, compare_places);
  for (uint32_t i = 1; i < g->n_tensors; i++) {
    const rt_tensor *a = &g->tensors[g->by_name[i - 1]], *b = &g->tensors[g->by_name[i]];
    if (a->file == b->file && b->offset - a->offset < a->size)
      return rt_fail(error, RETORT_ERROR_FORMAT, "%s: tensors %s and %s overlap at byte %llu; the file is damaged, get it again",
                     g->files[a->file].name, a->name, b->name, (unsigned long long)b->offset);
  }
  return RETORT_OK;
}

static retort_status read_tensors(retort_gguf *g, retort_error *error) {
  uint64_t total = 0;
  for (uint32_t i = 0; i < g->n_files; i++) total += g->files[i].n_tensors;
  if (total >= UINT32_MAX)
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s: the set claims %llu tensors; its files are damaged", g->files[0].name,
                   (unsigned long long)total);
  g->n_tensors = (uint32_t)total;
  g->tensors = rt_arena_alloc(&g->arena, g->n_tensors, sizeof *g->tensors);
  g->by_name = rt_arena_alloc(&g->arena, g->n_tensors, sizeof *g->by_name);
  if (!g->tensors || !g->by_name) return rt_fail_memory(error, total * (sizeof *g->tensors + sizeof *g->by_name), "the tensor directory");
  uint32_t n = 0;
  for (uint32_t i = 0; i < g->n_files; i++) {
    cursor c = {&g->files[i], g->files[i].tensors_at, error};
    for (uint32_t k = 0; k < g->files[i].n_tensors; k++, n++) {
      g->by_name[n] = n;
      retort_status bad = read_tensor(g, i, &c, &g->tensors[n]);
      if (bad) return bad;
      if (!rt_add_u64(g->tensor_bytes, g->tensors[n].size, &g->tensor_bytes))
        return rt_fail(error, RETORT_ERROR_FORMAT, "%s: the tensors are together larger than any file; the file is damaged, get it again",
                       g->files[i].name);
    }
  }
  retort_status status = RETORT_OK;
  if (!(g->flags & RETORT_GGUF_METADATA_ONLY))
    for (uint32_t i = 0; i < g->n_files && !status; i++) status = check_complete(&g->files[i], error);
  if (!status) status = check_apart(g, error);
  if (status) return status;
  sort_index(g->by_name, g->n_tensors, g->tensors, compare_names);
  for (uint32_t i = 1; i < g->n_tensors; i++)
    if (!compare_names(g->tensors, g->by_name[i - 1], g->by_name[i]))
      return fail_twice(g, &g->tensors[g->by_name[i]], &g->tensors[g->by_name[i - 1]], error);
  return RETORT_OK;
}

/* ---- split sets ---- */

/* Each file of a set says which it is and of how many; the first also how many tensors there are in all. One file alone passes with
 * METADATA_ONLY when it is the first, which has the whole metadata. */
static retort_status check_split(const retort_gguf *g, retort_error *error) {
  bool first_alone = g->n_files == 1 && (g->flags & RETORT_GGUF_METADATA_ONLY);
  for (uint32_t i = 0; i < g->n_files; i++) {
    const file *f = &g->files[i];
    uint32_t number = 0, count = 1;
    retort_status status = get_u32(f, "split.no", g->n_files > 1, 0, UINT32_MAX, &number, error);
    if (!status) status = get_u32(f, "split.count", g->n_files > 1, 0, UINT32_MAX, &count, error);
    if (status) return status;
    if (count == 0) count = 1; /* some tools write 0 for "not split" */
    if (count != g->n_files && !(first_alone && number == 0))
      return rt_fail(error, RETORT_ERROR_ARGUMENT,
                     "%s: this is file %llu of a set of %u, and %u %s given: give all files of the set in order", f->name,
                     (unsigned long long)number + 1, count, g->n_files, g->n_files == 1 ? "was" : "were");
    if (number != i)
      return rt_fail(error, RETORT_ERROR_ARGUMENT, "%s: this is file %llu of the set but was given as number %u: give the files in order",
                     f->name, (unsigned long long)number + 1, i + 1);
  }
  uint64_t total = 0;
  for (uint32_t i = 0; i < g->n_files; i++) total += g->files[i].n_tensors;
  if (g->n_files == 1 || total >= UINT32_MAX) return RETORT_OK;
  uint32_t claimed = (uint32_t)total;
  retort_status status = get_u32(&g->files[0], "split.tensors.count", false, 0, UINT32_MAX, &claimed, error);
  if (status || claimed == total) return status;
  return rt_fail(error, RETORT_ERROR_FORMAT,
                 "%s: the set should have %u tensors (split.tensors.count) and has %llu: its files do not belong together",
                 g->files[0].name, claimed, (unsigned long long)total);
}

/* ---- public ---- */

static const char *copy_name(rt_arena *arena, const char *name, size_t index) {
  char fallback[32];
  if (!name || !*name) {
    snprintf(fallback, sizeof fallback, "file %zu", index + 1);
    name = fallback;
  }
  for (const char *p = name; *p; p++)
    if ((*p == '/' || *p == '\\') && p[1]) name = p + 1;
  return rt_arena_string(arena, name, strlen(name));
}

static retort_status open_files(retort_gguf *g, const retort_buffer *files, retort_error *error) {
  g->files = rt_arena_alloc(&g->arena, g->n_files, sizeof *g->files);
  if (!g->files) return rt_fail_memory(error, g->n_files * (uint64_t)sizeof *g->files, "the list of files");
  for (uint32_t i = 0; i < g->n_files; i++) {
    file *f = &g->files[i];
    f->bytes = files[i].data;
    f->size = files[i].size;
    f->name = copy_name(&g->arena, files[i].name, i);
    if (!f->name) return rt_fail_memory(error, strlen(files[i].name), "a file name");
    if (!f->bytes && f->size) return rt_fail(error, RETORT_ERROR_ARGUMENT, "%s: data is NULL and size is %zu", f->name, f->size);
    retort_status status = open_file(f, &g->arena, error);
    if (status) return status;
  }
  retort_status status = check_split(g, error);
  return status ? status : read_tensors(g, error);
}

retort_status retort_gguf_open(const retort_platform *platform, const retort_buffer *files, size_t n_files, uint32_t flags,
                               retort_gguf **out, retort_error *error) {
  if (!out || !files || n_files == 0) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_gguf_open: files and out must be given");
  if (n_files > MAX_FILES)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_gguf_open: %zu files, at most %d are allowed", n_files, MAX_FILES);
  if (flags & ~(uint32_t)RETORT_GGUF_METADATA_ONLY)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_gguf_open: unknown flags 0x%x", flags);
  retort_status status = rt_platform_check(platform, error);
  if (status) return status;
  rt_arena arena = {.platform = platform};
  retort_gguf *g = rt_arena_alloc(&arena, 1, sizeof *g);
  if (!g) return rt_fail_memory(error, sizeof *g, "a GGUF handle");
  g->arena = arena;
  g->n_files = (uint32_t)n_files;
  g->flags = flags;
  retort_buffer *given;
  status = rt_structs_read(&g->arena, &given, sizeof *given, files, n_files, "retort_buffer", error);
  if (!status) status = open_files(g, given, error);
  if (status) {
    retort_gguf_close(g);
    return status;
  }
  *out = g;
  return RETORT_OK;
}

void retort_gguf_close(retort_gguf *gguf) {
  if (!gguf) return;
  rt_arena arena = gguf->arena; /* it holds the handle itself */
  rt_arena_close(&arena);
}

retort_status retort_gguf_get_summary(const retort_gguf *gguf, retort_gguf_summary *summary, retort_error *error) {
  if (!gguf || !summary) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_gguf_get_summary: gguf and summary must be given");
  retort_status status = rt_struct_check(summary, "retort_gguf_summary", error);
  if (status) return status;
  retort_gguf_summary result = {.version = gguf->files[0].version,
                                .n_files = gguf->n_files,
                                .n_entries = gguf->files[0].n_entries,
                                .n_tensors = gguf->n_tensors,
                                .alignment = gguf->files[0].alignment,
                                .tensor_bytes = gguf->tensor_bytes};
  rt_struct_write(summary, &result, sizeof result);
  return RETORT_OK;
}

retort_status retort_gguf_get_entry(const retort_gguf *gguf, uint32_t index, retort_gguf_entry *out, retort_error *error) {
  if (!gguf || !out) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_gguf_get_entry: gguf and entry must be given");
  retort_status status = rt_struct_check(out, "retort_gguf_entry", error);
  if (status) return status;
  const file *f = &gguf->files[0];
  if (index >= f->n_entries)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "%s: there is no metadata entry %u, the file has %u", f->name, index, f->n_entries);
  retort_gguf_entry result = {.key = f->entries[index].key, .type = type_name(&f->entries[index]), .count = f->entries[index].count};
  rt_struct_write(out, &result, sizeof result);
  return RETORT_OK;
}

retort_status retort_gguf_get_tensor(const retort_gguf *gguf, uint32_t index, retort_gguf_tensor *out, retort_error *error) {
  if (!gguf || !out) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_gguf_get_tensor: gguf and tensor must be given");
  retort_status status = rt_struct_check(out, "retort_gguf_tensor", error);
  if (status) return status;
  if (index >= gguf->n_tensors)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "%s: there is no tensor %u, the file has %u", gguf->files[0].name, index, gguf->n_tensors);
  const rt_tensor *t = &gguf->tensors[index];
  const rt_gguf_type *type = rt_gguf_type_find(t->type);
  retort_gguf_tensor result = {
      .name = t->name, .type = type ? type->name : "unknown", .n_dims = t->n_dims, .file = t->file, .offset = t->offset, .size = t->size};
  memcpy(result.dims, t->dims, sizeof result.dims);
  rt_struct_write(out, &result, sizeof result);
  return RETORT_OK;
}

/* ---- JSON ---- */

typedef struct text {
  char *buffer;
  size_t capacity, size; /* size may grow past capacity: that is how the need is measured */
} text;

static void put(text *t, const char *bytes, size_t n) {
  for (size_t i = 0; i < n; i++, t->size++)
    if (t->size < t->capacity) t->buffer[t->size] = bytes[i];
}

/* Bytes that are no UTF-8 become U+FFFD: JSON cannot say them. */
static void put_quoted(text *t, rt_string s) {
  const uint8_t *p = (const uint8_t *)s.bytes;
  put(t, "\"", 1);
  for (size_t i = 0; i < s.size;) {
    uint32_t cp;
    size_t n = rt_utf8_decode(p + i, s.size - i, &cp);
    char escaped[8];
    if (cp == RT_UTF8_INVALID) put(t, "\xEF\xBF\xBD", 3);
    else if (p[i] == '"' || p[i] == '\\') put(t, escaped, (size_t)snprintf(escaped, sizeof escaped, "\\%c", p[i]));
    else if (p[i] == '\n') put(t, "\\n", 2);
    else if (p[i] < 0x20 || p[i] == 0x7f) put(t, escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", p[i]));
    else put(t, s.bytes + i, n);
    i += n;
  }
  put(t, "\"", 1);
}

/* The shortest decimal that reads back as the same value; JSON has no infinities and NaNs: null. The decimal sign is made a point
 * whatever the program's locale says. */
static void put_real(text *t, double value, bool is_f32) {
  if (value - value != 0) {
    put(t, "null", 4);
    return;
  }
  char digits[40];
  int n = 0;
  for (int precision = is_f32 ? 6 : 15; precision <= (is_f32 ? 9 : 17); precision++) {
    n = snprintf(digits, sizeof digits, "%.*g", precision, value);
    double back = strtod(digits, NULL);
    if (is_f32 ? (float)back == (float)value : back == value) break;
  }
  for (int i = 0; i < n; i++)
    if (!strchr("0123456789+-e", digits[i])) digits[i] = '.';
  put(t, digits, (size_t)n);
}

static void put_element(text *t, const entry *e, uint64_t i) {
  const uint8_t *p = e->value + (size_t)i * value_size[e->type];
  bool negative;
  uint64_t magnitude;
  char digits[24];
  if (e->type == RT_GGUF_BOOL) put(t, *p ? "true" : "false", *p ? 4 : 5);
  else if (e->type == RT_GGUF_F32) put_real(t, (double)load_f32(p), true);
  else if (e->type == RT_GGUF_F64) put_real(t, load_f64(p), false);
  else if (integer_at(e, i, &negative, &magnitude))
    put(t, digits, (size_t)snprintf(digits, sizeof digits, "%s%llu", negative ? "-" : "", (unsigned long long)magnitude));
}

/* Takes the string at *p and moves *p behind it; lengths were checked when the file was opened. */
static rt_string next_string(const uint8_t **p) {
  rt_string s = {(const char *)*p + 8, (size_t)rt_load_u64(*p)};
  *p += 8 + s.size;
  return s;
}

retort_status retort_gguf_get_json(const retort_gguf *gguf, const char *key, size_t max_elements, char *buffer, size_t capacity,
                                   size_t *size, retort_error *error) {
  if (!gguf || !key || !size || (!buffer && capacity))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_gguf_get_json: gguf, key, buffer and size must be given");
  const entry *e = find_entry(&gguf->files[0], key);
  if (!e) return rt_fail(error, RETORT_ERROR_ARGUMENT, "%s: there is no metadata key %.80s", gguf->files[0].name, key);
  text t = {buffer, capacity ? capacity - 1 : 0, 0};
  const uint8_t *p = e->value;
  if (e->is_array) put(&t, "[", 1);
  for (uint64_t i = 0; i < e->count; i++) {
    if (i) put(&t, ", ", 2);
    if (e->is_array && max_elements && i == max_elements) {
      put(&t, "\"...\"", 5);
      break;
    }
    if (e->type == RT_GGUF_STRING) put_quoted(&t, next_string(&p));
    else put_element(&t, e, i);
  }
  if (e->is_array) put(&t, "]", 1);
  *size = t.size;
  if (capacity) buffer[t.size < capacity ? t.size : capacity - 1] = 0;
  if (t.size < capacity) return RETORT_OK;
  return rt_fail(error, RETORT_ERROR_BUFFER, "the value of %.80s needs %zu bytes, the buffer has %zu", key, t.size + 1, capacity);
}

/* ---- the core's view ---- */

retort_status rt_gguf_get_u32(const retort_gguf *gguf, const char *key, bool required, uint32_t min, uint32_t max, uint32_t *value,
                              retort_error *error) {
  return get_u32(&gguf->files[0], key, required, min, max, value, error);
}

static retort_status f32_at(const file *f, const entry *e, uint64_t i, float *value, retort_error *error) {
  if (e->type != RT_GGUF_F32 && e->type != RT_GGUF_F64) return fail_type(f, e, e->is_array ? "an array of f32" : "f32", error);
  float v = e->type == RT_GGUF_F32 ? load_f32(e->value + 4 * (size_t)i) : (float)load_f64(e->value + 8 * (size_t)i);
  if (!is_finite_f32(v))
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s: key %.80s is not a finite number; the file is damaged, get it again", f->name, e->key);
  *value = v;
  return RETORT_OK;
}

/* Finds `key` as a scalar or an array; *found is NULL, with RETORT_OK, where it is missing and may be. */
static retort_status find_value(const retort_gguf *gguf, const char *key, bool required, bool is_array, const entry **found,
                                retort_error *error) {
  const file *f = &gguf->files[0];
  *found = find_entry(f, key);
  if (!*found) return required ? fail_missing(f, key, error) : RETORT_OK;
  if ((*found)->is_array != is_array) return fail_type(f, *found, is_array ? "an array" : "a single value", error);
  return RETORT_OK;
}

retort_status rt_gguf_get_f32(const retort_gguf *gguf, const char *key, bool required, float *value, retort_error *error) {
  const entry *e;
  retort_status status = find_value(gguf, key, required, false, &e, error);
  return status || !e ? status : f32_at(&gguf->files[0], e, 0, value, error);
}

retort_status rt_gguf_get_bool(const retort_gguf *gguf, const char *key, bool *value, retort_error *error) {
  const entry *e;
  retort_status status = find_value(gguf, key, false, false, &e, error);
  if (status || !e) return status;
  if (e->type != RT_GGUF_BOOL) return fail_type(&gguf->files[0], e, "bool", error);
  *value = *e->value != 0;
  return RETORT_OK;
}

retort_status rt_gguf_get_string(const retort_gguf *gguf, const char *key, bool required, rt_string *value, retort_error *error) {
  const entry *e;
  retort_status status = find_value(gguf, key, required, false, &e, error);
  if (status || !e) return status;
  if (e->type != RT_GGUF_STRING) return fail_type(&gguf->files[0], e, "string", error);
  const uint8_t *p = e->value;
  *value = next_string(&p);
  return RETORT_OK;
}

/* Room for an array's elements. count * size fits: the elements are in memory already, with at least 1 byte each. */
static retort_status room(const entry *e, size_t size, rt_arena *arena, void **values, retort_error *error) {
  *values = rt_arena_alloc(arena, (size_t)e->count, size);
  return *values ? RETORT_OK : rt_fail_memory(error, e->count * size, e->key);
}

retort_status rt_gguf_get_strings(const retort_gguf *gguf, const char *key, bool required, rt_arena *arena, rt_string **values,
                                  size_t *count, retort_error *error) {
  const entry *e;
  void *memory;
  retort_status status = find_value(gguf, key, required, true, &e, error);
  if (status || !e) return status;
  if (e->type != RT_GGUF_STRING) return fail_type(&gguf->files[0], e, "an array of strings", error);
  if ((status = room(e, sizeof **values, arena, &memory, error))) return status;
  rt_string *list = memory;
  const uint8_t *p = e->value;
  for (size_t i = 0; i < e->count; i++) list[i] = next_string(&p);
  *values = list;
  *count = (size_t)e->count;
  return RETORT_OK;
}

retort_status rt_gguf_get_u32s(const retort_gguf *gguf, const char *key, bool required, rt_arena *arena, uint32_t **values, size_t *count,
                               retort_error *error) {
  const entry *e;
  void *memory;
  retort_status status = find_value(gguf, key, required, true, &e, error);
  if (status || !e) return status;
  if (e->type > RT_GGUF_I32 && e->type != RT_GGUF_U64 && e->type != RT_GGUF_I64)
    return fail_type(&gguf->files[0], e, "an array of integers", error);
  if ((status = room(e, sizeof **values, arena, &memory, error))) return status;
  uint32_t *list = memory;
  for (size_t i = 0; i < e->count; i++)
    if ((status = u32_at(&gguf->files[0], e, i, 0, UINT32_MAX, &list[i], error))) return status;
  *values = list;
  *count = (size_t)e->count;
  return RETORT_OK;
}

retort_status rt_gguf_get_integers(const retort_gguf *gguf, const char *key, int64_t *values, size_t most, size_t *count,
                                   retort_error *error) {
  const file *f = &gguf->files[0];
  const entry *e = find_entry(f, key);
  *count = 0;
  for (uint64_t i = 0; e && i < e->count && i < most; i++) {
    bool negative;
    uint64_t magnitude;
    if (!integer_at(e, i, &negative, &magnitude)) return fail_type(f, e, e->is_array ? "an array of integers" : "an integer", error);
    values[(*count)++] = magnitude > INT64_MAX ? INT64_MAX : negative ? -(int64_t)magnitude : (int64_t)magnitude;
  }
  return RETORT_OK;
}

retort_status rt_gguf_get_f32s(const retort_gguf *gguf, const char *key, bool required, rt_arena *arena, float **values, size_t *count,
                               retort_error *error) {
  const entry *e;
  void *memory;
  retort_status status = find_value(gguf, key, required, true, &e, error);
  if (status || !e) return status;
  if (e->type != RT_GGUF_F32 && e->type != RT_GGUF_F64) return fail_type(&gguf->files[0], e, "an array of f32", error);
  if ((status = room(e, sizeof **values, arena, &memory, error))) return status;
  float *list = memory;
  for (size_t i = 0; i < e->count; i++)
    if ((status = f32_at(&gguf->files[0], e, i, &list[i], error))) return status;
  *values = list;
  *count = (size_t)e->count;
  return RETORT_OK;
}

uint64_t rt_gguf_count(const retort_gguf *gguf, const char *key) {
  const entry *e = find_entry(&gguf->files[0], key);
  return e ? e->count : 0;
}

bool rt_gguf_has(const retort_gguf *gguf, const char *key) { return find_entry(&gguf->files[0], key) != NULL; }

const rt_tensor *rt_gguf_find_tensor(const retort_gguf *gguf, const char *name) {
  uint32_t low = 0, high = gguf->n_tensors;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    const rt_tensor *t = &gguf->tensors[gguf->by_name[middle]];
    int order = strcmp(name, t->name);
    if (order == 0) return t;
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return NULL;
}
uint32_t rt_gguf_tensor_count(const retort_gguf *gguf) { return gguf->n_tensors; }
const rt_tensor *rt_gguf_tensor_at(const retort_gguf *gguf, uint32_t index) {
  return index < gguf->n_tensors ? &gguf->tensors[index] : NULL;
}
uint32_t rt_gguf_flags(const retort_gguf *gguf) { return gguf->flags; }
