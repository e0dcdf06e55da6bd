/* tree.h - the syntax tree of a template, as the parser builds it and run.c walks it. */
#ifndef RT_TEMPLATE_TREE_H
#define RT_TEMPLATE_TREE_H

#include "value.h"

/* What jnode.op holds for operators; those of one character are that character. */
typedef enum joperator { OP_EQ = 1, OP_NE, OP_LE, OP_GE, OP_FLOORDIV, OP_POW, OP_IN, OP_NOT_IN } joperator;

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
  N_BINARY,  /* a op b */
  N_COMPARE, /* a, b: N_OPERANDs */
  N_OPERAND  /* op: joperator; a */
} jkind;

typedef enum jarg_kind { ARG_POSITIONAL, ARG_NAMED, ARG_LIST, ARG_DICT } jarg_kind;
enum jmacro_uses { USES_CALLER = 1, USES_KWARGS = 2, USES_VARARGS = 4 };

typedef struct jnode {
  uint8_t kind, op;
  uint16_t depth; /* height of the tree below */
  uint32_t at;    /* byte offset in the source */
  struct jnode *next;
  struct jnode *a, *b, *c, *d, *e;
  const jname *name;
  jvalue constant;
} jnode;

#endif
