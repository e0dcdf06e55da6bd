/* platform.c - the plugin's platform: the sandbox's memory and one thread. */
#include "../platform.h"

void platform_fill(retort_platform *platform) {
  *platform = (retort_platform){.struct_size = sizeof *platform, .alloc = platform_lend, .free = platform_take_back, .workers = 1};
}
