/* internal.h - what the files of the template engine share: values, syntax tree, the state of one rendering.
 *
 *   lexer.c   source -> tokens, whitespace control
 *   parser.c  tokens -> tree
 *   run.c     walks the tree: expressions, statements, scopes, macros
 *   value.c   values: text building, truth, equality, order, str, repr, JSON
 *   filter.c  filters and tests
 *   method.c  methods of strings, lists, dicts; global functions
 *
 * Invariants. Everything lives in the arena of the rendering and is immutable once built, except namespaces, scopes and the cursors of
 * generators and loops; only a namespace can therefore contain itself, and every walk over values is bounded by depth and steps.
 * All text is valid UTF-8: the source is checked once, JSON by its parser, and every operation cuts at code points.
 * Functions that can fail return false after storing the error in the run; a failed run is not used again.
 */
#ifndef RT_TEXT_TEMPLATE_INTERNAL_H
#define RT_TEXT_TEMPLATE_INTERNAL_H

#include "template.h"

/* ---- values ---- */

/* A piece of text. `marks` holds one byte a byte, 1 where it is input; NULL: none of it is. `safe`: passed through the filter `safe`
 * (Markup in Python), which makes concatenation escape the other side there. */
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

typedef struct jvalue jvalue;
typedef struct jentry jentry;
typedef struct jnode jnode;
typedef struct jrun jrun;

typedef enum jseq_kind { SEQ_LIST, SEQ_TUPLE, SEQ_RANGE, SEQ_GENERATOR, SEQ_KEYS, SEQ_VALUES, SEQ_ITEMS } jseq_kind;
typedef struct jseq {
  jseq_kind kind;
  size_t count;
  const jvalue *items;
  size_t cursor;             /* generators: items already taken */
  int64_t start, stop, step; /* ranges */
} jseq;

typedef struct jdict {
  jentry *entries; /* in order of insertion */
  size_t count, capacity;
} jdict;

typedef struct jundefined jundefined;
typedef struct jbuiltin jbuiltin;
typedef struct jfunction jfunction;
typedef struct jmacro jmacro;
typedef struct jloop jloop;

struct jvalue {
  uint8_t type; /* jtype */
  bool input;   /* numbers and booleans: came from, or computed from, input */
  union {
    bool boolean;
    int64_t integer;
    double real;
    const jtext *text;
    jseq *seq;
    jdict *dict; /* namespaces too */
    const jundefined *undefined;
    const jfunction *function;
    const jmacro *macro;
    jloop *loop;
  } as;
};

struct jentry {
  jvalue key, value;
};

/* What was looked for and not found: a name (object.type J_UNDEFINED), or attribute/item `name` of `object`. */
struct jundefined {
  jvalue object, name;
  bool forbidden; /* exists in Python, but the sandbox denies it: only the message differs */
};

typedef struct jargs {
  const jvalue *items; /* positional */
  size_t count;
  const jentry *named; /* keys are strings */
  size_t n_named;
} jargs;

typedef bool (*jcall)(jrun *run, jvalue self, const jargs *args, jvalue *out);
struct jbuiltin {
  const char *name;
  jcall call;
};
struct jfunction {
  const jbuiltin *builtin;
  jvalue self;
};

typedef struct jname { /* interned: equal names are the same pointer */
  const char *bytes;
  size_t size;
  struct jname *next;
} jname;

typedef struct jbinding {
  const jname *name;
  jvalue value;
  struct jbinding *next;
} jbinding;
typedef struct jscope {
  struct jscope *parent;
  jbinding *bindings;
} jscope;

struct jmacro {
  const jnode *node; /* N_MACRO or N_CALL_BLOCK */
  jscope *scope;     /* where it was defined */
};

struct jloop {
  jvalue items; /* a sequence */
  size_t index, count;
  unsigned depth;    /* recursion depth, 0 outermost */
  const jnode *node; /* N_FOR */
  jscope *scope;     /* around the loop, for recursive calls */
  jvalue changed;    /* arguments of the last loop.changed(), J_UNDEFINED before the first */
};

/* ---- syntax tree ---- */

typedef enum jkind {
  /* statements: linked by next */
  N_DATA,         /* constant: text */
  N_PRINT,        /* a: expression */
  N_IF,           /* a: test, b: body, c: else */
  N_FOR,          /* a: iterable, b: body, c: else, d: target, e: filter or NULL; op 1: recursive */
  N_SET,          /* a: target, b: expression */
  N_SET_BLOCK,    /* a: target, b: body, c: filters applied or NULL */
  N_MACRO,        /* name, a: parameters (N_PARAM), b: body; op: bits of jmacro_uses */
  N_CALL_BLOCK,   /* d: the N_CALL, a: parameters, b: body; op as N_MACRO */
  N_FILTER_BLOCK, /* c: filters, b: body */
  N_WITH,         /* a: N_SETs, b: body */
  N_SCOPE,        /* b: body ({% generation %}) */
  N_BREAK,
  N_CONTINUE,
  N_PARAM, /* name, a: default or NULL */
  /* expressions */
  N_CONST,   /* constant */
  N_NAME,    /* name */
  N_NSREF,   /* name.text: only as target of set */
  N_TUPLE,   /* a: items */
  N_LIST,    /* a: items */
  N_DICT,    /* a: N_PAIRs */
  N_PAIR,    /* a: key, b: value */
  N_ATTR,    /* a.name */
  N_ITEM,    /* a[b] */
  N_SLICE,   /* a:b:c, each may be NULL; only inside N_ITEM */
  N_CALL,    /* a(b: N_ARGs) */
  N_ARG,     /* a; op: jarg_kind, name for named ones */
  N_FILTER,  /* a (NULL: the text of the block) | name(b: N_ARGs) */
  N_TEST,    /* a is name(b: N_ARGs) */
  N_NOT,     /* a */
  N_NEG,     /* a */
  N_POS,     /* a */
  N_AND,     /* a, b */
  N_OR,      /* a, b */
  N_COND,    /* b if a else c (NULL: undefined) */
  N_BINARY,  /* a op b, op: jtoken_op */
  N_COMPARE, /* a, b: N_OPERANDs */
  N_OPERAND  /* op: jtoken_op, or OP_IN, OP_NOT_IN; a */
} jkind;

typedef enum jarg_kind { ARG_POSITIONAL, ARG_NAMED, ARG_LIST, ARG_DICT } jarg_kind;
enum jmacro_uses { USES_CALLER = 1, USES_KWARGS = 2, USES_VARARGS = 4 };

struct jnode {
  uint8_t kind, op;
  uint16_t depth; /* height of the tree below */
  uint32_t at;    /* byte offset in the source */
  jnode *next;
  jnode *a, *b, *c, *d, *e;
  const jname *name;
  jvalue constant;
};

/* ---- tokens ---- */

typedef enum jtoken_kind {
  TOKEN_END,
  TOKEN_DATA,
  TOKEN_PRINT_BEGIN,
  TOKEN_PRINT_END,
  TOKEN_BLOCK_BEGIN,
  TOKEN_BLOCK_END,
  TOKEN_NAME,
  TOKEN_STRING,
  TOKEN_NUMBER,
  TOKEN_OP
} jtoken_kind;
/* Operators of one character are that character. */
typedef enum jtoken_op { OP_EQ = 1, OP_NE, OP_LE, OP_GE, OP_FLOORDIV, OP_POW, OP_IN, OP_NOT_IN } jtoken_op;

typedef struct jtoken {
  jtoken_kind kind;
  int op;
  uint32_t at;
  const char *bytes; /* data, names, strings (unescaped) */
  size_t size;
  jvalue number;
} jtoken;

typedef struct jlexer {
  const char *source; /* newlines normalised, final one removed */
  uint32_t size, at;
  enum { IN_DATA, IN_PRINT, IN_BLOCK } state;
  bool line_starting;
  unsigned open; /* brackets */
  char closers[64];
} jlexer;

/* ---- one rendering ---- */

typedef struct jbuilder {
  char *bytes;
  uint8_t *marks; /* NULL until the first input byte */
  size_t size, capacity;
  bool safe;
} jbuilder;

enum { NAME_BUCKETS = 256 };

struct jrun {
  rt_arena arena;
  retort_error *error;
  retort_status status;
  jlexer lexer;
  jname *names[NAME_BUCKETS];
  jnode *tree;
  jscope *scope;
  jbuilder *out;
  uint32_t at; /* source offset of what is being done, for messages */
  unsigned depth;
  uint64_t steps;
  const char *date;
  const uint8_t *ones; /* shared marks of texts that are input as a whole */
  size_t n_ones;
};

/* run.c: errors and memory */
bool rtj_store_error(jrun *run, const char *format, ...) RT_PRINTF(2, 3); /* at run->at; returns false */
bool rtj_store_error_at(jrun *run, uint32_t at, const char *format, ...) RT_PRINTF(3, 4);
/* `return rtj_fail(run, "...")`: macros around a function, so that compilers and analysers see the false. */
static inline bool rtj_false(bool stored) {
  (void)stored;
  return false;
}
#define rtj_fail(run, ...) rtj_false(rtj_store_error(run, __VA_ARGS__))
#define rtj_fail_at(run, at, ...) rtj_false(rtj_store_error_at(run, at, __VA_ARGS__))
#define rtj_fail_undefined(run, v) rtj_false(rtj_store_undefined(run, v))
void *rtj_alloc(jrun *run, size_t count, size_t size); /* NULL: failed and stored */
/* `items` (count of *capacity, `size` bytes each), or twice the room for them where it is full. */
void *rtj_grow(jrun *run, void *items, size_t count, size_t *capacity, size_t size);
bool rtj_work(jrun *run, uint64_t steps); /* counts; false when spent */
bool rtj_enter(jrun *run);                /* one level deeper; leave by run->depth-- */
const jname *rtj_name(jrun *run, const char *bytes, size_t size);
bool rtj_own_attribute(jrun *run, jvalue object, const jtext *name, jvalue *out, bool *found); /* getattr: no items */
bool rtj_get_item(jrun *run, jvalue object, jvalue key, jvalue *out);                          /* object[key] */
bool rtj_binary(jrun *run, int op, jvalue a, jvalue b, jvalue *out);
bool rtj_compare(jrun *run, int op, jvalue a, jvalue b, bool *out);

/* lexer.c */
bool rtj_lex_begin(jrun *run, const char *source, size_t size);
bool rtj_lex(jrun *run, jtoken *token);

/* parser.c */
bool rtj_parse(jrun *run);

/* value.c */
jvalue rtj_none(void);
jvalue rtj_bool(bool b);
jvalue rtj_int(int64_t i);
jvalue rtj_float(double d);
bool rtj_text(jrun *run, const char *bytes, size_t size, jvalue *out);             /* keeps the bytes, not a copy; no marks */
bool rtj_slice(jrun *run, const jtext *text, size_t from, size_t to, jvalue *out); /* bytes from..to of text */
bool rtj_seq(jrun *run, jseq_kind kind, const jvalue *items, size_t count, jvalue *out);
bool rtj_dict(jrun *run, size_t capacity, jvalue *out);
bool rtj_dict_set(jrun *run, jdict *dict, jvalue key, jvalue value);
bool rtj_dict_find(jrun *run, const jdict *dict, jvalue key, jvalue *out, bool *found);
bool rtj_undefined(jrun *run, jvalue object, jvalue name, bool forbidden, jvalue *out);
bool rtj_store_undefined(jrun *run, jvalue undefined);
const char *rtj_type_name(jvalue value); /* Python's: "str", "NoneType", ... */
bool rtj_is_input(jvalue value);
bool rtj_append(jrun *run, jbuilder *builder, const char *bytes, size_t size, const uint8_t *marks);
bool rtj_append_marked(jrun *run, jbuilder *builder, const char *bytes, size_t size, bool input);
bool rtj_append_text(jrun *run, jbuilder *builder, const jtext *text);
bool rtj_build(jrun *run, const jbuilder *builder, jvalue *out);
bool rtj_truth(jvalue value);
bool rtj_equal(jrun *run, jvalue a, jvalue b, bool *out);
bool rtj_order(jrun *run, jvalue a, jvalue b, const char *op, int *out); /* -1, 0, 1; 2: NaN involved */
bool rtj_contains(jrun *run, jvalue container, jvalue item, bool *out);
bool rtj_iterate(jrun *run, jvalue value, const jvalue **items, size_t *count); /* consumes generators */
bool rtj_str(jrun *run, jbuilder *builder, jvalue value);                       /* str(value), appended */
bool rtj_to_text(jrun *run, jvalue value, const jtext **out);                   /* str(value) */
bool rtj_repr(jrun *run, jbuilder *builder, jvalue value);
bool rtj_json(jrun *run, jvalue value, const jargs *args, jvalue *out); /* the filter tojson */
bool rtj_from_json(jrun *run, const rt_json *json, bool input, jvalue *out);
bool rtj_find_text(jrun *run, const char *in, size_t size, const char *what, size_t what_size, size_t from, bool backwards, size_t *at);
size_t rtj_length(jrun *run, const jtext *text);                                   /* code points */
size_t rtj_offset(jrun *run, const jtext *text, size_t code_point);                /* byte offset of code point n */
uint32_t rtj_decode(const char *bytes, size_t *at);                                /* valid UTF-8 at *at; advances */
bool rtj_is_space(uint32_t code_point);                                            /* Python's str.isspace */
bool rtj_sort(jrun *run, jvalue *items, jvalue *keys, size_t count, bool reverse); /* stable, by keys */

/* filter.c */
bool rtj_filter(jrun *run, const jname *name, jvalue value, const jargs *args, jvalue *out);
bool rtj_test(jrun *run, const jname *name, jvalue value, const jargs *args, bool *out);
/* Binds arguments to the comma-separated parameter names; `required` of them must be given, the others keep what out[] holds. */
bool rtj_args(jrun *run, const char *function, const jargs *args, const char *names, size_t required, jvalue out[]);
bool rtj_arg_int(jrun *run, const char *function, jvalue value, int64_t *out);

/* method.c */
const jbuiltin *rtj_method(jvalue object, const char *name, size_t size, bool *forbidden);
const jbuiltin *rtj_global(const char *name, size_t size);
bool rtj_strip(jrun *run, const jtext *text, const jtext *chars, bool left, bool right, jvalue *out);
bool rtj_percent(jrun *run, const jtext *format, jvalue values, jvalue *out); /* format % values */
bool rtj_replace(jrun *run, const jtext *text, const jtext *old, const jtext *fresh, int64_t count, jvalue *out);
bool rtj_split_lines(jrun *run, const jtext *text, jvalue *out);
bool rtj_ends_line(const jtext *text); /* its last character ends a line for str.splitlines */
bool rtj_pad(jrun *run, const jtext *text, int64_t width, char where, char with, jvalue *out); /* 'c'enter, 'l'just, 'r'just */
bool rtj_dict_view(jrun *run, const jdict *dict, jseq_kind kind, jvalue *out);                 /* SEQ_KEYS, SEQ_VALUES, SEQ_ITEMS */
bool rtj_change_case(jrun *run, const jtext *text, char how,
                     jvalue *out); /* 'u'pper, 'l'ower, 'c'apitalize, 's'wapcase, 't'itle (method), 'T'itle (filter) */

/* case.c: how is 'u'pper, 'l'ower or 't'itle; returns how many code points */
size_t rtj_map_case(uint32_t code_point, char how, uint32_t out[3]);
bool rtj_is_cased(uint32_t code_point);

#endif
