/* libc.c - what every WebAssembly build needs of libc: its heap, which is the sandbox's memory, and functions that it mentions but never
 * reaches.
 *
 * The linker asks for a few WASI functions (printing, a clock). They are defined as failing, so that the module imports no function and
 * runs in hosts that give nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"

/* ---- memory ---- */

void *platform_lend(void *user, size_t size) {
  (void)user;
  if (size > SIZE_MAX - 64) return NULL;
  void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
  if (memory) memset(memory, 0, size);
  return memory;
}

void platform_take_back(void *user, void *memory, size_t size) {
  (void)user;
  (void)size;
  free(memory);
}

/* ---- what libc would import ---- */

/* libc's printing, exit and clock mention these, and nothing here reaches them: assertions are compiled out, files stay unopened, and the
 * JSON library is given its seed. Defined here, they are no imports. The names are those that the libc links them by, wasi-libc and
 * Emscripten's. */
enum { BAD_DESCRIPTOR = 8 };
#ifdef __EMSCRIPTEN__
#define LIBC_NAME(name) __wasi_##name
#else
#define LIBC_NAME(name) __imported_wasi_snapshot_preview1_##name
#endif
#define ABSENT(name, ...)               \
  int32_t LIBC_NAME(name)(__VA_ARGS__); \
  int32_t LIBC_NAME(name)(__VA_ARGS__) { return BAD_DESCRIPTOR; }
ABSENT(clock_time_get, int32_t id, int64_t precision, intptr_t out)
ABSENT(fd_close, int32_t descriptor)
ABSENT(fd_prestat_get, int32_t descriptor, intptr_t out)
ABSENT(fd_prestat_dir_name, int32_t descriptor, intptr_t out, size_t size)
ABSENT(fd_read, int32_t descriptor, intptr_t list, size_t count, intptr_t out)
ABSENT(fd_seek, int32_t descriptor, int64_t offset, int32_t whence, intptr_t out)
ABSENT(fd_write, int32_t descriptor, intptr_t list, size_t count, intptr_t out)
ABSENT(sched_yield, void)

void __imported_wasi_snapshot_preview1_proc_exit(int32_t code);
void __imported_wasi_snapshot_preview1_proc_exit(int32_t code) {
  (void)code;
  __builtin_trap();
}

#ifdef __EMSCRIPTEN__
/* What Emscripten's libc would have from JavaScript. */
int _emscripten_get_now_is_monotonic(void);
int _emscripten_get_now_is_monotonic(void) { return 0; }
void emscripten_notify_memory_growth(size_t memory);
void emscripten_notify_memory_growth(size_t memory) { (void)memory; }
#endif
