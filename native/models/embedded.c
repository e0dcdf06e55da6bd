/* embedded.c - puts models/ember/ember.gguf and what vouches for it into the program's read-only data, as the files are.
 *
 * The assembler reads the files (.incbin), so that no generated C of ten times their size has to be compiled; this works alike in gcc and
 * clang and for each target with ELF objects. CMake names the folder, and builds this again when one of the files changes. The model begins
 * on a cache line, so that its tensors (aligned to 32 bytes within the file) lie as well as in memory of their own. The size is that
 * between two labels.
 */
#include "embedded.h"

#define EMBED(name, file)                       \
  __asm__(                                      \
      ".pushsection .rodata\n"                  \
      ".balign 64\n"                            \
      ".hidden embedded_" name                  \
      "_begin\n"                                \
      ".hidden embedded_" name                  \
      "_end\n"                                  \
      ".global embedded_" name                  \
      "_begin\n"                                \
      ".global embedded_" name                  \
      "_end\n"                                  \
      "embedded_" name                          \
      "_begin:\n"                               \
      ".incbin \"" RETORT_EMBER_FOLDER "/" file \
      "\"\n"                                    \
      "embedded_" name                          \
      "_end:\n"                                 \
      ".popsection\n")

EMBED("model", "ember.gguf");
EMBED("signature", "ember.gguf.sig");
EMBED("chunks", "ember.gguf.chunks");

extern const unsigned char embedded_model_begin[], embedded_model_end[];
extern const unsigned char embedded_signature_begin[], embedded_signature_end[];
extern const unsigned char embedded_chunks_begin[], embedded_chunks_end[];

static retort_buffer between(const unsigned char *begin, const unsigned char *end, const char *name) {
  return (retort_buffer){sizeof(retort_buffer), begin, (size_t)(end - begin), name};
}

retort_buffer embedded_model(void) { return between(embedded_model_begin, embedded_model_end, EMBEDDED_NAME); }
retort_buffer embedded_signature(void) { return between(embedded_signature_begin, embedded_signature_end, EMBEDDED_NAME ".sig"); }
retort_buffer embedded_chunks(void) { return between(embedded_chunks_begin, embedded_chunks_end, EMBEDDED_NAME ".chunks"); }
