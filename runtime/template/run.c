/* run.c - walks the tree of a template: expressions, statements, scopes, macros; and the entry point that ties lexer, parser and
 * run together.
 *
 * Scopes are lexical: a loop iteration, macro, block or with opens one, `if` does not; assignment binds in the innermost. Attribute and
 * item lookup follow jinja2's sandbox: x.y prefers Python's attribute (a method), x['y'] the item, and what would change a value is denied.
 * Every node costs a step and a level of depth, every byte moved a sixteenth of a step; all memory is the arena's. That bounds any
 * template.
 */
#include "internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef enum flow { FLOW_ERROR, FLOW_NEXT, FLOW_BREAK, FLOW_CONTINUE } flow;

static bool eval(jrun *run, const jnode *node, jvalue *out);
static flow exec(jrun *run, const jnode *node);

/* ---- errors, memory, work ---- */

static void fail_v(jrun *run, uint32_t at, const char *format, va_list args) {
  char text[RETORT_ERROR_MESSAGE_SIZE];
  unsigned line = 1, column = 1;
  vsnprintf(text, sizeof text, format, args);
  for (uint32_t i = 0; i < at && i < run->lexer.size; i++) {
    if (run->lexer.source[i] == '\n') line++, column = 1;
    else column += ((unsigned char)run->lexer.source[i] & 0xC0) != 0x80;
  }
  run->status = rt_fail(run->error, RETORT_ERROR_TEMPLATE, "chat template, line %u, column %u: %s", line, column, text);
}

bool rtj_store_error_at(jrun *run, uint32_t at, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fail_v(run, at, format, args);
  va_end(args);
  return false;
}

bool rtj_store_error(jrun *run, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fail_v(run, run->at, format, args);
  va_end(args);
  return false;
}

void *rtj_alloc(jrun *run, size_t count, size_t size) {
  uint64_t bytes;
  if (!rt_mul_u64(count, size, &bytes) || bytes > RT_TEMPLATE_MAX_MEMORY || run->arena.used + bytes > RT_TEMPLATE_MAX_MEMORY) {
    rtj_fail(run, "the template needs more than %d bytes of memory", RT_TEMPLATE_MAX_MEMORY);
    return NULL;
  }
  void *memory = rt_arena_alloc(&run->arena, count, size);
  if (!memory) run->status = rt_fail_memory(run->error, bytes, "the chat template");
  return memory;
}

void *rtj_grow(jrun *run, void *items, size_t count, size_t *capacity, size_t size) {
  if (count < *capacity) return items;
  size_t twice = *capacity ? *capacity * 2 : 8;
  void *grown = rtj_alloc(run, twice, size);
  if (!grown) return NULL;
  if (count) memcpy(grown, items, count * size);
  *capacity = twice;
  return grown;
}

bool rtj_work(jrun *run, uint64_t steps) {
  run->steps += steps;
  if (RT_LIKELY(run->steps <= RT_TEMPLATE_MAX_STEPS)) return true;
  return rtj_fail(run, "the template does not come to an end within %d steps", RT_TEMPLATE_MAX_STEPS);
}

/* ---- names and scopes ---- */

const jname *rtj_name(jrun *run, const char *bytes, size_t size) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < size; i++) hash = (hash ^ (unsigned char)bytes[i]) * 16777619u;
  jname **bucket = &run->names[hash % NAME_BUCKETS];
  for (jname *name = *bucket; name; name = name->next)
    if (name->size == size && memcmp(name->bytes, bytes, size) == 0) return name;
  jname *name = rtj_alloc(run, 1, sizeof *name);
  if (!name) return NULL;
  *name = (jname){bytes, size, *bucket};
  return *bucket = name;
}

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
  while (b && b->name != name) b = b->next;
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

static bool missing_name(jrun *run, const jname *name, jvalue *out) {
  jvalue text, nothing = {.type = J_UNDEFINED};
  return rtj_text(run, name->bytes, name->size, &text) && rtj_undefined(run, nothing, text, false, out);
}

static bool function_value(jrun *run, const jbuiltin *builtin, jvalue self, jvalue *out) {
  jfunction *function = rtj_alloc(run, 1, sizeof *function);
  if (!function) return false;
  *function = (jfunction){builtin, self};
  *out = (jvalue){.type = J_FUNCTION, .as.function = function};
  return true;
}

static bool eval_name(jrun *run, const jnode *node, jvalue *out) {
  const jvalue *value = find_name(run, run->scope, node->name);
  if (value) return *out = *value, true;
  const jbuiltin *global = rtj_global(node->name->bytes, node->name->size);
  if (global) return function_value(run, global, rtj_none(), out);
  return missing_name(run, node->name, out);
}

/* ---- attributes and items ---- */

static bool is_text(const jtext *text, const char *word) {
  return text->size == strlen(word) && memcmp(text->bytes, word, text->size) == 0;
}

static bool loop_attribute(jrun *run, jloop *loop, const jtext *name, jvalue *out, bool *found) {
  *found = true;
  const jvalue *items = loop->items.as.seq->items, nothing = {.type = J_UNDEFINED};
  size_t last = loop->count - 1;
  if (is_text(name, "index")) *out = rtj_int((int64_t)loop->index + 1);
  else if (is_text(name, "index0")) *out = rtj_int((int64_t)loop->index);
  else if (is_text(name, "revindex")) *out = rtj_int((int64_t)(loop->count - loop->index));
  else if (is_text(name, "revindex0")) *out = rtj_int((int64_t)(last - loop->index));
  else if (is_text(name, "first")) *out = rtj_bool(loop->index == 0);
  else if (is_text(name, "last")) *out = rtj_bool(loop->index == last);
  else if (is_text(name, "length")) *out = rtj_int((int64_t)loop->count);
  else if (is_text(name, "depth")) *out = rtj_int(loop->depth + 1);
  else if (is_text(name, "depth0")) *out = rtj_int(loop->depth);
  else if (is_text(name, "previtem") || is_text(name, "nextitem")) {
    bool previous = name->bytes[0] == 'p', exists = previous ? loop->index > 0 : loop->index < last;
    if (exists) *out = items[previous ? loop->index - 1 : loop->index + 1];
    else return rtj_undefined(run, nothing, (jvalue){.type = J_STRING, .as.text = name}, false, out);
  } else {
    *found = false;
  }
  return true;
}

static bool macro_attribute(jrun *run, const jmacro *macro, const jtext *name, jvalue *out, bool *found) {
  const jname *own = macro->node->name;
  unsigned uses = macro->node->op;
  *found = true;
  if (is_text(name, "name")) return own ? rtj_text(run, own->bytes, own->size, out) : (*out = rtj_none(), true);
  if (is_text(name, "catch_kwargs")) return *out = rtj_bool(uses & USES_KWARGS), true;
  if (is_text(name, "catch_varargs")) return *out = rtj_bool(uses & USES_VARARGS), true;
  if (is_text(name, "caller")) return *out = rtj_bool(uses & USES_CALLER), true;
  *found = false;
  if (!is_text(name, "arguments")) return true;
  *found = true;
  size_t count = 0;
  for (const jnode *param = macro->node->a; param; param = param->next) count++;
  jvalue *items = rtj_alloc(run, count, sizeof *items), *item = items;
  if (!items) return false;
  for (const jnode *param = macro->node->a; param; param = param->next, item++)
    if (!rtj_text(run, param->name->bytes, param->name->size, item)) return false;
  return rtj_seq(run, SEQ_TUPLE, items, count, out);
}

/* Python's own attributes of `object`: methods, and the fields of loops, macros and namespaces. */
bool rtj_own_attribute(jrun *run, jvalue object, const jtext *name, jvalue *out, bool *found) {
  jvalue key = {.type = J_STRING, .as.text = name};
  bool forbidden = false;
  *found = false;
  if (object.type == J_NAMESPACE) return rtj_dict_find(run, object.as.dict, key, out, found);
  if (object.type == J_LOOP && (!loop_attribute(run, object.as.loop, name, out, found) || *found)) return *found;
  if (object.type == J_MACRO && (!macro_attribute(run, object.as.macro, name, out, found) || *found)) return *found;
  const jbuiltin *method = rtj_method(object, name->bytes, name->size, &forbidden);
  bool dunder = name->size > 4 && memcmp(name->bytes, "__", 2) == 0 && memcmp(name->bytes + name->size - 2, "__", 2) == 0;
  *found = method || forbidden || dunder;
  if (forbidden || dunder) return rtj_undefined(run, object, key, true, out);
  return method ? function_value(run, method, object, out) : true;
}

static bool get_attribute(jrun *run, jvalue object, const jtext *name, jvalue *out) {
  jvalue key = {.type = J_STRING, .as.text = name};
  bool found;
  if (object.type == J_UNDEFINED) return rtj_fail_undefined(run, object);
  if (!rtj_own_attribute(run, object, name, out, &found)) return false;
  if (found) return true;
  if (object.type == J_DICT && (!rtj_dict_find(run, object.as.dict, key, out, &found) || found)) return found;
  return rtj_undefined(run, object, key, false, out);
}

static bool is_int(jvalue v) { return v.type == J_INT || v.type == J_BOOL; }
static int64_t int_of(jvalue v) { return v.type == J_INT ? v.as.integer : v.as.boolean; }

bool rtj_get_item(jrun *run, jvalue object, jvalue key, jvalue *out) {
  bool found = false;
  if (object.type == J_UNDEFINED) return rtj_fail_undefined(run, object);
  if (object.type == J_DICT && key.type != J_DICT && (key.type != J_SEQ || key.as.seq->kind == SEQ_TUPLE)) {
    if (!rtj_dict_find(run, object.as.dict, key, out, &found) || found) return found;
  } else if (object.type == J_SEQ && object.as.seq->kind <= SEQ_RANGE && is_int(key)) {
    int64_t i = int_of(key), n = (int64_t)object.as.seq->count;
    if (i < 0) i += n;
    if (i >= 0 && i < n) return *out = object.as.seq->items[i], true;
  } else if (object.type == J_STRING && is_int(key)) {
    const jtext *text = object.as.text;
    int64_t i = int_of(key);
    if (i < 0) i += (int64_t)rtj_length(run, text);
    size_t from = i >= 0 && (uint64_t)i < text->size ? rtj_offset(run, text, (size_t)i) : text->size;
    if (from < text->size) {
      size_t to = from;
      rtj_decode(text->bytes, &to);
      return rtj_slice(run, text, from, to, out);
    }
  }
  if (key.type == J_STRING && (!rtj_own_attribute(run, object, key.as.text, out, &found) || found)) return found;
  return rtj_undefined(run, object, key, false, out);
}

static bool slice_bound(jrun *run, const jnode *node, int64_t *out, bool *given) {
  jvalue v;
  *given = false;
  if (!node) return true;
  if (!eval(run, node, &v)) return false;
  if (v.type == J_NONE) return true;
  if (!is_int(v)) return rtj_fail_at(run, node->at, "slice indices must be integers or None, not %s", rtj_type_name(v));
  *given = true;
  *out = int_of(v);
  return true;
}

/* Python's slice.indices: the items start, start + step, ... before stop; returns how many. */
static int64_t slice_range(int64_t n, int64_t *start, bool has_start, int64_t *stop, bool has_stop, int64_t step) {
  int64_t low = step < 0 ? -1 : 0, high = step < 0 ? n - 1 : n;
  if (!has_start) *start = step < 0 ? high : low;
  else if (*start < 0) *start = *start < -n ? low : *start + n;
  else if (*start > high) *start = high;
  if (!has_stop) *stop = step < 0 ? low : high;
  else if (*stop < 0) *stop = *stop < -n ? low : *stop + n;
  else if (*stop > high) *stop = high;
  if (step < 0) return *stop < *start ? (*start - *stop - 1) / -step + 1 : 0;
  return *start < *stop ? (*stop - *start - 1) / step + 1 : 0;
}

static bool slice_text(jrun *run, const jtext *text, int64_t start, int64_t count, int64_t step, jvalue *out) {
  if (step == 1 || count == 0) {
    size_t from = count ? rtj_offset(run, text, (size_t)start) : 0;
    jtext rest = {text->bytes + from, NULL, text->size - from, false};
    return rtj_slice(run, text, from, count ? from + rtj_offset(run, &rest, (size_t)count) : 0, out);
  }
  const jvalue *characters;
  size_t n;
  jbuilder b = {0};
  if (!rtj_iterate(run, (jvalue){.type = J_STRING, .as.text = text}, &characters, &n)) return false;
  for (int64_t i = 0; i < count; i++)
    if (!rtj_work(run, 1) || !rtj_append_text(run, &b, characters[start + i * step].as.text)) return false;
  return rtj_build(run, &b, out);
}

static bool eval_slice(jrun *run, jvalue object, const jnode *slice, jvalue *out) {
  int64_t start = 0, stop = 0, step = 1;
  bool has_start, has_stop, has_step;
  if (!slice_bound(run, slice->a, &start, &has_start) || !slice_bound(run, slice->b, &stop, &has_stop) ||
      !slice_bound(run, slice->c, &step, &has_step))
    return false;
  run->at = slice->at;
  if (!has_step) step = 1;
  if (step == 0) return rtj_fail(run, "the step of a slice cannot be zero");
  if (step < -INT64_MAX) step = -INT64_MAX;
  if (object.type == J_UNDEFINED) return rtj_fail_undefined(run, object);
  if (object.type == J_STRING) {
    int64_t n = (int64_t)rtj_length(run, object.as.text), count = slice_range(n, &start, has_start, &stop, has_stop, step);
    return slice_text(run, object.as.text, start, count, step, out);
  }
  if (object.type != J_SEQ || object.as.seq->kind > SEQ_RANGE) return rtj_fail(run, "a %s cannot be sliced", rtj_type_name(object));
  const jseq *seq = object.as.seq;
  int64_t count = slice_range((int64_t)seq->count, &start, has_start, &stop, has_stop, step);
  if (!rtj_work(run, (uint64_t)count / 4)) return false;
  if (step == 1 && seq->kind != SEQ_RANGE) return rtj_seq(run, seq->kind, count ? seq->items + start : NULL, (size_t)count, out);
  jvalue *items = rtj_alloc(run, (size_t)count, sizeof *items);
  if (!items) return false;
  for (int64_t i = 0; i < count; i++) items[i] = seq->items[start + i * step];
  if (!rtj_seq(run, seq->kind, items, (size_t)count, out)) return false;
  if (seq->kind == SEQ_RANGE) { /* prints as a range again */
    jseq *range = out->as.seq;
    bool overflow = __builtin_mul_overflow(start, seq->step, &range->start) ||
                    __builtin_add_overflow(range->start, seq->start, &range->start) ||
                    __builtin_mul_overflow(stop, seq->step, &range->stop) ||
                    __builtin_add_overflow(range->stop, seq->start, &range->stop) || __builtin_mul_overflow(step, seq->step, &range->step);
    if (overflow) return rtj_fail(run, "the integer result does not fit in 64 bits");
  }
  return true;
}

/* ---- operators ---- */

static bool is_number(jvalue v) { return is_int(v) || v.type == J_FLOAT; }
static double double_of(jvalue v) { return v.type == J_FLOAT ? v.as.real : (double)int_of(v); }

static bool fail_operands(jrun *run, const char *op, jvalue a, jvalue b) {
  if (a.type == J_UNDEFINED) return rtj_fail_undefined(run, a);
  if (b.type == J_UNDEFINED) return rtj_fail_undefined(run, b);
  if (op[0] == '+' && a.type == J_STRING) return rtj_fail(run, "can only concatenate str (not \"%s\") to str", rtj_type_name(b));
  return rtj_fail(run, "unsupported operand types for %s: '%s' and '%s'", op, rtj_type_name(a), rtj_type_name(b));
}

static bool int_operation(jrun *run, int op, int64_t a, int64_t b, jvalue *out) {
  int64_t r = 0;
  bool overflow = false;
  switch (op) {
    case '+': overflow = __builtin_add_overflow(a, b, &r); break;
    case '-': overflow = __builtin_sub_overflow(a, b, &r); break;
    case '*': overflow = __builtin_mul_overflow(a, b, &r); break;
    case '/': return b == 0 ? rtj_fail(run, "division by zero") : (*out = rtj_float((double)a / (double)b), true);
    case '%':
    case OP_FLOORDIV: {
      if (b == 0) return rtj_fail(run, op == '%' ? "integer modulo by zero" : "integer division or modulo by zero");
      if (b == -1) { /* INT64_MIN / -1 would trap */
        overflow = op == OP_FLOORDIV && __builtin_sub_overflow((int64_t)0, a, &r);
        break;
      }
      int64_t quotient = a / b, rest = a % b;
      bool down = rest != 0 && (rest < 0) != (b < 0);
      r = op == '%' ? rest + (down ? b : 0) : quotient - down;
      break;
    }
    case OP_POW: {
      if (b < 0) {
        if (a == 0) return rtj_fail(run, "0 cannot be raised to a negative power");
        return *out = rtj_float(pow((double)a, (double)b)), true;
      }
      r = 1;
      for (int64_t base = a; b && !overflow; b >>= 1) {
        if (b & 1) overflow = __builtin_mul_overflow(r, base, &r);
        if (b > 1) overflow |= __builtin_mul_overflow(base, base, &base);
      }
      break;
    }
    default: break;
  }
  if (overflow) return rtj_fail(run, "the integer result does not fit in 64 bits");
  *out = rtj_int(r);
  return true;
}

static bool float_operation(jrun *run, int op, double a, double b, jvalue *out) {
  double r = 0;
  if (b == 0 && (op == '/' || op == '%' || op == OP_FLOORDIV))
    return rtj_fail(run, op == '/' ? "float division by zero" : "float floor division by zero");
  switch (op) {
    case '+': r = a + b; break;
    case '-': r = a - b; break;
    case '*': r = a * b; break;
    case '/': r = a / b; break;
    case '%':
    case OP_FLOORDIV: { /* Python's float_divmod */
      double rest = fmod(a, b), quotient = (a - rest) / b;
      if (rest != 0) {
        if ((b < 0) != (rest < 0)) rest += b, quotient -= 1;
      } else {
        rest = copysign(0, b);
      }
      if (quotient != 0) {
        double floored = floor(quotient);
        quotient = quotient - floored > 0.5 ? floored + 1 : floored;
      } else {
        quotient = copysign(0, a / b);
      }
      r = op == '%' ? rest : quotient;
      break;
    }
    case OP_POW:
      if (a == 0 && b < 0) return rtj_fail(run, "0.0 cannot be raised to a negative power");
      r = pow(a, b);
      if (isnan(r) && !isnan(a) && !isnan(b)) return rtj_fail(run, "the power is a complex number, which is not supported");
      if (isinf(r) && !isinf(a) && !isinf(b)) return rtj_fail(run, "the power is too large");
      break;
    default: break;
  }
  *out = rtj_float(r);
  return true;
}

static bool repeat(jrun *run, jvalue what, int64_t times, jvalue *out) {
  if (times < 0) times = 0;
  if (what.type == J_STRING) {
    jbuilder b = {.safe = what.as.text->safe};
    for (int64_t i = 0; i < times && what.as.text->size; i++)
      if (!rtj_work(run, 1) || !rtj_append_text(run, &b, what.as.text)) return false;
    return rtj_build(run, &b, out);
  }
  const jseq *seq = what.as.seq;
  uint64_t total;
  size_t count;
  if (!rt_mul_u64(seq->count, (uint64_t)times, &total) || !rt_to_size(total, &count) || !rtj_work(run, total))
    return rtj_work(run, RT_TEMPLATE_MAX_STEPS + 1);
  jvalue *items = rtj_alloc(run, count, sizeof *items);
  if (!items) return false;
  for (size_t i = 0; i < count; i++) items[i] = seq->items[i % seq->count];
  return rtj_seq(run, seq->kind, items, count, out);
}

static bool join_sequences(jrun *run, const jseq *a, const jseq *b, jvalue *out) {
  size_t count = a->count + b->count;
  jvalue *items = rtj_alloc(run, count, sizeof *items);
  if (!items || !rtj_work(run, count)) return false;
  if (a->count) memcpy(items, a->items, a->count * sizeof *items);
  if (b->count) memcpy(items + a->count, b->items, b->count * sizeof *items);
  return rtj_seq(run, a->kind, items, count, out);
}

static bool concatenate(jrun *run, jvalue a, jvalue b, jvalue *out) {
  jbuilder builder = {0};
  const jtext *x, *y;
  if (!rtj_to_text(run, a, &x) || !rtj_to_text(run, b, &y)) return false;
  return rtj_append_text(run, &builder, x) && rtj_append_text(run, &builder, y) && rtj_build(run, &builder, out);
}

static bool can_repeat(jvalue v) { return v.type == J_STRING || (v.type == J_SEQ && v.as.seq->kind <= SEQ_TUPLE); }

bool rtj_binary(jrun *run, int op, jvalue a, jvalue b, jvalue *out) {
  char name[3] = {(char)op, 0, 0};
  if (op == '~') return concatenate(run, a, b, out);
  if (is_number(a) && is_number(b)) {
    bool ok = is_int(a) && is_int(b) ? int_operation(run, op, int_of(a), int_of(b), out)
                                     : float_operation(run, op, double_of(a), double_of(b), out);
    if (ok) out->input = a.input || b.input;
    return ok;
  }
  if (op == '+') {
    if (a.type == J_STRING && b.type == J_STRING) return concatenate(run, a, b, out);
    if (a.type == J_SEQ && b.type == J_SEQ && a.as.seq->kind == b.as.seq->kind && a.as.seq->kind <= SEQ_TUPLE)
      return join_sequences(run, a.as.seq, b.as.seq, out);
  }
  if (op == '*' && can_repeat(a) && is_int(b)) return repeat(run, a, int_of(b), out);
  if (op == '*' && can_repeat(b) && is_int(a)) return repeat(run, b, int_of(a), out);
  if (op == '%' && a.type == J_STRING) return rtj_percent(run, a.as.text, b, out);
  if (op == OP_FLOORDIV) memcpy(name, "//", 3);
  if (op == OP_POW) memcpy(name, "**", 3);
  return fail_operands(run, name, a, b);
}

bool rtj_compare(jrun *run, int op, jvalue a, jvalue b, bool *out) {
  int order;
  switch (op) {
    case OP_EQ: return rtj_equal(run, a, b, out);
    case OP_NE:
      if (!rtj_equal(run, a, b, out)) return false;
      *out = !*out;
      return true;
    case OP_IN: return rtj_contains(run, b, a, out);
    case OP_NOT_IN:
      if (!rtj_contains(run, b, a, out)) return false;
      *out = !*out;
      return true;
    case '<':
      if (!rtj_order(run, a, b, "<", &order)) return false;
      *out = order == -1;
      return true;
    case '>':
      if (!rtj_order(run, a, b, ">", &order)) return false;
      *out = order == 1;
      return true;
    case OP_LE:
      if (!rtj_order(run, a, b, "<=", &order)) return false;
      *out = order == -1 || order == 0;
      return true;
    default:
      if (!rtj_order(run, a, b, ">=", &order)) return false;
      *out = order == 1 || order == 0;
      return true;
  }
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
  if (v.type == J_UNDEFINED) return rtj_fail_undefined(run, v);
  if (!is_number(v)) return rtj_fail(run, "bad operand type for unary %c: '%s'", node->kind == N_NEG ? '-' : '+', rtj_type_name(v));
  if (v.type == J_FLOAT) *out = rtj_float(node->kind == N_NEG ? -v.as.real : v.as.real);
  else if (!int_operation(run, node->kind == N_NEG ? '-' : '+', 0, int_of(v), out)) return false;
  out->input = v.input;
  return true;
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

static const jvalue *named_arg(const jargs *args, const jname *name, size_t *at) {
  for (*at = 0; *at < args->n_named; ++*at) {
    const jtext *key = args->named[*at].key.as.text;
    if (key->size == name->size && memcmp(key->bytes, name->bytes, name->size) == 0) return &args->named[*at].value;
  }
  return NULL;
}

/* Binds the arguments of a macro in its fresh scope: parameters, defaults, varargs, kwargs, caller. */
static bool bind_macro(jrun *run, const jnode *node, const jargs *args, jscope *scope) {
  size_t used = 0, taken = 0, at;
  const char *name = node->name ? node->name->bytes : "caller";
  int size = node->name ? (int)node->name->size : 6;
  bool *consumed = rtj_alloc(run, args->n_named + 1, sizeof *consumed);
  if (!consumed) return false;
  for (const jnode *param = node->a; param; param = param->next) {
    const jvalue *given = named_arg(args, param->name, &at);
    jvalue v;
    if (used < args->count) {
      if (given) return rtj_fail(run, "macro '%.*s' got two values for '%.*s'", size, name, (int)param->name->size, param->name->bytes);
      v = args->items[used++];
    } else if (given) {
      v = *given;
      consumed[at] = true;
      taken++;
    } else if (param->a) {
      if (!eval(run, param->a, &v)) return false;
    } else if (!missing_name(run, param->name, &v)) {
      return false;
    }
    if (!bind_name(run, scope, param->name, v)) return false;
  }
  const jname *caller_name = rtj_name(run, "caller", 6);
  if (!caller_name) return false;
  const jvalue *caller = named_arg(args, caller_name, &at);
  if (node->op & USES_CALLER && node->kind == N_MACRO) {
    jvalue v;
    if (caller && !consumed[at]) {
      v = *caller;
      consumed[at] = true;
      taken++;
    } else if (!missing_name(run, caller_name, &v)) {
      return false;
    }
    if (!bind_name(run, scope, caller_name, v)) return false;
  }
  if (node->op & USES_KWARGS) {
    jvalue rest;
    if (!rtj_dict(run, args->n_named, &rest)) return false;
    for (size_t i = 0; i < args->n_named; i++)
      if (!consumed[i] && !rtj_dict_set(run, rest.as.dict, args->named[i].key, args->named[i].value)) return false;
    if (!bind_word(run, scope, "kwargs", rest)) return false;
  } else if (taken < args->n_named) {
    for (size_t i = 0; i < args->n_named; i++)
      if (!consumed[i])
        return rtj_fail(run, "macro '%.*s' takes no keyword argument '%.*s'", size, name, (int)args->named[i].key.as.text->size,
                        args->named[i].key.as.text->bytes);
  }
  if (node->op & USES_VARARGS) {
    jvalue rest;
    return rtj_seq(run, SEQ_TUPLE, args->items + used, args->count - used, &rest) && bind_word(run, scope, "varargs", rest);
  }
  if (used < args->count) return rtj_fail(run, "macro '%.*s' takes not more than %zu argument(s)", size, name, used);
  return true;
}

/* Runs `body` in `scope` with its output going to a text of its own. */
static bool capture(jrun *run, const jnode *body, jscope *scope, jvalue *out) {
  jbuilder builder = {0}, *outer = run->out;
  jscope *around = run->scope;
  if (!scope) return false;
  run->out = &builder;
  run->scope = scope;
  bool ok = exec(run, body) != FLOW_ERROR;
  run->out = outer;
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
  jbuilder builder = {0}, *outer = run->out;
  jscope *around = run->scope;
  run->out = &builder;
  run->scope = loop->scope;
  bool ok = run_loop(run, loop->node, args->items[0], loop->scope, loop->depth + 1) != FLOW_ERROR;
  run->out = outer;
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
      return get_attribute(run, a, node->constant.as.text, out);
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
      if (!rtj_text(run, "the value of an inline if without else", 38, &b)) return false;
      return rtj_undefined(run, (jvalue){.type = J_UNDEFINED}, b, false, out);
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
  if (!rtj_text(run, "caller", 6, &key) || !rtj_dict_set(run, &named, key, (jvalue){.type = J_MACRO, .as.macro = macro})) return FLOW_ERROR;
  args.named = named.entries;
  args.n_named = named.count;
  return call_value(run, callee, &args, &result) && rtj_str(run, run->out, result) ? FLOW_NEXT : FLOW_ERROR;
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
    case N_DATA: return rtj_append_text(run, run->out, node->constant.as.text) ? FLOW_NEXT : FLOW_ERROR;
    case N_PRINT: return eval(run, node->a, &v) && (run->at = node->at, rtj_str(run, run->out, v)) ? FLOW_NEXT : FLOW_ERROR;
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
      else if (rtj_append_text(run, run->out, v.as.text)) return FLOW_NEXT;
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
                                 size_t n_variables, const char *date, rt_template_output *out, retort_error *error) {
  jbuilder output = {0};
  jrun run = {.arena.platform = arena->platform, .error = error, .date = date, .out = &output};
  bool ok = rtj_lex_begin(&run, source, source_size) && rtj_parse(&run) && (run.scope = open_scope(&run, NULL));
  run.at = 0;
  for (size_t i = 0; ok && i < n_variables; i++) {
    jvalue value;
    ok = rtj_from_json(&run, variables[i].value, variables[i].input, &value) && bind_word(&run, run.scope, variables[i].name, value);
  }
  ok = ok && exec(&run, run.tree) != FLOW_ERROR;
  retort_status status = ok ? finish(&run, arena, &output, out) : run.status;
  rt_arena_close(&run.arena);
  return status;
}
