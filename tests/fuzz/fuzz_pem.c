/* fuzz_pem.c - libFuzzer target: any bytes as PEM keys and roots, as a DER certificate chain of one, and as a DER signature.
 *
 * mbedTLS is compiled with the same sanitizers and instrumentation for this (CMakeLists.txt), so the fuzzer sees into its parsers.
 */
#include <stdio.h>
#include <string.h>

#include "trust_keys.h"
#include "target.h"

/* A key that was accepted has a name, and the text written for it names the same key. */
static void check_key(rt_key *key) {
  char text[1024];
  size_t length;
  rt_key *again;
  if (rt_key_write_public(key, text, sizeof text, &length, NULL) != RETORT_OK ||
      rt_key_open_public(NULL, text, length, "again", &again, NULL) != RETORT_OK)
    __builtin_trap();
  if (strcmp(rt_key_fingerprint(key), rt_key_fingerprint(again)) != 0 || rt_key_bits(key) != rt_key_bits(again)) __builtin_trap();
  rt_key_close(again);
  rt_key_close(key);
}

void fuzz_one(const uint8_t *data, size_t size) {
  static const uint8_t random[32] = {7};
  char subject[512];
  rt_key *key;
  rt_anchors *anchors;
  retort_buffer file = {sizeof(retort_buffer), data, size, "fuzz"};
  fuzz_keys *keys = fuzz_open_keys();
  if (rt_key_open_public(NULL, data, size, "fuzz", &key, NULL) == RETORT_OK) check_key(key);
  if (rt_key_open_private(NULL, data, size, "fuzz", random, &key, NULL) == RETORT_OK) check_key(key);
  if (rt_anchors_open(NULL, &file, 1, &anchors, NULL) == RETORT_OK) {
    rt_anchors_name(anchors, subject, sizeof subject);
    rt_anchors_close(anchors);
  }
  rt_span leaf = {data, size}, message = {data, size < 8 ? size : 8};
  if (rt_anchors_verify(keys->anchors, &leaf, 1, FUZZ_TIME, &key, subject, sizeof subject, NULL) == RETORT_OK) check_key(key);
  /* Strict means that there is one way to write it: lengths and integers decide every byte. */
  if (rt_der_signature_is_strict(data, size)) {
    size_t at = data[1] == 0x81 ? 3 : 2, r = data[at + 1], s = data[at + 3 + r];
    if (at + 4 + r + s != size || r == 0 || s == 0) __builtin_trap();
    if (rt_key_verify(keys->key, &message, 1, data, size)) __builtin_trap();
  }
}
