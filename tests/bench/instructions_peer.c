/* instructions_peer.c - llama.cpp doing just the work whose instructions are counted: MODEL PROMPT GENERATE TIMES, one thread. As `retort
 * bench`, the cache is emptied before each time, prompts are read in one go, and tokens are pseudo-random ones. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "llama.h"

static void quiet(enum ggml_log_level level, const char *text, void *data) { (void)level, (void)text, (void)data; }

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  int prompt = atoi(argv[2]), generate = atoi(argv[3]), times = atoi(argv[4]), most = prompt > generate ? prompt : generate;
  llama_log_set(quiet, NULL);
  llama_backend_init();
  struct llama_model_params of_model = llama_model_default_params();
  struct llama_model *model = llama_model_load_from_file(argv[1], of_model);
  struct llama_context_params of_context = llama_context_default_params();
  of_context.n_ctx = (uint32_t)(most < 256 ? 256 : most);
  of_context.n_batch = of_context.n_ubatch = of_context.n_ctx;
  of_context.n_threads = of_context.n_threads_batch = 1;
  struct llama_context *context = model ? llama_init_from_model(model, of_context) : NULL;
  llama_token *ids = malloc((size_t)most * sizeof *ids);
  if (!context || !ids) return 1;
  uint32_t x = 2463534242u, vocabulary = (uint32_t)llama_vocab_n_tokens(llama_model_get_vocab(model));
  for (int i = 0; i < most; i++) {
    x ^= x << 13, x ^= x >> 17, x ^= x << 5;
    ids[i] = (llama_token)(x % vocabulary);
  }
  for (int t = 0; t < times; t++) {
    llama_memory_clear(llama_get_memory(context), false);
    if (prompt && llama_decode(context, llama_batch_get_one(ids, prompt)) != 0) return 1;
    for (int i = 0; i < generate; i++)
      if (llama_decode(context, llama_batch_get_one(ids + i, 1)) != 0) return 1;
  }
  return 0;
}
