/* grids.c - the codebooks. Sources: ggml's block formats (GGUF specification); decoded values are bit-checked against PyPI `gguf`. */
#include "grids.h"

/* -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113; each + 128. */
const uint8_t rt_iq4_codes_of[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
