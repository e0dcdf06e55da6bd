/* fuzz_template.c - libFuzzer target: any bytes as a chat template, rendered with a small conversation. */
#include <string.h>

#include "template/template.h"
#include "target.h"

void fuzz_one(const uint8_t *data, size_t size) {
  static const char json[] =
      "{\"messages\": [{\"role\": \"user\", \"content\": \"h\\u00e9 {{ x }}\"}, {\"role\": \"assistant\", \"content\": null, "
      "\"tool_calls\": [{\"name\": \"f\","
      "\"arguments\": {\"x\": 1.5}}]}], \"s\": \"Hello, World\", \"n\": 7, \"l\": [3, 1, 2], \"d\": {\"a\": 1, \"b\": [true, \"x\"]}, "
      "\"tools\": null}";
  rt_arena arena = {0};
  rt_json object;
  rt_template_variable variables[8];
  rt_template_output out;
  if (rt_json_parse(&arena, json, strlen(json), sizeof json, "fuzz", &object, NULL) == RETORT_OK) {
    for (size_t i = 0; i < object.count; i++)
      variables[i] = (rt_template_variable){object.as.members[i].key, &object.as.members[i].value, true};
    rt_template_render(&arena, (const char *)data, size, variables, object.count, &(rt_template_world){.date = "2024-07-26"}, &out, NULL);
  }
  rt_arena_close(&arena);
}
