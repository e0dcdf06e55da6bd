/* main.c - the `retort` program: picks the command. */
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/commands.h"
#include "commands/rights.h"
#include "terminal/report.h"

static const command *const commands[] = {&run_command,    &chat_command,   &inspect_command, &tokenize_command, &perplexity_command,
                                          &logits_command, &bench_command,  &keygen_command,  &sign_command,     &verify_command,
                                          &trust_command,  &device_command, &update_command};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static const char *command_name(const void *context, size_t i) {
  (void)context;
  return commands[i]->name;
}

static const command *find_command(const char *name) {
  for (size_t i = 0; i < N_COMMANDS; i++)
    if (strcmp(commands[i]->name, name) == 0) return commands[i];
  return NULL;
}

static int unknown_command(const char *name) {
  static const char *const habits[][2] = {{"list", "models are files, wherever you keep them; `retort inspect FILE` says what one is"},
                                          {"ls", "models are files, wherever you keep them; `retort inspect FILE` says what one is"},
                                          {"rm", "models are files, which you remove like others"},
                                          {"show", "`retort inspect` does that"},
                                          {"pull", "models are not fetched yet: give a GGUF file with -m"},
                                          {"serve", "there is no server yet"}};
  for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
    if (strcmp(name, habits[i][0]) == 0) return fail(false, EXIT_USAGE, "there is no command '%s': %s", name, habits[i][1]);
  const char *near = nearest_name(name, N_COMMANDS, command_name, NULL);
  if (near) return fail(false, EXIT_USAGE, "there is no command '%s'; did you mean %s? `retort help` lists them", name, near);
  return fail(false, EXIT_USAGE, "there is no command '%s'; `retort help` lists them", name);
}

static void help(void) {
  printf(
      "retort %s - distilled reasoning models from GGUF files, with the same bits on every machine\n\nusage: retort COMMAND "
      "[OPTIONS]\n\ncommands:\n",
      retort_version());
  for (size_t i = 0; i < N_COMMANDS; i++) printf("  %-11s %s\n", commands[i]->name, commands[i]->summary);
  printf(
      "\n`retort COMMAND --help` explains one; `retort --version` names the version and the numerics contract.\n\n"
      "examples:\n  retort run \"What is 4821 + 396?\"\n  retort chat -m DeepSeek-R1-Distill-Qwen-1.5B-Q4_K_M.gguf\n\nexit "
      "codes:\n" EXIT_CODES_TEXT);
}

/* Standard output is checked once, at the end: a full disk must not look like success. */
static int finish(int code) {
  if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_OK)
    return fail(false, EXIT_RUNTIME, "cannot write the output; is the disk full?");
  return code;
}

typedef struct call {
  int argc;
  char **argv;
  sigset_t signals;       /* blocked in the beginning */
  const command *command; /* NULL: all is said and done */
  options o;
  int code;
} call;

/* What is to be done; the exit code where that is all. */
static int choose(call *c) {
  const int argc = c->argc;
  char **argv = c->argv;
  setlocale(LC_CTYPE, ""); /* for the widths of characters; numbers stay as C writes them */
  const char *name = argc > 1 ? argv[1] : "";
  if (!*name) {
    help();
    return EXIT_USAGE;
  }
  if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
    printf("retort %s (numerics %u)\n", retort_version(), retort_numerics());
    return finish(EXIT_OK);
  }
  if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
    const command *about = argc > 2 ? find_command(argv[2]) : NULL;
    if (argc > 2 && !about) return unknown_command(argv[2]);
    if (about) options_help(about);
    else help();
    return finish(EXIT_OK);
  }
  const command *found = find_command(name);
  int code = EXIT_OK;
  if (!found) return unknown_command(name);
  if (!options_parse(found, argc - 1, argv + 1, &c->o, &code)) return finish(code);
  c->command = found;
  return code;
}

/* ---- on a stack of known size: the machine's own (ulimit -s) may be of 64 KB ---- */

enum { STACK_BYTES = 1 << 20 };

/* A pipe that is shared with somebody who set it to non-blocking would lose what it has no room for: opened anew, it is ours alone. Files
 * stay as they are, for a new opening would write at their beginning. */
static void make_blocking(int descriptor) {
  char name[32];
  struct stat info;
  const int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0 || !(flags & O_NONBLOCK) || fstat(descriptor, &info) != 0 || S_ISREG(info.st_mode)) return;
  snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
  const int own = S_ISFIFO(info.st_mode) ? open(name, O_WRONLY | O_CLOEXEC) : -1;
  if (own >= 0) dup2(own, descriptor), close(own);
  else fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK);
}

/* JSON keys are hashed with a seed that nobody outside can know, set before anything is read. Without it the core mixes its own. */
static void seed_hashes(void) {
  uint32_t seed;
  if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed && seed) json_object_seed(seed);
}

static void *parse(void *arg) {
  call *c = arg;
  c->code = choose(c);
  return NULL;
}

static void *run(void *arg) {
  call *c = arg;
  pthread_sigmask(SIG_SETMASK, &c->signals, NULL); /* signals reach this thread alone */
  c->code = finish(c->command->run(&c->o));
  return NULL;
}

static int on_own_stack(void *(*work)(void *), call *c) {
  pthread_attr_t attributes;
  pthread_t thread;
  int error = pthread_attr_init(&attributes);
  if (!error) error = pthread_attr_setstacksize(&attributes, STACK_BYTES);
  if (!error) error = pthread_create(&thread, &attributes, work, c);
  if (error) return fail(false, EXIT_MEMORY, "cannot start: %s", strerror(error));
  pthread_join(thread, NULL);
  return c->code;
}

/* Rights are given up here, between the two, so that no thread is left that has them. */
int main(int argc, char **argv) {
  static call c;
  sigset_t all;
  c.argc = argc;
  c.argv = argv;
  make_blocking(STDOUT_FILENO);
  make_blocking(STDERR_FILENO);
  seed_hashes();
  sigfillset(&all);
  sigdelset(&all, SIGBUS); /* of a mapped file that became shorter: it must reach whoever reads there */
  pthread_sigmask(SIG_SETMASK, &all, &c.signals);
  const int code = on_own_stack(parse, &c);
  if (!c.command) return code;
  rights_reduce(c.command, &c.o);
  return on_own_stack(run, &c);
}
