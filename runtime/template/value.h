/* value.h - the values of the template language: what they are, dicts, truth, equality, and what a loop over one sees.
 *
 * They follow Python. Integers are 64 bits wide; Python's would grow further, here that is an error.
 */
#ifndef RT_TEMPLATE_VALUE_H
#define RT_TEMPLATE_VALUE_H

#include "state.h"

/* A piece of text, always valid UTF-8. `marks` holds one byte a byte, 1 where it is input; NULL: none of it is. `safe`: passed through the
 * filter `safe` (Markup in Python), which makes concatenation escape the other side there. */
typedef struct jtext {
  const char *bytes;
  const uint8_t *marks;
  size_t size;
  bool safe;
} jtext;

typedef enum jtype {
  J_UNDEFINED,
  J_NONE,
  J_BOOL,
  J_INT,
  J_FLOAT,
  J_STRING,
  J_SEQ,
  J_DICT,
  J_NAMESPACE,
  J_FUNCTION, /* a global function or a method bound to its object */
  J_MACRO,
  J_LOOP
} jtype;

typedef struct jvalue {
  uint8_t type; /* jtype */
  bool input;   /* numbers and booleans: came from, or computed from, input */
  union {
    bool boolean;
    int64_t integer;
    double real;
    const jtext *text;
    struct jseq *seq;
    struct jdict *dict; /* namespaces too */
    const struct jundefined *undefined;
    const struct jfunction *function;
    const struct jmacro *macro;
    struct jloop *loop;
  } as;
} jvalue;

typedef enum jseq_kind { SEQ_LIST, SEQ_TUPLE, SEQ_RANGE, SEQ_GENERATOR, SEQ_KEYS, SEQ_VALUES, SEQ_ITEMS } jseq_kind;
typedef struct jseq {
  jseq_kind kind;
  size_t count;
  const jvalue *items;
  size_t cursor;             /* generators: items already taken */
  int64_t start, stop, step; /* ranges */
} jseq;

typedef struct jentry {
  jvalue key, value;
} jentry;
typedef struct jslot {
  uint32_t hash, entry; /* of its key; its number + 1, 0: free */
} jslot;
typedef struct jdict {
  jentry *entries; /* in order of insertion */
  size_t count, capacity;
  jslot *slots; /* the index (dict.c): a power of two of them */
  size_t n_slots, indexed;
} jdict;

/* What was looked for and not found: a name (object.type J_UNDEFINED), or attribute/item `name` of `object`. */
typedef struct jundefined {
  jvalue object, name;
  bool forbidden; /* exists in Python, but the sandbox denies it: only the message differs */
} jundefined;

typedef struct jfunction {
  const struct jbuiltin *builtin;
  jvalue self;
} jfunction;

typedef struct jmacro {
  const struct jnode *node; /* N_MACRO or N_CALL_BLOCK */
  struct jscope *scope;     /* where it was defined */
} jmacro;

typedef struct jloop {
  jvalue items; /* a sequence */
  size_t index, count;
  unsigned depth;           /* recursion depth, 0 outermost */
  const struct jnode *node; /* N_FOR */
  struct jscope *scope;     /* around the loop, for recursive calls */
  jvalue changed;           /* arguments of the last loop.changed(), J_UNDEFINED before the first */
} jloop;

/* ---- making them ---- */
static inline jvalue rtj_none(void) { return (jvalue){.type = J_NONE}; }
static inline jvalue rtj_bool(bool b) { return (jvalue){.type = J_BOOL, .as.boolean = b}; }
static inline jvalue rtj_int(int64_t i) { return (jvalue){.type = J_INT, .as.integer = i}; }
static inline jvalue rtj_float(double d) { return (jvalue){.type = J_FLOAT, .as.real = d}; }
static inline jvalue rtj_string(const jtext *text) { return (jvalue){.type = J_STRING, .as.text = text}; }
bool rtj_seq(jrun *run, jseq_kind kind, const jvalue *items, size_t count, jvalue *out); /* keeps the items, not a copy */
bool rtj_undefined(jrun *run, jvalue object, jvalue name, bool forbidden, jvalue *out);
bool rtj_missing(jrun *run, const char *name, size_t size, jvalue *out); /* the undefined value of a name */
bool rtj_from_json(jrun *run, const rt_json *json, bool input, jvalue *out);

/* ---- dicts ---- */
bool rtj_dict(jrun *run, size_t capacity, jvalue *out);
bool rtj_dict_set(jrun *run, jdict *dict, jvalue key, jvalue value);
bool rtj_dict_find(jrun *run, jdict *dict, jvalue key, jvalue *out, bool *found);
bool rtj_dict_view(jrun *run, const jdict *dict, jseq_kind kind, jvalue *out); /* SEQ_KEYS, SEQ_VALUES, SEQ_ITEMS */

/* ---- asking them ---- */
static inline bool rtj_is_int(jvalue v) { return v.type == J_INT || v.type == J_BOOL; }
static inline bool rtj_is_number(jvalue v) { return rtj_is_int(v) || v.type == J_FLOAT; }
static inline int64_t rtj_int_of(jvalue v) { return v.type == J_INT ? v.as.integer : v.as.boolean; }
static inline double rtj_double_of(jvalue v) { return v.type == J_FLOAT ? v.as.real : (double)rtj_int_of(v); }
const char *rtj_type_name(jvalue value); /* Python's: "str", "NoneType", ... */
bool rtj_is_input(jvalue value);
bool rtj_truth(jvalue value);
int rtj_order_numbers(jvalue a, jvalue b); /* -1, 0, 1; 2: NaN involved. Exact, as Python compares int and float */
bool rtj_equal(jrun *run, jvalue a, jvalue b, bool *out);
bool rtj_iterate(jrun *run, jvalue value, const jvalue **items, size_t *count); /* consumes generators */

#endif
