/* method.c - methods of strings, lists and dicts, and the global functions.
 *
 * The methods are Python's, counted in code points. What would change a list or dict is known by name only to be denied, as the immutable
 * sandbox does. Text keeps its provenance through every one of them: slices keep their marks, what is put together joins them.
 */
#include "../base/utf8.h"
#include "internal.h"
#include "../text/unicode.h"

#include <stdio.h>
#include <string.h>

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

static size_t before(const char *bytes, size_t at) {
  do at--;
  while (at > 0 && ((unsigned char)bytes[at] & 0xC0) == 0x80);
  return at;
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
    size_t start = before(text->bytes, to);
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
      size_t next = from_right ? before(text->bytes, at) : at, start = next;
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

static bool split(jrun *run, const char *name, bool from_right, jvalue self, const jargs *args, jvalue *out) {
  jvalue a[2] = {rtj_none(), rtj_int(-1)};
  const jtext *text = self.as.text;
  int64_t max = 0;
  jlist list = {0};
  if (!rtj_args(run, name, args, "sep,maxsplit", 0, a) || !rtj_arg_int(run, name, a[1], &max)) return false;
  if (a[0].type == J_NONE) {
    if (!split_space(run, text, max, from_right, &list)) return false;
    if (from_right) reverse(&list);
    return list_value(run, &list, out);
  }
  if (a[0].type != J_STRING) return rtj_fail(run, "%s: must be str or None, not %s", name, rtj_type_name(a[0]));
  const jtext *separator = a[0].as.text;
  if (!separator->size) return rtj_fail(run, "%s: empty separator", name);
  size_t low = 0, high = text->size, at;
  while (max < 0 || max-- > 0) {
    if (from_right) {
      if (high < separator->size) break;
      if (!rtj_find_text(run, text->bytes, high, separator->bytes, separator->size, high, true, &at)) return false;
    } else if (!rtj_find_text(run, text->bytes, text->size, separator->bytes, separator->size, low, false, &at)) {
      return false;
    }
    if (at == SIZE_MAX) break;
    if (from_right ? !push_slice(run, &list, text, at + separator->size, high) : !push_slice(run, &list, text, low, at)) return false;
    if (from_right) high = at;
    else low = at + separator->size;
  }
  if (!push_slice(run, &list, text, low, high)) return false;
  if (from_right) reverse(&list);
  return list_value(run, &list, out);
}
static bool str_split(jrun *run, jvalue self, const jargs *args, jvalue *out) { return split(run, "split", false, self, args, out); }
static bool str_rsplit(jrun *run, jvalue self, const jargs *args, jvalue *out) { return split(run, "rsplit", true, self, args, out); }

static bool ends_line(uint32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool rtj_ends_line(const jtext *text) {
  if (!text->size) return false;
  size_t at = before(text->bytes, text->size);
  return ends_line(rtj_decode(text->bytes, &at));
}

static bool split_lines(jrun *run, const jtext *text, bool keep, jvalue *out) {
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

bool rtj_split_lines(jrun *run, const jtext *text, jvalue *out) { return split_lines(run, text, false, out); }

static bool str_splitlines(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  jvalue a[1] = {rtj_bool(false)};
  return rtj_args(run, "splitlines", args, "keepends", 0, a) && split_lines(run, self.as.text, rtj_truth(a[0]), out);
}

static bool strip(jrun *run, const char *name, bool left, bool right, jvalue self, const jargs *args, jvalue *out) {
  jvalue chars = rtj_none();
  if (args->n_named) return rtj_fail(run, "%s takes no keyword arguments", name);
  if (!rtj_args(run, name, args, "chars", 0, &chars)) return false;
  if (chars.type != J_NONE && chars.type != J_STRING)
    return rtj_fail(run, "%s: the argument must be None or str, not %s", name, rtj_type_name(chars));
  return rtj_strip(run, self.as.text, chars.type == J_STRING ? chars.as.text : NULL, left, right, out);
}
static bool str_strip(jrun *run, jvalue self, const jargs *args, jvalue *out) { return strip(run, "strip", true, true, self, args, out); }
static bool str_lstrip(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return strip(run, "lstrip", true, false, self, args, out);
}
static bool str_rstrip(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return strip(run, "rstrip", false, true, self, args, out);
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

static bool pad(jrun *run, const char *name, char where, jvalue self, const jargs *args, jvalue *out) {
  jvalue a[2] = {{.type = J_UNDEFINED}, rtj_none()};
  int64_t width = 0;
  if (!rtj_args(run, name, args, "width,fillchar", 1, a) || !rtj_arg_int(run, name, a[0], &width)) return false;
  if (a[1].type != J_NONE && (a[1].type != J_STRING || a[1].as.text->size != 1))
    return rtj_fail(run, "%s: the fill character must be one ASCII character", name);
  return rtj_pad(run, self.as.text, width, where, a[1].type == J_STRING ? a[1].as.text->bytes[0] : ' ', out);
}
static bool str_center(jrun *run, jvalue self, const jargs *args, jvalue *out) { return pad(run, "center", 'c', self, args, out); }
static bool str_ljust(jrun *run, jvalue self, const jargs *args, jvalue *out) { return pad(run, "ljust", 'l', self, args, out); }
static bool str_rjust(jrun *run, jvalue self, const jargs *args, jvalue *out) { return pad(run, "rjust", 'r', self, args, out); }

static bool str_zfill(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  jvalue a[1];
  int64_t width = 0;
  const jtext *text = self.as.text;
  if (!rtj_args(run, "zfill", args, "width", 1, a) || !rtj_arg_int(run, "zfill", a[0], &width)) return false;
  if (width < 0) width = 0;
  size_t sign = text->size && (text->bytes[0] == '-' || text->bytes[0] == '+');
  jvalue head, tail, padded;
  if (!rtj_slice(run, text, 0, sign, &head) || !rtj_slice(run, text, sign, text->size, &tail)) return false;
  return rtj_pad(run, tail.as.text, width - (int64_t)sign, 'r', '0', &padded) && rtj_binary(run, '+', head, padded, out);
}

/* ---- searching and replacing ---- */

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

static bool need_text(jrun *run, const char *name, jvalue v, const jtext **out) {
  if (v.type == J_UNDEFINED) return rtj_fail_undefined(run, v);
  if (v.type != J_STRING) return rtj_fail(run, "%s: the argument must be str, not %s", name, rtj_type_name(v));
  *out = v.as.text;
  return true;
}

static bool str_replace(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  jvalue a[3] = {{.type = J_UNDEFINED}, {.type = J_UNDEFINED}, rtj_int(-1)};
  const jtext *old, *fresh;
  int64_t count = 0;
  if (args->n_named) return rtj_fail(run, "str.replace takes no keyword arguments");
  if (!rtj_args(run, "replace", args, "old,new,count", 2, a) || !rtj_arg_int(run, "replace", a[2], &count)) return false;
  return need_text(run, "replace", a[0], &old) && need_text(run, "replace", a[1], &fresh) &&
         rtj_replace(run, self.as.text, old, fresh, count, out);
}

static bool affix(jrun *run, const char *name, bool at_end, jvalue self, const jargs *args, jvalue *out) {
  jvalue what, one;
  const jtext *text = self.as.text, *affix_text;
  if (!rtj_args(run, name, args, "prefix", 1, &what)) return false;
  const jvalue *choices = &what;
  size_t count = 1;
  if (what.type == J_SEQ && what.as.seq->kind == SEQ_TUPLE) choices = what.as.seq->items, count = what.as.seq->count;
  *out = rtj_bool(false);
  for (size_t i = 0; i < count && !out->as.boolean; i++) {
    one = choices[i];
    if (!need_text(run, name, one, &affix_text) || !rtj_work(run, 1 + affix_text->size / 16)) return false;
    size_t n = affix_text->size;
    *out = rtj_bool(n <= text->size && memcmp(text->bytes + (at_end ? text->size - n : 0), affix_text->bytes, n) == 0);
  }
  return true;
}
static bool str_startswith(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return affix(run, "startswith", false, self, args, out);
}
static bool str_endswith(jrun *run, jvalue self, const jargs *args, jvalue *out) { return affix(run, "endswith", true, self, args, out); }

static bool remove_affix(jrun *run, const char *name, bool at_end, jvalue self, const jargs *args, jvalue *out) {
  jvalue has, what;
  if (!rtj_args(run, name, args, "prefix", 1, &what)) return false;
  if (what.type != J_STRING) return rtj_fail(run, "%s: the argument must be str, not %s", name, rtj_type_name(what));
  if (!affix(run, name, at_end, self, args, &has)) return false;
  size_t n = has.as.boolean ? what.as.text->size : 0, size = self.as.text->size;
  return rtj_slice(run, self.as.text, at_end ? 0 : n, at_end ? size - n : size, out);
}
static bool str_removeprefix(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return remove_affix(run, "removeprefix", false, self, args, out);
}
static bool str_removesuffix(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return remove_affix(run, "removesuffix", true, self, args, out);
}

static bool find(jrun *run, const char *name, bool backwards, bool must, jvalue self, const jargs *args, jvalue *out) {
  jvalue what;
  const jtext *text = self.as.text, *sub;
  size_t at;
  if (!rtj_args(run, name, args, "sub", 1, &what) || !need_text(run, name, what, &sub)) return false;
  if (!rtj_find_text(run, text->bytes, text->size, sub->bytes, sub->size, backwards ? text->size : 0, backwards, &at)) return false;
  if (at == SIZE_MAX && must) return rtj_fail(run, "%s: substring not found", name);
  jtext head = {text->bytes, NULL, at == SIZE_MAX ? 0 : at, false};
  *out = rtj_int(at == SIZE_MAX ? -1 : (int64_t)rtj_length(run, &head));
  return true;
}
static bool str_find(jrun *run, jvalue self, const jargs *args, jvalue *out) { return find(run, "find", false, false, self, args, out); }
static bool str_rfind(jrun *run, jvalue self, const jargs *args, jvalue *out) { return find(run, "rfind", true, false, self, args, out); }
static bool str_index(jrun *run, jvalue self, const jargs *args, jvalue *out) { return find(run, "index", false, true, self, args, out); }
static bool str_rindex(jrun *run, jvalue self, const jargs *args, jvalue *out) { return find(run, "rindex", true, true, self, args, out); }

static bool str_count(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  jvalue what;
  const jtext *text = self.as.text, *sub;
  int64_t n = 0;
  if (!rtj_args(run, "count", args, "sub", 1, &what) || !need_text(run, "count", what, &sub)) return false;
  if (!sub->size) return *out = rtj_int((int64_t)rtj_length(run, text) + 1), true;
  for (size_t from = 0;; n++) {
    size_t at;
    if (!rtj_find_text(run, text->bytes, text->size, sub->bytes, sub->size, from, false, &at)) return false;
    if (at == SIZE_MAX) break;
    from = at + sub->size;
  }
  *out = rtj_int(n);
  return true;
}

static bool partition(jrun *run, const char *name, bool backwards, jvalue self, const jargs *args, jvalue *out) {
  jvalue what;
  const jtext *text = self.as.text, *sub;
  size_t at;
  jvalue *parts = rtj_alloc(run, 3, sizeof *parts);
  if (!parts || !rtj_args(run, name, args, "sep", 1, &what) || !need_text(run, name, what, &sub)) return false;
  if (!sub->size) return rtj_fail(run, "%s: empty separator", name);
  if (!rtj_find_text(run, text->bytes, text->size, sub->bytes, sub->size, backwards ? text->size : 0, backwards, &at)) return false;
  size_t cut = at != SIZE_MAX ? at : backwards ? 0 : text->size, after = at != SIZE_MAX ? at + sub->size : cut;
  return rtj_slice(run, text, 0, cut, &parts[0]) && rtj_slice(run, text, cut, after, &parts[1]) &&
         rtj_slice(run, text, after, text->size, &parts[2]) && rtj_seq(run, SEQ_TUPLE, parts, 3, out);
}
static bool str_partition(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return partition(run, "partition", false, self, args, out);
}
static bool str_rpartition(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return partition(run, "rpartition", true, self, args, out);
}

/* ---- case and classes ---- */

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
      size_t next = at, previous = from ? before(text->bytes, from) : 0;
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

static bool case_method(jrun *run, const char *name, char how, jvalue self, const jargs *args, jvalue *out) {
  return rtj_args(run, name, args, "", 0, NULL) && rtj_change_case(run, self.as.text, how, out);
}
static bool str_upper(jrun *run, jvalue self, const jargs *args, jvalue *out) { return case_method(run, "upper", 'u', self, args, out); }
static bool str_lower(jrun *run, jvalue self, const jargs *args, jvalue *out) { return case_method(run, "lower", 'l', self, args, out); }
static bool str_capitalize(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return case_method(run, "capitalize", 'c', self, args, out);
}
static bool str_title(jrun *run, jvalue self, const jargs *args, jvalue *out) { return case_method(run, "title", 't', self, args, out); }

static bool str_swapcase(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return case_method(run, "swapcase", 's', self, args, out);
}

/* isdigit, isalpha, ...: every character is of the class and there is one. Which numbers beyond ASCII are digits is not known here. */
static bool of_class(jrun *run, const char *name, bool letters, bool digits, bool blanks, jvalue self, const jargs *args, jvalue *out) {
  const jtext *text = self.as.text;
  if (!rtj_args(run, name, args, "", 0, NULL)) return false;
  bool all = text->size > 0;
  run->steps += text->size / 8;
  for (size_t at = 0; at < text->size && all;) {
    uint32_t c = rtj_decode(text->bytes, &at);
    rt_class class = rt_unicode_class(c);
    if (c >= 0x80 && class == RT_NUMBER && digits && !letters) return rtj_fail(run, "%s of numbers beyond ASCII is not supported", name);
    all = (letters && class == RT_LETTER) || (digits && class == RT_NUMBER) || (blanks && rtj_is_space(c));
  }
  *out = rtj_bool(all);
  return true;
}
static bool str_isdigit(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return of_class(run, "isdigit", false, true, false, self, args, out);
}
static bool str_isalpha(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return of_class(run, "isalpha", true, false, false, self, args, out);
}
static bool str_isalnum(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return of_class(run, "isalnum", true, true, false, self, args, out);
}
static bool str_isspace(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return of_class(run, "isspace", false, false, true, self, args, out);
}

static bool has_case(jrun *run, const char *name, const char *test, jvalue self, const jargs *args, jvalue *out) {
  bool truth;
  jargs none = {0};
  const jname *test_name = rtj_name(run, test, strlen(test));
  if (!test_name || !rtj_args(run, name, args, "", 0, NULL) || !rtj_test(run, test_name, self, &none, &truth)) return false;
  *out = rtj_bool(truth);
  return true;
}
static bool str_isupper(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return has_case(run, "isupper", "upper", self, args, out);
}
static bool str_islower(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return has_case(run, "islower", "lower", self, args, out);
}

/* ---- joining and formatting ---- */

static bool str_join(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  jvalue what;
  const jvalue *items;
  size_t count;
  jbuilder b = {0};
  if (!rtj_args(run, "join", args, "iterable", 1, &what) || !rtj_iterate(run, what, &items, &count)) return false;
  for (size_t i = 0; i < count; i++) {
    if (items[i].type != J_STRING)
      return rtj_fail(run, "join: sequence item %zu: expected str instance, %s found", i, rtj_type_name(items[i]));
    if ((i && !rtj_append_text(run, &b, self.as.text)) || !rtj_append_text(run, &b, items[i].as.text) || !rtj_work(run, 1)) return false;
  }
  return rtj_build(run, &b, out);
}

static const jvalue *named(const jargs *args, const char *bytes, size_t size) {
  for (size_t i = 0; i < args->n_named; i++)
    if (args->named[i].key.as.text->size == size && memcmp(args->named[i].key.as.text->bytes, bytes, size) == 0)
      return &args->named[i].value;
  return NULL;
}

/* str.format with plain fields: {}, {0}, {name}. */
static bool str_format(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  const jtext *text = self.as.text;
  jbuilder b = {0};
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
    const jvalue *value = digits ? (index < args->count ? &args->items[index] : NULL) : named(args, text->bytes + from, to - from);
    if (!value)
      return rtj_fail(run, "format: there is no argument for the field {%.*s}", (int)(to - from < 40 ? to - from : 40), text->bytes + from);
    if (!rtj_str(run, &b, *value)) return false;
    at = to;
  }
  return rtj_build(run, &b, out);
}

/* One conversion of the % operator: flags, width and precision as text for printf. */
static bool percent_one(jrun *run, jbuilder *b, const char *flags, int64_t width, int64_t precision, char type, jvalue v) {
  jvalue piece;
  bool left = strchr(flags, '-') != NULL, zero = strchr(flags, '0') != NULL && !left, input = v.input;
  if (type == 's' || type == 'r') {
    jbuilder value = {0};
    if (!(type == 's' ? rtj_str(run, &value, v) : rtj_repr(run, &value, v)) || !rtj_build(run, &value, &piece)) return false;
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
    jvalue w = rtj_int(width);
    jargs args = {&w, 1, NULL, 0};
    if (!str_zfill(run, piece, &args, &piece)) return false;
  } else if (!rtj_pad(run, piece.as.text, width, left ? 'l' : 'r', ' ', &piece)) {
    return false;
  }
  const jtext *text = piece.as.text;
  return text->marks ? rtj_append(run, b, text->bytes, text->size, text->marks) : rtj_append_marked(run, b, text->bytes, text->size, input);
}

bool rtj_percent(jrun *run, const jtext *format, jvalue values, jvalue *out) {
  jbuilder b = {0};
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

/* ---- dicts and lists ---- */

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

static bool dict_get(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  jvalue a[2] = {{.type = J_UNDEFINED}, rtj_none()};
  bool found;
  if (args->n_named) return rtj_fail(run, "dict.get takes no keyword arguments");
  if (!rtj_args(run, "get", args, "key,default", 1, a) || !rtj_dict_find(run, self.as.dict, a[0], out, &found)) return false;
  if (!found) *out = a[1];
  return true;
}
static bool dict_items(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return rtj_args(run, "items", args, "", 0, NULL) && rtj_dict_view(run, self.as.dict, SEQ_ITEMS, out);
}
static bool dict_keys(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return rtj_args(run, "keys", args, "", 0, NULL) && rtj_dict_view(run, self.as.dict, SEQ_KEYS, out);
}
static bool dict_values(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return rtj_args(run, "values", args, "", 0, NULL) && rtj_dict_view(run, self.as.dict, SEQ_VALUES, out);
}
/* Values never change: a copy is the value itself. */
static bool any_copy(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  *out = self;
  return rtj_args(run, "copy", args, "", 0, NULL);
}

static bool seq_search(jrun *run, bool counting, jvalue self, const jargs *args, jvalue *out) {
  jvalue what;
  int64_t n = 0;
  if (!rtj_args(run, counting ? "count" : "index", args, "value", 1, &what)) return false;
  for (size_t i = 0; i < self.as.seq->count; i++) {
    bool equal;
    if (!rtj_work(run, 1) || !rtj_equal(run, self.as.seq->items[i], what, &equal)) return false;
    if (equal && !counting) return *out = rtj_int((int64_t)i), true;
    n += equal;
  }
  *out = rtj_int(n);
  return counting || rtj_fail(run, "index: the value is not in the list");
}
static bool seq_count(jrun *run, jvalue self, const jargs *args, jvalue *out) { return seq_search(run, true, self, args, out); }
static bool seq_index(jrun *run, jvalue self, const jargs *args, jvalue *out) { return seq_search(run, false, self, args, out); }

/* ---- loops ---- */

static bool loop_cycle(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  if (!args->count || args->n_named) return rtj_fail(run, "loop.cycle needs items to cycle through");
  *out = args->items[self.as.loop->index % args->count];
  return true;
}

static bool loop_changed(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  jvalue now;
  bool equal = false;
  jloop *loop = self.as.loop;
  if (!rtj_seq(run, SEQ_TUPLE, args->items, args->count, &now)) return false;
  if (loop->changed.type != J_UNDEFINED && !rtj_equal(run, loop->changed, now, &equal)) return false;
  loop->changed = now;
  *out = rtj_bool(!equal);
  return true;
}

/* ---- tables of methods ---- */

static const jbuiltin str_methods[] = {{"capitalize", str_capitalize},
                                       {"center", str_center},
                                       {"count", str_count},
                                       {"endswith", str_endswith},
                                       {"find", str_find},
                                       {"format", str_format},
                                       {"index", str_index},
                                       {"isalnum", str_isalnum},
                                       {"isalpha", str_isalpha},
                                       {"isdigit", str_isdigit},
                                       {"islower", str_islower},
                                       {"isspace", str_isspace},
                                       {"isupper", str_isupper},
                                       {"join", str_join},
                                       {"ljust", str_ljust},
                                       {"lower", str_lower},
                                       {"lstrip", str_lstrip},
                                       {"partition", str_partition},
                                       {"removeprefix", str_removeprefix},
                                       {"removesuffix", str_removesuffix},
                                       {"replace", str_replace},
                                       {"rfind", str_rfind},
                                       {"rindex", str_rindex},
                                       {"rjust", str_rjust},
                                       {"rpartition", str_rpartition},
                                       {"rsplit", str_rsplit},
                                       {"rstrip", str_rstrip},
                                       {"split", str_split},
                                       {"splitlines", str_splitlines},
                                       {"startswith", str_startswith},
                                       {"strip", str_strip},
                                       {"swapcase", str_swapcase},
                                       {"title", str_title},
                                       {"upper", str_upper},
                                       {"zfill", str_zfill},
                                       {NULL, NULL}};
static const jbuiltin dict_methods[] = {{"copy", any_copy},  {"get", dict_get},       {"items", dict_items},
                                        {"keys", dict_keys}, {"values", dict_values}, {NULL, NULL}};
static const jbuiltin seq_methods[] = {{"copy", any_copy}, {"count", seq_count}, {"index", seq_index}, {NULL, NULL}};
static const jbuiltin loop_methods[] = {{"changed", loop_changed}, {"cycle", loop_cycle}, {NULL, NULL}};
static const jbuiltin no_methods[] = {{NULL, NULL}};

static const jbuiltin *look_up(const jbuiltin *table, const char *name, size_t size) {
  for (; table->name; table++)
    if (strlen(table->name) == size && memcmp(table->name, name, size) == 0) return table;
  return NULL;
}

static bool is_one_of(const char *const *words, const char *name, size_t size) {
  for (; *words; words++)
    if (strlen(*words) == size && memcmp(*words, name, size) == 0) return true;
  return false;
}

const jbuiltin *rtj_method(jvalue object, const char *name, size_t size, bool *forbidden) {
  static const char *const changes_dict[] = {"clear", "pop", "popitem", "setdefault", "update", NULL};
  static const char *const changes_list[] = {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort", NULL};
  const jbuiltin *table = no_methods;
  if (object.type == J_STRING) table = str_methods;
  else if (object.type == J_DICT) table = dict_methods;
  else if (object.type == J_LOOP) table = loop_methods;
  else if (object.type == J_SEQ && object.as.seq->kind == SEQ_LIST) table = seq_methods;
  else if (object.type == J_SEQ && object.as.seq->kind <= SEQ_RANGE) table = seq_methods + 1; /* no copy */
  if (object.type == J_DICT) *forbidden = is_one_of(changes_dict, name, size);
  if (object.type == J_SEQ && object.as.seq->kind == SEQ_LIST) *forbidden = is_one_of(changes_list, name, size);
  return look_up(table, name, size);
}

/* ---- global functions ---- */

static bool global_range(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  enum { MAX_RANGE = 100000 };
  int64_t bounds[3] = {0, 0, 1}, count = 0;
  (void)self;
  if (args->n_named || args->count < 1 || args->count > 3) return rtj_fail(run, "range takes from one to three numbers");
  for (size_t i = 0; i < args->count; i++)
    if (!rtj_arg_int(run, "range", args->items[i], &bounds[args->count == 1 ? 1 : i])) return false;
  int64_t start = bounds[0], stop = bounds[1], step = bounds[2];
  if (step == 0) return rtj_fail(run, "range: the step must not be zero");
  uint64_t width = step > 0 ? (start < stop ? (uint64_t)stop - (uint64_t)start : 0) : (stop < start ? (uint64_t)start - (uint64_t)stop : 0);
  uint64_t stride = step > 0 ? (uint64_t)step : 0 - (uint64_t)step;
  uint64_t n = width / stride + (width % stride != 0);
  if (n > MAX_RANGE) return rtj_fail(run, "Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d).", MAX_RANGE);
  count = (int64_t)n;
  jvalue *items = rtj_alloc(run, (size_t)count, sizeof *items);
  if (!items || !rtj_work(run, n)) return false;
  for (int64_t i = 0; i < count; i++) items[i] = rtj_int((int64_t)((uint64_t)start + (uint64_t)i * (uint64_t)step));
  if (!rtj_seq(run, SEQ_RANGE, items, (size_t)count, out)) return false;
  out->as.seq->start = start;
  out->as.seq->stop = stop;
  out->as.seq->step = step;
  return true;
}

/* dict(mapping or pairs, **named) and namespace(...) alike. */
static bool global_dict(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  (void)self;
  if (args->count > 1) return rtj_fail(run, "dict expected at most 1 argument, got %zu", args->count);
  if (!rtj_dict(run, args->n_named, out)) return false;
  jdict *dict = out->as.dict;
  if (args->count && args->items[0].type == J_DICT) {
    const jdict *from = args->items[0].as.dict;
    for (size_t i = 0; i < from->count; i++)
      if (!rtj_work(run, 1) || !rtj_dict_set(run, dict, from->entries[i].key, from->entries[i].value)) return false;
  } else if (args->count) {
    const jvalue *pairs, *pair;
    size_t count, two;
    if (!rtj_iterate(run, args->items[0], &pairs, &count)) return false;
    for (size_t i = 0; i < count; i++) {
      if (!rtj_work(run, 1) || !rtj_iterate(run, pairs[i], &pair, &two)) return false;
      if (two != 2) return rtj_fail(run, "dict: element %zu has length %zu, 2 is required", i, two);
      if (!rtj_dict_set(run, dict, pair[0], pair[1])) return false;
    }
  }
  for (size_t i = 0; i < args->n_named; i++)
    if (!rtj_dict_set(run, dict, args->named[i].key, args->named[i].value)) return false;
  return true;
}

static bool global_namespace(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  if (!global_dict(run, self, args, out)) return false;
  for (size_t i = 0; i < out->as.dict->count; i++) {
    jvalue key = out->as.dict->entries[i].key;
    if (key.type == J_STRING && key.as.text->size && key.as.text->bytes[0] == '_')
      return rtj_fail(run, "attributes of a namespace cannot begin with an underscore");
  }
  out->type = J_NAMESPACE;
  return true;
}

static bool global_raise(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  jvalue message;
  const jtext *text;
  (void)self, (void)out;
  if (!rtj_args(run, "raise_exception", args, "message", 1, &message) || !rtj_to_text(run, message, &text)) return false;
  return rtj_fail(run, "the template refuses these messages: %.*s", (int)(text->size < 500 ? text->size : 500), text->bytes);
}

static bool read_date(const char *date, int *year, int *month, int *day) {
  static const char shape[] = "dddd-dd-dd";
  if (strlen(date) != sizeof shape - 1) return false;
  for (size_t i = 0; date[i]; i++)
    if (shape[i] == 'd' ? date[i] < '0' || date[i] > '9' : date[i] != '-') return false;
  *year = (date[0] - '0') * 1000 + (date[1] - '0') * 100 + (date[2] - '0') * 10 + (date[3] - '0');
  *month = (date[5] - '0') * 10 + (date[6] - '0');
  *day = (date[8] - '0') * 10 + (date[9] - '0');
  return *year > 0 && *month >= 1 && *month <= 12 && *day >= 1 && *day <= 31;
}

/* strftime in the C locale, for a day without a time. */
static bool global_strftime(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                       "July",    "August",   "September", "October", "November", "December"};
  static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  static const int before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  jvalue v;
  const jtext *format;
  int year, month, day;
  (void)self;
  if (!rtj_args(run, "strftime_now", args, "format", 1, &v) || !need_text(run, "strftime_now", v, &format)) return false;
  if (!run->date) return rtj_fail(run, "the template asks for today's date: give it in the option `date` as YYYY-MM-DD");
  if (!read_date(run->date, &year, &month, &day)) return rtj_fail(run, "the option `date` is not of the form YYYY-MM-DD");
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  int day_of_year = before_month[month - 1] + day + (leap && month > 2);
  int y = year - 1, weekday = (y + y / 4 - y / 100 + y / 400 + day_of_year) % 7;
  jbuilder b = {0};
  for (size_t at = 0; at < format->size; at++) {
    char text[32] = "";
    if (format->bytes[at] != '%' || at + 1 == format->size) {
      if (!rtj_append(run, &b, format->bytes + at, 1, format->marks ? format->marks + at : NULL)) return false;
      continue;
    }
    char code = format->bytes[++at];
    bool plain = code == '-' && at + 1 < format->size;
    if (plain) code = format->bytes[++at];
    switch (code) {
      case 'Y': snprintf(text, sizeof text, "%d", year); break;
      case 'y': snprintf(text, sizeof text, "%02d", year % 100); break;
      case 'm': snprintf(text, sizeof text, plain ? "%d" : "%02d", month); break;
      case 'd': snprintf(text, sizeof text, plain ? "%d" : "%02d", day); break;
      case 'e': snprintf(text, sizeof text, plain ? "%d" : "%2d", day); break;
      case 'j': snprintf(text, sizeof text, plain ? "%d" : "%03d", day_of_year); break;
      case 'w': snprintf(text, sizeof text, "%d", weekday); break;
      case 'B': snprintf(text, sizeof text, "%s", months[month - 1]); break;
      case 'b':
      case 'h': snprintf(text, sizeof text, "%.3s", months[month - 1]); break;
      case 'A': snprintf(text, sizeof text, "%s", days[weekday]); break;
      case 'a': snprintf(text, sizeof text, "%.3s", days[weekday]); break;
      case 'F': snprintf(text, sizeof text, "%d-%02d-%02d", year, month, day); break;
      case 'D': snprintf(text, sizeof text, "%02d/%02d/%02d", month, day, year % 100); break;
      case '%': strcpy(text, "%"); break;
      default: return rtj_fail(run, "strftime_now: %%%c is not supported: only the date is known, not the time", code);
    }
    if (!rtj_append(run, &b, text, strlen(text), NULL)) return false;
  }
  return rtj_build(run, &b, out);
}

static bool global_refused(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  (void)self, (void)args, (void)out;
  return rtj_fail(
      run,
      "cycler, joiner, lipsum, self and super are not supported; the functions are range, dict, namespace, raise_exception, strftime_now");
}

const jbuiltin *rtj_global(const char *name, size_t size) {
  static const jbuiltin globals[] = {{"range", global_range},
                                     {"dict", global_dict},
                                     {"namespace", global_namespace},
                                     {"raise_exception", global_raise},
                                     {"strftime_now", global_strftime},
                                     {"cycler", global_refused},
                                     {"joiner", global_refused},
                                     {"lipsum", global_refused},
                                     {"self", global_refused},
                                     {"super", global_refused},
                                     {NULL, NULL}};
  return look_up(globals, name, size);
}
