/* answer.c - one answer, from prompt tokens to text, ids, times and proof: what `run` and `chat` share. */
#include "answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/random.h>
#endif

#include "machine/throttle.h"
#include "service/record.h"
#include "service/request.h"

/* ---- prompts ---- */

int answer_seed(const options *o, uint64_t *seed) {
  *seed = o->service.generate.seed;
  if (!o->random_seed) return EXIT_OK;
#ifdef __linux__
  if (getrandom(seed, sizeof *seed, 0) == (ssize_t)sizeof *seed) return EXIT_OK;
  return fail(o->json, EXIT_RUNTIME, "the system gave no random seed: %s", strerror(errno));
#else
  arc4random_buf(seed, sizeof *seed);
  return EXIT_OK;
#endif
}

static int asks_whether_interrupted(void *arg) {
  (void)arg;
  return interrupted();
}

/* What the template is told of the time: nothing where it does not ask, and the day where that is all it asks for. So the same question has
 * the same proof again, or at least for a day. `date` is where it is made. */
static const char *date_of(const loaded *l, const options *o, char date[20]) {
  static const char *const times[] = {"%H", "%I", "%M", "%S", "%T", "%R", "%X", "%p", "%-H", "%-I", "%-M"};
  const char *template = l->vocab_info.chat_template;
  if (o->service.chat.date || o->raw || !template || !strstr(template, "strftime_now")) return o->service.chat.date;
  memcpy(date, l->now, sizeof l->now);
  for (size_t i = 0; i < sizeof times / sizeof *times; i++)
    if (strstr(template, times[i])) return date;
  date[strlen("2026-07-31")] = 0;
  return date;
}

int chat_settings(loaded *l, const options *o) {
  json_t *variables = o->template_variables.count ? json_object() : NULL;
  int code = o->template_file ? read_text_file(o->template_file, o->json, &l->template) : EXIT_OK;
  if (code == EXIT_OK && o->template_file) l->vocab_info.chat_template = l->template.bytes;
  for (size_t i = 0; code == EXIT_OK && i < o->template_variables.count; i++) {
    const char *given = o->template_variables.value[i], *equals = strchr(given, '=');
    if (!equals || equals == given) {
      code = fail(o->json, EXIT_USAGE, "--template-var wants NAME=VALUE, such as enable_thinking=false; '%s' is none", given);
      break;
    }
    json_t *value = json_loads(equals + 1, JSON_DECODE_ANY, NULL);
    if (!value) value = json_string(equals + 1);
    if (json_object_setn_new(variables, given, (size_t)(equals - given), value) != 0)
      code = fail(o->json, EXIT_USAGE, "--template-var '%s' is not valid UTF-8", given);
  }
  if (code == EXIT_OK && variables && !(l->variables = json_dumps(variables, JSON_COMPACT)))
    code = fail(o->json, EXIT_MEMORY, "out of memory");
  json_decref(variables);
  return code;
}

int chat_prompt(const loaded *l, const options *o, json_t *messages, int32_t **ids, size_t *count) {
  retort_error error;
  retort_chat_options co;
  char date[20];
  retort_chat_options_init(&co, sizeof co);
  co.date = date_of(l, o, date);
  co.template_source = l->template.bytes;
  co.variables_json = l->variables;
  co.interrupted = asks_whether_interrupted;
  char *text = json_dumps(messages, JSON_COMPACT);
  if (!text) return fail(o->json, EXIT_MEMORY, "out of memory for the prompt");
  retort_status status = service_chat_ids(machine_platform(l->m), l->vocab, text, &co, ids, count, &error);
  free(text);
  return status ? fail_status(o->json, &error) : EXIT_OK;
}

int raw_prompt(const loaded *l, const options *o, const char *text, size_t size, int32_t **ids, size_t *count) {
  retort_error error;
  return service_text_ids(l->vocab, text, size, RETORT_TOKENIZE_SPECIAL | RETORT_TOKENIZE_ADD_BOS, ids, count, &error)
             ? fail_status(o->json, &error)
             : EXIT_OK;
}

/* ---- generation ---- */

static bool keep_id(answer *a, int32_t id) {
  if (a->n_ids == a->ids_capacity) {
    size_t capacity = a->ids_capacity ? a->ids_capacity * 2 : 256;
    int32_t *grown = realloc(a->ids, capacity * sizeof *grown);
    if (!grown) return false;
    a->ids = grown;
    a->ids_capacity = capacity;
  }
  a->ids[a->n_ids++] = id;
  return true;
}

/* Takes one event over into the answer and the view. */
static bool take_event(const loaded *l, answer *a, answer_view *v, const retort_event *e) {
  if (e->kind == RETORT_EVENT_TOKEN && !keep_id(a, e->token)) return false;
  if (e->retracted) {
    if (!text_append(&a->reasoning, a->text.bytes, a->text.size)) return false;
    a->text.size = 0;
    a->text.bytes[0] = 0;
    answer_view_retract(v);
  }
  if (e->section == RETORT_SECTION_REASONING) {
    a->usage.struct_size = sizeof a->usage;
    retort_session_get_usage(l->session, &a->usage, NULL);
    if (!text_append(&a->reasoning, e->text, e->text_size)) return false;
    if (e->text_size || v->any_reasoning) answer_view_reasoning(v, e->text, e->text_size, a->usage.reasoning_tokens);
  } else {
    if (!text_append(&a->text, e->text, e->text_size)) return false;
    answer_view_answer(v, e->text, e->text_size);
  }
  return true;
}

int answer_generate(loaded *l, const options *o, const int32_t *ids, size_t count, uint64_t seed, answer_view *v, answer *a) {
  retort_error error;
  retort_generate_options g = service_generate(&o->service);
  retort_event e = {.struct_size = sizeof e};
  progress bar;
  throttle limits;
  double start = seconds(), prompt_end = 0;
  int code = throttle_begin(&limits, o, "");
  *a = (answer){.finish_reason = "interrupted"};
  if (code != EXIT_OK) return code;
  g.seed = seed;
  if (!text_append(&a->text, "", 0) || !text_append(&a->reasoning, "", 0)) return fail(o->json, EXIT_MEMORY, "out of memory");
  if (retort_generate_begin(l->session, ids, count, &g, &error)) return fail_status(o->json, &error);
  interrupts_end_it(false, o->json); /* from here on they are asked for */
  progress_begin(&bar, "reading the prompt", !o->json);
  while (!interrupted()) {
    retort_status status = retort_step(l->session, 0, &e, &error);
    if (status == RETORT_ERROR_INTERRUPTED) break;
    if (status) {
      code = fail_status(o->json, &error);
      break;
    }
    double now = seconds() - start;
    if (e.kind != RETORT_EVENT_END) throttle_step(&limits);
    if (e.kind == RETORT_EVENT_PROMPT) {
      progress_show(&bar, e.prompt_total ? (double)e.prompt_done / e.prompt_total : 1, "");
      prompt_end = now;
      continue;
    }
    progress_end(&bar);
    if (a->n_ids == 0) a->first_token_seconds = now;
    if (!take_event(l, a, v, &e)) {
      code = fail(o->json, EXIT_MEMORY, "out of memory for the answer");
      break;
    }
    if (e.kind == RETORT_EVENT_END) {
      a->finish_reason = retort_finish_name(e.finish);
      break;
    }
    if (ferror(stdout)) break; /* whoever read has gone; main() says so */
  }
  progress_end(&bar);
  double all = seconds() - start;
  a->prompt_seconds = prompt_end > 0 ? prompt_end : a->first_token_seconds;
  a->decode_seconds = all > a->prompt_seconds ? all - a->prompt_seconds : 0;
  a->usage.struct_size = sizeof a->usage;
  retort_session_get_usage(l->session, &a->usage, NULL);
  if (code == EXIT_OK && o->service.generate.proof && retort_session_get_proof(l->session, a->logits_sha256, &error))
    code = fail_status(o->json, &error);
  return code;
}

void answer_free(answer *a) {
  free(a->text.bytes);
  free(a->reasoning.bytes);
  free(a->ids);
  *a = (answer){0};
}

/* ---- what is said about it ---- */

static double rate(double n, double s) { return s > 0 ? n / s : 0; }

static json_t *ids_json(const int32_t *ids, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++) json_array_append_new(list, json_integer(ids[i]));
  return list;
}

static json_t *proof_json(const loaded *l, const options *o, const answer *a, const int32_t *prompt, size_t count, uint64_t seed) {
  char hex[65], date[20];
  service_options asked = o->service;
  json_t *digests = json_array();
  asked.generate.seed = seed;
  asked.chat.date = date_of(l, o, date);
  for (size_t i = 0; i < l->files.count; i++) {
    files_digest(&l->files, i, hex);
    json_array_append_new(digests, json_string(hex));
  }
  return service_proof(&(service_proof_inputs){.model_sha256 = digests,
                                               .prompt = prompt,
                                               .n_prompt = count,
                                               .options = &asked,
                                               .n_ctx = l->session_info.n_ctx,
                                               .positions = a->n_ids,
                                               .logits_sha256 = a->logits_sha256});
}

void print_proof(const loaded *l, const options *o, const answer *a, const int32_t *prompt, size_t count, uint64_t seed) {
  json_t *proof = proof_json(l, o, a, prompt, count, seed);
  char *line = service_proof_line(proof);
  puts(line ? line : "proof: out of memory");
  free(line);
  json_decref(proof);
}

json_t *answer_json(const loaded *l, const options *o, const answer *a, const int32_t *prompt, size_t count, uint64_t seed) {
  const retort_usage *u = &a->usage;
  json_t *timings =
      json_pack("{s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:i,s:i}", "load_s", l->load_seconds, "read_s", l->files.read_seconds, "hash_s",
                l->files.hash_seconds, "parse_s", l->parse_seconds, "prompt_s", a->prompt_seconds, "prompt_tokens_per_s",
                rate(u->prompt_tokens - u->cached_tokens, a->prompt_seconds), "first_token_s", a->first_token_seconds, "generation_s",
                a->decode_seconds, "generation_tokens_per_s", rate((double)a->n_ids, a->decode_seconds), "drafted_tokens",
                (int)u->drafted_tokens, "accepted_tokens", (int)u->accepted_tokens);
  json_t *all = json_pack("{s:s%,s:s%,s:o,s:o,s:s,s:o,s:o}", "text", a->text.bytes, a->text.size, "reasoning", a->reasoning.bytes,
                          a->reasoning.size, "prompt_ids", ids_json(prompt, count), "ids", ids_json(a->ids, a->n_ids), "finish_reason",
                          a->finish_reason, "usage", service_usage(u), "timings", timings);
  json_t *trust = service_verdict(&l->files.verdict);
  if (trust) json_object_set_new(trust, "memory", json_string(files_memory(&l->files)));
  json_object_set_new(all, "trust", trust);
  if (all && o->service.generate.proof) json_object_set_new(all, "proof", proof_json(l, o, a, prompt, count, seed));
  return all;
}

void print_timings(const loaded *l, const options *o, const answer *a) {
  const retort_usage *u = &a->usage;
  uint32_t fresh = u->prompt_tokens - u->cached_tokens;
  bool dim = colour_ok(stderr);
  if (!o->verbose && (o->json || !isatty(STDERR_FILENO) || !isatty(STDOUT_FILENO))) return;
  if (o->verbose) fprintf(stderr, "retort: first token %s after the prompt\n", time_text(a->first_token_seconds).text);
  fprintf(stderr, "%sloaded in %s; prompt %u tokens%s at %.0f/s; answer %zu tokens", dim ? DIM : "", time_text(l->load_seconds).text,
          u->prompt_tokens, u->cached_tokens ? " (part of it known)" : "", rate(fresh, a->prompt_seconds), a->n_ids);
  if (u->reasoning_tokens) fprintf(stderr, " (%u of them reasoning)", u->reasoning_tokens);
  if (u->drafted_tokens) fprintf(stderr, " (%u of %u drafts right)", u->accepted_tokens, u->drafted_tokens);
  fprintf(stderr, " at %.1f/s; %s in all%s\n", rate((double)a->n_ids, a->decode_seconds),
          time_text(l->load_seconds + a->prompt_seconds + a->decode_seconds).text, dim ? PLAIN : "");
}
