/* Looks upwards in the program. */
#include "../commands/ask.h"
