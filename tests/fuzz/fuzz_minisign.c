/* fuzz_minisign.c - libFuzzer target: any bytes as each of minisign's and signify's files. What is accepted must survive being written and
 * read again. */
#include <stdio.h>
#include <string.h>

#include "trust/minisign.h"
#include "target.h"

static void check(bool holds) {
  if (!holds) __builtin_trap();
}

void fuzz_one(const uint8_t *data, size_t size) {
  rt_minisign_key key = {0}, key_again;
  rt_minisign_secret secret, secret_again;
  rt_minisign_signature s = {0};
  char text[RT_MINISIGN_MAX];
  size_t length;
  if (rt_minisign_parse_key(data, size, "fuzz", &key, NULL) == RETORT_OK) {
    check(rt_minisign_write_key(&key, text, sizeof text, &length, NULL) == RETORT_OK);
    check(rt_minisign_parse_key(text, length, "again", &key_again, NULL) == RETORT_OK && memcmp(&key, &key_again, sizeof key) == 0);
  }
  if (rt_minisign_parse_secret(data, size, NULL, "fuzz", &secret, NULL) == RETORT_OK) {
    check(rt_minisign_write_secret(&secret, NULL, NULL, text, sizeof text, &length, NULL) == RETORT_OK);
    check(rt_minisign_parse_secret(text, length, NULL, "again", &secret_again, NULL) == RETORT_OK &&
          memcmp(&secret, &secret_again, sizeof secret) == 0);
  }
  if (rt_minisign_parse_signature(data, size, "fuzz", &s, NULL) == RETORT_OK) {
    check(s.trusted == s.prehashed &&
          (!s.trusted || (s.comment >= (const char *)data && s.comment + s.comment_size <= (const char *)data + size)));
    memcpy(key.id, s.id, 8); /* so that the signature itself is looked at, and not only whose it says it is */
    check(rt_minisign_verify(&s, &key, 1, "nobody signed this", 18, "fuzz", NULL) != RETORT_OK);
  }
}
