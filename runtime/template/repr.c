/* repr.c - see repr.h. What is made from input stays marked as input, byte for byte. */
#include "repr.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../text/unicode.h"
#include "tree.h"

/* The shortest digits that read back as `d`, in Python's notation. printf and strtod agree on the decimal point whatever the locale is;
 * the point itself is not copied. */
enum { STEPS_OF_A_FLOAT = 150 }; /* printf and strtod up to 17 times */
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

bool rtj_append_scalar(jrun *run, jbuilder *b, jvalue v, const char *const words[3]) {
  char number[40];
  const char *text = number;
  if (v.type == J_NONE) text = words[0];
  else if (v.type == J_BOOL) text = words[v.as.boolean ? 1 : 2];
  else if (v.type == J_INT) snprintf(number, sizeof number, "%lld", (long long)v.as.integer);
  else if (!rtj_work(run, STEPS_OF_A_FLOAT)) return false;
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
  if (!rtj_append_word(run, b, open)) return false;
  for (size_t i = 0; i < count; i++)
    if ((i && !rtj_append_word(run, b, ", ")) || !rtj_repr(run, b, items[i])) return false;
  return rtj_append_word(run, b, close);
}

static bool repr_dict(jrun *run, jbuilder *b, const jdict *dict) {
  if (!rtj_append_word(run, b, "{")) return false;
  for (size_t i = 0; i < dict->count; i++) {
    if (i && !rtj_append_word(run, b, ", ")) return false;
    if (!rtj_repr(run, b, dict->entries[i].key) || !rtj_append_word(run, b, ": ") || !rtj_repr(run, b, dict->entries[i].value))
      return false;
  }
  return rtj_append_word(run, b, "}");
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
  return rtj_append_word(run, b, text);
}

bool rtj_repr(jrun *run, jbuilder *b, jvalue v) {
  static const char *const words[3] = {"None", "True", "False"};
  if (!rtj_enter(run)) return false;
  bool ok = false;
  switch ((jtype)v.type) {
    case J_UNDEFINED: ok = rtj_append_word(run, b, "Undefined"); break;
    case J_NONE:
    case J_BOOL:
    case J_INT:
    case J_FLOAT: ok = rtj_append_scalar(run, b, v, words); break;
    case J_STRING:
      ok = (!v.as.text->safe || rtj_append_word(run, b, "Markup(")) && repr_string(run, b, v.as.text) &&
           (!v.as.text->safe || rtj_append_word(run, b, ")"));
      break;
    case J_SEQ: ok = repr_seq(run, b, v.as.seq); break;
    case J_DICT: ok = repr_dict(run, b, v.as.dict); break;
    case J_NAMESPACE: ok = rtj_append_word(run, b, "<Namespace ") && repr_dict(run, b, v.as.dict) && rtj_append_word(run, b, ">"); break;
    case J_MACRO: {
      const jname *name = v.as.macro->node->name;
      if (!name) ok = rtj_append_word(run, b, "<Macro anonymous>");
      else ok = rtj_append_word(run, b, "<Macro '") && rtj_append(run, b, name->bytes, name->size, NULL) && rtj_append_word(run, b, "'>");
      break;
    }
    case J_LOOP: {
      char text[80];
      snprintf(text, sizeof text, "<LoopContext %zu/%zu>", v.as.loop->index + 1, v.as.loop->count);
      ok = rtj_append_word(run, b, text);
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
