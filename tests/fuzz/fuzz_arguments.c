/* fuzz_arguments.c - any lines as the arguments of any command: they are taken, or refused with an exit code of their own. */
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "target.h"

enum { MOST_ARGUMENTS = 24 };

static const command *const commands[] = {&run_command,    &chat_command,   &inspect_command, &tokenize_command, &perplexity_command,
                                          &logits_command, &bench_command,  &keygen_command,  &sign_command,     &verify_command,
                                          &trust_command,  &device_command, &update_command};

void fuzz_one(const uint8_t *data, size_t size) {
  char *argv[MOST_ARGUMENTS + 2] = {0}, *text = malloc(size + 1);
  options o;
  int argc = 0, code = -1;
  if (!text) abort();
  memcpy(text, data, size);
  text[size] = 0;
  const command *c = commands[size ? data[0] % RT_COUNT(commands) : 0];
  argv[argc++] = (char *)(uintptr_t)c->name; /* only read */
  for (char *at = size ? text + 1 : text; at && argc <= MOST_ARGUMENTS;) {
    char *end = strchr(at, '\n');
    if (end) *end++ = 0;
    argv[argc++] = at;
    at = end;
  }
  if (!options_parse(c, argc, argv, &o, &code) && code < 0) abort();
  free(text);
}
