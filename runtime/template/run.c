/* run.c - the entry point of template.h, and the walk over a template's tree: expressions, statements, scopes, macros.
 *
 * Scopes are lexical: a loop iteration, macro, block or with opens one, `if` does not; assignment binds in the innermost.
 */
#include <string.h>

#include "filter.h"
#include "global.h"
#include "method.h"
#include "operator.h"
#include "parser.h"

typedef struct jbinding {
  const jname *name;
  jvalue value;
  struct jbinding *next;
} jbinding;
typedef struct jscope {
  struct jscope *parent;
  jbinding *bindings;
} jscope;

typedef enum flow { FLOW_ERROR, FLOW_NEXT, FLOW_BREAK, FLOW_CONTINUE } flow;

static bool eval(jrun *run, const jnode *node, jvalue *out);
static flow exec(jrun *run, const jnode *node);

/* ---- names and scopes ---- */

static jvalue *find_name(jrun *run, const jscope *scope, const jname *name) {
  for (; scope; scope = scope->parent)
    for (jbinding *b = scope->bindings; b; b = b->next) {
      run->steps++;
      if (b->name == name) return &b->value;
    }
  return NULL;
}

static bool bind_name(jrun *run, jscope *scope, const jname *name, jvalue value) {
  jbinding *b = scope->bindings;
  for (; b && b->name != name; b = b->next) run->steps++;
  if (!b) {
    if (!(b = rtj_alloc(run, 1, sizeof *b))) return false;
    b->name = name;
    b->next = scope->bindings;
    scope->bindings = b;
  }
  b->value = value;
  return true;
}

static bool bind_word(jrun *run, jscope *scope, const char *word, jvalue value) {
  const jname *name = rtj_name(run, word, strlen(word));
  return name && bind_name(run, scope, name, value);
}

static jscope *open_scope(jrun *run, jscope *parent) {
  jscope *scope = rtj_alloc(run, 1, sizeof *scope);
  if (scope) scope->parent = parent;
  return scope;
}

static bool eval_name(jrun *run, const jnode *node, jvalue *out) {
  const jvalue *value = find_name(run, run->scope, node->name);
  if (value) return *out = *value, true;
  const jbuiltin *global = rtj_global(node->name->bytes, node->name->size);
  if (global) return rtj_function(run, global, rtj_none(), out);
  return rtj_missing(run, node->name->bytes, node->name->size, out);
}

/* ---- expressions: slices, comparisons ---- */

static bool slice_bound(jrun *run, const jnode *node, int64_t *out, bool *given) {
  jvalue v;
  *given = false;
  if (!node) return true;
  if (!eval(run, node, &v)) return false;
  if (v.type == J_NONE) return true;
  if (!rtj_is_int(v)) return rtj_fail_at(run, node->at, "slice indices must be integers or None, not %s", rtj_type_name(v));
  *given = true;
  *out = rtj_int_of(v);
  return true;
}

static bool eval_slice(jrun *run, jvalue object, const jnode *slice, jvalue *out) {
  jbounds bounds = {.step = 1};
  bool ignored;
  if (!slice_bound(run, slice->a, &bounds.start, &bounds.has_start) || !slice_bound(run, slice->b, &bounds.stop, &bounds.has_stop) ||
      !slice_bound(run, slice->c, &bounds.step, &ignored))
    return false;
  run->at = slice->at;
  return rtj_subscript(run, object, bounds, out);
}

static bool eval_compare(jrun *run, const jnode *node, jvalue *out) {
  jvalue left, right;
  if (!eval(run, node->a, &left)) return false;
  for (const jnode *operand = node->b; operand; operand = operand->next) {
    bool holds;
    if (!eval(run, operand->a, &right)) return false;
    run->at = operand->at;
    if (!rtj_compare(run, operand->op, left, right, &holds)) return false;
    *out = rtj_bool(holds);
    if (!holds) return true;
    left = right;
  }
  return true;
}

static bool eval_sign(jrun *run, const jnode *node, jvalue *out) {
  jvalue v;
  if (!eval(run, node->a, &v)) return false;
  run->at = node->at;
  return rtj_sign(run, node->kind == N_NEG, v, out);
}

/* ---- calls ---- */

static bool collect(jrun *run, const jnode *list, jargs *args) {
  size_t count = 0, named = 0;
  *args = (jargs){0};
  for (const jnode *arg = list; arg; arg = arg->next) count++;
  if (!count) return true;
  jvalue *items = rtj_alloc(run, count, sizeof *items);
  jdict names = {0};
  if (!items) return false;
  args->items = items;
  for (const jnode *arg = list; arg; arg = arg->next) {
    jvalue v;
    if (!eval(run, arg->a, &v)) return false;
    run->at = arg->at;
    if (arg->op == ARG_POSITIONAL) {
      items[args->count++] = v;
    } else if (arg->op == ARG_NAMED) {
      jvalue key;
      if (!rtj_text(run, arg->name->bytes, arg->name->size, &key) || !rtj_dict_set(run, &names, key, v)) return false;
      if (names.count != ++named) return rtj_fail(run, "the argument '%.*s' is given twice", (int)arg->name->size, arg->name->bytes);
    } else if (arg->op == ARG_LIST) {
      const jvalue *more;
      size_t n;
      if (!rtj_iterate(run, v, &more, &n)) return false;
      if (!(items = rtj_alloc(run, args->count + n, sizeof *items)) || !rtj_work(run, n)) return false;
      if (args->count) memcpy(items, args->items, args->count * sizeof *items);
      if (n) memcpy(items + args->count, more, n * sizeof *items);
      args->items = items;
      args->count += n;
    } else {
      if (v.type != J_DICT) return rtj_fail(run, "** needs a dict, not %s", rtj_type_name(v));
      for (size_t i = 0; i < v.as.dict->count; i++) {
        if (v.as.dict->entries[i].key.type != J_STRING) return rtj_fail(run, "keywords must be strings");
        if (!rtj_dict_set(run, &names, v.as.dict->entries[i].key, v.as.dict->entries[i].value)) return false;
        if (names.count != ++named) return rtj_fail(run, "an argument is given twice");
      }
    }
  }
  args->named = names.entries;
  args->n_named = names.count;
  return true;
}

/* One call of a macro: which of its arguments have found their place in the fresh scope. */
typedef struct macro_call {
  const jnode *macro;
  const jargs *args;
  jscope *scope;
  const char *name; /* of the macro, for messages */
  int name_size;
  size_t used;    /* positional arguments */
  bool *consumed; /* (args->n_named) */
} macro_call;

/* Index of the named argument that is still to be had; n_named: there is none. */
static size_t find_named(const macro_call *call, const jname *name) {
  for (size_t i = 0; i < call->args->n_named; i++) {
    const jtext *key = call->args->named[i].key.as.text;
    if (!call->consumed[i] && key->size == name->size && memcmp(key->bytes, name->bytes, name->size) == 0) return i;
  }
  return call->args->n_named;
}

static bool bind_parameter(jrun *run, macro_call *call, const jnode *param) {
  const jargs *args = call->args;
  const jname *name = param->name;
  size_t at = find_named(call, name);
  jvalue v;
  if (call->used < args->count) {
    if (at < args->n_named)
      return rtj_fail(run, "macro '%.*s' got two values for '%.*s'", call->name_size, call->name, (int)name->size, name->bytes);
    v = args->items[call->used++];
  } else if (at < args->n_named) {
    v = args->named[at].value;
    call->consumed[at] = true;
  } else if (param->a ? !eval(run, param->a, &v) : !rtj_missing(run, name->bytes, name->size, &v)) {
    return false;
  }
  return bind_name(run, call->scope, name, v);
}

static bool bind_caller(jrun *run, macro_call *call) {
  const jname *name = rtj_name(run, "caller", 6);
  if (!name) return false;
  size_t at = find_named(call, name);
  jvalue v;
  if (at < call->args->n_named) {
    v = call->args->named[at].value;
    call->consumed[at] = true;
  } else if (!rtj_missing(run, name->bytes, name->size, &v)) {
    return false;
  }
  return bind_name(run, call->scope, name, v);
}

/* The named arguments that no parameter took: kwargs, where the macro uses it. */
static bool bind_kwargs(jrun *run, macro_call *call) {
  const jentry *named = call->args->named;
  bool wanted = call->macro->op & USES_KWARGS;
  jvalue rest;
  if (wanted && !rtj_dict(run, call->args->n_named, &rest)) return false;
  for (size_t i = 0; i < call->args->n_named; i++) {
    if (call->consumed[i]) continue;
    const jtext *key = named[i].key.as.text;
    if (!wanted)
      return rtj_fail(run, "macro '%.*s' takes no keyword argument '%.*s'", call->name_size, call->name, (int)key->size, key->bytes);
    if (!rtj_dict_set(run, rest.as.dict, named[i].key, named[i].value)) return false;
  }
  return !wanted || bind_word(run, call->scope, "kwargs", rest);
}

/* Binds the arguments of a macro in its fresh scope: parameters, defaults, caller, kwargs, varargs. */
static bool bind_macro(jrun *run, const jnode *node, const jargs *args, jscope *scope) {
  macro_call call = {.macro = node, .args = args, .scope = scope, .name = "caller", .name_size = 6};
  if (node->name) {
    call.name = node->name->bytes;
    call.name_size = (int)node->name->size;
  }
  if (!(call.consumed = rtj_alloc(run, args->n_named + 1, sizeof *call.consumed))) return false;
  for (const jnode *param = node->a; param; param = param->next)
    if (!bind_parameter(run, &call, param)) return false;
  if (node->op & USES_CALLER && node->kind == N_MACRO && !bind_caller(run, &call)) return false;
  if (!bind_kwargs(run, &call)) return false;
  if (node->op & USES_VARARGS) {
    jvalue rest;
    return rtj_seq(run, SEQ_TUPLE, args->items + call.used, args->count - call.used, &rest) && bind_word(run, scope, "varargs", rest);
  }
  if (call.used < args->count)
    return rtj_fail(run, "macro '%.*s' takes not more than %zu argument(s)", call.name_size, call.name, call.used);
  return true;
}

/* Runs `body` in `scope` with its output going to a text of its own. */
static bool capture(jrun *run, const jnode *body, jscope *scope, jvalue *out) {
  jbuilder builder = {0}, *outer = run->output;
  jscope *around = run->scope;
  if (!scope) return false;
  run->output = &builder;
  run->scope = scope;
  bool ok = exec(run, body) != FLOW_ERROR;
  run->output = outer;
  run->scope = around;
  return ok && rtj_build(run, &builder, out);
}

static bool call_macro(jrun *run, const jmacro *macro, const jargs *args, jvalue *out) {
  jscope *scope = open_scope(run, macro->scope), *around = run->scope;
  if (!scope) return false;
  run->scope = scope; /* defaults see earlier parameters */
  if (!bind_macro(run, macro->node, args, scope)) return false;
  run->scope = around;
  return capture(run, macro->node->b, scope, out);
}

static flow run_loop(jrun *run, const jnode *node, jvalue iterable, jscope *scope, unsigned depth);

static bool call_loop(jrun *run, const jloop *loop, const jargs *args, jvalue *out) {
  if (!loop->node->op) return rtj_fail(run, "this loop is not recursive: write {%% for ... recursive %%} to call loop()");
  if (args->count != 1 || args->n_named) return rtj_fail(run, "loop() takes one argument");
  jbuilder builder = {0}, *outer = run->output;
  jscope *around = run->scope;
  run->output = &builder;
  run->scope = loop->scope;
  bool ok = run_loop(run, loop->node, args->items[0], loop->scope, loop->depth + 1) != FLOW_ERROR;
  run->output = outer;
  run->scope = around;
  return ok && rtj_build(run, &builder, out);
}

static bool call_value(jrun *run, jvalue callee, const jargs *args, jvalue *out) {
  uint32_t at = run->at;
  if (!rtj_enter(run)) return false;
  bool ok;
  if (callee.type == J_FUNCTION) ok = callee.as.function->builtin->call(run, callee.as.function->self, args, out);
  else if (callee.type == J_MACRO) ok = call_macro(run, callee.as.macro, args, out);
  else if (callee.type == J_LOOP) ok = call_loop(run, callee.as.loop, args, out);
  else if (callee.type == J_UNDEFINED) ok = rtj_fail_undefined(run, callee);
  else ok = rtj_fail(run, "'%s' object is not callable", rtj_type_name(callee));
  run->depth--;
  run->at = at;
  return ok;
}

/* ---- expressions ---- */

static bool eval_items(jrun *run, const jnode *node, jvalue *out) {
  size_t count = 0;
  for (const jnode *item = node->a; item; item = item->next) count++;
  jvalue *items = rtj_alloc(run, count, sizeof *items);
  if (!items) return false;
  size_t i = 0;
  for (const jnode *item = node->a; item; item = item->next)
    if (!eval(run, item, &items[i++])) return false;
  return rtj_seq(run, node->kind == N_LIST ? SEQ_LIST : SEQ_TUPLE, items, count, out);
}

static bool eval_dict(jrun *run, const jnode *node, jvalue *out) {
  if (!rtj_dict(run, 0, out)) return false;
  for (const jnode *pair = node->a; pair; pair = pair->next) {
    jvalue key, value;
    if (!eval(run, pair->a, &key) || !eval(run, pair->b, &value)) return false;
    run->at = pair->at;
    if (!rtj_dict_set(run, out->as.dict, key, value)) return false;
  }
  return true;
}

static bool apply_filter(jrun *run, const jnode *node, jvalue value, jvalue *out) {
  jargs args;
  if (!collect(run, node->b, &args)) return false;
  run->at = node->at;
  return rtj_filter(run, node->name, value, &args, out);
}

/* A chain of filters whose innermost applies to `text` ({% filter %}, {% set %} blocks). */
static bool filter_text(jrun *run, const jnode *node, jvalue text, jvalue *out) {
  if (!node) return *out = text, true;
  jvalue inner;
  if (!rtj_enter(run) || !filter_text(run, node->a, text, &inner)) return false;
  run->depth--;
  return apply_filter(run, node, inner, out);
}

static bool eval_node(jrun *run, const jnode *node, jvalue *out) {
  jvalue a, b;
  jargs args;
  bool truth;
  switch ((jkind)node->kind) {
    case N_CONST: *out = node->constant; return true;
    case N_NAME: return eval_name(run, node, out);
    case N_TUPLE:
    case N_LIST: return eval_items(run, node, out);
    case N_DICT: return eval_dict(run, node, out);
    case N_ATTR:
      if (!eval(run, node->a, &a)) return false;
      run->at = node->at;
      return rtj_get_attribute(run, a, node->constant.as.text, out);
    case N_ITEM:
      if (!eval(run, node->a, &a)) return false;
      if (node->b->kind == N_SLICE) return eval_slice(run, a, node->b, out);
      if (!eval(run, node->b, &b)) return false;
      run->at = node->at;
      return rtj_get_item(run, a, b, out);
    case N_CALL:
      if (!eval(run, node->a, &a) || !collect(run, node->b, &args)) return false;
      run->at = node->at;
      return call_value(run, a, &args, out);
    case N_FILTER: return eval(run, node->a, &a) && apply_filter(run, node, a, out);
    case N_TEST:
      if (!eval(run, node->a, &a) || !collect(run, node->b, &args)) return false;
      run->at = node->at;
      if (!rtj_test(run, node->name, a, &args, &truth)) return false;
      *out = rtj_bool(truth);
      return true;
    case N_NOT:
      if (!eval(run, node->a, &a)) return false;
      *out = rtj_bool(!rtj_truth(a));
      return true;
    case N_NEG:
    case N_POS: return eval_sign(run, node, out);
    case N_AND:
    case N_OR:
      if (!eval(run, node->a, out)) return false;
      return rtj_truth(*out) == (node->kind == N_OR) ? true : eval(run, node->b, out);
    case N_COND:
      if (!eval(run, node->a, &a)) return false;
      if (rtj_truth(a)) return eval(run, node->b, out);
      if (node->c) return eval(run, node->c, out);
      return rtj_missing(run, "the value of an inline if without else", 38, out);
    case N_BINARY:
      if (!eval(run, node->a, &a) || !eval(run, node->b, &b)) return false;
      run->at = node->at;
      return rtj_binary(run, node->op, a, b, out);
    case N_COMPARE: return eval_compare(run, node, out);
    default: return rtj_fail_at(run, node->at, "this cannot stand in an expression");
  }
}

static bool eval(jrun *run, const jnode *node, jvalue *out) {
  if (!rtj_enter(run)) return false;
  bool ok = eval_node(run, node, out);
  run->depth--;
  return ok;
}

/* ---- statements ---- */

static bool assign(jrun *run, const jnode *target, jvalue value, jscope *scope) {
  run->at = target->at;
  if (target->kind == N_NAME) return bind_name(run, scope, target->name, value);
  if (target->kind == N_NSREF) {
    const jvalue *ns = find_name(run, run->scope, target->name);
    if (!ns || ns->type != J_NAMESPACE) return rtj_fail(run, "cannot assign attribute on non-namespace object");
    if (target->constant.as.text->bytes[0] == '_') return rtj_fail(run, "attributes of a namespace cannot begin with an underscore");
    return rtj_dict_set(run, ns->as.dict, target->constant, value);
  }
  const jvalue *items;
  size_t count, wanted = 0;
  for (const jnode *item = target->a; item; item = item->next) wanted++;
  if (!rtj_iterate(run, value, &items, &count)) return false;
  if (count != wanted)
    return rtj_fail(run, "%s values to unpack: %zu wanted, %zu given", count < wanted ? "not enough" : "too many", wanted, count);
  for (const jnode *item = target->a; item; item = item->next)
    if (!rtj_enter(run) || !assign(run, item, *items++, scope)) return false;
    else run->depth--;
  return true;
}

/* The items that the condition of a loop lets through. */
static bool filter_items(jrun *run, const jnode *node, jscope *parent, const jvalue **items, size_t *count) {
  jvalue *kept = rtj_alloc(run, *count, sizeof *kept);
  size_t n = 0;
  if (!kept) return false;
  for (size_t i = 0; i < *count; i++) {
    jvalue v;
    jscope *around = run->scope, *scope = open_scope(run, parent);
    if (!scope || !assign(run, node->d, (*items)[i], scope)) return false;
    run->scope = scope;
    if (!eval(run, node->e, &v)) return false;
    run->scope = around;
    if (rtj_truth(v)) kept[n++] = (*items)[i];
  }
  *items = kept;
  *count = n;
  return true;
}

static flow exec_in(jrun *run, const jnode *body, jscope *scope) {
  jscope *around = run->scope;
  if (!scope) return FLOW_ERROR;
  run->scope = scope;
  flow result = exec(run, body);
  run->scope = around;
  return result;
}

static flow run_loop(jrun *run, const jnode *node, jvalue iterable, jscope *scope, unsigned depth) {
  const jvalue *items;
  size_t count;
  run->at = node->a->at;
  if (!rtj_iterate(run, iterable, &items, &count) || (node->e && !filter_items(run, node, scope, &items, &count))) return FLOW_ERROR;
  jloop *loop = rtj_alloc(run, 1, sizeof *loop);
  if (!loop) return FLOW_ERROR;
  *loop = (jloop){.count = count, .depth = depth, .node = node, .scope = scope, .changed = {.type = J_UNDEFINED}};
  if (!rtj_seq(run, SEQ_LIST, items, count, &loop->items)) return FLOW_ERROR;
  jvalue loop_value = {.type = J_LOOP, .as.loop = loop};
  bool completed = false; /* as in jinja2, an iteration left by break or continue does not count for the else */
  for (; loop->index < count; loop->index++) {
    jscope *inner = open_scope(run, scope);
    if (!inner || !bind_word(run, inner, "loop", loop_value) || !assign(run, node->d, items[loop->index], inner)) return FLOW_ERROR;
    flow result = exec_in(run, node->b, inner);
    if (result == FLOW_ERROR) return result;
    if (result == FLOW_BREAK) break;
    completed |= result == FLOW_NEXT;
  }
  return !completed && node->c ? exec_in(run, node->c, open_scope(run, scope)) : FLOW_NEXT;
}

static flow exec_call_block(jrun *run, const jnode *node) {
  jmacro *macro = rtj_alloc(run, 1, sizeof *macro);
  jvalue callee, result, key;
  jargs args;
  jdict named = {0};
  if (!macro || !eval(run, node->d->a, &callee) || !collect(run, node->d->b, &args)) return FLOW_ERROR;
  *macro = (jmacro){node, run->scope};
  run->at = node->at;
  for (size_t i = 0; i < args.n_named; i++)
    if (!rtj_dict_set(run, &named, args.named[i].key, args.named[i].value)) return FLOW_ERROR;
  if (!rtj_word(run, "caller", &key) || !rtj_dict_set(run, &named, key, (jvalue){.type = J_MACRO, .as.macro = macro})) return FLOW_ERROR;
  args.named = named.entries;
  args.n_named = named.count;
  return call_value(run, callee, &args, &result) && rtj_str(run, run->output, result) ? FLOW_NEXT : FLOW_ERROR;
}

static flow exec_with(jrun *run, const jnode *node) {
  jscope *scope = open_scope(run, run->scope);
  if (!scope) return FLOW_ERROR;
  for (const jnode *set = node->a; set; set = set->next) { /* values see what is around, not each other */
    jvalue v;
    if (!eval(run, set->b, &v) || !assign(run, set->a, v, scope)) return FLOW_ERROR;
  }
  return exec_in(run, node->b, scope);
}

static flow exec_node(jrun *run, const jnode *node) {
  jvalue v;
  switch ((jkind)node->kind) {
    case N_DATA: return rtj_append_text(run, run->output, node->constant.as.text) ? FLOW_NEXT : FLOW_ERROR;
    case N_PRINT: return eval(run, node->a, &v) && (run->at = node->at, rtj_str(run, run->output, v)) ? FLOW_NEXT : FLOW_ERROR;
    case N_IF:
      for (; node && node->kind == N_IF; node = node->c) { /* a lone if in an else reads the same as an elif */
        if (!eval(run, node->a, &v)) return FLOW_ERROR;
        if (rtj_truth(v)) return exec(run, node->b);
        if (node->c && (node->c->kind != N_IF || node->c->next)) return exec(run, node->c);
      }
      return FLOW_NEXT;
    case N_FOR: return eval(run, node->a, &v) ? run_loop(run, node, v, run->scope, 0) : FLOW_ERROR;
    case N_SET: return eval(run, node->b, &v) && assign(run, node->a, v, run->scope) ? FLOW_NEXT : FLOW_ERROR;
    case N_SET_BLOCK:
      if (!capture(run, node->b, open_scope(run, run->scope), &v) || !filter_text(run, node->c, v, &v)) return FLOW_ERROR;
      return assign(run, node->a, v, run->scope) ? FLOW_NEXT : FLOW_ERROR;
    case N_FILTER_BLOCK:
      if (!capture(run, node->b, open_scope(run, run->scope), &v) || !filter_text(run, node->c, v, &v)) return FLOW_ERROR;
      run->at = node->at;
      if (v.type != J_STRING) rtj_fail(run, "the filters of this block must give a string, not %s", rtj_type_name(v));
      else if (rtj_append_text(run, run->output, v.as.text)) return FLOW_NEXT;
      return FLOW_ERROR;
    case N_MACRO: {
      jmacro *macro = rtj_alloc(run, 1, sizeof *macro);
      if (!macro) return FLOW_ERROR;
      *macro = (jmacro){node, run->scope};
      return bind_name(run, run->scope, node->name, (jvalue){.type = J_MACRO, .as.macro = macro}) ? FLOW_NEXT : FLOW_ERROR;
    }
    case N_CALL_BLOCK: return exec_call_block(run, node);
    case N_WITH: return exec_with(run, node);
    case N_SCOPE: return exec_in(run, node->b, open_scope(run, run->scope));
    case N_BREAK: return FLOW_BREAK;
    case N_CONTINUE: return FLOW_CONTINUE;
    default: rtj_fail_at(run, node->at, "this cannot stand alone"); return FLOW_ERROR;
  }
}
static flow exec(jrun *run, const jnode *node) {
  flow result = FLOW_NEXT;
  for (; node && result == FLOW_NEXT; node = node->next) {
    if (!rtj_enter(run)) return FLOW_ERROR;
    result = exec_node(run, node);
    run->depth--;
  }
  return result;
}

/* ---- entry ---- */

static retort_status finish(jrun *run, rt_arena *arena, const jbuilder *b, rt_template_output *out) {
  size_t n = 0;
  for (size_t i = 0; b->marks && i < b->size; i++) n += b->marks[i] && (i == 0 || !b->marks[i - 1]);
  rt_text_span *spans = rt_arena_alloc(arena, n, sizeof *spans);
  const char *text = rt_arena_string(arena, b->size ? b->bytes : "", b->size);
  if (!spans || !text) return rt_fail_memory(run->error, b->size, "the rendered chat template");
  *out = (rt_template_output){text, b->size, spans, n};
  for (size_t i = 0; n && i < b->size; i++) {
    if (!b->marks[i]) continue;
    size_t from = i;
    while (i < b->size && b->marks[i]) i++;
    *spans++ = (rt_text_span){from, i - from};
  }
  return RETORT_OK;
}

retort_status rt_template_render(rt_arena *arena, const char *source, size_t source_size, const rt_template_variable *variables,
                                 size_t n_variables, const rt_template_world *world, rt_template_output *out, retort_error *error) {
  jbuilder output = {0};
  jrun run = {.arena.platform = arena->platform, .error = error, .world = *world, .output = &output};
  jnode *tree;
  bool ok = rtj_parse(&run, source, source_size, &tree) && (run.scope = open_scope(&run, NULL));
  run.at = 0;
  for (size_t i = 0; ok && i < n_variables; i++) {
    jvalue value;
    ok = rtj_from_json(&run, variables[i].value, variables[i].input, &value) && bind_word(&run, run.scope, variables[i].name, value);
  }
  ok = ok && exec(&run, tree) != FLOW_ERROR;
  retort_status status = ok ? finish(&run, arena, &output, out) : run.status;
  rt_arena_close(&run.arena);
  return status;
}
