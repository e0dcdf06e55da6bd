/* driver.c - renders chat templates for the scripts here: requests on stdin, answers on stdout, until stdin ends.
 *
 * A request is three strings: template, variables (a JSON object, all of it input), date ("" for none). An answer is the status, the text
 * (or error message), and the spans that are input. Numbers are little-endian uint32, strings are a size and their bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "template/template.h"

static bool read_number(uint32_t *out) {
  unsigned char b[4];
  if (fread(b, 1, 4, stdin) != 4) return false;
  *out = rt_load_u32(b);
  return true;
}

static char *read_string(uint32_t *size) {
  if (!read_number(size)) return NULL;
  char *bytes = malloc((size_t)*size + 1);
  if (!bytes || fread(bytes, 1, *size, stdin) != *size) exit(1);
  bytes[*size] = 0;
  return bytes;
}

static void write_number(uint32_t n) {
  unsigned char b[4] = {(unsigned char)n, (unsigned char)(n >> 8), (unsigned char)(n >> 16), (unsigned char)(n >> 24)};
  fwrite(b, 1, 4, stdout);
}

static void write_string(const char *bytes, size_t size) {
  write_number((uint32_t)size);
  fwrite(bytes, 1, size, stdout);
}

/* The tokens' texts are the template's own, everything else is input. */
static bool is_input(const char *name) { return strcmp(name, "bos_token") != 0 && strcmp(name, "eos_token") != 0; }

int main(void) {
  for (;;) {
    uint32_t source_size, json_size, date_size;
    char *source = read_string(&source_size);
    if (!source) return 0;
    char *json = read_string(&json_size), *date = read_string(&date_size);
    rt_arena arena = {0};
    retort_error error = {0};
    rt_json tree;
    rt_template_output output = {0};
    retort_status status = rt_json_parse(&arena, json, json_size, json_size, "variables", &tree, &error);
    if (status == RETORT_OK) {
      rt_template_variable *variables = calloc(tree.count + 1, sizeof *variables);
      if (!variables) return 1;
      for (size_t i = 0; i < tree.count; i++)
        variables[i] = (rt_template_variable){tree.as.members[i].key, &tree.as.members[i].value, is_input(tree.as.members[i].key)};
      status = rt_template_render(&arena, source, source_size, variables, tree.count, &(rt_template_world){.date = date_size ? date : NULL},
                                  &output, &error);
      free(variables);
    }
    write_number((uint32_t)status);
    if (status) write_string(error.message, strlen(error.message));
    else write_string(output.text, output.size);
    write_number((uint32_t)output.n_spans);
    for (size_t i = 0; i < output.n_spans; i++) {
      write_number((uint32_t)output.spans[i].offset);
      write_number((uint32_t)output.spans[i].size);
    }
    fflush(stdout);
    rt_arena_close(&arena);
    free(source);
    free(json);
    free(date);
  }
}
