/* lineedit.h - one line from a person: editing and history on a terminal, plain reading elsewhere. */
#ifndef LINEEDIT_H
#define LINEEDIT_H

#include "text_input.h"

typedef struct line_editor line_editor;

typedef enum line_status { LINE_OK, LINE_END, LINE_INTERRUPTED, LINE_FAILED } line_status;

/* The folder of the history, made where it was not there, readable by the user alone: ${XDG_STATE_HOME:-~/.local/state}/retort (as XDG has
 * it, a relative one counts as none). False where it cannot be. */
bool history_folder(char folder[4096]);
/* `interactive`: with libedit and a prompt; what was typed is kept for the next time where `keep`, and forgotten else. */
line_editor *line_editor_open(bool interactive, bool keep);
void line_editor_close(line_editor *e);
/* Reads one message into `text` (emptied first), without the final newline. On a terminal lines that were pasted together, and lines that
 * end in a backslash, are one message. LINE_INTERRUPTED: Ctrl-C. */
line_status line_editor_read(line_editor *e, text_buffer *text);

#endif
