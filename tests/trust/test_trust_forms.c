/* test_trust_forms.c - the small text forms that signatures travel in, read strictly: hex, base64, names, minisign's lines, chunk lists.
 *
 * Each line of a table is one rule: what is accepted, and its nearest neighbours that are not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trust/chunks.h"
#include "trust/encoding.h"
#include "trust/minisign.h"
#include "trust/sodium.h"

static void hex(void **state) {
  (void)state;
  uint8_t out[2];
  char text[5];
  assert_true(rt_hex_decode("00ff", 4, out, 2) && out[0] == 0 && out[1] == 255);
  assert_true(rt_hex_decode("9afd", 4, out, 2) && out[0] == 0x9a && out[1] == 0xfd);
  static const char *const bad[] = {"00fF", "Aaff", "00f", "00ff0", "00ff00", "00", "", "0x00", "00g0", "0/00", ":000", "`000", " 000"};
  for (size_t i = 0; i < RT_COUNT(bad); i++) assert_false(rt_hex_decode(bad[i], strlen(bad[i]), out, 2));
  rt_hex_encode((const uint8_t *)"\x9a\xfd", 2, text);
  assert_string_equal(text, "9afd");
}

static void base64(void **state) {
  (void)state;
  uint8_t out[300], bytes[200], back[300];
  char text[300];
  size_t n;
  static const struct {
    const char *text, *bytes;
  } good[] = {{"", ""},
              {"Zg==", "f"},
              {"Zm8=", "fo"},
              {"Zm9v", "foo"},
              {"Zm9vYg==", "foob"},
              {"+/+/", "\xfb\xff\xbf"},
              {"-_-_", "\xfb\xff\xbf"}}; /* RFC 4648, section 10 */
  for (size_t i = 0; i < RT_COUNT(good); i++) {
    assert_true(rt_base64_decode(good[i].text, strlen(good[i].text), out, &n));
    assert_int_equal(n, strlen(good[i].bytes));
    assert_memory_equal(out, good[i].bytes, n);
  }
  static const char *const bad[] = {
      "Zg=",   "Zg",     "Zm9",          "Z",    "Zg===", "Zh==", "Zm9=", "====", "Z===", "=Zg=", "Zg=a", "Zm9vZg==Zm9v", "Zm 9",
      "Zm9\n", "Zm9v\n", "Zg==\n\n\n\n", "Zm9.", "Zm9*",  "Zm9,", "Zm9@", "Zm9[", "Zm9`", "Zm9{", "Zm9:", "Zm\xc3\xa9"};
  for (size_t i = 0; i < RT_COUNT(bad); i++)
    if (rt_base64_decode(bad[i], strlen(bad[i]), out, &n)) fail_msg("\"%s\" was accepted", bad[i]);
  for (size_t size = 1; size < 8; size++)
    assert_true(rt_base64_decode("Zm9vZm9v", size, out, &n) == (size == 4)); /* the size counts, not what lies behind */
  for (size_t size = 0; size <= sizeof bytes; size++) {
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(i * 37 + size);
    rt_base64_encode(bytes, size, text);
    assert_true(rt_base64_decode(text, strlen(text), back, &n) && n == size && memcmp(back, bytes, size) == 0);
  }
}

static const char *const good_names[] = {"a",
                                         "a/b",
                                         ".hidden",
                                         "a/.hidden",
                                         "..a",
                                         "a..",
                                         "...",
                                         "a/...",
                                         "t\xc3\xa9l\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         "a b",
                                         "~",
                                         "\xef\xbf\xbd",
                                         "\xed\x9f\xbf",
                                         "\xf4\x8f\xbf\xbf"};
static const char *const bad_names[] = {"",
                                        "/",
                                        "/a",
                                        "a/",
                                        "a//b",
                                        ".",
                                        "..",
                                        "./a",
                                        "../a",
                                        "a/.",
                                        "a/..",
                                        "a/./b",
                                        "a/../b",
                                        "a\\b",
                                        "a\nb",
                                        "a\tb",
                                        "a\x7f",
                                        "a\x1f",
                                        "\x01",
                                        "\xc2\x80",
                                        "\xc2\x9f" /* C1 controls */,
                                        "\x80",
                                        "\xc3",
                                        "a\xc3",
                                        "\xc3(",
                                        "\xc0\xaf",
                                        "\xc1\xbf",
                                        "\xe0\x9f\xbf",
                                        "\xe0\x80\xaf",
                                        "\xe2\x82",
                                        "\xe2\x28\xa1",
                                        "\xed\xa0\x80" /* a surrogate */,
                                        "\xf0\x8f\xbf\xbf",
                                        "\xf0\x9f\x98",
                                        "\xf4\x90\x80\x80",
                                        "\xf5\x80\x80\x80",
                                        "\xff"};

static void names(void **state) {
  (void)state;
  for (size_t i = 0; i < RT_COUNT(good_names); i++)
    if (!rt_name_is_canonical(good_names[i], strlen(good_names[i]))) fail_msg("\"%s\" was refused", good_names[i]);
  for (size_t i = 0; i < RT_COUNT(bad_names); i++)
    if (rt_name_is_canonical(bad_names[i], strlen(bad_names[i]))) fail_msg("\"%s\" (%zu) was accepted", bad_names[i], i);
  assert_true(rt_name_is_canonical("\xc2\xa0", 2));
  assert_false(rt_name_is_canonical("a\0b", 3));
  char *lengthy = malloc(4097);
  memset(lengthy, 'a', 4097);
  assert_true(rt_name_is_canonical(lengthy, 4096));
  assert_false(rt_name_is_canonical(lengthy, 4097));
  free(lengthy);
  for (size_t n = 1; n < 4; n++) /* the size counts, not what lies behind */
    assert_true(rt_text_is_printable("\xf0\x9f\x98\x80", n, false) == false && rt_text_is_printable("\xe2\x82\xac", n, false) == (n == 3));
  assert_true(rt_text_is_printable("a\tb", 3, true) && !rt_text_is_printable("a\tb", 3, false) && !rt_text_is_printable("a\nb", 3, true));
}

/* As Python's datetime writes them. */
static void times(void **state) {
  (void)state;
  static const struct {
    int64_t seconds;
    const char *text;
  } cases[] = {{1, "1970-01-01 00:00 UTC"},
               {951782399, "2000-02-28 23:59 UTC"},
               {951782400, "2000-02-29 00:00 UTC"},
               {951868800, "2000-03-01 00:00 UTC"},
               {1709164800, "2024-02-29 00:00 UTC"},
               {1735689599, "2024-12-31 23:59 UTC"},
               {1735689600, "2025-01-01 00:00 UTC"},
               {4107542399, "2100-02-28 23:59 UTC"},
               {4107542400, "2100-03-01 00:00 UTC"},
               {253402300799, "9999-12-31 23:59 UTC"},
               {253402300800, ""},
               {0, ""},
               {-1, ""},
               {INT64_MAX, ""},
               {INT64_MIN, ""}};
  for (size_t i = 0; i < RT_COUNT(cases); i++) {
    char text[RT_UTC_TEXT];
    rt_utc_text(cases[i].seconds, text);
    assert_string_equal(text, cases[i].text);
    assert_int_equal(rt_time_is_plain(cases[i].seconds), *cases[i].text != 0);
  }
}

static void chunk_lists(void **state) {
  (void)state;
  uint8_t list[RT_CHUNKS_HEADER + 96];
  rt_chunks c;
  memset(list, 0, sizeof list);
  const uint64_t chunk = RT_CHUNK_DEFAULT;
  rt_chunks_write_header(chunk, 2 * chunk + 1, list);
  assert_int_equal(rt_chunks_parse(list, sizeof list, "list", &c, NULL), RETORT_OK);
  assert_true(c.chunk_size == chunk && c.file_size == 2 * chunk + 1 && c.count == 3 && c.hashes == list + RT_CHUNKS_HEADER);
  rt_chunks_write_header(chunk, 3 * chunk, list);
  assert_int_equal(rt_chunks_parse(list, sizeof list, "list", &c, NULL), RETORT_OK);
  for (size_t size = 0; size < sizeof list; size++) assert_int_equal(rt_chunks_parse(list, size, "list", &c, NULL), RETORT_ERROR_FORMAT);
  static const uint64_t sizes[] = {0, 2 * RT_CHUNK_DEFAULT, 3 * RT_CHUNK_DEFAULT + 1, UINT64_MAX, UINT64_MAX / 2};
  for (size_t i = 0; i < RT_COUNT(sizes); i++) {
    rt_chunks_write_header(chunk, sizes[i], list);
    assert_int_equal(rt_chunks_parse(list, sizeof list, "list", &c, NULL), RETORT_ERROR_FORMAT);
  }
  static const uint64_t chunk_sizes[] = {
      0, 1, RT_CHUNK_MIN / 2, RT_CHUNK_MIN - 1, RT_CHUNK_MIN + 1, 3 << 19, 2 * (uint64_t)RT_CHUNK_MAX, (uint64_t)1 << 63};
  for (size_t i = 0; i < RT_COUNT(chunk_sizes); i++) {
    assert_false(rt_chunk_size_ok(chunk_sizes[i]));
    rt_chunks_write_header(chunk_sizes[i], 3, list); /* with the right length, where one chunk would do */
    assert_int_equal(rt_chunks_parse(list, RT_CHUNKS_HEADER + 32, "list", &c, NULL), RETORT_ERROR_FORMAT);
  }
  assert_true(rt_chunk_size_ok(RT_CHUNK_MIN) && rt_chunk_size_ok(RT_CHUNK_MAX));
  rt_chunks_write_header(chunk, 3 * chunk, list);
  for (size_t at = 0; at < RT_CHUNKS_HEADER; at++) { /* every bit of the header says something */
    for (int bit = 0; bit < 8; bit++) {
      list[at] ^= (uint8_t)(1 << bit);
      bool same = rt_chunks_parse(list, sizeof list, "list", &c, NULL) == RETORT_OK && c.file_size == 3 * chunk && c.chunk_size == chunk;
      assert_false(same);
      list[at] ^= (uint8_t)(1 << bit);
    }
  }
}

/* ---- minisign ---- */

typedef struct artefacts {
  rt_minisign_secret secret;
  rt_minisign_key key;
  char key_text[200], secret_text[400], signature_text[600];
  size_t key_size, secret_size, signature_size;
  uint8_t digest[64];
} artefacts;

static void make(artefacts *a) {
  static const uint8_t seed[32] = {5};
  memset(a, 0, sizeof *a);
  rt_ed25519_keypair(seed, a->key.key, a->secret.key);
  memcpy(a->key.id, "ABCDEFGH", 8);
  memcpy(a->secret.id, "ABCDEFGH", 8);
  memset(a->digest, 9, sizeof a->digest);
  assert_int_equal(rt_minisign_write_key(&a->key, a->key_text, sizeof a->key_text, &a->key_size, NULL), RETORT_OK);
  assert_int_equal(rt_minisign_write_secret(&a->secret, NULL, NULL, a->secret_text, sizeof a->secret_text, &a->secret_size, NULL),
                   RETORT_OK);
  assert_int_equal(rt_minisign_write_signature(&a->secret, a->digest, "a comment", a->signature_text, sizeof a->signature_text,
                                               &a->signature_size, NULL),
                   RETORT_OK);
}

/* How a text of `a` is changed: lines are numbered from 0, `with` replaces the whole line. */
static char *with_line(const char *text, int line, const char *with) {
  char *out = malloc(strlen(text) + strlen(with) + 2);
  const char *from = text;
  for (int i = 0; i < line; i++) from = strchr(from, '\n') + 1;
  const char *rest = strchr(from, '\n');
  sprintf(out, "%.*s%s%s", (int)(from - text), text, with, rest);
  return out;
}

static retort_status parse_signature(const char *text, retort_error *error) {
  rt_minisign_signature s;
  return rt_minisign_parse_signature(text, strlen(text), "signature", &s, error);
}

static void minisign_signatures(void **state) {
  (void)state;
  artefacts a;
  make(&a);
  retort_error error;
  rt_minisign_signature s;
  assert_int_equal(rt_minisign_parse_signature(a.signature_text, a.signature_size, "s", &s, &error), RETORT_OK);
  assert_true(s.trusted && s.prehashed && s.comment_size == 9 && memcmp(s.comment, "a comment", 9) == 0);
  assert_int_equal(rt_minisign_verify(&s, &a.key, 1, a.digest, 64, "s", &error), RETORT_OK);
  static const struct {
    int line;
    const char *with;
  } bad[] = {{0, "trusted comment: x"},
             {0, "untrusted comment:x"},
             {0, ""},
             {0, "untrusted comment: \x1b[31m"},
             {0, "untrusted comment: \xc2\x9b"},
             {1, ""},
             {1, "QUJD"},
             {2, "untrusted comment: a comment"},
             {2, "a comment"},
             {2, "trusted comment: \x1b[31m"},
             {2, "trusted comment: \xff"},
             {3, ""},
             {3, "QUJD"},
             {3, "QUJD\nmore"}};
  for (size_t i = 0; i < RT_COUNT(bad); i++) {
    char *text = with_line(a.signature_text, bad[i].line, bad[i].with);
    if (parse_signature(text, &error) == RETORT_OK) fail_msg("line %d as \"%s\" was accepted", bad[i].line, bad[i].with);
    free(text);
  }
  char *text = with_line(a.signature_text, 0, "untrusted comment: \ttabs \xe2\x82\xac are fine");
  assert_int_equal(parse_signature(text, &error), RETORT_OK);
  free(text);
}

static void minisign_signatures_whole_and_cut(void **state) {
  (void)state;
  artefacts a;
  make(&a);
  retort_error error;
  rt_minisign_signature s;
  /* Line ends of Windows, and no line end at all behind the last line. */
  char crlf[900];
  size_t n = 0;
  for (size_t i = 0; i < a.signature_size; i++) {
    if (a.signature_text[i] == '\n') crlf[n++] = '\r';
    crlf[n++] = a.signature_text[i];
  }
  assert_int_equal(rt_minisign_parse_signature(crlf, n, "s", &s, &error), RETORT_OK);
  assert_int_equal(rt_minisign_verify(&s, &a.key, 1, a.digest, 64, "s", &error), RETORT_OK);
  assert_int_equal(rt_minisign_parse_signature(a.signature_text, a.signature_size - 1, "s", &s, &error), RETORT_OK);
  for (n = 0; n < a.signature_size - 1; n++) /* and nothing shorter */
    if (rt_minisign_parse_signature(a.signature_text, n, "s", &s, &error) == RETORT_OK && s.trusted &&
        rt_minisign_verify(&s, &a.key, 1, a.digest, 64, "s", &error) == RETORT_OK)
      fail_msg("the first %zu bytes were accepted", n);
}

static void minisign_signatures_of_any_length(void **state) {
  (void)state;
  artefacts a;
  make(&a);
  retort_error error;
  char small[900];
  size_t n;
  /* Five lines; too long a text. */
  snprintf(small, sizeof small, "%smore\n", a.signature_text);
  assert_int_equal(parse_signature(small, &error), RETORT_ERROR_FORMAT);
  char *lengthy = malloc(RT_MINISIGN_MAX + 100);
  memset(lengthy, 'x', RT_MINISIGN_MAX + 100);
  memcpy(lengthy, "untrusted comment: ", 19);
  strcpy(lengthy + RT_MINISIGN_MAX - strlen(strchr(a.signature_text, '\n')), strchr(a.signature_text, '\n'));
  assert_int_equal(strlen(lengthy), RT_MINISIGN_MAX);
  assert_int_equal(parse_signature(lengthy, &error), RETORT_OK);
  memmove(lengthy + 20, lengthy + 19, RT_MINISIGN_MAX - 18);
  assert_int_equal(parse_signature(lengthy, &error), RETORT_ERROR_FORMAT);
  free(lengthy);
  /* The comment's own limit: one more byte than can have been signed. */
  char *comment = malloc(RT_MINISIGN_COMMENT_MAX + 2), *large = malloc(RT_MINISIGN_MAX);
  memset(comment, 'c', RT_MINISIGN_COMMENT_MAX + 1);
  comment[RT_MINISIGN_COMMENT_MAX + 1] = 0;
  assert_int_equal(rt_minisign_write_signature(&a.secret, a.digest, comment, large, RT_MINISIGN_MAX, &n, &error), RETORT_ERROR_ARGUMENT);
  assert_int_equal(rt_minisign_write_signature(&a.secret, a.digest, comment + 1, large, RT_MINISIGN_MAX, &n, &error), RETORT_OK);
  assert_int_equal(parse_signature(large, &error), RETORT_OK);
  char *line = malloc(RT_MINISIGN_COMMENT_MAX + 30);
  sprintf(line, "trusted comment: %s", comment);
  char *text = with_line(large, 2, line);
  assert_int_equal(parse_signature(text, &error), RETORT_ERROR_FORMAT);
  free(text), free(line), free(comment), free(large);
  assert_int_equal(rt_minisign_write_signature(&a.secret, a.digest, "two\nlines", small, sizeof small, &n, &error), RETORT_ERROR_ARGUMENT);
  assert_int_equal(rt_minisign_write_signature(&a.secret, a.digest, "small", small, 20, &n, &error), RETORT_ERROR_BUFFER);
}

/* The algorithm's two letters decide what was signed; each other pair is refused, and so is each mixture of forms. */
static void minisign_algorithms(void **state) {
  (void)state;
  artefacts a;
  make(&a);
  retort_error error;
  uint8_t bytes[78];
  char line[105];
  size_t n;
  const char *from = strchr(a.signature_text, '\n') + 1;
  assert_true(rt_base64_decode(from, 100, bytes, &n) && n == 74);
  static const struct {
    const char *letters;
    retort_status four_lines, two_lines;
  } cases[] = {{"ED", RETORT_OK, RETORT_ERROR_UNSUPPORTED},
               {"Ed", RETORT_ERROR_UNSUPPORTED, RETORT_OK},
               {"eD", RETORT_ERROR_FORMAT, RETORT_ERROR_FORMAT},
               {"EE", RETORT_ERROR_FORMAT, RETORT_ERROR_FORMAT},
               {"DE", RETORT_ERROR_FORMAT, RETORT_ERROR_FORMAT}};
  for (size_t i = 0; i < RT_COUNT(cases); i++) {
    memcpy(bytes, cases[i].letters, 2);
    rt_base64_encode(bytes, 74, line);
    char *text = with_line(a.signature_text, 1, line);
    assert_int_equal(parse_signature(text, &error), cases[i].four_lines);
    *(strchr(strchr(text, '\n') + 1, '\n') + 1) = 0;
    assert_int_equal(parse_signature(text, &error), cases[i].two_lines);
    free(text);
  }
}

static void minisign_verifies_who_and_what(void **state) {
  (void)state;
  artefacts a;
  make(&a);
  retort_error error;
  rt_minisign_signature s;
  assert_int_equal(rt_minisign_parse_signature(a.signature_text, a.signature_size, "s", &s, &error), RETORT_OK);
  rt_minisign_key keys[2] = {a.key, a.key};
  keys[0].id[0] ^= 1;
  assert_int_equal(rt_minisign_verify(&s, keys, 1, a.digest, 64, "s", &error), RETORT_ERROR_TRUST); /* the right key under another id */
  assert_non_null(strstr(error.message, "not among"));
  assert_int_equal(rt_minisign_verify(&s, keys, 0, a.digest, 64, "s", &error), RETORT_ERROR_TRUST);
  assert_int_equal(rt_minisign_verify(&s, keys, 2, a.digest, 64, "s", &error), RETORT_OK);
  keys[1].key[0] ^= 1;
  assert_int_equal(rt_minisign_verify(&s, keys, 2, a.digest, 64, "s", &error), RETORT_ERROR_TRUST); /* another key under the right id */
  a.digest[0] ^= 1;
  assert_int_equal(rt_minisign_verify(&s, &a.key, 1, a.digest, 64, "s", &error), RETORT_ERROR_TRUST);
  a.digest[0] ^= 1;
  s.comment = "another a"; /* signed apart from the file */
  assert_int_equal(rt_minisign_verify(&s, &a.key, 1, a.digest, 64, "s", &error), RETORT_ERROR_TRUST);
  assert_non_null(strstr(error.message, "comment was changed"));
}

static void minisign_keys(void **state) {
  (void)state;
  artefacts a;
  make(&a);
  retort_error error;
  rt_minisign_key key;
  const char *line = strchr(a.key_text, '\n') + 1;
  assert_int_equal(rt_minisign_parse_key(a.key_text, a.key_size, "k", &key, &error), RETORT_OK);
  assert_memory_equal(&key, &a.key, sizeof key);
  assert_int_equal(rt_minisign_parse_key(line, strlen(line), "k", &key, &error), RETORT_OK); /* the short form */
  assert_int_equal(rt_minisign_parse_key(line, 56, "k", &key, &error), RETORT_OK);
  for (size_t n = 0; n < a.key_size - 1; n++)
    assert_int_equal(rt_minisign_parse_key(a.key_text, n, "k", &key, &error), RETORT_ERROR_FORMAT);
  char text[RT_MINISIGN_MAX + 200], other[60];
  uint8_t bytes[44];
  size_t n;
  static const char *const first_lines[] = {"comment", "", "untrusted comment: \x1b", "untrusted comment: \xff", "trusted comment: x"};
  for (size_t i = 0; i < RT_COUNT(first_lines); i++) {
    snprintf(text, sizeof text, "%s\n%s", first_lines[i], line);
    assert_int_equal(rt_minisign_parse_key(text, strlen(text), "k", &key, &error), RETORT_ERROR_FORMAT);
  }
  snprintf(text, sizeof text, "%smore\n", a.key_text);
  assert_int_equal(rt_minisign_parse_key(text, strlen(text), "k", &key, &error), RETORT_ERROR_FORMAT);
  assert_true(rt_base64_decode(line, 56, bytes, &n));
  for (int letter = 0; letter < 2; letter++) {
    bytes[letter] ^= 0x20;
    rt_base64_encode(bytes, 42, other);
    assert_int_equal(rt_minisign_parse_key(other, 56, "k", &key, &error), RETORT_ERROR_FORMAT);
    bytes[letter] ^= 0x20;
  }
  memset(text, 'x', sizeof text);
  memcpy(text, "untrusted comment: ", 19);
  memcpy(text + RT_MINISIGN_MAX - 57, "\n", 1);
  memcpy(text + RT_MINISIGN_MAX - 56, line, 56);
  assert_int_equal(rt_minisign_parse_key(text, RT_MINISIGN_MAX, "k", &key, &error), RETORT_OK);
  memmove(text + 20, text + 19, RT_MINISIGN_MAX - 19);
  assert_int_equal(rt_minisign_parse_key(text, RT_MINISIGN_MAX + 1, "k", &key, &error), RETORT_ERROR_FORMAT);
  assert_int_equal(rt_minisign_write_key(&a.key, text, 20, &n, &error), RETORT_ERROR_BUFFER);
}

/* The text of a secret key whose bytes are given. */
static void secret_text_of(const uint8_t *blob, size_t n, char text[static 300]) {
  char blob64[230];
  rt_base64_encode(blob, n, blob64);
  snprintf(text, 300, "untrusted comment: x\n%s\n", blob64);
}

/* The checksum of a secret key holds id and key together. */
static void minisign_secret_keys(void **state) {
  (void)state;
  artefacts a;
  make(&a);
  retort_error error;
  rt_minisign_secret secret;
  char text[300];
  size_t n;
  assert_int_equal(rt_minisign_parse_secret(a.secret_text, a.secret_size, NULL, "k", &secret, &error), RETORT_OK);
  assert_memory_equal(&secret, &a.secret, sizeof secret);
  uint8_t blob[162];
  const char *line = strchr(a.secret_text, '\n') + 1;
  assert_true(rt_base64_decode(line, strlen(line) - 1, blob, &n) && n == 158);
  for (size_t at = 0; at < n; at++) {
    bool salt_and_limits = at >= 6 && at < 54; /* of no use without a password */
    blob[at] ^= 4;
    secret_text_of(blob, n, text);
    retort_status status = rt_minisign_parse_secret(text, strlen(text), NULL, "k", &secret, &error);
    if ((status == RETORT_OK) != salt_and_limits) fail_msg("byte %zu of the secret key: %s", at, retort_status_name(status));
    blob[at] ^= 4;
  }
  memset(blob + 126, 0, 32); /* as the minisign tool writes a key without a password */
  secret_text_of(blob, n, text);
  assert_int_equal(rt_minisign_parse_secret(text, strlen(text), NULL, "k", &secret, &error), RETORT_OK);
  memcpy(text, "comment__", 9);
  assert_int_equal(rt_minisign_parse_secret(text, strlen(text), NULL, "k", &secret, &error), RETORT_ERROR_FORMAT);
}

static void minisign_secret_keys_with_passwords(void **state) {
  (void)state;
  artefacts a;
  make(&a);
  retort_error error;
  rt_minisign_secret secret;
  char text[300];
  size_t n;
  const char *line = strchr(a.secret_text, '\n') + 1;
  uint8_t blob[162];
  assert_true(rt_base64_decode(line, strlen(line) - 1, blob, &n) && n == 158);
  memset(blob + 126, 0, 32);
  memcpy(blob + 2, "Xx", 2); /* protected in a way that nobody knows */
  secret_text_of(blob, n, text);
  assert_int_equal(rt_minisign_parse_secret(text, strlen(text), "password", "k", &secret, &error), RETORT_ERROR_UNSUPPORTED);
  memcpy(blob + 2, "Sc", 2); /* claims a password: asks for it, and does not let the file choose to use up the machine */
  memset(blob + 38, 0xff, 16);
  secret_text_of(blob, n, text);
  assert_int_equal(rt_minisign_parse_secret(text, strlen(text), NULL, "k", &secret, &error), RETORT_ERROR_ARGUMENT);
  assert_int_equal(rt_minisign_parse_secret(text, strlen(text), "password", "k", &secret, &error), RETORT_ERROR_MEMORY);
  for (size_t i = 0; i < 8; i++) blob[38 + i] = i == 2; /* 2^16 operations, and memory without end */
  secret_text_of(blob, n, text);
  assert_int_equal(rt_minisign_parse_secret(text, strlen(text), "password", "k", &secret, &error), RETORT_ERROR_MEMORY);
  for (size_t i = 0; i < 8; i++) blob[46 + i] = i == 3; /* 16 MiB: the password is tried, and is wrong */
  secret_text_of(blob, n, text);
  assert_int_equal(rt_minisign_parse_secret(text, strlen(text), "password", "k", &secret, &error), RETORT_ERROR_TRUST);
  assert_non_null(strstr(error.message, "wrong password"));
  assert_int_equal(rt_minisign_write_secret(&a.secret, NULL, NULL, text, 20, &n, &error), RETORT_ERROR_BUFFER);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hex),
      cmocka_unit_test(base64),
      cmocka_unit_test(names),
      cmocka_unit_test(times),
      cmocka_unit_test(chunk_lists),
      cmocka_unit_test(minisign_signatures),
      cmocka_unit_test(minisign_signatures_whole_and_cut),
      cmocka_unit_test(minisign_signatures_of_any_length),
      cmocka_unit_test(minisign_algorithms),
      cmocka_unit_test(minisign_verifies_who_and_what),
      cmocka_unit_test(minisign_keys),
      cmocka_unit_test(minisign_secret_keys),
      cmocka_unit_test(minisign_secret_keys_with_passwords),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
