/* tojson.c - json.dumps with ensure_ascii off, as Hugging Face's tojson has it. JSON made from anything that is input is input as a whole.
 */
#include "tojson.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "operator.h"

typedef struct json_style {
  bool ascii, sort, lines;
  const jtext *indent;    /* one level, where lines */
  const char *item, *key; /* separators */
  size_t item_size, key_size;
} json_style;

static bool json_string(jrun *run, jbuilder *b, const json_style *style, const jtext *text) {
  if (!rtj_append_word(run, b, "\"")) return false;
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
  return rtj_append_word(run, b, "\"");
}

static bool json_scalar(jrun *run, jbuilder *b, jvalue v) {
  static const char *const words[3] = {"null", "true", "false"};
  if (v.type == J_FLOAT && (isnan(v.as.real) || isinf(v.as.real))) {
    const char *name = isnan(v.as.real) ? "NaN" : v.as.real < 0 ? "-Infinity" : "Infinity";
    return rtj_append_marked(run, b, name, strlen(name), v.input);
  }
  return rtj_append_scalar(run, b, v, words);
}

static bool json_line(jrun *run, jbuilder *b, const json_style *style, unsigned level) {
  if (!style->lines) return true;
  if (!rtj_append_word(run, b, "\n")) return false;
  for (unsigned i = 0; i < level; i++)
    if (!rtj_append(run, b, style->indent->bytes, style->indent->size, style->indent->marks)) return false;
  return true;
}

static bool json_value(jrun *run, jbuilder *b, const json_style *style, jvalue v, unsigned level);

static bool json_key(jrun *run, jbuilder *b, const json_style *style, jvalue key) {
  if (key.type == J_STRING) return json_string(run, b, style, key.as.text);
  if (key.type > J_FLOAT || key.type == J_UNDEFINED)
    return rtj_fail(run, "JSON keys must be str, int, float, bool or None, not %s", rtj_type_name(key));
  return rtj_append_word(run, b, "\"") && json_scalar(run, b, key) && rtj_append_word(run, b, "\"");
}

static bool json_dict(jrun *run, jbuilder *b, const json_style *style, const jdict *dict, unsigned level) {
  if (!dict->count) return rtj_append_word(run, b, "{}");
  jvalue *keys = NULL, *values = NULL;
  if (style->sort) {
    if (!(keys = rtj_alloc(run, dict->count * 2, sizeof *keys))) return false;
    values = keys + dict->count;
    for (size_t i = 0; i < dict->count; i++) keys[i] = dict->entries[i].key, values[i] = dict->entries[i].value;
    if (!rtj_sort(run, values, keys, dict->count, false)) return false;
  }
  if (!rtj_append_word(run, b, "{")) return false;
  for (size_t i = 0; i < dict->count; i++) {
    if (i && !rtj_append(run, b, style->item, style->item_size, NULL)) return false;
    if (!json_line(run, b, style, level + 1) || !json_key(run, b, style, keys ? keys[i] : dict->entries[i].key)) return false;
    if (!rtj_append(run, b, style->key, style->key_size, NULL)) return false;
    if (!json_value(run, b, style, values ? values[i] : dict->entries[i].value, level + 1)) return false;
  }
  return json_line(run, b, style, level) && rtj_append_word(run, b, "}");
}

static bool json_list(jrun *run, jbuilder *b, const json_style *style, const jseq *seq, unsigned level) {
  if (!seq->count) return rtj_append_word(run, b, "[]");
  if (!rtj_append_word(run, b, "[")) return false;
  for (size_t i = 0; i < seq->count; i++) {
    if (i && !rtj_append(run, b, style->item, style->item_size, NULL)) return false;
    if (!json_line(run, b, style, level + 1) || !json_value(run, b, style, seq->items[i], level + 1)) return false;
  }
  return json_line(run, b, style, level) && rtj_append_word(run, b, "]");
}

static bool json_value(jrun *run, jbuilder *b, const json_style *style, jvalue v, unsigned level) {
  if (!rtj_enter(run)) return false;
  bool ok;
  if (v.type == J_STRING) ok = json_string(run, b, style, v.as.text);
  else if (v.type == J_SEQ && v.as.seq->kind <= SEQ_TUPLE) ok = json_list(run, b, style, v.as.seq, level);
  else if (v.type == J_DICT) ok = json_dict(run, b, style, v.as.dict, level);
  else if (v.type == J_NONE || rtj_is_number(v)) ok = json_scalar(run, b, v);
  else ok = rtj_fail(run, "an object of type %s is not JSON serializable", rtj_type_name(v));
  run->depth--;
  return ok;
}

static bool json_indent(jrun *run, json_style *style, jvalue indent) {
  if (indent.type == J_NONE) return true;
  style->lines = true;
  jvalue text = indent;
  if (rtj_is_int(indent)) {
    int64_t n = rtj_int_of(indent) > 0 ? rtj_int_of(indent) : 0;
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

bool rtj_to_json(jrun *run, jvalue value, const jargs *args, jvalue *out) {
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
