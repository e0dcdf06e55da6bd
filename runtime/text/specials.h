/* specials.h - the tokens that stand for themselves and are cut out of a raw text before anything else: control tokens and user-defined
 * ones.
 *
 * Control tokens, and user-defined ones that look like them (<think> in many files), steer the model: text of a user never becomes them.
 * The other user-defined ones are words ("ö" in DeepSeek's vocabulary, runs of blanks), and are found in every text.
 */
#ifndef RT_SPECIALS_H
#define RT_SPECIALS_H

#include "tokens.h"

typedef struct rt_specials {
  struct rt_special *list; /* in order of their bytes */
  size_t count;
  uint8_t first_bytes[32], first_bytes_of_words[32]; /* bit set: bytes that one, or one that is a word, begins with */
} rt_specials;

/* Files without token types, or with wrong ones: what is spelled like a control token and stands in the chat template is made one. Returns
 * how many, and in *example one of them. `chat_template` may be NULL. */
uint32_t rt_specials_recognise(rt_tokens *tokens, const char *chat_template, int32_t *example);
retort_status rt_specials_open(rt_specials *specials, const rt_tokens *tokens, rt_arena *arena, retort_error *error);

/* Whether a match may begin with this byte. */
static inline bool rt_specials_may_begin(const rt_specials *specials, uint8_t byte, bool words_only) {
  return (words_only ? specials->first_bytes_of_words : specials->first_bytes)[byte >> 3] >> (byte & 7) & 1;
}
/* The longest one that `text` begins with, and its bytes; -1: none. One that steers must end within the first `own` bytes. */
int32_t rt_specials_match(const rt_specials *specials, const uint8_t *text, size_t size, size_t own, size_t *length);

#endif
