/* Looks past the door of the room below. */
#include "../kernels/x86/wide.h"
