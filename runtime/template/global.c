/* global.c - see global.h. Those of jinja2 that no chat template has a use for are refused by name. */
#include "global.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

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
  for (size_t i = 0; shape[i]; i++)
    if (shape[i] == 'd' ? date[i] < '0' || date[i] > '9' : date[i] != '-') return false;
  *year = (date[0] - '0') * 1000 + (date[1] - '0') * 100 + (date[2] - '0') * 10 + (date[3] - '0');
  *month = (date[5] - '0') * 10 + (date[6] - '0');
  *day = (date[8] - '0') * 10 + (date[9] - '0');
  return *year > 0 && *month >= 1 && *month <= 12 && *day >= 1 && *day <= 31;
}

/* " HH:MM:SS", or nothing for midnight. */
static bool read_time(const char *time, int *hour, int *minute, int *second) {
  *hour = *minute = *second = 0;
  if (!*time) return true;
  static const char shape[] = " dd:dd:dd";
  for (size_t i = 0; i < sizeof shape; i++)
    if (shape[i] == 'd' ? time[i] < '0' || time[i] > '9' : time[i] != shape[i]) return false;
  *hour = (time[1] - '0') * 10 + (time[2] - '0');
  *minute = (time[4] - '0') * 10 + (time[5] - '0');
  *second = (time[7] - '0') * 10 + (time[8] - '0');
  return *hour < 24 && *minute < 60 && *second < 60;
}

/* strftime in the C locale, for a time without a zone. */
static bool global_strftime(jrun *run, jvalue self, const jargs *args, jvalue *out) {
  static const char *const months[] = {"January", "February", "March",     "April",   "May",      "June",
                                       "July",    "August",   "September", "October", "November", "December"};
  static const char *const days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  static const int before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
  jvalue v;
  const jtext *format;
  int year, month, day, hour, minute, second;
  (void)self;
  if (!rtj_args(run, "strftime_now", args, "format", 1, &v) || !rtj_arg_text(run, "strftime_now", v, &format)) return false;
  if (!run->world.date) return rtj_fail(run, "the template asks for today's date: give it in the option `date` as YYYY-MM-DD");
  if (!read_date(run->world.date, &year, &month, &day) || !read_time(run->world.date + 10, &hour, &minute, &second))
    return rtj_fail(run, "the option `date` is not of the form YYYY-MM-DD or YYYY-MM-DD HH:MM:SS");
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
      case 'H': snprintf(text, sizeof text, plain ? "%d" : "%02d", hour); break;
      case 'I': snprintf(text, sizeof text, plain ? "%d" : "%02d", (hour + 11) % 12 + 1); break;
      case 'M': snprintf(text, sizeof text, plain ? "%d" : "%02d", minute); break;
      case 'S': snprintf(text, sizeof text, plain ? "%d" : "%02d", second); break;
      case 'p': snprintf(text, sizeof text, "%s", hour < 12 ? "AM" : "PM"); break;
      case 'R': snprintf(text, sizeof text, "%02d:%02d", hour, minute); break;
      case 'T':
      case 'X': snprintf(text, sizeof text, "%02d:%02d:%02d", hour, minute, second); break;
      case 'f': strcpy(text, "000000"); break;
      case 'Z':
      case 'z': break;
      case '%': strcpy(text, "%"); break;
      default: return rtj_fail(run, "strftime_now: %%%c is not supported", code);
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
  return rtj_look_up(globals, name, size);
}
