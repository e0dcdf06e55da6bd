/* run.c - `retort run`: one prompt, one answer. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"
#include "commands.h"
#include "terminal/printable.h"

/* One final newline of a piped text is the shell's, not the person's. */
static void without_last_newline(const options *o, text_buffer *text) {
  if (!o->raw && text->size && text->bytes[text->size - 1] == '\n') text->bytes[--text->size] = 0;
}

/* Something was sent there: a file, or a pipe that says something or ends. What is merely inherited, such as a terminal, /dev/null or a
 * pipe that nobody writes into, is not waited for longer than it takes to start another program. */
static bool has_input(void) {
  enum { MILLISECONDS = 200 };
  struct stat info;
  if (fstat(STDIN_FILENO, &info) != 0 || !(S_ISREG(info.st_mode) || S_ISFIFO(info.st_mode))) return false;
  return poll(&(struct pollfd){.fd = STDIN_FILENO, .events = POLLIN}, 1, MILLISECONDS) > 0;
}

/* Another part of the prompt, after a blank line. */
static int add_part(const options *o, int code, text_buffer *part, text_buffer *prompt) {
  without_last_newline(o, part);
  if (code == EXIT_OK && part->size &&
      (!text_append(prompt, "\n\n", prompt->size ? 2 : 0) || !text_append(prompt, part->bytes, part->size)))
    code = fail(o->json, EXIT_MEMORY, "out of memory for the prompt");
  free(part->bytes);
  return code;
}

/* Arguments, the file of --file, and standard input, where each is given: what people do to ask about a text. */
static int get_prompt(const options *o, text_buffer *prompt) {
  const bool dash = o->n_arguments == 1 && strcmp(o->arguments[0], "-") == 0, words = o->n_arguments > 0 && !dash;
  text_buffer file = {0}, input = {0};
  int code = words ? join_arguments(o, prompt) : EXIT_OK;
  if (code == EXIT_OK && o->prompt_file) code = add_part(o, read_text_file(o->prompt_file, o->json, &file), &file, prompt);
  if (code == EXIT_OK && ((!words && !o->prompt_file) || dash || has_input())) {
    if (isatty(STDIN_FILENO)) fprintf(stderr, "Type the prompt, then Ctrl-D.\n");
    code = add_part(o, read_stream(stdin, o->json, &input), &input, prompt);
  }
  if (code == EXIT_OK && prompt->size == 0)
    code = fail(o->json, EXIT_USAGE, "the prompt is empty; give it as an argument or on standard input");
  return code;
}

static int tokens_of(const loaded *l, const options *o, const text_buffer *prompt, int32_t **ids, size_t *count) {
  if (o->raw) return raw_prompt(l, o, prompt->bytes, prompt->size, ids, count);
  if (!l->vocab_info.chat_template) {
    warn("this model has no chat template, so the prompt is taken as it is (--raw says that you know)");
    return raw_prompt(l, o, prompt->bytes, prompt->size, ids, count);
  }
  json_t *messages = json_array(), *text = json_stringn(prompt->bytes, prompt->size);
  if (!text) {
    json_decref(messages);
    return fail(o->json, EXIT_USAGE, "the prompt is not valid UTF-8; convert it, or use --raw");
  }
  if (o->system) json_array_append_new(messages, json_pack("{s:s,s:s}", "role", "system", "content", o->system));
  json_array_append_new(messages, json_pack("{s:s,s:o}", "role", "user", "content", text));
  int code = chat_prompt(l, o, messages, ids, count);
  json_decref(messages);
  return code;
}

/* The reasoning is not lost where it was not shown. */
static int no_answer(const options *o, const answer *a) {
  warn("the model ended its turn inside its reasoning%s; another --seed, or --thinking-budget, may help",
       a->text.size ? ", so the answer may lack its end" : ", so there is no answer");
  if (!o->json && !o->show_thinking && !steerable(stdout) && a->text.size == 0) {
    fputs("retort: this was the reasoning:\n", stderr);
    char piece[1024];
    for (size_t at = 0; at < a->reasoning.size;) {
      at += printable(piece, sizeof piece, a->reasoning.bytes + at, a->reasoning.size - at, true);
      fputs(piece, stderr);
    }
    fputc('\n', stderr);
  }
  return EXIT_NO_ANSWER;
}

static int answer_prompt(loaded *l, const options *o, const text_buffer *prompt, uint64_t seed) {
  int32_t *ids = NULL;
  size_t count = 0;
  answer a = {0};
  answer_view v;
  const retort_generate_options *g = &o->service.generate;
  interrupts_end_it(true, o->json); /* a long prompt is long in becoming tokens, and until answer_generate has it */
  int code = tokens_of(l, o, prompt, &ids, &count);
  if (code != EXIT_OK) return code;
  if (o->verbose)
    fprintf(stderr,
            "retort: temperature %g, top-p %g, top-k %u, min-p %g, repeat penalty %g, seed %llu, max tokens %u%s, thinking budget %d\n",
            (double)g->temperature, (double)g->top_p, g->top_k, (double)g->min_p, (double)g->repetition_penalty, (unsigned long long)seed,
            g->max_tokens, g->max_tokens ? "" : " (until the context is full)", g->thinking_budget);
  answer_view_begin(&v, o, THINKING_STREAM);
  code = answer_generate(l, o, ids, count, seed, &v, &a);
  bool said = code == EXIT_OK || a.n_ids > 0;
  if (said) answer_view_end(&v);
  if (code == EXIT_OK && o->json) {
    json_t *all = answer_json(l, o, &a, ids, count, seed);
    if (!all) code = fail(true, EXIT_MEMORY, "out of memory for the answer");
    if (all) {
      put_json(all, JSON_REAL_PRECISION(9));
      putchar('\n');
    }
    json_decref(all);
  } else if (code == EXIT_OK && g->proof) {
    print_proof(l, o, &a, ids, count, seed);
  }
  if (code == EXIT_OK && a.text.size == 0 && a.reasoning.size > 0 && strcmp(a.finish_reason, "length") == 0)
    warn("%s came before the reasoning was done, so there is no answer; --thinking-budget closes the reasoning in time",
         g->max_tokens ? "--max-tokens" : "the end of the context");
  if (code == EXIT_OK && strcmp(a.finish_reason, retort_finish_name(RETORT_FINISH_REASONING)) == 0) code = no_answer(o, &a);
  if (said) print_timings(l, o, &a);
  if (code == EXIT_OK && interrupted()) code = EXIT_INTERRUPTED;
  answer_free(&a);
  free(ids);
  return code;
}

static int run(const options *o) {
  loaded l = {0};
  text_buffer prompt = {0};
  uint64_t seed = 0;
  catch_interrupts();
  int code = answer_seed(o, &seed);
  if (code == EXIT_OK && o->raw && o->system)
    code = fail(o->json, EXIT_USAGE, "--system is part of the chat template, which --raw leaves out");
  if (code == EXIT_OK && o->show_thinking && o->hide_thinking)
    code = fail(o->json, EXIT_USAGE, "--show-thinking and --hide-thinking contradict each other");
  if (code == EXIT_OK) code = get_prompt(o, &prompt);
  if (code == EXIT_OK && o->raw && (o->template_file || o->template_variables.count))
    code = fail(o->json, EXIT_USAGE, "--raw leaves the chat template out, and so --template and --template-var");
  if (code == EXIT_OK) code = load(&l, o, LOAD_VOCAB | LOAD_MODEL | LOAD_SESSION);
  if (code == EXIT_OK) code = chat_settings(&l, o);
  if (code == EXIT_OK) code = load_session(&l, o, o->service.session.n_ctx);
  if (code == EXIT_OK) code = answer_prompt(&l, o, &prompt, seed);
  unload(&l);
  free(prompt.bytes);
  return code;
}

static const option_spec specs[] = {
    OPTIONS_COMPUTE,
    SHARED(n_ctx),
    SHARED(date),
    OPTIONS_TEMPLATE,
    {"system", 's', OPTION_STRING, AT(system), "TEXT", 0, 0, "system message before the prompt"},
    {"file", 'f', OPTION_STRING, AT(prompt_file), "FILE", 0, 0, "a text file that belongs to the prompt; `-` is standard input"},
    {"raw", 0, OPTION_FLAG, AT(raw), NULL, 0, 0,
     "take the prompt as it is, without the model's chat template; special tokens may be spelled out"},
    OPTIONS_SAMPLING,
    OPTIONS_CARE,
    OPTIONS_THINKING,
    SHARED(proof),
    OPTIONS_OUTPUT,
};

const command run_command = {
    .name = "run",
    .summary = "answer one prompt",
    .usage = "[-m FILE] [OPTIONS] [PROMPT...]",
    .text =
        "Answers one prompt, given as arguments, in a file, on standard input, or in parts: the parts follow each other with a blank line "
        "between. The answer goes to standard output, everything else to standard "
        "error. On a terminal "
        "the reasoning is shown dim before the answer; elsewhere only the answer is printed. The same model, prompt, options and seed give "
        "the same answer on any machine.",
    .examples =
        "  retort run \"What is 4821 + 396?\"\n  retort run -m model.gguf --temp 0 -n 200 < prompt.txt\n"
        "  retort run \"Summarise this.\" < article.txt\n  retort run --json --proof \"2 + 2 =\" | jq -r .proof.logits_sha256\n  retort "
        "run --thinking-budget 500 \"How many primes are "
        "below 100?\"\n",
    .specs = specs,
    .n_specs = sizeof specs / sizeof specs[0],
    .run = run,
};
