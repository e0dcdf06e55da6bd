/* directory.h - models from the first directory that the host has opened for the plugin, which needs to be readable only. */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include "../abi.h"

/* {"trust": as in retort_load_begin, "files": [names in the directory]}: a model. Sizes, signatures (FILE.sig, model.sig, FILE.minisig) and
 * lists of chunks are found in the directory too. */
EXPORT(retort_load_directory) int32_t abi_load_directory(const char *json, size_t size);

#endif
