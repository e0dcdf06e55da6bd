/* chat.c - `retort chat`: a conversation.
 *
 * The conversation is a JSON array of messages; every turn renders it whole with the model's template, and the session computes only what
 * its cache does not hold yet. Ctrl-C belongs to the answer: it ends that and keeps what was said. The program is left with Ctrl-D, /quit,
 * or Ctrl-C twice at an empty prompt.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "commands.h"
#include "models/output.h"
#include "terminal/lineedit.h"

typedef struct conversation {
  loaded l;
  const options *o;
  json_t *messages;
  uint64_t seed;
  uint32_t again; /* times that the last answer was asked for again: each has another seed */
  size_t
      first; /* message from which on the model sees the conversation, beside the system message: a full context drops the oldest turns */
  char *last_reasoning;
  bool interactive, colour;
} conversation;

static void note(const conversation *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(const conversation *c, const char *format, ...) {
  va_list arguments;
  char *text = NULL;
  va_start(arguments, format);
  const int size = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (size < 0) return;
  if (c->colour) fputs(DIM, stderr);
  char piece[1024];
  for (size_t at = 0, n = 1; at < (size_t)size && n; at += n) {
    n = printable(piece, sizeof piece, text + at, (size_t)size - at, true);
    fputs(piece, stderr);
  }
  free(text);
  fputs(c->colour ? PLAIN "\n" : "\n", stderr);
}

static int add_message(conversation *c, const char *role, const char *text, size_t size) {
  json_t *content = json_stringn(text, size);
  if (!content) return fail(c->o->json, EXIT_USAGE, "the message is not valid UTF-8");
  json_array_append_new(c->messages, json_pack("{s:s,s:o}", "role", role, "content", content));
  return EXIT_OK;
}

static const char *role_at(const conversation *c, size_t i) {
  return json_string_value(json_object_get(json_array_get(c->messages, i), "role"));
}

static void remove_last(conversation *c) { json_array_remove(c->messages, json_array_size(c->messages) - 1); }

static bool last_is(const conversation *c, const char *role) {
  size_t n = json_array_size(c->messages);
  return n > 0 && strcmp(role_at(c, n - 1), role) == 0;
}

static bool has_system(const conversation *c) { return json_array_size(c->messages) > 0 && strcmp(role_at(c, 0), "system") == 0; }

/* What the model is shown. */
static json_t *seen(const conversation *c) {
  json_t *list = json_array();
  if (has_system(c)) json_array_append(list, json_array_get(c->messages, 0));
  for (size_t i = c->first > has_system(c) ? c->first : has_system(c); i < json_array_size(c->messages); i++)
    json_array_append(list, json_array_get(c->messages, i));
  return list;
}

/* Where the k-th turn after the one at `first` begins, with a message of the user; the number of messages where there are fewer. */
static size_t later_turn(const conversation *c, size_t first, size_t k) {
  size_t i = first > has_system(c) ? first : has_system(c);
  const size_t n = json_array_size(c->messages);
  while (k > 0 && i < n)
    if (++i < n && strcmp(role_at(c, i), "user") == 0) k--;
  return i;
}

static int prompt_from(conversation *c, size_t first, int32_t **ids, size_t *count) {
  free(*ids);
  *ids = NULL;
  c->first = first;
  json_t *messages = seen(c);
  const int code = chat_prompt(&c->l, c->o, messages, ids, count);
  json_decref(messages);
  return code;
}

/* The prompt, with as many turns as leave a quarter of the context for the answer, or what it may take. Where the last message alone is too
 * long it is left to be refused, and nothing is dropped. */
static int fitting_prompt(conversation *c, int32_t **ids, size_t *count) {
  const uint32_t n_ctx = c->l.session_info.n_ctx, most = c->o->service.generate.max_tokens;
  const size_t room = most && most < n_ctx / 4 ? most : n_ctx / 4, before = c->first, n = json_array_size(c->messages);
  size_t low = 1, high = 0;
  int code = prompt_from(c, before, ids, count);
  if (code != EXIT_OK || *count + room <= n_ctx) return code;
  for (size_t i = later_turn(c, before, 1); i < n; i++) high += strcmp(role_at(c, i), "user") == 0;
  if (high == 0) return code;
  code = prompt_from(c, later_turn(c, before, high), ids, count);
  if (code != EXIT_OK || *count > n_ctx) {
    c->first = before;
    return code;
  }
  while (code == EXIT_OK && low < high) {
    const size_t middle = low + (high - low) / 2;
    code = prompt_from(c, later_turn(c, before, middle), ids, count);
    if (*count + room <= n_ctx) high = middle;
    else low = middle + 1;
  }
  if (code == EXIT_OK) code = prompt_from(c, later_turn(c, before, low), ids, count);
  if (code != EXIT_OK) c->first = before;
  else
    note(c, "(the context of %u tokens is full: from here on the model no longer sees the oldest %s; /save still has all)", n_ctx,
         low == 1 ? "turn" : "turns");
  return code;
}

/* Answers the last message, which is the user's. */
static int answer_last(conversation *c) {
  int32_t *ids = NULL;
  size_t count = 0;
  answer a = {0};
  answer_view v;
  int code = fitting_prompt(c, &ids, &count);
  if (code != EXIT_OK) return code;
  answer_view_begin(&v, c->o, THINKING_FOLD);
  code = answer_generate(&c->l, c->o, ids, count, c->seed + c->again, &v, &a);
  if (code == EXIT_OK || a.n_ids > 0) {
    answer_view_end(&v);
    free(c->last_reasoning);
    c->last_reasoning = strdup(a.reasoning.bytes);
    const char *text = a.text.bytes;
    size_t size = a.text.size;
    while (size && *text == '\n') text++, size--;
    add_message(c, "assistant", text, size);
  }
  if (code == EXIT_OK && c->o->json) {
    json_t *all = answer_json(&c->l, c->o, &a, ids, count, c->seed + c->again);
    if (all) put_json(all, JSON_COMPACT | JSON_REAL_PRECISION(9));
    putchar('\n');
    fflush(stdout);
    json_decref(all);
  }
  if (code == EXIT_OK && strcmp(a.finish_reason, "interrupted") == 0) note(c, "(stopped)");
  if (code == EXIT_OK && strcmp(a.finish_reason, retort_finish_name(RETORT_FINISH_REASONING)) == 0)
    note(c, "(the model ended its turn inside its reasoning: /thinking shows it, /regen tries anew)");
  if (code == EXIT_OK && strcmp(a.finish_reason, "length") == 0)
    note(c,
         c->o->service.generate.max_tokens && a.n_ids >= c->o->service.generate.max_tokens
             ? "(cut: --max-tokens)"
             : "(cut: the context of %u tokens is full; with the next message the oldest turns are dropped)",
         c->l.session_info.n_ctx);
  if (code == EXIT_OK && c->o->verbose) print_timings(&c->l, c->o, &a);
  answer_free(&a);
  free(ids);
  return code;
}

static int say(conversation *c, const char *text, size_t size) {
  int code = add_message(c, "user", text, size);
  if (code != EXIT_OK) return code;
  c->again = 0;
  code = answer_last(c);
  if (code != EXIT_OK && last_is(c, "user")) remove_last(c); /* the conversation stays usable */
  if (code == EXIT_CONTEXT && c->interactive)
    note(c, "(the message was not taken: it is longer than the context; shorten it, or start again with a larger --ctx)");
  return code;
}

/* ---- the slash commands ---- */

static void reset(conversation *c) {
  const bool system = has_system(c);
  while (json_array_size(c->messages) > system) remove_last(c);
  c->first = 0;
}

static void set_system(conversation *c, const char *text) {
  const bool had = has_system(c);
  if (!*text && had) {
    note(c, "system message: %s", json_string_value(json_object_get(json_array_get(c->messages, 0), "content")));
  } else if (!*text) {
    note(c, "there is no system message; /system TEXT sets one");
  } else {
    json_t *message = json_pack("{s:s,s:s}", "role", "system", "content", text);
    if (!message) return;
    json_array_clear(c->messages);
    json_array_append_new(c->messages, message);
    c->first = 0;
    note(c, "system message set; the conversation starts anew");
  }
}

static void save(conversation *c, const char *path, bool over) {
  if (!*path) {
    note(c, "/save FILE writes the conversation: as JSON where FILE ends in .json, else as text");
    return;
  }
  if (!over && access(path, F_OK) == 0) {
    note(c, "%s exists already; give another name, or write over it with /save! %s", path, path);
    return;
  }
  output out;
  if (output_open(&out, path, false, false) != EXIT_OK) return;
  FILE *file = out.file;
  size_t n = strlen(path);
  if (n > 5 && strcmp(path + n - 5, ".json") == 0) {
    json_dumpf(c->messages, file, JSON_INDENT(2));
    putc('\n', file);
  } else {
    for (size_t i = 0; i < json_array_size(c->messages); i++)
      fprintf(file, "## %s\n\n%s\n\n", role_at(c, i), json_string_value(json_object_get(json_array_get(c->messages, i), "content")));
  }
  if (ferror(file)) output_close(&out, fail(false, EXIT_RUNTIME, "cannot write %s", path));
  else if (output_close(&out, EXIT_OK) == EXIT_OK) note(c, "saved to %s", path);
}

/* A saved conversation: [{"role", "content"}...], the roles in their order. */
static int take_saved(conversation *c, const char *path, const text_buffer *text) {
  json_error_t why;
  json_t *list = json_loadb(text->bytes, text->size, JSON_REJECT_DUPLICATES, &why), *item;
  bool good = json_is_array(list) && json_array_size(list) > 0;
  size_t i;
  json_array_foreach(list, i, item) {
    const char *role = json_string_value(json_object_get(item, "role"));
    good = good && role && json_is_string(json_object_get(item, "content")) &&
           (strcmp(role, "user") == 0 || strcmp(role, "assistant") == 0 || (i == 0 && strcmp(role, "system") == 0));
  }
  if (!good) {
    json_decref(list);
    return fail(c->o->json, EXIT_USAGE,
                "%s is no conversation: /save FILE.json writes [{\"role\", \"content\"}...] with the roles system, user and assistant",
                path);
  }
  json_decref(c->messages);
  c->messages = list;
  c->first = 0;
  if (last_is(c, "user")) remove_last(c); /* it was not answered */
  return EXIT_OK;
}

static int load_saved(conversation *c, const char *path) {
  text_buffer text = {0};
  int code = read_text_file(path, c->o->json, &text);
  if (code == EXIT_OK) code = take_saved(c, path, &text);
  free(text.bytes);
  if (code == EXIT_OK) note(c, "%zu messages of %s; the conversation goes on from there", json_array_size(c->messages), path);
  return code;
}

static void regenerate(conversation *c) {
  if (last_is(c, "assistant")) remove_last(c);
  if (!last_is(c, "user")) {
    note(c, "there is nothing to answer again");
    return;
  }
  c->again++;
  answer_last(c);
}

static void info(const conversation *c) {
  retort_session_info i = {.struct_size = sizeof i};
  retort_session_get_info(c->l.session, &i, NULL);
  note(c, "%s; %u of %u tokens of context used; keys and values %s; %u threads; kernels %s", c->l.path, i.n_past, i.n_ctx,
       memory_text(i.kv_bytes).text, machine_platform(c->l.m)->workers, c->l.model_info.kernels);
}

static const struct {
  const char *name, *text;
} slash[] = {
    {"/help", "this list"},
    {"/reset", "forget the conversation"},
    {"/regen", "answer the last message again, with another seed"},
    {"/system", "TEXT: set the system message and start anew; alone: show it"},
    {"/thinking", "show the reasoning behind the last answer in full"},
    {"/save", "FILE: write the conversation (.json: as messages); /save! also over a file that is there"},
    {"/load", "FILE: go on with a conversation that was saved as JSON"},
    {"/info", "model, context used, memory"},
    {"/quit", "leave (also Ctrl-D)"},
};
enum { N_SLASH = sizeof slash / sizeof slash[0] };

static const char *slash_name(const void *context, size_t i) {
  (void)context;
  return slash[i].name;
}

static void help(const conversation *c) {
  for (size_t i = 0; i < N_SLASH; i++) note(c, "%-10s %s", slash[i].name, slash[i].text);
  note(c, "Ctrl-C stops an answer. Several lines: paste them, or end a line with \\. Arrows and Ctrl-R find earlier messages.");
}

/* Does what a line that starts with '/' asks for; false: leave. */
static bool command_line(conversation *c, const char *line) {
  size_t n = strcspn(line, " ");
  const char *argument = line + n + strspn(line + n, " ");
  char name[32];
  snprintf(name, sizeof name, "%.*s", n > 31 ? 31 : (int)n, line);
  if (strcmp(name, "/quit") == 0 || strcmp(name, "/exit") == 0 || strcmp(name, "/bye") == 0) return false;
  if (strcmp(name, "/help") == 0 || strcmp(name, "/?") == 0) {
    help(c);
  } else if (strcmp(name, "/reset") == 0 || strcmp(name, "/clear") == 0) {
    reset(c);
    note(c, "the conversation starts anew");
  } else if (strcmp(name, "/regen") == 0) {
    regenerate(c);
  } else if (strcmp(name, "/system") == 0) {
    set_system(c, argument);
  } else if (strcmp(name, "/thinking") == 0) {
    note(c, "%s", c->last_reasoning && *c->last_reasoning ? c->last_reasoning : "the last answer came without reasoning");
  } else if (strcmp(name, "/save") == 0 || strcmp(name, "/save!") == 0) {
    save(c, argument, name[5] == '!');
  } else if (strcmp(name, "/load") == 0) {
    if (*argument) load_saved(c, argument);
    else note(c, "/load FILE goes on with a conversation that /save FILE.json wrote");
  } else if (strcmp(name, "/info") == 0) {
    info(c);
  } else {
    const char *near = nearest_name(name, N_SLASH, slash_name, NULL);
    note(c, near ? "there is no %s; did you mean %s?" : "there is no %s; /help lists the commands", name, near);
  }
  return true;
}

/* ---- the loop ---- */

static int converse(conversation *c) {
  line_editor *editor = line_editor_open(c->interactive, !c->o->no_history);
  text_buffer line = {0};
  int code = EXIT_OK;
  bool warned = false;
  if (!editor) return fail(c->o->json, EXIT_MEMORY, "out of memory");
  for (;;) {
    clear_interrupt();
    if (ferror(stdout)) break;
    line_status status = line_editor_read(editor, &line);
    if (status == LINE_INTERRUPTED) {
      if (c->interactive) putchar('\n');
      if (warned || !c->interactive) {
        code = EXIT_INTERRUPTED;
        break;
      }
      note(c, "(Ctrl-C again, or Ctrl-D, leaves)");
      warned = true;
      continue;
    }
    if (status == LINE_FAILED) code = fail(c->o->json, EXIT_MEMORY, "out of memory");
    if (status != LINE_OK) {
      if (c->interactive) putchar('\n');
      break;
    }
    warned = false;
    if (line.size == 0) continue;
    if (line.bytes[0] == '/') {
      if (!command_line(c, line.bytes)) break;
      continue;
    }
    code = say(c, line.bytes, line.size);
    if (code == EXIT_OK && interrupted() && !c->interactive) code = EXIT_INTERRUPTED;
    if (code != EXIT_OK && !c->interactive) break; /* a script learns at once; a person may go on */
    code = EXIT_OK;
    if (c->interactive) putchar('\n');
  }
  free(line.bytes);
  line_editor_close(editor);
  return code;
}

/* Where --ctx says nothing: as much as the model was made for and half of the free memory holds. It is taken page by page, as it fills. */
static uint32_t roomy_context(const loaded *l, const options *o) {
  const uint64_t per_token = retort_kv_bytes_per_token(l->gguf, o->service.session.kv_type), free_bytes = available_memory(),
                 train = l->model_info.n_ctx_train, fits = per_token ? free_bytes / 2 / per_token : 0;
  if (o->service.session.n_ctx || !free_bytes || fits <= RETORT_DEFAULT_CTX) return o->service.session.n_ctx;
  return (uint32_t)(train < fits ? train : fits / 1024 * 1024);
}

static int chat(const options *o) {
  conversation c = {.o = o, .messages = json_array()};
  c.interactive = !o->json && isatty(STDIN_FILENO) && steerable(stdout);
  c.colour = colour_ok(stderr);
  catch_interrupts();
  int code = answer_seed(o, &c.seed);
  if (code == EXIT_OK && o->n_arguments > 0)
    code = fail(o->json, EXIT_USAGE, "chat takes no prompt as an argument; `retort run` answers one");
  if (code == EXIT_OK && o->continued && o->system)
    code = fail(o->json, EXIT_USAGE, "--system belongs to a new conversation, --continue to one that has its own");
  if (code == EXIT_OK) code = load(&c.l, o, LOAD_VOCAB | LOAD_MODEL | LOAD_SESSION);
  if (code == EXIT_OK) code = chat_settings(&c.l, o);
  if (code == EXIT_OK && !c.l.vocab_info.chat_template)
    code = fail(o->json, EXIT_UNSUPPORTED,
                "this model has no chat template, so it knows no turns; `retort run --raw` continues a text with it");
  if (code == EXIT_OK) code = load_session(&c.l, o, roomy_context(&c.l, o));
  if (code == EXIT_OK && o->continued) code = load_saved(&c, o->continued);
  if (code == EXIT_OK && o->system) code = add_message(&c, "system", o->system, strlen(o->system));
  if (code == EXIT_OK) {
    if (c.interactive)
      note(&c, "%s, context %u tokens. /help lists commands, Ctrl-D leaves.", c.l.model_info.name[0] ? c.l.model_info.name : c.l.path,
           c.l.session_info.n_ctx);
    code = converse(&c);
  }
  json_decref(c.messages);
  free(c.last_reasoning);
  unload(&c.l);
  return code;
}

static const option_spec specs[] = {
    OPTIONS_COMPUTE,
    {.name = "ctx",
     .letter = 'c',
     .kind = OPTION_SHARED,
     .offset = SERVICE_n_ctx,
     .help = "context: most tokens of the conversation; where it is full, the oldest turns are dropped. Default: what the model was made "
             "for, or what half of the free memory holds"},
    SHARED(date),
    OPTIONS_TEMPLATE,
    {"system", 's', OPTION_STRING, AT(system), "TEXT", 0, 0, "system message"},
    {"no-history", 0, OPTION_FLAG, AT(no_history), NULL, 0, 0,
     "neither read nor keep the history of what was typed; else it is in ~/.local/state/retort/history ($XDG_STATE_HOME), for the arrows "
     "and Ctrl-R"},
    {"continue", 0, OPTION_STRING, AT(continued), "FILE", 0, 0, "go on with a conversation that /save FILE.json wrote"},
    OPTIONS_SAMPLING,
    OPTIONS_CARE,
    OPTIONS_THINKING,
    OPTIONS_OUTPUT,
};

const command chat_command = {
    .name = "chat",
    .summary = "talk with a model",
    .usage = "[-m FILE] [OPTIONS]",
    .text =
        "A conversation in the terminal, with line editing and history. Reasoning is shown dim while it comes and folded to one line when "
        "it is done. "
        "/help lists the commands; Ctrl-C stops an answer and not the program; Ctrl-D leaves. Where standard input is not a terminal each "
        "line is a message; "
        "with --json each answer is one line of JSON.",
    .examples =
        "  retort chat -m model.gguf\n  retort chat --system \"Answer in one sentence.\" --ctx 16384\n  printf 'Hello\\nAnd now in "
        "French\\n' | retort chat --hide-thinking\n",
    .specs = specs,
    .n_specs = sizeof specs / sizeof specs[0],
    .rights = WRITES_HERE,
    .run = chat,
};
