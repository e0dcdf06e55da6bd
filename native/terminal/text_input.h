/* text_input.h - text and token ids from arguments, standard input and files. */
#ifndef TEXT_INPUT_H
#define TEXT_INPUT_H

#include "options.h"
#include "report.h"

typedef struct text_buffer {
  char *bytes; /* malloc'ed, with a NUL after the last byte */
  size_t size, capacity;
} text_buffer;
bool text_append(text_buffer *text, const char *bytes, size_t size); /* false: no memory */

/* These return EXIT_OK or the exit code once the error was reported; on success the caller frees. */
int read_stream(FILE *file, bool json, text_buffer *text);
int read_text_file(const char *path, bool json, text_buffer *text); /* "-" is standard input */
/* Of at most `most` bytes, from `descriptor`, which is closed; `path` names it in errors. */
int read_short_file(int descriptor, const char *path, size_t most, bool json, text_buffer *text);
int join_arguments(const options *o, text_buffer *text); /* with spaces between, as echo does */

/* Whole numbers from 0 to n_vocab - 1 with spaces, commas, brackets or newlines between. */
int parse_ids(const char *text, uint32_t n_vocab, bool json, int32_t **ids, size_t *count);

#endif
