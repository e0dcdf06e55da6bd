/* reasoning.h - the bytes of an answer, as they come, to clean text in two sections: reasoning and answer.
 *
 * Text that comes out is whole UTF-8 characters; bytes that are none become U+FFFD, one for each maximal subpart. The tags stand in neither
 * section. Where a vocabulary has single tokens for them, the caller announces these with rt_reasoning_tag; else (match_text) they are
 * found in the text, across the borders of pieces: the closing tag anywhere in the reasoning, the opening tag only as the first thing that
 * an answer says, so that an answer may talk about "<think>". White space: none directly after a tag, none at the end of the reasoning; an
 * answer without tags is left as it is.
 */
#ifndef RT_REASONING_H
#define RT_REASONING_H

#include "../base/bytes.h"

typedef struct rt_reasoning {
  const retort_platform *platform;
  bool match_text;
  bool reasoning; /* the section that text goes to now */
  bool trim;      /* white space is being dropped after a tag */
  bool may_open;  /* match_text: the answer has not said anything yet */
  bool seen;      /* there was reasoning, in the answer or begun in the prompt */
  rt_bytes raw;   /* 0 to 3 bytes of a character that is not complete */
  rt_bytes held;  /* clean text whose section or worth is not decided: white space, parts of tags */
} rt_reasoning;

/* Starts over, for an answer to a prompt whose last turn ends with `tail`: text that may open the reasoning, or open and close it. */
void rt_reasoning_begin(rt_reasoning *s, const retort_platform *platform, bool match_text, const char *tail, size_t size);

/* Each appends what becomes due to `reasoning` and `answer`. false: no memory; the splitter can only be closed. */
bool rt_reasoning_feed(rt_reasoning *s, const void *piece, size_t size, rt_bytes *reasoning, rt_bytes *answer);
/* A closing tag outside of reasoning parts what is said before it from what comes. */
bool rt_reasoning_tag(rt_reasoning *s, bool opens, rt_bytes *reasoning, rt_bytes *answer);
bool rt_reasoning_finish(rt_reasoning *s, rt_bytes *reasoning, rt_bytes *answer);
void rt_reasoning_close(rt_reasoning *s);

#endif
