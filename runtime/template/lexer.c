/* lexer.c - Jinja source to tokens; see lexer.h.
 *
 * Follows jinja2's lexer.py for its whitespace rules, which decide what a chat template prints: `-` strips all whitespace on its side, `+`
 * keeps it, trim_blocks drops one newline after a block or comment, lstrip_blocks drops the blanks of a line in front of a block or comment
 * that begins it, and the final newline of the source goes. Delimiters are the default ones. Names are ASCII.
 */
#include "lexer.h"

#include <string.h>

#include "../base/number.h"
#include "../base/utf8.h"
#include "text.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_name(char c) { return is_name_start(c) || is_digit(c); }

bool rtj_lex_begin(jlexer *lexer, jrun *run, const char *source, size_t size) {
  if (size > RT_TEMPLATE_MAX_SOURCE)
    return rtj_fail_at(run, 0, "the template has %zu bytes, at most %d are accepted", size, RT_TEMPLATE_MAX_SOURCE);
  char *copy = rtj_alloc(run, size + 1, 1);
  if (!copy) return false;
  run->source = copy;
  uint32_t n = 0;
  for (size_t i = 0; i < size;) {
    if (source[i] == '\r') {
      copy[n++] = '\n';
      i += i + 1 < size && source[i + 1] == '\n' ? 2 : 1;
      continue;
    }
    uint32_t c;
    size_t length = rt_utf8_decode((const uint8_t *)source + i, size - i, &c);
    run->source_size = n;
    if (c == RT_UTF8_INVALID) return rtj_fail_at(run, n, "the template is not valid UTF-8 here");
    memcpy(copy + n, source + i, length);
    n += (uint32_t)length;
    i += length;
  }
  if (n && copy[n - 1] == '\n') n--;
  copy[n] = 0;
  run->source_size = n;
  *lexer = (jlexer){.run = run, .source = copy, .size = n, .state = IN_DATA, .line_starting = true};
  return true;
}

/* ---- whitespace ---- */

static uint32_t skip_space(const jlexer *lexer, uint32_t at) {
  while (at < lexer->size) {
    size_t next = at;
    if (!rtj_is_space(rtj_decode(lexer->source, &next))) break;
    at = (uint32_t)next;
  }
  return at;
}

/* End of source[from..to) without trailing whitespace. */
static uint32_t strip_end(const jlexer *lexer, uint32_t from, uint32_t to) {
  while (to > from) {
    uint32_t start = to - 1;
    while (start > from && ((unsigned char)lexer->source[start] & 0xC0) == 0x80) start--;
    size_t at = start;
    if (!rtj_is_space(rtj_decode(lexer->source, &at))) break;
    to = start;
  }
  return to;
}

/* lstrip_blocks: the blanks of the line in front of a block go when nothing else stands there. */
static uint32_t strip_line(const jlexer *lexer, uint32_t from, uint32_t to) {
  uint32_t line = to;
  while (line > from && lexer->source[line - 1] != '\n') line--;
  if (line == from && !lexer->line_starting) return to;
  return strip_end(lexer, line, to) == line ? line : to;
}

static bool at_text(const jlexer *lexer, uint32_t at, const char *text) {
  size_t n = strlen(text);
  return lexer->size - at >= n && memcmp(lexer->source + at, text, n) == 0;
}

/* After the end of a block, comment or endraw at `at` (its sign already seen): where the following text begins. */
static uint32_t after_block(const jlexer *lexer, uint32_t at, char sign) {
  if (sign == '-') return skip_space(lexer, at);
  if (sign != '+' && at < lexer->size && lexer->source[at] == '\n') return at + 1;
  return at;
}

static void note_line(jlexer *lexer) { lexer->line_starting = lexer->at > 0 && lexer->source[lexer->at - 1] == '\n'; }

/* ---- text between tags ---- */

static char sign_at(const jlexer *lexer, uint32_t at) {
  char c = at < lexer->size ? lexer->source[at] : 0;
  return c == '-' || c == '+' ? c : 0;
}

/* "{% raw %}" at `at`: returns the offset after it and sets whether its end stripped; 0: it is no raw tag. */
static uint32_t raw_begin(const jlexer *lexer, uint32_t at) {
  at += 2;
  if (sign_at(lexer, at)) at++;
  at = skip_space(lexer, at);
  if (!at_text(lexer, at, "raw")) return 0;
  at = skip_space(lexer, at + 3);
  if (at_text(lexer, at, "-%}")) return skip_space(lexer, at + 3);
  return at_text(lexer, at, "%}") ? at + 2 : 0;
}

/* "{% endraw %}" at `at`: returns the offset of what follows its tag, 0: none. *sign: of its beginning. */
static uint32_t raw_end(const jlexer *lexer, uint32_t at, char *sign) {
  if (!at_text(lexer, at, "{%")) return 0;
  at += 2;
  *sign = sign_at(lexer, at);
  if (*sign) at++;
  at = skip_space(lexer, at);
  if (!at_text(lexer, at, "endraw")) return 0;
  at = skip_space(lexer, at + 6);
  char end = sign_at(lexer, at);
  if (end) at++;
  return at_text(lexer, at, "%}") ? after_block(lexer, at + 2, end) : 0;
}

static bool data(jtoken *token, const jlexer *lexer, uint32_t from, uint32_t to) {
  token->kind = TOKEN_DATA;
  token->at = from;
  token->bytes = lexer->source + from;
  token->size = to - from;
  return to > from;
}

/* The comment that begins at `begin`: its tag makes no token. */
static bool lex_comment(jlexer *lexer, jtoken *token, uint32_t begin, uint32_t inside, bool *done) {
  uint32_t at = inside;
  *done = inside == lexer->size; /* jinja2 does not mind a comment that begins at the very end */
  if (*done) {
    lexer->at = inside;
    token->kind = TOKEN_END;
    return true;
  }
  for (; !at_text(lexer, at, "#}"); at++)
    if (at >= lexer->size) return rtj_fail_at(lexer->run, begin, "this comment has no end: #} is missing");
  lexer->at = after_block(lexer, at + 2, at > inside ? sign_at(lexer, at - 1) : 0);
  note_line(lexer);
  return true;
}

/* The raw block whose tag begins at `begin` and whose text begins at `raw`. */
static bool lex_raw(jlexer *lexer, jtoken *token, uint32_t begin, uint32_t raw, bool *done) {
  *done = raw == lexer->size; /* nor a raw block */
  if (*done) {
    lexer->at = raw;
    token->kind = TOKEN_END;
    return true;
  }
  lexer->line_starting = lexer->source[raw - 1] == '\n';
  for (uint32_t at = raw; at < lexer->size; at++) {
    char sign = 0;
    uint32_t after = raw_end(lexer, at, &sign);
    if (!after) continue;
    *done = data(token, lexer, raw, sign == '-' ? strip_end(lexer, raw, at) : sign != '+' ? strip_line(lexer, raw, at) : at);
    lexer->at = after;
    note_line(lexer);
    return true;
  }
  return rtj_fail_at(lexer->run, begin, "this raw block has no end: {%% endraw %%} is missing");
}

/* Reads text up to the next tag. *done: a token was made; else the lexer stands behind something that makes none. */
static bool lex_data(jlexer *lexer, jtoken *token, bool *done) {
  const char *s = lexer->source;
  uint32_t from = lexer->at, at = from;
  while (at < lexer->size && !(s[at] == '{' && (s[at + 1] == '{' || s[at + 1] == '%' || s[at + 1] == '#'))) at++;
  *done = true;
  if (at == lexer->size) {
    lexer->at = at;
    if (!data(token, lexer, from, at)) token->kind = TOKEN_END;
    return true;
  }
  char what = s[at + 1], sign = sign_at(lexer, at + 2);
  uint32_t to = sign == '-' ? strip_end(lexer, from, at) : sign != '+' && what != '{' ? strip_line(lexer, from, at) : at;
  if (data(token, lexer, from, to)) { /* the tag comes next time, with nothing in front of it */
    lexer->at = at;
    lexer->line_starting = false;
    return true;
  }
  uint32_t inside = at + 2 + (sign != 0), raw = what == '%' ? raw_begin(lexer, at) : 0;
  if (what == '#') return lex_comment(lexer, token, at, inside, done);
  if (raw) return lex_raw(lexer, token, at, raw, done);
  token->kind = what == '{' ? TOKEN_PRINT_BEGIN : TOKEN_BLOCK_BEGIN;
  token->at = at;
  lexer->state = what == '{' ? IN_PRINT : IN_BLOCK;
  lexer->at = inside;
  return true;
}

/* ---- inside of tags ---- */

static bool unescape(jlexer *lexer, jtoken *token, const char *s, uint32_t from, uint32_t to) {
  char *out = rtj_alloc(lexer->run, (size_t)(to - from) + 1, 1);
  if (!out) return false;
  size_t n = 0;
  for (uint32_t i = from; i < to; i++) {
    if (s[i] != '\\') {
      out[n++] = s[i];
      continue;
    }
    uint32_t at = i++, digits = 0, code = 0;
    switch (s[i]) {
      case '\n': continue;
      case '\\':
      case '\'':
      case '"': out[n++] = s[i]; continue;
      case 'a': out[n++] = '\a'; continue;
      case 'b': out[n++] = '\b'; continue;
      case 'f': out[n++] = '\f'; continue;
      case 'n': out[n++] = '\n'; continue;
      case 'r': out[n++] = '\r'; continue;
      case 't': out[n++] = '\t'; continue;
      case 'v': out[n++] = '\v'; continue;
      case 'x': digits = 2; break;
      case 'u': digits = 4; break;
      case 'U': digits = 8; break;
      case 'N': return rtj_fail_at(lexer->run, at, "character names (\\N{...}) are not supported, write \\uXXXX");
      default:
        if (s[i] >= '0' && s[i] <= '7') {
          for (digits = 0; digits < 3 && i < to && s[i] >= '0' && s[i] <= '7'; digits++) code = code * 8 + (uint32_t)(s[i++] - '0');
          i--;
          n += rt_utf8_encode(code, (uint8_t *)out + n);
          continue;
        }
        if ((unsigned char)s[i] >= 0x80)
          return rtj_fail_at(lexer->run, at, "a backslash in front of a character outside of ASCII is not supported");
        out[n++] = '\\'; /* unknown escapes stay as they are, as in Python */
        out[n++] = s[i];
        continue;
    }
    for (; digits; digits--) {
      int d = i + 1 < to ? rt_digit(s[i + 1]) : -1;
      if (d < 0 || d > 15) return rtj_fail_at(lexer->run, at, "this escape in a string needs more hexadecimal digits");
      code = code << 4 | (uint32_t)d;
      i++;
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
      return rtj_fail_at(lexer->run, at, "U+%04X is not a character", (unsigned)code);
    n += rt_utf8_encode(code, (uint8_t *)out + n);
  }
  token->bytes = out;
  token->size = n;
  return true;
}

static bool lex_string(jlexer *lexer, jtoken *token) {
  const char *s = lexer->source;
  char quote = s[lexer->at];
  uint32_t from = lexer->at + 1, at = from;
  for (; at < lexer->size && s[at] != quote; at++)
    if (s[at] == '\\') at++;
  if (at >= lexer->size) return rtj_fail_at(lexer->run, token->at, "this string has no end");
  token->kind = TOKEN_STRING;
  lexer->at = at + 1;
  return unescape(lexer, token, s, from, at);
}

/* 0x1F, 0o17, 0b11; an underscore may stand behind the prefix. */
static bool lex_based(jlexer *lexer, jtoken *token, unsigned base) {
  uint32_t at = lexer->at + 2;
  if (lexer->source[at] == '_') at++;
  size_t n = rt_digits(lexer->source + at, lexer->size - at, base);
  int64_t value = 0;
  if (!rt_read_integer(lexer->source + at, n, base, false, &value))
    return rtj_fail_at(lexer->run, token->at, "this integer does not fit in 64 bits");
  lexer->at = n ? at + (uint32_t)n : lexer->at + 1; /* "0x" is a zero and a name */
  token->number = rtj_int(value);
  return true;
}

static bool lex_decimal_integer(jlexer *lexer, jtoken *token, size_t size) {
  const char *s = lexer->source + lexer->at;
  int64_t value = 0;
  bool fits = rt_read_integer(s, size, 10, false, &value);
  if (s[0] == '0' && (!fits || value)) return rtj_fail_at(lexer->run, token->at, "an integer may not begin with 0");
  if (!fits) return rtj_fail_at(lexer->run, token->at, "this integer does not fit in 64 bits");
  token->number = rtj_int(value);
  lexer->at += (uint32_t)size;
  return true;
}

/* A float has a fraction or an exponent, and does not follow a point: x.1.2 is two items. */
static bool lex_number(jlexer *lexer, jtoken *token) {
  const char *s = lexer->source + lexer->at;
  size_t left = lexer->size - lexer->at, whole = rt_digits(s, left, 10), size = whole;
  double value = 0;
  token->kind = TOKEN_NUMBER;
  if (lexer->at == 0 || s[-1] != '.') {
    bool fits = rt_read_decimal(s, left, false, &size, &value);
    if (size != whole) {
      if (!fits) return rtj_fail_at(lexer->run, token->at, "this number has too many digits");
      token->number = rtj_float(value);
      lexer->at += (uint32_t)size;
      return true;
    }
  }
  if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) return lex_based(lexer, token, 16);
  if (s[0] == '0' && (s[1] == 'o' || s[1] == 'O')) return lex_based(lexer, token, 8);
  if (s[0] == '0' && (s[1] == 'b' || s[1] == 'B')) return lex_based(lexer, token, 2);
  return lex_decimal_integer(lexer, token, whole);
}

static bool lex_operator(jlexer *lexer, jtoken *token) {
  static const struct {
    char text[3];
    joperator op;
  } longer[] = {{"==", OP_EQ}, {"!=", OP_NE}, {"<=", OP_LE}, {">=", OP_GE}, {"//", OP_FLOORDIV}, {"**", OP_POW}};
  token->kind = TOKEN_OP;
  for (size_t i = 0; i < RT_COUNT(longer); i++)
    if (at_text(lexer, lexer->at, longer[i].text)) {
      token->op = longer[i].op;
      lexer->at += 2;
      return true;
    }
  char c = lexer->source[lexer->at];
  if ((unsigned char)c >= 0x80 || !c || !strchr("+-/*%~[](){}><=.:|,;", c)) {
    size_t end = lexer->at;
    rtj_decode(lexer->source, &end);
    return rtj_fail_at(lexer->run, token->at, "unexpected character '%.*s'%s", (int)(end - lexer->at), lexer->source + lexer->at,
                       (unsigned char)c >= 0x80 ? " (names must be ASCII)" : "");
  }
  if (c == '(' || c == '[' || c == '{') {
    if (lexer->open == sizeof lexer->closers)
      return rtj_fail_at(lexer->run, token->at, "brackets are nested deeper than %zu", sizeof lexer->closers);
    lexer->closers[lexer->open++] = c == '(' ? ')' : c == '[' ? ']' : '}';
  } else if (c == ')' || c == ']' || c == '}') {
    if (!lexer->open) return rtj_fail_at(lexer->run, token->at, "unexpected '%c'", c);
    char expected = lexer->closers[--lexer->open];
    if (c != expected) return rtj_fail_at(lexer->run, token->at, "unexpected '%c', expected '%c'", c, expected);
  }
  token->op = c;
  lexer->at++;
  return true;
}

bool rtj_lex(jlexer *lexer, jtoken *token) {
  *token = (jtoken){.at = lexer->at};
  while (lexer->state == IN_DATA) {
    bool done;
    if (!lex_data(lexer, token, &done)) return false;
    if (done) return true;
  }
  lexer->at = skip_space(lexer, lexer->at);
  token->at = lexer->at;
  if (lexer->at >= lexer->size) { /* the parser says what it wanted instead */
    token->kind = TOKEN_END;
    return true;
  }
  if (!lexer->open) {
    const char *close = lexer->state == IN_PRINT ? "}}" : "%}";
    char sign = sign_at(lexer, lexer->at);
    if (lexer->state == IN_PRINT && sign == '+') sign = 0;
    if (at_text(lexer, lexer->at + (sign != 0), close)) {
      uint32_t after = lexer->at + (sign != 0) + 2;
      token->kind = lexer->state == IN_PRINT ? TOKEN_PRINT_END : TOKEN_BLOCK_END;
      lexer->at = lexer->state == IN_PRINT && sign != '-' ? after : after_block(lexer, after, sign);
      lexer->state = IN_DATA;
      note_line(lexer);
      return true;
    }
  }
  char c = lexer->source[lexer->at];
  if (is_digit(c)) return lex_number(lexer, token);
  if (c == '"' || c == '\'') return lex_string(lexer, token);
  if (is_name_start(c)) {
    token->kind = TOKEN_NAME;
    token->bytes = lexer->source + lexer->at;
    while (lexer->at < lexer->size && is_name(lexer->source[lexer->at])) lexer->at++;
    token->size = (size_t)(lexer->source + lexer->at - token->bytes);
    return true;
  }
  return lex_operator(lexer, token);
}
