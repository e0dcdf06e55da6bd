/* options.h - the command line: one table a command gives parsing, checking and --help.
 *
 * All commands share one struct of values, with one set of defaults (options_init); a command's table says which of them it takes. What an
 * answer or its session takes is described in service/options.def, for requests in JSON as for us, and only named here (SHARED). libc's
 * getopt_long does the parsing; what is added here is numbers with ranges, lists, the nearest name for a mistyped option, and help text.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/options.h"

#define MAX_LIST 32

typedef struct number_list {
  uint32_t value[MAX_LIST];
  size_t count;
} number_list;

typedef struct string_list {
  const char *value[MAX_LIST];
  size_t count;
} string_list;

typedef struct options {
  /* the model and how it is held */
  const char *model;  /* the first of `models`; NULL: find one (load.c) */
  string_list models; /* several: the files of a split set, in order */
  const char *kernels;
  uint32_t threads; /* 0: as many as there are fast cores */
  bool mmap;
  /* of an answer and its session: sampling, limits, context */
  service_options service;
  bool random_seed; /* --seed random: service.generate.seed is to be asked of the system */
  /* who vouches for it (trust_policy.h) */
  string_list keys, roots, minisign_keys, pins;
  const char *model_name;
  bool allow_unsigned, at_signing_time;
  char *unvouched; /* set by inspect, UNVOUCHED bytes: where nobody vouches, why goes here and no error is reported; NULL: it is one */
  /* sign, verify, trust, keygen */
  const char *signature, *root; /* `root`: of a model that is a folder; set by verify */
  bool complete, whole;         /* set by verify */
  bool ignore_unsigned;
  const char *secret_key, *name, *comment;
  string_list certificates, ignored;
  bool spec_name, no_chunks, minisign, no_password;
  uint32_t bits;
  /* update */
  const char *from, *ca_file;
  bool rollback;
  /* how the machine is treated (throttle.h) */
  float max_temp; /* degrees Celsius; 0: no limit */
  uint32_t duty;  /* percent */
  /* what is shown */
  bool json, verbose, help, no_sandbox;
  bool show_thinking, hide_thinking;
  bool no_history;
  /* the prompt */
  const char *system, *prompt_file, *template_file, *continued;
  string_list template_variables; /* NAME=VALUE */
  bool raw;
  /* tokenize */
  bool no_special, decode;
  /* inspect */
  bool all, cpu;
  /* logits */
  const char *ids, *out;
  /* perplexity */
  uint32_t window;
  int32_t skip; /* -1: half a window */
  /* bench: as llama-bench, each a list */
  number_list n_prompt, n_gen, n_depth, bench_threads;
  uint32_t repetitions;
  /* what is left after the options */
  int n_arguments;
  char **arguments;
} options;

enum option_kind {
  OPTION_FLAG,
  OPTION_U32,
  OPTION_I32,
  OPTION_FLOAT,
  OPTION_STRING,
  OPTION_STRINGS,
  OPTION_LIST,
  OPTION_NUMBERS,
  OPTION_AUTO,
  OPTION_SWITCH,
  OPTION_SEED,
  OPTION_KV,
  OPTION_SHARED /* as service/options.def has it; `offset` is SERVICE_id, a name or help given here stands in place of its own */
};

typedef struct option_spec {
  const char *name; /* long name */
  char letter;      /* short name, 0: none */
  enum option_kind kind;
  size_t offset;     /* of the value in struct options; OPTION_SWITCH: a uint32_t; OPTION_AUTO: an int32_t, -1 for "auto", 0 for "off" */
  const char *value; /* placeholder in the help; for OPTION_KV the words, "a|b" */
  double min, max;   /* numbers */
  const char *help;  /* says the default */
} option_spec;

/* What a command does beyond reading the model, the trust store and the files that options name, and writing the file of --out
 * (commands/rights.c). */
enum {
  READS_ARGUMENTS = 1u << 0,         /* which are files or folders; and what lies beside the files */
  WRITES_BESIDE_ARGUMENTS = 1u << 1, /* and into those that are folders */
  WRITES_STORE = 1u << 2,
  WRITES_HERE = 1u << 3, /* below the current folder, and the history of what was typed */
  UPDATES = 1u << 4      /* the folder of a model under update, from a folder or over the network */
};

typedef struct command {
  const char *name;
  const char *summary;  /* one line for `retort help` */
  const char *usage;    /* after "retort NAME " */
  const char *text;     /* what it does, a paragraph or two */
  const char *examples; /* lines */
  const option_spec *specs;
  size_t n_specs;
  unsigned rights;
  int (*run)(const options *o);
} command;

/* Sets the defaults, then parses argv (argv[0] is the command's name). Returns true when the command should run; else *exit_code is set and
 * all has been said: --help was printed, or a mistake was reported. */
bool options_parse(const command *c, int argc, char **argv, options *o, int *exit_code);
void options_help(const command *c);

/* The nearest of `n` names within two or three slips, or NULL. `name_at(context, i)` gives the candidates. */
const char *nearest_name(const char *given, size_t n, const char *(*name_at)(const void *context, size_t i), const void *context);

/* The options that several commands share: one line each, so that they read alike everywhere. */
#define AT(field) offsetof(options, field)
#define SHARED(id) {.kind = OPTION_SHARED, .offset = SERVICE_##id}
#define OPTIONS_OUTPUT                                                                                                  \
  {"json", 0, OPTION_FLAG, AT(json), NULL, 0, 0, "print the result, or the error, as JSON on standard output"},         \
      {"verbose", 'v', OPTION_FLAG, AT(verbose),                                                                        \
       NULL,      0,   0,           "say on standard error what is done, with which defaults, and how long it took"},   \
      {"no-sandbox", 0, OPTION_FLAG, AT(no_sandbox),                                                                    \
       NULL,         0, 0,           "keep the rights to files, programs and network that this command does not need"}, \
      {"help", 'h', OPTION_FLAG, AT(help), NULL, 0, 0, "print this text"}
#define OPTIONS_TRUST                                                                                                                   \
  {"key",                                                                                                                               \
   0,                                                                                                                                   \
   OPTION_LIST,                                                                                                                         \
   AT(keys),                                                                                                                            \
   "PUB.pem",                                                                                                                           \
   0,                                                                                                                                   \
   0,                                                                                                                                   \
   "trust models signed with this ECDSA key (PEM); may be given several times. Without any of these options the trust store decides "   \
   "(retort trust)"},                                                                                                                   \
      {"cert-root", 0, OPTION_LIST, AT(roots), "ROOT.pem", 0, 0, "trust models signed through a certificate chain to this root"},       \
      {"minisign-key", 0, OPTION_LIST, AT(minisign_keys), "PUB", 0, 0, "trust models signed with this minisign or signify key (file)"}, \
      {"pin", 0, OPTION_LIST, AT(pins), "SHA256", 0, 0, "trust the file, or the model, with this SHA-256"},                             \
      {"model-name", 0, OPTION_STRING, AT(model_name), "NAME", 0, 0, "with a signature: the name that must have been signed"},          \
      {"at-signing-time",                                                                                                               \
       0,                                                                                                                               \
       OPTION_FLAG,                                                                                                                     \
       AT(at_signing_time),                                                                                                             \
       NULL,                                                                                                                            \
       0,                                                                                                                               \
       0,                                                                                                                               \
       "certificates need to have been valid when the signer's was issued, not now"},                                                   \
      {"allow-unsigned", 0, OPTION_FLAG, AT(allow_unsigned), NULL, 0, 0, "use the model without any check, this once"}
#define OPTION_MODEL OPTION_MODEL_FILE, OPTIONS_TRUST
#define OPTION_MODEL_FILE                                                                                                     \
  {"model",                                                                                                                   \
   'm',                                                                                                                       \
   OPTION_LIST,                                                                                                               \
   AT(models),                                                                                                                \
   "FILE",                                                                                                                    \
   0,                                                                                                                         \
   0,                                                                                                                         \
   "GGUF model; of a split set the first file (-00001-of-000NN), or, where their names do not tell, each in order. Default: " \
   "$RETORT_MODEL, else Ember, the small model embedded in the "                                                              \
   "program"}
#define OPTIONS_COMPUTE                                                                                                                  \
  OPTION_MODEL,                                                                                                                          \
      {"threads", 't', OPTION_U32, AT(threads),                                                                                          \
       "N",       1,   1024,       "threads; changes no bit of any result. Default: the fast physical cores that this process may use"}, \
      SHARED(n_batch), OPTIONS_KV,                                                                                                       \
      {"kernels",                                                                                                                        \
       0,                                                                                                                                \
       OPTION_STRING,                                                                                                                    \
       AT(kernels),                                                                                                                      \
       "NAME",                                                                                                                           \
       0,                                                                                                                                \
       0,                                                                                                                                \
       "force a kernel variant (`retort inspect --cpu` lists them). Default: $RETORT_KERNELS, else the fastest here"},                   \
      {"mmap",                                                                                                                           \
       0,                                                                                                                                \
       OPTION_FLAG,                                                                                                                      \
       AT(mmap),                                                                                                                         \
       NULL,                                                                                                                             \
       0,                                                                                                                                \
       0,                                                                                                                                \
       "map the file in place of reading it into private memory: starts sooner, shares pages, decodes slower, and trusts that nobody "   \
       "writes the file"}
#define OPTIONS_KV                    \
  SHARED(kv), {.name = "cache-type",  \
               .kind = OPTION_SHARED, \
               .offset = SERVICE_kv,  \
               .help = "the same, by llama.cpp's name (there for keys and values apart)"}
#define OPTIONS_CARE                                                                                                                   \
  {"max-temp",   0,                                                                                                                    \
   OPTION_FLOAT, AT(max_temp),                                                                                                         \
   "C",          20,                                                                                                                   \
   150,          "pause between tokens while the processor is at C degrees Celsius or more, until it is 3 cooler. Default: no limit"}, \
      {"duty",    0, OPTION_U32, AT(duty),                                                                                             \
       "PERCENT", 1, 100,        "pause after each token so that the machine is busy for this part of the time. Default 100"}
#define OPTIONS_SAMPLING                                                                                                                 \
  SHARED(temperature), SHARED(top_p), SHARED(top_k), SHARED(min_p), SHARED(repetition_penalty), SHARED(repetition_window), SHARED(seed), \
      SHARED(stop), SHARED(max_tokens), SHARED(draft), SHARED(thinking_budget)
#define OPTIONS_TEMPLATE                                                                                                \
  {"template", 0, OPTION_STRING, AT(template_file), "FILE", 0, 0, "chat template (Jinja) in place of the model's own"}, \
      {"template-var",                                                                                                  \
       0,                                                                                                               \
       OPTION_LIST,                                                                                                     \
       AT(template_variables),                                                                                          \
       "NAME=VALUE",                                                                                                    \
       0,                                                                                                               \
       0,                                                                                                               \
       "a variable that the template asks for, such as enable_thinking=false; VALUE is JSON, or else a text; may be given several times"}
#define OPTIONS_THINKING                                                       \
  {                                                                            \
      "show-thinking",                                                         \
      0,                                                                       \
      OPTION_FLAG,                                                             \
      AT(show_thinking),                                                       \
      NULL,                                                                    \
      0,                                                                       \
      0,                                                                       \
      "print the reasoning in full, also where the output is not a terminal"}, \
      {"hide-thinking", 0, OPTION_FLAG, AT(hide_thinking), NULL, 0, 0, "print the answer only"}

#endif
