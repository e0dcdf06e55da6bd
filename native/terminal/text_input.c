/* text_input.c - text and token ids from arguments, standard input and files. */
#include "text_input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool text_append(text_buffer *text, const char *bytes, size_t size) {
  if (text->size + size + 1 > text->capacity) {
    size_t capacity = (text->size + size + 1) * 2;
    char *grown = realloc(text->bytes, capacity);
    if (!grown) return false;
    text->bytes = grown;
    text->capacity = capacity;
  }
  if (size) memcpy(text->bytes + text->size, bytes, size);
  text->size += size;
  text->bytes[text->size] = 0;
  return true;
}

int read_stream(FILE *file, bool json, text_buffer *text) {
  char block[65536];
  bool ok = text_append(text, "", 0);
  for (size_t n; ok; ok = text_append(text, block, n)) {
    n = fread(block, 1, sizeof block, file);
    if (n > 0) continue;
    if (!ferror(file) || errno != EAGAIN || interrupted()) break;
    clearerr(file); /* whoever gave us this pipe does not want to wait; we do */
    poll(&(struct pollfd){.fd = fileno(file), .events = POLLIN}, 1, -1);
  }
  if (interrupted()) return fail(json, EXIT_INTERRUPTED, "interrupted");
  if (!ok) return fail(json, EXIT_MEMORY, "out of memory for the input");
  if (ferror(file)) return fail(json, EXIT_RUNTIME, "cannot read the input: %s", strerror(errno));
  return EXIT_OK;
}

int read_text_file(const char *path, bool json, text_buffer *text) {
  if (strcmp(path, "-") == 0) return read_stream(stdin, json, text);
  FILE *file = fopen(path, "rb");
  if (!file) return fail(json, EXIT_RUNTIME, "cannot open %s: %s", path, strerror(errno));
  int code = read_stream(file, json, text);
  fclose(file);
  return code;
}

int read_short_file(int descriptor, const char *path, size_t most, bool json, text_buffer *text) {
  char block[65536];
  ssize_t n = 0;
  bool ok = text_append(text, "", 0);
  while (ok && text->size <= most && ((n = read(descriptor, block, sizeof block)) > 0 || (n < 0 && errno == EINTR && !interrupted())))
    if (n > 0) ok = text_append(text, block, (size_t)n);
  int reason = errno;
  close(descriptor);
  if (interrupted()) return fail(json, EXIT_INTERRUPTED, "interrupted");
  if (!ok) return fail(json, EXIT_MEMORY, "out of memory for %s", path);
  if (text->size > most) return fail(json, EXIT_TRUST, "%s is larger than the %zu bytes that such a file may have; refused", path, most);
  if (n < 0) return fail(json, EXIT_RUNTIME, "cannot read %s: %s", path, strerror(reason));
  return EXIT_OK;
}

int join_arguments(const options *o, text_buffer *text) {
  bool ok = true;
  for (int i = 0; i < o->n_arguments; i++)
    ok = ok && text_append(text, " ", i > 0) && text_append(text, o->arguments[i], strlen(o->arguments[i]));
  return ok ? EXIT_OK : fail(o->json, EXIT_MEMORY, "out of memory for the input");
}

int parse_ids(const char *text, uint32_t n_vocab, bool json, int32_t **ids, size_t *count) {
  size_t capacity = strlen(text) / 2 + 1;
  *count = 0;
  *ids = malloc(capacity * sizeof **ids);
  if (!*ids) return fail(json, EXIT_MEMORY, "out of memory for the input");
  for (const char *p = text; *(p += strspn(p, " \t\r\n,[]"));) {
    char *end;
    unsigned long id = strtoul(p, &end, 10);
    if (*p < '0' || *p > '9' || (*end && !strchr(" \t\r\n,[]", *end)) || id >= n_vocab) {
      int length = (int)strcspn(p, " \t\r\n,[]");
      free(*ids);
      *ids = NULL;
      return fail(json, EXIT_USAGE, "'%.*s' is not a token id; the vocabulary has the ids 0 to %u", length > 40 ? 40 : length, p,
                  n_vocab - 1);
    }
    (*ids)[(*count)++] = (int32_t)id;
    p = end;
  }
  return EXIT_OK;
}
