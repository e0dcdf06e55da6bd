/* test_options.c - the table against what cannot be made from it: the words of retort.h, the page's JavaScript, and the manuals. */
#include "ember.h"

static const struct {
  const char *name, *help, *fallback;
} words[SERVICE_N_OPTIONS] = {
#define WORDS(id, word, letter, value, help, fallback) [SERVICE_##id] = {word, help, fallback},
#include "service/options.def"
};

/* Spelling `n` of the option, or "". */
static const char *spelling(size_t id, int n, char key[64]) {
  const char *name = service_table[id].json;
  for (; name && n > 0; n--) name = strchr(name, '|') ? strchr(name, '|') + 1 : NULL;
  snprintf(key, 64, "%.*s", name ? (int)strcspn(name, "|") : 0, name ? name : "");
  return key;
}

static char *read_file(const char *name) {
  char path[512];
  snprintf(path, sizeof path, RETORT_SOURCE_DIR "/%s", name);
  FILE *file = fopen(path, "rb");
  if (!file) fail_msg("cannot read %s", path);
  char *text = calloc(1, 1 << 20);
  assert_in_range(fread(text, 1, (1 << 20) - 1, file), 1, (1 << 20) - 2);
  fclose(file);
  return text;
}

static void the_help_says_the_default_of_retort_h(void **state) {
  (void)state;
  service_options o;
  service_options_init(&o);
  for (size_t id = 0; id < SERVICE_N_OPTIONS; id++) {
    const void *field = (const char *)&o + service_table[id].offset;
    double wanted, said;
    switch ((service_type)service_table[id].type) {
      case SERVICE_FLOAT: wanted = (double)*(const float *)field; break;
      case SERVICE_U32: wanted = *(const uint32_t *)field; break;
      case SERVICE_I32: wanted = *(const int32_t *)field; break;
      case SERVICE_SEED: wanted = (double)*(const uint64_t *)field; break;
      default: continue;
    }
    if (id == SERVICE_n_batch) wanted = RETORT_DEFAULT_BATCH; /* retort.h says it as 0 */
    if (words[id].fallback[0] == ':') continue;               /* in words */
    said = strtod(words[id].fallback, NULL);
    if ((float)said != (float)wanted) fail_msg("the help of --%s says %s, retort.h %g", words[id].name, words[id].fallback, wanted);
  }
  char number[16];
  snprintf(number, sizeof number, " %d", RETORT_DEFAULT_CTX);
  assert_non_null(strstr(words[SERVICE_n_ctx].fallback, number));
  assert_string_equal(retort_kv_type_name(o.session.kv_type), words[SERVICE_kv].fallback);
}

/* What a page may say of an answer, in web/src/index.d.ts and openai.js: of each option at least one spelling, but those that the page does
 * not offer. */
static void the_page_knows_each_option(void **state) {
  (void)state;
  char *types = read_file("web/src/index.d.ts"), *reader = read_file("web/src/openai.js"), key[64], wanted[80];
  for (size_t id = 0; id < SERVICE_N_OPTIONS; id++) {
    if (service_table[id].scope == SERVICE_SESSION || id == SERVICE_date || id == SERVICE_add_generation_prompt) continue;
    bool typed = false, taken = false;
    for (int n = 0; *spelling(id, n, key); n++) {
      snprintf(wanted, sizeof wanted, "\n  %s?: ", key);
      typed |= strstr(types, wanted) != NULL;
      snprintf(wanted, sizeof wanted, "'%s'", key);
      taken |= strstr(reader, wanted) != NULL;
    }
    if (!typed) fail_msg("web/src/index.d.ts does not know %s", service_table[id].json);
    if (!taken) fail_msg("web/src/openai.js does not know %s", service_table[id].json);
  }
  free(types);
  free(reader);
}

/* And what openai.js hands on is an option. */
static void the_page_hands_on_options_only(void **state) {
  (void)state;
  char *reader = read_file("web/src/openai.js");
  char *list = strstr(reader, "const OPTIONS = [");
  assert_non_null(list);
  *strchr(list, ']') = 0;
  size_t n = 0;
  strtok(list, "'");
  for (const char *key; (key = strtok(NULL, "'")) != NULL; strtok(NULL, "'"), n++)
    if (!service_is_option(key, SERVICE_ANSWER | SERVICE_PROMPT)) fail_msg("openai.js hands \"%s\" on, which is no option", key);
  assert_in_range(n, 8, SERVICE_N_OPTIONS + 8);
  free(reader);
}

static void the_manuals_name_each_option(void **state) {
  (void)state;
  static const char *const pages[] = {"docs/PLUGIN.md", "wasm/abi.h"};
  for (size_t p = 0; p < 2; p++) {
    char *text = read_file(pages[p]), key[64], wanted[80];
    for (size_t id = 0; id < SERVICE_N_OPTIONS; id++) {
      const char quote = p ? '"' : '`';
      snprintf(wanted, sizeof wanted, "%c%s%c", quote, spelling(id, 0, key), quote);
      /* PLUGIN.md has the options of a session in a piece of JSON. */
      if (!strstr(text, wanted) && !(snprintf(wanted, sizeof wanted, "\"%s\"", key) > 0 && strstr(text, wanted)))
        fail_msg("%s does not name %s", pages[p], key);
    }
    free(text);
  }
  char *text = read_file("docs/NUMERICS.md"), key[64], wanted[80];
  for (size_t id = 0; id < SERVICE_N_OPTIONS; id++) {
    if (service_table[id].proof != SERVICE_NAMED || id == SERVICE_seed) continue;
    snprintf(wanted, sizeof wanted, "`%s`", spelling(id, 0, key));
    if (!strstr(text, wanted)) fail_msg("docs/NUMERICS.md does not say that a proof names %s", key);
  }
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_help_says_the_default_of_retort_h),
      cmocka_unit_test(the_page_knows_each_option),
      cmocka_unit_test(the_page_hands_on_options_only),
      cmocka_unit_test(the_manuals_name_each_option),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
