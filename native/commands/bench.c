/* bench.c - `retort bench`: speed of reading prompts and of generating, with llama-bench's flags and keys.
 *
 * A row is one combination of threads, depth and work: reading `-p` prompt tokens in one go, or generating `-n` tokens one by one, with
 * `-d` tokens in the cache before. Each is repeated `-r` times after one warm-up; the cache is filled to the depth outside the measured
 * time. The tokens are pseudo-random and the same in every run: no kernel's speed depends on which they are. Beside generation stands the
 * bandwidth at which the weights were read, and what a plain read of the same kind of memory reaches.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "machine/bandwidth.h"
#include "machine/throttle.h"
#include "commands.h"
#include "models/load.h"

typedef struct bench_row {
  uint32_t n_prompt, n_gen, n_depth, n_threads;
  double *speed; /* (repetitions) tokens/s */
  double mean, deviation;
} bench_row;

static void summarise(bench_row *row, uint32_t n) {
  double sum = 0, squares = 0;
  for (uint32_t i = 0; i < n; i++) sum += row->speed[i];
  row->mean = sum / n;
  for (uint32_t i = 0; i < n; i++) squares += (row->speed[i] - row->mean) * (row->speed[i] - row->mean);
  row->deviation = n > 1 ? sqrt(squares / (n - 1)) : 0; /* as llama-bench */
}

/* A fixed sequence of ids: xorshift. */
static void fill_ids(int32_t *ids, size_t count, uint32_t n_vocab) {
  uint32_t x = 2463534242u;
  for (size_t i = 0; i < count; i++) {
    x ^= x << 13, x ^= x >> 17, x ^= x << 5;
    ids[i] = (int32_t)(x % n_vocab);
  }
}

/* ---- measuring ---- */

/* Bytes of weights that one generated token reads: all but the embedding table, of which it reads a row, unless that is the output too. */
static uint64_t bytes_per_token(const loaded *l) {
  retort_gguf_summary summary = {.struct_size = sizeof summary};
  uint64_t bytes = 0, embedding = 0;
  bool output = false;
  if (retort_gguf_get_summary(l->gguf, &summary, NULL)) return 0;
  for (uint32_t i = 0; i < summary.n_tensors; i++) {
    retort_gguf_tensor t = {.struct_size = sizeof t};
    if (retort_gguf_get_tensor(l->gguf, i, &t, NULL)) continue;
    bytes += t.size;
    if (strcmp(t.name, "token_embd.weight") == 0) embedding = t.size;
    if (strcmp(t.name, "output.weight") == 0) output = true;
  }
  return output ? bytes - embedding : bytes;
}

/* Fills the cache to the row's depth and measures one repetition in tokens a second. */
static int measure_once(const loaded *l, const options *o, const bench_row *row, const int32_t *ids, float *logits, double *speed) {
  retort_error error;
  retort_session *s = l->session;
  throttle limits;
  int code = throttle_begin(&limits, o, "");
  if (code != EXIT_OK) return code;
  retort_status status = retort_session_truncate(s, row->n_depth, &error);
  double start = seconds();
  if (!status && row->n_prompt) status = retort_session_eval(s, ids, row->n_prompt, RETORT_LOGITS_LAST, logits, &error);
  if (row->n_prompt) throttle_step(&limits);
  for (uint32_t i = 0; !status && i < row->n_gen && !interrupted(); i++) {
    status = retort_session_eval(s, ids + i, 1, RETORT_LOGITS_LAST, logits, &error);
    throttle_step(&limits);
  }
  *speed = (row->n_prompt + row->n_gen) / (seconds() - start);
  if (status) return fail_status(o->json, &error);
  return interrupted() ? fail(o->json, EXIT_INTERRUPTED, "interrupted") : EXIT_OK;
}

/* filled: tokens that the cache holds of the sequence before and after; what an earlier row has put there is not computed again. */
static int measure_row(const loaded *l, const options *o, bench_row *row, const int32_t *ids, float *logits, uint32_t *filled) {
  retort_error error;
  double warm_up;
  bench_row warm = *row;
  if (warm.n_gen > 1) warm.n_gen = 1;
  uint32_t kept = *filled < row->n_depth ? *filled : row->n_depth;
  if (retort_session_truncate(l->session, kept, &error)) return fail_status(o->json, &error);
  if (row->n_depth > kept && retort_session_eval(l->session, ids + kept, row->n_depth - kept, RETORT_LOGITS_NONE, NULL, &error))
    return fail_status(o->json, &error);
  *filled = row->n_depth;
  int code = measure_once(l, o, &warm, ids, logits, &warm_up);
  for (uint32_t i = 0; code == EXIT_OK && i < o->repetitions; i++) code = measure_once(l, o, row, ids, logits, &row->speed[i]);
  if (code == EXIT_OK) summarise(row, o->repetitions);
  return code;
}

/* ---- the table ---- */

static char *model_type(const loaded *l) { /* "qwen2 1.78 B, mostly Q4_K" */
  retort_gguf_summary summary = {.struct_size = sizeof summary};
  char *text = malloc(160);
  const char *best = "?";
  uint64_t most = 0;
  if (!text || retort_gguf_get_summary(l->gguf, &summary, NULL)) return text;
  for (uint32_t i = 0; i < summary.n_tensors; i++) {
    retort_gguf_tensor t = {.struct_size = sizeof t}, u = t;
    uint64_t bytes = 0;
    if (retort_gguf_get_tensor(l->gguf, i, &t, NULL) || t.n_dims < 2 || strcmp(t.type, best) == 0) continue;
    for (uint32_t k = 0; k < summary.n_tensors; k++)
      if (retort_gguf_get_tensor(l->gguf, k, &u, NULL) == RETORT_OK && strcmp(u.type, t.type) == 0) bytes += u.size;
    if (bytes > most) most = bytes, best = t.type;
  }
  snprintf(text, 160, "%s %.3g B, mostly %s", l->model_info.architecture, 1e-9 * (double)l->model_info.n_parameters, best);
  return text;
}

static void print_row(const loaded *l, const options *o, const bench_row *row, bool *first) {
  char work[64], depth[32] = "", read[32] = "";
  if (o->json) {
    json_t *samples = json_array();
    for (uint32_t i = 0; i < o->repetitions; i++) json_array_append_new(samples, json_real(row->speed[i]));
    char *type = model_type(l);
    json_t *object =
        json_pack("{s:i,s:i,s:i,s:i,s:f,s:f,s:o,s:s,s:s,s:I,s:I,s:s,s:s,s:i,s:s,s:i}", "n_prompt", (int)row->n_prompt, "n_gen",
                  (int)row->n_gen, "n_depth", (int)row->n_depth, "n_threads", (int)row->n_threads, "avg_ts", row->mean, "stddev_ts",
                  row->deviation, "samples_ts", samples, "model_filename", l->path, "model_type", type ? type : "", "model_size",
                  (json_int_t)l->files.bytes, "model_n_params", (json_int_t)l->model_info.n_parameters, "kernels", l->model_info.kernels,
                  "type_kv", retort_kv_type_name(o->service.session.kv_type), "n_batch", (int)l->session_info.n_batch, "version",
                  retort_version(), "numerics", (int)retort_numerics());
    free(type);
    printf(*first ? "[\n" : ",\n");
    put_json(object, JSON_REAL_PRECISION(9));
    json_decref(object);
  } else {
    if (*first) printf("%8s  %-16s %24s   %s\n", "threads", "test", "tokens/s", "weights read at");
    snprintf(work, sizeof work, row->n_prompt ? "pp%u" : "tg%u", row->n_prompt ? row->n_prompt : row->n_gen);
    if (row->n_depth) snprintf(depth, sizeof depth, " @ d%u", row->n_depth);
    if (row->n_gen) snprintf(read, sizeof read, "%.1f GB/s", 1e-9 * row->mean * (double)bytes_per_token(l));
    strncat(work, depth, sizeof work - strlen(work) - 1);
    printf("%8u  %-16s %14.2f ± %7.2f   %s\n", row->n_threads, work, row->mean, row->deviation, read);
  }
  fflush(stdout);
  *first = false;
}

static uint32_t largest(const number_list *list) {
  uint32_t most = 0;
  for (size_t i = 0; i < list->count; i++)
    if (list->value[i] > most) most = list->value[i];
  return most;
}

/* All rows for one number of threads. */
static int bench_threads(const options *o, uint32_t threads, bool *first) {
  options own = *o;
  loaded l = {0};
  own.threads = threads;
  uint32_t most = largest(&o->n_prompt) > largest(&o->n_gen) ? largest(&o->n_prompt) : largest(&o->n_gen), depth = largest(&o->n_depth);
  uint32_t longest = most > depth ? most : depth;
  int32_t *ids = malloc((longest ? longest : 1) * sizeof *ids);
  float *logits = NULL;
  uint32_t filled = 0;
  bench_row row = {.speed = malloc(o->repetitions * sizeof(double))};
  int code = load(&l, &own, LOAD_MODEL);
  if (code == EXIT_OK) code = load_session(&l, &own, most + depth ? most + depth : 1);
  if (code == EXIT_OK) logits = malloc(l.model_info.n_vocab * sizeof *logits);
  if (code == EXIT_OK && (!ids || !logits || !row.speed)) code = fail(o->json, EXIT_MEMORY, "out of memory");
  if (code == EXIT_OK) {
    fill_ids(ids, longest, l.model_info.n_vocab);
    row.n_threads = machine_platform(l.m)->workers;
    if (!o->json) {
      char *type = model_type(&l);
      interrupts_end_it(true, o->json);
      double bandwidth = read_bandwidth(l.m);
      interrupts_end_it(false, o->json);
      printf("%s%s, %s; kernels %s; %u thread%s", *first ? "" : "\n", type ? type : "", memory_text(l.files.bytes).text,
             l.model_info.kernels, row.n_threads, row.n_threads == 1 ? "" : "s");
      if (bandwidth > 0) printf("; plain reading of memory: %.1f GB/s", 1e-9 * bandwidth);
      printf("\n");
      free(type);
      *first = true;
    }
  }
  for (size_t d = 0; d < o->n_depth.count; d++) {
    row.n_depth = o->n_depth.value[d];
    for (size_t i = 0; i < o->n_prompt.count + o->n_gen.count && code == EXIT_OK; i++) {
      bool prompt = i < o->n_prompt.count;
      row.n_prompt = prompt ? o->n_prompt.value[i] : 0;
      row.n_gen = prompt ? 0 : o->n_gen.value[i - o->n_prompt.count];
      if (row.n_prompt + row.n_gen == 0) continue;
      code = measure_row(&l, o, &row, ids, logits, &filled);
      if (code == EXIT_OK) print_row(&l, o, &row, first);
    }
  }
  free(row.speed);
  free(logits);
  free(ids);
  unload(&l);
  return code;
}

static int bench(const options *o) {
  bool first = true;
  int code = EXIT_OK;
  catch_interrupts();
  if (largest(&o->n_prompt) + largest(&o->n_gen) == 0) return fail(o->json, EXIT_USAGE, "-p 0 and -n 0 leave nothing to measure");
  if (o->bench_threads.count == 0) code = bench_threads(o, 0, &first);
  for (size_t i = 0; i < o->bench_threads.count && code == EXIT_OK; i++) code = bench_threads(o, o->bench_threads.value[i], &first);
  if (o->json && !first) printf("\n]\n");
  return code;
}

static const option_spec specs[] = {
    OPTION_MODEL,
    {"n-prompt", 'p', OPTION_NUMBERS, AT(n_prompt), "N,...", 0, 1048576, "prompt tokens to read at once; 0: none. Default 512"},
    {"n-gen", 'n', OPTION_NUMBERS, AT(n_gen), "N,...", 0, 1048576, "tokens to generate one by one; 0: none. Default 128"},
    {"n-depth", 'd', OPTION_NUMBERS, AT(n_depth), "N,...", 0, 1048576, "tokens in the cache before. Default 0"},
    {"repetitions", 'r', OPTION_U32, AT(repetitions), "N", 1, 1000, "measurements a row, after one warm-up. Default 5"},
    {"threads", 't', OPTION_NUMBERS, AT(bench_threads), "N,...", 1, 1024,
     "threads. Default: the fast physical cores that this process may use"},
    SHARED(n_batch),
    OPTIONS_KV,
    {"kernels", 0, OPTION_STRING, AT(kernels), "NAME", 0, 0, "force a kernel variant. Default: $RETORT_KERNELS, else the fastest here"},
    {"mmap", 0, OPTION_FLAG, AT(mmap), NULL, 0, 0, "map the file in place of reading it into private memory"},
    OPTIONS_CARE,
    OPTIONS_OUTPUT,
};

const command bench_command = {
    .name = "bench",
    .summary = "measure reading and generating speed (llama-bench's flags)",
    .usage = "[-m FILE] [OPTIONS]",
    .text =
        "Measures tokens per second of reading prompts (pp) and of generating (tg), each as mean and standard deviation over the "
        "repetitions. Lists give one row for each "
        "combination. Pauses for --max-temp and --duty count as time, so what is measured is what the machine keeps up. --json prints "
        "llama-bench's keys (n_prompt n_gen n_depth n_threads avg_ts stddev_ts).",
    .examples =
        "  retort bench -m model.gguf\n  retort bench -m model.gguf -p 256,4096 -n 64 -d 0,8192 -t 1,2 -r 3\n  retort bench --json -p 512 "
        "-n 0 | jq '.[].avg_ts'\n",
    .specs = specs,
    .n_specs = sizeof specs / sizeof specs[0],
    .run = bench,
};
