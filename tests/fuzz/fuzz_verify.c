/* fuzz_verify.c - models signed here, then fed to a verifier as the input says: it ends well only where every byte that was signed was fed
 * as it is.
 *
 * The signatures are real, by a key that the target makes, so this is what lies behind them: names, sizes, chunk lists, the order of
 * feeding.
 */
#include <stdlib.h>
#include <string.h>

#include "target.h"

enum { FILES = 3, CHUNK = 65536, MOST_BYTES = 3 * CHUNK };

typedef struct signed_model {
  uint8_t *bytes[FILES];
  size_t size[FILES];
  size_t n_files;
  char *signature;
  size_t signature_size;
  uint8_t *chunks[FILES];
  size_t chunks_size[FILES];
} signed_model;

static char public_key[RETORT_KEY_TEXT_SIZE];
static const char *const names[FILES] = {"a.gguf", "b/c.gguf", "config.json"};

static void *copy(const void *bytes, size_t size) {
  void *memory = malloc(size + 1);
  if (!memory) abort();
  if (size) memcpy(memory, bytes, size);
  return memory;
}

/* Signs `n_files` files of the given sizes. */
static signed_model sign(size_t n_files, const size_t *sizes) {
  static const uint8_t random[96] = {1, 2, 3};
  static char secret_key[RETORT_KEY_TEXT_SIZE];
  signed_model m = {.n_files = n_files};
  retort_signer *signer;
  retort_signer_options o;
  const char *text;
  retort_verdict verdict = {.struct_size = sizeof verdict};
  if (!public_key[0] && retort_keygen(NULL, RETORT_KEY_P256, random, NULL, secret_key, public_key, NULL)) abort();
  retort_buffer key = {sizeof key, secret_key, strlen(secret_key), "key"};
  retort_signer_options_init(&o, sizeof o);
  o.method = RETORT_TRUST_KEY;
  o.chunk_size = CHUNK;
  o.secret_key = &key;
  o.model_name = "model";
  o.random[0] = 9;
  if (retort_signer_open(NULL, &o, &signer, NULL)) abort();
  for (size_t i = 0; i < n_files; i++) {
    m.size[i] = sizes[i];
    m.bytes[i] = malloc(sizes[i] + 1);
    if (!m.bytes[i]) abort();
    for (size_t k = 0; k < sizes[i]; k++) m.bytes[i][k] = (uint8_t)(k * 7 + k / 251 + i);
    if (retort_signer_add_file(signer, names[i], sizes[i], NULL) || retort_signer_feed(signer, m.bytes[i], sizes[i], NULL)) abort();
  }
  if (retort_signer_finish(signer, &text, &m.signature_size, &verdict, NULL)) abort();
  m.signature = copy(text, m.signature_size);
  for (size_t i = 0; i < n_files; i++) {
    const void *list;
    if (retort_signer_chunks(signer, i, &list, &m.chunks_size[i], NULL)) abort();
    m.chunks[i] = copy(list, m.chunks_size[i]);
  }
  retort_signer_close(signer);
  return m;
}

/* One of a few models, kept for the life of the process: signing is what costs here. */
static const signed_model *model(uint32_t which) {
  static const size_t sizes[][FILES] = {{100, 0, 0}, {MOST_BYTES, 0, 0}, {CHUNK, 5, 0}, {0, CHUNK + 1, 20}, {2 * CHUNK, 2 * CHUNK - 1, 3}};
  static const size_t n_files[] = {1, 1, 2, 3, 3};
  static signed_model kept[RT_COUNT(sizes)];
  which %= RT_COUNT(sizes);
  if (!kept[which].signature) kept[which] = sign(n_files[which], sizes[which]);
  return &kept[which];
}

/* How far each file was fed with its own bytes: one flag a piece of 1 KiB. */
typedef struct progress {
  uint8_t fed[FILES][MOST_BYTES / 1024 + 1];
  bool wrong; /* bytes were fed that nobody signed */
} progress;

static void feed(retort_verifier *v, const signed_model *m, fuzz_input *in, progress *p) {
  size_t file = fuzz_byte(in) % m->n_files;
  const uint64_t chunk = retort_verifier_chunk_size(v, file), unit = chunk ? chunk : 1024;
  uint64_t from = fuzz_byte(in) % 16 * unit, size = (fuzz_byte(in) % 5 + 1) * unit;
  const uint32_t spoil = fuzz_byte(in);
  if (spoil % 16 == 1) from++;
  if (from > m->size[file]) from = m->size[file];
  if (size > m->size[file] - from) size = m->size[file] - from;
  uint8_t *bytes = copy(m->bytes[file] + from, (size_t)size);
  const bool changed = size && spoil % 16 == 2;
  if (changed) bytes[spoil / 16 * 97 % size] ^= 1;
  retort_status status = retort_verifier_feed(v, file, from, bytes, (size_t)size, NULL);
  free(bytes);
  if (status) return;
  p->wrong = p->wrong || changed;
  for (uint64_t at = from; at < from + size; at += 1024) p->fed[file][at / 1024] = 1;
}

static bool all_fed(const signed_model *m, const progress *p) {
  for (size_t i = 0; i < m->n_files; i++)
    for (size_t at = 0; at < m->size[i]; at += 1024)
      if (!p->fed[i][at / 1024]) return false;
  return true;
}

/* The files as the caller describes them: as they were signed, or with a lie. */
static bool describe(const signed_model *m, fuzz_input *in, retort_trust_file *files, uint8_t **lists) {
  bool lied = false;
  for (size_t i = 0; i < m->n_files; i++) {
    const uint32_t lie = fuzz_byte(in) % 8;
    files[i] = (retort_trust_file){.struct_size = sizeof *files, .name = names[i], .size = m->size[i]};
    lists[i] = copy(m->chunks[i], m->chunks_size[i]);
    if (lie == 1) files[i].name = names[(i + 1) % FILES];
    if (lie == 2) files[i].size += fuzz_number(in);
    if (lie == 3 && m->chunks_size[i]) lists[i][fuzz_number(in) % m->chunks_size[i]] ^= 4;
    if (lie != 4) files[i].chunks = lists[i], files[i].chunks_size = m->chunks_size[i];
    if (lie == 5 && files[i].chunks_size) files[i].chunks_size -= 1 + fuzz_byte(in) % files[i].chunks_size;
    lied = lied || lie == 1 || files[i].size != m->size[i];
  }
  return lied;
}

void fuzz_one(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  const signed_model *m = model(fuzz_byte(&in));
  retort_trust_policy policy;
  retort_trust_file files[FILES];
  uint8_t *lists[FILES] = {0};
  progress p = {0};
  retort_verifier *v = NULL;
  retort_verdict verdict = {.struct_size = sizeof verdict};
  retort_trust_policy_init(&policy, sizeof policy);
  policy.method = RETORT_TRUST_KEY;
  policy.flags = fuzz_byte(&in) % 2 ? RETORT_TRUST_COMPLETE : 0;
  retort_buffer anchor = {sizeof anchor, public_key, strlen(public_key), "key.pub"},
                signature = {sizeof signature, m->signature, m->signature_size, "sig"};
  policy.anchors = &anchor;
  policy.n_anchors = 1;
  p.wrong = describe(m, &in, files, lists);
  if (retort_verifier_open(NULL, &policy, &signature, 1, files, m->n_files, &v, NULL) == RETORT_OK) {
    while (in.size) feed(v, m, &in, &p);
    for (size_t i = 0; i < m->n_files; i++)
      if (retort_verifier_prefix(v, i) > m->size[i]) abort();
    if (retort_verifier_finish(v, &verdict, NULL) == RETORT_OK && (p.wrong || !all_fed(m, &p))) abort();
  }
  retort_verifier_close(v);
  for (size_t i = 0; i < m->n_files; i++) free(lists[i]);
}
