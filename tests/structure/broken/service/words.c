#include <time.h>

#include "quant/blocks.h"
