/* state.h - one rendering: its memory and its error, the steps and levels it may take, and the names of the template.
 *
 * Everything lives in the arena of the rendering and is immutable once built, except namespaces, scopes and the cursors of generators and
 * loops; only a namespace can therefore contain itself. Every node costs a step and a level of depth, every byte moved a sixteenth of a
 * step: that bounds any template. Functions of this room that can fail return false after storing the error here; a failed rendering is
 * not used again. The letter j in the names of types, and rtj_ in those of functions, stand for Jinja.
 */
#ifndef RT_TEMPLATE_STATE_H
#define RT_TEMPLATE_STATE_H

#include "template.h"

typedef struct jname { /* interned: equal names are the same pointer */
  const char *bytes;
  size_t size;
  struct jname *next;
} jname;

enum { JNAME_BUCKETS = 256 };

typedef struct jrun {
  rt_arena arena;
  retort_error *error;
  retort_status status;
  const char *source; /* the template as it is read, for the line and column of an error */
  uint32_t source_size;
  uint32_t at; /* offset in it of what is being done */
  unsigned depth;
  uint64_t steps, next_look; /* spent; when to look next whether they are too many, or the caller gives up */
  jname *names[JNAME_BUCKETS];
  rt_template_world world;
  const uint8_t *ones;     /* shared marks of texts that are input as a whole (text.c) */
  size_t n_ones;           /* bytes of them */
  struct jscope *scope;    /* the innermost (run.c) */
  struct jbuilder *output; /* where statements write (run.c) */
} jrun;

bool rtj_store_error(jrun *run, const char *format, ...) RT_PRINTF(2, 3); /* at run->at; returns false */
bool rtj_store_error_at(jrun *run, uint32_t at, const char *format, ...) RT_PRINTF(3, 4);
/* `return rtj_fail(run, "...")`: macros around a function, so that compilers and analysers see the false. */
static inline bool rtj_false(bool stored) {
  (void)stored;
  return false;
}
#define rtj_fail(run, ...) rtj_false(rtj_store_error(run, __VA_ARGS__))
#define rtj_fail_at(run, at, ...) rtj_false(rtj_store_error_at(run, at, __VA_ARGS__))

void *rtj_alloc(jrun *run, size_t count, size_t size); /* zeroed; NULL: failed and stored */
/* `items` (count of *capacity, `size` bytes each), or twice the room for them where it is full. */
void *rtj_grow(jrun *run, void *items, size_t count, size_t *capacity, size_t size);
bool rtj_work(jrun *run, uint64_t steps);                         /* counts; false when spent */
bool rtj_enter(jrun *run);                                        /* one level deeper; leave by run->depth-- */
const jname *rtj_name(jrun *run, const char *bytes, size_t size); /* keeps the bytes; NULL: no memory */

#endif
