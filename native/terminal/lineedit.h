/* lineedit.h - one line from a person: editing and history on a terminal, plain reading elsewhere. */
#ifndef LINEEDIT_H
#define LINEEDIT_H

#include "text_input.h"

typedef struct line_editor line_editor;

typedef enum line_status { LINE_OK, LINE_END, LINE_INTERRUPTED, LINE_FAILED } line_status;

/* `interactive`: with libedit, a prompt, and a history kept in the user's state folder. */
line_editor *line_editor_open(bool interactive);
void line_editor_close(line_editor *e);
/* Reads one message into `text` (emptied first), without the final newline. On a terminal lines that were pasted together, and lines that
 * end in a backslash, are one message. LINE_INTERRUPTED: Ctrl-C. */
line_status line_editor_read(line_editor *e, text_buffer *text);

#endif
