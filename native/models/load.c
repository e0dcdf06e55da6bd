/* load.c - from a file name to a model ready to run: the steps that all commands share, with their errors and memory checks. */
#include "load.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "embedded.h"
#include "metadata.h"

bool find_model(const options *o, loaded *l) {
  const char *named = o->model ? o->model : getenv("RETORT_MODEL");
  l->embedded = !named || !*named;
  if (l->embedded) named = EMBEDDED_NAME;
  if (strlen(named) >= sizeof l->path) {
    fail(o->json, EXIT_MODEL, "cannot open the model: its name is too long");
    return false;
  }
  strcpy(l->path, named);
  return true;
}

const char *model_file(const loaded *l) { return l->embedded ? NULL : l->path; }

const char *wanted_kernels(const options *o) {
  const char *name = o->kernels ? o->kernels : getenv("RETORT_KERNELS");
  return name && *name ? name : NULL;
}

static int check_kernels(const loaded *l, const options *o) {
  const char *wanted = wanted_kernels(o), *name, *reason;
  char names[256] = "";
  int available;
  if (!wanted) return EXIT_OK;
  for (uint32_t i = 0; (name = retort_kernels_variant(machine_platform(l->m), i, &available, &reason)) != NULL; i++) {
    if (strcmp(name, wanted) == 0)
      return available ? EXIT_OK : fail(o->json, EXIT_UNSUPPORTED, "kernel variant %s does not run here: %s", wanted, reason);
    snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", *names ? ", " : "", name);
  }
  return fail(o->json, EXIT_USAGE, "there is no kernel variant '%s'; this build has %s", wanted, names);
}

static int open_model(loaded *l, const options *o) {
  retort_error error;
  retort_model_options mo;
  retort_model_options_init(&mo, sizeof mo);
  mo.kernels = wanted_kernels(o);
  if (retort_model_open(machine_platform(l->m), l->gguf, &mo, &l->model, &error)) return fail_status(o->json, &error);
  l->model_info.struct_size = sizeof l->model_info;
  if (retort_model_get_info(l->model, &l->model_info, &error)) return fail_status(o->json, &error);
  return EXIT_OK;
}

static int open_vocab(loaded *l, const options *o) {
  retort_error error;
  if (retort_vocab_open(machine_platform(l->m), l->gguf, &l->vocab, &error)) return fail_status(o->json, &error);
  l->vocab_info.struct_size = sizeof l->vocab_info;
  if (retort_vocab_get_info(l->vocab, &l->vocab_info, &error)) return fail_status(o->json, &error);
  return EXIT_OK;
}

/* What retort_session_options takes a context of 0 for. */
static uint64_t wanted_context(uint64_t n_ctx, uint64_t train) {
  return n_ctx ? n_ctx : train && train < RETORT_DEFAULT_CTX ? train : RETORT_DEFAULT_CTX;
}

/* Weights, keys and values against the memory that there is, before the weights are read, where the header can be had by itself: a signed
 * chunk list, or no verification at all. Else the size of the files is compared before (files.c), and the context's need afterwards. */
static int foresee(const loaded *l, const options *o) {
  model_files f;
  retort_gguf *gguf = NULL;
  retort_error error;
  uint64_t available = available_memory();
  options quiet = *o;
  quiet.verbose = false;
  if (l->embedded || o->mmap || !available) return EXIT_OK;
  int code = files_open(&f, l->m, l->path, FILES_PEEK, &quiet);
  if (code != EXIT_OK) return code;
  if (files_peeked(&f) && files_parse(&f, RETORT_GGUF_METADATA_ONLY, &gguf, &error)) code = fail_status(o->json, &error);
  char *architecture = gguf ? metadata_text(gguf, "general.architecture") : NULL, way[160];
  if (architecture) {
    memory_need need = {.weights = f.bytes, .kv_per_token = retort_kv_bytes_per_token(gguf, o->service.session.kv_type)};
    retort_gguf_tensor t = {.struct_size = sizeof t};
    for (uint32_t i = 0; retort_gguf_get_tensor(gguf, i, &t, NULL) == RETORT_OK; i++) need.parameters += metadata_elements(&t);
    need.context = wanted_context(o->service.session.n_ctx, metadata_number(gguf, architecture, "context_length", 0));
    if (!memory_fits(&need, available, way))
      code = fail(o->json, EXIT_MEMORY,
                  "the model needs %s, and a context of %llu tokens %s for keys and values, but only %s of memory are available; %s",
                  memory_text(need.weights).text, (unsigned long long)need.context, memory_text(need.kv_per_token * need.context).text,
                  memory_text(available).text, way);
  }
  free(architecture);
  retort_gguf_close(gguf);
  files_close(&f);
  return code;
}

int load(loaded *l, const options *o, unsigned what) {
  retort_error error;
  double start = seconds();
  int code;
  *l = (loaded){0};
  const time_t now = time(NULL);
  struct tm utc;
  if (!find_model(o, l)) return EXIT_MODEL;
  strftime(l->now, sizeof l->now, "%Y-%m-%d %H:%M:%S", gmtime_r(&now, &utc));
  l->m = machine_open(usable_threads(o->threads), o->verbose);
  if (!l->m) return fail(o->json, EXIT_MEMORY, "out of memory");
  if ((what & LOAD_MODEL) && (code = check_kernels(l, o)) != EXIT_OK) return code;
  if ((what & LOAD_SESSION) && (code = foresee(l, o)) != EXIT_OK) return code;
  if ((code = files_open(&l->files, l->m, model_file(l), what & LOAD_MODEL ? FILES_RUN : FILES_HEADER, o)) != EXIT_OK) return code;
  double taken_in = seconds();
  uint32_t flags = what & LOAD_MODEL ? 0 : RETORT_GGUF_METADATA_ONLY;
  if (files_parse(&l->files, flags, &l->gguf, &error)) return fail_status(o->json, &error);
  if ((what & LOAD_VOCAB) && (code = open_vocab(l, o)) != EXIT_OK) return code;
  if ((what & LOAD_MODEL) && (code = open_model(l, o)) != EXIT_OK) return code;
  l->load_seconds = seconds() - start;
  l->parse_seconds = seconds() - taken_in;
  if (o->verbose && (what & LOAD_MODEL)) {
    char why[160];
    default_threads(why);
    fprintf(stderr, "retort: model %s (%s, %.3g B parameters), %s (%s) in %s: reading %s, hashing %s, parsing %s\n", shown(l->path).text,
            l->model_info.architecture, 1e-9 * (double)l->model_info.n_parameters, memory_text(l->files.bytes).text,
            files_memory(&l->files), time_text(l->load_seconds).text, time_text(l->files.read_seconds).text,
            time_text(l->files.hash_seconds).text, time_text(l->parse_seconds).text);
    fprintf(stderr, "retort: %u thread%s (%s%s), kernels %s%s\n", machine_platform(l->m)->workers,
            machine_platform(l->m)->workers == 1 ? "" : "s", o->threads ? "as asked; the default is " : "default: ", why,
            l->model_info.kernels, wanted_kernels(o) ? " (forced)" : "");
    char verdict[1400];
    retort_verdict_text(&l->files.verdict, verdict, sizeof verdict);
    fprintf(stderr, "retort: trust: %s%s\n", l->embedded ? "the model embedded in the program: " : "", shown(verdict).text);
  }
  return EXIT_OK;
}

int load_session(loaded *l, const options *o, uint32_t n_ctx) {
  retort_error error;
  retort_session_options so = o->service.session;
  so.n_ctx = n_ctx;
  uint32_t train = l->model_info.n_ctx_train;
  memory_need need = {.kv_per_token = retort_kv_bytes_per_token(l->gguf, so.kv_type), .context = wanted_context(n_ctx, train)};
  uint64_t available = available_memory();
  char way[160];
  if (available && !memory_fits(&need, available, way))
    return fail(o->json, EXIT_MEMORY,
                "a context of %llu tokens needs %s for keys and values, beside the model's %s, but only %s are available; %s",
                (unsigned long long)need.context, memory_text(need.kv_per_token * need.context).text, memory_text(l->files.bytes).text,
                memory_text(available).text, way);
  if (retort_session_open(machine_platform(l->m), l->model, l->vocab, &so, &l->session, &error)) return fail_status(o->json, &error);
  interrupts_reach(l->session);
  l->session_info.struct_size = sizeof l->session_info;
  if (retort_session_get_info(l->session, &l->session_info, &error)) return fail_status(o->json, &error);
  /* Opened, but its pages are not there before they are written. */
  const uint64_t work = l->session_info.work_bytes, all = l->session_info.kv_bytes + work;
  if (available && all + MEMORY_MARGIN > available)
    return fail(
        o->json, EXIT_MEMORY,
        "a session of %u tokens in batches of %u needs %s for keys and values and %s of working memory, but only %s are available; a "
        "smaller --batch or --ctx needs less",
        l->session_info.n_ctx, l->session_info.n_batch, memory_text(l->session_info.kv_bytes).text, memory_text(work).text,
        memory_text(available).text);
  if (o->verbose)
    fprintf(stderr, "retort: context %u tokens (%s; the model was made for %u), batch %u, keys and values %s: %s; working memory %s\n",
            l->session_info.n_ctx, o->service.session.n_ctx ? "as asked" : "default", train, l->session_info.n_batch,
            retort_kv_type_name(so.kv_type), memory_text(l->session_info.kv_bytes).text, memory_text(l->session_info.work_bytes).text);
  return EXIT_OK;
}

void unload(loaded *l) {
  interrupts_reach(NULL);
  retort_session_close(l->session);
  retort_model_close(l->model);
  retort_vocab_close(l->vocab);
  retort_gguf_close(l->gguf);
  files_close(&l->files);
  machine_close(l->m);
  free(l->template.bytes);
  free(l->variables);
  *l = (loaded){0};
}
