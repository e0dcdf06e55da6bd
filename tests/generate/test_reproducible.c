/* test_reproducible.c - the second promise: for each architecture and tensor type one SHA-256 of the logits, whatever kernel variant,
 * number of threads, split of the prompt and neighbours computed them: alone, among 32 other sequences, in a fork, restored from bytes, and
 * after its neighbours were cancelled.
 *
 *   test_reproducible                   one case of every kind: each type with one architecture, each variant, each number of threads, each
 *                                       split, alone and in one other way
 *   test_reproducible full              every {variant, threads, split, way} x {architecture} x {type}
 *   test_reproducible [full] NAME...    the same for the variants named only (each must be able to run)
 *   test_reproducible once NAME...      one cell of each model that the first line has, without Ember: for machines emulated instruction by
 *                                       instruction
 *   test_reproducible print             prints the table in reproducible_hashes.h anew: portable kernels, one thread, one batch
 *   test_reproducible print ember       the same for ember_hashes.h
 *
 * The models are those of tiny_model.h, and the one real model that the repository has, Ember, with a question, its reasoning and its
 * answer for a text: always with every variant, 1 to 3 threads and batches of 1, of 7 and of all. The expected values change only with
 * RETORT_NUMERICS, with the models, or by mistake. A variant that this machine cannot run is named as not run. Needs no test library, so
 * that it can be built for any target.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retort.h"
#include "cpu_features.h"
#include "pool.h"
#include "model/model.h"
#include "tiny_model.h"

#include "ember_hashes.h"

#ifndef RETORT_MODELS
#define RETORT_MODELS RETORT_SOURCE_DIR "/models"
#endif

enum { TOKENS = 140, WIDE_TOKENS = 70, ARCHS = 3, MOST_VARIANTS = 16 }; /* more positions than one attention block */
static const char *const ARCH[ARCHS] = {"llama", "qwen2", "qwen3"};

/* One model: `wide` is one layer wide enough to go with one plane of activations (RT_TWO_PLANES_BELOW), else two small layers. */
typedef struct model_case {
  uint32_t type, kv_type;
  const char *name;
  bool wide;
  const char *expected[ARCHS];
} model_case;
static const model_case CASES[] = {
#include "reproducible_hashes.h"
};
enum { N_CASES = sizeof CASES / sizeof *CASES };

static void die(const char *format, ...) {
  va_list args;
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  printf("\n");
  exit(1);
}

/* ---- one cell of the matrix --------------------------------------------------------------------------------------------------- */

/* A model in memory and what it is given to read. */
typedef struct reading {
  retort_buffer file;
  const int32_t *ids;
  uint32_t n, n_vocab, kv_type;
} reading;

/* How a sequence comes to its logits. */
enum way { ALONE, AMONG_OTHERS, FORKED, RESTORED, NEIGHBOURS_CANCELLED, WAYS };
static const char *const WAY[WAYS] = {"alone", "among 32 others", "forked", "restored", "neighbours cancelled"};
enum { OTHERS = 32 };

typedef struct cell {
  const char *kernels;
  unsigned n_threads;
  uint32_t split; /* most rows of a pass */
  enum way way;
} cell;

#define MUST(call)                      \
  do {                                  \
    retort_error error = {0};           \
    if (call) die("%s", error.message); \
  } while (0)

/* Reads with 32 neighbours, whose texts are of different lengths; they may give up in the first pass. */
static void read_among(retort_engine *engine, retort_sequence *s, const reading *r, bool cancel, float *logits) {
  retort_eval evals[1 + OTHERS];
  int32_t ids[OTHERS][OTHERS];
  for (uint32_t k = 0; k < OTHERS; k++) {
    retort_sequence *other;
    MUST(retort_sequence_open(engine, &other, &error));
    for (uint32_t i = 0; i < OTHERS; i++) ids[k][i] = (int32_t)((i * 7 + k * 13) % r->n_vocab);
    uint32_t count = 1 + k * 11 % OTHERS;
    if (count > r->n) count = r->n;
    evals[k + (k >= OTHERS / 2)] =
        (retort_eval){.struct_size = sizeof *evals, .sequence = other, .ids = ids[k], .count = count, .which = RETORT_LOGITS_NONE};
    if (cancel) retort_sequence_interrupt(other);
  }
  evals[OTHERS / 2] = (retort_eval){
      .struct_size = sizeof *evals, .sequence = s, .ids = r->ids, .count = r->n, .logits = logits, .which = RETORT_LOGITS_ALL};
  retort_error error = {0};
  retort_status status = retort_engine_eval(engine, evals, 1 + OTHERS, &error);
  if (status != (cancel ? RETORT_ERROR_INTERRUPTED : RETORT_OK) || evals[OTHERS / 2].status) die("among others: %s", error.message);
}

/* Reads the first half, goes on in another sequence that has it, while the first reads something else. */
static void read_in_two(retort_engine *engine, retort_sequence *s, const reading *r, bool fork, float *logits) {
  uint32_t half = r->n / 2;
  retort_sequence *other;
  MUST(retort_sequence_eval(s, r->ids, half, RETORT_LOGITS_ALL, logits, &error));
  if (fork) {
    MUST(retort_sequence_fork(s, &other, &error));
  } else {
    size_t size = 0;
    retort_sequence_save(s, NULL, 0, &size, NULL);
    void *saved = malloc(size);
    MUST(!saved || retort_sequence_save(s, saved, size, &size, &error));
    MUST(retort_sequence_open(engine, &other, &error));
    MUST(retort_sequence_restore(other, saved, size, &error));
    free(saved);
  }
  MUST(retort_sequence_eval(s, r->ids, half, RETORT_LOGITS_NONE, NULL, &error));
  MUST(retort_sequence_eval(other, r->ids + half, r->n - half, RETORT_LOGITS_ALL, logits + (size_t)half * r->n_vocab, &error));
}

static void hash_of_logits(const reading *r, const cell *c, char hex[65]) {
  unsigned n_threads = c->n_threads;
  retort_platform platform = pool_platform(&n_threads);
  platform.cpu_features = cpu_features();
  size_t size = (size_t)r->n * r->n_vocab * sizeof(float); // (n, n_vocab)
  float *logits = malloc(size);
  if (!logits) die("out of memory");
  retort_gguf *gguf;
  retort_model *model;
  retort_engine *engine;
  retort_sequence *s;
  retort_model_options model_options;
  retort_model_options_init(&model_options, sizeof model_options);
  model_options.kernels = c->kernels;
  retort_engine_options options;
  retort_engine_options_init(&options, sizeof options);
  options.n_ctx = r->n;
  options.n_batch = c->split;
  options.kv_type = r->kv_type;
  MUST(retort_gguf_open(&platform, &r->file, 1, 0, &gguf, &error));
  MUST(retort_model_open(&platform, gguf, &model_options, &model, &error));
  MUST(retort_engine_open(&platform, model, NULL, &options, &engine, &error));
  MUST(retort_sequence_open(engine, &s, &error));
  if (c->way == ALONE) MUST(retort_sequence_eval(s, r->ids, r->n, RETORT_LOGITS_ALL, logits, &error));
  else if (c->way == FORKED || c->way == RESTORED) read_in_two(engine, s, r, c->way == FORKED, logits);
  else read_among(engine, s, r, c->way == NEIGHBOURS_CANCELLED, logits);
  for (size_t i = 0; i < size / sizeof(float); i++)
    if (!(logits[i] > -1e6f && logits[i] < 1e6f)) die("logit %zu is %g: the test's weights are not sane", i, (double)logits[i]);
  retort_sha256_hex(logits, size, hex);
  free(logits);
  retort_engine_close(engine);
  retort_model_close(model);
  retort_gguf_close(gguf);
}

/* Odd sizes where the type allows them, whole blocks otherwise. */
static tiny_model model_for(const model_case *c, int arch) {
  uint32_t block = tiny_format_find(c->type)->block;
  tiny_model t = {.arch = ARCH[arch], .type = c->type, .n_layers = 2, .n_vocab = 61, .bias = true};
  if (block == 1) t.n_embd = 172, t.n_ff = 236, t.n_heads = 4, t.n_kv_heads = 2, t.head_dim = 44;
  if (block == 32) t.n_embd = 96, t.n_ff = 224, t.n_heads = 6, t.n_kv_heads = 3, t.head_dim = 32;
  if (block > 32) t.n_embd = 256, t.n_ff = 256, t.n_heads = 4, t.n_kv_heads = 2, t.head_dim = 64;
  if (c->wide) t.n_embd = RT_TWO_PLANES_BELOW, t.n_layers = 1;
  return t;
}

static reading read_tiny(const model_case *c, const tiny_model *t, int32_t ids[TOKENS]) {
  reading r = {t->file, ids, c->wide ? WIDE_TOKENS : TOKENS, t->n_vocab, c->kv_type};
  for (uint32_t i = 0; i < r.n; i++) ids[i] = (int32_t)((i * 29 + i * i) % t->n_vocab);
  return r;
}

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static const unsigned THREADS[] = {1, 2, 3, 5};
static const uint32_t SPLITS[] = {TOKENS, 1, 7, 64}; /* tokens a batch */
enum { N_THREADS = sizeof THREADS / sizeof *THREADS, N_SPLITS = sizeof SPLITS / sizeof *SPLITS };

/* Outside the full matrix each number of threads meets one split; the sanitizers look for bad accesses only. */
static bool once;
static bool cell_is_chosen(bool full, size_t threads, size_t split) {
  if (once) return threads == 2 && split == 2;
#ifdef SANITIZED
  if (!full) return threads == 1 && split != 1;
#endif
  return full || threads == split;
}

/* What the run says of each model in one line of fields with tabs between, for reproducible_table.py, which joins the lines of
 * several machines: "row", architecture, type, size, KV cache, expected hash, then a field a variant: NAME=cells that gave it/cells, or
 * NAME=not run. What stands in for the instructions of AVX-VNNI has a name of its own (tests/CMakeLists.txt). */
#ifndef VNNI_NAME
#define VNNI_NAME "avx-vnni"
#endif
typedef struct cell_count {
  int right, cells;
} cell_count;
static void print_row(const char *arch, const char *type, const char *size, uint32_t kv_type, const char *expected,
                      const char *const *variants, const cell_count *tallies) {
  const char *name;
  printf("row\t%s\t%s\t%s\t%s\t%s", arch, type, size, retort_kv_type_name(kv_type), expected);
  for (uint32_t v = 0; (name = retort_kernels_variant(NULL, v, NULL, NULL)); v++) {
    size_t i = 0;
    while (variants[i] && strcmp(variants[i], name) != 0) i++;
    const char *label = strcmp(name, "avx-vnni") ? name : VNNI_NAME;
    if (variants[i]) printf("\t%s=%d/%d", label, tallies[i].right, tallies[i].cells);
    else printf("\t%s=not run", label);
  }
  printf("\n");
}

/* One cell: true when it gives the expected hash; outside the full matrix alone, and in one of the other ways, by turns. */
static bool cell_agrees(const char *what, const reading *r, const char *expected, cell c, bool full, cell_count *tally) {
  int turn = 1 + tally->cells / 2 % (WAYS - 1);
  bool all_right = true;
  if (c.split > r->n) c.split = r->n;
  for (int way = ALONE; way < WAYS; way++) {
    if (!full && way != ALONE && (once || way != turn)) continue;
    char hex[65];
    c.way = (enum way)way;
    hash_of_logits(r, &c, hex);
    bool right = !strcmp(hex, expected);
    tally->cells++;
    tally->right += right;
    all_right &= right;
    if (!right) printf("WRONG: %s: %s, %u threads, batches of %u, %s give %s\n", what, c.kernels, c.n_threads, c.split, WAY[way], hex);
  }
  return all_right;
}

/* True when every cell of the model's matrix gives the expected hash. */
static bool matrix_agrees(const model_case *c, int arch, bool full, const char *const *variants, int *cells) {
  cell_count tallies[MOST_VARIANTS] = {0};
  tiny_model t = model_for(c, arch);
  retort_error error = {0};
  if (tiny_model_build(&t, &error)) die("%s", error.message);
  int32_t ids[TOKENS];
  reading r = read_tiny(c, &t, ids);
  bool agrees = true;
  const char *size = c->wide ? "wide" : "small";
  char what[64];
  snprintf(what, sizeof what, "%s %s %s, KV %s", ARCH[arch], c->name, size, retort_kv_type_name(c->kv_type));
  for (size_t v = 0; variants[v]; v++)
    for (size_t k = 0; k < N_THREADS; k++)
      for (size_t s = 0; s < N_SPLITS; s++) {
        if (!cell_is_chosen(full, k, s)) continue;
        const cell here = {variants[v], THREADS[k], SPLITS[s], ALONE};
        agrees &= cell_agrees(what, &r, c->expected[arch], here, full, &tallies[v]);
      }
  for (size_t v = 0; variants[v]; v++) *cells += tallies[v].cells;
  print_row(ARCH[arch], c->name, size, c->kv_type, c->expected[arch], variants, tallies);
  tiny_model_close(&t);
  return agrees;
}

/* ---- Ember ----------------------------------------------------------------------------------------------------------------------- */

static const char EMBER_TEXT[] =
    "<\xef\xbd\x9c"
    "begin\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c><\xef\xbd\x9cUser\xef\xbd\x9c>What is 4821 + 396?"
    "<\xef\xbd\x9c"
    "Assistant\xef\xbd\x9c><think>\n4821+396\n4 thousands 8 hundreds 2 tens 1 ones\n+3 hundreds 9 tens 6 ones\n"
    "ones:1+6=7\ntens:2+9=11\nhundreds:8+3+1=12\nthousands:4+1=5\n=5 thousands 2 hundreds 1 tens 7 ones\n</think>\n\nThe answer is 5217.";
enum { EMBER_TOKENS = 128 };

typedef struct ember {
  reading r;
  int32_t ids[EMBER_TOKENS];
  char file_hash[65];
  unsigned char *bytes;
} ember;

static void ember_open(ember *e) {
  static const char path[] = RETORT_MODELS "/ember/ember.gguf";
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END)) die("cannot read %s", path);
  long size = ftell(file);
  e->bytes = size > 0 ? malloc((size_t)size) : NULL;
  rewind(file);
  if (!e->bytes || fread(e->bytes, 1, (size_t)size, file) != (size_t)size) die("cannot read %s", path);
  fclose(file);
  retort_sha256_hex(e->bytes, (size_t)size, e->file_hash);
  e->r = (reading){.file = {sizeof(retort_buffer), e->bytes, (size_t)size, "ember.gguf"}, .ids = e->ids, .kv_type = RETORT_KV_F16};
  const retort_platform here = bare_platform();
  retort_error error = {0};
  retort_gguf *gguf;
  retort_vocab *vocab = NULL;
  retort_vocab_info info = {.struct_size = sizeof info};
  size_t count = 0;
  if (retort_gguf_open(&here, &e->r.file, 1, 0, &gguf, &error) || retort_vocab_open(&here, gguf, &vocab, &error) ||
      retort_vocab_get_info(vocab, &info, &error) ||
      retort_tokenize(vocab, EMBER_TEXT, sizeof EMBER_TEXT - 1, RETORT_TOKENIZE_SPECIAL, e->ids, EMBER_TOKENS, &count, &error))
    die("%s: %s", path, error.message);
  e->r.n = (uint32_t)count;
  e->r.n_vocab = info.n_tokens;
  retort_vocab_close(vocab);
  retort_gguf_close(gguf);
}

/* Every cell of {variant} x {1, 2, 3 threads} x {batches of all, 1, 7}. */
static bool ember_agrees(bool full, const char *const *variants, int *cells) {
  ember e;
  ember_open(&e);
  bool agrees = !strcmp(e.file_hash, EMBER_FILE);
  if (!agrees) printf("WRONG: ember.gguf is another file than that of ember_hashes.h: `test_reproducible print ember` prints its values\n");
  cell_count tallies[MOST_VARIANTS] = {0};
  for (size_t v = 0; variants[v]; v++)
    for (size_t k = 0; k < 3; k++)
      for (size_t s = 0; s < 3; s++) {
#ifdef SANITIZED
        if (!full && !cell_is_chosen(full, k, s)) continue;
#endif
        const cell here = {variants[v], THREADS[k], SPLITS[s], ALONE};
        agrees &= cell_agrees("Ember", &e.r, EMBER_LOGITS, here, full, &tallies[v]);
      }
  for (size_t v = 0; variants[v]; v++) *cells += tallies[v].cells;
  print_row("llama", "Ember", "real", RETORT_KV_F16, EMBER_LOGITS, variants, tallies);
  free(e.bytes);
  return agrees;
}

static void print_ember(void) {
  ember e;
  char hex[65];
  ember_open(&e);
  hash_of_logits(&e.r, &(cell){"portable", 1, e.r.n, ALONE}, hex);
  printf("#define EMBER_FILE \"%s\"\n#define EMBER_LOGITS \"%s\" // (%u, %u)\n", e.file_hash, hex, e.r.n, e.r.n_vocab);
  free(e.bytes);
}

/* ---- the program ---------------------------------------------------------------------------------------------------------------- */

static void print_table(void) {
  for (size_t i = 0; i < N_CASES; i++) {
    const model_case *c = &CASES[i];
    printf("{RT_%s, RETORT_KV_%s, \"%s\", %s,\n", c->name,
           c->kv_type == RETORT_KV_F32   ? "F32"
           : c->kv_type == RETORT_KV_F16 ? "F16"
                                         : "Q8_0",
           c->name, c->wide ? "true" : "false");
    for (int arch = 0; arch < ARCHS; arch++) {
      tiny_model t = model_for(c, arch);
      retort_error error = {0};
      char hex[65];
      if (tiny_model_build(&t, &error)) die("%s", error.message);
      int32_t ids[TOKENS];
      reading r = read_tiny(c, &t, ids);
      hash_of_logits(&r, &(cell){"portable", 1, r.n, ALONE}, hex);
      printf(" %s\"%s\"%s\n", arch ? " " : "{", hex, arch + 1 < ARCHS ? "," : "}},");
      tiny_model_close(&t);
    }
  }
}

/* The variants to run, NULL-terminated: those named, or all that this machine can run. */
static void choose_variants(int n_names, char **names, const char *variants[MOST_VARIANTS + 1]) {
  size_t count = 0;
  const char *name, *reason;
  int available;
  const retort_platform here = bare_platform();
  for (uint32_t v = 0; (name = retort_kernels_variant(&here, v, &available, &reason)) && count < MOST_VARIANTS; v++) {
    bool asked = n_names == 0;
    for (int i = 0; i < n_names; i++) asked |= !strcmp(names[i], name);
    if (asked && available) variants[count++] = name;
    else printf("NOT RUN: %s: %s\n", name, asked ? reason : "not named");
  }
  variants[count] = NULL;
  if (n_names && count != (size_t)n_names) die("%d variants are named, %zu of them can run here", n_names, count);
}

int main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "print")) {
    print_table();
    return 0;
  }
  if (argc == 3 && !strcmp(argv[1], "print") && !strcmp(argv[2], "ember")) {
    print_ember();
    return 0;
  }
  bool full = argc > 1 && !strcmp(argv[1], "full");
  once = argc > 2 && !strcmp(argv[1], "once");
  const char *variants[MOST_VARIANTS + 1];
  choose_variants(argc - 1 - full - once, argv + 1 + full + once, variants);
  int wrong = 0, models = 0, cells = 0;
  for (size_t i = 0; i < N_CASES; i++)
    for (int arch = 0; arch < ARCHS; arch++) {
      bool one_of_kind = (size_t)arch == (CASES[i].type + CASES[i].wide) % ARCHS;
      if (!full && !one_of_kind) continue;
      wrong += !matrix_agrees(&CASES[i], arch, full, variants, &cells);
      models++;
    }
  if (!once) {
    wrong += !ember_agrees(full, variants, &cells);
    models++;
  }
  printf("%d models, %d cells of {variant, threads, split, way}, variants:", models, cells);
  for (size_t i = 0; variants[i]; i++) printf(" %s", variants[i]);
  printf("; %d models with a wrong value\n", wrong);
  return wrong != 0 || cells == 0;
}
