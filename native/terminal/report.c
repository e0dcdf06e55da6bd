/* report.c - how the program speaks: exit codes, errors, colours, progress, sizes and times.
 *
 * Results go to standard output, everything said about them to standard error, so a pipe carries nothing but the result. The one piece of
 * global state in the program is here: the flag that a signal handler may set.
 */
#include "report.h"

#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <termios.h>
#include <unistd.h>

static const char *kind_of(int code) {
  switch (code) {
    case EXIT_USAGE: return "usage";
    case EXIT_MODEL: return "model";
    case EXIT_UNSUPPORTED: return "unsupported";
    case EXIT_MEMORY: return "memory";
    case EXIT_CONTEXT: return "context";
    case EXIT_TRUST: return "trust";
    case EXIT_INTERRUPTED: return "interrupted";
    default: return "runtime";
  }
}

static int say_error(bool json, int code, const char *kind, const char *message) {
  const shown_text safe = shown(message);
  fprintf(stderr, "retort: error: %s\n", safe.text);
  if (json) {
    json_t *o = json_pack("{s:{s:i,s:s,s:s}}", "error", "code", code, "kind", kind, "message", safe.text);
    put_json(o, 0);
    putchar('\n');
    json_decref(o);
  }
  return code;
}

int fail(bool json, int code, const char *format, ...) {
  char message[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return say_error(json, code, kind_of(code), message);
}

int fail_status(bool json, const retort_error *error) {
  int code = EXIT_RUNTIME;
  switch ((retort_status)error->status) {
    case RETORT_ERROR_MEMORY: code = EXIT_MEMORY; break;
    case RETORT_ERROR_FORMAT: code = EXIT_MODEL; break;
    case RETORT_ERROR_UNSUPPORTED: code = EXIT_UNSUPPORTED; break;
    case RETORT_ERROR_CONTEXT: code = EXIT_CONTEXT; break;
    case RETORT_ERROR_TRUST: code = EXIT_TRUST; break;
    case RETORT_ERROR_INTERRUPTED: code = EXIT_INTERRUPTED; break;
    default: break;
  }
  return say_error(json, code, retort_status_name((retort_status)error->status), error->message);
}

void warn(const char *format, ...) {
  char message[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  fprintf(stderr, "retort: warning: %s\n", shown(message).text);
}

json_t *text_json(const char *text) {
  json_t *value = json_string(text);
  if (value) return value;
  char *copy = strdup(text);
  for (char *c = copy; c && *c; c++)
    if ((unsigned char)*c >= 0x80) *c = '?';
  value = copy ? json_string(copy) : NULL;
  free(copy);
  return value;
}

int print_json_line(json_t *value) {
  if (!value) return fail(true, EXIT_MEMORY, "out of memory");
  put_json(value, JSON_COMPACT | JSON_REAL_PRECISION(9));
  putchar('\n');
  json_decref(value);
  return EXIT_OK;
}

static volatile sig_atomic_t interrupt_flag, interrupt_ends, interrupt_json;
static retort_session *volatile interrupted_session;

void interrupts_reach(retort_session *session) { interrupted_session = session; }

static void leave(void) {
  static const char words[] = "retort: error: interrupted\n",
                    object[] = "{\"error\": {\"code\": 130, \"kind\": \"interrupted\", \"message\": \"interrupted\"}}\n";
  ssize_t n = write(STDERR_FILENO, words, sizeof words - 1);
  if (interrupt_json) n = write(STDOUT_FILENO, object, sizeof object - 1);
  (void)n;
  _exit(EXIT_INTERRUPTED);
}

void interrupts_end_it(bool end, bool json) {
  interrupt_json = json;
  interrupt_ends = end;
  if (end && interrupt_flag) leave(); /* it came just before */
}

static struct termios typing_shown;
static volatile sig_atomic_t typing_hidden;

void show_typing(bool show) {
  struct termios hidden;
  if (show) {
    if (typing_hidden) tcsetattr(STDIN_FILENO, TCSANOW, &typing_shown);
    typing_hidden = 0;
    return;
  }
  if (typing_hidden || tcgetattr(STDIN_FILENO, &typing_shown) != 0 || !(typing_shown.c_lflag & ECHO)) return;
  hidden = typing_shown;
  hidden.c_lflag &= ~(tcflag_t)ECHO;
  typing_hidden = 1;
  tcsetattr(STDIN_FILENO, TCSANOW, &hidden);
}

/* Runs in the command's thread, which alone opens and closes sessions: all others block signals. */
static void on_interrupt(int number) {
  (void)number;
  show_typing(true); /* a second one ends the program at once */
  if (interrupt_ends) leave();
  interrupt_flag = 1;
  retort_session_interrupt(interrupted_session);
}

void catch_interrupts(void) {
  /* Without SA_RESTART, so that a read of standard input returns; with SA_RESETHAND, so that a second Ctrl-C always ends the program. */
  struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
  interrupt_flag = 0;
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  struct sigaction before; /* nohup has set it to be ignored, and that stays */
  if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, NULL);
}

bool interrupted(void) { return interrupt_flag != 0; }
void clear_interrupt(void) { catch_interrupts(); }

bool steerable(FILE *file) {
  const char *term = getenv("TERM");
  return isatty(fileno(file)) && term && *term && strcmp(term, "dumb") != 0;
}

bool colour_ok(FILE *file) {
  const char *no = getenv("NO_COLOR");
  return steerable(file) && !(no && *no);
}

double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

short_text memory_text(uint64_t bytes) {
  static const char unit[][4] = {"B", "KiB", "MiB", "GiB", "TiB"};
  short_text s;
  double x = (double)bytes;
  size_t i = 0;
  while (x >= 999.5 && i + 1 < sizeof unit / sizeof unit[0]) x /= 1024, i++;
  snprintf(s.text, sizeof s.text, x < 9.995 && i > 0 ? "%.2f %s" : x < 99.95 && i > 0 ? "%.1f %s" : "%.0f %s", x, unit[i]);
  return s;
}

short_text time_text(double s) {
  short_text t;
  if (s < 0.9995) snprintf(t.text, sizeof t.text, "%.0f ms", s * 1e3);
  else if (s < 99.95) snprintf(t.text, sizeof t.text, "%.1f s", s);
  else snprintf(t.text, sizeof t.text, "%d min %d s", (int)(lround(s) / 60), (int)(lround(s) % 60));
  return t;
}

void progress_begin(progress *p, const char *what, bool on) {
  *p = (progress){.what = what, .started = seconds(), .on = on && isatty(STDERR_FILENO)};
}

void progress_show(progress *p, double fraction, const char *detail) {
  double now = seconds();
  if (!p->on || now - p->started < 0.5 || (p->visible && now - p->shown < 0.1)) return;
  char bar[31];
  int filled = (int)(fraction * 30);
  for (int i = 0; i < 30; i++) bar[i] = i < filled ? '#' : '.';
  bar[30] = 0;
  fprintf(stderr, "\r\033[K%s [%s] %3.0f %% %s", p->what, bar, fraction * 100, detail ? detail : "");
  fflush(stderr);
  p->visible = true;
  p->shown = now;
}

void progress_end(progress *p) {
  if (p->visible) fputs("\r\033[K", stderr);
  p->visible = false;
}
