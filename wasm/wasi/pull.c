/* pull.c - for hosts that keep models elsewhere than in files, or want no copy of their own: the plugin asks for the bytes
 * (retort-plugin.pull.wasm).
 *
 * The one import is retort.read_at(file, offset: i64, address, size): the host puts up to `size` bytes of the file there and returns how
 * many, 0 at its end, or a number below 0, which ends the loading.
 */
#include <retort.h>

#include "../abi.h"

__attribute__((import_module("retort"), import_name("read_at"))) int32_t host_read_at(uint32_t file, uint64_t offset, void *to,
                                                                                      uint32_t size);

static int32_t read_at(uint32_t file, uint64_t offset, void *to, uint32_t size) {
  int32_t n = host_read_at(file, offset, to, size);
  return n < 0 ? abi_failed(RETORT_ERROR_IO, "the host could not read file %u at %llu", (unsigned)file, (unsigned long long)offset) : n;
}

EXPORT(retort_load_pull) int32_t abi_load_pull(int32_t loader);
int32_t abi_load_pull(int32_t loader) { return abi_load_with(loader, read_at); }
