/* lineedit.c - one line from a person: editing and history on a terminal, plain reading elsewhere.
 *
 * libedit does the work. It hands over one line at a time; what is added is that several lines pasted at once are one message: when a line
 * ends and more is already waiting, a person cannot have typed it.
 */
#include "lineedit.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

struct line_editor {
  EditLine *edit; /* NULL: plain reading */
  History *history;
  const char *prompt;
  char history_file[4096]; /* "": none */
};

#define HISTORY_LINES 1000

/* '\1' marks the start and the end of what takes no room on the screen; libedit prints it with the character that follows. */
static char *prompt_of(EditLine *edit) {
  line_editor *e;
  el_get(edit, EL_CLIENTDATA, &e);
  return (char *)(uintptr_t)e->prompt;
}

/* The next character. SIGINT is blocked while a line is edited and let in only here, in the same step as the waiting begins: a Ctrl-C that
 * came a moment before is not lost. */
static int get_character(EditLine *edit, wchar_t *character) {
  mbstate_t state = {0};
  sigset_t waiting;
  (void)edit;
  pthread_sigmask(SIG_SETMASK, NULL, &waiting);
  sigdelset(&waiting, SIGINT);
  for (;;) {
    fd_set in;
    char byte;
    FD_ZERO(&in);
    FD_SET(STDIN_FILENO, &in);
    errno = EINTR;
    if (interrupted()) return -1;
    if (pselect(STDIN_FILENO + 1, &in, NULL, NULL, NULL, &waiting) < 0) {
      if (errno == EINTR && !interrupted()) continue;
      return -1;
    }
    ssize_t n = read(STDIN_FILENO, &byte, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return (int)n;
    size_t used = mbrtowc(character, &byte, 1, &state);
    if (used == (size_t)-1) state = (mbstate_t){0}; /* not UTF-8: left out */
    if (used <= 1) return 1;
  }
}

static const char *first_prompt(void) { return colour_ok(stdout) ? "\1" BOLD "\1>\1" PLAIN "\1 " : "> "; }

bool history_folder(char folder[4096]) {
  const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
  int n = -1;
  if (state && *state == '/') n = snprintf(folder, 4000, "%s/retort", state);
  else if (home && *home) n = snprintf(folder, 4000, "%s/.local/state/retort", home);
  if (n < 0 || n >= 4000) return false;
  for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    mkdir(folder, 0700);
    *slash = '/';
  }
  return mkdir(folder, 0700) == 0 || errno == EEXIST;
}

line_editor *line_editor_open(bool interactive, bool keep) {
  HistEvent event;
  line_editor *e = calloc(1, sizeof *e);
  if (!e || !interactive) return e;
  if (MB_CUR_MAX == 1) setlocale(LC_CTYPE, "C.UTF-8"); /* libedit goes by the locale; terminals today speak UTF-8 */
  e->edit = el_init("retort", stdin, stdout, stderr);
  e->history = history_init();
  if (!e->edit || !e->history) return e;
  e->prompt = first_prompt();
  el_set(e->edit, EL_CLIENTDATA, e);
  el_set(e->edit, EL_PROMPT_ESC, prompt_of, '\1');
  el_set(e->edit, EL_EDITOR, "emacs");
  el_set(e->edit, EL_SIGNAL, 0); /* ours */
  el_set(e->edit, EL_GETCFN, get_character);
  history(e->history, &event, H_SETSIZE, HISTORY_LINES);
  history(e->history, &event, H_SETUNIQUE, 1);
  char folder[4096];
  if (keep && history_folder(folder)) snprintf(e->history_file, sizeof e->history_file, "%.4000s/history", folder);
  if (*e->history_file) history(e->history, &event, H_LOAD, e->history_file);
  el_set(e->edit, EL_HIST, history, e->history);
  el_set(e->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
  el_set(e->edit, EL_BIND, "\033[1;5D", "ed-prev-word", NULL);
  el_set(e->edit, EL_BIND, "\033[1;5C", "em-next-word", NULL);
  el_set(e->edit, EL_BIND, "^@", "em-delete-or-list", NULL); /* what a Ctrl-D becomes that was typed before the prompt stood */
  el_source(e->edit, NULL);                                  /* ~/.editrc */
  return e;
}

static void save_history(line_editor *e) {
  HistEvent event;
  if (!*e->history_file) return;
  mode_t old = umask(077);
  history(e->history, &event, H_SAVE, e->history_file);
  umask(old);
}

void line_editor_close(line_editor *e) {
  if (!e) return;
  if (e->history) {
    save_history(e);
    history_end(e->history);
  }
  if (e->edit) el_end(e->edit);
  show_typing(true);
  free(e);
}

static line_status read_plain(text_buffer *text) {
  char *line = NULL;
  size_t capacity = 0;
  errno = 0;
  ssize_t n = getline(&line, &capacity, stdin);
  bool ok = true;
  if (n > 0 && line[n - 1] == '\n') n--;
  if (n > 0 && line[n - 1] == '\r') n--; /* lines of Windows */
  if (n >= 0) ok = text_append(text, line, (size_t)n);
  free(line);
  if (!ok) return LINE_FAILED;
  if (n >= 0) return LINE_OK;
  return interrupted() ? LINE_INTERRUPTED : LINE_END;
}

static bool more_waiting(void) {
  struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
  return poll(&p, 1, 20) == 1 && (p.revents & POLLIN);
}

static line_status edit_lines(line_editor *e, text_buffer *text) {
  HistEvent event;
  line_status status = LINE_OK;
  e->prompt = first_prompt();
  for (;;) {
    int n = 0;
    el_resize(e->edit);
    const char *line = el_gets(e->edit, &n);
    if (!line || n <= 0) {
      status = interrupted() ? LINE_INTERRUPTED : LINE_END;
      break;
    }
    bool ended = line[n - 1] == '\n';
    size_t size = (size_t)n - ended;
    bool backslash = size > 0 && line[size - 1] == '\\';
    if (!text_append(text, line, size - backslash)) return LINE_FAILED;
    if (!backslash && (text->size == 0 || text->bytes[0] == '/' || !more_waiting())) break;
    if (!text_append(text, "\n", 1)) return LINE_FAILED;
    e->prompt = "  ";
  }
  if (status == LINE_END && text->size > 0) status = LINE_OK; /* Ctrl-D after a started message sends it */
  while (status == LINE_OK && text->size && text->bytes[text->size - 1] == '\n') text->bytes[--text->size] = 0;
  if (status == LINE_OK && text->size && !strchr(text->bytes, '\n')) history(e->history, &event, H_ENTER, text->bytes);
  return status;
}

static line_status read_edited(line_editor *e, text_buffer *text) {
  sigset_t interrupt, before;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, &before);
  show_typing(true);
  line_status status = edit_lines(e, text);
  if (status == LINE_OK) show_typing(false);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return status;
}

line_status line_editor_read(line_editor *e, text_buffer *text) {
  text->size = 0;
  if (!text_append(text, "", 0)) return LINE_FAILED;
  return e->edit && e->history ? read_edited(e, text) : read_plain(text);
}
