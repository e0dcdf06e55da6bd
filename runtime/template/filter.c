/* filter.c - filters and tests, as jinja2 3.1 defines them.
 *
 * Absent, refused by name: groupby, random, and what is for HTML or looks (urlize, xmlattr, striptags, pprint, filesizeformat, wordwrap);
 * no chat template has a use for them. Generators (map, select, ...) are computed at once and read once, as in Python.
 */
#include "filter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/number.h"
#include "../text/unicode.h"
#include "method.h"
#include "operator.h"
#include "str.h"
#include "tojson.h"

static bool generator(jrun *run, const jvalue *items, size_t count, jvalue *out) { return rtj_seq(run, SEQ_GENERATOR, items, count, out); }

static const jvalue nothing = {.type = J_UNDEFINED};

static bool undefined_because(jrun *run, const char *why, jvalue *out) {
  jvalue text;
  return rtj_word(run, why, &text) && rtj_undefined(run, nothing, text, false, out);
}

/* ---- keys: attribute= and case ---- */

/* jinja2's make_attrgetter: "a.b.0" looks up item after item. */
static bool by_attribute(jrun *run, jvalue item, jvalue attribute, jvalue *out) {
  *out = item;
  if (attribute.type == J_NONE) return true;
  if (attribute.type != J_STRING) return rtj_get_item(run, item, attribute, out);
  const jtext *path = attribute.as.text;
  for (size_t from = 0; from <= path->size;) {
    size_t to = from;
    bool digits = true;
    for (; to < path->size && path->bytes[to] != '.'; to++) digits &= path->bytes[to] >= '0' && path->bytes[to] <= '9';
    jvalue part;
    if (digits && to > from && to - from < 18) part = rtj_int(atoll(path->bytes + from));
    else if (!rtj_slice(run, path, from, to, &part)) return false;
    if (!rtj_get_item(run, *out, part, out)) return false;
    from = to + 1;
  }
  return true;
}

static bool ignore_case(jrun *run, jvalue *v) { return v->type != J_STRING || rtj_change_case(run, v->as.text, 'l', v); }

/* Items of `value` in fresh memory with their keys. */
static bool keyed(jrun *run, jvalue value, jvalue attribute, bool case_sensitive, jvalue **items, jvalue **keys, size_t *count) {
  const jvalue *from;
  if (attribute.type == J_STRING && memchr(attribute.as.text->bytes, ',', attribute.as.text->size))
    return rtj_fail(run, "several attributes at once are not supported");
  if (!rtj_iterate(run, value, &from, count)) return false;
  *items = rtj_alloc(run, *count * 2, sizeof **items);
  if (!*items || !rtj_work(run, *count)) return false;
  *keys = *items + *count;
  for (size_t i = 0; i < *count; i++) {
    (*items)[i] = from[i];
    if (!by_attribute(run, from[i], attribute, &(*keys)[i]) || (!case_sensitive && !ignore_case(run, &(*keys)[i]))) return false;
  }
  return true;
}

/* ---- filters on numbers ---- */

static bool filter_abs(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  if (!rtj_no_args(run, "abs", args)) return false;
  if (v.type == J_FLOAT) return *out = rtj_float(fabs(v.as.real)), true;
  int64_t i = 0;
  if (!rtj_arg_int(run, "abs", v, &i)) return false;
  if (i == INT64_MIN) return rtj_fail(run, "the integer result does not fit in 64 bits");
  *out = rtj_int(i < 0 ? -i : i);
  return true;
}

/* The text that Python's int() and float() look at: without blanks around it and without its sign. Empty: it is no number. */
static jtext number_text(jrun *run, const jtext *text, bool *negative) {
  enum { LONGEST = 398 };
  const char *bytes = text->bytes;
  size_t from = 0, to = text->size;
  for (size_t next = 0; from < to && rtj_is_space(rtj_decode(bytes, &next)); from = next) run->steps++;
  for (size_t before, at; to > from && (at = before = rtj_before(bytes, to), rtj_is_space(rtj_decode(bytes, &at))); to = before)
    run->steps++;
  if (to - from > LONGEST) to = from;
  *negative = from < to && bytes[from] == '-';
  if (from < to && (bytes[from] == '-' || bytes[from] == '+')) from++;
  return (jtext){.bytes = bytes + from, .size = to - from};
}

/* Python's int(text, base): a prefix like 0x may stand in front where the base is its own. False: it is no number. */
static bool read_int(jrun *run, const jtext *text, unsigned base, jvalue *out) {
  bool negative;
  jtext t = number_text(run, text, &negative);
  const char *prefix = base == 16 ? "xX" : base == 8 ? "oO" : base == 2 ? "bB" : "";
  if (t.size > 1 && t.bytes[0] == '0' && t.bytes[1] && strchr(prefix, t.bytes[1])) {
    t.bytes += 2;
    t.size -= 2;
    if (t.size && t.bytes[0] == '_') t.bytes++, t.size--;
  }
  int64_t value = 0;
  if (!t.size || rt_digits(t.bytes, t.size, base) != t.size || !rt_read_integer(t.bytes, t.size, base, negative, &value)) return false;
  *out = rtj_int(value);
  return true;
}

/* Python's float(text). False: it is no number. */
static bool read_float(jrun *run, const jtext *text, jvalue *out) {
  static const struct {
    const char *name;
    double value;
  } named[] = {{"inf", INFINITY}, {"infinity", INFINITY}, {"nan", NAN}};
  bool negative;
  jtext t = number_text(run, text, &negative);
  double d = 0;
  size_t used, i;
  for (size_t n = 0; n < RT_COUNT(named); n++) {
    for (i = 0; i < t.size && named[n].name[i] && (t.bytes[i] | 0x20) == named[n].name[i]; i++) {
    }
    if (i == t.size && !named[n].name[i]) return *out = rtj_float(negative ? -named[n].value : named[n].value), true;
  }
  if (!rt_read_decimal(t.bytes, t.size, true, &used, &d) || !used || used != t.size) return false;
  *out = rtj_float(negative ? -d : d);
  return true;
}

static bool filter_int(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[2] = {rtj_int(0), rtj_int(10)}, real;
  int64_t base = 0;
  if (!rtj_args(run, "int", args, "default,base", 0, a) || !rtj_arg_int(run, "int", a[1], &base)) return false;
  if (base < 2 || base > 36) return rtj_fail(run, "int: the base must be from 2 to 36");
  if (v.type == J_UNDEFINED) return rtj_fail_undefined(run, v);
  *out = a[0];
  if (v.type == J_BOOL) *out = rtj_int(v.as.boolean);
  else if (v.type == J_INT) *out = v;
  else if (v.type == J_STRING && read_int(run, v.as.text, (unsigned)base, out)) out->input = v.as.text->marks != NULL;
  else if (v.type == J_FLOAT || (v.type == J_STRING && read_float(run, v.as.text, &real))) {
    double d = trunc(v.type == J_FLOAT ? v.as.real : real.as.real);
    if (isnan(d) || isinf(d)) return true;
    if (fabs(d) >= 9223372036854775808.0) return rtj_fail(run, "the integer result does not fit in 64 bits");
    *out = rtj_int((int64_t)d);
  }
  out->input |= rtj_is_input(v) && out->type != J_STRING;
  return true;
}

static bool filter_float(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[1] = {rtj_float(0)};
  if (!rtj_args(run, "float", args, "default", 0, a)) return false;
  if (v.type == J_UNDEFINED) return rtj_fail_undefined(run, v);
  *out = a[0];
  if (v.type == J_FLOAT) *out = v;
  else if (rtj_is_number(v)) *out = rtj_float(v.type == J_INT ? (double)v.as.integer : v.as.boolean);
  else if (v.type == J_STRING) read_float(run, v.as.text, out);
  out->input |= rtj_is_input(v) && out->type != J_STRING;
  return true;
}

static bool filter_round(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[2] = {rtj_int(0), rtj_none()};
  int64_t precision = 0;
  if (!rtj_args(run, "round", args, "precision,method", 0, a) || !rtj_arg_int(run, "round", a[0], &precision)) return false;
  if (v.type == J_UNDEFINED) return rtj_fail_undefined(run, v);
  if (!rtj_is_number(v)) return rtj_fail(run, "round: a %s is no number", rtj_type_name(v));
  if (!rtj_work(run, 20 + (uint64_t)(precision < 0 ? 0 : precision) / 4)) return false;
  if (precision < 0 || precision > 300) return rtj_fail(run, "round: a precision of %lld is not supported", (long long)precision);
  bool common = a[1].type == J_NONE || (a[1].type == J_STRING && rtj_is_word(a[1].as.text, "common"));
  if (common && v.type != J_FLOAT) return *out = rtj_int(v.type == J_INT ? v.as.integer : v.as.boolean), true;
  double d = v.type == J_FLOAT ? v.as.real : v.type == J_INT ? (double)v.as.integer : v.as.boolean;
  if (common) {
    char text[720]; /* printf rounds the exact decimal value, halves to even; reading it back is in the same locale */
    if (isfinite(d)) snprintf(text, sizeof text, "%.*f", (int)precision, d), d = strtod(text, NULL);
    return *out = rtj_float(d), true;
  }
  if (a[1].type != J_STRING) return rtj_fail(run, "round: method must be common, ceil or floor");
  const jtext *method = a[1].as.text;
  double scale = pow(10, (double)precision);
  if (rtj_is_word(method, "ceil")) d = ceil(d * scale) / scale;
  else if (rtj_is_word(method, "floor")) d = floor(d * scale) / scale;
  else return rtj_fail(run, "round: method must be common, ceil or floor");
  *out = rtj_float(d);
  return true;
}

/* ---- filters on text ---- */

static bool case_filter(jrun *run, const char *name, char how, jvalue v, const jargs *args, jvalue *out) {
  const jtext *text;
  return rtj_no_args(run, name, args) && rtj_to_text(run, v, &text) && rtj_change_case(run, text, how, out);
}
static bool filter_upper(jrun *run, jvalue v, const jargs *args, jvalue *out) { return case_filter(run, "upper", 'u', v, args, out); }
static bool filter_lower(jrun *run, jvalue v, const jargs *args, jvalue *out) { return case_filter(run, "lower", 'l', v, args, out); }
static bool filter_capitalize(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  return case_filter(run, "capitalize", 'c', v, args, out);
}
static bool filter_title(jrun *run, jvalue v, const jargs *args, jvalue *out) { return case_filter(run, "title", 'T', v, args, out); }

static bool filter_string(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  const jtext *text;
  if (!rtj_no_args(run, "string", args) || !rtj_to_text(run, v, &text)) return false;
  *out = rtj_string(text);
  return true;
}

static bool filter_safe(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  const jtext *text;
  if (!rtj_no_args(run, "safe", args) || !rtj_to_text(run, v, &text)) return false;
  jtext *copy = rtj_alloc(run, 1, sizeof *copy);
  if (!copy) return false;
  *copy = *text;
  copy->safe = true;
  *out = rtj_string(copy);
  return true;
}

static bool filter_trim(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue chars = rtj_none();
  const jtext *text;
  if (!rtj_args(run, "trim", args, "chars", 0, &chars) || !rtj_to_text(run, v, &text)) return false;
  if (chars.type != J_NONE && chars.type != J_STRING) return rtj_fail(run, "trim: chars must be a string, not %s", rtj_type_name(chars));
  return rtj_strip(run, text, chars.type == J_STRING ? chars.as.text : NULL, true, true, out);
}

static bool filter_replace(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[3] = {nothing, nothing, rtj_none()};
  const jtext *text, *old, *fresh;
  int64_t count = -1;
  if (!rtj_args(run, "replace", args, "old,new,count", 2, a)) return false;
  if (a[2].type != J_NONE && !rtj_arg_int(run, "replace", a[2], &count)) return false;
  if (!rtj_to_text(run, v, &text) || !rtj_to_text(run, a[0], &old) || !rtj_to_text(run, a[1], &fresh)) return false;
  const jtext plain = rtj_plain(text);
  return rtj_replace(run, &plain, old, fresh, count, out);
}

static bool filter_escape(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  const jtext *text;
  return rtj_no_args(run, "escape", args) && rtj_to_text(run, v, &text) && rtj_escape(run, text, out);
}

static bool filter_forceescape(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  const jtext *text;
  if (!rtj_no_args(run, "forceescape", args) || !rtj_to_text(run, v, &text)) return false;
  const jtext plain = rtj_plain(text);
  return rtj_escape(run, &plain, out);
}

/* Runs of letters, digits and underscores, as Python's \w+. */
static bool filter_wordcount(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  const jtext *text;
  int64_t n = 0;
  bool inside = false;
  if (!rtj_no_args(run, "wordcount", args) || !rtj_to_text(run, v, &text) || !rtj_work(run, text->size / 8)) return false;
  for (size_t at = 0; at < text->size;) {
    uint32_t c = rtj_decode(text->bytes, &at);
    rt_class class = rt_unicode_class(c);
    bool word = c == '_' || class == RT_LETTER || class == RT_NUMBER;
    n += word && !inside;
    inside = word;
  }
  *out = rtj_int(n);
  return true;
}

static bool filter_truncate(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[4] = {rtj_int(255), rtj_bool(false), nothing, rtj_int(5)};
  const jtext *text, *end;
  int64_t length = 0, leeway = 0;
  if (!rtj_word(run, "...", &a[2]) || !rtj_args(run, "truncate", args, "length,killwords,end,leeway", 0, a)) return false;
  if (a[3].type == J_NONE) a[3] = rtj_int(5);
  if (!rtj_arg_int(run, "truncate", a[0], &length) || !rtj_arg_int(run, "truncate", a[3], &leeway)) return false;
  if (!rtj_arg_text(run, "truncate", v, &text) || !rtj_arg_text(run, "truncate", a[2], &end)) return false;
  int64_t end_length = (int64_t)rtj_length(run, end);
  if (length < end_length || leeway < 0)
    return rtj_fail(run, "truncate: the length must have room for the end, and the leeway not be negative");
  if ((int64_t)rtj_length(run, text) - length <= leeway) return *out = v, true;
  size_t cut = rtj_offset(run, text, (size_t)(length - end_length));
  for (size_t at = cut; !rtj_truth(a[1]) && at-- > 0;)
    if (text->bytes[at] == ' ') {
      cut = at;
      break;
    }
  jbuilder b = {.safe = text->safe};
  return rtj_append(run, &b, text->bytes, cut, text->marks) && rtj_append_text(run, &b, end) && rtj_build(run, &b, out);
}

static bool filter_urlencode(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  const jtext *text;
  jbuilder b = {0};
  if (!rtj_no_args(run, "urlencode", args)) return false;
  if (v.type == J_DICT || v.type == J_SEQ) return rtj_fail(run, "urlencode of a %s is not supported: only of a text", rtj_type_name(v));
  if (!rtj_to_text(run, v, &text)) return false;
  for (size_t i = 0; i < text->size; i++) {
    char c = text->bytes[i], code[4];
    bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c && strchr("_.-~/", c));
    snprintf(code, sizeof code, plain ? "%c" : "%%%02X", (unsigned char)c);
    if (!rtj_append_marked(run, &b, code, strlen(code), text->marks && text->marks[i])) return false;
  }
  return rtj_build(run, &b, out);
}

static bool filter_format(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  const jtext *text;
  jvalue values;
  if (args->n_named) return rtj_fail(run, "format: keyword arguments are not supported");
  return rtj_to_text(run, v, &text) && rtj_seq(run, SEQ_TUPLE, args->items, args->count, &values) && rtj_percent(run, text, values, out);
}

static bool filter_indent(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[3] = {rtj_int(4), rtj_bool(false), rtj_bool(false)};
  bool first, blank;
  int64_t width = 0;
  if (!rtj_args(run, "indent", args, "width,first,blank", 0, a)) return false;
  first = rtj_truth(a[1]);
  blank = rtj_truth(a[2]);
  if (v.type == J_UNDEFINED) return rtj_fail_undefined(run, v);
  if (v.type != J_STRING) return rtj_fail(run, "indent needs a string, not %s", rtj_type_name(v));
  if (a[0].type != J_STRING && !rtj_arg_int(run, "indent", a[0], &width)) return false;
  if (width > 10000) return rtj_fail(run, "indent: a width of %lld is too large", (long long)width);
  jbuilder spaces = {0};
  for (int64_t i = 0; i < width; i++)
    if (!rtj_append(run, &spaces, " ", 1, NULL)) return false;
  if (a[0].type != J_STRING && !rtj_build(run, &spaces, &a[0])) return false;
  const jtext *indent = a[0].as.text;
  jvalue lines;
  if (!rtj_split_lines(run, v.as.text, false, &lines)) return false;
  const jseq *seq = lines.as.seq;
  size_t size = v.as.text->size;
  /* jinja2 adds a newline before it splits: a text that ends in one has an empty last line, an empty text has one line. */
  bool empty_end = size == 0 || rtj_ends_line(v.as.text);
  jbuilder b = {.safe = v.as.text->safe};
  for (size_t i = 0; i < seq->count + empty_end; i++) {
    const jtext *line = i < seq->count ? seq->items[i].as.text : NULL;
    bool indented = i == 0 ? first : blank || (line && line->size);
    if (i && !rtj_append(run, &b, "\n", 1, NULL)) return false;
    if (indented && !rtj_append(run, &b, indent->bytes, indent->size, indent->marks)) return false;
    if (line && !rtj_append(run, &b, line->bytes, line->size, line->marks)) return false;
  }
  return rtj_build(run, &b, out);
}

static bool filter_center(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[1] = {rtj_int(80)};
  int64_t width = 0;
  const jtext *text;
  if (!rtj_args(run, "center", args, "width", 0, a) || !rtj_arg_int(run, "center", a[0], &width) || !rtj_to_text(run, v, &text))
    return false;
  return rtj_pad(run, text, width, 'c', ' ', out);
}

/* ---- filters on collections ---- */

static bool length_of(jrun *run, jvalue v, size_t *out) {
  if (v.type == J_STRING) *out = rtj_length(run, v.as.text);
  else if (v.type == J_DICT) *out = v.as.dict->count;
  else if (v.type == J_LOOP) *out = v.as.loop->count;
  else if (v.type == J_SEQ && v.as.seq->kind != SEQ_GENERATOR) *out = v.as.seq->count;
  else if (v.type == J_UNDEFINED) *out = 0;
  else return rtj_fail(run, "object of type '%s' has no len()", rtj_type_name(v));
  return true;
}

static bool filter_length(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  size_t n = 0;
  if (!rtj_no_args(run, "length", args) || !length_of(run, v, &n)) return false;
  *out = rtj_int((int64_t)n);
  return true;
}

static bool filter_list(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  const jvalue *items;
  size_t count;
  return rtj_no_args(run, "list", args) && rtj_iterate(run, v, &items, &count) && rtj_seq(run, SEQ_LIST, items, count, out);
}

static bool filter_default(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[2] = {nothing, rtj_bool(false)};
  bool boolean, truth = true;
  if (!rtj_word(run, "", &a[0]) || !rtj_args(run, "default", args, "default_value,boolean", 0, a)) return false;
  boolean = rtj_truth(a[1]);
  if (v.type == J_UNDEFINED) truth = false;
  else if (boolean) truth = rtj_truth(v);
  *out = truth ? v : a[0];
  return true;
}

static bool filter_first(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  const jvalue *items;
  size_t count;
  jseq *seq = v.type == J_SEQ && v.as.seq->kind == SEQ_GENERATOR ? v.as.seq : NULL;
  size_t cursor = seq ? seq->cursor : 0;
  if (!rtj_no_args(run, "first", args) || !rtj_iterate(run, v, &items, &count)) return false;
  if (!count) return undefined_because(run, "the first item of an empty sequence", out);
  if (seq) seq->cursor = cursor + 1;
  *out = items[0];
  return true;
}

static bool reversible(jrun *run, jvalue v) {
  bool ok = v.type == J_UNDEFINED || v.type == J_STRING || v.type == J_DICT || (v.type == J_SEQ && v.as.seq->kind != SEQ_GENERATOR);
  return ok || rtj_fail(run, "'%s' object is not reversible", rtj_type_name(v));
}

static bool filter_last(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  const jvalue *items;
  size_t count;
  if (!rtj_no_args(run, "last", args) || !reversible(run, v)) return false;
  if (!rtj_iterate(run, v, &items, &count)) return false;
  if (!count) return undefined_because(run, "the last item of an empty sequence", out);
  *out = items[count - 1];
  return true;
}

static bool filter_reverse(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  const jvalue *items;
  size_t count;
  if (!rtj_no_args(run, "reverse", args)) return false;
  if (!rtj_iterate(run, v, &items, &count)) return false;
  if (v.type == J_STRING) {
    jbuilder b = {0};
    for (size_t i = count; i-- > 0;)
      if (!rtj_append_text(run, &b, items[i].as.text)) return false;
    return rtj_build(run, &b, out);
  }
  jvalue *reversed = rtj_alloc(run, count, sizeof *reversed);
  if (!reversed) return false;
  for (size_t i = 0; i < count; i++) reversed[i] = items[count - 1 - i];
  bool is_list = v.type == J_SEQ && v.as.seq->kind == SEQ_GENERATOR; /* what Python cannot reverse, jinja2 makes a list of */
  return rtj_seq(run, is_list ? SEQ_LIST : SEQ_GENERATOR, reversed, count, out);
}

static bool filter_join(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[2] = {nothing, rtj_none()};
  const jvalue *items;
  const jtext *separator, *text;
  size_t count;
  jbuilder b = {0};
  if (!rtj_word(run, "", &a[0]) || !rtj_args(run, "join", args, "d,attribute", 0, a)) return false;
  if (!rtj_to_text(run, a[0], &separator) || !rtj_iterate(run, v, &items, &count)) return false;
  for (size_t i = 0; i < count; i++) {
    jvalue item;
    if (!by_attribute(run, items[i], a[1], &item) || !rtj_to_text(run, item, &text)) return false;
    if ((i && !rtj_append_text(run, &b, separator)) || !rtj_append_text(run, &b, text) || !rtj_work(run, 1)) return false;
  }
  return rtj_build(run, &b, out);
}

static bool filter_items(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  if (!rtj_no_args(run, "items", args)) return false;
  if (v.type == J_UNDEFINED) return generator(run, NULL, 0, out);
  if (v.type != J_DICT) return rtj_fail(run, "Can only get item pairs from a mapping.");
  if (!rtj_dict_view(run, v.as.dict, SEQ_ITEMS, out)) return false;
  out->as.seq->kind = SEQ_GENERATOR;
  return true;
}

static bool filter_dictsort(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[3] = {rtj_bool(false), nothing, rtj_bool(false)};
  bool case_sensitive, reverse;
  if (!rtj_word(run, "key", &a[1]) || !rtj_args(run, "dictsort", args, "case_sensitive,by,reverse", 0, a)) return false;
  case_sensitive = rtj_truth(a[0]);
  reverse = rtj_truth(a[2]);
  const jtext *by = a[1].type == J_STRING ? a[1].as.text : NULL;
  bool by_key = by && rtj_is_word(by, "key"), by_value = by && rtj_is_word(by, "value");
  if (!by_key && !by_value) return rtj_fail(run, "dictsort: by must be 'key' or 'value'");
  if (v.type == J_UNDEFINED) return rtj_fail_undefined(run, v);
  if (v.type != J_DICT) return rtj_fail(run, "dictsort needs a dict, not %s", rtj_type_name(v));
  if (!rtj_dict_view(run, v.as.dict, SEQ_ITEMS, out)) return false;
  size_t count = v.as.dict->count;
  jvalue *items = rtj_alloc(run, count * 2, sizeof *items);
  if (!items) return false;
  jvalue *keys = items + count;
  for (size_t i = 0; i < count; i++) {
    items[i] = out->as.seq->items[i];
    keys[i] = items[i].as.seq->items[by_value];
    if (!case_sensitive && !ignore_case(run, &keys[i])) return false;
  }
  return rtj_sort(run, items, keys, count, reverse) && rtj_seq(run, SEQ_LIST, items, count, out);
}

static bool filter_sort(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[3] = {rtj_bool(false), rtj_bool(false), rtj_none()}, *items, *keys;
  bool reverse, case_sensitive;
  size_t count;
  if (!rtj_args(run, "sort", args, "reverse,case_sensitive,attribute", 0, a)) return false;
  reverse = rtj_truth(a[0]);
  case_sensitive = rtj_truth(a[1]);
  if (!keyed(run, v, a[2], case_sensitive, &items, &keys, &count)) return false;
  /* jinja2 compares lists of keys: equal keys need no order then (two undefined ones, two none). */
  for (size_t i = 0; i < count; i++) {
    jvalue *key = rtj_alloc(run, 1, sizeof *key);
    if (!key) return false;
    *key = keys[i];
    if (!rtj_seq(run, SEQ_LIST, key, 1, &keys[i])) return false;
  }
  return rtj_sort(run, items, keys, count, reverse) && rtj_seq(run, SEQ_LIST, items, count, out);
}

static bool extreme(jrun *run, const char *name, int wanted, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[2] = {rtj_bool(false), rtj_none()}, *items, *keys;
  bool case_sensitive;
  size_t count, best = 0;
  if (!rtj_args(run, name, args, "case_sensitive,attribute", 0, a)) return false;
  case_sensitive = rtj_truth(a[0]);
  if (!keyed(run, v, a[1], case_sensitive, &items, &keys, &count)) return false;
  if (!count) return undefined_because(run, "an item of an empty sequence", out);
  for (size_t i = 1; i < count; i++) {
    int order;
    if (!rtj_order(run, keys[i], keys[best], wanted < 0 ? "<" : ">", &order)) return false;
    if (order == wanted) best = i;
  }
  *out = items[best];
  return true;
}
static bool filter_min(jrun *run, jvalue v, const jargs *args, jvalue *out) { return extreme(run, "min", -1, v, args, out); }
static bool filter_max(jrun *run, jvalue v, const jargs *args, jvalue *out) { return extreme(run, "max", 1, v, args, out); }

static bool filter_unique(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[2] = {rtj_bool(false), rtj_none()}, *items, *keys, seen;
  bool case_sensitive;
  size_t count, n = 0;
  if (!rtj_args(run, "unique", args, "case_sensitive,attribute", 0, a)) return false;
  case_sensitive = rtj_truth(a[0]);
  if (!keyed(run, v, a[1], case_sensitive, &items, &keys, &count) || !rtj_dict(run, count, &seen)) return false;
  for (size_t i = 0; i < count; i++) {
    bool found;
    jvalue ignored;
    if (!rtj_dict_find(run, seen.as.dict, keys[i], &ignored, &found)) return false;
    if (found) continue;
    if (!rtj_dict_set(run, seen.as.dict, keys[i], keys[i])) return false;
    items[n++] = items[i];
  }
  return generator(run, items, n, out);
}

static bool filter_sum(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[2] = {rtj_none(), rtj_int(0)};
  const jvalue *items;
  size_t count;
  if (!rtj_args(run, "sum", args, "attribute,start", 0, a) || !rtj_iterate(run, v, &items, &count)) return false;
  if (a[1].type == J_STRING) return rtj_fail(run, "sum cannot add up strings: use join");
  *out = a[1];
  for (size_t i = 0; i < count; i++) {
    jvalue item;
    if (!by_attribute(run, items[i], a[0], &item) || !rtj_work(run, 1) || !rtj_binary(run, '+', *out, item, out)) return false;
  }
  return true;
}

static bool filter_map(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[2] = {rtj_none(), rtj_none()};
  const jvalue *items;
  size_t count;
  const jname *filter = NULL;
  jargs rest = {0};
  if (!rtj_truth(v)) return generator(run, NULL, 0, out); /* as in jinja2, before anything else is looked at */
  if (args->count == 0) {
    if (!rtj_args(run, "map", args, "attribute,default", 1, a)) return false;
  } else {
    if (args->items[0].type != J_STRING) return rtj_fail(run, "map: the name of a filter must be a string");
    filter = rtj_name(run, args->items[0].as.text->bytes, args->items[0].as.text->size);
    rest = (jargs){args->items + 1, args->count - 1, args->named, args->n_named};
    if (!filter) return false;
  }
  if (!rtj_iterate(run, v, &items, &count)) return false;
  jvalue *mapped = rtj_alloc(run, count, sizeof *mapped);
  if (!mapped) return false;
  for (size_t i = 0; i < count; i++) {
    if (!rtj_work(run, 1)) return false;
    if (filter ? !rtj_filter(run, filter, items[i], &rest, &mapped[i]) : !by_attribute(run, items[i], a[0], &mapped[i])) return false;
    if (!filter && mapped[i].type == J_UNDEFINED && a[1].type != J_NONE) mapped[i] = a[1];
  }
  return generator(run, mapped, count, out);
}

/* select, reject, selectattr, rejectattr: keep the items whose value (or attribute) passes the test, or fails it. */
static bool choose(jrun *run, const char *name, bool attribute, bool keep, jvalue v, const jargs *args, jvalue *out) {
  const jvalue *items;
  size_t count, n = 0, taken = attribute;
  const jname *test = NULL;
  jvalue path = rtj_none();
  if (!rtj_truth(v)) return generator(run, NULL, 0, out);
  if (attribute) {
    if (!args->count) return rtj_fail(run, "%s: the name of an attribute is missing", name);
    path = args->items[0];
  }
  if (args->count > taken) {
    if (args->items[taken].type != J_STRING) return rtj_fail(run, "%s: the name of a test must be a string", name);
    test = rtj_name(run, args->items[taken].as.text->bytes, args->items[taken].as.text->size);
    if (!test) return false;
    taken++;
  }
  jargs rest = {args->items + taken, args->count - taken, args->named, args->n_named};
  if (!rtj_iterate(run, v, &items, &count)) return false;
  jvalue *kept = rtj_alloc(run, count, sizeof *kept);
  if (!kept) return false;
  for (size_t i = 0; i < count; i++) {
    jvalue value;
    bool passes;
    if (!rtj_work(run, 1) || !by_attribute(run, items[i], path, &value)) return false;
    if (!test) passes = rtj_truth(value);
    else if (!rtj_test(run, test, value, &rest, &passes)) return false;
    if (passes == keep) kept[n++] = items[i];
  }
  return generator(run, kept, n, out);
}
static bool filter_select(jrun *run, jvalue v, const jargs *args, jvalue *out) { return choose(run, "select", false, true, v, args, out); }
static bool filter_reject(jrun *run, jvalue v, const jargs *args, jvalue *out) { return choose(run, "reject", false, false, v, args, out); }
static bool filter_selectattr(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  return choose(run, "selectattr", true, true, v, args, out);
}
static bool filter_rejectattr(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  return choose(run, "rejectattr", true, false, v, args, out);
}

static bool filter_batch(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[2] = {nothing, rtj_none()};
  const jvalue *items;
  size_t count, n = 0;
  int64_t size = 0;
  if (!rtj_args(run, "batch", args, "linecount,fill_with", 1, a) || !rtj_arg_int(run, "batch", a[0], &size)) return false;
  if (!rtj_iterate(run, v, &items, &count)) return false;
  if (size < 1 || size > 1000000) return rtj_fail(run, "batch: a size of %lld is not supported", (long long)size);
  size_t width = (size_t)size;
  jvalue *batches = rtj_alloc(run, count / width + 1, sizeof *batches);
  if (!batches) return false;
  for (size_t i = 0; i < count; i += width) {
    size_t left = count - i < width ? count - i : width;
    bool fill = left < width && a[1].type != J_NONE;
    const jvalue *line = items + i;
    if (fill) {
      jvalue *full = rtj_alloc(run, width, sizeof *full);
      if (!full) return false;
      for (size_t k = 0; k < width; k++) full[k] = k < left ? items[i + k] : a[1];
      line = full;
    }
    if (!rtj_seq(run, SEQ_LIST, line, fill ? width : left, &batches[n++])) return false;
  }
  return generator(run, batches, n, out);
}

/* `slices` columns of nearly the same length; the longer ones come first, the others get `fill_with`. */
static bool filter_slice(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue a[2] = {nothing, rtj_none()};
  const jvalue *items;
  size_t count;
  int64_t slices = 0;
  if (!rtj_args(run, "slice", args, "slices,fill_with", 1, a) || !rtj_arg_int(run, "slice", a[0], &slices)) return false;
  if (!rtj_iterate(run, v, &items, &count)) return false;
  if (slices < 1 || slices > 1000000) return rtj_fail(run, "slice: %lld slices are not supported", (long long)slices);
  size_t n = (size_t)slices, each = count / n, longer = count % n;
  jvalue *columns = rtj_alloc(run, n, sizeof *columns);
  if (!columns || !rtj_work(run, n + count)) return false;
  for (size_t i = 0, at = 0; i < n; i++) {
    size_t size = each + (i < longer);
    bool fill = a[1].type != J_NONE && i >= longer;
    const jvalue *column = items + at;
    if (fill) {
      jvalue *full = rtj_alloc(run, size + 1, sizeof *full);
      if (!full) return false;
      for (size_t k = 0; k < size; k++) full[k] = column[k];
      full[size] = a[1];
      column = full;
    }
    if (!rtj_seq(run, SEQ_LIST, column, size + fill, &columns[i])) return false;
    at += size;
  }
  return generator(run, columns, n, out);
}

static bool filter_attr(jrun *run, jvalue v, const jargs *args, jvalue *out) {
  jvalue name;
  bool found;
  if (!rtj_args(run, "attr", args, "name", 1, &name)) return false;
  if (name.type != J_STRING) return rtj_fail(run, "attr: the name must be a string");
  if (v.type == J_UNDEFINED) return rtj_fail_undefined(run, v);
  if (!rtj_own_attribute(run, v, name.as.text, out, &found)) return false;
  return found || rtj_undefined(run, v, name, false, out);
}

static const jbuiltin filters[] = {{"abs", filter_abs},
                                   {"attr", filter_attr},
                                   {"batch", filter_batch},
                                   {"capitalize", filter_capitalize},
                                   {"center", filter_center},
                                   {"count", filter_length},
                                   {"d", filter_default},
                                   {"default", filter_default},
                                   {"dictsort", filter_dictsort},
                                   {"e", filter_escape},
                                   {"escape", filter_escape},
                                   {"first", filter_first},
                                   {"float", filter_float},
                                   {"forceescape", filter_forceescape},
                                   {"format", filter_format},
                                   {"indent", filter_indent},
                                   {"int", filter_int},
                                   {"items", filter_items},
                                   {"join", filter_join},
                                   {"last", filter_last},
                                   {"length", filter_length},
                                   {"list", filter_list},
                                   {"lower", filter_lower},
                                   {"map", filter_map},
                                   {"max", filter_max},
                                   {"min", filter_min},
                                   {"reject", filter_reject},
                                   {"rejectattr", filter_rejectattr},
                                   {"replace", filter_replace},
                                   {"reverse", filter_reverse},
                                   {"round", filter_round},
                                   {"safe", filter_safe},
                                   {"select", filter_select},
                                   {"selectattr", filter_selectattr},
                                   {"slice", filter_slice},
                                   {"sort", filter_sort},
                                   {"string", filter_string},
                                   {"sum", filter_sum},
                                   {"title", filter_title},
                                   {"tojson", rtj_to_json},
                                   {"trim", filter_trim},
                                   {"truncate", filter_truncate},
                                   {"unique", filter_unique},
                                   {"upper", filter_upper},
                                   {"urlencode", filter_urlencode},
                                   {"wordcount", filter_wordcount},
                                   {NULL, NULL}};

bool rtj_filter(jrun *run, const jname *name, jvalue value, const jargs *args, jvalue *out) {
  const jbuiltin *filter = rtj_look_up(filters, name->bytes, name->size);
  if (!filter) return rtj_fail(run, "there is no filter '%.*s', or it is not supported", (int)name->size, name->bytes);
  if (!rtj_enter(run)) return false;
  bool ok = filter->call(run, value, args, out);
  run->depth--;
  return ok;
}

/* ---- tests ---- */

typedef enum test_id {
  TEST_BOOLEAN,
  TEST_CALLABLE,
  TEST_DEFINED,
  TEST_DIVISIBLEBY,
  TEST_EQ,
  TEST_ESCAPED,
  TEST_EVEN,
  TEST_FALSE,
  TEST_FILTER,
  TEST_FLOAT,
  TEST_GE,
  TEST_GT,
  TEST_IN,
  TEST_INTEGER,
  TEST_ITERABLE,
  TEST_LE,
  TEST_LOWER,
  TEST_LT,
  TEST_MAPPING,
  TEST_NE,
  TEST_NONE,
  TEST_NUMBER,
  TEST_ODD,
  TEST_SAMEAS,
  TEST_SEQUENCE,
  TEST_STRING,
  TEST_TEST,
  TEST_TRUE,
  TEST_UNDEFINED,
  TEST_UPPER
} test_id;

static const struct {
  const char *name;
  test_id id;
} tests[] = {{"boolean", TEST_BOOLEAN},
             {"callable", TEST_CALLABLE},
             {"defined", TEST_DEFINED},
             {"divisibleby", TEST_DIVISIBLEBY},
             {"eq", TEST_EQ},
             {"equalto", TEST_EQ},
             {"==", TEST_EQ},
             {"escaped", TEST_ESCAPED},
             {"even", TEST_EVEN},
             {"false", TEST_FALSE},
             {"filter", TEST_FILTER},
             {"float", TEST_FLOAT},
             {"ge", TEST_GE},
             {">=", TEST_GE},
             {"gt", TEST_GT},
             {"greaterthan", TEST_GT},
             {">", TEST_GT},
             {"in", TEST_IN},
             {"integer", TEST_INTEGER},
             {"iterable", TEST_ITERABLE},
             {"le", TEST_LE},
             {"<=", TEST_LE},
             {"lower", TEST_LOWER},
             {"lt", TEST_LT},
             {"lessthan", TEST_LT},
             {"<", TEST_LT},
             {"mapping", TEST_MAPPING},
             {"ne", TEST_NE},
             {"!=", TEST_NE},
             {"none", TEST_NONE},
             {"number", TEST_NUMBER},
             {"odd", TEST_ODD},
             {"sameas", TEST_SAMEAS},
             {"sequence", TEST_SEQUENCE},
             {"string", TEST_STRING},
             {"test", TEST_TEST},
             {"true", TEST_TRUE},
             {"undefined", TEST_UNDEFINED},
             {"upper", TEST_UPPER}};

static bool find_test(const char *bytes, size_t size, test_id *id) {
  for (size_t i = 0; i < RT_COUNT(tests); i++)
    if (strlen(tests[i].name) == size && memcmp(tests[i].name, bytes, size) == 0) return *id = tests[i].id, true;
  return false;
}

static bool remainder_is(jrun *run, jvalue v, jvalue divisor, int64_t wanted, bool *out) {
  jvalue rest;
  return rtj_binary(run, '%', v, divisor, &rest) && rtj_equal(run, rest, rtj_int(wanted), out);
}

static bool same(jrun *run, jvalue a, jvalue b, bool *out) {
  if (a.type != b.type) return *out = false, true;
  if (a.type == J_STRING) return *out = a.as.text == b.as.text, true;
  if (a.type == J_SEQ) return *out = a.as.seq == b.as.seq, true;
  if (a.type == J_DICT) return *out = a.as.dict == b.as.dict, true;
  if (a.type == J_UNDEFINED) return *out = a.as.undefined == b.as.undefined, true;
  return rtj_equal(run, a, b, out);
}

static bool run_test(jrun *run, test_id id, const char *name, jvalue v, const jargs *args, bool *out) {
  jvalue b = nothing;
  switch (id) {
    case TEST_DIVISIBLEBY: return rtj_args(run, name, args, "num", 1, &b) && remainder_is(run, v, b, 0, out);
    case TEST_EQ: return rtj_args(run, name, args, "b", 1, &b) && rtj_equal(run, v, b, out);
    case TEST_NE: return rtj_args(run, name, args, "b", 1, &b) && rtj_compare(run, OP_NE, v, b, out);
    case TEST_GE: return rtj_args(run, name, args, "b", 1, &b) && rtj_compare(run, OP_GE, v, b, out);
    case TEST_GT: return rtj_args(run, name, args, "b", 1, &b) && rtj_compare(run, '>', v, b, out);
    case TEST_LE: return rtj_args(run, name, args, "b", 1, &b) && rtj_compare(run, OP_LE, v, b, out);
    case TEST_LT: return rtj_args(run, name, args, "b", 1, &b) && rtj_compare(run, '<', v, b, out);
    case TEST_IN: return rtj_args(run, name, args, "seq", 1, &b) && rtj_contains(run, b, v, out);
    case TEST_SAMEAS: return rtj_args(run, name, args, "other", 1, &b) && same(run, v, b, out);
    default: break;
  }
  if (!rtj_no_args(run, name, args)) return false;
  jseq_kind kind = v.type == J_SEQ ? v.as.seq->kind : SEQ_LIST;
  const jtext *text;
  switch (id) {
    case TEST_BOOLEAN: *out = v.type == J_BOOL; return true;
    case TEST_CALLABLE: *out = v.type == J_FUNCTION || v.type == J_MACRO || v.type == J_LOOP; return true;
    case TEST_DEFINED: *out = v.type != J_UNDEFINED; return true;
    case TEST_UNDEFINED: *out = v.type == J_UNDEFINED; return true;
    case TEST_EVEN: return remainder_is(run, v, rtj_int(2), 0, out);
    case TEST_ODD: return remainder_is(run, v, rtj_int(2), 1, out);
    case TEST_TRUE: *out = v.type == J_BOOL && v.as.boolean; return true;
    case TEST_FALSE: *out = v.type == J_BOOL && !v.as.boolean; return true;
    case TEST_FLOAT: *out = v.type == J_FLOAT; return true;
    case TEST_INTEGER: *out = v.type == J_INT; return true;
    case TEST_NUMBER: *out = rtj_is_number(v); return true;
    case TEST_NONE: *out = v.type == J_NONE; return true;
    case TEST_ESCAPED: *out = v.type == J_STRING && v.as.text->safe; return true;
    case TEST_STRING: *out = v.type == J_STRING; return true;
    case TEST_MAPPING: *out = v.type == J_DICT; return true;
    case TEST_ITERABLE:
      *out = v.type == J_STRING || v.type == J_SEQ || v.type == J_DICT || v.type == J_UNDEFINED || v.type == J_LOOP;
      return true;
    case TEST_SEQUENCE:
      *out = v.type == J_STRING || v.type == J_DICT || v.type == J_UNDEFINED || (v.type == J_SEQ && kind <= SEQ_RANGE);
      return true;
    case TEST_LOWER:
    case TEST_UPPER: return rtj_to_text(run, v, &text) && rtj_has_case(run, text, id == TEST_UPPER ? 'u' : 'l', out);
    case TEST_FILTER:
    case TEST_TEST: {
      test_id ignored;
      *out = false;
      if (v.type != J_STRING) return true;
      const jtext *wanted = v.as.text;
      *out =
          id == TEST_FILTER ? rtj_look_up(filters, wanted->bytes, wanted->size) != NULL : find_test(wanted->bytes, wanted->size, &ignored);
      return true;
    }
    default: return rtj_fail(run, "this test is not supported");
  }
}

bool rtj_test(jrun *run, const jname *name, jvalue value, const jargs *args, bool *out) {
  test_id id;
  if (!find_test(name->bytes, name->size, &id))
    return rtj_fail(run, "there is no test '%.*s', or it is not supported", (int)name->size, name->bytes);
  char word[16];
  snprintf(word, sizeof word, "%.*s", (int)name->size, name->bytes);
  return run_test(run, id, word, value, args, out);
}
