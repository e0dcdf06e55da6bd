/* minisign.c - see minisign.h. */
#include "minisign.h"

#include <stdio.h>
#include <string.h>

#include "encoding.h"
#include "sodium.h"

static const char UNTRUSTED[] = "untrusted comment: ", TRUSTED[] = "trusted comment: ";

typedef struct line {
  const char *text;
  size_t size;
} line;

/* Splits into lines ended by "\n" or "\r\n" (the last end may be missing); returns how many there are, at most `most` + 1. */
static size_t split(const char *text, size_t size, line *lines, size_t most) {
  size_t n = 0;
  for (size_t start = 0; start < size; n++) {
    const char *end = memchr(text + start, '\n', size - start);
    size_t length = end ? (size_t)(end - text) - start : size - start;
    if (n == most) return most + 1;
    lines[n] = (line){text + start, length};
    if (length && text[start + length - 1] == '\r') lines[n].size--;
    start += length + 1;
  }
  return n;
}

static bool begins(line l, const char *prefix) { return l.size >= strlen(prefix) && memcmp(l.text, prefix, strlen(prefix)) == 0; }

/* A base64 line of exactly `size` bytes. */
static bool blob(line l, uint8_t *out, size_t size) {
  size_t n;
  return l.size == (size + 2) / 3 * 4 && rt_base64_decode(l.text, l.size, out, &n) && n == size;
}

retort_status rt_minisign_parse_key(const void *text, size_t size, const char *name, rt_minisign_key *out, retort_error *error) {
  line lines[2];
  uint8_t b[48];
  size_t n = size <= RT_MINISIGN_MAX ? split(text, size, lines, 2) : 0;
  bool ok = n == 1 || (n == 2 && begins(lines[0], UNTRUSTED) && rt_text_is_printable(lines[0].text, lines[0].size, true));
  if (!ok || !blob(lines[n - 1], b, 42) || memcmp(b, "Ed", 2) != 0)
    return rt_fail(error, RETORT_ERROR_FORMAT,
                   "%s: not a minisign or signify public key (an untrusted comment and a base64 line of 56 characters)", name);
  memcpy(out->id, b + 2, 8);
  memcpy(out->key, b + 10, 32);
  return RETORT_OK;
}

retort_status rt_minisign_parse_signature(const void *text, size_t size, const char *name, rt_minisign_signature *out,
                                          retort_error *error) {
  line lines[4];
  uint8_t b[78], global[66];
  size_t n = size <= RT_MINISIGN_MAX ? split(text, size, lines, 4) : 0;
  bool ok = (n == 2 || n == 4) && begins(lines[0], UNTRUSTED) && rt_text_is_printable(lines[0].text, lines[0].size, true) &&
            blob(lines[1], b, 74);
  if (ok && n == 4) {
    size_t prefix = strlen(TRUSTED);
    ok = begins(lines[2], TRUSTED) && lines[2].size - prefix <= RT_MINISIGN_COMMENT_MAX && blob(lines[3], global, 64);
    if (ok && !rt_text_is_printable(lines[2].text, lines[2].size, true))
      return rt_fail(error, RETORT_ERROR_FORMAT, "%s: its trusted comment has control characters or broken UTF-8 in it", name);
    if (ok) {
      out->comment = lines[2].text + prefix;
      out->comment_size = lines[2].size - prefix;
      memcpy(out->global, global, 64);
    }
  }
  ok = ok && b[0] == 'E' && (b[1] == 'D' || b[1] == 'd');
  if (!ok) return rt_fail(error, RETORT_ERROR_FORMAT, "%s: not a minisign (four lines) or signify (two lines) signature", name);
  out->prehashed = b[1] == 'D';
  out->trusted = n == 4;
  memcpy(out->id, b + 2, 8);
  memcpy(out->signature, b + 10, 64);
  if (out->trusted != out->prehashed)
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "%s: %s", name,
                   out->trusted
                       ? "an old minisign signature over the whole file; sign again with minisign 0.10 or newer, which hashes first"
                       : "a prehashed signature without its trusted comment");
  return RETORT_OK;
}

void rt_minisign_id_text(const uint8_t id[8], char out[17]) { snprintf(out, 17, "%016llX", (unsigned long long)rt_load_u64(id)); }

retort_status rt_minisign_verify(const rt_minisign_signature *s, const rt_minisign_key *keys, size_t n_keys, const void *message,
                                 size_t size, const char *name, retort_error *error) {
  char id[17];
  rt_minisign_id_text(s->id, id);
  size_t k = 0;
  while (k < n_keys && memcmp(keys[k].id, s->id, 8) != 0) k++;
  if (k == n_keys)
    return rt_fail(error, RETORT_ERROR_TRUST, "%s: signed with the key %s, which is not among those that you trust", name, id);
  uint8_t both[64 + RT_MINISIGN_COMMENT_MAX];
  if (!rt_ed25519_verify(s->signature, message, size, keys[k].key))
    return rt_fail(error, RETORT_ERROR_TRUST,
                   "%s: the signature does not fit the file; one of them was changed, or the key %s is another one than yours", name, id);
  if (!s->trusted) return RETORT_OK;
  memcpy(both, s->signature, 64);
  memcpy(both + 64, s->comment, s->comment_size);
  if (!rt_ed25519_verify(s->global, both, 64 + s->comment_size, keys[k].key))
    return rt_fail(error, RETORT_ERROR_TRUST, "%s: its trusted comment was changed after it was signed", name);
  return RETORT_OK;
}

/* ---- secret keys: "Ed" kdf(2) "B2" salt(32) opslimit(8) memlimit(8) then, under the key stream, id(8) sk(64) checksum(32) ---- */

enum { SECRET_SIZE = 158, STREAM = 104 };

static void checksum(const uint8_t *secret, uint8_t out[32]) {
  rt_blake2b b;
  rt_blake2b_init(&b, 32);
  rt_blake2b_update(&b, "Ed", 2);
  rt_blake2b_update(&b, secret, 72);
  rt_blake2b_final(&b, out, 32);
}

static retort_status key_stream(const uint8_t *salt, uint64_t opslimit, uint64_t memlimit, const char *password, uint8_t stream[STREAM],
                                retort_error *error) {
  if (rt_scrypt(password, strlen(password), salt, opslimit, memlimit, stream, STREAM)) return RETORT_OK;
  return rt_fail_memory(error, memlimit, "the key's password (scrypt)");
}

retort_status rt_minisign_parse_secret(const void *text, size_t size, const char *password, const char *name, rt_minisign_secret *out,
                                       retort_error *error) {
  line lines[2];
  uint8_t b[162], stream[STREAM], sum[32];
  if (size > RT_MINISIGN_MAX || split(text, size, lines, 2) != 2 || !begins(lines[0], UNTRUSTED) || !blob(lines[1], b, SECRET_SIZE) ||
      memcmp(b, "Ed", 2) != 0 || memcmp(b + 4, "B2", 2) != 0)
    return rt_fail(error, RETORT_ERROR_FORMAT, "%s: not a minisign secret key", name);
  bool plain = b[2] == 0 && b[3] == 0;
  if (!plain && memcmp(b + 2, "Sc", 2) != 0)
    return rt_fail(error, RETORT_ERROR_UNSUPPORTED, "%s: an unknown way of protecting a minisign secret key", name);
  if (!plain && !password) return rt_fail(error, RETORT_ERROR_ARGUMENT, "%s: the secret key has a password; give it", name);
  if (!plain) {
    retort_status status = key_stream(b + 6, rt_load_u64(b + 38), rt_load_u64(b + 46), password, stream, error);
    if (status) return status;
    for (size_t i = 0; i < STREAM; i++) b[54 + i] ^= stream[i];
  }
  checksum(b + 54, sum);
  retort_status status = RETORT_OK;
  /* minisign writes a zero checksum into keys without a password. */
  static const uint8_t zero[32];
  if (memcmp(sum, b + 126, 32) != 0 && !(plain && memcmp(zero, b + 126, 32) == 0))
    status = rt_fail(error, RETORT_ERROR_TRUST, "%s: %s", name, plain ? "the secret key is damaged" : "wrong password for the secret key");
  if (!status) {
    memcpy(out->id, b + 54, 8);
    memcpy(out->key, b + 62, 64);
  }
  rt_wipe(b, sizeof b);
  rt_wipe(stream, sizeof stream);
  return status;
}

static retort_status finish(int n, size_t capacity, size_t *length, retort_error *error) {
  if (n < 0 || (size_t)n >= capacity) return rt_fail(error, RETORT_ERROR_BUFFER, "the text does not fit in the buffer");
  *length = (size_t)n;
  return RETORT_OK;
}

retort_status rt_minisign_write_key(const rt_minisign_key *key, char *buffer, size_t capacity, size_t *length, retort_error *error) {
  uint8_t b[42] = {'E', 'd'};
  char base64[57], id[17];
  memcpy(b + 2, key->id, 8);
  memcpy(b + 10, key->key, 32);
  rt_base64_encode(b, sizeof b, base64);
  rt_minisign_id_text(key->id, id);
  return finish(snprintf(buffer, capacity, "%sminisign public key %s\n%s\n", UNTRUSTED, id, base64), capacity, length, error);
}

retort_status rt_minisign_write_secret(const rt_minisign_secret *secret, const char *password, const uint8_t salt[32], char *buffer,
                                       size_t capacity, size_t *length, retort_error *error) {
  /* minisign's own limits: a gibibyte and about a second for whoever guesses. */
  const uint64_t opslimit = 33554432, memlimit = 1073741824;
  uint8_t b[SECRET_SIZE] = {'E', 'd', 0, 0, 'B', '2'}, stream[STREAM];
  char base64[(SECRET_SIZE + 2) / 3 * 4 + 1];
  memcpy(b + 54, secret->id, 8);
  memcpy(b + 62, secret->key, 64);
  checksum(b + 54, b + 126);
  if (password) {
    memcpy(b + 2, "Sc", 2);
    memcpy(b + 6, salt, 32);
    for (unsigned i = 0; i < 8; i++) {
      b[38 + i] = (uint8_t)(opslimit >> 8 * i);
      b[46 + i] = (uint8_t)(memlimit >> 8 * i);
    }
    retort_status status = key_stream(salt, opslimit, memlimit, password, stream, error);
    if (status) return status;
    for (size_t i = 0; i < STREAM; i++) b[54 + i] ^= stream[i];
    rt_wipe(stream, sizeof stream);
  }
  rt_base64_encode(b, sizeof b, base64);
  int n = snprintf(buffer, capacity, "%sminisign %s secret key\n%s\n", UNTRUSTED, password ? "encrypted" : "unencrypted", base64);
  rt_wipe(b, sizeof b);
  rt_wipe(base64, sizeof base64);
  return finish(n, capacity, length, error);
}

retort_status rt_minisign_write_signature(const rt_minisign_secret *secret, const uint8_t digest[64], const char *comment, char *buffer,
                                          size_t capacity, size_t *length, retort_error *error) {
  uint8_t b[74] = {'E', 'D'}, both[64 + RT_MINISIGN_COMMENT_MAX], global[64];
  char base64[101], global64[89];
  size_t n = strlen(comment);
  if (n > RT_MINISIGN_COMMENT_MAX || !rt_text_is_printable(comment, n, true))
    return rt_fail(error, RETORT_ERROR_ARGUMENT,
                   "the trusted comment is longer than %d bytes, or has control characters or broken UTF-8 in it", RT_MINISIGN_COMMENT_MAX);
  memcpy(b + 2, secret->id, 8);
  rt_ed25519_sign(secret->key, digest, 64, b + 10);
  memcpy(both, b + 10, 64);
  memcpy(both + 64, comment, n);
  rt_ed25519_sign(secret->key, both, 64 + n, global);
  rt_base64_encode(b, sizeof b, base64);
  rt_base64_encode(global, sizeof global, global64);
  return finish(snprintf(buffer, capacity, "%ssignature from retort\n%s\n%s%s\n%s\n", UNTRUSTED, base64, TRUSTED, comment, global64),
                capacity, length, error);
}
