/* Looks sideways, and at a library that is not lent to it. */
#include "../quant/blocks.h"
#include <jansson.h>
