/* verified.c - the gate: a file is parsed only where a verifier has checked its bytes. */
#include "gguf.h"

#include "../base/structs.h"
#include "../trust/verified.h"

retort_status retort_gguf_open_verified(const retort_platform *platform, const retort_verifier *verifier, const retort_buffer *files,
                                        size_t n_files, uint32_t flags, retort_gguf **out, retort_error *error) {
  if (!verifier || !files || n_files == 0)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "a verifier and the files that it checked are needed");
  rt_arena arena = {.platform = platform};
  retort_buffer *list;
  retort_status status = rt_platform_check(platform, error);
  if (!status) status = rt_structs_read(&arena, &list, sizeof *list, files, n_files, "retort_buffer", error);
  if (!status) status = rt_were_verified(verifier, list, n_files, (flags & RETORT_GGUF_METADATA_ONLY) != 0, error);
  /* What is opened is the list that was compared, not the caller's, which another thread might change in between. */
  if (!status) status = retort_gguf_open(platform, list, n_files, flags, out, error);
  rt_arena_close(&arena);
  return status;
}
