/* test_contract.c - what retort.h promises for every function: structs that are shorter or longer than this library's, and NULL in place of
 * any pointer. tests/abi holds a compiled program against it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/structs.h"

typedef struct thing {
  size_t struct_size;
  uint64_t a, b;
} thing;

static void a_shorter_struct_takes_defaults(void **state) {
  (void)state;
  const thing given = {.struct_size = 16, .a = 1, .b = 2};
  thing to = {.struct_size = sizeof to, .a = 8, .b = 9};
  retort_error error;
  assert_int_equal(rt_struct_read(&to, sizeof to, &given, "thing", &error), RETORT_OK);
  assert_true(to.struct_size == sizeof to && to.a == 1 && to.b == 9);
  assert_int_equal(rt_struct_read(&to, sizeof to, &(thing){.struct_size = 8, .a = 5}, "thing", &error), RETORT_OK);
  assert_true(to.a == 1 && to.b == 9);
  assert_int_equal(rt_struct_read(&to, sizeof to, NULL, "thing", &error), RETORT_OK);
}

static void a_longer_struct_is_taken_where_its_tail_is_zero(void **state) {
  (void)state;
  struct {
    thing thing;
    uint8_t later[16];
  } given = {.thing = {sizeof given, 1, 2}};
  thing to = {0};
  retort_error error;
  assert_int_equal(rt_struct_read(&to, sizeof to, &given, "thing", &error), RETORT_OK);
  assert_true(to.struct_size == sizeof to && to.a == 1 && to.b == 2);
  for (size_t i = 0; i < sizeof given.later; i++) {
    memset(given.later, 0, sizeof given.later);
    given.later[i] = 1;
    assert_int_equal(rt_struct_read(&to, sizeof to, &given, "thing", &error), RETORT_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "thing asks for something that this library does not know"));
  }
}

static void sizes_that_no_version_has_are_refused(void **state) {
  (void)state;
  const size_t sizes[] = {0, 1, sizeof(size_t) - 1, sizeof(size_t) + 1, 4096 + 8, SIZE_MAX, SIZE_MAX - 7};
  for (size_t i = 0; i < RT_COUNT(sizes); i++) {
    thing to = {0}, given = {.struct_size = sizes[i]};
    retort_error error;
    assert_int_equal(rt_struct_read(&to, sizeof to, &given, "thing", &error), RETORT_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "set it to sizeof(thing)"));
    assert_int_equal(rt_struct_check(&given, "thing", &error), RETORT_ERROR_ARGUMENT);
  }
}

static void arrays_are_walked_by_the_callers_size(void **state) {
  (void)state;
  struct longer {
    thing thing;
    uint64_t later;
  } three[3] = {{{sizeof *three, 1, 2}, 0}, {{sizeof *three, 3, 4}, 0}, {{sizeof *three, 5, 6}, 0}};
  uint64_t two[2][2] = {{16, 7}, {16, 8}};
  rt_arena arena = {0};
  thing *list;
  retort_error error;
  assert_int_equal(rt_structs_read(&arena, &list, sizeof *list, three, 3, "thing", &error), RETORT_OK);
  assert_true(list[2].a == 5 && list[2].b == 6 && list[1].struct_size == sizeof *list);
  if (sizeof(size_t) == sizeof(uint64_t)) {
    assert_int_equal(rt_structs_read(&arena, &list, sizeof *list, two, 2, "thing", &error), RETORT_OK);
    assert_true(list[0].a == 7 && list[1].a == 8 && list[1].b == 0);
  }
  three[1].thing.struct_size = sizeof(thing);
  assert_int_equal(rt_structs_read(&arena, &list, sizeof *list, three, 3, "thing", &error), RETORT_ERROR_ARGUMENT);
  assert_non_null(strstr(error.message, "thing 1 has the struct_size"));
  assert_int_equal(rt_structs_read(&arena, &list, sizeof *list, NULL, 3, "thing", &error), RETORT_ERROR_ARGUMENT);
  assert_int_equal(rt_structs_read(&arena, &list, sizeof *list, NULL, 0, "thing", &error), RETORT_OK);
  rt_arena_close(&arena);
}

static void results_get_what_the_caller_has_room_for(void **state) {
  (void)state;
  const thing from = {.a = 1, .b = 2};
  thing small = {.struct_size = 16, .a = 7, .b = 9};
  struct {
    thing thing;
    uint64_t later;
  } large = {{sizeof large, 7, 7}, 7};
  rt_struct_write(&small, &from, sizeof from);
  assert_true(small.struct_size == 16 && small.a == 1 && small.b == 9);
  rt_struct_write(&large, &from, sizeof from);
  assert_true(large.thing.struct_size == sizeof large && large.thing.a == 1 && large.thing.b == 2 && large.later == 0);
}

static void platforms_may_be_short(void **state) {
  (void)state;
  retort_error error;
  assert_int_equal(rt_platform_check(NULL, &error), RETORT_OK);
  assert_int_equal(rt_platform_check(&(retort_platform){.struct_size = 2 * sizeof(void *)}, &error), RETORT_OK);
  assert_int_equal(rt_platform_check(&(retort_platform){0}, &error), RETORT_ERROR_ARGUMENT);
  /* What lies behind its end is never called. */
  retort_platform cut = {.struct_size = offsetof(retort_platform, alloc), .workers = 7};
  memset(&cut.alloc, 0x5a, sizeof cut - offsetof(retort_platform, alloc));
  assert_int_equal(rt_workers(&cut), 1);
  void *memory = rt_alloc(&cut, 100);
  assert_non_null(memory);
  rt_free(&cut, memory, 100);
  rt_log(&cut, RETORT_LOG_WARNING, "to nobody");
}

/* Every function of the header stands in one of the two tests below (tests/abi/every_function.py). Here those that can fail, with NULL for
 * every pointer: an error with a sentence, and nothing else. */
static void null_is_refused_everywhere(void **state) {
  (void)state;
  retort_error error;
#define REFUSED(call)                                                                \
  do {                                                                               \
    error = (retort_error){0};                                                       \
    if ((call) != RETORT_ERROR_ARGUMENT || !error.message[0]) fail_msg("%s", #call); \
  } while (0)
  REFUSED(retort_verifier_open(NULL, NULL, NULL, 0, NULL, 0, NULL, &error));
  REFUSED(retort_verifier_feed(NULL, 0, 0, NULL, 0, &error));
  REFUSED(retort_verifier_finish(NULL, NULL, &error));
  REFUSED(retort_signer_open(NULL, NULL, NULL, &error));
  REFUSED(retort_signer_add_file(NULL, NULL, 0, &error));
  REFUSED(retort_signer_feed(NULL, NULL, 0, &error));
  REFUSED(retort_signer_chunks(NULL, 0, NULL, NULL, &error));
  REFUSED(retort_signer_finish(NULL, NULL, NULL, NULL, &error));
  REFUSED(retort_keygen(NULL, RETORT_KEY_P256, NULL, NULL, NULL, NULL, &error));
  REFUSED(retort_keygen(NULL, RETORT_KEY_MINISIGN, NULL, NULL, NULL, NULL, &error));
  REFUSED(retort_trust_describe(NULL, RETORT_TRUST_KEY, NULL, NULL, &error));
  REFUSED(retort_gguf_open(NULL, NULL, 0, 0, NULL, &error));
  REFUSED(retort_gguf_open(NULL, NULL, 1, 0, &(retort_gguf *){0}, &error));
  REFUSED(retort_gguf_open_verified(NULL, NULL, NULL, 0, 0, NULL, &error));
  REFUSED(retort_gguf_get_summary(NULL, NULL, &error));
  REFUSED(retort_gguf_get_entry(NULL, 0, NULL, &error));
  REFUSED(retort_gguf_get_json(NULL, NULL, 0, NULL, 0, NULL, &error));
  REFUSED(retort_gguf_get_tensor(NULL, 0, NULL, &error));
  REFUSED(retort_vocab_open(NULL, NULL, NULL, &error));
  REFUSED(retort_vocab_get_info(NULL, NULL, &error));
  REFUSED(retort_tokenize(NULL, NULL, 0, 0, NULL, 0, NULL, &error));
  REFUSED(retort_detokenize(NULL, NULL, 0, 0, NULL, 0, NULL, &error));
  REFUSED(retort_chat_render(NULL, NULL, NULL, NULL, NULL, 0, NULL, &error));
  REFUSED(retort_chat_tokenize(NULL, NULL, NULL, NULL, NULL, 0, NULL, &error));
  REFUSED(retort_model_open(NULL, NULL, NULL, NULL, &error));
  REFUSED(retort_model_get_info(NULL, NULL, &error));
  REFUSED(retort_session_open(NULL, NULL, NULL, NULL, NULL, &error));
  REFUSED(retort_session_get_info(NULL, NULL, &error));
  REFUSED(retort_session_eval(NULL, NULL, 0, RETORT_LOGITS_NONE, NULL, &error));
  REFUSED(retort_session_truncate(NULL, 0, &error));
  REFUSED(retort_generate_begin(NULL, NULL, 0, NULL, &error));
  REFUSED(retort_step(NULL, 0, NULL, &error));
  REFUSED(retort_session_get_usage(NULL, NULL, &error));
  REFUSED(retort_session_get_logits(NULL, NULL, NULL, &error));
  REFUSED(retort_session_get_proof(NULL, NULL, &error));
  REFUSED(retort_engine_open(NULL, NULL, NULL, NULL, NULL, &error));
  REFUSED(retort_engine_get_info(NULL, NULL, &error));
  REFUSED(retort_engine_eval(NULL, NULL, 0, &error));
  REFUSED(retort_engine_step(NULL, 0, NULL, &error));
  REFUSED(retort_engine_get_event(NULL, 0, NULL, NULL, &error));
  REFUSED(retort_sequence_open(NULL, NULL, &error));
  REFUSED(retort_sequence_fork(NULL, NULL, &error));
  REFUSED(retort_sequence_truncate(NULL, 0, &error));
  REFUSED(retort_sequence_save(NULL, NULL, 0, NULL, &error));
  REFUSED(retort_sequence_restore(NULL, NULL, 0, &error));
  REFUSED(retort_sequence_get_info(NULL, NULL, &error));
  REFUSED(retort_sequence_eval(NULL, NULL, 0, RETORT_LOGITS_NONE, NULL, &error));
  REFUSED(retort_sequence_generate(NULL, NULL, 0, NULL, &error));
  REFUSED(retort_sequence_get_usage(NULL, NULL, &error));
  REFUSED(retort_sequence_get_proof(NULL, NULL, &error));
#undef REFUSED
}

static void null_gives_nothing_where_nothing_can_fail(void **state) {
  (void)state;
  char hex[65] = "x";
  retort_signer_close(NULL);
  retort_verifier_close(NULL);
  retort_gguf_close(NULL);
  retort_vocab_close(NULL);
  retort_model_close(NULL);
  retort_session_close(NULL);
  retort_session_interrupt(NULL);
  retort_engine_close(NULL);
  retort_sequence_close(NULL);
  retort_sequence_interrupt(NULL);
  retort_engine_options_init(NULL, sizeof(retort_engine_options));
  assert_null(retort_session_sequence(NULL));
  retort_trust_policy_init(NULL, sizeof(retort_trust_policy));
  retort_signer_options_init(NULL, sizeof(retort_signer_options));
  retort_chat_options_init(NULL, sizeof(retort_chat_options));
  retort_model_options_init(NULL, sizeof(retort_model_options));
  retort_session_options_init(NULL, sizeof(retort_session_options));
  retort_generate_options_init(NULL, sizeof(retort_generate_options));
  assert_int_equal(retort_is_end_of_generation(NULL, 0), 0);
  assert_int_equal(retort_trust_name_is_plain(NULL), 0);
  assert_int_equal(retort_verifier_chunk_size(NULL, 0), 0);
  assert_int_equal(retort_verifier_covers(NULL, 0), 0);
  assert_int_equal(retort_verifier_prefix(NULL, 0), 0);
  retort_verifier_file_digest(NULL, 0, hex);
  assert_string_equal(hex, "");
  retort_verifier_file_digest(NULL, 0, NULL);
  assert_int_equal(retort_verdict_text(NULL, hex, sizeof hex), 0);
  retort_sha256_hex(NULL, 5, hex);
  assert_string_equal(hex, "");
  retort_sha256_hex("", 0, NULL);
  retort_sha256_hex(NULL, 0, hex);
  assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert_non_null(retort_kernels_variant(NULL, 0, NULL, NULL));
  assert_non_null(retort_trust_method_name(-5));
  assert_non_null(retort_status_name((retort_status)99));
  assert_string_equal(retort_finish_name(-1), "none");
  assert_string_equal(retort_finish_name(5), "none");
  assert_string_equal(retort_finish_name(RETORT_FINISH_REASONING), "reasoning");
  assert_string_equal(retort_finish_name(RETORT_FINISH_STRING), "stop_string");
  assert_null(retort_kv_type_name(99));
  assert_int_equal(retort_kv_bytes_per_token(NULL, RETORT_KV_F32), 0);
  assert_string_equal(retort_version(), RETORT_VERSION_STRING);
  assert_int_equal(retort_abi_version(), RETORT_ABI_VERSION);
  assert_int_equal(retort_numerics(), RETORT_NUMERICS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_shorter_struct_takes_defaults),
      cmocka_unit_test(a_longer_struct_is_taken_where_its_tail_is_zero),
      cmocka_unit_test(sizes_that_no_version_has_are_refused),
      cmocka_unit_test(arrays_are_walked_by_the_callers_size),
      cmocka_unit_test(results_get_what_the_caller_has_room_for),
      cmocka_unit_test(platforms_may_be_short),
      cmocka_unit_test(null_is_refused_everywhere),
      cmocka_unit_test(null_gives_nothing_where_nothing_can_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
