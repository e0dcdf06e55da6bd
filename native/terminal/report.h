/* report.h - how the program speaks: exit codes, errors, colours, progress, sizes and times. */
#ifndef REPORT_H
#define REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "retort.h"
#include "printable.h"

/* Documented in every --help; scripts rely on them. 7 is kept for refusals of trust. */
enum {
  EXIT_OK = 0,
  EXIT_RUNTIME = 1,
  EXIT_USAGE = 2,
  EXIT_MODEL = 3,
  EXIT_UNSUPPORTED = 4,
  EXIT_MEMORY = 5,
  EXIT_CONTEXT = 6,
  EXIT_TRUST = 7,
  EXIT_NO_ANSWER = 8,
  EXIT_INTERRUPTED = 130
};
#define EXIT_CODES_TEXT                                                                                                     \
  "  0 done   1 failed while running   2 wrong usage   3 model file missing or damaged   4 well-formed but not supported\n" \
  "  5 out of memory, or does not fit   6 prompt longer than the context   7 refused by the trust policy\n"                 \
  "  8 no answer: the model ended its turn inside its reasoning   130 interrupted\n"

/* `retort: error: ...` on standard error and, where `json`, {"error":{"code","kind","message"}} on standard output. Returns `code`. */
int fail(bool json, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same for a failure of the core: the exit code follows from the status. */
int fail_status(bool json, const retort_error *error);
/* `retort: warning: ...` on standard error. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A text from outside, such as a file name, as a JSON string; where it is not UTF-8 its bytes beyond ASCII become '?'. */
json_t *text_json(const char *text);
/* Writes one line of JSON to standard output and gives `value` back (NULL: there was no memory for it). Returns EXIT_OK or EXIT_MEMORY. */
int print_json_line(json_t *value);

/* Set by Ctrl-C (SIGINT), SIGTERM, and SIGHUP where that is not ignored, once catch_interrupts was called; a second one ends the program at
 * once. */
void catch_interrupts(void);
bool interrupted(void);
/* Has the terminal of standard input show what is typed, or not: while an answer comes, what is typed does not land in it, but waits for
 * the next prompt. An interrupt shows it again, and so must whoever leaves. */
void show_typing(bool show);
/* For a stretch that does not ask whether it was interrupted, and in which nothing is half done that would stay so: until `end` is false
 * again, an interrupt ends the program where it is, with its error. */
void interrupts_end_it(bool end, bool json);
/* They also end what `session` is computing; NULL before it is closed. */
void interrupts_reach(retort_session *session);
void clear_interrupt(void);

/* True where `file` is a terminal that understands cursor movement (TERM is set and not "dumb"). */
bool steerable(FILE *file);
/* The same, and NO_COLOR does not speak against colours. */
bool colour_ok(FILE *file);
#define DIM "\033[2m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

double seconds(void); /* a monotonic clock */

/* A size for people, "4.36 GiB". */
typedef struct short_text {
  char text[32];
} short_text;
short_text memory_text(uint64_t bytes);
short_text time_text(double s); /* "12 ms", "3.2 s", "2 min 5 s" */

/* One line on standard error while something lasts; shows itself only on a terminal and after half a second. */
typedef struct progress {
  const char *what; /* "reading model.gguf" */
  double started, shown;
  bool on, visible;
} progress;
void progress_begin(progress *p, const char *what, bool on);
void progress_show(progress *p, double fraction, const char *detail);
void progress_end(progress *p);

#endif
