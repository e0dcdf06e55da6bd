/* perplexity.c - `retort perplexity`: how well a model predicts a text.
 *
 * The text's tokens are cut into windows that do not overlap, each evaluated from an empty cache. The first tokens of a window are only
 * context; which positions count is printed with the result, because a perplexity means nothing without that. The defaults are those of
 * llama.cpp's perplexity tool, so that the figures can be compared: windows of 512 tokens, a window's first token replaced by the BOS where
 * the vocabulary asks for one, the second half counted.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "terminal/text_input.h"
#include "models/load.h"
#include "service/request.h"

#define ROWS 64 /* logits of so many positions are held at once */

typedef struct scoring {
  const float *logits; /* (n, n_vocab) */
  const int32_t *next; /* (n): the token that came */
  double *loss;        /* (n): -ln p(next) */
  size_t n;
  uint32_t n_vocab;
} scoring;

static void score(void *arg, unsigned worker, unsigned n_workers) {
  const scoring *s = arg;
  for (size_t i = worker; i < s->n; i += n_workers) {
    const float *row = s->logits + i * s->n_vocab;
    float most = row[0];
    double sum = 0;
    for (uint32_t k = 1; k < s->n_vocab; k++)
      if (row[k] > most) most = row[k];
    for (uint32_t k = 0; k < s->n_vocab; k++) sum += exp((double)row[k] - (double)most);
    s->loss[i] = log(sum) - ((double)row[s->next[i]] - (double)most);
  }
}

typedef struct result {
  size_t windows, scored;
  double sum, sum_squares; /* of the losses */
} result;

/* One window: ids[0..window), of which the predictions of ids[skip+1..window) count. */
static int score_window(const loaded *l, const options *o, const int32_t *ids, size_t window, size_t skip, float *logits, result *r) {
  retort_error error;
  double loss[ROWS];
  const retort_platform *p = machine_platform(l->m);
  retort_status status = retort_session_truncate(l->session, 0, &error);
  if (!status && skip) status = retort_session_eval(l->session, ids, skip, RETORT_LOGITS_NONE, NULL, &error);
  for (size_t at = skip; !status && at + 1 < window && !interrupted();) {
    size_t n = window - 1 - at < ROWS ? window - 1 - at : ROWS;
    status = retort_session_eval(l->session, ids + at, n, RETORT_LOGITS_ALL, logits, &error);
    if (status) break;
    scoring s = {.logits = logits, .next = ids + at + 1, .loss = loss, .n = n, .n_vocab = l->model_info.n_vocab};
    p->parallel(p->user, score, &s);
    for (size_t i = 0; i < n; i++) r->sum += loss[i], r->sum_squares += loss[i] * loss[i];
    r->scored += n;
    at += n;
  }
  r->windows++;
  return status ? fail_status(o->json, &error) : EXIT_OK;
}

static double standard_error(const result *r) { /* of the mean loss */
  double n = (double)r->scored, mean = r->sum / n, variance = r->sum_squares / n - mean * mean;
  return r->scored > 1 && variance > 0 ? sqrt(variance / (n - 1)) : 0;
}

static void print_result(const loaded *l, const options *o, const result *r, size_t count, size_t window, size_t skip, bool bos,
                         double took) {
  double mean = r->sum / (double)r->scored, perplexity = exp(mean), error = perplexity * standard_error(r);
  if (o->json) {
    json_t *all = json_pack("{s:f,s:f,s:f,s:f,s:i,s:i,s:i,s:i,s:i,s:b,s:s,s:s,s:f}", "perplexity", perplexity, "perplexity_error", error,
                            "mean_nll", mean, "mean_nll_error", standard_error(r), "tokens", (int)count, "windows", (int)r->windows,
                            "window", (int)window, "skip", (int)skip, "scored", (int)r->scored, "bos", bos, "kernels",
                            l->model_info.kernels, "kv", retort_kv_type_name(o->service.session.kv_type), "seconds", took);
    put_json(all, JSON_REAL_PRECISION(10));
    putchar('\n');
    json_decref(all);
    return;
  }
  printf("perplexity %.4f ± %.4f (mean of -ln p: %.6f ± %.6f) over %zu predictions\n", perplexity, error, mean, standard_error(r),
         r->scored);
  printf(
      "scored: in each of %zu windows of %zu tokens the predictions of tokens %zu to %zu (counted from 0), from an empty cache%s; %zu of "
      "the text's %zu tokens are in no window\n",
      r->windows, window, skip + 1, window - 1, bos ? "; token 0 is replaced by the BOS" : "", count - r->windows * window, count);
  if (o->verbose) fprintf(stderr, "retort: %.0f tokens/s, %s in all\n", (double)(r->windows * window) / took, time_text(took).text);
}

static int measure(loaded *l, const options *o, int32_t *ids, size_t count) {
  size_t window = count < o->window ? count : o->window;
  size_t skip = o->skip >= 0 ? (size_t)o->skip : window / 2;
  bool bos = l->vocab_info.add_bos && l->vocab_info.bos >= 0;
  result r = {0};
  progress bar;
  double start = seconds();
  if (count < 2) return fail(o->json, EXIT_USAGE, "the text has %zu tokens; two are the least", count);
  if (skip + 1 >= window) return fail(o->json, EXIT_USAGE, "--skip %zu leaves nothing to score in windows of %zu tokens", skip, window);
  int code = load_session(l, o, (uint32_t)window);
  float *logits = malloc((size_t)ROWS * l->model_info.n_vocab * sizeof *logits);
  if (!logits && code == EXIT_OK) code = fail(o->json, EXIT_MEMORY, "no memory for %d rows of logits", ROWS);
  progress_begin(&bar, "perplexity", !o->json);
  for (size_t at = 0; code == EXIT_OK && at + window <= count && !interrupted(); at += window) {
    int32_t first = ids[at];
    if (bos) ids[at] = l->vocab_info.bos;
    code = score_window(l, o, ids + at, window, skip, logits, &r);
    ids[at] = first;
    char detail[64];
    snprintf(detail, sizeof detail, "so far %.4f", exp(r.sum / (double)(r.scored ? r.scored : 1)));
    progress_show(&bar, (double)(at + window) / (double)count, detail);
  }
  progress_end(&bar);
  if (code == EXIT_OK && interrupted()) code = fail(o->json, EXIT_INTERRUPTED, "interrupted after %zu windows", r.windows);
  if (code == EXIT_OK) print_result(l, o, &r, count, window, skip, bos, seconds() - start);
  free(logits);
  return code;
}

static int perplexity(const options *o) {
  loaded l = {0};
  text_buffer text = {0};
  retort_error error;
  size_t count = 0;
  int32_t *ids = NULL;
  catch_interrupts();
  int code = EXIT_OK;
  if (o->n_arguments != 1) code = fail(o->json, EXIT_USAGE, "perplexity wants one text file (`-` is standard input)");
  if (code == EXIT_OK) code = read_text_file(o->arguments[0], o->json, &text);
  if (code == EXIT_OK) code = load(&l, o, LOAD_VOCAB | LOAD_MODEL);
  interrupts_end_it(code == EXIT_OK, o->json); /* a long text is long in becoming tokens */
  if (code == EXIT_OK && service_text_ids(l.vocab, text.bytes, text.size, 0, &ids, &count, &error)) code = fail_status(o->json, &error);
  interrupts_end_it(false, o->json);
  if (code == EXIT_OK) code = measure(&l, o, ids, count);
  free(ids);
  free(text.bytes);
  unload(&l);
  return code;
}

static const option_spec specs[] = {
    OPTIONS_COMPUTE,
    {"window", 'w', OPTION_U32, AT(window), "N", 2, 16777216, "tokens a window. Default 512; shorter texts are one window"},
    {"skip", 0, OPTION_I32, AT(skip), "N", 0, 16777216,
     "predictions at the start of each window that do not count. Default: half a window"},
    OPTIONS_OUTPUT,
};

const command perplexity_command = {
    .name = "perplexity",
    .summary = "how well a model predicts a text",
    .usage = "[-m FILE] [OPTIONS] TEXTFILE",
    .text =
        "Cuts the text into windows, evaluates each from an empty cache, and prints e to the mean of -ln p(token), with its standard "
        "error, and exactly which positions "
        "were scored. With the defaults the figure compares with llama.cpp's perplexity tool.",
    .examples = "  retort perplexity -m model.gguf wiki.test.raw\n  retort perplexity --window 2048 --skip 0 --json text.txt\n",
    .specs = specs,
    .n_specs = sizeof specs / sizeof specs[0],
    .rights = READS_ARGUMENTS,
    .run = perplexity,
};
