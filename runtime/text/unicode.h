/* unicode.h - what tokenising needs to know of Unicode: six classes of characters, and normalisation form C.
 *
 * Classes are those of Unicode 16.0, NFC is that of Unicode 9.0: each is what the reference tokenizers use, and equal token ids are the
 * goal (make_unicode.py has the details). Absent on purpose: case, scripts, other normalisation forms.
 */
#ifndef RT_UNICODE_H
#define RT_UNICODE_H

#include "../base/base.h"

/* General categories L*, N*, M*, P*, S*, and the property White_Space. No character is in two of them. */
typedef enum rt_class { RT_OTHER, RT_LETTER, RT_NUMBER, RT_MARK, RT_PUNCTUATION, RT_SYMBOL, RT_SPACE } rt_class;
rt_class rt_unicode_class(uint32_t cp);

/* NFC of well-formed UTF-8 (Unicode Standard Annex #15), in time proportional to `size`. *out is `text` itself where that is known to be
 * normalised already (*out_capacity is then 0), else memory of *out_capacity bytes for the caller to rt_free. False: no memory. */
bool rt_nfc(const retort_platform *platform, const uint8_t *text, size_t size, const uint8_t **out, size_t *out_size, size_t *out_capacity);

#endif
