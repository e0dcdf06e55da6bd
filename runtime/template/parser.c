/* parser.c - see parser.h: recursive descent for statements, precedence climbing for expressions.
 *
 * Accepts what jinja2's parser.py accepts, peculiarities included (filters bind tighter than unary operators' operands, `**` groups to the
 * left, tuples without parentheses), except inheritance, imports and the extensions that chat templates do not get. The height of the tree
 * is bounded here, so that whoever walks it may recurse.
 */
#include "parser.h"

#include <string.h>

#include "lexer.h"
#include "text.h"

typedef struct parser {
  jrun *run;
  jlexer lexer;
  jtoken token, ahead;
  bool has_ahead;
  unsigned depth; /* of the recursion */
  unsigned loops; /* for loops around, inside of the innermost macro */
  unsigned uses;  /* jmacro_uses seen since the innermost macro began */
} parser;

static bool next(parser *p) {
  if (p->has_ahead) {
    p->token = p->ahead;
    p->has_ahead = false;
    return true;
  }
  return rtj_lex(&p->lexer, &p->token);
}

static bool look(parser *p) {
  if (p->has_ahead) return true;
  p->has_ahead = rtj_lex(&p->lexer, &p->ahead);
  return p->has_ahead;
}

/* ---- tokens in words ---- */

static const char *op_text(int op, char buffer[2]) {
  switch (op) {
    case OP_EQ: return "==";
    case OP_NE: return "!=";
    case OP_LE: return "<=";
    case OP_GE: return ">=";
    case OP_FLOORDIV: return "//";
    case OP_POW: return "**";
  }
  buffer[0] = (char)op;
  buffer[1] = 0;
  return buffer;
}

static bool fail_token(parser *p, const char *wanted) {
  char op[2];
  const jtoken *t = &p->token;
  int size = t->size < 40 ? (int)t->size : 0;
  switch (t->kind) {
    case TOKEN_END: return rtj_fail_at(p->run, t->at, "the template ends here, but %s was expected", wanted);
    case TOKEN_DATA: return rtj_fail_at(p->run, t->at, "found text, but %s was expected", wanted);
    case TOKEN_PRINT_BEGIN: return rtj_fail_at(p->run, t->at, "found '{{', but %s was expected", wanted);
    case TOKEN_PRINT_END: return rtj_fail_at(p->run, t->at, "found '}}', but %s was expected", wanted);
    case TOKEN_BLOCK_BEGIN: return rtj_fail_at(p->run, t->at, "found '{%%', but %s was expected", wanted);
    case TOKEN_BLOCK_END: return rtj_fail_at(p->run, t->at, "found '%%}', but %s was expected", wanted);
    case TOKEN_NAME: return rtj_fail_at(p->run, t->at, "found '%.*s', but %s was expected", size, t->bytes, wanted);
    case TOKEN_STRING: return rtj_fail_at(p->run, t->at, "found a string, but %s was expected", wanted);
    case TOKEN_NUMBER: return rtj_fail_at(p->run, t->at, "found a number, but %s was expected", wanted);
    case TOKEN_OP: break;
  }
  return rtj_fail_at(p->run, t->at, "found '%s', but %s was expected", op_text(t->op, op), wanted);
}

static bool is_word(const jtoken *t, const char *word) {
  return t->kind == TOKEN_NAME && t->size == strlen(word) && memcmp(t->bytes, word, t->size) == 0;
}
static bool is_op(const parser *p, int op) { return p->token.kind == TOKEN_OP && p->token.op == op; }

static bool skip_op(parser *p, int op, bool *skipped) {
  *skipped = is_op(p, op);
  return !*skipped || next(p);
}
static bool skip_word(parser *p, const char *word, bool *skipped) {
  *skipped = is_word(&p->token, word);
  return !*skipped || next(p);
}
static bool expect_op(parser *p, int op) {
  if (is_op(p, op)) return next(p);
  char buffer[2], wanted[8] = "'";
  strcat(strcat(wanted, op_text(op, buffer)), "'");
  return fail_token(p, wanted);
}
static bool expect_word(parser *p, const char *word) { return is_word(&p->token, word) ? next(p) : fail_token(p, word); }

static const jname *expect_name(parser *p, const char *wanted) {
  if (p->token.kind != TOKEN_NAME) {
    fail_token(p, wanted);
    return NULL;
  }
  const jname *name = rtj_name(p->run, p->token.bytes, p->token.size);
  return name && next(p) ? name : NULL;
}

/* ---- nodes ---- */

static jnode *new_node(parser *p, jkind kind, uint32_t at) {
  jnode *node = rtj_alloc(p->run, 1, sizeof *node);
  if (!node) return NULL;
  node->kind = (uint8_t)kind;
  node->at = at;
  return node;
}

/* Height over children and their siblings; NULL when the tree grows too high. */
static jnode *finish(parser *p, jnode *node) {
  const jnode *children[] = {node->a, node->b, node->c, node->d, node->e};
  unsigned depth = 0;
  for (size_t i = 0; i < RT_COUNT(children); i++)
    for (const jnode *child = children[i]; child; child = child->next)
      if (child->depth > depth) depth = child->depth;
  node->depth = (uint16_t)(depth + 1);
  if (node->depth <= RT_TEMPLATE_MAX_DEPTH) return node;
  rtj_fail_at(p->run, node->at, "nested, or chained, deeper than %d", RT_TEMPLATE_MAX_DEPTH);
  return NULL;
}

/* a op b where neither has siblings: cheaper than finish for long chains. */
static jnode *join2(parser *p, jkind kind, uint32_t at, jnode *a, jnode *b) {
  jnode *node = new_node(p, kind, at);
  if (!node) return NULL;
  node->a = a;
  node->b = b;
  return finish(p, node);
}

static bool enter(parser *p) {
  if (++p->depth <= RT_TEMPLATE_MAX_DEPTH) return true;
  return rtj_fail_at(p->run, p->token.at, "nested deeper than %d", RT_TEMPLATE_MAX_DEPTH);
}
static jnode *leave(parser *p, jnode *node) {
  p->depth--;
  return node;
}

/* ---- expressions ---- */

static jnode *expression(parser *p, bool with_condition);
static jnode *unary(parser *p, bool with_filters);
static jnode *filters(parser *p, jnode *node, bool starts_inline);
static jnode *postfix(parser *p, jnode *node);

typedef enum tuple_mode { TUPLE_FULL, TUPLE_NO_CONDITION, TUPLE_PARENTHESES, TUPLE_TARGET, TUPLE_SET_TARGET } tuple_mode;

static jnode *primary(parser *p, bool with_namespace);

static jnode *tuple(parser *p, tuple_mode mode) {
  uint32_t at = p->token.at;
  jnode *first = NULL, **last = &first;
  bool is_tuple = false;
  for (;;) {
    if (first && !expect_op(p, ',')) return NULL;
    if (p->token.kind == TOKEN_PRINT_END || p->token.kind == TOKEN_BLOCK_END || is_op(p, ')')) break;
    jnode *item = mode >= TUPLE_TARGET ? primary(p, mode == TUPLE_SET_TARGET) : expression(p, mode != TUPLE_NO_CONDITION);
    if (!item) return NULL;
    *last = item;
    last = &item->next;
    if (!is_op(p, ',')) break;
    is_tuple = true;
  }
  if (!is_tuple && first) return first;
  if (!is_tuple && mode != TUPLE_PARENTHESES) {
    fail_token(p, "an expression");
    return NULL;
  }
  jnode *node = new_node(p, N_TUPLE, at);
  if (!node) return NULL;
  node->a = first;
  return finish(p, node);
}

/* Items up to `close`, with a trailing comma allowed; the opening bracket is the current token. */
static jnode *display(parser *p, jkind kind, char close) {
  jnode *node = new_node(p, kind, p->token.at);
  if (!node || !next(p)) return NULL;
  jnode **last = &node->a;
  while (!is_op(p, close)) {
    if (node->a && !expect_op(p, ',')) return NULL;
    if (is_op(p, close)) break;
    jnode *item = expression(p, true);
    if (!item) return NULL;
    if (kind == N_DICT) {
      if (!expect_op(p, ':')) return NULL;
      jnode *value = expression(p, true);
      if (!value || !(item = join2(p, N_PAIR, item->at, item, value))) return NULL;
    }
    *last = item;
    last = &item->next;
  }
  return expect_op(p, close) ? finish(p, node) : NULL;
}

static jnode *constant(parser *p, uint32_t at, jvalue value) {
  jnode *node = new_node(p, N_CONST, at);
  if (!node) return NULL;
  node->constant = value;
  return finish(p, node);
}

/* Adjacent strings are one. */
static jnode *string_literal(parser *p) {
  uint32_t at = p->token.at;
  jbuilder all = {0};
  jvalue value;
  while (p->token.kind == TOKEN_STRING)
    if (!rtj_append(p->run, &all, p->token.bytes, p->token.size, NULL) || !next(p)) return NULL;
  return rtj_build(p->run, &all, &value) ? constant(p, at, value) : NULL;
}

static jnode *name_or_constant(parser *p, bool with_namespace) {
  jtoken t = p->token;
  const jname *name = expect_name(p, "a name");
  if (!name) return NULL;
  if (is_word(&t, "true") || is_word(&t, "True")) return constant(p, t.at, rtj_bool(true));
  if (is_word(&t, "false") || is_word(&t, "False")) return constant(p, t.at, rtj_bool(false));
  if (is_word(&t, "none") || is_word(&t, "None")) return constant(p, t.at, rtj_none());
  if (is_word(&t, "caller")) p->uses |= USES_CALLER;
  if (is_word(&t, "kwargs")) p->uses |= USES_KWARGS;
  if (is_word(&t, "varargs")) p->uses |= USES_VARARGS;
  bool reference = with_namespace && is_op(p, '.');
  jnode *node = new_node(p, reference ? N_NSREF : N_NAME, t.at);
  if (!node) return NULL;
  node->name = name;
  if (reference) {
    if (!next(p)) return NULL;
    const jname *attribute = expect_name(p, "an attribute name");
    if (!attribute || !rtj_text(p->run, attribute->bytes, attribute->size, &node->constant)) return NULL;
  }
  return finish(p, node);
}

static jnode *primary(parser *p, bool with_namespace) {
  jtoken t = p->token;
  if (t.kind == TOKEN_NAME) return name_or_constant(p, with_namespace);
  if (t.kind == TOKEN_STRING) return string_literal(p);
  if (t.kind == TOKEN_NUMBER) return next(p) ? constant(p, t.at, t.number) : NULL;
  jnode *node = NULL;
  if (!enter(p)) return NULL;
  if (is_op(p, '(')) {
    if (!next(p) || !(node = tuple(p, TUPLE_PARENTHESES)) || !expect_op(p, ')')) return NULL;
  } else if (is_op(p, '[')) {
    node = display(p, N_LIST, ']');
  } else if (is_op(p, '{')) {
    node = display(p, N_DICT, '}');
  } else {
    fail_token(p, "an expression");
  }
  return leave(p, node);
}

/* One of the comma-separated things inside of [ ]: an expression or a slice. */
static jnode *subscribed(parser *p) {
  uint32_t at = p->token.at;
  jnode *parts[3] = {NULL, NULL, NULL};
  if (!is_op(p, ':')) {
    if (!(parts[0] = expression(p, true))) return NULL;
    if (!is_op(p, ':')) return parts[0];
  }
  if (!next(p)) return NULL;
  for (int i = 1; i < 3; i++) {
    if (!is_op(p, ':') && !is_op(p, ']') && !is_op(p, ',') && !(parts[i] = expression(p, true))) return NULL;
    if (i == 1 && is_op(p, ':')) {
      if (!next(p)) return NULL;
      continue;
    }
    break;
  }
  jnode *node = new_node(p, N_SLICE, at);
  if (!node) return NULL;
  node->a = parts[0];
  node->b = parts[1];
  node->c = parts[2];
  return finish(p, node);
}

static jnode *subscript(parser *p, jnode *object) {
  uint32_t at = p->token.at;
  if (is_op(p, '.')) {
    if (!next(p)) return NULL;
    if (p->token.kind == TOKEN_NUMBER && p->token.number.type == J_INT) {
      jnode *index = constant(p, p->token.at, p->token.number);
      return index && next(p) ? join2(p, N_ITEM, at, object, index) : NULL;
    }
    const jname *name = expect_name(p, "a name or number");
    jnode *node = name ? new_node(p, N_ATTR, at) : NULL;
    if (!node) return NULL;
    node->a = object;
    node->name = name;
    if (!rtj_text(p->run, name->bytes, name->size, &node->constant)) return NULL;
    return finish(p, node);
  }
  if (!next(p)) return NULL;
  jnode *first = NULL, **last = &first;
  while (!is_op(p, ']')) {
    if (first && !expect_op(p, ',')) return NULL;
    jnode *item = subscribed(p);
    if (!item) return NULL;
    *last = item;
    last = &item->next;
  }
  if (!next(p)) return NULL;
  if (first && !first->next) return join2(p, N_ITEM, at, object, first);
  for (jnode *item = first; item; item = item->next)
    if (item->kind == N_SLICE) {
      rtj_fail_at(p->run, item->at, "slices over several dimensions are not supported");
      return NULL;
    }
  jnode *key = new_node(p, N_TUPLE, at);
  if (!key) return NULL;
  key->a = first;
  return finish(p, key) ? join2(p, N_ITEM, at, object, key) : NULL;
}

/* "(a, b, name=c, *d, **e)"; *out is the list of N_ARG. */
static bool call_args(parser *p, jnode **out) {
  uint32_t at = p->token.at;
  if (!expect_op(p, '(')) return false;
  jnode *first = NULL, **last = &first;
  unsigned seen = ARG_POSITIONAL; /* kinds only grow, except that named ones may follow *args */
  while (!is_op(p, ')')) {
    if (first) {
      if (!expect_op(p, ',')) return false;
      if (is_op(p, ')')) break;
    }
    jnode *arg = new_node(p, N_ARG, p->token.at);
    if (!arg) return false;
    unsigned kind = is_op(p, '*') ? ARG_LIST : is_op(p, OP_POW) ? ARG_DICT : ARG_POSITIONAL;
    if (kind != ARG_POSITIONAL) {
      if (!next(p)) return false;
    } else if (p->token.kind == TOKEN_NAME) {
      if (!look(p)) return false;
      if (p->ahead.kind == TOKEN_OP && p->ahead.op == '=') {
        kind = ARG_NAMED;
        if (!(arg->name = expect_name(p, "a name")) || !next(p)) return false;
      }
    }
    bool order = kind == ARG_POSITIONAL ? seen == ARG_POSITIONAL
                 : kind == ARG_NAMED    ? seen < ARG_DICT
                 : kind == ARG_LIST     ? seen < ARG_LIST
                                        : seen < ARG_DICT;
    if (!order) return rtj_fail_at(p->run, at, "the arguments of this call are out of order");
    if (kind > seen) seen = kind;
    arg->op = (uint8_t)kind;
    if (!(arg->a = expression(p, true)) || !finish(p, arg)) return false;
    *last = arg;
    last = &arg->next;
  }
  *out = first;
  return next(p);
}

static jnode *call(parser *p, jnode *callee) {
  jnode *node = new_node(p, N_CALL, p->token.at);
  if (!node) return NULL;
  node->a = callee;
  return call_args(p, &node->b) ? finish(p, node) : NULL;
}
static jnode *postfix(parser *p, jnode *node) {
  while (node) {
    if (is_op(p, '.') || is_op(p, '[')) node = subscript(p, node);
    else if (is_op(p, '(')) node = call(p, node);
    else break;
  }
  return node;
}

/* The name of a filter or test; dotted names exist in Jinja, but none in its library. */
static const jname *dotted_name(parser *p, const char *wanted) {
  const jname *name = expect_name(p, wanted);
  if (name && is_op(p, '.')) {
    rtj_fail_at(p->run, p->token.at, "there is no %s with a dot in its name", wanted);
    return NULL;
  }
  return name;
}

/* "| name(args) | ..." after `node`; starts_inline: the first has no bar in front ({% filter name %}). */
static jnode *filters(parser *p, jnode *node, bool starts_inline) {
  while (starts_inline || is_op(p, '|')) {
    if (!starts_inline && !next(p)) return NULL;
    starts_inline = false;
    jnode *filter = new_node(p, N_FILTER, p->token.at);
    if (!filter) return NULL;
    filter->a = node;
    if (!(filter->name = dotted_name(p, "filter"))) return NULL;
    if (is_op(p, '(') && !call_args(p, &filter->b)) return NULL;
    if (!(node = finish(p, filter))) return NULL;
  }
  return node;
}

static jnode *test(parser *p, jnode *node) {
  uint32_t at = p->token.at;
  bool negated;
  if (!next(p) || !skip_word(p, "not", &negated)) return NULL;
  jnode *result = new_node(p, N_TEST, at);
  if (!result || !(result->name = dotted_name(p, "test"))) return NULL;
  result->a = node;
  jtoken_kind kind = p->token.kind;
  bool starts = kind == TOKEN_NAME || kind == TOKEN_STRING || kind == TOKEN_NUMBER || is_op(p, '[') || is_op(p, '{');
  if (is_op(p, '(')) {
    if (!call_args(p, &result->b)) return NULL;
  } else if (starts && !is_word(&p->token, "else") && !is_word(&p->token, "or") && !is_word(&p->token, "and")) {
    if (is_word(&p->token, "is")) {
      rtj_fail_at(p->run, p->token.at, "tests cannot be chained with 'is'");
      return NULL;
    }
    jnode *arg = new_node(p, N_ARG, p->token.at);
    if (!arg || !(arg->a = postfix(p, primary(p, false))) || !finish(p, arg)) return NULL;
    result->b = arg;
  }
  if (!finish(p, result)) return NULL;
  return negated ? join2(p, N_NOT, at, result, NULL) : result;
}
static jnode *unary(parser *p, bool with_filters) {
  if (!enter(p)) return NULL;
  uint32_t at = p->token.at;
  jnode *node;
  if (is_op(p, '-') || is_op(p, '+')) {
    jkind kind = is_op(p, '-') ? N_NEG : N_POS;
    if (!next(p) || !(node = unary(p, false))) return NULL;
    node = join2(p, kind, at, node, NULL);
  } else {
    node = primary(p, false);
  }
  node = postfix(p, node);
  while (with_filters && node) {
    if (is_op(p, '|')) node = filters(p, node, false);
    else if (is_word(&p->token, "is")) node = test(p, node);
    else if (is_op(p, '(')) node = call(p, node);
    else break;
  }
  return leave(p, node);
}

enum { LEVEL_OR = 1, LEVEL_AND, LEVEL_NOT, LEVEL_COMPARE, LEVEL_SUM, LEVEL_CONCAT, LEVEL_PRODUCT, LEVEL_POWER };

/* Level of the infix operator at the current token, 0: none. */
static bool infix(parser *p, int *level, int *op) {
  const jtoken *t = &p->token;
  *level = 0;
  *op = t->op;
  if (t->kind == TOKEN_NAME) {
    if (is_word(t, "or")) *level = LEVEL_OR;
    else if (is_word(t, "and")) *level = LEVEL_AND;
    else if (is_word(t, "in")) *level = LEVEL_COMPARE, *op = OP_IN;
    else if (is_word(t, "not")) {
      if (!look(p)) return false;
      if (is_word(&p->ahead, "in")) *level = LEVEL_COMPARE, *op = OP_NOT_IN;
    }
  } else if (t->kind == TOKEN_OP) {
    switch (t->op) {
      case OP_EQ:
      case OP_NE:
      case OP_LE:
      case OP_GE:
      case '<':
      case '>': *level = LEVEL_COMPARE; break;
      case '+':
      case '-': *level = LEVEL_SUM; break;
      case '~': *level = LEVEL_CONCAT; break;
      case '*':
      case '/':
      case '%':
      case OP_FLOORDIV: *level = LEVEL_PRODUCT; break;
      case OP_POW: *level = LEVEL_POWER; break;
      default: break;
    }
  }
  return true;
}

static jnode *binary(parser *p, int min_level) {
  if (!enter(p)) return NULL;
  uint32_t at = p->token.at;
  jnode *left;
  if (min_level <= LEVEL_NOT && is_word(&p->token, "not")) {
    if (!next(p) || !(left = binary(p, LEVEL_NOT))) return NULL;
    left = join2(p, N_NOT, at, left, NULL);
  } else {
    left = unary(p, true);
  }
  while (left) {
    int level, op;
    if (!infix(p, &level, &op)) return NULL;
    if (level == 0 || level < min_level) break;
    at = p->token.at;
    if (level == LEVEL_COMPARE) {
      jnode *chain = NULL, **last = &chain;
      while (level == LEVEL_COMPARE) {
        uint32_t operator_at = p->token.at;
        if (!next(p) || (op == OP_NOT_IN && !next(p))) return NULL;
        jnode *right = binary(p, LEVEL_SUM), *operand = right ? join2(p, N_OPERAND, operator_at, right, NULL) : NULL;
        if (!operand) return NULL;
        operand->op = (uint8_t)op;
        *last = operand;
        last = &operand->next;
        if (!infix(p, &level, &op)) return NULL;
      }
      left = join2(p, N_COMPARE, at, left, chain);
      continue;
    }
    if (!next(p)) return NULL;
    jnode *right = binary(p, level + 1);
    if (!right) return NULL;
    left = join2(p, level == LEVEL_OR ? N_OR : level == LEVEL_AND ? N_AND : N_BINARY, at, left, right);
    if (left) left->op = (uint8_t)op;
  }
  return leave(p, left);
}

static jnode *expression(parser *p, bool with_condition) {
  jnode *node = binary(p, LEVEL_OR);
  if (!with_condition) return node;
  bool more;
  while (node) {
    uint32_t at = p->token.at;
    if (!skip_word(p, "if", &more)) return NULL;
    if (!more) break;
    jnode *condition = new_node(p, N_COND, at);
    if (!condition || !enter(p)) return NULL;
    condition->b = node;
    if (!(condition->a = binary(p, LEVEL_OR)) || !skip_word(p, "else", &more)) return NULL;
    if (more && !(condition->c = expression(p, true))) return NULL;
    node = leave(p, finish(p, condition));
  }
  return node;
}

/* ---- statements ---- */

static bool body(parser *p, const char *const *ends, jnode **out);

/* The end of a statement's head, then its body up to one of `ends`; the current token is then that word. */
static bool statements(parser *p, const char *const *ends, jnode **out) {
  bool colon;
  if (!skip_op(p, ':', &colon)) return false;
  if (p->token.kind != TOKEN_BLOCK_END) return fail_token(p, "'%}'");
  if (!enter(p) || !next(p) || !body(p, ends, out)) return false;
  p->depth--;
  return true;
}
static bool statements_until(parser *p, const char *end, jnode **out) {
  const char *const ends[] = {end, NULL};
  return statements(p, ends, out) && next(p);
}

static bool can_assign(const jnode *node) {
  if (node->kind == N_NAME || node->kind == N_NSREF) return true;
  if (node->kind != N_TUPLE) return false;
  for (const jnode *item = node->a; item; item = item->next)
    if (!can_assign(item)) return false;
  return true;
}

static jnode *target(parser *p, tuple_mode mode) {
  jnode *node = tuple(p, mode);
  if (!node || can_assign(node)) return node;
  rtj_fail_at(p->run, node->at, "this cannot be assigned to");
  return NULL;
}

static jnode *parse_set(parser *p, jnode *node) {
  bool assigns;
  node->kind = N_SET;
  if (!next(p) || !(node->a = target(p, TUPLE_SET_TARGET)) || !skip_op(p, '=', &assigns)) return NULL;
  if (assigns) return (node->b = tuple(p, TUPLE_FULL)) ? finish(p, node) : NULL;
  node->kind = N_SET_BLOCK;
  if (is_op(p, '|') && !(node->c = filters(p, NULL, false))) return NULL;
  return statements_until(p, "endset", &node->b) ? finish(p, node) : NULL;
}

static jnode *parse_for(parser *p, jnode *node) {
  static const char *const ends[] = {"endfor", "else", NULL};
  bool yes;
  node->kind = N_FOR;
  if (!next(p) || !(node->d = target(p, TUPLE_TARGET)) || !expect_word(p, "in")) return NULL;
  if (!(node->a = tuple(p, TUPLE_NO_CONDITION)) || !skip_word(p, "if", &yes)) return NULL;
  if (yes && !(node->e = expression(p, true))) return NULL;
  if (!skip_word(p, "recursive", &yes)) return NULL;
  node->op = yes;
  p->loops++;
  if (!statements(p, ends, &node->b)) return NULL;
  p->loops--;
  bool has_else = is_word(&p->token, "else");
  if (!next(p) || (has_else && !statements_until(p, "endfor", &node->c))) return NULL;
  return finish(p, node);
}

/* Chains of elif become nested ifs, built in a loop; the last branch is finished first, so each remembers in e the one in front of it. */
static jnode *parse_if(parser *p, jnode *first) {
  static const char *const ends[] = {"elif", "else", "endif", NULL};
  jnode *node = first;
  for (;;) {
    node->kind = N_IF;
    if (!next(p) || !(node->a = tuple(p, TUPLE_NO_CONDITION)) || !statements(p, ends, &node->b)) return NULL;
    if (!is_word(&p->token, "elif")) break;
    jnode *branch = new_node(p, N_IF, p->token.at);
    if (!branch) return NULL;
    branch->e = node;
    node->c = branch;
    node = branch;
  }
  bool has_else = is_word(&p->token, "else");
  if (!next(p) || (has_else && !statements_until(p, "endif", &node->c))) return NULL;
  while (node) {
    jnode *before = node->e;
    node->e = NULL;
    if (!finish(p, node)) return NULL;
    node = before;
  }
  return first;
}

static bool signature(parser *p, jnode **out) {
  if (!expect_op(p, '(')) return false;
  jnode **last = out;
  bool defaults = false, yes;
  while (!is_op(p, ')')) {
    if (*out && !expect_op(p, ',')) return false;
    jnode *param = new_node(p, N_PARAM, p->token.at);
    if (!param || !(param->name = expect_name(p, "a parameter name")) || !skip_op(p, '=', &yes)) return false;
    if (yes) {
      defaults = true;
      if (!(param->a = expression(p, true))) return false;
    } else if (defaults) {
      return rtj_fail_at(p->run, param->at, "a parameter without default follows one with a default");
    }
    if (!finish(p, param)) return false;
    *last = param;
    last = &param->next;
  }
  return next(p);
}

/* The body of a macro or call block: what it uses of caller, kwargs and varargs is noted, loops around it do not count. */
static bool macro_body(parser *p, jnode *node, const char *end) {
  unsigned loops = p->loops, uses = p->uses;
  p->loops = p->uses = 0;
  if (!statements_until(p, end, &node->b)) return false;
  node->op = (uint8_t)p->uses;
  p->loops = loops;
  p->uses |= uses;
  return true;
}

static jnode *parse_macro(parser *p, jnode *node) {
  node->kind = N_MACRO;
  if (!next(p) || !(node->name = expect_name(p, "the name of the macro")) || !signature(p, &node->a)) return NULL;
  return macro_body(p, node, "endmacro") ? finish(p, node) : NULL;
}

static jnode *parse_call(parser *p, jnode *node) {
  node->kind = N_CALL_BLOCK;
  if (!next(p) || (is_op(p, '(') && !signature(p, &node->a)) || !(node->d = expression(p, true))) return NULL;
  if (node->d->kind != N_CALL) {
    rtj_fail_at(p->run, node->d->at, "a call block needs a call here");
    return NULL;
  }
  return macro_body(p, node, "endcall") ? finish(p, node) : NULL;
}

static jnode *parse_with(parser *p, jnode *node) {
  node->kind = N_WITH;
  if (!next(p)) return NULL;
  jnode **last = &node->a;
  while (p->token.kind != TOKEN_BLOCK_END && !is_op(p, ':')) {
    if (node->a && !expect_op(p, ',')) return NULL;
    jnode *set = new_node(p, N_SET, p->token.at);
    if (!set || !(set->a = target(p, TUPLE_TARGET)) || !expect_op(p, '=') || !(set->b = expression(p, true)) || !finish(p, set))
      return NULL;
    *last = set;
    last = &set->next;
  }
  return statements_until(p, "endwith", &node->b) ? finish(p, node) : NULL;
}

static jnode *parse_print(parser *p, jnode *node) {
  jnode *first = NULL, **last = &first;
  if (!next(p)) return NULL;
  do {
    if (first && !expect_op(p, ',')) return NULL;
    jnode *value = expression(p, true);
    jnode *print = value ? join2(p, N_PRINT, value->at, value, NULL) : NULL;
    if (!print) return NULL;
    *last = print;
    last = &print->next;
  } while (p->token.kind != TOKEN_BLOCK_END);
  node->kind = N_SCOPE;
  node->b = first;
  return finish(p, node);
}

static jnode *statement(parser *p) {
  static const char *const refused[] = {"include", "import", "from", "extends", "block", "autoescape"};
  const jtoken *t = &p->token;
  if (t->kind != TOKEN_NAME) {
    fail_token(p, "the name of a tag");
    return NULL;
  }
  jnode *node = new_node(p, N_SCOPE, t->at);
  if (!node) return NULL;
  if (is_word(t, "set")) return parse_set(p, node);
  if (is_word(t, "for")) return parse_for(p, node);
  if (is_word(t, "if")) return parse_if(p, node);
  if (is_word(t, "macro")) return parse_macro(p, node);
  if (is_word(t, "call")) return parse_call(p, node);
  if (is_word(t, "with")) return parse_with(p, node);
  if (is_word(t, "print")) return parse_print(p, node);
  if (is_word(t, "generation")) return next(p) && statements_until(p, "endgeneration", &node->b) ? finish(p, node) : NULL;
  if (is_word(t, "filter")) {
    node->kind = N_FILTER_BLOCK;
    return next(p) && (node->c = filters(p, NULL, true)) && statements_until(p, "endfilter", &node->b) ? finish(p, node) : NULL;
  }
  if (is_word(t, "break") || is_word(t, "continue")) {
    node->kind = is_word(t, "break") ? N_BREAK : N_CONTINUE;
    if (!p->loops) {
      rtj_fail_at(p->run, t->at, "'%.*s' outside of a loop", (int)t->size, t->bytes);
      return NULL;
    }
    return next(p) ? finish(p, node) : NULL;
  }
  for (size_t i = 0; i < RT_COUNT(refused); i++)
    if (is_word(t, refused[i])) {
      rtj_fail_at(p->run, t->at, "the tag '%s' is not supported: a chat template stands alone, without other templates, blocks or escaping",
                  refused[i]);
      return NULL;
    }
  rtj_fail_at(p->run, t->at,
              "unknown or misplaced tag '%.*s'; known are: if, for, set, macro, call, filter, with, print, break, continue, raw, "
              "generation and their ends",
              t->size < 40 ? (int)t->size : 40, t->bytes);
  return NULL;
}

/* Statements up to one of `ends` (NULL: the end of the template); the current token is then that word. */
static bool body(parser *p, const char *const *ends, jnode **out) {
  jnode **last = out;
  for (;;) {
    jnode *node = NULL;
    uint32_t at = p->token.at;
    if (p->token.kind == TOKEN_END) {
      if (!ends) return true;
      char wanted[64] = "";
      for (const char *const *end = ends; *end; end++) strcat(strcat(strcat(wanted, end == ends ? "{% " : " or {% "), *end), " %}");
      return fail_token(p, wanted);
    }
    if (p->token.kind == TOKEN_DATA) {
      jvalue text;
      if (!rtj_text(p->run, p->token.bytes, p->token.size, &text) || !(node = constant(p, at, text)) || !next(p)) return false;
      node->kind = N_DATA;
    } else if (p->token.kind == TOKEN_PRINT_BEGIN) {
      if (!next(p) || !(node = tuple(p, TUPLE_FULL)) || !(node = join2(p, N_PRINT, at, node, NULL))) return false;
      if (p->token.kind != TOKEN_PRINT_END) return fail_token(p, "'}}'");
      if (!next(p)) return false;
    } else if (p->token.kind == TOKEN_BLOCK_BEGIN) {
      if (!next(p)) return false;
      for (const char *const *end = ends; end && *end; end++)
        if (is_word(&p->token, *end)) return true;
      if (!(node = statement(p))) return false;
      if (p->token.kind != TOKEN_BLOCK_END) return fail_token(p, "'%}'");
      if (!next(p)) return false;
    } else {
      return fail_token(p, "text, '{{' or '{%'");
    }
    *last = node;
    last = &node->next;
  }
}

bool rtj_parse(jrun *run, const char *source, size_t size, jnode **tree) {
  parser p = {.run = run};
  *tree = NULL;
  return rtj_lex_begin(&p.lexer, run, source, size) && next(&p) && body(&p, NULL, tree);
}
