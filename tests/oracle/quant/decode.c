/* decode.c - the core's exact decode as a filter: `quant_decode TYPE_ID < blocks > floats`, for quant.py to compare. */
#include <stdio.h>
#include <stdlib.h>

#include "quant/quant.h"

int main(int argc, char **argv) {
  const rt_quant *type = argc == 2 ? rt_quant_find((uint32_t)strtoul(argv[1], NULL, 10)) : NULL;
  if (!type) return 2;
  uint8_t block[512];
  float values[256];
  while (fread(block, type->block_bytes, 1, stdin) == 1) {
    type->decode(block, values, type->block);
    if (fwrite(values, sizeof *values, type->block, stdout) != type->block) return 1;
  }
  return 0;
}
