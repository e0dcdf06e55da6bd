/* test_proof.c - two answers with different logits never carry the same proof inputs: each option is changed by itself. */
#include "ember.h"

static void defaults(retort_generate_options *g, retort_session_options *so) {
  retort_generate_options_init(g, sizeof *g);
  retort_session_options_init(so, sizeof *so);
  g->proof = 1;
  g->temperature = 1.5f; /* so that every option has something to decide */
  g->repetition_penalty = 3;
  g->max_tokens = 80;
  so->n_ctx = 128;
}

/* All but what came out. */
static char *inputs_of(const json_t *proof) {
  json_t *copy = json_deep_copy(proof);
  json_object_del(copy, "logits_sha256");
  json_object_del(copy, "positions");
  char *text = json_dumps(copy, JSON_COMPACT);
  json_decref(copy);
  return text;
}

static void the_window_and_the_context_are_named(void **state) {
  (void)state;
  retort_generate_options g;
  retort_session_options so;
  defaults(&g, &so);
  json_t *before = prove(&g, &so);
  for (int change = 0; change < 2; change++) {
    defaults(&g, &so);
    if (change == 0) g.repetition_window = 2;
    else so.n_ctx = 48;
    json_t *after = prove(&g, &so);
    char *was = inputs_of(before), *is = inputs_of(after);
    assert_string_not_equal(json_string_value(json_object_get(before, "logits_sha256")),
                            json_string_value(json_object_get(after, "logits_sha256")));
    assert_string_not_equal(was, is);
    free(was);
    free(is);
    json_decref(after);
  }
  json_decref(before);
}

static void the_line_has_the_members_in_order(void **state) {
  (void)state;
  static const int32_t prompt[] = {1, 2};
  retort_generate_options g;
  retort_generate_options_init(&g, sizeof g);
  const char *const stop[] = {"a\"b"};
  g.stop = stop;
  g.n_stop = 1;
  g.seed = UINT64_MAX;
  json_t *proof = service_proof(&(service_proof_inputs){.model_sha256 = json_pack("[s, s]", "M", "N"),
                                                        .prompt = prompt,
                                                        .n_prompt = 2,
                                                        .options = &g,
                                                        .kv_type = RETORT_KV_Q8_0,
                                                        .n_ctx = 4096,
                                                        .positions = 3,
                                                        .logits_sha256 = "L"});
  char *line = service_proof_line(proof);
  /* The digest: printf '\1\0\0\0\2\0\0\0' | sha256sum */
  assert_string_equal(
      line,
      "proof: RETORT_NUMERICS=1 model=sha256:M,N prompt=sha256:34fb5c825de7ca4aea6e712f19d439c1da0c92c37b423936c5f618545ca4fa1f"
      " options={\"temperature\":0.6,\"top_p\":0.95,\"min_p\":0.0,\"top_k\":0,\"repetition_penalty\":1.0,"
      "\"repetition_window\":64,\"max_tokens\":0,\"thinking_budget\":-1,\"stop\":[\"a\\\"b\"],\"kv\":\"q8_0\","
      "\"n_ctx\":4096} seed=18446744073709551615 logits=sha256:L");
  free(line);
  json_decref(proof);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_window_and_the_context_are_named),
      cmocka_unit_test(the_line_has_the_members_in_order),
  };
  return cmocka_run_group_tests(tests, ember_open, ember_close);
}
