/* inspect.c - `retort inspect`: what a model file holds, whether it runs here, and what it needs.
 *
 * Only the header is read (the file is mapped), so a model of any size answers at once, and files that cannot run here, because of their
 * architecture, their types or their missing tensor data, can still be looked at. The verdict is not guessed: the model is opened. Not so
 * where nobody vouches for the file: then the header alone is read and parsed, as data to be shown; no tokenizer, template or weight of it
 * is used.
 */
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "models/metadata.h"
#include "models/load.h"

/* ---- kernel variants ---- */

static int inspect_cpu(const options *o) {
  machine *m = machine_open(usable_threads(o->threads), o->verbose);
  if (!m) return fail(o->json, EXIT_MEMORY, "out of memory");
  char why[160];
  unsigned threads = default_threads(why);
  const char *name, *reason;
  int available;
  json_t *rows = json_array();
  if (!o->json) printf("%-16s %-9s %s\n", "kernels", "runs here", "why");
  for (uint32_t i = 0; (name = retort_kernels_variant(machine_platform(m), i, &available, &reason)) != NULL; i++) {
    if (o->json) json_array_append_new(rows, json_pack("{s:s,s:b,s:s}", "name", name, "available", available, "reason", reason));
    else printf("%-16s %-9s %s\n", name, available ? "yes" : "no", reason);
  }
  if (o->json) {
    json_t *all = json_pack("{s:O,s:i,s:s,s:I,s:i}", "kernels", rows, "threads", (int)threads, "threads_reason", why, "available_memory",
                            (json_int_t)available_memory(), "numerics", (int)retort_numerics());
    put_json(all, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
  } else {
    printf("\nthreads: %u (%s)\nmemory available: %s\n", threads, why, memory_text(available_memory()).text);
  }
  json_decref(rows);
  machine_close(m);
  return EXIT_OK;
}

/* ---- the report ---- */

typedef struct report {
  const options *o;
  loaded l;
  retort_gguf_summary summary;
  bool whole;               /* tensor data is there */
  char stranger[UNVOUCHED]; /* why nobody vouches for the file, of which only the header is shown; "": somebody does, or was not to be asked
                             */
  retort_error verdict;     /* status 0: the model opens */
  retort_error vocab_error;
  char *architecture, *name;
  uint64_t weights; /* bytes of memory that the model takes: the files, or where their data is missing, the tensors */
  uint64_t parameters;
  uint64_t kv_per_token; /* f16; 0: cannot be told */
  uint64_t work_bytes;   /* what a session of the default context and batch holds beside keys and values; 0: cannot be told */
  uint64_t n_ctx_train;
  bool has_rope_freqs;
  json_t *types;    /* {name: {tensors, bytes, parameters}} in order of size */
  json_t *warnings; /* strings */
} report;

static void add_warning(report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_warning(report *r, const char *format, ...) {
  char text[800];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  json_array_append_new(r->warnings, json_string(shown(text).text));
}

static void count_types(report *r) {
  for (uint32_t i = 0; i < r->summary.n_tensors; i++) {
    retort_gguf_tensor t = {.struct_size = sizeof t};
    if (retort_gguf_get_tensor(r->l.gguf, i, &t, NULL)) continue;
    uint64_t n = metadata_elements(&t);
    r->parameters += n;
    if (strcmp(t.name, "rope_freqs.weight") == 0) r->has_rope_freqs = true;
    json_t *row = json_object_get(r->types, t.type);
    if (!row) json_object_set_new(r->types, t.type, row = json_pack("{s:i,s:i,s:i}", "tensors", 0, "parameters", 0, "bytes", 0));
    json_integer_set(json_object_get(row, "tensors"), json_integer_value(json_object_get(row, "tensors")) + 1);
    json_integer_set(json_object_get(row, "parameters"), json_integer_value(json_object_get(row, "parameters")) + (json_int_t)n);
    json_integer_set(json_object_get(row, "bytes"), json_integer_value(json_object_get(row, "bytes")) + (json_int_t)t.size);
  }
}

/* The rows with most bytes first. */
static void sort_types(report *r) {
  json_t *sorted = json_object();
  while (json_object_size(r->types) > 0) {
    const char *name, *largest = NULL;
    json_t *row;
    json_int_t most = -1;
    json_object_foreach(r->types, name, row) {
      json_int_t bytes = json_integer_value(json_object_get(row, "bytes"));
      if (bytes > most) most = bytes, largest = name;
    }
    json_object_set(sorted, largest, json_object_get(r->types, largest));
    json_object_del(r->types, largest);
  }
  json_decref(r->types);
  r->types = sorted;
}

/* Asked of a session rather than computed a second time; its cache is never touched, so no memory is taken for it. */
static void measure_work(report *r) {
  retort_session_options so;
  retort_session *session;
  retort_session_info info = {.struct_size = sizeof info};
  retort_session_options_init(&so, sizeof so);
  if (retort_session_open(machine_platform(r->l.m), r->l.model, r->l.vocab, &so, &session, NULL)) return;
  if (retort_session_get_info(session, &info, NULL) == RETORT_OK) r->work_bytes = info.work_bytes;
  retort_session_close(session);
}

static bool contains(const char *text, const char *part) { return text && strstr(text, part); }

static void look_for_trouble(report *r) {
  if (*r->stranger) {
    add_warning(
        r, "the file is not verified (%s): this is what its header says. Whether it runs here was not tried; --allow-unsigned tries it",
        r->stranger);
    return;
  }
  const retort_vocab_info *v = &r->l.vocab_info;
  bool not_there = !r->whole && r->verdict.status != RETORT_ERROR_UNSUPPORTED;
  if (not_there) add_warning(r, "the tensor data is not in this file: it can be inspected and used for tokens, not run");
  if (!not_there && r->verdict.status) add_warning(r, "does not run here: %s", r->verdict.message);
  if (r->l.vocab == NULL) add_warning(r, "the tokenizer cannot be used: %s", r->vocab_error.message);
  json_t *pre = metadata_value(r->l.gguf, "tokenizer.ggml.pre", 0), *kind = metadata_value(r->l.gguf, "tokenizer.ggml.model", 0);
  if (!pre && json_is_string(kind) && strcmp(json_string_value(kind), "gpt2") == 0)
    add_warning(r,
                "tokenizer.ggml.pre is missing, so it cannot be known how this model splits text into words; answers may suffer. A newer "
                "conversion of the model has it");
  json_decref(pre);
  json_decref(kind);
  if (r->architecture && strcmp(r->architecture, "llama") == 0 && !r->has_rope_freqs && r->n_ctx_train == 131072 &&
      metadata_number(r->l.gguf, "llama", "rope.freq_base", 0) == 500000)
    add_warning(r,
                "this looks like Llama 3.1 or later but has no tensor rope_freqs.weight: texts beyond 8,192 tokens will go wrong. A newer "
                "conversion of the model has it");
  if (r->l.vocab && !v->chat_template)
    add_warning(r, "there is no chat template: `retort run` takes prompts as they are, `retort chat` does not work");
  if (r->l.vocab && v->eos < 0) add_warning(r, "no end-of-text token is named: answers end only at --max-tokens or at a stop string");
  if (r->l.vocab && v->add_bos &&
      (contains(v->chat_template, "bos_token") || contains(v->chat_template, "<|begin_of_text|>") ||
       contains(v->chat_template,
                "<\xef\xbd\x9c"
                "begin\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c>")))
    add_warning(r,
                "both the chat template and the tokenizer put a beginning-of-text token in front; retort keeps exactly one, other programs "
                "may double it");
}

/* By the trust policy; where that is left to the trust store, and nobody there vouches, the header all the same. Bytes that
 * differ from what somebody trusted has signed stay refused. */
static int open_files(report *r) {
  loaded *l = &r->l;
  options o = *r->o;
  if (model_file(l) && !trust_is_given(&o) && !o.model_name) o.unvouched = r->stranger;
  int code = files_open(&l->files, l->m, model_file(l), FILES_LOOK, &o);
  if (code != EXIT_TRUST || !*r->stranger) return code;
  o.unvouched = NULL;
  o.allow_unsigned = true;
  return files_open(&l->files, l->m, model_file(l), FILES_STRANGER, &o);
}

static void open_model(report *r) {
  loaded *l = &r->l;
  const retort_platform *p = machine_platform(l->m);
  l->vocab_info.struct_size = sizeof l->vocab_info;
  if (retort_vocab_open(p, l->gguf, &l->vocab, &r->vocab_error) == RETORT_OK) retort_vocab_get_info(l->vocab, &l->vocab_info, NULL);
  if (!r->whole) return;
  retort_model_options mo;
  retort_model_options_init(&mo, sizeof mo);
  mo.kernels = wanted_kernels(r->o);
  if (retort_model_open(p, l->gguf, &mo, &l->model, &r->verdict)) return;
  l->model_info.struct_size = sizeof l->model_info;
  retort_model_get_info(l->model, &l->model_info, NULL);
  measure_work(r);
}

static int gather(report *r) {
  const options *o = r->o;
  loaded *l = &r->l;
  retort_error error;
  int code;
  if (!find_model(o, l)) return EXIT_MODEL;
  if (!(l->m = machine_open(usable_threads(o->threads), o->verbose))) return fail(o->json, EXIT_MEMORY, "out of memory");
  if ((code = open_files(r)) != EXIT_OK) return code;
  r->whole = !*r->stranger && files_parse(&l->files, 0, &l->gguf, &r->verdict) == RETORT_OK;
  if (!r->whole && files_parse(&l->files, RETORT_GGUF_METADATA_ONLY, &l->gguf, &error)) return fail_status(o->json, &error);
  r->summary.struct_size = sizeof r->summary;
  if (retort_gguf_get_summary(l->gguf, &r->summary, &error)) return fail_status(o->json, &error);
  r->weights = r->whole || r->summary.tensor_bytes < l->files.bytes ? l->files.bytes : r->summary.tensor_bytes;
  r->architecture = metadata_text(l->gguf, "general.architecture");
  r->name = metadata_text(l->gguf, "general.name");
  count_types(r);
  sort_types(r);
  if (r->architecture) {
    r->kv_per_token = retort_kv_bytes_per_token(l->gguf, RETORT_KV_F16);
    r->n_ctx_train = metadata_number(l->gguf, r->architecture, "context_length", 0);
  }
  if (!*r->stranger) open_model(r);
  look_for_trouble(r);
  return EXIT_OK;
}

/* Contexts worth a line in the memory table: powers of two up to the model's own, and that one. */
static size_t contexts(const report *r, uint64_t list[16]) {
  size_t n = 0;
  for (uint64_t c = 4096; c < r->n_ctx_train && n < 15; c *= 2) list[n++] = c;
  if (r->n_ctx_train) list[n++] = r->n_ctx_train;
  return n;
}

static json_t *token_json(const retort_vocab *vocab, int32_t id) {
  char text[256];
  size_t size;
  if (id < 0) return json_null();
  if (retort_detokenize(vocab, &id, 1, RETORT_TOKENIZE_SPECIAL, text, sizeof text, &size, NULL)) size = 0;
  return json_pack("{s:i,s:s%}", "id", (int)id, "text", text, size);
}

static json_t *tokenizer_json(const report *r) {
  const retort_vocab_info *v = &r->l.vocab_info;
  if (*r->stranger) return json_null();
  if (!r->l.vocab) return json_pack("{s:s}", "error", r->vocab_error.message);
  return json_pack("{s:s?,s:s?,s:i,s:b,s:o,s:o,s:o,s:o,s:s?}", "model", v->model, "pre", v->pre, "tokens", (int)v->n_tokens, "add_bos",
                   v->add_bos != 0, "bos", token_json(r->l.vocab, v->bos), "eos", token_json(r->l.vocab, v->eos), "think_begin",
                   token_json(r->l.vocab, v->think_begin), "think_end", token_json(r->l.vocab, v->think_end), "chat_template",
                   v->chat_template);
}

static json_t *tensors_json(const report *r) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < r->summary.n_tensors; i++) {
    retort_gguf_tensor t = {.struct_size = sizeof t};
    if (retort_gguf_get_tensor(r->l.gguf, i, &t, NULL)) continue;
    json_t *dims = json_array();
    for (uint32_t k = 0; k < t.n_dims; k++) json_array_append_new(dims, json_integer((json_int_t)t.dims[k]));
    json_array_append_new(list, json_pack("{s:s,s:s,s:o,s:i,s:I,s:I}", "name", t.name, "type", t.type, "dims", dims, "file", (int)t.file,
                                          "offset", (json_int_t)t.offset, "bytes", (json_int_t)t.size));
  }
  return list;
}

static json_t *metadata_json(const report *r, size_t max) {
  json_t *all = json_object();
  for (uint32_t i = 0; i < r->summary.n_entries; i++) {
    retort_gguf_entry e = {.struct_size = sizeof e};
    if (retort_gguf_get_entry(r->l.gguf, i, &e, NULL)) continue;
    json_t *value = metadata_value(r->l.gguf, e.key, max);
    json_object_set_new(all, e.key, value ? value : json_null());
  }
  return all;
}

static void print_json(const report *r) {
  const loaded *l = &r->l;
  uint64_t list[16];
  json_t *files = json_array(), *kv = json_array();
  for (size_t i = 0; i < l->files.count; i++)
    json_array_append_new(files, json_pack("{s:s,s:I}", "name", l->files.buffers[i].name, "bytes", (json_int_t)l->files.buffers[i].size));
  for (size_t i = 0, n = contexts(r, list); i < n; i++)
    json_array_append_new(kv, json_pack("{s:I,s:I}", "context", (json_int_t)list[i], "bytes", (json_int_t)(list[i] * r->kv_per_token)));
  json_t *all =
      json_pack("{s:s?,s:s?,s:i,s:o,s:I,s:i,s:I,s:I,s:O,s:{s:I,s:I,s:o,s:I,s:I},s:o,s:b,s:O}", "architecture", r->architecture, "name",
                r->name, "gguf_version", (int)r->summary.version, "files", files, "parameters", (json_int_t)r->parameters, "alignment",
                (int)r->summary.alignment, "tensor_bytes", (json_int_t)r->summary.tensor_bytes, "context_length",
                (json_int_t)r->n_ctx_train, "types", r->types, "memory", "weights", (json_int_t)r->weights, "kv_bytes_per_token",
                (json_int_t)r->kv_per_token, "kv", kv, "work_bytes", (json_int_t)r->work_bytes, "available", (json_int_t)available_memory(),
                "tokenizer", tokenizer_json(r), "runs", l->model != NULL, "warnings", r->warnings);
  if (*r->stranger) json_object_set_new(all, "runs", json_null());
  json_object_set_new(all, "verified", json_boolean(l->files.verdict.method != RETORT_TRUST_UNSIGNED));
  if (l->model) json_object_set_new(all, "kernels", json_string(l->model_info.kernels));
  json_object_set_new(all, "metadata", metadata_json(r, r->o->all ? 0 : 16));
  json_object_set_new(all, "tensors", tensors_json(r));
  put_json(all, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
  putchar('\n');
  json_decref(all);
}

static void print_token(const report *r, const char *what, int32_t id) {
  if (id < 0) return;
  json_t *token = token_json(r->l.vocab, id);
  const char *text = json_string_value(json_object_get(token, "text"));
  printf("  %s %d %s", what, id, shown(text).text);
  json_decref(token);
}

static void print_heading(const report *r) {
  const loaded *l = &r->l;
  printf("%-12s %s\n", "model", r->name ? shown(r->name).text : "(no name)");
  printf("%-12s %s, %.3g B parameters, %u tensors, context %llu\n", "kind",
         r->architecture ? shown(r->architecture).text : "(no architecture)", 1e-9 * (double)r->parameters, r->summary.n_tensors,
         (unsigned long long)r->n_ctx_train);
  printf("%-12s %s%s, %s, GGUF v%u, %u metadata keys\n", "file", shown(l->path).text, l->files.count > 1 ? " and the rest of its set" : "",
         memory_text(l->files.bytes).text, r->summary.version, r->summary.n_entries);
  if (l->model) printf("%-12s yes, with the kernels %s\n", "runs here", l->model_info.kernels);
  else printf("%-12s %s\n", "runs here", *r->stranger ? "not tried" : "no");
  if (l->files.verdict.method == RETORT_TRUST_UNSIGNED) printf("%-12s NOT CHECKED: nobody vouches for this file\n", "verified");
}

static void print_types(const report *r) {
  printf("\n%-12s %8s %14s %12s\n", "types", "tensors", "parameters", "size");
  const char *name;
  json_t *row;
  json_object_foreach(r->types, name, row) {
    printf("  %-10s %8lld %14lld %12s\n", name, (long long)json_integer_value(json_object_get(row, "tensors")),
           (long long)json_integer_value(json_object_get(row, "parameters")),
           memory_text((uint64_t)json_integer_value(json_object_get(row, "bytes"))).text);
  }
}

static void print_memory(const report *r) {
  uint64_t list[16];
  printf("\n%-12s %12s %12s %12s   (available now: %s)\n", "memory", "weights", "keys+values", "together",
         memory_text(available_memory()).text);
  for (size_t i = 0, n = contexts(r, list); i < n; i++)
    printf("  --ctx %-7llu %9s %12s %12s\n", (unsigned long long)list[i], memory_text(r->weights).text,
           memory_text(list[i] * r->kv_per_token).text, memory_text(r->weights + list[i] * r->kv_per_token).text);
  if (r->work_bytes) printf("  beside these, about %s of working memory\n", memory_text(r->work_bytes).text);
}

static void print_tokenizer(const report *r) {
  const retort_vocab_info *v = &r->l.vocab_info;
  printf("\n%-12s %s, pre %s, %u tokens\n%-12s", "tokenizer", v->model ? shown(v->model).text : "?", v->pre ? shown(v->pre).text : "(none)",
         v->n_tokens, "");
  print_token(r, "BOS", v->bos);
  print_token(r, "EOS", v->eos);
  printf("%s\n", v->add_bos ? "  (raw prompts get the BOS in front)" : "");
  if (v->think_end >= 0) {
    printf("%-12s", "reasoning");
    print_token(r, "from", v->think_begin);
    print_token(r, "to", v->think_end);
    putchar('\n');
  }
  if (v->chat_template) printf("%-12s chat template of %zu bytes\n", "template", strlen(v->chat_template));
}

static void print_metadata(const report *r) {
  printf("\nmetadata\n");
  json_t *all = metadata_json(r, 8);
  const char *name;
  json_t *row;
  json_object_foreach(all, name, row) {
    char *text = json_dumps(row, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    char value[204];
    const size_t size = text ? strlen(text) : 0;
    const bool cut = printable(value, sizeof value - 3, text ? text : "", size, false) < size;
    printf("  %-44s %s%s\n", shown(name).text, value, cut ? "..." : "");
    free(text);
  }
  json_decref(all);
}

static void print_tensors(const report *r) {
  printf("\ntensors\n");
  for (uint32_t i = 0; i < r->summary.n_tensors; i++) {
    retort_gguf_tensor t = {.struct_size = sizeof t};
    char dims[96] = "";
    if (retort_gguf_get_tensor(r->l.gguf, i, &t, NULL)) continue;
    for (uint32_t k = 0; k < t.n_dims; k++)
      snprintf(dims + strlen(dims), sizeof dims - strlen(dims), "%s%llu", k ? " x " : "", (unsigned long long)t.dims[k]);
    printf("  %-40s %-8s %-20s %10s at %llu%s\n", shown(t.name).text, t.type, dims, memory_text(t.size).text, (unsigned long long)t.offset,
           t.file ? " (later file)" : "");
  }
}

static void print_text(const report *r) {
  bool colour = colour_ok(stdout);
  print_heading(r);
  print_types(r);
  if (r->kv_per_token) print_memory(r);
  if (r->l.vocab) print_tokenizer(r);
  if (r->o->all) {
    print_metadata(r);
    print_tensors(r);
  } else {
    printf("\n--all prints every metadata key and tensor.\n");
  }
  for (size_t i = 0; i < json_array_size(r->warnings); i++)
    printf("%s%swarning:%s %s\n", i ? "" : "\n", colour ? BOLD : "", colour ? PLAIN : "",
           json_string_value(json_array_get(r->warnings, i)));
}

static int inspect(const options *o) {
  if (o->cpu) return inspect_cpu(o);
  options positional = *o;
  string_list *models = &positional.models;
  for (int i = 0; i < o->n_arguments; i++) {
    if (models->count == MAX_LIST) return fail(o->json, EXIT_USAGE, "more than %d files", MAX_LIST);
    models->value[models->count++] = o->arguments[i];
  }
  positional.model = models->count ? models->value[0] : NULL;
  report r = {.o = &positional, .types = json_object(), .warnings = json_array()};
  int code = gather(&r);
  if (code == EXIT_OK) {
    if (o->json) print_json(&r);
    else print_text(&r);
  }
  json_decref(r.types);
  json_decref(r.warnings);
  free(r.architecture);
  free(r.name);
  unload(&r.l);
  return code;
}

static const option_spec specs[] = {
    OPTION_MODEL,
    {"all", 'a', OPTION_FLAG, AT(all), NULL, 0, 0, "print every metadata key and every tensor; with --json long arrays are not cut"},
    {"cpu", 0, OPTION_FLAG, AT(cpu), NULL, 0, 0, "list the kernel variants of this build, which run here, and why"},
    {"kernels", 0, OPTION_STRING, AT(kernels), "NAME", 0, 0,
     "the variant to try the model with. Default: $RETORT_KERNELS, else the fastest here"},
    OPTIONS_OUTPUT,
};

const command inspect_command = {
    .name = "inspect",
    .summary = "what a model file holds, whether it runs here, and the memory it needs",
    .usage = "[-m FILE | FILE...] [OPTIONS]",
    .text =
        "Prints the model's kind, types, tokenizer and template, the memory for weights and context, and warnings about what may go wrong. "
        "Reads only "
        "the header, so it is quick with any size, and works with files that cannot run here. A model that does not run here is still exit "
        "code 0: look at \"runs\". Of a file that nobody you trust vouches for it shows the header, says so, and uses nothing of it.",
    .examples = "  retort inspect model.gguf\n  retort inspect --cpu\n  retort inspect -m DeepSeek-R1-00001-of-00009.gguf --json\n",
    .specs = specs,
    .n_specs = sizeof specs / sizeof specs[0],
    .rights = READS_ARGUMENTS,
    .run = inspect,
};
