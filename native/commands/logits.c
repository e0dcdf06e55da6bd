/* logits.c - `retort logits`: every position's logits as a NumPy file, for checks against other programs and other machines. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "models/output.h"
#include "terminal/text_input.h"
#include "models/load.h"

/* Version 1.0 of the .npy format: magic, header length, a Python dict padded with spaces to a multiple of 64 bytes. */
static bool write_header(FILE *file, size_t rows, uint32_t columns) {
  char dict[118];
  int n = snprintf(dict, sizeof dict, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %u), }", rows, columns);
  memset(dict + n, ' ', sizeof dict - (size_t)n);
  dict[sizeof dict - 1] = '\n';
  return fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, file) == 10 && fwrite(dict, 1, sizeof dict, file) == sizeof dict;
}

/* Evaluates the ids in pieces of --batch and writes each piece's rows. */
static int write_logits(const loaded *l, const options *o, const int32_t *ids, size_t count, FILE *file) {
  retort_error error;
  uint32_t columns = l->model_info.n_vocab;
  size_t piece = o->service.session.n_batch < count ? o->service.session.n_batch : count;
  progress bar;
  float *rows = malloc(piece * columns * sizeof *rows);
  int code = rows ? EXIT_OK : fail(o->json, EXIT_MEMORY, "no memory for %zu rows of %u logits; give a smaller --batch", piece, columns);
  if (code == EXIT_OK && !write_header(file, count, columns))
    code = fail(o->json, EXIT_RUNTIME, "cannot write %s: %s", o->out, strerror(errno));
  progress_begin(&bar, "computing logits", !o->json);
  for (size_t done = 0; code == EXIT_OK && done < count; done += piece) {
    size_t n = count - done < piece ? count - done : piece;
    if (retort_session_eval(l->session, ids + done, n, RETORT_LOGITS_ALL, rows, &error)) {
      code = fail_status(o->json, &error);
    } else if (fwrite(rows, sizeof *rows * columns, n, file) != n) {
      code = fail(o->json, EXIT_RUNTIME, "cannot write %s: %s", o->out, strerror(errno));
    }
    progress_show(&bar, (double)(done + n) / (double)count, "");
    if (code == EXIT_OK && interrupted()) code = fail(o->json, EXIT_INTERRUPTED, "interrupted");
  }
  progress_end(&bar);
  free(rows);
  return code;
}

static int get_ids(const loaded *l, const options *o, int32_t **ids, size_t *count) {
  text_buffer text = {0};
  int code = EXIT_OK;
  if (strcmp(o->ids, "-") == 0) code = read_stream(stdin, o->json, &text);
  if (code == EXIT_OK) code = parse_ids(text.bytes ? text.bytes : o->ids, l->model_info.n_vocab, o->json, ids, count);
  free(text.bytes);
  if (code == EXIT_OK && *count == 0) code = fail(o->json, EXIT_USAGE, "--ids is empty");
  if (code == EXIT_OK && *count > UINT32_MAX / 2) code = fail(o->json, EXIT_CONTEXT, "too many ids");
  return code;
}

static int logits(const options *o) {
  loaded l = {0};
  int32_t *ids = NULL;
  size_t count = 0;
  output out = {0};
  catch_interrupts();
  int code = EXIT_OK;
  double start = 0;
  if (!o->ids || !o->out) code = fail(o->json, EXIT_USAGE, "logits wants --ids 1,2,3 and --out FILE.npy; `retort logits --help` explains");
  if (code == EXIT_OK) code = load(&l, o, LOAD_MODEL);
  if (code == EXIT_OK) code = get_ids(&l, o, &ids, &count);
  if (code == EXIT_OK) code = load_session(&l, o, (uint32_t)count);
  if (code == EXIT_OK) code = output_open(&out, o->out, false, o->json);
  start = seconds();
  if (code == EXIT_OK) code = write_logits(&l, o, ids, count, out.file);
  code = output_close(&out, code);
  if (code == EXIT_OK && o->json)
    printf(
        "{\"positions\": %zu, \"n_vocab\": %u, \"numerics\": %u, \"kernels\": \"%s\", \"timings\": {\"load_s\": %.6f, \"read_s\": %.6f, "
        "\"hash_s\": %.6f, \"parse_s\": %.6f, \"eval_s\": %.6f}}\n",
        count, l.model_info.n_vocab, retort_numerics(), l.model_info.kernels, l.load_seconds, l.files.read_seconds, l.files.hash_seconds,
        l.parse_seconds, seconds() - start);
  free(ids);
  unload(&l);
  return code;
}

static const option_spec specs[] = {
    OPTIONS_COMPUTE,
    {"ids", 0, OPTION_STRING, AT(ids), "1,2,3", 0, 0,
     "token ids, taken as they are (no beginning-of-text token is added); `-` reads them, as `retort tokenize --json` prints them"},
    {"out", 'o', OPTION_STRING, AT(out), "FILE.npy", 0, 0, "where to write: float32 of shape (ids, vocabulary)"},
    OPTIONS_OUTPUT,
};

const command logits_command = {
    .name = "logits",
    .summary = "write the logits of every position of a token sequence to a NumPy file",
    .usage = "[-m FILE] --ids 1,2,3 --out FILE.npy [OPTIONS]",
    .text =
        "Evaluates the tokens and writes one row of logits a position. --batch is also how many tokens are evaluated at once; like "
        "--threads and --kernels it changes no bit.",
    .examples =
        "  retort logits -m model.gguf --ids 1,504,3575 --out logits.npy\n  retort tokenize --json \"Hello world\" | retort logits --ids - "
        "--out logits.npy --batch 1 --kernels portable\n",
    .specs = specs,
    .n_specs = sizeof specs / sizeof specs[0],
    .run = logits,
};
