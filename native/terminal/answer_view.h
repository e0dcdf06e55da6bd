/* answer_view.h - how an answer looks while it comes: reasoning dim, folded or hidden, the answer as it is. */
#ifndef ANSWER_VIEW_H
#define ANSWER_VIEW_H

#include "text_input.h"

typedef enum thinking_mode {
  THINKING_HIDE,   /* not shown; on a terminal a count shows that something is going on */
  THINKING_STREAM, /* in full: dim where there are colours, else between <think> and </think> */
  THINKING_FOLD    /* on a terminal: the last rows while it streams, then one line that says how long it took */
} thinking_mode;

#define FOLD_ROWS 8
typedef struct answer_view {
  bool silent;   /* nothing is shown at all (--json) */
  bool terminal; /* standard output is one, and understands cursor movement */
  bool colour;
  thinking_mode thinking;
  /* state */
  bool thinking_now; /* the last text was reasoning */
  bool in_reasoning; /* and something of it is on the screen */
  bool any_reasoning, any_answer;
  char last;                  /* byte written to standard output */
  uint32_t tokens, before;    /* of reasoning so far; of those, before this stretch of it */
  double began, ended, drawn; /* of the reasoning; when the fold was drawn last */
  int columns, rows_shown;
  text_buffer rows[FOLD_ROWS];
  int n_rows, width; /* rows in use; columns used in the last one */
} answer_view;

void answer_view_begin(answer_view *v, const options *o, thinking_mode on_terminal);
void answer_view_reasoning(answer_view *v, const char *text, size_t size, uint32_t tokens);
void answer_view_answer(answer_view *v, const char *text, size_t size);
/* What was shown of the answer was reasoning: says so, and begins a new paragraph. */
void answer_view_retract(answer_view *v);
void answer_view_end(answer_view *v); /* closes what is open, ends the last line */

#endif
