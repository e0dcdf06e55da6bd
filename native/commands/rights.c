/* rights.c - see rights.h.
 *
 * Every command may read the model's folder (signatures and the other parts of a split set lie there), the trust store, the files that its
 * options name, and what every program reads of the system. It may write below the folders of its outputs. Only `update` from a URL has
 * the network. `chat` writes below the folder that it was started in, where /save is looked for, and where its history is.
 */
#include "rights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/sandbox.h"
#include "models/download.h"
#include "models/trust_policy.h"
#include "terminal/lineedit.h"
#include "terminal/report.h"

/* The folder of `path`, by its name and by where links lead; the nearest one that is there. */
static void allow_around(sandbox *s, const char *path, int how) {
  char folder[4096];
  char *real = realpath(path, NULL);
  const char *const places[] = {path, real};
  for (int i = 0; i < 2 && places[i]; i++) {
    int n = snprintf(folder, sizeof folder, "%s", places[i]);
    if (n <= 0 || n >= (int)sizeof folder) continue;
    char *slash;
    do {
      slash = strrchr(folder, '/');
      if (!slash) strcpy(folder, ".");
      else slash[slash == folder] = 0;
    } while (slash && slash != folder && access(folder, F_OK) != 0);
    sandbox_allow(s, folder, how);
  }
  free(real);
}

static bool is_folder(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A file that is to be written, or a folder that is to be written into. */
static void allow_output(sandbox *s, const char *path) {
  struct stat info;
  const bool there = stat(path, &info) == 0;
  if (there && !S_ISREG(info.st_mode)) sandbox_allow(s, path, SANDBOX_WRITE);
  else allow_around(s, path, SANDBOX_WRITE);
}

static void allow_list(sandbox *s, const string_list *list) {
  for (size_t i = 0; i < list->count; i++) sandbox_allow(s, list->value[i], SANDBOX_READ);
}

static void allow_system(sandbox *s) {
  static const char *const places[] = {"/usr", "/lib", "/lib64", "/proc", "/sys", "/etc/ld.so.cache", "/dev/urandom"};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) sandbox_allow(s, places[i], SANDBOX_READ);
  sandbox_allow(s, "/dev/null", SANDBOX_WRITE);
}

static void allow_options(sandbox *s, const options *o) {
  char folder[4096];
  const char *const files[] = {o->signature, o->secret_key, o->prompt_file, o->ca_file, o->template_file, o->continued};
  const string_list *const lists[] = {&o->keys, &o->roots, &o->minisign_keys, &o->certificates};
  const char *model = getenv("RETORT_MODEL");
  for (size_t i = 0; i < o->models.count; i++) allow_around(s, o->models.value[i], SANDBOX_READ);
  if (!o->models.count && model && *model) allow_around(s, model, SANDBOX_READ);
  if (store_folder(folder)) sandbox_allow(s, folder, SANDBOX_READ);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    if (files[i]) sandbox_allow(s, files[i], SANDBOX_READ);
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) allow_list(s, lists[i]);
  if (o->out) allow_output(s, o->out);
}

static void allow_arguments(sandbox *s, const options *o, unsigned rights) {
  for (int i = 0; i < o->n_arguments; i++) {
    const char *argument = o->arguments[i];
    if (rights & WRITES_BESIDE_ARGUMENTS) allow_output(s, argument);
    if ((rights & READS_ARGUMENTS) && is_folder(argument)) sandbox_allow(s, argument, SANDBOX_READ);
    else if (rights & READS_ARGUMENTS) allow_around(s, argument, SANDBOX_READ);
  }
}

static void allow_update(sandbox *s, const options *o) {
  const char *folder = o->n_arguments ? o->arguments[0] : "";
  if (is_folder(folder)) sandbox_allow(s, folder, SANDBOX_WRITE);
  else allow_around(s, folder, SANDBOX_WRITE);
  if (o->from && !is_url(o->from)) sandbox_allow(s, o->from, SANDBOX_READ);
  if (!o->from || !is_url(o->from)) return;
  static const char *const network[] = {"/etc", "/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"}; /* may be links */
  for (size_t i = 0; i < sizeof network / sizeof *network; i++) sandbox_allow(s, network[i], SANDBOX_READ);
}

void rights_reduce(const command *c, const options *o) {
  sandbox s;
  char folder[4096];
  if (!o->no_sandbox) {
    sandbox_open(&s);
    allow_system(&s);
    allow_options(&s, o);
    allow_arguments(&s, o, c->rights);
    if ((c->rights & WRITES_STORE) && store_folder(folder))
      is_folder(folder) ? sandbox_allow(&s, folder, SANDBOX_WRITE) : allow_around(&s, folder, SANDBOX_WRITE);
    if (c->rights & WRITES_HERE) sandbox_allow(&s, ".", SANDBOX_WRITE);
    if ((c->rights & WRITES_HERE) && !o->no_history && isatty(STDIN_FILENO) && history_folder(folder))
      sandbox_allow(&s, folder, SANDBOX_WRITE);
    if (c->rights & UPDATES) allow_update(&s, o);
    sandbox_enter(&s, (c->rights & UPDATES) && o->from && is_url(o->from));
  }
  if (o->verbose) fprintf(stderr, "retort: sandbox: %s\n", sandbox_words());
}
