/* replay.c - runs a fuzz target over its committed corpus without libFuzzer: each file as it is, cut short at every length, and with bits
 * flipped.
 *
 * This is the part of fuzzing that belongs into the quick tests: any compiler builds it, it always does the same, and it ends after a given
 * number of changes. Each input is a block of its own size on the heap, so that the sanitizers see the first byte read too far.
 *
 *     replay CHANGES FOLDER
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const uint8_t *data, size_t size) {
  uint8_t *exact = malloc(size ? size : 1);
  if (!exact) exit(1);
  memcpy(exact, data, size);
  LLVMFuzzerTestOneInput(exact, size);
  free(exact);
}

static uint32_t dice(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*state >> 33);
}

static void run_changed(uint8_t *data, size_t size, unsigned changes) {
  uint64_t state = size;
  run(data, size);
  for (unsigned i = 0; i < changes; i++) {
    size_t at = dice(&state) % (size + 1), n = 1 + dice(&state) % 3;
    if (i % 2 || size == 0) {
      run(data, at);
      continue;
    }
    size_t where[3];
    uint8_t before[3];
    for (size_t k = 0; k < n; k++) {
      where[k] = dice(&state) % size;
      before[k] = data[where[k]];
      data[where[k]] = dice(&state) % 2 ? (uint8_t)dice(&state) : (uint8_t)(before[k] ^ 1u << dice(&state) % 8);
    }
    run(data, size);
    while (n-- > 0) data[where[n]] = before[n];
  }
}

int main(int argc, char **argv) {
  static uint8_t data[1 << 20];
  unsigned changes = argc == 3 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
  DIR *folder = argc == 3 ? opendir(argv[2]) : NULL;
  int files = 0;
  for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
    char path[4096];
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", argv[2], entry->d_name);
    FILE *file = fopen(path, "rb");
    if (!file) {
      fprintf(stderr, "cannot open %s\n", path);
      return 1;
    }
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    run_changed(data, size, changes);
    files++;
  }
  if (folder) closedir(folder);
  printf("%d files, %u changes of each\n", files, changes);
  return files ? 0 : 1;
}
