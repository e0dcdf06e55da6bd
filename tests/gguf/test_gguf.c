/* test_gguf.c - the reader and writer: good files, some forty kinds of bad ones, every truncation, changed bytes, no memory, split sets.
 *
 * data/gguf/all_types.gguf was written by PyPI `gguf`: the one thing here that does not come from our own hands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "counting.h"
#include "gguf/writer.h"
#include "gguf_touch.h"

/* ---- helpers ---- */

static uint8_t *read_whole(const char *path, size_t *size) {
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  fseek(f, 0, SEEK_END);
  *size = (size_t)ftell(f);
  rewind(f);
  uint8_t *bytes = malloc(*size);
  assert_int_equal(fread(bytes, 1, *size, f), *size);
  fclose(f);
  return bytes;
}

#define GOLDEN RETORT_SOURCE_DIR "/tests/data/gguf/all_types.gguf"

/* Opens an exact-size heap copy, so that the address sanitizer sees a read of one byte too many. Checks that nothing leaks and that a
 * failure explains itself. */
static retort_status try_open(const uint8_t *bytes, size_t size, uint32_t flags, retort_error *error) {
  counting c = {0};
  retort_platform platform = counting_platform(&c);
  uint8_t *copy = malloc(size ? size : 1);
  memcpy(copy, bytes, size);
  retort_gguf *g = NULL;
  memset(error, 0, sizeof *error);
  retort_status status =
      retort_gguf_open(&platform, &(retort_buffer){sizeof(retort_buffer), copy, size, "dir/x.gguf"}, 1, flags, &g, error);
  if (status == RETORT_OK) {
    gguf_touch(g);
    retort_gguf_close(g);
  } else {
    assert_null(g);
    assert_int_equal(error->status, status);
    assert_non_null(strstr(error->message, "x.gguf: "));
    assert_true(strlen(error->message) > 30 && strlen(error->message) < sizeof error->message - 1);
  }
  assert_int_equal(c.live, 0);
  assert_true(c.peak <= 5 * size + 256 * 1024);
  free(copy);
  return status;
}

/* ---- good files ---- */

static void expect_json(const retort_gguf *g, const char *key, size_t max, const char *wanted) {
  char json[200];
  size_t size;
  retort_error error;
  assert_int_equal(retort_gguf_get_json(g, key, max, json, sizeof json, &size, &error), RETORT_OK);
  assert_string_equal(json, wanted);
  assert_int_equal(size, strlen(wanted));
}

/* What make.py wrote into the file, as JSON. */
static const char *const WRITTEN[][2] = {{"general.architecture", "\"llama\""},
                                         {"t.u8", "200"},
                                         {"t.i8", "-100"},
                                         {"t.u16", "60000"},
                                         {"t.i16", "-30000"},
                                         {"t.u32", "4000000000"},
                                         {"t.i32", "-2000000000"},
                                         {"t.f32", "0.1"},
                                         {"t.bool", "true"},
                                         {"t.string", "\"R\xC3\xA9torte \\\"\xE8\x92\xB8\xE7\x95\x99\\\"\\n\""},
                                         {"t.u64", "18446744073709551615"},
                                         {"t.i64", "-9223372036854775808"},
                                         {"t.f64", "0.1"},
                                         {"t.strings", "[\"a\", \"\", \"\xC3\xBC\"]"},
                                         {"t.u32s", "[7, 7, 7]"},
                                         {"t.mixed", "[1, 2, 3]"},
                                         {"t.f32s", "[1.5, -2.5]"},
                                         {"t.bools", "[true, false]"}};

static void reads_what_the_python_package_wrote(void **state) {
  (void)state;
  size_t size;
  uint8_t *bytes = read_whole(GOLDEN, &size);
  retort_gguf *g;
  retort_error error;
  assert_int_equal(retort_gguf_open(NULL, &(retort_buffer){sizeof(retort_buffer), bytes, size, NULL}, 1, 0, &g, &error), RETORT_OK);
  retort_gguf_summary s = {.struct_size = sizeof s};
  assert_int_equal(retort_gguf_get_summary(g, &s, &error), RETORT_OK);
  assert_int_equal(s.version, 3);
  assert_int_equal(s.n_entries, 19);
  assert_int_equal(s.n_tensors, 3);
  assert_int_equal(s.alignment, 64);
  assert_int_equal(s.tensor_bytes, 24 + 8 + 68);
  for (size_t i = 0; i < RT_COUNT(WRITTEN); i++) expect_json(g, WRITTEN[i][0], 0, WRITTEN[i][1]);
  expect_json(g, "t.strings", 2, "[\"a\", \"\", \"...\"]");
  expect_json(g, "t.mixed", 3, "[1, 2, 3]");

  retort_gguf_entry e = {.struct_size = sizeof e};
  assert_int_equal(retort_gguf_get_entry(g, 13, &e, &error), RETORT_OK);
  assert_string_equal(e.key, "t.strings");
  assert_string_equal(e.type, "array of string");
  assert_int_equal(e.count, 3);
  assert_int_equal(retort_gguf_get_entry(g, 19, &e, &error), RETORT_ERROR_ARGUMENT);

  retort_gguf_tensor t = {.struct_size = sizeof t};
  assert_int_equal(retort_gguf_get_tensor(g, 2, &t, &error), RETORT_OK);
  assert_string_equal(t.name, "q8");
  assert_string_equal(t.type, "Q8_0");
  assert_int_equal(t.n_dims, 2);
  assert_int_equal(t.dims[0], 32);
  assert_int_equal(t.dims[1], 2);
  assert_int_equal(t.dims[2], 1);
  assert_int_equal(t.size, 68);
  const rt_tensor *q8 = rt_gguf_find_tensor(g, "q8");
  assert_ptr_equal(q8->data, bytes + t.offset);
  for (int i = 0; i < 68; i++) assert_int_equal(q8->data[i], i);
  assert_null(rt_gguf_find_tensor(g, "q"));
  assert_null(rt_gguf_find_tensor(g, "zzz"));
  assert_int_equal(retort_gguf_get_tensor(g, 3, &t, &error), RETORT_ERROR_ARGUMENT);
  retort_gguf_close(g);
  free(bytes);
}

static void json_tells_the_size_needed(void **state) {
  (void)state;
  size_t size, n;
  uint8_t *bytes = read_whole(GOLDEN, &size);
  retort_gguf *g;
  retort_error error;
  assert_int_equal(retort_gguf_open(NULL, &(retort_buffer){sizeof(retort_buffer), bytes, size, NULL}, 1, 0, &g, &error), RETORT_OK);
  char json[16];
  assert_int_equal(retort_gguf_get_json(g, "t.u32", 0, NULL, 0, &n, &error), RETORT_ERROR_BUFFER);
  assert_int_equal(n, 10);
  assert_int_equal(retort_gguf_get_json(g, "t.u32", 0, json, 10, &n, &error), RETORT_ERROR_BUFFER);
  assert_string_equal(json, "400000000");
  assert_int_equal(retort_gguf_get_json(g, "t.u32", 0, json, 11, &n, &error), RETORT_OK);
  assert_int_equal(retort_gguf_get_json(g, "t.none", 0, json, 11, &n, &error), RETORT_ERROR_ARGUMENT);
  assert_non_null(strstr(error.message, "t.none"));
  retort_gguf_close(g);
  free(bytes);
}

static void getters_take_what_fits_and_refuse_the_rest(void **state) {
  (void)state;
  size_t size, n = 0;
  uint8_t *bytes = read_whole(GOLDEN, &size);
  retort_gguf *g;
  retort_error error;
  assert_int_equal(retort_gguf_open(NULL, &(retort_buffer){sizeof(retort_buffer), bytes, size, "m.gguf"}, 1, 0, &g, &error), RETORT_OK);
  uint32_t u = 5, *us;
  float f = 5, *fs;
  bool b = false;
  rt_string s, *ss;
  rt_arena arena = {0};
  assert_int_equal(rt_gguf_get_u32(g, "none", false, 0, 9, &u, &error), RETORT_OK);
  assert_int_equal(u, 5);
  assert_int_equal(rt_gguf_get_u32(g, "none", true, 0, 9, &u, &error), RETORT_ERROR_FORMAT);
  assert_non_null(strstr(error.message, "none"));
  assert_int_equal(rt_gguf_get_u32(g, "t.u8", true, 0, 200, &u, &error), RETORT_OK);
  assert_int_equal(u, 200);
  assert_int_equal(rt_gguf_get_u32(g, "t.u8", true, 0, 199, &u, &error), RETORT_ERROR_FORMAT);
  assert_int_equal(rt_gguf_get_u32(g, "t.u8", true, 201, 300, &u, &error), RETORT_ERROR_FORMAT);
  assert_int_equal(rt_gguf_get_u32(g, "t.i8", true, 0, UINT32_MAX, &u, &error), RETORT_ERROR_FORMAT);
  assert_non_null(strstr(error.message, "-100"));
  assert_int_equal(rt_gguf_get_u32(g, "t.u64", true, 0, UINT32_MAX, &u, &error), RETORT_ERROR_FORMAT);
  assert_int_equal(rt_gguf_get_u32(g, "t.u32", true, 0, UINT32_MAX, &u, &error), RETORT_OK);
  assert_int_equal(u, 4000000000u);
  assert_int_equal(rt_gguf_get_u32(g, "t.f32", true, 0, 9, &u, &error), RETORT_ERROR_FORMAT);
  assert_int_equal(rt_gguf_get_u32(g, "t.u32s", true, 0, 9, &u, &error), RETORT_OK);
  assert_int_equal(u, 7);
  assert_int_equal(rt_gguf_get_u32(g, "t.mixed", true, 0, 9, &u, &error), RETORT_ERROR_UNSUPPORTED);
  assert_int_equal(u, 7);
  assert_int_equal(rt_gguf_get_f32(g, "t.f32", true, &f, &error), RETORT_OK);
  assert_true(f == 0.1f);
  assert_int_equal(rt_gguf_get_f32(g, "t.f32s", true, &f, &error), RETORT_ERROR_FORMAT);
  assert_int_equal(rt_gguf_get_bool(g, "t.bool", &b, &error), RETORT_OK);
  assert_true(b);
  assert_int_equal(rt_gguf_get_bool(g, "t.u8", &b, &error), RETORT_ERROR_FORMAT);
  assert_int_equal(rt_gguf_get_string(g, "general.architecture", true, &s, &error), RETORT_OK);
  assert_int_equal(s.size, 5);
  assert_memory_equal(s.bytes, "llama", 5);
  assert_int_equal(rt_gguf_get_string(g, "t.u8", true, &s, &error), RETORT_ERROR_FORMAT);
  assert_int_equal(rt_gguf_get_strings(g, "t.strings", true, &arena, &ss, &n, &error), RETORT_OK);
  assert_int_equal(n, 3);
  assert_int_equal(ss[2].size, 2);
  assert_int_equal(rt_gguf_get_strings(g, "t.mixed", true, &arena, &ss, &n, &error), RETORT_ERROR_FORMAT);
  assert_int_equal(rt_gguf_get_u32s(g, "t.mixed", true, &arena, &us, &n, &error), RETORT_OK);
  assert_int_equal(us[2], 3);
  assert_int_equal(rt_gguf_get_f32s(g, "t.f32s", true, &arena, &fs, &n, &error), RETORT_OK);
  assert_true(fs[0] == 1.5f && fs[1] == -2.5f);
  assert_int_equal(rt_gguf_get_f32s(g, "t.mixed", true, &arena, &fs, &n, &error), RETORT_ERROR_FORMAT);
  rt_arena_close(&arena);
  retort_gguf_close(g);
  free(bytes);
}

static void the_writer_writes_what_the_python_package_writes(void **state) {
  (void)state;
  size_t size, made_size;
  uint8_t *bytes = read_whole(GOLDEN, &size);
  rt_gguf_writer w = {.alignment = 64};
  const uint8_t *made;
  rt_gguf_put_string(&w, "general.architecture", "llama");
  rt_gguf_put(&w, "t.u8", RT_GGUF_U8, false, &(uint8_t){200}, 1);
  rt_gguf_put(&w, "t.i8", RT_GGUF_I8, false, &(int8_t){-100}, 1);
  rt_gguf_put(&w, "t.u16", RT_GGUF_U16, false, &(uint16_t){60000}, 1);
  rt_gguf_put(&w, "t.i16", RT_GGUF_I16, false, &(int16_t){-30000}, 1);
  rt_gguf_put_u32(&w, "t.u32", 4000000000u);
  rt_gguf_put(&w, "t.i32", RT_GGUF_I32, false, &(int32_t){-2000000000}, 1);
  rt_gguf_put_f32(&w, "t.f32", 0.1f);
  rt_gguf_put_bool(&w, "t.bool", true);
  rt_gguf_put_string(&w, "t.string", "R\xC3\xA9torte \"\xE8\x92\xB8\xE7\x95\x99\"\n");
  rt_gguf_put(&w, "t.u64", RT_GGUF_U64, false, &(uint64_t){UINT64_MAX}, 1);
  rt_gguf_put(&w, "t.i64", RT_GGUF_I64, false, &(int64_t){INT64_MIN}, 1);
  rt_gguf_put(&w, "t.f64", RT_GGUF_F64, false, &(double){0.1}, 1);
  rt_gguf_put_strings(&w, "t.strings", true, (rt_string[]){{"a", 1}, {"", 0}, {"\xC3\xBC", 2}}, 3);
  rt_gguf_put(&w, "t.u32s", RT_GGUF_U32, true, (uint32_t[]){7, 7, 7}, 3);
  rt_gguf_put(&w, "t.mixed", RT_GGUF_I32, true, (int32_t[]){1, 2, 3}, 3);
  rt_gguf_put(&w, "t.f32s", RT_GGUF_F32, true, (float[]){1.5f, -2.5f}, 2);
  rt_gguf_put(&w, "t.bools", RT_GGUF_BOOL, true, (uint8_t[]){1, 0}, 2);
  uint8_t codes[68];
  for (uint8_t i = 0; i < 68; i++) codes[i] = i;
  rt_gguf_put_tensor(&w, "f32", 0, 2, (uint64_t[]){3, 2}, (float[]){0, 1, 2, 3, 4, 5}, 24);
  rt_gguf_put_tensor(&w, "f16", 1, 1, (uint64_t[]){4}, (uint16_t[]){0, 0x3c00, 0x4000, 0x4200}, 8);
  rt_gguf_put_tensor(&w, "q8", 8, 2, (uint64_t[]){32, 2}, codes, 68);
  retort_error error;
  assert_int_equal(rt_gguf_finish(&w, &made, &made_size, &error), RETORT_OK);
  assert_int_equal(made_size, size);
  assert_memory_equal(made, bytes, size);
  rt_gguf_writer_close(&w);
  free(bytes);
}

/* ---- bad files ---- */

/* A file of one key and two tensors, with every number in it open to change. */
typedef struct recipe {
  const char *magic;
  uint32_t version;
  uint64_t n_tensors, n_entries;
  const char *key;
  uint64_t key_size;
  const char *key2; /* a second key, u32 value2 */
  uint32_t value2;
  uint32_t type, element;
  uint64_t count; /* of an array */
  const char *value;
  size_t value_size;
  const char *name, *name2;
  uint64_t name_size;
  uint32_t n_dims;
  uint64_t dims[5];
  uint32_t tensor_type;
  uint64_t offset, offset2;
  size_t data_size;
} recipe;

static const recipe good = {.magic = "GGUF",
                            .version = 3,
                            .n_tensors = 2,
                            .n_entries = 2,
                            .key = "k",
                            .key_size = 1,
                            .key2 = "general.quantization_version",
                            .value2 = 2,
                            .type = RT_GGUF_U32,
                            .value = "\1\0\0\0",
                            .value_size = 4,
                            .name = "a",
                            .name2 = "b",
                            .name_size = 1,
                            .n_dims = 2,
                            .dims = {32, 2, 1, 1, 1},
                            .tensor_type = 8,
                            .offset = 0,
                            .offset2 = 96,
                            .data_size = 96 + 4};

static void put(uint8_t **p, const void *bytes, size_t n) {
  memcpy(*p, bytes, n);
  *p += n;
}
static void put_u32(uint8_t **p, uint32_t v) { put(p, &v, 4); }
static void put_u64(uint8_t **p, uint64_t v) { put(p, &v, 8); }

static size_t build(const recipe *r, uint8_t *bytes) {
  uint8_t *p = bytes;
  put(&p, r->magic, 4);
  put_u32(&p, r->version);
  put_u64(&p, r->n_tensors);
  put_u64(&p, r->n_entries);
  put_u64(&p, r->key_size);
  put(&p, r->key, strlen(r->key));
  put_u32(&p, r->type);
  if (r->type == RT_GGUF_ARRAY) {
    put_u32(&p, r->element);
    put_u64(&p, r->count);
  }
  put(&p, r->value, r->value_size);
  put_u64(&p, strlen(r->key2));
  put(&p, r->key2, strlen(r->key2));
  put_u32(&p, RT_GGUF_U32);
  put_u32(&p, r->value2);
  put_u64(&p, r->name_size);
  put(&p, r->name, strlen(r->name));
  put_u32(&p, r->n_dims);
  for (uint32_t i = 0; i < r->n_dims && i < 5; i++) put_u64(&p, r->dims[i]);
  put_u32(&p, r->tensor_type);
  put_u64(&p, r->offset);
  put_u64(&p, strlen(r->name2));
  put(&p, r->name2, strlen(r->name2));
  put_u32(&p, 1);
  put_u64(&p, 1);
  put_u32(&p, RT_GGUF_U8); /* tensor type F32 has the same number 0 */
  put_u64(&p, r->offset2);
  while ((p - bytes) % 32) *p++ = 0;
  memset(p, 7, r->data_size);
  return (size_t)(p - bytes) + r->data_size;
}

static void expect(const recipe *r, retort_status wanted, const char *words) {
  uint8_t bytes[2048];
  retort_error error;
  retort_status status = try_open(bytes, build(r, bytes), 0, &error);
  if (status != wanted || (status && !strstr(error.message, words)))
    fail_msg("wanted %d \"%s\", got %d: %s", wanted, words, status, error.message);
}
#define BAD(status, words, ...)               \
  do {                                        \
    recipe r = good;                          \
    __VA_ARGS__;                              \
    expect(&r, RETORT_ERROR_##status, words); \
  } while (0)
#define GOOD(...)              \
  do {                         \
    recipe r = good;           \
    __VA_ARGS__;               \
    expect(&r, RETORT_OK, ""); \
  } while (0)

static void bad_headers_are_refused(void **state) {
  (void)state;
  expect(&good, RETORT_OK, "");
  BAD(FORMAT, "instead of \"GGUF\"", r.magic = "XGUF");
  BAD(FORMAT, "byte order", r.magic = "FUGG");
  BAD(FORMAT, "web page", r.magic = "<!DO");
  BAD(FORMAT, "Git LFS", r.magic = "vers");
  BAD(FORMAT, "zip", r.magic = "PK\3\4");
  BAD(FORMAT, "before GGUF", r.magic = "tjgg");
  BAD(UNSUPPORTED, "version 0", r.version = 0);
  BAD(UNSUPPORTED, "version 1", r.version = 1);
  BAD(UNSUPPORTED, "version 4", r.version = 4);
  BAD(UNSUPPORTED, "big-endian", r.version = 0x03000000);
  GOOD(r.version = 2);
  BAD(FORMAT, "18446744073709551615 tensors", r.n_tensors = UINT64_MAX);
  BAD(FORMAT, "9223372036854775807 metadata keys", r.n_entries = INT64_MAX);
  BAD(FORMAT, "4294967298 tensors", r.n_tensors = 0x100000002);
  BAD(FORMAT, "ends inside", r.n_entries = 3);
  BAD(FORMAT, "tensor 3 of 3", r.n_tensors = 3);
  BAD(FORMAT, "ends inside", r.n_entries = 1);
}

static void bad_metadata_is_refused(void **state) {
  (void)state;
  BAD(FORMAT, "key 1 of 2", r.key_size = UINT64_MAX);
  BAD(FORMAT, "ends inside", r.key_size = 1 << 20);
  BAD(FORMAT, "0 bytes long", r.key_size = 0);
  BAD(FORMAT, "0x0a", r.key = "\n");
  BAD(FORMAT, "0xc3", r.key = "\xC3");
  BAD(FORMAT, "there twice", r.key = r.key2, r.key_size = strlen(r.key2));
  BAD(FORMAT, "unknown type 13", r.type = 13);
  BAD(FORMAT, "unknown type 4294967295", r.type = UINT32_MAX);
  BAD(FORMAT, "ends inside the value of key k", r.type = RT_GGUF_STRING, r.value = "\xff\xff\xff\xff\xff\xff\xff\xff", r.value_size = 8);
  BAD(FORMAT, "ends inside the value of key k", r.type = RT_GGUF_STRING, r.value = "\0\0\1\0\0\0\0\0", r.value_size = 8);
  GOOD(r.type = RT_GGUF_STRING, r.value = "\2\0\0\0\0\0\0\0\xff\0", r.value_size = 10);
  BAD(FORMAT, "the bool at byte", r.type = RT_GGUF_BOOL, r.value = "\2", r.value_size = 1);
  GOOD(r.type = RT_GGUF_BOOL, r.value = "\1", r.value_size = 1);
  BAD(FORMAT, "the bool at byte", r.type = RT_GGUF_ARRAY, r.element = RT_GGUF_BOOL, r.count = 3, r.value = "\0\1\377", r.value_size = 3);
  BAD(UNSUPPORTED, "array of arrays", r.type = RT_GGUF_ARRAY, r.element = RT_GGUF_ARRAY, r.count = 1);
  BAD(FORMAT, "unknown type 99", r.type = RT_GGUF_ARRAY, r.element = 99, r.count = 1);
  BAD(FORMAT, "ends inside the value", r.type = RT_GGUF_ARRAY, r.element = RT_GGUF_U32, r.count = 0x4000000000000001);
  BAD(FORMAT, "ends inside the value", r.type = RT_GGUF_ARRAY, r.element = RT_GGUF_U8, r.count = UINT64_MAX);
  BAD(FORMAT, "ends inside the value", r.type = RT_GGUF_ARRAY, r.element = RT_GGUF_STRING, r.count = UINT64_MAX);
  GOOD(r.type = RT_GGUF_ARRAY, r.element = RT_GGUF_STRING, r.count = 0, r.value_size = 0);
  BAD(FORMAT, "power of two", r.key2 = "general.alignment", r.value2 = 24);
  BAD(FORMAT, "general.alignment is 0", r.key2 = "general.alignment", r.value2 = 0);
  BAD(FORMAT, "general.alignment is 4", r.key2 = "general.alignment", r.value2 = 4);
  BAD(FORMAT, "general.alignment is 2147483648", r.key2 = "general.alignment", r.value2 = 1u << 31);
  GOOD(r.key2 = "general.alignment", r.value2 = 16);
  BAD(FORMAT, "of type string, an integer", r.key = "general.alignment", r.key_size = 17, r.type = RT_GGUF_STRING,
      r.value = "\0\0\0\0\0\0\0\0", r.value_size = 8);
  BAD(FORMAT, "an empty array", r.key = "general.alignment", r.key_size = 17, r.type = RT_GGUF_ARRAY, r.element = RT_GGUF_U32, r.count = 0,
      r.value_size = 0);
}

static void bad_tensors_are_refused(void **state) {
  (void)state;
  BAD(FORMAT, "tensor 1 of 2", r.name_size = UINT64_MAX);
  BAD(FORMAT, "1 to 64 are allowed", r.name_size = 65);
  BAD(FORMAT, "0 bytes long", r.name = "", r.name_size = 0);
  BAD(FORMAT, "printable", r.name = "\x7f");
  BAD(FORMAT, "tensor b is there twice", r.name = "b");
  BAD(FORMAT, "has 0 dimensions", r.n_dims = 0);
  BAD(FORMAT, "has 5 dimensions", r.n_dims = 5);
  BAD(FORMAT, "has 4294967295 dimensions", r.n_dims = UINT32_MAX);
  BAD(FORMAT, "impossible dimensions 32 x 0", r.dims[1] = 0);
  BAD(FORMAT, "impossible dimensions", r.dims[1] = UINT64_MAX);
  BAD(FORMAT, "impossible dimensions", r.dims[0] = 1u << 31, r.dims[1] = 1ull << 32); /* 2^63: fits, but no signed count would */
  BAD(FORMAT, "impossible dimensions", r.dims[1] = UINT64_MAX / 32 + 2);
  BAD(FORMAT, "impossible dimensions", r.n_dims = 4, r.dims[0] = r.dims[1] = r.dims[2] = r.dims[3] = 65536);
  BAD(FORMAT, "larger than any file", r.dims[0] = 1, r.dims[1] = INT64_MAX, r.tensor_type = 28);
  BAD(FORMAT, "bytes are missing", r.dims[1] = 1u << 30);
  BAD(FORMAT, "rows of 33 elements", r.dims[0] = 33);
  BAD(FORMAT, "rows of 32 elements, a multiple of 256", r.tensor_type = 12);
  BAD(UNSUPPORTED, "type 43", r.tensor_type = 43);
  BAD(UNSUPPORTED, "type 4,", r.tensor_type = 4);
  recipe foreign = good; /* can be looked at */
  uint8_t bytes[2048];
  retort_error error;
  retort_gguf *g;
  retort_gguf_tensor t = {.struct_size = sizeof t};
  foreign.tensor_type = 43;
  retort_buffer file = {sizeof(retort_buffer), bytes, build(&foreign, bytes), "foreign.gguf"};
  assert_int_equal(retort_gguf_open(NULL, &file, 1, RETORT_GGUF_METADATA_ONLY, &g, &error), RETORT_OK);
  assert_int_equal(retort_gguf_get_tensor(g, 0, &t, &error), RETORT_OK);
  assert_true(strcmp(t.type, "unknown") == 0 && t.size == 0 && t.dims[0] == foreign.dims[0]);
  retort_gguf_close(g);
  BAD(UNSUPPORTED, "type 4294967295", r.tensor_type = UINT32_MAX);
  BAD(FORMAT, "no multiple of the alignment 32", r.offset = 8);
  BAD(FORMAT, "impossible data offset", r.offset = UINT64_MAX & ~(uint64_t)31);
  BAD(FORMAT, "1 bytes are missing", r.data_size = 96 + 3);
  BAD(FORMAT, "100 bytes are missing", r.data_size = 0);
  BAD(FORMAT, "overlap", r.offset2 = 64);
  BAD(FORMAT, "overlap", r.offset2 = 0);
  GOOD(r.offset = 32, r.offset2 = 0, r.data_size = 32 + 68);
}

static void metadata_only_does_without_the_data(void **state) {
  (void)state;
  uint8_t bytes[2048];
  size_t size = build(&good, bytes) - good.data_size;
  retort_error error;
  assert_int_equal(try_open(bytes, size, 0, &error), RETORT_ERROR_FORMAT);
  assert_non_null(strstr(error.message, "the download is incomplete: 100 bytes are missing"));
  retort_gguf *g;
  assert_int_equal(
      retort_gguf_open(NULL, &(retort_buffer){sizeof(retort_buffer), bytes, size + 70, NULL}, 1, RETORT_GGUF_METADATA_ONLY, &g, &error),
      RETORT_OK);
  assert_ptr_equal(rt_gguf_find_tensor(g, "a")->data, bytes + size);
  assert_null(rt_gguf_find_tensor(g, "b")->data);
  assert_int_equal(rt_gguf_flags(g), RETORT_GGUF_METADATA_ONLY);
  retort_gguf_close(g);
}

static void every_truncation_is_refused(void **state) {
  (void)state;
  size_t size;
  uint8_t *bytes = read_whole(GOLDEN, &size);
  size_t last = size - 64 + 4; /* where the last tensor ends: padding may be missing */
  retort_error error;
  for (size_t n = 0; n < size; n++) {
    retort_status status = try_open(bytes, n, 0, &error);
    if ((status == RETORT_OK) != (n >= last)) fail_msg("cut to %zu bytes: status %d", n, status);
    if (status && !strstr(error.message, "incomplete")) fail_msg("cut to %zu bytes: %s", n, error.message);
    try_open(bytes, n, RETORT_GGUF_METADATA_ONLY, &error);
  }
  free(bytes);
}

static void every_changed_byte_is_survived(void **state) {
  (void)state;
  size_t size, refused = 0, header = 0x2c0;
  uint8_t *bytes = read_whole(GOLDEN, &size);
  retort_error error;
  for (size_t i = 0; i < header; i++) {
    uint8_t was = bytes[i];
    uint8_t values[] = {0, 1, 2, 8, 9, 0x7f, 0x80, 0xff, (uint8_t)(was + 1), (uint8_t)(was - 1), was ^ 0x80, was ^ 0x20, was ^ 4};
    for (size_t k = 0; k < sizeof values; k++) {
      bytes[i] = values[k];
      refused += try_open(bytes, size, 0, &error) != RETORT_OK;
    }
    bytes[i] = was;
  }
  assert_true(refused > header * 5); /* most bytes of a header matter */
  free(bytes);
}

/* ---- memory ---- */

static void refused_memory_is_reported_and_nothing_leaks(void **state) {
  (void)state;
  size_t size;
  uint8_t *bytes = read_whole(GOLDEN, &size);
  /* Enough keys and tensors that several blocks are asked for. */
  rt_gguf_writer w = {0};
  char name[32];
  for (int i = 0; i < 3000; i++) {
    snprintf(name, sizeof name, "key.%d", i);
    rt_gguf_put_u32(&w, name, (uint32_t)i);
    rt_gguf_put_tensor(&w, name, 0, 1, (uint64_t[]){1}, bytes, 4);
  }
  const uint8_t *made;
  size_t made_size;
  retort_error error;
  assert_int_equal(rt_gguf_finish(&w, &made, &made_size, &error), RETORT_OK);
  for (size_t k = 1;; k++) {
    counting c = {.fail_at = k};
    retort_platform platform = counting_platform(&c);
    retort_gguf *g = NULL;
    retort_status status = retort_gguf_open(&platform, &(retort_buffer){sizeof(retort_buffer), made, made_size, "x"}, 1, 0, &g, &error);
    if (c.calls < k) {
      assert_int_equal(status, RETORT_OK);
      retort_gguf_close(g);
      assert_int_equal(c.live, 0);
      assert_true(k > 4);
      break;
    }
    assert_int_equal(status, RETORT_ERROR_MEMORY);
    assert_null(g);
    assert_int_equal(c.live, 0);
  }
  for (size_t k = 1;; k++) {
    counting c = {.fail_at = k};
    retort_platform platform = counting_platform(&c);
    rt_gguf_writer v = {.platform = &platform};
    rt_gguf_put_string(&v, "a", "b");
    rt_gguf_put_tensor(&v, "t", 0, 1, (uint64_t[]){1}, bytes, 4);
    retort_status status = rt_gguf_finish(&v, &made, &made_size, &error);
    rt_gguf_writer_close(&v);
    assert_int_equal(c.live, 0);
    if (c.calls < k) {
      assert_int_equal(status, RETORT_OK);
      break;
    }
    assert_int_equal(status, RETORT_ERROR_MEMORY);
  }
  rt_gguf_writer_close(&w);
  free(bytes);
}

/* The stated bound, where it is tightest: many of the shortest entries and tensors. */
static void memory_is_bounded_by_the_header(void **state) {
  (void)state;
  enum { N = 20000 };
  rt_gguf_writer w = {0};
  char name[16];
  for (uint32_t i = 0; i < N; i++) {
    snprintf(name, sizeof name, "%x", i);
    rt_gguf_put(&w, name, RT_GGUF_U8, false, &(uint8_t){0}, 1);
    rt_gguf_put_tensor(&w, name, 24, 1, (uint64_t[]){1}, NULL, 0); /* no data */
  }
  const uint8_t *made;
  size_t size;
  retort_error error;
  assert_int_equal(rt_gguf_finish(&w, &made, &size, &error), RETORT_OK);
  counting c = {0};
  retort_platform platform = counting_platform(&c);
  retort_gguf *g;
  /* All tensors lie at offset 0 and overlap: found only at the very end, when all memory has been asked for. */
  assert_int_equal(
      retort_gguf_open(&platform, &(retort_buffer){sizeof(retort_buffer), made, size, "x"}, 1, RETORT_GGUF_METADATA_ONLY, &g, &error),
      RETORT_ERROR_FORMAT);
  assert_non_null(strstr(error.message, "overlap"));
  assert_true(c.peak > 2 * size && c.peak <= 5 * size + 256 * 1024);
  rt_gguf_writer_close(&w);
}

/* ---- split sets ---- */

typedef struct shard {
  rt_gguf_writer w;
  const uint8_t *bytes;
  size_t size;
} shard;

static void make_shard(shard *s, uint16_t number, uint16_t count, int32_t total, const char *tensor) {
  static const float data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  retort_error error;
  *s = (shard){0};
  if (number == 0) rt_gguf_put_string(&s->w, "general.architecture", "llama");
  rt_gguf_put(&s->w, "split.no", RT_GGUF_U16, false, &number, 1);
  rt_gguf_put(&s->w, "split.count", RT_GGUF_U16, false, &count, 1);
  rt_gguf_put(&s->w, "split.tensors.count", RT_GGUF_I32, false, &total, 1);
  if (tensor) rt_gguf_put_tensor(&s->w, tensor, 0, 1, (uint64_t[]){8}, data, 32);
  assert_int_equal(rt_gguf_finish(&s->w, &s->bytes, &s->size, &error), RETORT_OK);
}

static retort_status open_set(const shard *const *shards, size_t n, uint32_t flags, retort_gguf **g, retort_error *error) {
  retort_buffer files[8];
  char names[8][40];
  for (size_t i = 0; i < n; i++) {
    snprintf(names[i], sizeof names[i], "/models/m-%05zu-of-%05zu.gguf", i + 1, n);
    files[i] = (retort_buffer){sizeof(retort_buffer), shards[i]->bytes, shards[i]->size, names[i]};
  }
  return retort_gguf_open(NULL, files, n, flags, g, error);
}

static void split_sets_are_checked(void **state) {
  (void)state;
  shard s[3], twice, other, wrong_total, single;
  make_shard(&s[0], 0, 3, 2, NULL); /* a first file without tensors is legal */
  make_shard(&s[1], 1, 3, 2, "a");
  make_shard(&s[2], 2, 3, 2, "b");
  make_shard(&twice, 2, 3, 2, "a");
  make_shard(&other, 2, 4, 2, "b");
  make_shard(&wrong_total, 0, 3, 5, NULL);
  make_shard(&single, 0, 0, 1, "a");
  retort_gguf *g;
  retort_error error;
  assert_int_equal(open_set((const shard *[]){&s[0], &s[1], &s[2]}, 3, 0, &g, &error), RETORT_OK);
  assert_int_equal(rt_gguf_tensor_count(g), 2);
  const rt_tensor *b = rt_gguf_find_tensor(g, "b");
  assert_int_equal(b->file, 2);
  assert_ptr_equal(b->data, s[2].bytes + b->offset);
  assert_true(rt_gguf_has(g, "general.architecture"));
  gguf_touch(g);
  retort_gguf_close(g);

  assert_int_equal(open_set((const shard *[]){&single}, 1, 0, &g, &error), RETORT_OK);
  retort_gguf_close(g);
  assert_int_equal(open_set((const shard *[]){&s[0]}, 1, RETORT_GGUF_METADATA_ONLY, &g, &error), RETORT_OK);
  retort_gguf_close(g);

  assert_int_equal(open_set((const shard *[]){&s[0]}, 1, 0, &g, &error), RETORT_ERROR_ARGUMENT);
  assert_non_null(strstr(error.message, "file 1 of a set of 3, and 1 was given"));
  assert_int_equal(open_set((const shard *[]){&s[1]}, 1, RETORT_GGUF_METADATA_ONLY, &g, &error), RETORT_ERROR_ARGUMENT);
  assert_int_equal(open_set((const shard *[]){&s[0], &s[2], &s[1]}, 3, 0, &g, &error), RETORT_ERROR_ARGUMENT);
  assert_non_null(strstr(error.message, "m-00002-of-00003.gguf: this is file 3 of the set but was given as number 2"));
  assert_int_equal(open_set((const shard *[]){&s[0], &s[1], &other}, 3, 0, &g, &error), RETORT_ERROR_ARGUMENT);
  assert_int_equal(open_set((const shard *[]){&s[0], &s[1], &twice}, 3, 0, &g, &error), RETORT_ERROR_FORMAT);
  assert_non_null(strstr(error.message, "m-00003-of-00003.gguf: tensor a is already in m-00002-of-00003.gguf"));
  assert_int_equal(open_set((const shard *[]){&wrong_total, &s[1], &s[2]}, 3, 0, &g, &error), RETORT_ERROR_FORMAT);
  assert_non_null(strstr(error.message, "should have 5 tensors"));

  size_t size;
  uint8_t *bytes = read_whole(GOLDEN, &size);
  shard plain = {.bytes = bytes, .size = size};
  assert_int_equal(open_set((const shard *[]){&plain, &s[1]}, 2, 0, &g, &error), RETORT_ERROR_FORMAT);
  assert_non_null(strstr(error.message, "split.no is missing"));
  free(bytes);
  shard *all[] = {&s[0], &s[1], &s[2], &twice, &other, &wrong_total, &single};
  for (size_t i = 0; i < RT_COUNT(all); i++) rt_gguf_writer_close(&all[i]->w);
}

static void wrong_calls_are_refused(void **state) {
  (void)state;
  retort_gguf *g;
  retort_error error;
  assert_int_equal(retort_gguf_open(NULL, NULL, 1, 0, &g, &error), RETORT_ERROR_ARGUMENT);
  assert_int_equal(retort_gguf_open(NULL, &(retort_buffer){sizeof(retort_buffer), NULL, 9, NULL}, 1, 0, &g, &error), RETORT_ERROR_ARGUMENT);
  assert_int_equal(retort_gguf_open(NULL, &(retort_buffer){sizeof(retort_buffer), "", 0, NULL}, 1, 0, &g, &error), RETORT_ERROR_FORMAT);
  assert_int_equal(retort_gguf_open(NULL, &(retort_buffer){sizeof(retort_buffer), "", 0, NULL}, 1, 8, &g, &error), RETORT_ERROR_ARGUMENT);
  assert_int_equal(retort_gguf_open(NULL, &(retort_buffer){sizeof(retort_buffer), "", 0, NULL}, 1, 0, NULL, NULL), RETORT_ERROR_ARGUMENT);
  retort_gguf_close(NULL);
}

/* Random files of many shapes survive the round trip. */
static void random_files_round_trip(void **state) {
  (void)state;
  uint64_t x = 42;
#define NEXT() (x = x * 6364136223846793005u + 1442695040888963407u, (uint32_t)(x >> 33))
  for (int round = 0; round < 50; round++) {
    rt_gguf_writer w = {.alignment = 8u << NEXT() % 8};
    uint32_t n_keys = NEXT() % 40, n_tensors = NEXT() % 40;
    uint8_t data[1024];
    char name[32];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)NEXT();
    for (uint32_t i = 0; i < n_keys; i++) {
      snprintf(name, sizeof name, "k%u", i * 7919 % 97);
      rt_gguf_put(&w, name, RT_GGUF_U64, true, data, i);
    }
    for (uint32_t i = 0; i < n_tensors; i++) {
      snprintf(name, sizeof name, "t%u", i * 7919 % 97);
      rt_gguf_put_tensor(&w, name, 24, 1, (uint64_t[]){i + 1}, data + i, i + 1);
    }
    const uint8_t *bytes;
    size_t size, n;
    retort_error error;
    retort_gguf *g;
    rt_arena arena = {0};
    assert_int_equal(rt_gguf_finish(&w, &bytes, &size, &error), RETORT_OK);
    assert_int_equal(retort_gguf_open(NULL, &(retort_buffer){sizeof(retort_buffer), bytes, size, "r"}, 1, 0, &g, &error), RETORT_OK);
    for (uint32_t i = 0; i < n_keys; i++) {
      snprintf(name, sizeof name, "k%u", i * 7919 % 97);
      char json[2000];
      assert_int_equal(retort_gguf_get_json(g, name, 0, json, sizeof json, &n, &error), RETORT_OK);
      uint64_t first;
      memcpy(&first, data, 8);
      assert_true(i == 0 ? !strcmp(json, "[]") : strtoull(json + 1, NULL, 10) == first);
    }
    for (uint32_t i = 0; i < n_tensors; i++) {
      snprintf(name, sizeof name, "t%u", i * 7919 % 97);
      const rt_tensor *t = rt_gguf_find_tensor(g, name);
      assert_non_null(t);
      assert_int_equal(t->size, i + 1);
      assert_memory_equal(t->data, data + i, i + 1);
    }
    rt_arena_close(&arena);
    retort_gguf_close(g);
    rt_gguf_writer_close(&w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_the_python_package_wrote),
      cmocka_unit_test(json_tells_the_size_needed),
      cmocka_unit_test(getters_take_what_fits_and_refuse_the_rest),
      cmocka_unit_test(the_writer_writes_what_the_python_package_writes),
      cmocka_unit_test(bad_headers_are_refused),
      cmocka_unit_test(bad_metadata_is_refused),
      cmocka_unit_test(bad_tensors_are_refused),
      cmocka_unit_test(metadata_only_does_without_the_data),
      cmocka_unit_test(every_truncation_is_refused),
      cmocka_unit_test(every_changed_byte_is_survived),
      cmocka_unit_test(refused_memory_is_reported_and_nothing_leaks),
      cmocka_unit_test(memory_is_bounded_by_the_header),
      cmocka_unit_test(split_sets_are_checked),
      cmocka_unit_test(wrong_calls_are_refused),
      cmocka_unit_test(random_files_round_trip),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
