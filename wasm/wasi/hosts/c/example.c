/* example.c - works out one line and shows only the answer: example PLUGIN MODEL.gguf SHA256-OF-THE-MODEL '{"messages":[...]}' */
#include <stdio.h>

#include "retort_plugin.h"

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  char trust[256];
  snprintf(trust, sizeof trust, "{\"method\":\"pinned\",\"pins\":[\"%s\"]}", argv[3]);
  plugin *p = plugin_open(argv[1], 64 << 20);
  int32_t session = plugin_session(p, plugin_load(p, argv[2], trust), NULL);
  piece got = {0};
  if (plugin_chat(p, session, argv[4]) > 0)
    while (plugin_next(p, session, &got) > 0 && (fwrite(got.text, 1, got.reasoning ? 0 : got.size, stdout), got.kind != 2)) continue;
  int good = got.kind == 2;
  if (!good) fprintf(stderr, "%s: %s\n", plugin_error_kind(p), plugin_error(p));
  puts("");
  plugin_close(p);
  return !good;
}
