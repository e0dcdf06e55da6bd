/* Looks upwards. */
#include "../text/story.h"
#include <time.h>
