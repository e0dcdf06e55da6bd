/* tokenize_driver.c - tokenises many texts in one process, for comparisons with other tokenizers.
 *
 *     tokenize_driver MODEL.gguf FLAGS [ids]
 *
 * From stdin: for each text a little-endian u32 of bytes, then the bytes. To stdout: for each text a u32 of ids, then the ids as u32.
 * With "ids" it goes the other way: for each list of ids, the bytes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retort.h"

static void *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  void *bytes = malloc(*size + 1);
  if (bytes && fread(bytes, 1, *size, file) != *size) {
    free(bytes);
    bytes = NULL;
  }
  fclose(file);
  return bytes;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  size_t size = 0;
  retort_buffer buffer = {.struct_size = sizeof buffer, .data = read_file(argv[1], &size), .size = size, .name = argv[1]};
  uint32_t flags = (uint32_t)strtoul(argv[2], NULL, 0), length;
  int backwards = argc > 3 && strcmp(argv[3], "ids") == 0;
  retort_gguf *gguf = NULL;
  retort_vocab *vocab = NULL;
  retort_error error = {0};
  if (!buffer.data || retort_gguf_open(NULL, &buffer, 1, RETORT_GGUF_METADATA_ONLY, &gguf, &error) ||
      retort_vocab_open(NULL, gguf, &vocab, &error)) {
    fprintf(stderr, "%s: %s\n", argv[1], buffer.data ? error.message : "cannot be read");
    return 1;
  }
  size_t room = 1 << 20, n;
  uint8_t *in = malloc(room * 4), *out = malloc(room * 4);
  if (!in || !out) return 1;
  while (fread(&length, 4, 1, stdin) == 1) {
    size_t bytes = backwards ? (size_t)length * 4 : length;
    if (bytes + 16 > room) {
      room = bytes * 4 + 16;
      in = realloc(in, room * 4);
      out = realloc(out, room * 4);
      if (!in || !out) return 1;
    }
    if (fread(in, 1, bytes, stdin) != bytes) return 1;
    retort_status status = backwards ? retort_detokenize(vocab, (int32_t *)(void *)in, length, flags, (char *)out, room * 4, &n, &error)
                                     : retort_tokenize(vocab, (char *)in, bytes, flags, (int32_t *)(void *)out, room, &n, &error);
    if (status) {
      fprintf(stderr, "%s\n", error.message);
      return 1;
    }
    length = (uint32_t)n;
    fwrite(&length, 4, 1, stdout);
    fwrite(out, backwards ? 1 : 4, n, stdout);
  }
  free(in);
  free(out);
  retort_vocab_close(vocab);
  retort_gguf_close(gguf);
  free((void *)buffer.data);
  return 0;
}
