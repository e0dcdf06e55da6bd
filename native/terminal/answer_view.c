/* answer_view.c - how an answer looks while it comes: reasoning dim, folded or hidden, the answer as it is.
 *
 * The folded view keeps the last rows of the reasoning in its own lines at the bottom of the screen and redraws only those, so nothing of a
 * long thought is left in the scroll-back once it is folded to one line. A terminal gets no control characters from a model: they could
 * retitle the window or worse, so they are shown as U+FFFD. A pipe gets every byte.
 */
#include "answer_view.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

void answer_view_begin(answer_view *v, const options *o, thinking_mode on_terminal) {
  struct winsize size;
  *v = (answer_view){.silent = o->json, .terminal = steerable(stdout), .colour = colour_ok(stdout)};
  v->thinking = v->terminal ? on_terminal : THINKING_HIDE;
  if (o->show_thinking) v->thinking = THINKING_STREAM;
  if (o->hide_thinking) v->thinking = THINKING_HIDE;
  v->columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 10 ? size.ws_col : 80;
  v->last = '\n';
}

static const char *dim(const answer_view *v) { return v->colour ? DIM : ""; }
static const char *plain(const answer_view *v) { return v->colour ? PLAIN : ""; }

/* The next character of text: its bytes, and its columns (-1: a control character). */
static size_t next_character(const char *text, size_t size, int *columns) {
  wchar_t wide;
  mbstate_t state = {0};
  unsigned char c = (unsigned char)text[0];
  size_t n = c < 0x80 ? 1 : mbrtowc(&wide, text, size, &state);
  *columns = 1;
  if (c < 0x20 || c == 0x7f) *columns = -1;
  if (c < 0x80) return 1;
  if (n == 0 || n > size) { /* not of this locale: count UTF-8 characters */
    for (n = 1; n < size && ((unsigned char)text[n] & 0xc0) == 0x80; n++);
    if (c < 0xc2 || (c == 0xc2 && n > 1 && (unsigned char)text[1] < 0xa0)) *columns = -1; /* a stray byte, or a C1 control */
    return n;
  }
  if (wide >= 0x80 && wide < 0xa0) {
    *columns = -1;
  } else {
    int w = wcwidth(wide);
    *columns = w < 0 ? 1 : w;
  }
  return n;
}

/* Writes text for people to standard output. */
static void put_text(answer_view *v, const char *text, size_t size) {
  if (size == 0) return;
  v->last = text[size - 1];
  if (!v->terminal) {
    fwrite(text, 1, size, stdout);
    return;
  }
  for (size_t i = 0, n; i < size; i += n) {
    int columns;
    n = next_character(text + i, size - i, &columns);
    if (columns < 0 && text[i] != '\n' && text[i] != '\t') fputs("\xef\xbf\xbd", stdout);
    else fwrite(text + i, 1, n, stdout);
  }
}

/* ---- the folded view ---- */

static void new_row(answer_view *v) {
  if (v->n_rows < FOLD_ROWS) {
    v->n_rows++;
  } else {
    text_buffer first = v->rows[0];
    memmove(v->rows, v->rows + 1, sizeof v->rows - sizeof v->rows[0]);
    v->rows[FOLD_ROWS - 1] = first;
  }
  v->rows[v->n_rows - 1].size = 0;
  v->width = 0;
}

static void fold_append(answer_view *v, const char *text, size_t size) {
  if (v->n_rows == 0) new_row(v);
  for (size_t i = 0, n; i < size; i += n) {
    int columns;
    n = next_character(text + i, size - i, &columns);
    if (text[i] == '\n') {
      if (v->rows[v->n_rows - 1].size) new_row(v);
      continue;
    }
    if (v->width + (columns < 0 ? 1 : columns) > v->columns - 1) { /* the started word goes along to the next row */
      text_buffer *row = &v->rows[v->n_rows - 1];
      size_t word = row->size;
      while (word > 0 && row->bytes[word - 1] != ' ') word--;
      char carried[64];
      size_t carry = row->size - word;
      if (word == 0 || carry >= sizeof carried) carry = 0;
      memcpy(carried, row->bytes + row->size - carry, carry);
      row->size -= carry;
      new_row(v);
      fold_append(v, carried, carry);
      if (text[i] == ' ' && carry == 0) continue;
    }
    if (columns < 0) text_append(&v->rows[v->n_rows - 1], " ", 1), columns = 1;
    else text_append(&v->rows[v->n_rows - 1], text + i, n);
    v->width += columns;
  }
}

static void fold_erase(answer_view *v) {
  if (v->rows_shown > 1) printf("\033[%dA", v->rows_shown - 1);
  if (v->rows_shown > 0) printf("\r\033[J");
  v->rows_shown = 0;
}

static void fold_draw(answer_view *v) {
  if (v->thinking == THINKING_HIDE) {
    printf("\r\033[K%sthinking, %u token%s%s", dim(v), v->tokens, v->tokens == 1 ? "" : "s", plain(v));
    v->rows_shown = 1;
  } else {
    fold_erase(v);
    fputs(dim(v), stdout);
    for (int i = 0; i < v->n_rows; i++) {
      if (i) putchar('\n');
      fwrite(v->rows[i].bytes, 1, v->rows[i].size, stdout);
    }
    fputs(plain(v), stdout);
    v->rows_shown = v->n_rows;
  }
  fflush(stdout);
}

/* ---- events ---- */

void answer_view_reasoning(answer_view *v, const char *text, size_t size, uint32_t tokens) {
  double now = seconds();
  bool first = !v->thinking_now;
  if (first) { /* a model may think again after it said something */
    v->thinking_now = true;
    v->began = now;
    v->before = v->tokens;
    v->n_rows = 0;
  }
  v->ended = now;
  v->tokens = tokens;
  v->any_reasoning = true;
  if (v->silent) return;
  if (first && v->terminal && v->last != '\n') {
    putchar('\n');
    v->last = '\n';
  }
  if (v->thinking == THINKING_STREAM) {
    if (first) {
      fputs(v->colour ? DIM : "<think>\n", stdout);
      while (size && *text == '\n') text++, size--;
    }
    v->in_reasoning = true;
    put_text(v, text, size);
    fflush(stdout);
  } else if (v->terminal) {
    v->in_reasoning = true;
    if (v->thinking == THINKING_FOLD) fold_append(v, text, size);
    if (now - v->drawn < 0.04) return;
    v->drawn = now;
    fold_draw(v);
  }
}

static void close_reasoning(answer_view *v) {
  v->thinking_now = false;
  if (!v->in_reasoning) return;
  v->in_reasoning = false;
  if (v->thinking == THINKING_STREAM) {
    if (v->last != '\n') putchar('\n');
    fputs(v->colour ? PLAIN "\n" : "</think>\n\n", stdout);
    v->last = '\n';
    return;
  }
  fold_erase(v);
  if (v->thinking == THINKING_FOLD && v->tokens > v->before)
    printf("%sthought for %u token%s, %s%s\n", dim(v), v->tokens - v->before, v->tokens - v->before == 1 ? "" : "s",
           time_text(v->ended - v->began).text, plain(v));
}

void answer_view_answer(answer_view *v, const char *text, size_t size) {
  if (v->silent) return;
  if (!v->any_answer)
    while (size && *text == '\n') text++, size--; /* the lines that models leave after their reasoning */
  if (size == 0) return;
  close_reasoning(v);
  v->any_answer = true;
  put_text(v, text, size);
  fflush(stdout);
}

void answer_view_retract(answer_view *v) {
  if (v->silent || !v->any_answer) return;
  if (v->last != '\n') putchar('\n');
  putchar('\n');
  v->last = '\n';
  v->any_answer = false;
  fflush(stdout);
  warn("what was shown so far was reasoning: the model closed it without having opened it");
}

void answer_view_end(answer_view *v) {
  if (!v->silent) {
    close_reasoning(v);
    if (v->last != '\n' || (!v->any_answer && !v->any_reasoning)) putchar('\n');
    fflush(stdout);
  }
  for (int i = 0; i < FOLD_ROWS; i++) free(v->rows[i].bytes), v->rows[i] = (text_buffer){0};
}
