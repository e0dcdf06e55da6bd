/* fuzz_tokenize.c - hostile vocabularies, and any bytes as text.
 *
 * An input that begins as a GGUF file is opened as a vocabulary and used. Any other is text for a vocabulary of bytes alone, in every
 * splitting: there what comes back from the ids must be the text itself, repaired, and normalised where the family does so.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "gguf/writer.h"
#include "text/unicode.h"
#include "text/vocab.h"
#include "target.h"

static const char *const splittings[] = {"gpt-2", "smollm", "llama-bpe", "qwen2", "deepseek-v3", "deepseek-llm", "deepseek-coder"};
enum { N = RT_COUNT(splittings), SPECIAL = RETORT_TOKENIZE_SPECIAL, ADD_BOS = RETORT_TOKENIZE_ADD_BOS };

/* Kept for the life of the process, and reachable, or the leak checker would complain. */
static struct {
  rt_gguf_writer writer;
  retort_gguf *gguf;
  retort_vocab *vocab;
} kept[N];

static void make_vocab(size_t index) {
  static char texts[256][8];
  rt_string tokens[257], merges[1] = {{"a b", 3}};
  rt_gguf_writer *w = &kept[index].writer;
  const uint8_t *file;
  size_t size;
  uint32_t next = 256;
  for (uint32_t b = 0; b < 256; b++) {
    bool plain = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    tokens[b] = (rt_string){texts[b], rt_utf8_encode(plain ? b : next++, (uint8_t *)texts[b])};
  }
  tokens[256] = (rt_string){"ab", 2};
  rt_gguf_put_string(w, "tokenizer.ggml.model", "gpt2");
  rt_gguf_put_string(w, "tokenizer.ggml.pre", splittings[index]);
  rt_gguf_put_strings(w, "tokenizer.ggml.tokens", true, tokens, 257);
  rt_gguf_put_strings(w, "tokenizer.ggml.merges", true, merges, 1);
  if (rt_gguf_finish(w, &file, &size, NULL)) abort();
  retort_buffer buffer = {sizeof(retort_buffer), file, size, NULL};
  if (retort_gguf_open(NULL, &buffer, 1, 0, &kept[index].gguf, NULL) || retort_vocab_open(NULL, kept[index].gguf, &kept[index].vocab, NULL))
    abort();
}

static void try_vocabulary(const uint8_t *data, size_t size) {
  retort_buffer buffer = {sizeof(retort_buffer), data, size, NULL};
  retort_gguf *gguf;
  retort_vocab *vocab;
  if (retort_gguf_open(NULL, &buffer, 1, RETORT_GGUF_METADATA_ONLY, &gguf, NULL)) return;
  if (retort_vocab_open(NULL, gguf, &vocab, NULL) == RETORT_OK) {
    static const char text[] = "<s>hello hello abab.12 \xc3\xa9 e\xcc\x81<think>\n\n</think></s>\xff";
    int32_t ids[128];
    char back[4096];
    size_t count, bytes;
    retort_status status = retort_tokenize(vocab, text, sizeof text - 1, SPECIAL | ADD_BOS, ids, 128, &count, NULL);
    if (status) abort();
    if (retort_detokenize(vocab, ids, count, SPECIAL, back, sizeof back, &bytes, NULL) == RETORT_OK && bytes > sizeof back) abort();
    for (int32_t id = -1; id < 64; id++) rt_vocab_is_unused(vocab, id);
    retort_vocab_close(vocab);
  }
  retort_gguf_close(gguf);
}

static void try_text(const retort_vocab *vocab, bool nfc, const uint8_t *data, size_t size) {
  size_t n = 0, count, bytes, n_normal, capacity;
  uint8_t *repaired = malloc(size * 3 + 4);
  char *back = malloc(size * 9 + 4);
  int32_t *ids = malloc((size * 9 + 4) * sizeof *ids);
  const uint8_t *normal;
  if (!repaired || !back || !ids) abort();
  for (size_t i = 0; i < size;) {
    uint32_t cp;
    i += rt_utf8_decode(data + i, size - i, &cp);
    n += rt_utf8_encode(cp == RT_UTF8_INVALID ? RT_REPLACEMENT : cp, repaired + n);
  }
  if (!rt_nfc(NULL, repaired, n, &normal, &n_normal, &capacity)) abort();
  rt_text_span span = {size / 3, size / 3};
  if (rt_tokenize_spans(vocab, (const char *)data, size, &span, 1, SPECIAL, ids, size * 9 + 4, &count, NULL)) abort();
  if (retort_detokenize(vocab, ids, count, 0, back, size * 9 + 4, &bytes, NULL)) abort();
  if (nfc ? bytes != n_normal || memcmp(back, normal, bytes) : bytes != n || memcmp(back, repaired, bytes)) abort();
  const uint8_t *again;
  size_t n_again, capacity_again;
  if (!rt_nfc(NULL, normal, n_normal, &again, &n_again, &capacity_again)) abort();
  if (n_again != n_normal || memcmp(again, normal, n_again)) abort(); /* normalising twice changes nothing */
  if (capacity_again) rt_free(NULL, (void *)again, capacity_again);
  if (capacity) rt_free(NULL, (void *)normal, capacity);
  free(repaired);
  free(back);
  free(ids);
}

void fuzz_one(const uint8_t *data, size_t size) {
  if (size >= 4 && memcmp(data, "GGUF", 4) == 0) {
    try_vocabulary(data, size);
    return;
  }
  for (size_t i = 0; i < N; i++) {
    if (!kept[i].vocab) make_vocab(i);
    try_text(kept[i].vocab, strcmp(splittings[i], "qwen2") == 0, data, size);
  }
}
