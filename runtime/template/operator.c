/* operator.c - see operator.h. Each step of a loop over items, and every sixteenth byte, is paid for. */
#include "operator.h"

#include <math.h>
#include <string.h>

#include "repr.h"
#include "str.h"

/* ---- arithmetic ---- */

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

/* Where one is `safe`, the other is escaped and so is their sum; ~ and the filter `join` know nothing of that. */
static bool add_texts(jrun *run, const jtext *a, const jtext *b, jvalue *out) {
  jbuilder builder = {.safe = a->safe || b->safe};
  return rtj_append_joined(run, &builder, a) && rtj_append_joined(run, &builder, b) && rtj_build(run, &builder, out);
}

static bool can_repeat(jvalue v) { return v.type == J_STRING || (v.type == J_SEQ && v.as.seq->kind <= SEQ_TUPLE); }

bool rtj_binary(jrun *run, int op, jvalue a, jvalue b, jvalue *out) {
  char name[3] = {(char)op, 0, 0};
  if (op == '~') return concatenate(run, a, b, out);
  if (rtj_is_number(a) && rtj_is_number(b)) {
    bool ok = rtj_is_int(a) && rtj_is_int(b) ? int_operation(run, op, rtj_int_of(a), rtj_int_of(b), out)
                                             : float_operation(run, op, rtj_double_of(a), rtj_double_of(b), out);
    if (ok) out->input = a.input || b.input;
    return ok;
  }
  if (op == '+') {
    if (a.type == J_STRING && b.type == J_STRING) return add_texts(run, a.as.text, b.as.text, out);
    if (a.type == J_SEQ && b.type == J_SEQ && a.as.seq->kind == b.as.seq->kind && a.as.seq->kind <= SEQ_TUPLE)
      return join_sequences(run, a.as.seq, b.as.seq, out);
  }
  if (op == '*' && can_repeat(a) && rtj_is_int(b)) return repeat(run, a, rtj_int_of(b), out);
  if (op == '*' && can_repeat(b) && rtj_is_int(a)) return repeat(run, b, rtj_int_of(a), out);
  if (op == '%' && a.type == J_STRING) return rtj_percent(run, a.as.text, b, out);
  if (op == OP_FLOORDIV) memcpy(name, "//", 3);
  if (op == OP_POW) memcpy(name, "**", 3);
  return fail_operands(run, name, a, b);
}

bool rtj_sign(jrun *run, bool negative, jvalue v, jvalue *out) {
  if (v.type == J_UNDEFINED) return rtj_fail_undefined(run, v);
  if (!rtj_is_number(v)) return rtj_fail(run, "bad operand type for unary %c: '%s'", negative ? '-' : '+', rtj_type_name(v));
  if (v.type == J_FLOAT) *out = rtj_float(negative ? -v.as.real : v.as.real);
  else if (!int_operation(run, negative ? '-' : '+', 0, rtj_int_of(v), out)) return false;
  out->input = v.input;
  return true;
}

/* ---- comparing ---- */

bool rtj_order(jrun *run, jvalue a, jvalue b, const char *op, int *out) {
  if (a.type == J_UNDEFINED) return rtj_fail_undefined(run, a);
  if (b.type == J_UNDEFINED) return rtj_fail_undefined(run, b);
  if (rtj_is_number(a) && rtj_is_number(b)) return *out = rtj_order_numbers(a, b), true;
  if (a.type == J_STRING && b.type == J_STRING) {
    const jtext *x = a.as.text, *y = b.as.text;
    size_t n = x->size < y->size ? x->size : y->size;
    run->steps += n / 16;
    int order = n ? memcmp(x->bytes, y->bytes, n) : 0; /* the order of UTF-8 bytes is that of code points */
    *out = order ? (order > 0) - (order < 0) : (x->size > y->size) - (x->size < y->size);
    return true;
  }
  bool sequences = a.type == J_SEQ && b.type == J_SEQ && a.as.seq->kind == b.as.seq->kind && a.as.seq->kind <= SEQ_TUPLE;
  if (!sequences) return rtj_fail(run, "'%s' not supported between instances of '%s' and '%s'", op, rtj_type_name(a), rtj_type_name(b));
  const jseq *x = a.as.seq, *y = b.as.seq;
  if (!rtj_enter(run)) return false;
  for (size_t i = 0; i < x->count && i < y->count; i++) {
    bool equal;
    if (!rtj_equal(run, x->items[i], y->items[i], &equal)) return false;
    if (equal) continue;
    run->depth--;
    return rtj_order(run, x->items[i], y->items[i], op, out);
  }
  run->depth--;
  *out = (x->count > y->count) - (x->count < y->count);
  return true;
}

bool rtj_contains(jrun *run, jvalue container, jvalue item, bool *out) {
  *out = false;
  if (container.type == J_STRING) {
    if (item.type != J_STRING) return rtj_fail(run, "'in <string>' requires string as left operand, not %s", rtj_type_name(item));
    size_t at;
    const jtext *in = container.as.text, *what = item.as.text;
    if (!rtj_find_text(run, in->bytes, in->size, what->bytes, what->size, 0, false, &at)) return false;
    *out = at != SIZE_MAX;
    return true;
  }
  if (container.type == J_DICT) {
    jvalue ignored;
    return rtj_dict_find(run, container.as.dict, item, &ignored, out);
  }
  const jvalue *items;
  size_t count;
  if (!rtj_iterate(run, container, &items, &count)) return false;
  for (size_t i = 0; i < count && !*out; i++)
    if (!rtj_work(run, 1) || !rtj_equal(run, items[i], item, out)) return false;
  return true;
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

/* Merge sort by `keys`, moving `items` along; Python's `reverse` keeps equal ones in their order too. */
bool rtj_sort(jrun *run, jvalue *items, jvalue *keys, size_t count, bool reverse) {
  jvalue *spare = rtj_alloc(run, count * 2, sizeof *spare);
  if (!spare) return false;
  for (size_t width = 1; width < count; width *= 2) {
    for (size_t low = 0; low + width < count; low += 2 * width) {
      size_t middle = low + width, high = middle + width < count ? middle + width : count, i = low, j = middle, n = 0;
      while (i < middle || j < high) {
        bool right = i == middle;
        if (!right && j < high) {
          int order;
          if (!rtj_work(run, 1) || !rtj_order(run, keys[reverse ? i : j], keys[reverse ? j : i], "<", &order)) return false;
          right = order == -1;
        }
        size_t from = right ? j++ : i++;
        spare[n] = items[from];
        spare[count + n++] = keys[from];
      }
      memcpy(items + low, spare, n * sizeof *items);
      memcpy(keys + low, spare + count, n * sizeof *keys);
    }
  }
  return true;
}

/* ---- slices ---- */

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
  jbuilder b = {.safe = text->safe};
  if (!rtj_iterate(run, rtj_string(text), &characters, &n)) return false;
  for (int64_t i = 0; i < count; i++)
    if (!rtj_work(run, 1) || !rtj_append_text(run, &b, characters[start + i * step].as.text)) return false;
  return rtj_build(run, &b, out);
}

bool rtj_subscript(jrun *run, jvalue object, jbounds bounds, jvalue *out) {
  int64_t start = bounds.start, stop = bounds.stop, step = bounds.step;
  bool has_start = bounds.has_start, has_stop = bounds.has_stop;
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
