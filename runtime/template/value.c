/* value.c - the values of the template language and Python's rules for them: truth, equality, order, str(), repr(), json.dumps.
 *
 * Text carries its provenance: whoever builds text goes through a jbuilder, which keeps the input marks in step with the bytes. JSON made
 * from anything that is input is input as a whole. Numbers and booleans carry one flag. Integers are 64 bits wide; Python's would grow
 * further, here that is an error.
 */
#include "internal.h"
#include "../text/unicode.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- making values ---- */

jvalue rtj_none(void) { return (jvalue){.type = J_NONE}; }
jvalue rtj_bool(bool b) { return (jvalue){.type = J_BOOL, .as.boolean = b}; }
jvalue rtj_int(int64_t i) { return (jvalue){.type = J_INT, .as.integer = i}; }
jvalue rtj_float(double d) { return (jvalue){.type = J_FLOAT, .as.real = d}; }

static bool new_text(jrun *run, jtext from, jvalue *out) {
  jtext *text = rtj_alloc(run, 1, sizeof *text);
  if (!text) return false;
  *text = from;
  *out = (jvalue){.type = J_STRING, .as.text = text};
  return true;
}

bool rtj_text(jrun *run, const char *bytes, size_t size, jvalue *out) { return new_text(run, (jtext){.bytes = bytes, .size = size}, out); }

bool rtj_slice(jrun *run, const jtext *text, size_t from, size_t to, jvalue *out) {
  return new_text(run, (jtext){text->bytes + from, text->marks ? text->marks + from : NULL, to - from, text->safe}, out);
}

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

static const uint8_t *ones(jrun *run, size_t size) {
  if (size > run->n_ones) {
    size_t room = size < 4096 ? 4096 : size;
    uint8_t *fresh = rtj_alloc(run, room, 1);
    if (!fresh) return NULL;
    memset(fresh, 1, room);
    run->ones = fresh;
    run->n_ones = room;
  }
  return run->ones;
}

static bool string_from_json(jrun *run, const char *bytes, size_t size, bool input, jvalue *out) {
  const uint8_t *marks = input && size ? ones(run, size) : NULL;
  if (input && size && !marks) return false;
  return new_text(run, (jtext){bytes, marks, size, false}, out);
}

bool rtj_from_json(jrun *run, const rt_json *json, bool input, jvalue *out) {
  if (!rtj_work(run, 1)) return false;
  switch (json->type) {
    case RT_JSON_NULL: *out = rtj_none(); return true;
    case RT_JSON_FALSE: *out = rtj_bool(false); break;
    case RT_JSON_TRUE: *out = rtj_bool(true); break;
    case RT_JSON_INTEGER: *out = rtj_int(json->as.integer); break;
    case RT_JSON_REAL: *out = rtj_float(json->as.real); break;
    case RT_JSON_STRING: return string_from_json(run, json->as.string, json->count, input, out);
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
        if (!string_from_json(run, member->key, member->key_size, input, &dict->entries[i].key)) return false;
        if (!rtj_from_json(run, &member->value, input, &dict->entries[i].value)) return false;
      }
      return true;
    }
  }
  out->input = input;
  return true;
}

/* ---- what values are ---- */

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

bool rtj_store_undefined(jrun *run, jvalue v) {
  const jundefined *u = v.as.undefined;
  const jtext *name = NULL;
  if (!rtj_to_text(run, u->name, &name)) return false;
  int size = name->size < 100 ? (int)name->size : 100;
  while (size > 0 && (size_t)size < name->size && ((unsigned char)name->bytes[size] & 0xC0) == 0x80) size--;
  const char *type = u->object.type == J_NONE ? "None" : rtj_type_name(u->object), *object = u->object.type == J_NONE ? "" : " object";
  if (u->forbidden)
    return rtj_fail(run, "access to attribute '%.*s' of '%s' is not allowed: values are immutable here", size, name->bytes, type);
  if (u->object.type == J_UNDEFINED) return rtj_fail(run, "'%.*s' is undefined", size, name->bytes);
  if (u->name.type != J_STRING) return rtj_fail(run, "%s%s has no element %.*s", type, object, size, name->bytes);
  return rtj_fail(run, "'%s%s' has no attribute '%.*s'", type, object, size, name->bytes);
}

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

/* ---- UTF-8 ---- */

uint32_t rtj_decode(const char *bytes, size_t *at) {
  const unsigned char *p = (const unsigned char *)bytes + *at;
  if (p[0] < 0x80) return *at += 1, p[0];
  if (p[0] < 0xE0) return *at += 2, (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3Fu);
  if (p[0] < 0xF0) return *at += 3, (uint32_t)(p[0] & 0x0F) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
  return *at += 4, (uint32_t)(p[0] & 0x07) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
}

bool rtj_is_space(uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

size_t rtj_length(jrun *run, const jtext *text) {
  size_t n = 0;
  for (size_t i = 0; i < text->size; i++) n += ((unsigned char)text->bytes[i] & 0xC0) != 0x80;
  run->steps += text->size / 16;
  return n;
}

size_t rtj_offset(jrun *run, const jtext *text, size_t code_point) {
  size_t at = 0;
  for (; at < text->size; at++)
    if (((unsigned char)text->bytes[at] & 0xC0) != 0x80 && code_point-- == 0) break;
  run->steps += at / 16;
  return at;
}

/* First occurrence at or after `from` (backwards: last one that begins at or before it); *at is SIZE_MAX where there is none. */
bool rtj_find_text(jrun *run, const char *in, size_t size, const char *what, size_t what_size, size_t from, bool backwards, size_t *at) {
  *at = SIZE_MAX;
  if (what_size > size) return true;
  size_t last = size - what_size;
  if (backwards) {
    for (size_t i = (from < last ? from : last) + 1; i-- > 0;) {
      if (i % 16 == 0 && !rtj_work(run, 1)) return false;
      if (what_size && in[i] != what[0]) continue;
      if (!rtj_work(run, 1 + what_size / 16)) return false;
      if (memcmp(in + i, what, what_size) == 0) return *at = i, true;
    }
    return true;
  }
  for (size_t i = from; i <= last; i++) {
    if (what_size) {
      const char *candidate = memchr(in + i, what[0], last - i + 1);
      if (!rtj_work(run, (candidate ? (size_t)(candidate - in) - i : last - i) / 64)) return false;
      if (!candidate) return true;
      i = (size_t)(candidate - in);
    }
    if (!rtj_work(run, 1 + what_size / 16)) return false;
    if (memcmp(in + i, what, what_size) == 0) return *at = i, true;
  }
  return true;
}

/* ---- building text ---- */

static bool reserve(jrun *run, jbuilder *b, size_t more, bool marks) {
  if (more > RT_TEMPLATE_MAX_MEMORY - b->size)
    return rtj_fail(run, "the template makes a text of more than %d bytes", RT_TEMPLATE_MAX_MEMORY);
  size_t capacity = b->capacity;
  if (b->size + more > capacity) {
    capacity = capacity < 64 ? 64 : capacity * 2;
    if (capacity < b->size + more) capacity = b->size + more;
    char *bytes = rtj_alloc(run, capacity, 1);
    if (!bytes) return false;
    if (b->size) memcpy(bytes, b->bytes, b->size);
    b->bytes = bytes;
  }
  if (capacity != b->capacity ? b->marks || marks : marks && !b->marks) {
    uint8_t *fresh = rtj_alloc(run, capacity, 1);
    if (!fresh) return false;
    if (b->marks) memcpy(fresh, b->marks, b->size);
    b->marks = fresh;
  }
  b->capacity = capacity;
  return true;
}

bool rtj_append(jrun *run, jbuilder *b, const char *bytes, size_t size, const uint8_t *marks) {
  if (!size) return true;
  if (!reserve(run, b, size, marks != NULL)) return false;
  memcpy(b->bytes + b->size, bytes, size);
  if (marks) memcpy(b->marks + b->size, marks, size);
  else if (b->marks) memset(b->marks + b->size, 0, size);
  b->size += size;
  return rtj_work(run, size / 16);
}

bool rtj_append_marked(jrun *run, jbuilder *b, const char *bytes, size_t size, bool input) {
  if (!size) return true;
  if (!reserve(run, b, size, input)) return false;
  memcpy(b->bytes + b->size, bytes, size);
  if (b->marks) memset(b->marks + b->size, input, size);
  b->size += size;
  return rtj_work(run, size / 16);
}

/* A text that went through the filter `safe` makes Python escape its neighbours; that is refused where it would show. */
bool rtj_append_text(jrun *run, jbuilder *b, const jtext *text) {
  if (b->safe != text->safe && (b->size || b->safe)) {
    const char *other = b->safe ? text->bytes : b->bytes;
    size_t size = b->safe ? text->size : b->size;
    for (size_t i = 0; i < size; i++)
      if (other[i] && strchr("&<>\"'", other[i]))
        return rtj_fail(run, "joining a text marked |safe with one that needs HTML escaping is not supported");
  }
  b->safe |= text->safe;
  return rtj_append(run, b, text->bytes, text->size, text->marks);
}

bool rtj_build(jrun *run, const jbuilder *b, jvalue *out) {
  return new_text(run, (jtext){b->size ? b->bytes : "", b->marks, b->size, b->safe}, out);
}

/* ---- comparing ---- */

static double as_double(jvalue v) { return v.type == J_FLOAT ? v.as.real : v.type == J_INT ? (double)v.as.integer : (double)v.as.boolean; }
static int64_t as_int(jvalue v) { return v.type == J_INT ? v.as.integer : v.as.boolean; }
static bool is_number(jvalue v) { return v.type == J_INT || v.type == J_FLOAT || v.type == J_BOOL; }

/* Exact, as Python compares int and float; 2: NaN. */
static int order_numbers(jvalue a, jvalue b) {
  if (a.type != J_FLOAT && b.type != J_FLOAT) return (as_int(a) > as_int(b)) - (as_int(a) < as_int(b));
  double x = as_double(a), y = as_double(b);
  if (isnan(x) || isnan(y)) return 2;
  if (a.type == J_FLOAT && b.type == J_FLOAT) return (x > y) - (x < y);
  if (x != y) return x > y ? 1 : -1;
  if (fabs(x) < 9007199254740992.0) return 0;
  /* The rounded integer equals the double; compare with what the double is exactly. */
  bool int_first = a.type != J_FLOAT;
  double d = int_first ? y : x;
  int64_t i = as_int(int_first ? a : b);
  int order = d >= 9223372036854775808.0 ? -1 : (i > (int64_t)d) - (i < (int64_t)d);
  return int_first ? order : -order;
}

bool rtj_enter(jrun *run) {
  if (++run->depth <= RT_TEMPLATE_MAX_CALLS) return rtj_work(run, 1);
  return rtj_fail(run, "nested deeper than %d while running: calls or values without end?", RT_TEMPLATE_MAX_CALLS);
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
  if (is_number(a) && is_number(b)) return *out = order_numbers(a, b) == 0, true;
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

bool rtj_order(jrun *run, jvalue a, jvalue b, const char *op, int *out) {
  if (a.type == J_UNDEFINED) return rtj_fail_undefined(run, a);
  if (b.type == J_UNDEFINED) return rtj_fail_undefined(run, b);
  if (is_number(a) && is_number(b)) return *out = order_numbers(a, b), true;
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

/* ---- iterating ---- */

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

/* ---- text of values ---- */

/* The shortest digits that read back as `d`, in Python's notation. printf and strtod agree on the decimal point whatever the locale is;
 * the point itself is not copied. */
static void format_float(double d, char out[40]) {
  if (isnan(d) || isinf(d)) {
    strcpy(out, isnan(d) ? "nan" : d < 0 ? "-inf" : "inf");
    return;
  }
  char text[64], digits[24] = "0";
  int precision = 0;
  do snprintf(text, sizeof text, "%.*e", precision, d);
  while (strtod(text, NULL) != d && ++precision < 17);
  size_t n = 0, w = 0;
  const char *c = text;
  for (; *c != 'e'; c++)
    if (*c >= '0' && *c <= '9') digits[n++] = *c;
  int exponent = atoi(c + 1);
  if (signbit(d)) out[w++] = '-';
  if (exponent < -4 || exponent >= 16) {
    out[w++] = digits[0];
    if (n > 1) out[w++] = '.';
    for (size_t i = 1; i < n; i++) out[w++] = digits[i];
    snprintf(out + w, 40 - w, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
    return;
  }
  int point = exponent < 0 ? 0 : exponent + 1; /* digits in front of the point */
  if (!point) out[w++] = '0';
  for (int i = 0; i < point; i++) out[w++] = (size_t)i < n ? digits[i] : '0';
  out[w++] = '.';
  for (int i = exponent + 1; i < 0; i++) out[w++] = '0';
  if ((size_t)point >= n) out[w++] = '0';
  for (size_t i = (size_t)point; i < n; i++) out[w++] = digits[i];
  out[w] = 0;
}

static bool append_string(jrun *run, jbuilder *b, const char *s) { return rtj_append(run, b, s, strlen(s), NULL); }

static bool append_scalar(jrun *run, jbuilder *b, jvalue v, const char *const words[3]) {
  char number[40];
  const char *text = number;
  if (v.type == J_NONE) text = words[0];
  else if (v.type == J_BOOL) text = words[v.as.boolean ? 1 : 2];
  else if (v.type == J_INT) snprintf(number, sizeof number, "%lld", (long long)v.as.integer);
  else format_float(v.as.real, number);
  return rtj_append_marked(run, b, text, strlen(text), v.input);
}

/* Python's str.isprintable. */
static bool is_printable(uint32_t c) {
  if (c < 0x7F) return c >= 0x20;
  rt_class class = rt_unicode_class(c);
  return class != RT_OTHER && class != RT_SPACE;
}

static bool repr_string(jrun *run, jbuilder *b, const jtext *text) {
  bool single = memchr(text->bytes, '\'', text->size), twice = memchr(text->bytes, '"', text->size);
  char quote = single && !twice ? '"' : '\'';
  if (!rtj_append(run, b, &quote, 1, NULL)) return false;
  for (size_t at = 0; at < text->size;) {
    size_t from = at;
    uint32_t c = rtj_decode(text->bytes, &at);
    bool input = text->marks && text->marks[from];
    char escape[16] = "";
    if (c == '\\' || c == (uint32_t)quote) snprintf(escape, sizeof escape, "\\%c", (int)c);
    else if (c == '\n') strcpy(escape, "\\n");
    else if (c == '\r') strcpy(escape, "\\r");
    else if (c == '\t') strcpy(escape, "\\t");
    else if (!is_printable(c)) snprintf(escape, sizeof escape, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)c);
    bool ok = escape[0] ? rtj_append_marked(run, b, escape, strlen(escape), input)
                        : rtj_append_marked(run, b, text->bytes + from, at - from, input);
    if (!ok) return false;
  }
  return rtj_append(run, b, &quote, 1, NULL);
}

static bool repr_items(jrun *run, jbuilder *b, const char *open, const jvalue *items, size_t count, const char *close) {
  if (!append_string(run, b, open)) return false;
  for (size_t i = 0; i < count; i++)
    if ((i && !append_string(run, b, ", ")) || !rtj_repr(run, b, items[i])) return false;
  return append_string(run, b, close);
}

static bool repr_dict(jrun *run, jbuilder *b, const jdict *dict) {
  if (!append_string(run, b, "{")) return false;
  for (size_t i = 0; i < dict->count; i++) {
    if (i && !append_string(run, b, ", ")) return false;
    if (!rtj_repr(run, b, dict->entries[i].key) || !append_string(run, b, ": ") || !rtj_repr(run, b, dict->entries[i].value)) return false;
  }
  return append_string(run, b, "}");
}

static bool repr_seq(jrun *run, jbuilder *b, const jseq *seq) {
  char text[80];
  switch (seq->kind) {
    case SEQ_LIST: return repr_items(run, b, "[", seq->items, seq->count, "]");
    case SEQ_TUPLE: return repr_items(run, b, "(", seq->items, seq->count, seq->count == 1 ? ",)" : ")");
    case SEQ_KEYS: return repr_items(run, b, "dict_keys([", seq->items, seq->count, "])");
    case SEQ_VALUES: return repr_items(run, b, "dict_values([", seq->items, seq->count, "])");
    case SEQ_ITEMS: return repr_items(run, b, "dict_items([", seq->items, seq->count, "])");
    case SEQ_GENERATOR: return rtj_fail(run, "a generator has no text: apply |list or |join first");
    case SEQ_RANGE: break;
  }
  if (seq->step == 1) snprintf(text, sizeof text, "range(%lld, %lld)", (long long)seq->start, (long long)seq->stop);
  else snprintf(text, sizeof text, "range(%lld, %lld, %lld)", (long long)seq->start, (long long)seq->stop, (long long)seq->step);
  return append_string(run, b, text);
}

bool rtj_repr(jrun *run, jbuilder *b, jvalue v) {
  static const char *const words[3] = {"None", "True", "False"};
  if (!rtj_enter(run)) return false;
  bool ok = false;
  switch ((jtype)v.type) {
    case J_UNDEFINED: ok = append_string(run, b, "Undefined"); break;
    case J_NONE:
    case J_BOOL:
    case J_INT:
    case J_FLOAT: ok = append_scalar(run, b, v, words); break;
    case J_STRING:
      if (v.as.text->safe) ok = rtj_fail(run, "the representation of a text marked |safe is not supported");
      else ok = repr_string(run, b, v.as.text);
      break;
    case J_SEQ: ok = repr_seq(run, b, v.as.seq); break;
    case J_DICT: ok = repr_dict(run, b, v.as.dict); break;
    case J_NAMESPACE: ok = append_string(run, b, "<Namespace ") && repr_dict(run, b, v.as.dict) && append_string(run, b, ">"); break;
    case J_MACRO: {
      const jname *name = v.as.macro->node->name;
      if (!name) ok = append_string(run, b, "<Macro anonymous>");
      else ok = append_string(run, b, "<Macro '") && rtj_append(run, b, name->bytes, name->size, NULL) && append_string(run, b, "'>");
      break;
    }
    case J_LOOP: {
      char text[80];
      snprintf(text, sizeof text, "<LoopContext %zu/%zu>", v.as.loop->index + 1, v.as.loop->count);
      ok = append_string(run, b, text);
      break;
    }
    case J_FUNCTION: ok = rtj_fail(run, "a function has no text: call it"); break;
  }
  run->depth--;
  return ok;
}

bool rtj_str(jrun *run, jbuilder *b, jvalue v) {
  if (v.type == J_STRING) return rtj_append(run, b, v.as.text->bytes, v.as.text->size, v.as.text->marks);
  if (v.type == J_UNDEFINED) return true;
  return rtj_repr(run, b, v);
}

bool rtj_to_text(jrun *run, jvalue v, const jtext **out) {
  if (v.type != J_STRING) {
    jbuilder b = {0};
    if (!rtj_str(run, &b, v) || !rtj_build(run, &b, &v)) return false;
  }
  *out = v.as.text;
  return true;
}

/* ---- JSON ---- */

typedef struct json_style {
  bool ascii, sort, lines;
  const jtext *indent;    /* one level, where lines */
  const char *item, *key; /* separators */
  size_t item_size, key_size;
} json_style;

static bool json_string(jrun *run, jbuilder *b, const json_style *style, const jtext *text) {
  if (!append_string(run, b, "\"")) return false;
  for (size_t at = 0; at < text->size;) {
    size_t from = at;
    uint32_t c = rtj_decode(text->bytes, &at);
    char escape[16] = "";
    if (c == '"' || c == '\\') snprintf(escape, sizeof escape, "\\%c", (int)c);
    else if (c == '\n') strcpy(escape, "\\n");
    else if (c == '\r') strcpy(escape, "\\r");
    else if (c == '\t') strcpy(escape, "\\t");
    else if (c == '\f') strcpy(escape, "\\f");
    else if (c == '\b') strcpy(escape, "\\b");
    else if (c < 0x20 || (style->ascii && c > 0x7E && c < 0x10000)) snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c);
    else if (style->ascii && c >= 0x10000)
      snprintf(escape, sizeof escape, "\\u%04x\\u%04x", (unsigned)(0xD800 + ((c - 0x10000) >> 10)),
               (unsigned)(0xDC00 + ((c - 0x10000) & 0x3FF)));
    bool input = text->marks && text->marks[from];
    if (escape[0] ? !rtj_append_marked(run, b, escape, strlen(escape), input)
                  : !rtj_append_marked(run, b, text->bytes + from, at - from, input))
      return false;
  }
  return append_string(run, b, "\"");
}

static bool json_scalar(jrun *run, jbuilder *b, jvalue v) {
  static const char *const words[3] = {"null", "true", "false"};
  if (v.type == J_FLOAT && (isnan(v.as.real) || isinf(v.as.real))) {
    const char *name = isnan(v.as.real) ? "NaN" : v.as.real < 0 ? "-Infinity" : "Infinity";
    return rtj_append_marked(run, b, name, strlen(name), v.input);
  }
  return append_scalar(run, b, v, words);
}

static bool json_line(jrun *run, jbuilder *b, const json_style *style, unsigned level) {
  if (!style->lines) return true;
  if (!append_string(run, b, "\n")) return false;
  for (unsigned i = 0; i < level; i++)
    if (!rtj_append(run, b, style->indent->bytes, style->indent->size, style->indent->marks)) return false;
  return true;
}

static bool json_value(jrun *run, jbuilder *b, const json_style *style, jvalue v, unsigned level);

static bool json_key(jrun *run, jbuilder *b, const json_style *style, jvalue key) {
  if (key.type == J_STRING) return json_string(run, b, style, key.as.text);
  if (key.type > J_FLOAT || key.type == J_UNDEFINED)
    return rtj_fail(run, "JSON keys must be str, int, float, bool or None, not %s", rtj_type_name(key));
  return append_string(run, b, "\"") && json_scalar(run, b, key) && append_string(run, b, "\"");
}

static bool json_dict(jrun *run, jbuilder *b, const json_style *style, const jdict *dict, unsigned level) {
  if (!dict->count) return append_string(run, b, "{}");
  jvalue *keys = NULL, *values = NULL;
  if (style->sort) {
    if (!(keys = rtj_alloc(run, dict->count * 2, sizeof *keys))) return false;
    values = keys + dict->count;
    for (size_t i = 0; i < dict->count; i++) keys[i] = dict->entries[i].key, values[i] = dict->entries[i].value;
    if (!rtj_sort(run, values, keys, dict->count, false)) return false;
  }
  if (!append_string(run, b, "{")) return false;
  for (size_t i = 0; i < dict->count; i++) {
    if (i && !rtj_append(run, b, style->item, style->item_size, NULL)) return false;
    if (!json_line(run, b, style, level + 1) || !json_key(run, b, style, keys ? keys[i] : dict->entries[i].key)) return false;
    if (!rtj_append(run, b, style->key, style->key_size, NULL)) return false;
    if (!json_value(run, b, style, values ? values[i] : dict->entries[i].value, level + 1)) return false;
  }
  return json_line(run, b, style, level) && append_string(run, b, "}");
}

static bool json_list(jrun *run, jbuilder *b, const json_style *style, const jseq *seq, unsigned level) {
  if (!seq->count) return append_string(run, b, "[]");
  if (!append_string(run, b, "[")) return false;
  for (size_t i = 0; i < seq->count; i++) {
    if (i && !rtj_append(run, b, style->item, style->item_size, NULL)) return false;
    if (!json_line(run, b, style, level + 1) || !json_value(run, b, style, seq->items[i], level + 1)) return false;
  }
  return json_line(run, b, style, level) && append_string(run, b, "]");
}

static bool json_value(jrun *run, jbuilder *b, const json_style *style, jvalue v, unsigned level) {
  if (!rtj_enter(run)) return false;
  bool ok;
  if (v.type == J_STRING) ok = json_string(run, b, style, v.as.text);
  else if (v.type == J_SEQ && v.as.seq->kind <= SEQ_TUPLE) ok = json_list(run, b, style, v.as.seq, level);
  else if (v.type == J_DICT) ok = json_dict(run, b, style, v.as.dict, level);
  else if (v.type == J_NONE || is_number(v)) ok = json_scalar(run, b, v);
  else ok = rtj_fail(run, "an object of type %s is not JSON serializable", rtj_type_name(v));
  run->depth--;
  return ok;
}

static bool json_indent(jrun *run, json_style *style, jvalue indent) {
  if (indent.type == J_NONE) return true;
  style->lines = true;
  jvalue text = indent;
  if (indent.type == J_INT || indent.type == J_BOOL) {
    int64_t n = as_int(indent) > 0 ? as_int(indent) : 0;
    if (n > 1000) return rtj_fail(run, "tojson: an indent of %lld is too large", (long long)n);
    char *spaces = rtj_alloc(run, (size_t)n + 1, 1);
    if (!spaces) return false;
    memset(spaces, ' ', (size_t)n);
    if (!rtj_text(run, spaces, (size_t)n, &text)) return false;
  } else if (indent.type != J_STRING) {
    return rtj_fail(run, "tojson: indent must be a number or a string, not %s", rtj_type_name(indent));
  }
  style->indent = text.as.text;
  return true;
}

bool rtj_json(jrun *run, jvalue value, const jargs *args, jvalue *out) {
  jvalue a[4] = {rtj_bool(false), rtj_none(), rtj_none(), rtj_bool(false)};
  json_style style = {.item = ", ", .item_size = 2, .key = ": ", .key_size = 2};
  if (!rtj_args(run, "tojson", args, "ensure_ascii,indent,separators,sort_keys", 0, a) || !json_indent(run, &style, a[1])) return false;
  style.ascii = rtj_truth(a[0]);
  style.sort = rtj_truth(a[3]);
  if (style.lines) style.item_size = 1;
  if (a[2].type != J_NONE) {
    const jseq *pair = a[2].type == J_SEQ && a[2].as.seq->kind <= SEQ_TUPLE && a[2].as.seq->count == 2 ? a[2].as.seq : NULL;
    if (!pair || pair->items[0].type != J_STRING || pair->items[1].type != J_STRING)
      return rtj_fail(run, "tojson: separators must be two strings");
    style.item = pair->items[0].as.text->bytes;
    style.item_size = pair->items[0].as.text->size;
    style.key = pair->items[1].as.text->bytes;
    style.key_size = pair->items[1].as.text->size;
  }
  jbuilder b = {0};
  if (!json_value(run, &b, &style, value, 0)) return false;
  if (b.marks) memset(b.marks, 1, b.size);
  return rtj_build(run, &b, out);
}
