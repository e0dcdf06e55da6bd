/* reasoning.c - see reasoning.h. */
#include "reasoning.h"

#include <string.h>

#include "../base/utf8.h"

static const char OPEN[] = "<think>", CLOSE[] = "</think>";
enum {
  OPEN_SIZE = sizeof OPEN - 1,
  CLOSE_SIZE = sizeof CLOSE - 1,
  MAX_WHITE = 256 /* held back; what a longer run has in front is let through */
};

static bool is_white(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static size_t leading_white(const uint8_t *p, size_t n) {
  size_t i = 0;
  while (i < n && is_white(p[i])) i++;
  return i;
}
/* At most MAX_WHITE of it, so that it is the same however the text came in pieces. */
static size_t without_trailing_white(const uint8_t *p, size_t n) {
  for (size_t least = n > MAX_WHITE ? n - MAX_WHITE : 0; n > least && is_white(p[n - 1]);) n--;
  return n;
}

/* Where `tag` first stands in p, or n. */
static size_t find(const uint8_t *p, size_t n, const char *tag, size_t tag_size) {
  for (size_t i = 0; i + tag_size <= n; i++)
    if (!memcmp(p + i, tag, tag_size)) return i;
  return n;
}

/* Length of the longest end of p that is a proper beginning of `tag`. */
static size_t partial(const uint8_t *p, size_t n, const char *tag, size_t tag_size) {
  for (size_t k = n < tag_size - 1 ? n : tag_size - 1; k > 0; k--)
    if (!memcmp(p + n - k, tag, k)) return k;
  return 0;
}

void rt_reasoning_begin(rt_reasoning *s, const retort_platform *platform, bool match_text, const char *tail, size_t size) {
  rt_reasoning_close(s);
  s->platform = platform;
  s->match_text = match_text;
  s->may_open = match_text;
  const uint8_t *p = (const uint8_t *)tail;
  for (size_t at = 0; at < size;) {
    size_t open = at + find(p + at, size - at, OPEN, OPEN_SIZE), close = at + find(p + at, size - at, CLOSE, CLOSE_SIZE);
    if (open == close) return; /* neither: both are `size` */
    s->reasoning = open < close;
    s->seen = true;
    at = s->reasoning ? open + OPEN_SIZE : close + CLOSE_SIZE;
    s->trim = leading_white(p + at, size - at) == size - at;
    s->may_open = false;
  }
}

void rt_reasoning_close(rt_reasoning *s) {
  rt_bytes_close(s->platform, &s->raw);
  rt_bytes_close(s->platform, &s->held);
  *s = (rt_reasoning){.platform = s->platform};
}

/* Moves the characters of `raw` to `held`, all but an unfinished one at the end unless `last`. */
static bool clean(rt_reasoning *s, bool last) {
  size_t keep = last ? 0 : rt_utf8_incomplete(s->raw.data, s->raw.size), end = s->raw.size - keep;
  for (size_t at = 0; at < end;) {
    uint32_t cp;
    size_t n = rt_utf8_decode(s->raw.data + at, end - at, &cp);
    bool fine = cp != RT_UTF8_INVALID;
    if (!rt_bytes_append(s->platform, &s->held, fine ? (const void *)(s->raw.data + at) : "\xEF\xBF\xBD", fine ? n : 3)) return false;
    at += n;
  }
  rt_bytes_drop(&s->raw, end);
  return true;
}

static bool release(rt_reasoning *s, size_t n, rt_bytes *to) {
  if (n && !rt_bytes_append(s->platform, to, s->held.data, n)) return false;
  rt_bytes_drop(&s->held, n);
  return true;
}

static void enter(rt_reasoning *s, bool reasoning, size_t tag_end) {
  rt_bytes_drop(&s->held, tag_end);
  s->reasoning = reasoning;
  s->seen = s->seen || reasoning;
  s->trim = true;
  s->may_open = false;
}

/* How much of the reasoning in `held` can go out: not what may be its last white space, nor what may be a part of the closing tag. */
static size_t due_reasoning(const rt_reasoning *s) {
  size_t n = s->held.size - (s->match_text ? partial(s->held.data, s->held.size, CLOSE, CLOSE_SIZE) : 0);
  return without_trailing_white(s->held.data, n);
}

/* Takes from `held` whatever can be decided. */
static bool settle(rt_reasoning *s, rt_bytes *reasoning, rt_bytes *answer) {
  for (;;) {
    const uint8_t *p = s->held.data;
    size_t n = s->held.size;
    if (s->trim) {
      size_t white = leading_white(p, n);
      rt_bytes_drop(&s->held, white);
      if ((n -= white) == 0) return true;
      s->trim = false;
    }
    if (s->reasoning) {
      size_t tag = s->match_text ? find(p, n, CLOSE, CLOSE_SIZE) : n;
      if (tag == n) return release(s, due_reasoning(s), reasoning);
      size_t end = without_trailing_white(p, tag);
      if (!release(s, end, reasoning)) return false;
      enter(s, false, tag - end + CLOSE_SIZE);
      continue;
    }
    if (s->may_open) {
      size_t white = leading_white(p, n), seen = n - white < OPEN_SIZE ? n - white : OPEN_SIZE;
      bool like = white <= MAX_WHITE && (seen == 0 || !memcmp(p + white, OPEN, seen));
      if (like && seen < OPEN_SIZE) return true;
      if (like) {
        enter(s, true, white + OPEN_SIZE);
        continue;
      }
      s->may_open = false;
    }
    return release(s, n, answer);
  }
}

bool rt_reasoning_feed(rt_reasoning *s, const void *piece, size_t size, rt_bytes *reasoning, rt_bytes *answer) {
  return rt_bytes_append(s->platform, &s->raw, piece, size) && clean(s, false) && settle(s, reasoning, answer);
}

bool rt_reasoning_tag(rt_reasoning *s, bool opens, rt_bytes *reasoning, rt_bytes *answer) {
  if (!clean(s, true) || !settle(s, reasoning, answer)) return false;
  if (!opens || !s->reasoning) enter(s, opens, s->held.size);
  return true;
}

bool rt_reasoning_finish(rt_reasoning *s, rt_bytes *reasoning, rt_bytes *answer) {
  if (!clean(s, true) || !settle(s, reasoning, answer)) return false;
  size_t n = s->reasoning ? without_trailing_white(s->held.data, s->held.size) : s->held.size;
  return release(s, n, s->reasoning ? reasoning : answer);
}
