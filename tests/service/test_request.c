/* test_request.c - requests read from JSON: every spelling lands where it belongs, and what is wrong is named with its value and range. */
#include "ember.h"

#include "service/request.h"

static service_request r;

static retort_status read_text(const char *json) {
  service_request_close(&r);
  return service_request_read(&r, json, strlen(json), &error);
}

static retort_status read_session(retort_session_options *s, const char *json) {
  return service_session_read(s, json, strlen(json), &error);
}

static void every_option_lands(void **state) {
  (void)state;
  OK(
      read_text("{\"prompt\": \"x\", \"temperature\": 0.5, \"top_p\": 0.25, \"min_p\": 0.125, \"top_k\": 7, \"repetition_penalty\": 2,"
                "\"repetition_window\": 9, \"seed\": \"18446744073709551615\", \"max_tokens\": 11, \"thinking_budget\": 13,"
                "\"stop\": [\"a\", \"b\"], \"draft\": 3, \"proof\": true, \"template\": \"T\", \"date\": \"2026-11-30\","
                "\"variables\": {\"tools\": []}, \"add_generation_prompt\": false}"));
  const retort_generate_options *g = &r.options.generate;
  const retort_chat_options *c = &r.options.chat;
  assert_true(g->temperature == 0.5f && g->top_p == 0.25f && g->min_p == 0.125f && g->repetition_penalty == 2);
  assert_int_equal(g->top_k, 7);
  assert_int_equal(g->repetition_window, 9);
  assert_true(g->seed == UINT64_MAX);
  assert_int_equal(g->max_tokens, 11);
  assert_int_equal(g->thinking_budget, 13);
  assert_int_equal(g->n_stop, 2);
  assert_string_equal(service_generate(&r.options).stop[1], "b");
  assert_int_equal(g->draft, 3);
  assert_int_equal(g->proof, 1);
  assert_string_equal(c->template_source, "T");
  assert_string_equal(c->date, "2026-11-30");
  assert_string_equal(c->variables_json, "{\"tools\":[]}");
  assert_int_equal(c->add_generation_prompt, 0);
  assert_string_equal(r.prompt, "x");
  assert_null(r.messages);
}

static void the_spellings_of_others_and_defaults(void **state) {
  (void)state;
  OK(
      read_text("{\"messages\": [], \"max_completion_tokens\": 5, \"max_reasoning_tokens\": 6, \"chat_template\": \"T\","
                "\"chat_template_kwargs\": {}, \"stop\": \"one\", \"seed\": 4, \"temperature\": null}"));
  assert_int_equal(r.options.generate.max_tokens, 5);
  assert_int_equal(r.options.generate.thinking_budget, 6);
  assert_string_equal(r.options.chat.template_source, "T");
  assert_string_equal(r.options.stop[0], "one");
  assert_true(r.options.generate.seed == 4);
  assert_true(r.options.generate.temperature == 0.6f);
  assert_int_equal(r.options.chat.add_generation_prompt, 1);
  assert_string_equal(r.messages, "[]");
  OK(read_text("{\"prompt\": \"\", \"max_tokens\": 0, \"draft\": -1}")); /* a default may be said aloud, also outside of the range */
  retort_session_options s;
  OK(read_session(&s, ""));
  assert_int_equal(s.n_ctx, 0);
  OK(read_session(&s, "{\"kv\":\"q8_0\",\"n_ctx\":512,\"n_batch\":0}"));
  assert_int_equal(s.kv_type, RETORT_KV_Q8_0);
  assert_int_equal(s.n_ctx, 512);
}

static void what_is_wrong_is_named(void **state) {
  (void)state;
  static const struct {
    const char *json, *says;
  } cases[] = {
      {"[1]", "the request is no JSON object"},
      {"{\"prompt\": }", "the request is not valid JSON: line 1"},
      {"{}", "the request needs \"messages\" or else \"prompt\", a text"},
      {"{\"prompt\": 3}", "the request needs \"messages\" or else \"prompt\", a text"},
      {"{\"prompt\": \"\", \"messages\": []}", "the request needs \"messages\" or else \"prompt\""},
      {"{\"prompt\": \"\", \"temperatur\": 1}", "the request: there is no \"temperatur\""},
      {"{\"prompt\": \"\", \"n_ctx\": 1}", "the request: there is no \"n_ctx\""},
      {"{\"prompt\": \"\", \"temperature\": 101}", "\"temperature\" is 101; it must be a number from 0 to 100"},
      {"{\"prompt\": \"\", \"temperature\": \"hot\"}", "\"temperature\" is \"hot\"; it must be a number from 0 to 100"},
      {"{\"prompt\": \"\", \"min_p\": -0.5}", "\"min_p\" is -0.5; it must be a number from 0 to 1"},
      {"{\"prompt\": \"\", \"top_k\": 1.5}", "\"top_k\" is 1.5; it must be a whole number from 0 to 1000000000"},
      {"{\"prompt\": \"\", \"max_tokens\": 99999999}", "\"max_tokens\" is 99999999; it must be a whole number from 1 to 16777216"},
      {"{\"prompt\": \"\", \"thinking_budget\": -2}", "\"thinking_budget\" is -2; it must be a whole number from -1 to"},
      {"{\"prompt\": \"\", \"draft\": 16}", "\"draft\" is 16; it must be a whole number from 0 to 15"},
      {"{\"prompt\": \"\", \"seed\": -1}", "\"seed\" is -1; it must be a whole number from 0 to 18446744073709551615"},
      {"{\"prompt\": \"\", \"seed\": \"18446744073709551616\"}", "\"seed\" is \"18446744073709551616\"; it must be"},
      {"{\"prompt\": \"\", \"seed\": \" 1\"}", "\"seed\" is \" 1\"; it must be"},
      {"{\"prompt\": \"\", \"seed\": 1.0}", "\"seed\" is 1.0; it must be"},
      {"{\"prompt\": \"\", \"stop\": [1]}", "\"stop\" is [1]; it must be a text or at most 32 texts"},
      {"{\"prompt\": \"\", \"stop\": \"\"}", "\"stop\" is \"\"; it must be"},
      {"{\"prompt\": \"\", \"proof\": 1}", "\"proof\" is 1; it must be true or false"},
      {"{\"prompt\": \"\", \"date\": 1}", "\"date\" is 1; it must be a text"},
      {"{\"prompt\": \"\", \"template\": \"a\\u0000b\"}", "\\u0000 is not allowed"},
      {"{\"prompt\": \"\", \"variables\": [1]}", "\"variables\" is [1]; it must be an object"},
      {"{\"prompt\": \"\", \"variables\": \"0123456789012345678901234567890123456789\"}",
       "is \"012345678901234567890123456789012345678...; it"},
      {"{\"prompt\": \"\", \"max_tokens\": 1, \"max_completion_tokens\": 1}",
       "\"max_tokens\" and \"max_completion_tokens\" are the same option"},
      {"{\"prompt\": \"\", \"seed\": 1, \"seed\": 1}", "not valid JSON"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(read_text(cases[i].json), RETORT_ERROR_JSON);
    if (!strstr(error.message, cases[i].says)) fail_msg("%s: said \"%s\"", cases[i].json, error.message);
  }
  retort_session_options s;
  assert_int_equal(read_session(&s, "{\"kv\":\"q4\"}"), RETORT_ERROR_JSON);
  assert_string_equal(error.message, "\"kv\" is \"q4\"; it must be \"f16\", \"f32\" or \"q8_0\"");
  assert_int_equal(read_session(&s, "{\"seed\":1}"), RETORT_ERROR_JSON);
  assert_string_equal(error.message, "session options: there is no \"seed\"");
}

static void ids_are_those_of_the_core(void **state) {
  (void)state;
  int32_t *ids, wanted[64];
  size_t count, n;
  OK(read_text("{\"messages\": [{\"role\": \"user\", \"content\": \"2+3?\"}]}"));
  OK(service_request_ids(&r, NULL, ember.vocab, &ids, &count, &error));
  OK(retort_chat_tokenize(NULL, ember.vocab, "[{\"role\": \"user\", \"content\": \"2+3?\"}]", NULL, wanted, 64, &n, &error));
  assert_int_equal(count, n);
  assert_memory_equal(ids, wanted, n * sizeof *ids);
  free(ids);
  OK(read_text("{\"messages\": [{\"role\": \"user\", \"content\": \"2+3?\"}], \"add_generation_prompt\": false}"));
  OK(service_request_ids(&r, NULL, ember.vocab, &ids, &count, &error));
  assert_in_range(count, 1, n - 1);
  assert_memory_equal(ids, wanted, count * sizeof *ids);
  free(ids);
  OK(read_text("{\"prompt\": \"\"}"));
  OK(service_request_ids(&r, NULL, ember.vocab, &ids, &count, &error));
  free(ids);
  assert_int_not_equal(read_text("{\"messages\": 3}") || service_request_ids(&r, NULL, ember.vocab, &ids, &count, &error), 0);
  service_request_close(&r);
}

static void the_shape_of_a_request_is_bounded(void **state) {
  (void)state;
  enum { MEMBERS = 1025 };
  char *text = malloc(MEMBERS * 16), *p = text;
  p += sprintf(p, "{\"variables\":");
  for (int i = 0; i < MEMBERS; i++) p += sprintf(p, "%c\"k%d\":0", i ? ',' : '{', i);
  sprintf(p, "}}");
  assert_int_equal(read_text(text), RETORT_ERROR_JSON);
  assert_non_null(strstr(error.message, "more than 1024 members"));
  p = text + sprintf(text, "{\"variables\":");
  memset(p, '[', 64);
  p[64] = 0;
  assert_int_equal(read_text(text), RETORT_ERROR_JSON);
  assert_non_null(strstr(error.message, "nested deeper than 64 levels"));
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_option_lands),        cmocka_unit_test(the_spellings_of_others_and_defaults),
      cmocka_unit_test(what_is_wrong_is_named),    cmocka_unit_test(the_shape_of_a_request_is_bounded),
      cmocka_unit_test(ids_are_those_of_the_core),
  };
  return cmocka_run_group_tests(tests, ember_open, ember_close);
}
