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

bool rtj_from_json(jrun *run, const rt_json *json, bool input, jvalue *out) {
  if (!rtj_work(run, 1)) return false;
  switch (json->type) {
    case RT_JSON_NULL: *out = rtj_none(); return true;
    case RT_JSON_FALSE: *out = rtj_bool(false); break;
    case RT_JSON_TRUE: *out = rtj_bool(true); break;
    case RT_JSON_INTEGER: *out = rtj_int(json->as.integer); break;
    case RT_JSON_REAL: *out = rtj_float(json->as.real); break;
    case RT_JSON_STRING: return rtj_given_text(run, json->as.string, json->count, input, out);
    case RT_JSON_ARRAY: {
      jvalue *items = rtj_alloc(run, json->count, sizeof *items);
      if (!items) return false;
      for (size_t i = 0; i < json->count; i++)
        if (!rtj_from_json(run, &json->as.items[i], input, &items[i])) return false;
      return rtj_seq(run, SEQ_LIST, items, json->count, out);
    }
    case RT_JSON_OBJECT: {
      if (!rtj_dict(run, json->count, out)) return false;
      jdict *dict = out->as.dict;
      for (size_t i = 0; i < json->count; i++, dict->count++) { /* the parser has made sure that keys are unique */
        const rt_json_member *member = &json->as.members[i];
        if (!rtj_given_text(run, member->key, member->key_size, input, &dict->entries[i].key)) return false;
        if (!rtj_from_json(run, &member->value, input, &dict->entries[i].value)) return false;
      }
      return true;
    }
  }
  out->input = input;
  return true;
}

/* ---- dicts ---- */

bool rtj_dict(jrun *run, size_t capacity, jvalue *out) {
  jdict *dict = rtj_alloc(run, 1, sizeof *dict);
  if (!dict) return false;
  dict->capacity = capacity;
  if (!(dict->entries = rtj_alloc(run, capacity, sizeof *dict->entries))) return false;
  *out = (jvalue){.type = J_DICT, .as.dict = dict};
  return true;
}

static bool hashable(jvalue v) {
  if (v.type == J_DICT) return false;
  if (v.type != J_SEQ) return true;
  if (v.as.seq->kind == SEQ_RANGE || v.as.seq->kind == SEQ_GENERATOR || v.as.seq->kind == SEQ_VALUES) return true;
  if (v.as.seq->kind != SEQ_TUPLE) return false;
  for (size_t i = 0; i < v.as.seq->count; i++)
    if (!hashable(v.as.seq->items[i])) return false;
  return true;
}

/* Linear: objects in chat templates are small, and the search is paid for in steps. */
static bool find_entry(jrun *run, const jdict *dict, jvalue key, size_t *at) {
  if (!hashable(key)) return rtj_fail(run, "a %s cannot be the key of a dict", rtj_type_name(key));
  for (*at = 0; *at < dict->count; ++*at) {
    jvalue other = dict->entries[*at].key;
    bool equal;
    if (key.type == J_STRING && other.type == J_STRING) {
      run->steps += *at % 8 == 7;
      equal = key.as.text->size == other.as.text->size && memcmp(key.as.text->bytes, other.as.text->bytes, key.as.text->size) == 0;
    } else if (!rtj_equal(run, key, other, &equal)) {
      return false;
    }
    if (equal) break;
  }
  return true;
}

bool rtj_dict_find(jrun *run, const jdict *dict, jvalue key, jvalue *out, bool *found) {
  size_t at;
  if (!find_entry(run, dict, key, &at)) return false;
  *found = at < dict->count;
  if (*found) *out = dict->entries[at].value;
  return true;
}

bool rtj_dict_set(jrun *run, jdict *dict, jvalue key, jvalue value) {
  size_t at;
  if (!find_entry(run, dict, key, &at)) return false;
  if (at == dict->count) {
    jentry *entries = rtj_grow(run, dict->entries, dict->count, &dict->capacity, sizeof *entries);
    if (!entries) return false;
    dict->entries = entries;
    dict->entries[dict->count++].key = key;
  }
  dict->entries[at].value = value;
  return true;
}

bool rtj_dict_view(jrun *run, const jdict *dict, jseq_kind kind, jvalue *out) {
  jvalue *items = rtj_alloc(run, dict->count, sizeof *items);
  if (!items || !rtj_work(run, dict->count)) return false;
  for (size_t i = 0; i < dict->count; i++) {
    if (kind == SEQ_KEYS) items[i] = dict->entries[i].key;
    else if (kind == SEQ_VALUES) items[i] = dict->entries[i].value;
    else if (!rtj_seq(run, SEQ_TUPLE, &dict->entries[i].key, 2, &items[i])) return false; /* an entry is a pair of values */
  }
  return rtj_seq(run, kind, items, dict->count, out);
}

_Static_assert(sizeof(jentry) == 2 * sizeof(jvalue), "an entry reads as two values");

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

static bool equal_dicts(jrun *run, const jdict *a, const jdict *b, bool *out) {
  *out = a->count == b->count;
  for (size_t i = 0; *out && i < a->count; i++) {
    jvalue other;
    if (!rtj_dict_find(run, b, a->entries[i].key, &other, out)) return false;
    if (*out && !rtj_equal(run, a->entries[i].value, other, out)) return false;
  }
  return true;
}

bool rtj_equal(jrun *run, jvalue a, jvalue b, bool *out) {
  *out = false;
  if (rtj_is_number(a) && rtj_is_number(b)) return *out = rtj_order_numbers(a, b) == 0, true;
  if (a.type != b.type) return true;
  switch ((jtype)a.type) {
    case J_UNDEFINED:
    case J_NONE: *out = true; return true;
    case J_STRING:
      run->steps += a.as.text->size / 16;
      *out = a.as.text->size == b.as.text->size && memcmp(a.as.text->bytes, b.as.text->bytes, a.as.text->size) == 0;
      return true;
    case J_SEQ: {
      const jseq *x = a.as.seq, *y = b.as.seq;
      *out = x == y;
      if (*out || x->kind != y->kind || x->count != y->count || x->kind == SEQ_GENERATOR || x->kind == SEQ_VALUES) return true;
      if (!rtj_enter(run)) return false;
      *out = true;
      for (size_t i = 0; *out && i < x->count; i++)
        if (!rtj_equal(run, x->items[i], y->items[i], out)) return false;
      run->depth--;
      return true;
    }
    case J_DICT:
      if (!rtj_enter(run) || !equal_dicts(run, a.as.dict, b.as.dict, out)) return false;
      run->depth--;
      return true;
    case J_NAMESPACE: *out = a.as.dict == b.as.dict; return true;
    case J_FUNCTION: *out = a.as.function == b.as.function; return true;
    case J_MACRO: *out = a.as.macro == b.as.macro; return true;
    default: *out = a.as.loop == b.as.loop; return true;
  }
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
    if (!rtj_slice(run, text, from, at, &characters[i])) return false;
  }
  *items = characters;
  *count = n;
  return true;
}
