/* method.c - see method.h.
 *
 * As in jinja2's sandbox, x.y prefers Python's attribute (a method), x['y'] the item. What would change a list or dict is known by name
 * only to be denied, and so are names with two underscores at both ends.
 */
#include "method.h"

#include <string.h>

#include "../text/unicode.h"
#include "str.h"
#include "tree.h"

/* ---- strings ---- */

static bool split(jrun *run, const char *name, bool from_right, jvalue self, const jargs *args, jvalue *out) {
  jvalue a[2] = {rtj_none(), rtj_int(-1)};
  int64_t max = 0;
  if (!rtj_args(run, name, args, "sep,maxsplit", 0, a) || !rtj_arg_int(run, name, a[1], &max)) return false;
  if (a[0].type == J_NONE) return rtj_split(run, self.as.text, NULL, max, from_right, out);
  if (a[0].type != J_STRING) return rtj_fail(run, "%s: must be str or None, not %s", name, rtj_type_name(a[0]));
  if (!a[0].as.text->size) return rtj_fail(run, "%s: empty separator", name);
  return rtj_split(run, self.as.text, a[0].as.text, max, from_right, out);
}
static bool str_split(jrun *run, jvalue self, const jargs *args, jvalue *out) { return split(run, "split", false, self, args, out); }
static bool str_rsplit(jrun *run, jvalue self, const jargs *args, jvalue *out) { return split(run, "rsplit", true, self, args, out); }

static bool str_splitlines(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  jvalue a[1] = {rtj_bool(false)};
  return rtj_args(run, "splitlines", args, "keepends", 0, a) && rtj_split_lines(run, self.as.text, rtj_truth(a[0]), out);
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
  return rtj_args(run, "zfill", args, "width", 1, a) && rtj_arg_int(run, "zfill", a[0], &width) &&
         rtj_zero_fill(run, self.as.text, width, out);
}

static bool str_replace(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  jvalue a[3] = {{.type = J_UNDEFINED}, {.type = J_UNDEFINED}, rtj_int(-1)};
  const jtext *old, *fresh;
  int64_t count = 0;
  if (args->n_named) return rtj_fail(run, "str.replace takes no keyword arguments");
  if (!rtj_args(run, "replace", args, "old,new,count", 2, a) || !rtj_arg_int(run, "replace", a[2], &count)) return false;
  if (!rtj_arg_text(run, "replace", a[0], &old) || !rtj_arg_text(run, "replace", a[1], &fresh)) return false;
  if (self.as.text->safe && !fresh->safe) {
    if (!rtj_escape(run, fresh, &a[1])) return false;
    fresh = a[1].as.text;
  }
  return rtj_replace(run, self.as.text, old, fresh, count, out);
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
    if (!rtj_arg_text(run, name, one, &affix_text) || !rtj_work(run, 1 + affix_text->size / 16)) return false;
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
  if (!rtj_args(run, name, args, "sub", 1, &what) || !rtj_arg_text(run, name, what, &sub)) return false;
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
  if (!rtj_args(run, "count", args, "sub", 1, &what) || !rtj_arg_text(run, "count", what, &sub)) return false;
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
  if (!parts || !rtj_args(run, name, args, "sep", 1, &what) || !rtj_arg_text(run, name, what, &sub)) return false;
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

static bool case_method(jrun *run, const char *name, char how, jvalue self, const jargs *args, jvalue *out) {
  return rtj_no_args(run, name, args) && rtj_change_case(run, self.as.text, how, out);
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
  if (!rtj_no_args(run, name, args)) return false;
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

static bool has_case(jrun *run, const char *name, char how, jvalue self, const jargs *args, jvalue *out) {
  bool truth;
  if (!rtj_no_args(run, name, args) || !rtj_has_case(run, self.as.text, how, &truth)) return false;
  *out = rtj_bool(truth);
  return true;
}
static bool str_isupper(jrun *run, jvalue self, const jargs *args, jvalue *out) { return has_case(run, "isupper", 'u', self, args, out); }
static bool str_islower(jrun *run, jvalue self, const jargs *args, jvalue *out) { return has_case(run, "islower", 'l', self, args, out); }

static bool str_join(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  jvalue what;
  const jvalue *items;
  size_t count;
  jbuilder b = {.safe = self.as.text->safe};
  if (!rtj_args(run, "join", args, "iterable", 1, &what) || !rtj_iterate(run, what, &items, &count)) return false;
  for (size_t i = 0; i < count; i++) {
    if (items[i].type != J_STRING)
      return rtj_fail(run, "join: sequence item %zu: expected str instance, %s found", i, rtj_type_name(items[i]));
    if ((i && !rtj_append_text(run, &b, self.as.text)) || !rtj_append_joined(run, &b, items[i].as.text) || !rtj_work(run, 1)) return false;
  }
  return rtj_build(run, &b, out);
}

static bool str_format(jrun *run, jvalue self, const jargs *args, jvalue *out) { return rtj_format(run, self.as.text, args, out); }

/* ---- dicts and lists ---- */

static bool dict_get(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  jvalue a[2] = {{.type = J_UNDEFINED}, rtj_none()};
  bool found;
  if (args->n_named) return rtj_fail(run, "dict.get takes no keyword arguments");
  if (!rtj_args(run, "get", args, "key,default", 1, a) || !rtj_dict_find(run, self.as.dict, a[0], out, &found)) return false;
  if (!found) *out = a[1];
  return true;
}
static bool dict_items(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return rtj_no_args(run, "items", args) && rtj_dict_view(run, self.as.dict, SEQ_ITEMS, out);
}
static bool dict_keys(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return rtj_no_args(run, "keys", args) && rtj_dict_view(run, self.as.dict, SEQ_KEYS, out);
}
static bool dict_values(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  return rtj_no_args(run, "values", args) && rtj_dict_view(run, self.as.dict, SEQ_VALUES, out);
}

/* Values never change: a copy is the value itself. */
static bool any_copy(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  *out = self;
  return rtj_no_args(run, "copy", args);
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

/* ---- tables ---- */

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

static bool is_one_of(const char *const *words, const char *name, size_t size) {
  for (; *words; words++)
    if (strlen(*words) == size && memcmp(*words, name, size) == 0) return true;
  return false;
}

static const jbuiltin *find_method(jvalue object, const char *name, size_t size, bool *forbidden) {
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
  return rtj_look_up(table, name, size);
}

/* ---- attributes and items ---- */

bool rtj_function(jrun *run, const jbuiltin *builtin, jvalue self, jvalue *out) {
  jfunction *function = rtj_alloc(run, 1, sizeof *function);
  if (!function) return false;
  *function = (jfunction){builtin, self};
  *out = (jvalue){.type = J_FUNCTION, .as.function = function};
  return true;
}

static bool loop_attribute(jrun *run, jloop *loop, const jtext *name, jvalue *out, bool *found) {
  *found = true;
  const jvalue *items = loop->items.as.seq->items, nothing = {.type = J_UNDEFINED};
  size_t last = loop->count - 1;
  if (rtj_is_word(name, "index")) *out = rtj_int((int64_t)loop->index + 1);
  else if (rtj_is_word(name, "index0")) *out = rtj_int((int64_t)loop->index);
  else if (rtj_is_word(name, "revindex")) *out = rtj_int((int64_t)(loop->count - loop->index));
  else if (rtj_is_word(name, "revindex0")) *out = rtj_int((int64_t)(last - loop->index));
  else if (rtj_is_word(name, "first")) *out = rtj_bool(loop->index == 0);
  else if (rtj_is_word(name, "last")) *out = rtj_bool(loop->index == last);
  else if (rtj_is_word(name, "length")) *out = rtj_int((int64_t)loop->count);
  else if (rtj_is_word(name, "depth")) *out = rtj_int(loop->depth + 1);
  else if (rtj_is_word(name, "depth0")) *out = rtj_int(loop->depth);
  else if (rtj_is_word(name, "previtem") || rtj_is_word(name, "nextitem")) {
    bool previous = name->bytes[0] == 'p', exists = previous ? loop->index > 0 : loop->index < last;
    if (exists) *out = items[previous ? loop->index - 1 : loop->index + 1];
    else return rtj_undefined(run, nothing, rtj_string(name), false, out);
  } else {
    *found = false;
  }
  return true;
}

static bool macro_attribute(jrun *run, const jmacro *macro, const jtext *name, jvalue *out, bool *found) {
  const jname *own = macro->node->name;
  unsigned uses = macro->node->op;
  *found = true;
  if (rtj_is_word(name, "name")) return own ? rtj_text(run, own->bytes, own->size, out) : (*out = rtj_none(), true);
  if (rtj_is_word(name, "catch_kwargs")) return *out = rtj_bool(uses & USES_KWARGS), true;
  if (rtj_is_word(name, "catch_varargs")) return *out = rtj_bool(uses & USES_VARARGS), true;
  if (rtj_is_word(name, "caller")) return *out = rtj_bool(uses & USES_CALLER), true;
  *found = false;
  if (!rtj_is_word(name, "arguments")) return true;
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
  jvalue key = rtj_string(name);
  bool forbidden = false;
  *found = false;
  if (object.type == J_NAMESPACE) return rtj_dict_find(run, object.as.dict, key, out, found);
  if (object.type == J_LOOP && (!loop_attribute(run, object.as.loop, name, out, found) || *found)) return *found;
  if (object.type == J_MACRO && (!macro_attribute(run, object.as.macro, name, out, found) || *found)) return *found;
  const jbuiltin *method = find_method(object, name->bytes, name->size, &forbidden);
  bool dunder = name->size > 4 && memcmp(name->bytes, "__", 2) == 0 && memcmp(name->bytes + name->size - 2, "__", 2) == 0;
  *found = method || forbidden || dunder;
  if (forbidden || dunder) return rtj_undefined(run, object, key, true, out);
  return method ? rtj_function(run, method, object, out) : true;
}

bool rtj_get_attribute(jrun *run, jvalue object, const jtext *name, jvalue *out) {
  jvalue key = rtj_string(name);
  bool found;
  if (object.type == J_UNDEFINED) return rtj_fail_undefined(run, object);
  if (!rtj_own_attribute(run, object, name, out, &found)) return false;
  if (found) return true;
  if (object.type == J_DICT && (!rtj_dict_find(run, object.as.dict, key, out, &found) || found)) return found;
  return rtj_undefined(run, object, key, false, out);
}

bool rtj_get_item(jrun *run, jvalue object, jvalue key, jvalue *out) {
  bool found = false;
  if (object.type == J_UNDEFINED) return rtj_fail_undefined(run, object);
  if (object.type == J_DICT && key.type != J_DICT && (key.type != J_SEQ || key.as.seq->kind == SEQ_TUPLE)) {
    if (!rtj_dict_find(run, object.as.dict, key, out, &found) || found) return found;
  } else if (object.type == J_SEQ && object.as.seq->kind <= SEQ_RANGE && rtj_is_int(key)) {
    int64_t i = rtj_int_of(key), n = (int64_t)object.as.seq->count;
    if (i < 0) i += n;
    if (i >= 0 && i < n) return *out = object.as.seq->items[i], true;
  } else if (object.type == J_STRING && rtj_is_int(key)) {
    const jtext *text = object.as.text;
    int64_t i = rtj_int_of(key);
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
