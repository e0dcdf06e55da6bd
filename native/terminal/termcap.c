/* termcap.c - what libedit asks about the terminal, answered without a database.
 *
 * libedit moves the cursor with the strings that termcap names. Every terminal a person sits at today (xterm and its heirs, the Linux
 * console, tmux, screen, ssh from anywhere) understands the ECMA-48 sequences below, so one table serves, and a static program on a small
 * board needs neither ncurses nor /usr/share/terminfo. TERM=dumb never comes here: chat then reads plain lines (lineedit.c). Nor does it
 * get regular expressions, which it asks for only in a search of the history, as ".*TEXT.*": the C library's would be the largest piece of
 * a static program that is not ours, and TEXT is what people mean.
 * Deliberately absent: padding, terminals with magic margins of their own, and anything libedit does not ask for.
 */
#include "termcap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A "%d" stands for the argument; "%i" before it counts from one. */
static const struct {
  char name[3];
  const char *text;
} strings[] = {
    {"ce", "\033[K"},   {"cd", "\033[J"},   {"cl", "\033[H\033[2J"}, {"ho", "\033[H"},   {"cr", "\r"},       {"ch", "\033[%i%dG"},
    {"up", "\033[A"},   {"UP", "\033[%dA"}, {"nd", "\033[C"},        {"RI", "\033[%dC"}, {"LE", "\033[%dD"}, {"le", "\b"},
    {"ic", "\033[@"},   {"IC", "\033[%d@"}, {"dc", "\033[P"},        {"DC", "\033[%dP"}, {"al", "\033[L"},   {"dl", "\033[M"},
    {"DO", "\033[%dB"}, {"so", "\033[7m"},  {"se", "\033[27m"},      {"us", "\033[4m"},  {"ue", "\033[24m"}, {"md", "\033[1m"},
    {"me", "\033[m"},   {"kl", "\033[D"},   {"kr", "\033[C"},        {"ku", "\033[A"},   {"kd", "\033[B"},   {"kh", "\033[H"},
    {"@7", "\033[F"},   {"kD", "\033[3~"},
};

int tgetent(char *buffer, const char *terminal) {
  (void)buffer;
  (void)terminal;
  return 1;
}

/* Automatic margins, with the cursor waiting in the last column until the next character. */
int tgetflag(char *name) { return strcmp(name, "am") == 0 || strcmp(name, "xn") == 0; }

/* Only until TIOCGWINSZ has answered. */
int tgetnum(char *name) { return strcmp(name, "co") == 0 ? 80 : strcmp(name, "li") == 0 ? 24 : -1; }

char *tgetstr(char *name, char **area) {
  for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
    if (strcmp(strings[i].name, name) != 0) continue;
    size_t size = strlen(strings[i].text) + 1;
    char *copy = memcpy(*area, strings[i].text, size);
    *area += size;
    return copy;
  }
  return NULL;
}

/* libedit passes the same number as column and row for the sequences of one argument, which are all of ours. The result lives until the
 * next call, as termcap's always did. */
char *tgoto(const char *capability, int column, int row) {
  static char text[32];
  (void)column;
  size_t n = 0;
  for (const char *p = capability; *p && n + 12 < sizeof text; p++) {
    if (p[0] == '%' && p[1] == 'i') {
      row++, p++;
    } else if (p[0] == '%' && p[1] == 'd') {
      n += (size_t)snprintf(text + n, sizeof text - n, "%d", row), p++;
    } else {
      text[n++] = *p;
    }
  }
  text[n] = 0;
  return text;
}

int tputs(const char *text, int lines, int (*put)(int)) {
  (void)lines;
  for (; *text; text++) put((unsigned char)*text);
  return 0;
}

/* In place of the C library's: TEXT of ".*TEXT.*" is found as it stands, and nothing in it is a pattern. A regex_t begins with room for a
 * pointer, where it is kept. <regex.h> stays out, whose prototypes have variable arrays. */
int regcomp(void *pattern, const char *text, int flags);
int regexec(const void *pattern, const char *text, size_t n, void *matches, int flags);
void regfree(void *pattern);

int regcomp(void *pattern, const char *text, int flags) {
  (void)flags;
  if (strncmp(text, ".*", 2) == 0) text += 2;
  size_t n = strlen(text);
  if (n >= 2 && strcmp(text + n - 2, ".*") == 0) n -= 2;
  char *wanted = strndup(text, n);
  memcpy(pattern, &wanted, sizeof wanted);
  return wanted == NULL;
}
int regexec(const void *pattern, const char *text, size_t n, void *matches, int flags) {
  const char *wanted;
  (void)n, (void)matches, (void)flags;
  memcpy(&wanted, pattern, sizeof wanted);
  return strstr(text, wanted) == NULL;
}
void regfree(void *pattern) {
  char *wanted;
  memcpy(&wanted, pattern, sizeof wanted);
  free(wanted);
}
