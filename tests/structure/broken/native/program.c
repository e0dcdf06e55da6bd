/* Looks behind the wall, into itself and out of the house. */
#include "../runtime/text/story.h"
#include "retort_platform.h"
#include "nowhere.h"
