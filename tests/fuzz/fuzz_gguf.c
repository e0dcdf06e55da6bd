/* fuzz_gguf.c - libFuzzer target: any bytes as a GGUF file, opened whole and as metadata only, then asked for everything. */
#include "../gguf/gguf_touch.h"
#include "target.h"

void fuzz_one(const uint8_t *data, size_t size) {
  for (uint32_t flags = 0; flags <= RETORT_GGUF_METADATA_ONLY; flags++) {
    retort_gguf *g;
    retort_error error;
    if (retort_gguf_open(NULL, &(retort_buffer){sizeof(retort_buffer), data, size, "fuzz.gguf"}, 1, flags, &g, &error)) continue;
    gguf_touch(g);
    retort_gguf_close(g);
  }
}
