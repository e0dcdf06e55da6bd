/* lexer.h - the tokens of a template, one at a time. */
#ifndef RT_TEMPLATE_LEXER_H
#define RT_TEMPLATE_LEXER_H

#include "tree.h"

typedef enum jtoken_kind {
  TOKEN_END,
  TOKEN_DATA,
  TOKEN_PRINT_BEGIN,
  TOKEN_PRINT_END,
  TOKEN_BLOCK_BEGIN,
  TOKEN_BLOCK_END,
  TOKEN_NAME,
  TOKEN_STRING,
  TOKEN_NUMBER,
  TOKEN_OP
} jtoken_kind;

typedef struct jtoken {
  jtoken_kind kind;
  int op; /* a character or joperator */
  uint32_t at;
  const char *bytes; /* data, names, strings (unescaped) */
  size_t size;
  jvalue number;
} jtoken;

typedef struct jlexer {
  jrun *run;
  const char *source; /* newlines normalised, final one removed */
  uint32_t size, at;
  enum { IN_DATA, IN_PRINT, IN_BLOCK } state;
  bool line_starting;
  unsigned open; /* brackets */
  char closers[64];
} jlexer;

bool rtj_lex_begin(jlexer *lexer, jrun *run, const char *source, size_t size);
bool rtj_lex(jlexer *lexer, jtoken *token);

#endif
