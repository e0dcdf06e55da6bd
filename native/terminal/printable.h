/* printable.h - text from outside (names, templates, tokens, signers) as it may be shown: nothing in it steers a terminal or hides itself.
 *
 * Control characters, C0 and C1, marks that turn the direction of writing, and bytes that are not UTF-8 come out as \n, \x1b, \u202e. What
 * a model answers is answer_view.c's.
 */
#ifndef PRINTABLE_H
#define PRINTABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* At most room - 1 bytes and a NUL into `out`, cut between characters; `lines`: line feeds and tabs stay. Returns the bytes of text taken.
 */
size_t printable(char *out, size_t room, const char *text, size_t size, bool lines);

typedef struct shown_text {
  char text[1024];
} shown_text;
shown_text shown(const char *text); /* one line; NULL as "" */

/* json_dumpf to standard output, with what `printable` escapes beyond ASCII as \uXXXX. */
void put_json(const json_t *value, size_t flags);

#endif
