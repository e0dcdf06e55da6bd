/* template.h - chat templates: a subset of Jinja, rendered as Python jinja2 renders it under Hugging Face's settings.
 *
 * Settings: trim_blocks, lstrip_blocks, no trailing newline, loop controls, sandboxed and immutable, no autoescape; tojson is json.dumps
 * with ensure_ascii off; globals raise_exception, strftime_now, namespace, range, dict. What is not supported is refused
 * with line and column, never guessed. A template cannot hang, recurse or allocate without bound (limits below).
 *
 * Provenance: every byte of the output is either the template's own or came from an `input` variable (or was computed from one). The spans
 * of the latter come with the text, so that the tokenizer can keep a message from spelling a special token.
 */
#ifndef RT_TEMPLATE_H
#define RT_TEMPLATE_H

#include "../base/base.h"
#include "../base/json.h"
#include "../text/vocab.h"

enum {
  RT_TEMPLATE_MAX_SOURCE = 1 << 20, /* bytes of template */
  RT_TEMPLATE_MAX_DEPTH = 160,      /* nesting of the template's syntax, chains of operators included */
  RT_TEMPLATE_MAX_CALLS = 600, /* nesting while it runs: expressions, statements and macro calls together; 256 KiB of C stack suffice */
  RT_TEMPLATE_MAX_STEPS = 10000000,  /* units of work, about one a node evaluated or 16 bytes moved */
  RT_TEMPLATE_MAX_MEMORY = 256 << 20 /* bytes for one rendering */
};

typedef struct rt_template_variable {
  const char *name;
  const rt_json *value;
  bool input; /* its strings are input: marked in the output, never trusted to spell special tokens */
} rt_template_variable;

typedef struct rt_template_output {
  const char *text; /* NUL-terminated, may hold NULs inside */
  size_t size;
  const rt_text_span *spans; /* the bytes that are input: in order, disjoint, not empty, not touching */
  size_t n_spans;
} rt_template_output;

typedef struct rt_template_world { /* what a template is told of the world */
  const char *date;                /* "YYYY-MM-DD" or "YYYY-MM-DD HH:MM:SS" for strftime_now; NULL: asking for it is an error */
  int (*interrupted)(void *arg);   /* asked every few milliseconds: not 0 ends the rendering; NULL: never */
  void *interrupted_arg;
} rt_template_world;

/* Parses and renders. Text and spans live in `arena`. Errors: RETORT_ERROR_TEMPLATE (syntax, unsupported, undefined, raise_exception,
 * limits; line and column), RETORT_ERROR_MEMORY, RETORT_ERROR_INTERRUPTED. */
retort_status rt_template_render(rt_arena *arena, const char *source, size_t source_size, const rt_template_variable *variables,
                                 size_t n_variables, const rt_template_world *world, rt_template_output *out, retort_error *error);

#endif
