/* fuzz_bundle.c - libFuzzer target: any bytes as a signature bundle, under a key and under a root, and as the statement inside one.
 *
 * No fuzzer gets past a signature, so the statement's reader is called by itself, which is why the source file is included here. What it
 * accepts must keep its promises: names plain, sorted, each once, each found.
 */
#include "../../runtime/trust/bundle.c"

#include "trust_keys.h"
#include "target.h"

void fuzz_one(const uint8_t *data, size_t size) {
  rt_arena arena = {0};
  rt_bundle bundle = {0};
  rt_span payload = {data, size};
  fuzz_keys *keys = fuzz_open_keys();
  rt_bundle_trust by_key = {.keys = &keys->key, .n_keys = 1}, by_root = {.anchors = keys->anchors, .time = FUZZ_TIME};
  for (int i = 0; i < 2; i++)
    if (rt_bundle_verify(&arena, data, size, "fuzz", i ? &by_root : &by_key, &bundle, NULL) == RETORT_OK &&
        (!bundle.signer || !bundle.subject))
      __builtin_trap();
  bundle = (rt_bundle){0};
  if (read_statement(&arena, &payload, "fuzz", &bundle, NULL) == RETORT_OK) {
    if (bundle.n_resources == 0) __builtin_trap();
    for (size_t i = 0; i < bundle.n_resources; i++) {
      const rt_resource *r = &bundle.resources[i];
      bool plain = rt_name_is_canonical(r->name, strlen(r->name)) || (bundle.n_resources == 1 && strcmp(r->name, ".") == 0);
      if (!plain || rt_bundle_find(&bundle, r->name) != r || (i && strcmp(bundle.resources[i - 1].name, r->name) >= 0)) __builtin_trap();
      if (r->chunked && !rt_chunk_size_ok(r->chunk_size)) __builtin_trap();
    }
    for (size_t i = 0; i < bundle.n_ignored; i++)
      if (!rt_bundle_ignores(&bundle, bundle.ignored[i])) __builtin_trap();
  }
  rt_arena_close(&arena);
}
