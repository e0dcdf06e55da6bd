/* tokenizer.h - the seam between a vocabulary and the algorithm that cuts text into its tokens.
 *
 * The vocabulary (vocab.c) owns the tokens, cuts special ones out of a text, repairs ill-formed UTF-8 and puts BOS in front. What is left,
 * the fragments between special tokens, goes to the tokenizer that tokenizer.ggml.model names: it normalises, splits and looks up, and it
 * alone knows how a token's text spells bytes. A further algorithm is one file and one line in the table of tokenizer.c; what it needs
 * beyond the tokens (merges, scores, a map of characters) it reads from the file when it opens.
 */
#ifndef RT_TOKENIZER_H
#define RT_TOKENIZER_H

#include "encoder.h"
#include "tokens.h"

/* Text between two special tokens: not empty, well-formed UTF-8. A struct, so that what a tokenizer must know of its place (SentencePiece:
 * whether it begins the text and is to get a space in front) has where to stand. */
typedef struct rt_fragment {
  const uint8_t *text;
  size_t size;
} rt_fragment;

/* What every tokenizer's own struct begins with. */
typedef struct rt_tokenizer {
  const struct rt_tokenizer_kind *kind;
  const rt_tokens *tokens;
  bool add_bos; /* where the file does not say */
} rt_tokenizer;

typedef struct rt_tokenizer_kind {
  const char *model; /* value of tokenizer.ggml.model */
  const char *name;  /* in words */
  /* Checks and indexes. What stays is in `arena`; `tokens` must stay too. */
  retort_status (*open)(const rt_tokens *tokens, const retort_gguf *gguf, rt_arena *arena, rt_arena *temporary, rt_tokenizer **out,
                        retort_error *error);
  /* Appends the tokens of one fragment. */
  retort_status (*encode_fragment)(const rt_tokenizer *tokenizer, rt_encoder *encoder, rt_fragment fragment);
  /* The bytes that a token stands for, which is none of the special ones. Writes at most `capacity` and returns how many there are. */
  size_t (*decode_token)(const rt_tokenizer *tokenizer, int32_t id, uint8_t *out, size_t capacity);
} rt_tokenizer_kind;

/* The kind that tokenizer.ggml.model names; an error that lists those there are. */
retort_status rt_tokenizer_find(const char *model, const rt_tokenizer_kind **kind, retort_error *error);

extern const rt_tokenizer_kind rt_byte_bpe; /* byte_bpe.c */

#endif
