/* trust.c - `retort trust`: the user's trust store, add, list and remove. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "models/output.h"
#include "models/paths.h"

/* What was done: with --json one object a line, {"trusted": "key sha256:..."} or {"pinned": SHA-256, "name": ...}. */
static void say(bool json, const char *what, const char *id, const char *name) {
  if (json) print_json_line(json_pack("{s:o,s:o*}", what, text_json(id), "name", name ? text_json(name) : NULL));
  else if (name) printf("%s %s %s\n", what, id, name);
  else printf("%s %s\n", what, id);
}

/* Makes the store's folder where there is none, and keeps other programs from changing it meanwhile; *lock is closed by the caller. */
static int open_folder(char folder[4096], bool json, int *lock) {
  for (char *p = folder + 1;; p++) {
    if (*p && *p != '/') continue;
    char kept = *p;
    *p = 0;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
      return fail(json, EXIT_RUNTIME, "cannot make the folder %s: %s", folder, strerror(errno));
    *p = kept;
    if (!kept) break;
  }
  *lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (*lock < 0 || flock(*lock, LOCK_EX) != 0) return fail(json, EXIT_RUNTIME, "cannot lock the folder %s: %s", folder, strerror(errno));
  return EXIT_OK;
}

/* The pins file, written anew from the set. */
static int write_pins(const char *folder, const trust_set *set, bool json) {
  char path[4200];
  text_buffer text = {0};
  bool ok = true;
  snprintf(path, sizeof path, "%s/pins", folder);
  for (size_t i = 0; i < set->n_pins; i++) {
    char line[320];
    int n = snprintf(line, sizeof line, "%s %llu %s\n", set->pins[i].hex, (unsigned long long)set->pins[i].size, set->pins[i].name);
    ok = ok && text_append(&text, line, (size_t)n);
  }
  int code = ok ? write_file(path, text.bytes ? text.bytes : "", text.size, false, json) : fail(json, EXIT_MEMORY, "out of memory");
  free(text.bytes);
  return code;
}

static retort_status take(void *arg, uint64_t offset, const void *data, size_t size, retort_error *error) {
  return retort_verifier_feed(arg, 0, offset, data, size, error);
}

/* SHA-256 of one file, by way of a verifier that has a pin nobody can have. */
static int digest_file(const model_paths *files, size_t index, char hex[65], bool json) {
  static const char *const nothing[] = {"0000000000000000000000000000000000000000000000000000000000000000"};
  retort_trust_policy policy;
  retort_verifier *v = NULL;
  retort_error error;
  retort_trust_file file = {sizeof(retort_trust_file), base_name(files->files[index].name), files->files[index].size, NULL, 0};
  model_paths one = {.files = &files->files[index], .count = 1, .root = files->root};
  retort_trust_policy_init(&policy, sizeof policy);
  policy.method = RETORT_TRUST_PIN;
  policy.pins = nothing;
  policy.n_pins = 1;
  if (retort_verifier_open(NULL, &policy, NULL, 0, &file, 1, &v, &error)) return fail_status(json, &error);
  int code = model_paths_read(&one, 0, take, v, json);
  if (code == EXIT_OK) retort_verifier_file_digest(v, 0, hex);
  retort_verifier_close(v);
  return code;
}

static int add_pins(const char *folder, const char *path, bool json) {
  trust_set set;
  model_paths files;
  int code = store_read(&set, json);
  if (code == EXIT_OK && (code = model_paths_open(&files, path, &(left_out){0}, json)) == EXIT_OK) {
    for (size_t i = 0; code == EXIT_OK && i < files.count; i++) {
      pin p = {.size = files.files[i].size};
      if ((code = digest_file(&files, i, p.hex, json)) != EXIT_OK) break;
      snprintf(p.name, sizeof p.name, "%s", base_name(files.files[i].name));
      for (char *c = p.name; *c; c++)
        if ((unsigned char)*c < 32) *c = '?';
      size_t known = 0;
      while (known < set.n_pins && strcmp(set.pins[known].hex, p.hex) != 0) known++;
      pin *grown = known < set.n_pins ? set.pins : realloc(set.pins, (set.n_pins + 1) * sizeof *grown);
      if (!grown) code = fail(json, EXIT_MEMORY, "out of memory");
      else {
        set.pins = grown;
        if (known == set.n_pins) set.pins[set.n_pins++] = p;
        say(json, "pinned", p.hex, p.name);
      }
    }
    if (code == EXIT_OK) code = write_pins(folder, &set, json);
    model_paths_close(&files);
  }
  trust_set_free(&set);
  return code;
}

static int add_anchor_file(const char *folder, const char *path, const text_buffer *text, int kind, bool json) {
  static const char *const prefix[] = {
      [RETORT_TRUST_KEY] = "key", [RETORT_TRUST_CERTIFICATE] = "root", [RETORT_TRUST_MINISIGN] = "minisign"};
  retort_error error;
  retort_buffer anchor = {sizeof(retort_buffer), text->bytes, text->size, path};
  char who[256], target[4300], hex[65];
  if (retort_trust_describe(NULL, kind, &anchor, who, &error)) return fail_status(json, &error);
  retort_sha256_hex(text->bytes, text->size, hex);
  snprintf(target, sizeof target, "%s/%s-%.12s.%s", folder, prefix[kind], hex, kind == RETORT_TRUST_MINISIGN ? "pub" : "pem");
  int code = write_file(target, text->bytes, text->size, false, json);
  if (code == EXIT_OK) say(json, "trusted", who, NULL);
  return code;
}

static int add(const options *o, const char *folder, const char *path) {
  text_buffer text = {0};
  struct stat info;
  if (stat(path, &info) != 0) return fail(o->json, EXIT_USAGE, "cannot open %s: %s", path, strerror(errno));
  if (!S_ISREG(info.st_mode) || info.st_size > 64 * 1024) return add_pins(folder, path, o->json);
  int code = read_text_file(path, o->json, &text);
  if (code != EXIT_OK) return code;
  int kind = text.bytes && !memchr(text.bytes, 0, text.size) ? anchor_kind(&text) : -1;
  if (kind >= 0) code = add_anchor_file(folder, path, &text, kind, o->json);
  else if (text.bytes && strstr(text.bytes, "PRIVATE KEY"))
    code = fail(o->json, EXIT_USAGE, "%s is a secret key; add the public one", path);
  else code = add_pins(folder, path, o->json);
  free(text.bytes);
  return code;
}

typedef int each(const options *o, const char *folder, const char *id, const char *who, const char *path, void *arg);

static int over_anchors(const options *o, const char *folder, const anchor_set *set, int32_t method, each *visit, void *arg) {
  int code = EXIT_OK;
  for (size_t i = 0; code == EXIT_OK && i < set->count; i++) {
    char who[256];
    retort_error error;
    if (retort_trust_describe(NULL, method, &set->items[i], who, &error)) snprintf(who, sizeof who, "(unreadable: %.200s)", error.message);
    code = visit(o, folder, base_name(set->items[i].name), who, set->items[i].name, arg);
  }
  return code;
}

static int over_store(const options *o, const char *folder, const trust_set *set, each *visit, void *arg) {
  int code = over_anchors(o, folder, &set->keys, RETORT_TRUST_KEY, visit, arg);
  if (code == EXIT_OK) code = over_anchors(o, folder, &set->roots, RETORT_TRUST_CERTIFICATE, visit, arg);
  if (code == EXIT_OK) code = over_anchors(o, folder, &set->minisign, RETORT_TRUST_MINISIGN, visit, arg);
  return code;
}

static int print_one(const options *o, const char *folder, const char *id, const char *who, const char *path, void *arg) {
  (void)folder, (void)path;
  if (o->json) json_array_append_new(arg, json_pack("{s:o,s:o}", "name", text_json(id), "signer", text_json(who)));
  else printf("%-26s %s\n", id, who);
  return EXIT_OK;
}

static int list(const options *o, const char *folder) {
  trust_set set;
  int code = store_read(&set, o->json);
  if (code != EXIT_OK) return code;
  json_t *anchors = json_array(), *pins = json_array();
  if (!o->json) printf("trust store: %s\n", folder);
  code = over_store(o, folder, &set, print_one, anchors);
  for (size_t i = 0; i < set.n_pins; i++)
    if (o->json) json_array_append_new(pins, json_pack("{s:o,s:s}", "name", text_json(set.pins[i].name), "sha256", set.pins[i].hex));
    else printf("%-26s pin %s\n", set.pins[i].name, set.pins[i].hex);
  if (!o->json)
    printf("built in                   the project's key, for the model \"ember\" only; the pin of SmolLM2-135M-Instruct.Q4_1.gguf\n");
  else if (code == EXIT_OK)
    code = print_json_line(json_pack("{s:o,s:O,s:O}", "folder", text_json(folder), "anchors", anchors, "pins", pins));
  json_decref(anchors);
  json_decref(pins);
  trust_set_free(&set);
  return code;
}

typedef struct removal {
  const char *wanted;
  size_t alike; /* anchors that a part of the signer's name fits */
  size_t count;
} removal;

static bool is_part(const removal *r, const char *who) { return strlen(r->wanted) >= 4 && strstr(who, r->wanted); }

static int count_one(const options *o, const char *folder, const char *id, const char *who, const char *path, void *arg) {
  removal *r = arg;
  (void)o, (void)folder, (void)id, (void)path;
  r->alike += is_part(r, who);
  return EXIT_OK;
}

static int remove_one(const options *o, const char *folder, const char *id, const char *who, const char *path, void *arg) {
  removal *r = arg;
  (void)folder;
  if (strcmp(id, r->wanted) != 0 && strcmp(who, r->wanted) != 0 && !(r->alike == 1 && is_part(r, who))) return EXIT_OK;
  if (unlink(path) != 0) return fail(o->json, EXIT_RUNTIME, "cannot remove %s: %s", path, strerror(errno));
  say(o->json, "removed", who, NULL);
  r->count++;
  return EXIT_OK;
}

static int drop(const options *o, const char *folder, const char *wanted) {
  trust_set set;
  removal r = {.wanted = wanted};
  int code = store_read(&set, o->json);
  if (code != EXIT_OK) return code;
  code = over_store(o, folder, &set, count_one, &r);
  if (code == EXIT_OK) code = over_store(o, folder, &set, remove_one, &r);
  size_t kept = 0, before = set.n_pins;
  for (size_t i = 0; i < set.n_pins; i++) {
    bool hit = strcmp(set.pins[i].name, wanted) == 0 || strcmp(set.pins[i].hex, wanted) == 0;
    if (hit) say(o->json, "removed", set.pins[i].hex, set.pins[i].name);
    else set.pins[kept++] = set.pins[i];
  }
  set.n_pins = kept;
  if (code == EXIT_OK && kept != before) code = write_pins(folder, &set, o->json);
  if (code == EXIT_OK && r.count == 0 && kept == before && r.alike > 1)
    code = fail(o->json, EXIT_USAGE, "'%s' is part of the names of %zu keys; name one as retort trust list shows it", wanted, r.alike);
  else if (code == EXIT_OK && r.count == 0 && kept == before)
    code = fail(o->json, EXIT_USAGE, "the trust store has no '%s'; retort trust list shows what it has", wanted);
  trust_set_free(&set);
  return code;
}

static int trust(const options *o) {
  char folder[4096];
  const char *verb = o->n_arguments ? o->arguments[0] : "";
  bool adds = strcmp(verb, "add") == 0, removes = strcmp(verb, "remove") == 0;
  if (!adds && !removes && strcmp(verb, "list") != 0) return fail(o->json, EXIT_USAGE, "say add, list or remove");
  if ((adds || removes) != (o->n_arguments > 1)) return fail(o->json, EXIT_USAGE, adds || removes ? "say what" : "list takes nothing else");
  if (!store_folder(folder))
    return fail(o->json, EXIT_RUNTIME, "neither $HOME nor $XDG_CONFIG_HOME is set: there is no place for a trust store");
  if (!adds && !removes) return list(o, folder);
  int lock = -1, code = open_folder(folder, o->json, &lock);
  for (int i = 1; code == EXIT_OK && i < o->n_arguments; i++)
    code = adds ? add(o, folder, o->arguments[i]) : drop(o, folder, o->arguments[i]);
  if (lock >= 0) close(lock);
  return code;
}

static const option_spec specs[] = {OPTIONS_OUTPUT};

const command trust_command = {
    .name = "trust",
    .summary = "the trust store: add, list, remove keys, roots and pins",
    .usage = "add FILE... | list | remove NAME...",
    .text =
        "add takes public keys and self-signed roots (PEM), minisign and signify public keys, and models, which are pinned by the SHA-256 "
        "of each of their files. "
        "What is trusted here is trusted by every command that loads a model and is given no trust options. The store is a folder of plain "
        "files, ~/.config/retort/trust.",
    .examples = "  retort trust add release.pub\n  retort trust add model.gguf\n  retort trust list\n  retort trust remove model.gguf\n",
    .specs = specs,
    .n_specs = sizeof specs / sizeof specs[0],
    .rights = READS_ARGUMENTS | WRITES_STORE,
    .run = trust,
};
