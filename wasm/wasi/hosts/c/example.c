/* example.c - works out one line and shows only the answer: example PLUGIN MODEL.gguf SHA256-OF-THE-MODEL SIZE-OF-THE-MODEL '{"messages":[...]}' */
#include <stdio.h>

#include "retort_plugin.h"

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  char request[2048];
  snprintf(request, sizeof request, "{\"trust\":{\"method\":\"pinned\",\"pins\":[\"%s\"]},\"files\":[{\"name\":\"model.gguf\",\"size\":%s}]}", argv[3], argv[4]);
  plugin *p = plugin_open(argv[1], 64 << 20);
  int32_t session = plugin_session(p, plugin_load(p, argv[2], request), NULL);
  piece got = {0};
  if (plugin_chat(p, session, argv[5]) > 0)
    while (plugin_next(p, session, &got) > 0 && (fwrite(got.text, 1, got.reasoning ? 0 : got.size, stdout), got.kind != 2)) continue;
  int good = got.kind == 2;
  if (!good) fprintf(stderr, "%s: %s\n", plugin_error_kind(p), plugin_error(p));
  puts("");
  plugin_close(p);
  return !good;
}
