/* str.c - see str.h. Counted in code points, as Python counts. */
#include "str.h"

#include <stdio.h>
#include <string.h>

#include "../base/utf8.h"
#include "case.h"

/* ---- stripping, splitting, padding ---- */

static bool strips(const jtext *chars, const char *bytes, size_t from, size_t to) {
  if (!chars) return rtj_is_space(rtj_decode(bytes, &from));
  for (size_t at = 0; at < chars->size;) {
    size_t start = at;
    rtj_decode(chars->bytes, &at);
    if (at - start == to - from && memcmp(chars->bytes + start, bytes + from, to - from) == 0) return true;
  }
  return false;
}

bool rtj_strip(jrun *run, const jtext *text, const jtext *chars, bool left, bool right, jvalue *out) {
  size_t from = 0, to = text->size, cost = chars ? 1 + chars->size / 4 : 1;
  while (left && from < to) {
    size_t next = from;
    rtj_decode(text->bytes, &next);
    if (!rtj_work(run, cost)) return false;
    if (!strips(chars, text->bytes, from, next)) break;
    from = next;
  }
  while (right && to > from) {
    size_t start = rtj_before(text->bytes, to);
    if (!rtj_work(run, cost)) return false;
    if (!strips(chars, text->bytes, start, to)) break;
    to = start;
  }
  return rtj_slice(run, text, from, to, out);
}

typedef struct jlist { /* a growing list */
  jvalue *items;
  size_t count, capacity;
} jlist;

static bool push(jrun *run, jlist *list, jvalue v) {
  jvalue *items = rtj_grow(run, list->items, list->count, &list->capacity, sizeof *items);
  if (!items) return false;
  list->items = items;
  list->items[list->count++] = v;
  return rtj_work(run, 1);
}

static bool push_slice(jrun *run, jlist *list, const jtext *text, size_t from, size_t to) {
  jvalue v;
  return rtj_slice(run, text, from, to, &v) && push(run, list, v);
}

static bool list_value(jrun *run, const jlist *list, jvalue *out) { return rtj_seq(run, SEQ_LIST, list->items, list->count, out); }

static void reverse(jlist *list) {
  for (size_t i = 0; i < list->count / 2; i++) {
    jvalue v = list->items[i];
    list->items[i] = list->items[list->count - 1 - i];
    list->items[list->count - 1 - i] = v;
  }
}

static bool split_space(jrun *run, const jtext *text, int64_t max, bool from_right, jlist *list) {
  size_t low = 0, high = text->size;
  for (;;) {
    jvalue v;
    jtext rest = {text->bytes + low, NULL, high - low, false};
    if (!rtj_strip(run, &rest, NULL, !from_right, from_right, &v)) return false;
    if (!v.as.text->size) break;
    if (from_right) high = low + v.as.text->size;
    else low = high - v.as.text->size;
    if (max-- == 0) { /* the rest, blanks at its far end dropped too */
      rest = (jtext){text->bytes + low, NULL, high - low, false};
      if (!rtj_strip(run, &rest, NULL, true, true, &v)) return false;
      size_t from = low + (size_t)(v.as.text->bytes - rest.bytes);
      size_t to = from_right ? high : text->size;
      return push_slice(run, list, text, from_right ? 0 : from, to) || false;
    }
    size_t at = from_right ? high : low;
    while (from_right ? at > low : at < high) {
      size_t next = from_right ? rtj_before(text->bytes, at) : at, start = next;
      uint32_t c = rtj_decode(text->bytes, &start);
      if (rtj_is_space(c)) break;
      at = from_right ? next : start;
    }
    if (from_right) {
      if (!push_slice(run, list, text, at, high)) return false;
      high = at;
    } else {
      if (!push_slice(run, list, text, low, at)) return false;
      low = at;
    }
  }
  return true;
}

static bool split_at(jrun *run, const jtext *text, const jtext *separator, int64_t max, bool from_right, jlist *list) {
  size_t low = 0, high = text->size, at;
  while (max < 0 || max-- > 0) {
    if (from_right) {
      if (high < separator->size) break;
      if (!rtj_find_text(run, text->bytes, high, separator->bytes, separator->size, high, true, &at)) return false;
    } else if (!rtj_find_text(run, text->bytes, text->size, separator->bytes, separator->size, low, false, &at)) {
      return false;
    }
    if (at == SIZE_MAX) break;
    if (from_right ? !push_slice(run, list, text, at + separator->size, high) : !push_slice(run, list, text, low, at)) return false;
    if (from_right) high = at;
    else low = at + separator->size;
  }
  return push_slice(run, list, text, low, high);
}

bool rtj_split(jrun *run, const jtext *text, const jtext *separator, int64_t max, bool from_right, jvalue *out) {
  jlist list = {0};
  bool ok = separator ? split_at(run, text, separator, max, from_right, &list) : split_space(run, text, max, from_right, &list);
  if (!ok) return false;
  if (from_right) reverse(&list);
  return list_value(run, &list, out);
}

static bool ends_line(uint32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool rtj_ends_line(const jtext *text) {
  if (!text->size) return false;
  size_t at = rtj_before(text->bytes, text->size);
  return ends_line(rtj_decode(text->bytes, &at));
}

bool rtj_split_lines(jrun *run, const jtext *text, bool keep, jvalue *out) {
  jlist list = {0};
  size_t from = 0, at = 0;
  run->steps += text->size / 8;
  while (at < text->size) {
    size_t start = at;
    uint32_t c = rtj_decode(text->bytes, &at);
    if (!ends_line(c)) continue;
    if (c == '\r' && at < text->size && text->bytes[at] == '\n') at++;
    if (!push_slice(run, &list, text, from, keep ? at : start)) return false;
    from = at;
  }
  if (from < text->size && !push_slice(run, &list, text, from, text->size)) return false;
  return list_value(run, &list, out);
}

bool rtj_pad(jrun *run, const jtext *text, int64_t width, char where, char with, jvalue *out) {
  if (width < 0) width = 0;
  int64_t n = (int64_t)rtj_length(run, text), missing = width > n ? width - n : 0;
  if (missing > RT_TEMPLATE_MAX_MEMORY) return rtj_fail(run, "a width of %lld is too large", (long long)width);
  int64_t left = where == 'c' ? missing / 2 + (missing & width & 1) : where == 'r' ? missing : 0;
  jbuilder b = {.safe = text->safe};
  for (int64_t i = 0; i < missing + 1; i++) {
    if (i == left && !rtj_append(run, &b, text->bytes, text->size, text->marks)) return false;
    if (i < missing && (!rtj_work(run, 1) || !rtj_append(run, &b, &with, 1, NULL))) return false;
  }
  return rtj_build(run, &b, out);
}

bool rtj_zero_fill(jrun *run, const jtext *text, int64_t width, jvalue *out) {
  if (width < 0) width = 0;
  size_t sign = text->size && (text->bytes[0] == '-' || text->bytes[0] == '+');
  jvalue head, tail, padded;
  jbuilder b = {0};
  return rtj_slice(run, text, 0, sign, &head) && rtj_slice(run, text, sign, text->size, &tail) &&
         rtj_pad(run, tail.as.text, width - (int64_t)sign, 'r', '0', &padded) && rtj_append_text(run, &b, head.as.text) &&
         rtj_append_text(run, &b, padded.as.text) && rtj_build(run, &b, out);
}

/* ---- replacing, case ---- */

bool rtj_replace(jrun *run, const jtext *text, const jtext *old, const jtext *fresh, int64_t count, jvalue *out) {
  jbuilder b = {.safe = text->safe};
  size_t from = 0;
  while (count < 0 || count-- > 0) {
    size_t at = from, next;
    if (old->size) {
      if (!rtj_find_text(run, text->bytes, text->size, old->bytes, old->size, from, false, &at)) return false;
      if (at == SIZE_MAX) break;
      if (!rtj_append(run, &b, text->bytes + from, at - from, text->marks ? text->marks + from : NULL)) return false;
      if (!rtj_append(run, &b, fresh->bytes, fresh->size, fresh->marks)) return false;
      from = at + old->size;
      continue;
    }
    /* An empty text is found in front of every character and at the end. */
    if (!rtj_append(run, &b, fresh->bytes, fresh->size, fresh->marks) || !rtj_work(run, 1)) return false;
    if (from >= text->size) {
      from = text->size;
      break;
    }
    next = from;
    rtj_decode(text->bytes, &next);
    if (!rtj_append(run, &b, text->bytes + from, next - from, text->marks ? text->marks + from : NULL)) return false;
    from = next;
  }
  if (!rtj_append(run, &b, text->bytes + from, text->size - from, text->marks ? text->marks + from : NULL)) return false;
  return rtj_build(run, &b, out);
}

/* Separators after which the filter `title` begins a new word: blanks and - ( { [ < */
static bool begins_word(uint32_t c) { return rtj_is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<'; }

bool rtj_change_case(jrun *run, const jtext *text, char how, jvalue *out) {
  jbuilder b = {.safe = text->safe};
  bool start = true; /* the next character begins a word, or the text */
  for (size_t at = 0; at < text->size;) {
    size_t from = at, n = 0;
    uint32_t c = rtj_decode(text->bytes, &at), mapped[3];
    char bytes[12], one = how;
    if (how == 'T') one = start ? 'u' : 'l';
    else if (how == 's') one = rtj_map_case(c, 'u', mapped) == 1 && mapped[0] == c ? 'l' : 'u';
    else if (how == 'c' || how == 't') one = start ? 't' : 'l';
    size_t count = rtj_map_case(c, one, mapped);
    if (c == 0x3A3 && one == 'l') { /* capital sigma at the end of a word */
      size_t next = at, previous = from ? rtj_before(text->bytes, from) : 0;
      bool follows = at < text->size && rtj_is_cased(rtj_decode(text->bytes, &next));
      if (from && rtj_is_cased(rtj_decode(text->bytes, &previous)) && !follows) mapped[0] = 0x3C2;
    }
    for (size_t i = 0; i < count; i++) n += rt_utf8_encode(mapped[i], (uint8_t *)bytes + n);
    if (!rtj_append_marked(run, &b, bytes, n, text->marks && text->marks[from])) return false;
    if (how == 'T') start = begins_word(c);
    else if (how == 't') start = !rtj_is_cased(c);
    else start = false;
  }
  return rtj_build(run, &b, out);
}

/* str.isupper, str.islower: at least one cased character, none of the other case. */
bool rtj_has_case(jrun *run, const jtext *text, char how, bool *out) {
  jvalue same, other;
  if (!rtj_change_case(run, text, how, &same) || !rtj_change_case(run, text, how == 'u' ? 'l' : 'u', &other)) return false;
  jvalue self = rtj_string(text);
  bool unchanged, cased;
  if (!rtj_equal(run, self, same, &unchanged) || !rtj_equal(run, self, other, &cased)) return false;
  *out = unchanged && !cased;
  return true;
}

/* ---- formatting ---- */

bool rtj_escape(jrun *run, const jtext *text, jvalue *out) {
  jbuilder b = {.safe = true};
  return rtj_append_escaped(run, &b, text) && rtj_build(run, &b, out);
}

/* A value's text in a format: escaped where the format is `safe`. */
static bool append_value(jrun *run, jbuilder *b, jvalue v) {
  const jtext *text;
  if (!b->safe) return rtj_str(run, b, v);
  return rtj_to_text(run, v, &text) && rtj_append_escaped(run, b, text);
}

/* str.format with plain fields: {}, {0}, {name}. */
bool rtj_format(jrun *run, const jtext *text, const jargs *args, jvalue *out) {
  jbuilder b = {.safe = text->safe};
  size_t automatic = 0;
  for (size_t at = 0; at < text->size; at++) {
    char c = text->bytes[at], next = at + 1 < text->size ? text->bytes[at + 1] : 0;
    if ((c != '{' && c != '}') || c == next) {
      if (!rtj_append(run, &b, &text->bytes[at], 1, text->marks ? text->marks + at : NULL)) return false;
      at += c == '{' || c == '}';
      continue;
    }
    size_t from = at + 1, index = 0, to = from;
    bool digits = true;
    for (; to < text->size && text->bytes[to] != '}'; to++) {
      digits &= text->bytes[to] >= '0' && text->bytes[to] <= '9';
      if (digits && index < 1000000) index = index * 10 + (size_t)(text->bytes[to] - '0');
      if (strchr(".[]!:{", text->bytes[to])) return rtj_fail(run, "format: only plain fields are supported: {}, {0}, {name}");
    }
    if (c == '}' || to >= text->size) return rtj_fail(run, "format: a single '%c' in the format string", c);
    if (to == from) index = automatic++;
    const jvalue *value = digits ? (index < args->count ? &args->items[index] : NULL) : rtj_named_arg(args, text->bytes + from, to - from);
    if (!value)
      return rtj_fail(run, "format: there is no argument for the field {%.*s}", (int)(to - from < 40 ? to - from : 40), text->bytes + from);
    if (!append_value(run, &b, *value)) return false;
    at = to;
  }
  return rtj_build(run, &b, out);
}

/* One conversion of the % operator: flags, width and precision as text for printf. */
static bool percent_one(jrun *run, jbuilder *b, const char *flags, int64_t width, int64_t precision, char type, jvalue v) {
  jvalue piece;
  bool left = strchr(flags, '-') != NULL, zero = strchr(flags, '0') != NULL && !left, input = v.input;
  if (type == 's' || type == 'r') {
    jbuilder value = {.safe = b->safe}, plain = {0};
    if (type == 'r' && (!rtj_repr(run, &plain, v) || !rtj_build(run, &plain, &v))) return false;
    if (!append_value(run, &value, v) || !rtj_build(run, &value, &piece)) return false;
    size_t end = precision >= 0 ? rtj_offset(run, piece.as.text, (size_t)precision) : piece.as.text->size;
    if (!rtj_slice(run, piece.as.text, 0, end, &piece)) return false;
    zero = false;
  } else {
    bool whole = type == 'd' || type == 'i' || type == 'x' || type == 'X';
    if (v.type == J_UNDEFINED) return rtj_fail_undefined(run, v);
    if (v.type != J_INT && v.type != J_BOOL && v.type != J_FLOAT)
      return rtj_fail(run, "%%%c format: a number is required, not %s", type, rtj_type_name(v));
    double d = v.type == J_FLOAT ? v.as.real : v.type == J_INT ? (double)v.as.integer : v.as.boolean;
    int64_t i = v.type == J_INT ? v.as.integer : v.type == J_BOOL ? v.as.boolean : 0;
    if (whole && v.type == J_FLOAT) {
      if (type == 'x' || type == 'X') return rtj_fail(run, "%%%c format: an integer is required, not float", type);
      if (!(d > -9.2e18 && d < 9.2e18)) return rtj_fail(run, "the integer result does not fit in 64 bits");
      i = (int64_t)d;
    }
    if (precision >= 0 && whole) return rtj_fail(run, "a precision for %%%c is not supported", type);
    char text[420];
    size_t n = 0;
    bool negative = whole ? i < 0 : d < 0;
    if (negative || strchr(flags, '+') || strchr(flags, ' ')) text[n++] = negative ? '-' : strchr(flags, '+') ? '+' : ' ';
    unsigned long long magnitude = i < 0 ? 0ull - (unsigned long long)i : (unsigned long long)i;
    if (whole) snprintf(text + n, sizeof text - n, type == 'x' ? "%llx" : type == 'X' ? "%llX" : "%llu", magnitude);
    else snprintf(text + n, sizeof text - n, "%.*f", precision < 0 ? 6 : (int)precision, d < 0 ? -d : d);
    for (char *c = text + n; *c; c++)
      if (*c == ',') *c = '.'; /* the decimal point of some locales */
    char *copy = rtj_alloc(run, strlen(text) + 1, 1);
    if (!copy) return false;
    strcpy(copy, text);
    if (!rtj_text(run, copy, strlen(copy), &piece)) return false;
  }
  if (zero) {
    if (!rtj_zero_fill(run, piece.as.text, width, &piece)) return false;
  } else if (!rtj_pad(run, piece.as.text, width, left ? 'l' : 'r', ' ', &piece)) {
    return false;
  }
  const jtext *text = piece.as.text;
  return text->marks ? rtj_append(run, b, text->bytes, text->size, text->marks) : rtj_append_marked(run, b, text->bytes, text->size, input);
}

bool rtj_percent(jrun *run, const jtext *format, jvalue values, jvalue *out) {
  jbuilder b = {.safe = format->safe};
  bool tuple = values.type == J_SEQ && values.as.seq->kind == SEQ_TUPLE;
  const jvalue *items = tuple ? values.as.seq->items : &values;
  size_t count = tuple ? values.as.seq->count : 1, used = 0;
  for (size_t at = 0; at < format->size; at++) {
    if (format->bytes[at] != '%') {
      if (!rtj_append(run, &b, &format->bytes[at], 1, format->marks ? format->marks + at : NULL)) return false;
      continue;
    }
    char flags[8] = "";
    size_t n = 0;
    int64_t width = 0, precision = -1;
    at++;
    for (; at < format->size && format->bytes[at] && strchr("-+ 0", format->bytes[at]); at++)
      if (n < sizeof flags - 1) flags[n++] = format->bytes[at];
    for (; at < format->size && format->bytes[at] >= '0' && format->bytes[at] <= '9' && width < 10000; at++)
      width = width * 10 + (format->bytes[at] - '0');
    if (at < format->size && format->bytes[at] == '.')
      for (at++, precision = 0; at < format->size && format->bytes[at] >= '0' && format->bytes[at] <= '9' && precision < 50; at++)
        precision = precision * 10 + (format->bytes[at] - '0');
    char type = at < format->size ? format->bytes[at] : 0;
    if (type == '%') {
      if (!rtj_append(run, &b, "%", 1, NULL)) return false;
      continue;
    }
    if (!type || !strchr("srdifxX", type))
      return rtj_fail(run, "%%: only %%s %%r %%d %%i %%f %%x %%X %%%% with flags, width and precision are supported");
    if (width >= 10000 || precision >= 50) return rtj_fail(run, "%%: this width or precision is not supported");
    if (used == count) return rtj_fail(run, "not enough arguments for format string");
    if (!percent_one(run, &b, flags, width, precision, type, items[used++])) return false;
  }
  bool subscriptable = values.type == J_DICT || values.type == J_SEQ || values.type == J_UNDEFINED; /* Python takes it for a mapping */
  if (used < count && (tuple || !subscriptable)) return rtj_fail(run, "not all arguments converted during string formatting");
  return rtj_build(run, &b, out);
}
