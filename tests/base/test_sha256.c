/* test_sha256.c - against the NIST example vectors, digests that Python's hashlib made of a byte pattern, and libsodium. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/sha256.h"
#include "cpu_features.h"
#include <sodium.h>

static uint8_t pattern(size_t i) { return (uint8_t)(i * i + i * 7 + (i >> 8)); }

static void nist_examples(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"}};
  char hex[65];
  for (size_t i = 0; i < RT_COUNT(cases); i++) {
    retort_sha256_hex(cases[i][0], strlen(cases[i][0]), hex);
    assert_string_equal(hex, cases[i][1]);
  }
  char *million = malloc(1000000);
  memset(million, 'a', 1000000);
  retort_sha256_hex(million, 1000000, hex);
  assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  free(million);
}

/* hashlib: the digest of the digests of the pattern's first 0, 1, ... 299 bytes, and single ones around the block borders. */
static void every_length_agrees_with_hashlib(void **state) {
  (void)state;
  static const struct {
    size_t n;
    const char *hex;
  } cases[] = {{55, "9e0e29bea7d562da78ec7579f34ad2dbedba7a53b9c673f7432edc429f3b1431"},
               {56, "b5469f9295e50304cb42616759008e17e52fb5f333995aee3f891696ab2e8287"},
               {63, "ef970eadbbd5579e738155c3166f1cf9cc58d8c3e887fb06e6c625e6b1ffea2d"},
               {64, "0b665f81344b938277d0bf13c1154ccad8a9a24f897e73e010ceb9d6928f924a"},
               {119, "e7993179b98fc4a76bc6ea12ae2b7c3d86f6c0ffaf7b8655a16665d8f822e8e1"},
               {120, "44ae02c9e4d71098f27b2a7b3efb3003fa9b12169305a401d2d3a98bbf75b836"},
               {100003, "50ea8ad4923a428f7409760090001b327019fb90ffc11c94af496f38d67d7da6"}};
  uint8_t *bytes = malloc(100003), digest[32];
  for (size_t i = 0; i < 100003; i++) bytes[i] = pattern(i);
  char hex[65];
  for (size_t i = 0; i < RT_COUNT(cases); i++) {
    retort_sha256_hex(bytes, cases[i].n, hex);
    assert_string_equal(hex, cases[i].hex);
  }
  rt_sha256 all, one;
  rt_sha256_init(&all);
  for (size_t n = 0; n < 300; n++) {
    rt_sha256_init(&one);
    rt_sha256_update(&one, bytes, n);
    rt_sha256_digest(&one, digest);
    rt_sha256_update(&all, digest, sizeof digest);
  }
  rt_sha256_digest(&all, digest);
  rt_sha256_hex(digest, hex);
  assert_string_equal(hex, "2a900a93f172c70a6d94c84e8665c670c0ef5a60ccce7d6ac80951e5f72f8d02");
  free(bytes);
}

static void pieces_give_the_same_as_the_whole(void **state) {
  (void)state;
  uint8_t bytes[1000], digest[32];
  char whole[65], pieces[65];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = pattern(i);
  for (size_t step = 1; step < 200; step++) {
    rt_sha256 h;
    rt_sha256_init(&h);
    for (size_t at = 0; at < sizeof bytes; at += step) {
      rt_sha256_update(&h, bytes + at, sizeof bytes - at < step ? sizeof bytes - at : step);
      rt_sha256_digest(&h, digest); /* asking in between changes nothing */
    }
    rt_sha256_digest(&h, digest);
    rt_sha256_hex(digest, pieces);
    retort_sha256_hex(bytes, sizeof bytes, whole);
    assert_string_equal(pieces, whole);
  }
}

static void several_at_once_are_as_one_by_one(void **state) {
  (void)state;
  uint8_t bytes[RT_SHA256_MOST * 1000], digests[RT_SHA256_MOST][32], alone[32];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = pattern(3 * i + 1);
  const retort_platform platform = bare_platform();
  for (int instructions = 0; instructions < 2; instructions++)
    for (unsigned count = 1; count <= RT_SHA256_MOST; count++)
      for (size_t n = 0; n <= 1000; n++) {
        rt_sha256 fresh, h;
        rt_sha256_init_on(&fresh, &platform);
        if (!instructions) fresh.unit = NULL;
        rt_sha256_many(&fresh, bytes, n, count, digests);
        for (unsigned i = 0; i < count; i++) {
          rt_sha256_init(&h);
          rt_sha256_update(&h, bytes + i * n, n);
          rt_sha256_digest(&h, alone);
          assert_memory_equal(digests[i], alone, sizeof alone);
        }
      }
}

/* Portable, and with this processor's instructions; from any address. */
static void both_ways_agree_with_libsodium(void **state) {
  (void)state;
  const retort_platform platform = bare_platform();
  static uint8_t bytes[4200];
  uint8_t ours[32], theirs[32];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = pattern(5 * i + 2);
  for (size_t n = 0; n < 4096; n += n < 300 ? 1 : 61) {
    const uint8_t *from = bytes + n % 67;
    crypto_hash_sha256(theirs, from, n);
    for (int instructions = 0; instructions < 2; instructions++) {
      rt_sha256 h;
      rt_sha256_init_on(&h, &platform);
      if (!instructions) h.unit = NULL;
      rt_sha256_update(&h, from, n / 3);
      rt_sha256_update(&h, from + n / 3, n - n / 3);
      rt_sha256_digest(&h, ours);
      assert_memory_equal(ours, theirs, sizeof ours);
    }
  }
  rt_sha256 h;
  rt_sha256_init_on(&h, &platform);
  if (!h.unit) print_message("NOT RUN: SHA-256 instructions, which this processor has not\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nist_examples),
      cmocka_unit_test(every_length_agrees_with_hashlib),
      cmocka_unit_test(pieces_give_the_same_as_the_whole),
      cmocka_unit_test(several_at_once_are_as_one_by_one),
      cmocka_unit_test(both_ways_agree_with_libsodium),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
