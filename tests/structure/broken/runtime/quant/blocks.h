/* Nothing wrong here. */
#include "../include/retort_platform.h"
#include <string.h>
