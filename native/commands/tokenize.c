/* tokenize.c - `retort tokenize`: text to token ids, and back with --decode. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "terminal/text_input.h"
#include "models/load.h"
#include "service/request.h"

static void print_json_ids(const int32_t *ids, size_t count) {
  putchar('[');
  for (size_t i = 0; i < count; i++) printf(i ? ", %d" : "%d", ids[i]);
  printf("]\n");
}

/* One line a token: its id and its text with control characters spelled out. */
static void print_tokens(const retort_vocab *vocab, const int32_t *ids, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char text[1024];
    size_t size = 0;
    retort_error error;
    printf("%8d  ", ids[i]);
    if (retort_detokenize(vocab, &ids[i], 1, RETORT_TOKENIZE_SPECIAL, text, sizeof text, &size, &error)) size = 0;
    for (size_t k = 0; k < size; k++) {
      unsigned char c = (unsigned char)text[k];
      if (c == '\n') printf("\\n");
      else if (c == '\t') printf("\\t");
      else if (c < 32 || c == 127 || c == '\\') printf("\\x%02x", c);
      else putchar(c);
    }
    putchar('\n');
  }
  printf("%zu token%s\n", count, count == 1 ? "" : "s");
}

static int encode(const loaded *l, const options *o) {
  retort_error error;
  text_buffer text = {0};
  size_t count = 0;
  int code = o->n_arguments > 0 ? join_arguments(o, &text) : read_stream(stdin, o->json, &text);
  if (code != EXIT_OK) return code;
  uint32_t flags = o->no_special ? 0 : RETORT_TOKENIZE_SPECIAL;
  int32_t *ids;
  retort_status status = service_text_ids(l->vocab, text.bytes, text.size, flags, &ids, &count, &error);
  free(text.bytes);
  if (status) return fail_status(o->json, &error);
  if (o->json) print_json_ids(ids, count);
  else print_tokens(l->vocab, ids, count);
  free(ids);
  return EXIT_OK;
}

static int decode(const loaded *l, const options *o) {
  retort_error error;
  text_buffer text = {0};
  size_t count = 0, size = 0;
  int32_t *ids = NULL;
  int code = o->n_arguments > 0 ? join_arguments(o, &text) : read_stream(stdin, o->json, &text);
  if (code != EXIT_OK) return code;
  code = parse_ids(text.bytes, l->vocab_info.n_tokens, o->json, &ids, &count);
  free(text.bytes);
  if (code != EXIT_OK) return code;
  uint32_t flags = o->no_special ? 0 : RETORT_TOKENIZE_SPECIAL;
  retort_detokenize(l->vocab, ids, count, flags, NULL, 0, &size, NULL);
  char *out = malloc(size + 1);
  if (!out) code = fail(o->json, EXIT_MEMORY, "out of memory");
  if (out && retort_detokenize(l->vocab, ids, count, flags, out, size, &size, &error)) code = fail_status(o->json, &error);
  if (code == EXIT_OK && o->json) {
    json_t *string = json_stringn(out, size);
    if (!string) code = fail(true, EXIT_RUNTIME, "these tokens are not whole UTF-8 characters; leave --json away for the bytes");
    if (string) {
      put_json(string, JSON_ENCODE_ANY);
      putchar('\n');
    }
    json_decref(string);
  } else if (code == EXIT_OK) {
    fwrite(out, 1, size, stdout);
  }
  free(out);
  free(ids);
  return code;
}

static int tokenize(const options *o) {
  loaded l;
  int code = load(&l, o, LOAD_VOCAB);
  if (code == EXIT_OK) code = o->decode ? decode(&l, o) : encode(&l, o);
  unload(&l);
  return code;
}

static const option_spec specs[] = {
    OPTION_MODEL,
    {"no-special", 0, OPTION_FLAG, AT(no_special), NULL, 0, 0,
     "text that looks like a special token stays text; with --decode special tokens print nothing"},
    {"decode", 'd', OPTION_FLAG, AT(decode), NULL, 0, 0, "the other way: ids (as JSON, or with spaces or commas between) to text"},
    OPTIONS_OUTPUT,
};

const command tokenize_command = {
    .name = "tokenize",
    .summary = "text to token ids, and back",
    .usage = "[-m FILE] [OPTIONS] [TEXT...]",
    .text =
        "Reads text from standard input, or takes it from the arguments, and prints its tokens, one a line, or with --json as one array of "
        "ids. "
        "Nothing is added: no beginning-of-text token, no final newline. Only the header of the model file is read.",
    .examples =
        "  retort tokenize \"Hello world\"\n  retort tokenize -m model.gguf --json < text.txt\n  echo '[9707, 1879]' | retort tokenize -m "
        "model.gguf --decode\n",
    .specs = specs,
    .n_specs = sizeof specs / sizeof specs[0],
    .run = tokenize,
};
