/* trust_vectors.h - reading files for the trust tests. */
#ifndef TRUST_VECTORS_H
#define TRUST_VECTORS_H

#include <stdio.h>
#include <stdlib.h>

/* The whole file, NUL-terminated, for free(); NULL where there is none. */
static inline char *read_whole_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  fseek(file, 0, SEEK_END);
  long n = ftell(file);
  rewind(file);
  char *text = n >= 0 ? malloc((size_t)n + 1) : NULL;
  *size = text ? fread(text, 1, (size_t)n, file) : 0;
  if (text) text[*size] = 0;
  fclose(file);
  return text;
}

#endif
