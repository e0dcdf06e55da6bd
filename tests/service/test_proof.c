/* test_proof.c - a proof names what can change a bit and nothing else: over the whole table, one option is changed at a time. What the
 * table says is NAMED must change the proof's inputs, and has been seen to change logits; what it says is FREE must change neither. */
#include "ember.h"

/* Settings that leave every option something to decide, and for each option another value that shows. */
static void begin(service_options *o) {
  service_options_init(o);
  o->generate.proof = 1;
  o->generate.temperature = 1.5f;
  o->generate.repetition_penalty = 3;
  o->generate.max_tokens = 80;
  o->session.n_ctx = 128;
}

/* Changes option `id`; false: it belongs to the prompt. */
static bool change(service_options *o, size_t id) {
  switch (id) {
    case SERVICE_temperature: o->generate.temperature = 0; return true;
    case SERVICE_top_p: o->generate.top_p = 0.1f; return true;
    case SERVICE_min_p: o->generate.min_p = 0.9f; return true;
    case SERVICE_top_k: o->generate.top_k = 1; return true;
    case SERVICE_repetition_penalty: o->generate.repetition_penalty = 1; return true;
    case SERVICE_repetition_window: o->generate.repetition_window = 2; return true;
    case SERVICE_seed: o->generate.seed = 1; return true;
    case SERVICE_max_tokens: o->generate.max_tokens = 10; return true;
    case SERVICE_thinking_budget: o->generate.thinking_budget = 3; return true;
    case SERVICE_stop:
      o->generate.n_stop = 3;
      o->stop[0] = "a", o->stop[1] = "e", o->stop[2] = "1";
      o->generate.thinking_budget = 3; /* so that there is an answer to stop */
      return true;
    case SERVICE_draft: o->generate.draft = 7; return true;
    case SERVICE_proof: return true; /* without it there are no logits to compare; it is not named */
    case SERVICE_kv: o->session.kv_type = RETORT_KV_Q8_0; return true;
    case SERVICE_n_ctx: o->session.n_ctx = 48; return true;
    case SERVICE_n_batch: o->session.n_batch = 3; return true;
    case SERVICE_template:
    case SERVICE_variables:
    case SERVICE_add_generation_prompt:
    case SERVICE_date: return false;
  }
  fail_msg("option %s is new: say here how it is changed", service_table[id].json);
  return false;
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

static const char *logits_of(const json_t *proof) { return json_string_value(json_object_get(proof, "logits_sha256")); }

static void each_option_is_what_the_table_says(void **state) {
  (void)state;
  for (size_t id = 0; id < SERVICE_N_OPTIONS; id++) {
    service_options o;
    begin(&o);
    if (id == SERVICE_stop) o.generate.thinking_budget = 3;
    json_t *before = prove(&o);
    bool ours = change(&o, id);
    assert_int_equal(ours, service_table[id].proof != SERVICE_IDS);
    json_t *after = prove(&o);
    char *was = inputs_of(before), *is = inputs_of(after);
    bool named = service_table[id].proof == SERVICE_NAMED;
    if (named == (strcmp(was, is) == 0)) fail_msg("%s: the inputs were %s and are %s", service_table[id].json, was, is);
    if (named == (strcmp(logits_of(before), logits_of(after)) == 0))
      fail_msg("%s: %s another hash of the logits", service_table[id].json, named ? "there is not" : "there is");
    free(was);
    free(is);
    json_decref(before);
    json_decref(after);
  }
}

/* Not in the table, because they belong to the machine and not to the answer. */
static void the_machine_changes_no_bit(void **state) {
  (void)state;
  service_options o;
  begin(&o);
  json_t *before = prove(&o);
  retort_model *usual = ember.model;
  retort_model_options mo;
  retort_model_options_init(&mo, sizeof mo);
  mo.kernels = "portable";
  OK(retort_model_open(NULL, ember.gguf, &mo, &ember.model, &error));
  json_t *after = prove(&o);
  assert_true(json_equal(before, after));
  retort_model_close(ember.model);
  ember.model = usual;
  json_decref(before);
  json_decref(after);
}

static void the_line_has_the_members_in_order(void **state) {
  (void)state;
  static const int32_t prompt[] = {1, 2};
  service_options o;
  service_options_init(&o);
  o.stop[0] = "a\"b";
  o.generate.n_stop = 1;
  o.generate.seed = UINT64_MAX;
  o.session.kv_type = RETORT_KV_Q8_0;
  json_t *proof = service_proof(&(service_proof_inputs){.model_sha256 = json_pack("[s, s]", "M", "N"),
                                                        .prompt = prompt,
                                                        .n_prompt = 2,
                                                        .options = &o,
                                                        .n_ctx = 4096,
                                                        .positions = 3,
                                                        .logits_sha256 = "L"});
  char *line = service_proof_line(proof);
  /* The digest: printf '\1\0\0\0\2\0\0\0' | sha256sum */
  assert_string_equal(line,
                      "proof: RETORT_NUMERICS=1 model=sha256:M,N "
                      "prompt=sha256:34fb5c825de7ca4aea6e712f19d439c1da0c92c37b423936c5f618545ca4fa1f"
                      " options={\"temperature\":0.6,\"top_p\":0.95,\"min_p\":0.0,\"top_k\":0,\"repetition_penalty\":1.0,"
                      "\"repetition_window\":64,\"max_tokens\":0,\"thinking_budget\":-1,\"stop\":[\"a\\\"b\"],\"kv\":\"q8_0\","
                      "\"n_ctx\":4096} seed=18446744073709551615 positions=3 logits=sha256:L");
  free(line);
  json_decref(proof);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_option_is_what_the_table_says),
      cmocka_unit_test(the_machine_changes_no_bit),
      cmocka_unit_test(the_line_has_the_members_in_order),
  };
  return cmocka_run_group_tests(tests, ember_open, ember_close);
}
