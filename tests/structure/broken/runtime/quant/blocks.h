/* Nothing wrong here. */
#include "../base/platform.h"
#include <string.h>
