/* value.c - see value.h. Every walk over values is bounded by depth and steps. */
#include "value.h"

#include <math.h>
#include <string.h>

#include "text.h"

/* ---- making values ---- */

bool rtj_seq(jrun *run, jseq_kind kind, const jvalue *items, size_t count, jvalue *out) {
  jseq *seq = rtj_alloc(run, 1, sizeof *seq);
  if (!seq) return false;
  *seq = (jseq){.kind = kind, .items = items, .count = count};
  *out = (jvalue){.type = J_SEQ, .as.seq = seq};
  return true;
}

bool rtj_undefined(jrun *run, jvalue object, jvalue name, bool forbidden, jvalue *out) {
  jundefined *undefined = rtj_alloc(run, 1, sizeof *undefined);
  if (!undefined) return false;
  *undefined = (jundefined){object, name, forbidden};
  *out = (jvalue){.type = J_UNDEFINED, .as.undefined = undefined};
  return true;
}

bool rtj_missing(jrun *run, const char *name, size_t size, jvalue *out) {
  jvalue text, nothing = {.type = J_UNDEFINED};
  return rtj_text(run, name, size, &text) && rtj_undefined(run, nothing, text, false, out);
}

/* ---- asking them ---- */

const char *rtj_type_name(jvalue v) {
  switch ((jtype)v.type) {
    case J_UNDEFINED: return "Undefined";
    case J_NONE: return "NoneType";
    case J_BOOL: return "bool";
    case J_INT: return "int";
    case J_FLOAT: return "float";
    case J_STRING: return "str";
    case J_SEQ:
      switch (v.as.seq->kind) {
        case SEQ_LIST: return "list";
        case SEQ_TUPLE: return "tuple";
        case SEQ_RANGE: return "range";
        case SEQ_GENERATOR: return "generator";
        case SEQ_KEYS: return "dict_keys";
        case SEQ_VALUES: return "dict_values";
        case SEQ_ITEMS: return "dict_items";
      }
      return "sequence";
    case J_DICT: return "dict";
    case J_NAMESPACE: return "Namespace";
    case J_FUNCTION: return "function";
    case J_MACRO: return "Macro";
    case J_LOOP: return "LoopContext";
  }
  return "value";
}

bool rtj_is_input(jvalue v) { return v.type == J_STRING ? v.as.text->marks != NULL : v.input; }

bool rtj_truth(jvalue v) {
  switch ((jtype)v.type) {
    case J_UNDEFINED:
    case J_NONE: return false;
    case J_BOOL: return v.as.boolean;
    case J_INT: return v.as.integer != 0;
    case J_FLOAT: return v.as.real != 0;
    case J_STRING: return v.as.text->size != 0;
    case J_SEQ: return v.as.seq->kind == SEQ_GENERATOR || v.as.seq->count != 0;
    case J_DICT: return v.as.dict->count != 0;
    default: return true;
  }
}

int rtj_order_numbers(jvalue a, jvalue b) {
  if (a.type != J_FLOAT && b.type != J_FLOAT) return (rtj_int_of(a) > rtj_int_of(b)) - (rtj_int_of(a) < rtj_int_of(b));
  double x = rtj_double_of(a), y = rtj_double_of(b);
  if (isnan(x) || isnan(y)) return 2;
  if (a.type == J_FLOAT && b.type == J_FLOAT) return (x > y) - (x < y);
  if (x != y) return x > y ? 1 : -1;
  if (fabs(x) < 9007199254740992.0) return 0;
  /* The rounded integer equals the double; compare with what the double is exactly. */
  bool int_first = a.type != J_FLOAT;
  double d = int_first ? y : x;
  int64_t i = rtj_int_of(int_first ? a : b);
  int order = d >= 9223372036854775808.0 ? -1 : (i > (int64_t)d) - (i < (int64_t)d);
  return int_first ? order : -order;
}

bool rtj_iterate(jrun *run, jvalue v, const jvalue **items, size_t *count) {
  *items = NULL;
  *count = 0;
  if (v.type == J_UNDEFINED) return true;
  if (v.type == J_SEQ) {
    jseq *seq = v.as.seq;
    if (seq->cursor == seq->count) return true;
    *items = seq->items + seq->cursor;
    *count = seq->count - seq->cursor;
    if (seq->kind == SEQ_GENERATOR) seq->cursor = seq->count;
    return true;
  }
  if (v.type == J_DICT) {
    jvalue *keys = rtj_alloc(run, v.as.dict->count, sizeof *keys);
    if (!keys) return false;
    for (size_t i = 0; i < v.as.dict->count; i++) keys[i] = v.as.dict->entries[i].key;
    *items = keys;
    *count = v.as.dict->count;
    return rtj_work(run, *count / 4);
  }
  if (v.type != J_STRING) return rtj_fail(run, "'%s' object is not iterable", rtj_type_name(v));
  const jtext *text = v.as.text;
  size_t n = rtj_length(run, text), at = 0;
  if (!rtj_work(run, n)) return false;
  jvalue *characters = rtj_alloc(run, n, sizeof *characters);
  if (!characters) return false;
  for (size_t i = 0; i < n; i++) {
    size_t from = at;
    rtj_decode(text->bytes, &at);
    const jtext plain = rtj_plain(text); /* a character is not `safe`, as in Python */
    if (!rtj_slice(run, &plain, from, at, &characters[i])) return false;
  }
  *items = characters;
  *count = n;
  return true;
}
