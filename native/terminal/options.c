/* options.c - parses a command's table with getopt_long and prints its help.
 *
 * Every number is read whole and checked against its range before anything else happens, so a command never sees a value it cannot use.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <strings.h>

#include "report.h"

#define MAX_SPECS 64

static void options_init(options *o) {
  *o = (options){.skip = -1, .window = 512, .bits = 256, .duty = 100};
  service_options_init(&o->service);
  o->service.session.n_batch = RETORT_DEFAULT_BATCH; /* said aloud, for those who count with it */
  o->n_prompt = (number_list){{512}, 1};
  o->n_gen = (number_list){{128}, 1};
  o->n_depth = (number_list){{0}, 1};
  o->repetitions = 5;
}

/* Slips between two words: characters changed, left out, put in, or two neighbours swapped (optimal string alignment). */
static unsigned slips(const char *a, size_t n, const char *b, size_t m) {
  unsigned char d[42][42]; /* d[i][k]: between the first i of a and the first k of b */
  for (size_t i = 0; i <= n; i++) d[i][0] = (unsigned char)i;
  for (size_t k = 0; k <= m; k++) d[0][k] = (unsigned char)k;
  for (size_t i = 1; i <= n; i++) {
    for (size_t k = 1; k <= m; k++) {
      int least = d[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
      if (d[i - 1][k] + 1 < least) least = d[i - 1][k] + 1;
      if (d[i][k - 1] + 1 < least) least = d[i][k - 1] + 1;
      if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] && d[i - 2][k - 2] + 1 < least) least = d[i - 2][k - 2] + 1;
      d[i][k] = (unsigned char)least;
    }
  }
  return d[n][m];
}

const char *nearest_name(const char *given, size_t n, const char *(*name_at)(const void *context, size_t i), const void *context) {
  const char *best = NULL;
  size_t length = strlen(given);
  unsigned least = length < 4 ? 2 : 4; /* at most one slip in short names, three in longer ones */
  if (length < 2 || length > 40) return NULL;
  for (size_t i = 0; i < n; i++) {
    const char *name = name_at(context, i);
    size_t m = strlen(name);
    unsigned found = m <= 40 ? slips(given, length, name, m) : 100;
    if (found < least && found < m) least = found, best = name;
    if (length > 2 && !best && strncmp(given, name, 3) == 0) best = name; /* cut short */
  }
  return best;
}

/* What a person reads of the shared options. */
static const struct {
  const char *name;
  char letter;
  const char *value, *help, *fallback;
} shared_words[SERVICE_N_OPTIONS] = {
#define WORDS(id, word, letter, value, help, fallback) [SERVICE_##id] = {word, letter, value, help, fallback},
#include "service/options.def"
};
static const enum option_kind shared_kinds[] = {
    [SERVICE_FLOAT] = OPTION_FLOAT,   [SERVICE_U32] = OPTION_U32,   [SERVICE_I32] = OPTION_I32,
    [SERVICE_AUTO] = OPTION_AUTO,     [SERVICE_SEED] = OPTION_SEED, [SERVICE_FLAG] = OPTION_SWITCH,
    [SERVICE_TEXTS] = OPTION_STRINGS, [SERVICE_KV] = OPTION_KV,     [SERVICE_TEXT] = OPTION_STRING,
};

/* Option `i` of the command, whole. */
static option_spec spec_at(const command *c, size_t i) {
  option_spec s = c->specs[i];
  if (s.kind != OPTION_SHARED) return s;
  const service_option *o = &service_table[s.offset];
  size_t id = s.offset;
  s.kind = shared_kinds[o->type];
  s.offset = offsetof(options, service) + o->offset;
  s.value = shared_words[id].value;
  s.min = o->least;
  s.max = o->most;
  if (!s.name) s.name = shared_words[id].name, s.letter = shared_words[id].letter;
  if (!s.help) s.help = shared_words[id].help; /* its default is added to it in the help */
  return s;
}

static const char *spec_name(const void *context, size_t i) { return spec_at(context, i).name; }

static int usage_error(const command *c, bool json, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int usage_error(const command *c, bool json, const char *format, ...) {
  char message[768];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  size_t n = strlen(message);
  return fail(json, EXIT_USAGE, "%s%s `retort %s --help` lists the options", message, n && message[n - 1] == '?' ? "" : ";", c->name);
}

static bool whole_number(const char *text, double min, double max, double *value) {
  char *end;
  errno = 0;
  long long n = strtoll(text, &end, 10);
  if (end == text || *end || errno || (double)n < min || (double)n > max) return false;
  *value = (double)n;
  return true;
}

/* A comma-separated list of numbers from min to max. */
static bool number_list_parse(const char *text, double min, double max, number_list *list) {
  char copy[512];
  double value;
  list->count = 0;
  if (strlen(text) >= sizeof copy || !*text) return false;
  strcpy(copy, text);
  for (char *item = copy, *next; item; item = next) {
    next = strchr(item, ',');
    if (next) *next++ = 0;
    if (list->count == MAX_LIST || !whole_number(item, min, max, &value)) return false;
    list->value[list->count++] = (uint32_t)value;
  }
  return true;
}

static int store_kv(const command *c, const option_spec *s, const char *text, bool json, uint32_t *field) {
  const char *name;
  for (uint32_t type = 0; (name = retort_kv_type_name(type)) != NULL; type++)
    if (strcmp(name, text) == 0) {
      *field = type;
      return 0;
    }
  return usage_error(c, json, "--%s is one of %s, not '%s'", s->name, s->value, text);
}

static int store_seed(const command *c, const option_spec *s, const char *text, options *o) {
  char *end;
  o->random_seed = strcmp(text, "random") == 0;
  if (o->random_seed) return 0;
  errno = 0;
  o->service.generate.seed = strtoull(text, &end, 10);
  if (text[0] >= '0' && text[0] <= '9' && !*end && !errno) return 0;
  return usage_error(c, o->json, "--%s wants a whole number from 0 to 18446744073709551615, or `random`, not '%s'", s->name, text);
}

/* Stores one option's value; 0, or the exit code once the mistake was reported. */
static int store(const command *c, const option_spec *s, const char *text, options *o) {
  void *field = (char *)o + s->offset;
  double value;
  switch (s->kind) {
    case OPTION_FLAG: *(bool *)field = true; return 0;
    case OPTION_SWITCH: *(uint32_t *)field = 1; return 0;
    case OPTION_STRING: *(const char **)field = text; return 0;
    case OPTION_KV: return store_kv(c, s, text, o->json, field);
    case OPTION_SEED: return store_seed(c, s, text, o);
    case OPTION_STRINGS:
      if (o->service.generate.n_stop == SERVICE_MOST_STOP)
        return usage_error(c, o->json, "--%s was given more than %d times", s->name, SERVICE_MOST_STOP);
      if (!*text) return usage_error(c, o->json, "--%s wants a text that is not empty", s->name);
      ((const char **)field)[o->service.generate.n_stop++] = text;
      return 0;
    case OPTION_LIST: {
      string_list *list = field;
      if (list->count == MAX_LIST) return usage_error(c, o->json, "--%s was given more than %d times", s->name, MAX_LIST);
      if (!*text) return usage_error(c, o->json, "--%s wants a text that is not empty", s->name);
      list->value[list->count++] = text;
      return 0;
    }
    case OPTION_NUMBERS:
      if (number_list_parse(text, s->min, s->max, field)) return 0;
      return usage_error(c, o->json, "--%s wants whole numbers from %.0f to %.0f with commas between, not '%s'", s->name, s->min, s->max,
                         text);
    case OPTION_FLOAT: {
      char *end;
      float x = strtof(text, &end);
      if (end == text || *end || !isfinite(x) || (double)x < s->min || (double)x > s->max)
        return usage_error(c, o->json, "--%s wants a number from %g to %g, not '%s'", s->name, s->min, s->max, text);
      *(float *)field = x;
      return 0;
    }
    case OPTION_AUTO:
      if (strcmp(text, "auto") == 0) value = -1;
      else if (strcmp(text, "off") == 0) value = 0;
      else if (!whole_number(text, s->min, s->max, &value))
        return usage_error(c, o->json, "--%s is auto, off, or a whole number up to %.0f, not '%s'", s->name, s->max, text);
      *(int32_t *)field = (int32_t)value;
      return 0;
    default:
      if (!whole_number(text, s->min, s->max, &value))
        return usage_error(c, o->json, "--%s wants a whole number from %.0f to %.0f, not '%s'", s->name, s->min, s->max, text);
      if (s->kind == OPTION_I32) *(int32_t *)field = (int32_t)value;
      else *(uint32_t *)field = (uint32_t)value;
      return 0;
  }
}

static bool wants_json(int argc, char **argv) {
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
    if (strcmp(argv[i], "--json") == 0) return true;
  return false;
}

/* What people know from other programs, and what it is here. Short options as one letter. */
static const char *habit(const char *name) {
  static const char *const habits[][2] = {
      {"prompt", "the prompt stands without an option: retort run \"...\""},
      {"p", "the prompt stands without an option: retort run \"...\""},
      {"n-predict", "use --max-tokens"},
      {"predict", "use --max-tokens"},
      {"num-predict", "use --max-tokens"},
      {"ctx-size", "use --ctx"},
      {"num-ctx", "use --ctx"},
      {"jinja", "leave it away: chat templates are always used"},
      {"no-cnv", "leave it away: run answers one prompt"},
      {"ngl", "leave it away: all is computed by the processor"},
      {"n-gpu-layers", "leave it away: all is computed by the processor"},
      {"gpu-layers", "leave it away: all is computed by the processor"},
  };
  for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
    if (strcmp(name, habits[i][0]) == 0) return habits[i][1];
  return NULL;
}

static int unknown_option(const command *c, const options *o, const char *given, int letter) {
  const char one[2] = {(char)letter, 0}, *name = given + strspn(given, "-"), *known = habit(name);
  if (!known && letter) known = habit(one); /* one of several after a dash */
  if (known) return usage_error(c, o->json, "unknown option %s; %s", given, known);
  if (letter) return usage_error(c, o->json, "unknown option -%c", letter);
  const char *near = nearest_name(name, c->n_specs, spec_name, c);
  if (near) return usage_error(c, o->json, "unknown option %s; did you mean --%s?", given, near);
  return usage_error(c, o->json, "unknown option %s", given);
}

/* A first argument that names a GGUF file is the model, whatever the command does with the others. */
static void take_model(const command *c, options *o) {
  bool has_model = false;
  for (size_t i = 0; i < c->n_specs; i++) has_model |= strcmp(spec_name(c, i), "model") == 0;
  const char *first = has_model && !o->model && o->n_arguments ? o->arguments[0] : "";
  const size_t n = strlen(first);
  if (n < 6 || strcasecmp(first + n - 5, ".gguf") != 0 || access(first, F_OK) != 0) return;
  o->model = o->models.value[o->models.count++] = first;
  o->arguments++;
  o->n_arguments--;
}

bool options_parse(const command *c, int argc, char **argv, options *o, int *exit_code) {
  struct option longs[MAX_SPECS + 1] = {0};
  char shorts[2 + 2 * MAX_SPECS] = ":";
  unsigned char taken[MAX_SPECS] = {0};
  size_t n = 1;
  options_init(o);
  o->json = wants_json(argc, argv); /* so that a mistake anywhere in the line is already reported as JSON */
  for (size_t i = 0; i < c->n_specs && i < MAX_SPECS; i++) {
    const option_spec s = spec_at(c, i);
    bool argument = s.kind != OPTION_FLAG && s.kind != OPTION_SWITCH;
    longs[i] = (struct option){s.name, argument ? required_argument : no_argument, NULL, 256 + (int)i};
    if (s.letter) shorts[n++] = s.letter;
    if (s.letter && argument) shorts[n++] = ':';
  }
  opterr = 0;
  optind = 0; /* which has glibc and musl forget an earlier line too, where it was left in the middle of a word */
  for (int found; (found = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
    const char *given = argv[optind - 1];
    if (found == '?') {
      if (optopt >= 256) *exit_code = usage_error(c, o->json, "--%s takes no value", spec_name(c, (size_t)optopt - 256));
      else *exit_code = unknown_option(c, o, given, optopt);
      return false;
    }
    if (found == ':') {
      *exit_code = usage_error(c, o->json, "%s wants a value", given);
      return false;
    }
    option_spec s = {0};
    for (size_t i = 0; i < c->n_specs && !s.name; i++) {
      const option_spec candidate = spec_at(c, i);
      if (found != 256 + (int)i && !(candidate.letter && found == candidate.letter)) continue;
      s = candidate;
      if (s.kind == OPTION_STRING && taken[i]++) {
        *exit_code = usage_error(c, o->json, "--%s is given twice, and one value is used", s.name);
        return false;
      }
    }
    if ((*exit_code = store(c, &s, optarg, o)) != 0) return false;
  }
  o->n_arguments = argc - optind;
  o->arguments = argv + optind;
  if (o->models.count) o->model = o->models.value[0];
  take_model(c, o);
  if (o->help) {
    options_help(c);
    *exit_code = EXIT_OK;
    return false;
  }
  return true;
}

/* Prints `text` from column `indent` on, broken at 100 columns. */
static void wrapped(const char *text, int indent) {
  int column = indent;
  for (const char *space = ""; *text; space = " ") {
    int word = (int)strcspn(text, " ");
    if (column + 1 + word > 100 && column > indent) {
      printf("\n%*s", indent, "");
      column = indent;
      space = "";
    }
    printf("%s%.*s", space, word, text);
    column += word + (*space != 0);
    text += word;
    text += strspn(text, " ");
  }
  putchar('\n');
}

void options_help(const command *c) {
  printf("usage: retort %s %s\n\n", c->name, c->usage);
  wrapped(c->text, 0);
  printf("\noptions:\n");
  for (size_t i = 0; i < c->n_specs; i++) {
    const option_spec s = spec_at(c, i);
    char left[64], help[512];
    snprintf(left, sizeof left, "%s%c%s--%s%s%s", s.letter ? "-" : " ", s.letter ? s.letter : ' ', s.letter ? ", " : "  ", s.name,
             s.value ? " " : "", s.value ? s.value : "");
    const char *fallback = c->specs[i].kind == OPTION_SHARED && !c->specs[i].help ? shared_words[c->specs[i].offset].fallback : NULL;
    snprintf(help, sizeof help, "%s%s%s", s.help, !fallback ? "" : *fallback == ':' ? ". Default" : ". Default ", fallback ? fallback : "");
    if (strlen(left) > 26) printf("  %s\n%29s", left, "");
    else printf("  %-26s ", left);
    wrapped(help, 29);
  }
  printf("\nexamples:\n%s\nexit codes:\n" EXIT_CODES_TEXT, c->examples);
}
