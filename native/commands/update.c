/* update.c - `retort update`: takes a signed release of a model, and switches to it in one step.
 *
 * A model under update is a folder:
 *
 *   current -> releases/bot@12-0123456789abcdef    what runs: -m FOLDER/current/model.gguf
 *   previous -> releases/bot@11-fedcba9876543210   what ran before: --rollback goes back to it
 *   leaving -> releases/...                        while the two above change: what `current` named before
 *   releases/                                      NAME@NUMBER as signed, and the beginning of the model's digest
 *   incoming/                                      a release on its way; nobody looks at it but us
 *   download/, download.json                       one that comes over the network (download.c), until all of it is there; survives
 * interruptions
 *   .retort-update                                 says that update made this folder. Without it nothing here is touched
 *
 * Order is everything. A release is copied into `incoming` (or fetched into `download`, which is renamed) and synced, the copy is verified
 * and tried, then it is renamed into `releases`, and only then `current`, which is a link, is replaced by a rename. Whatever moment the
 * power goes at, `current` names a whole release that was verified, and the one before is not lost. Nothing is removed before an update has
 * succeeded, but what an interrupted one left in `incoming`; and then only releases by their form of name, opened without following links,
 * and not what `current` or `previous` lead to, however these are written. Two updates of one folder exclude each other (flock). A process
 * that runs the old release goes on with it.
 *
 * The release number is part of the signed name (`retort sign --name bot@12`), so nobody without the key can pass an old release off as
 * new.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "machine/sandbox.h"
#include "models/download.h"
#include "models/output.h"
#include "models/trust_policy.h"
#include "terminal/text_input.h"
#include "verify.h"

enum { NAME_MAX_SIZE = 100, PIECE = 4 << 20 };

typedef struct release {
  char name[NAME_MAX_SIZE + 1];
  uint64_t number;
  char link[160]; /* "releases/NAME@NUMBER-DIGEST"; "": there is none */
} release;

typedef struct update_job {
  const options *o;
  const char *folder;
  int dir; /* of the folder, locked */
  release current, previous;
} update_job;

static int cannot(const update_job *j, const char *what, const char *name) {
  return fail(j->o->json, EXIT_RUNTIME, "cannot %s %s/%s: %s", what, j->folder, name, strerror(errno));
}

/* ---- names ---- */

/* "bot@12" up to `end`: the name and the number. */
static bool parse_release(const char *text, const char *end, release *r) {
  const char *at = end;
  while (at > text && at[-1] != '@') at--;
  size_t n = at > text ? (size_t)(at - text) - 1 : 0;
  if (n == 0 || n > NAME_MAX_SIZE || text[0] == '.' || at == end || end - at > 18) return false;
  for (size_t i = 0; i < n; i++)
    if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", text[i])) return false;
  r->number = 0;
  for (const char *p = at; p < end; p++) {
    if (*p < '0' || *p > '9') return false;
    r->number = r->number * 10 + (uint64_t)(*p - '0');
  }
  memcpy(r->name, text, n);
  r->name[n] = 0;
  return true;
}

/* What the link `name` points to; link "" where it is not there or not one of ours. */
static void read_link(const update_job *j, const char *name, release *r) {
  *r = (release){0};
  ssize_t n = readlinkat(j->dir, name, r->link, sizeof r->link - 1);
  r->link[n > 0 ? n : 0] = 0;
  const char *dash = strrchr(r->link, '-');
  if (strncmp(r->link, "releases/", 9) != 0 || !dash || !parse_release(r->link + 9, dash, r)) *r = (release){0};
}

/* ---- the folder ---- */

/* Removes a folder of plain files in `at`; one that is not there is no failure. */
static int remove_folder(const update_job *j, int at, const char *name) {
  int descriptor = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return errno == ENOENT ? EXIT_OK : cannot(j, "remove", name);
  DIR *dir = fdopendir(descriptor);
  if (!dir) return cannot(j, "remove", name);
  for (struct dirent *e; (e = readdir(dir)) != NULL;)
    if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) unlinkat(descriptor, e->d_name, 0);
  closedir(dir);
  return unlinkat(at, name, AT_REMOVEDIR) == 0 ? EXIT_OK : cannot(j, "remove", name);
}

/* NAME@NUMBER-DIGEST, as we name releases. */
static bool is_release(const char *name) {
  release r;
  const char *dash = strrchr(name, '-');
  return dash && strlen(dash + 1) == 16 && strspn(dash + 1, "0123456789abcdef") == 16 && parse_release(name, dash, &r);
}

/* Removes releases that neither link leads to. Only after success. */
static int remove_old(const update_job *j) {
  static const char *const links[] = {"current", "previous"};
  struct stat kept[2], found;
  for (int i = 0; i < 2; i++)
    if (fstatat(j->dir, links[i], &kept[i], 0) != 0) kept[i] = (struct stat){0};
  int code = EXIT_OK, descriptor = openat(j->dir, "releases", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  DIR *dir = descriptor >= 0 ? fdopendir(descriptor) : NULL;
  if (!dir) return cannot(j, "open", "releases");
  for (struct dirent *e; code == EXIT_OK && (e = readdir(dir)) != NULL;) {
    if (!is_release(e->d_name) || fstatat(descriptor, e->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(found.st_mode)) continue;
    bool keep = false;
    for (int i = 0; i < 2; i++) keep |= found.st_dev == kept[i].st_dev && found.st_ino == kept[i].st_ino;
    if (!keep) code = remove_folder(j, descriptor, e->d_name);
  }
  closedir(dir);
  return code;
}

static int sync_folder(const update_job *j, const char *name) {
  int descriptor = openat(j->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool ok = descriptor >= 0 && fsync(descriptor) == 0;
  int code = ok ? EXIT_OK : cannot(j, "sync", name);
  if (descriptor >= 0) close(descriptor);
  return code;
}

/* Makes the link `name` point to `target`, in one step. */
static int point(const update_job *j, const char *name, const char *target) {
  char fresh[32];
  snprintf(fresh, sizeof fresh, "%s.new", name);
  unlinkat(j->dir, fresh, 0);
  if (symlinkat(target, j->dir, fresh) != 0 || renameat(j->dir, fresh, j->dir, name) != 0) return cannot(j, "switch", name);
  return EXIT_OK;
}

/* Makes `current` point to `target` and `previous` to what `current` named. Cut anywhere, settle_links ends it or undoes it. */
static int switch_links(const update_job *j, const char *target) {
  const char *leaving = j->current.link;
  int code = *leaving ? point(j, "leaving", leaving) : EXIT_OK;
  if (code == EXIT_OK) code = point(j, "current", target);
  if (code == EXIT_OK && *leaving) code = point(j, "previous", leaving);
  if (code == EXIT_OK && *leaving && unlinkat(j->dir, "leaving", 0) != 0) code = cannot(j, "remove", "leaving");
  if (code == EXIT_OK) code = sync_folder(j, ".");
  return code;
}

static int settle_links(update_job *j) {
  release leaving;
  read_link(j, "current", &j->current);
  read_link(j, "leaving", &leaving);
  int code = EXIT_OK;
  if (*leaving.link && strcmp(leaving.link, j->current.link) != 0) code = point(j, "previous", leaving.link);
  if (code == EXIT_OK && *leaving.link && unlinkat(j->dir, "leaving", 0) != 0) code = cannot(j, "remove", "leaving");
  read_link(j, "previous", &j->previous);
  return code;
}

/* ---- whose folder it is ---- */

static const char MARKER[] = ".retort-update", MARKER_TEXT[] = "Made by retort update, which removes old releases here.\n";

static bool has_marker(const update_job *j) {
  char text[sizeof MARKER_TEXT];
  int descriptor = openat(j->dir, MARKER, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  ssize_t n = descriptor >= 0 ? read(descriptor, text, sizeof text) : -1;
  if (descriptor >= 0) close(descriptor);
  return n == sizeof MARKER_TEXT - 1 && memcmp(text, MARKER_TEXT, sizeof MARKER_TEXT - 1) == 0;
}

static int write_marker(const update_job *j) {
  int descriptor = openat(j->dir, MARKER, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  bool ok = descriptor >= 0 && write(descriptor, MARKER_TEXT, sizeof MARKER_TEXT - 1) == sizeof MARKER_TEXT - 1 && fsync(descriptor) == 0;
  int code = ok ? EXIT_OK : cannot(j, "write", MARKER);
  if (descriptor >= 0) close(descriptor);
  return code;
}

static bool is_empty(const update_job *j) {
  int descriptor = openat(j->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = descriptor >= 0 ? fdopendir(descriptor) : NULL;
  bool empty = dir != NULL;
  for (struct dirent *e; dir && (e = readdir(dir)) != NULL;)
    empty &= strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || strcmp(e->d_name, MARKER) == 0; /* cut while it was written */
  if (dir) closedir(dir);
  return empty;
}

/* Ours are a folder with the marker, an empty one, and one whose `current` is a link as only update writes it (versions before the marker).
 */
static int take_folder(const update_job *j) {
  release r;
  if (has_marker(j)) return EXIT_OK;
  read_link(j, "current", &r);
  if ((j->o->from && is_empty(j)) || (*r.link && is_release(r.link + strlen("releases/")))) return write_marker(j);
  return fail(j->o->json, EXIT_USAGE, "%s was not made by retort update, so nothing in it is touched: name a new or an empty folder",
              j->folder);
}

static int open_folder(update_job *j) {
  bool makes = j->o->from != NULL;
  if (makes && mkdir(j->folder, 0755) != 0 && errno != EEXIST)
    return fail(j->o->json, EXIT_RUNTIME, "cannot make the folder %s: %s", j->folder, strerror(errno));
  j->dir = open(j->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (j->dir < 0) return fail(j->o->json, EXIT_MODEL, "cannot open the folder %s: %s", j->folder, strerror(errno));
  if (flock(j->dir, LOCK_EX | LOCK_NB) != 0) return fail(j->o->json, EXIT_RUNTIME, "%s is being updated by another process", j->folder);
  int code = take_folder(j);
  if (code == EXIT_OK && mkdirat(j->dir, "releases", 0755) != 0 && errno != EEXIST) code = cannot(j, "make the folder", "releases");
  if (code == EXIT_OK) code = settle_links(j);
  return code == EXIT_OK ? remove_folder(j, j->dir, "incoming") : code;
}

/* ---- copying ---- */

static int copy_file(const update_job *j, int from, int to, const char *name, char *piece) {
  int in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW),
      out = in >= 0 ? openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644) : -1, code = EXIT_OK;
  if (in < 0 || out < 0) code = fail(j->o->json, in < 0 ? EXIT_MODEL : EXIT_RUNTIME, "cannot copy %s: %s", name, strerror(errno));
  while (code == EXIT_OK) {
    ssize_t n = read(in, piece, PIECE);
    if (n < 0 && errno == EINTR && !interrupted()) continue;
    if (n < 0) code = fail(j->o->json, EXIT_MODEL, "cannot read %s: %s", name, strerror(errno));
    if (n <= 0) break;
    for (ssize_t at = 0; code == EXIT_OK && at < n;) {
      ssize_t w = write(out, piece + at, (size_t)(n - at));
      if (w < 0 && errno != EINTR) code = fail(j->o->json, EXIT_RUNTIME, "cannot write %s: %s", name, strerror(errno));
      if (w > 0) at += w;
    }
    if (interrupted()) code = fail(j->o->json, EXIT_INTERRUPTED, "interrupted; the installed model is as it was");
  }
  if (code == EXIT_OK && !sync_file(out))
    code = interrupted() ? fail(j->o->json, EXIT_INTERRUPTED, "interrupted; the installed model is as it was")
                         : fail(j->o->json, EXIT_RUNTIME, "cannot write %s: %s", name, strerror(errno));
  if (in >= 0) close(in);
  if (out >= 0 && close(out) != 0 && code == EXIT_OK) code = fail(j->o->json, EXIT_RUNTIME, "cannot write %s: %s", name, strerror(errno));
  return code;
}

/* Copies what the signature can cover of o->from into incoming/: all plain files, or the one model with its side files. The first GGUF by
 * name, and whether the signature is one over the folder, come back. */
static int copy_release(const update_job *j, char gguf[256], bool *whole_folder) {
  const char *from = j->o->from;
  DIR *dir = opendir(from);
  if (!dir) return fail(j->o->json, EXIT_MODEL, "cannot open the folder %s: %s", from, strerror(errno));
  struct statvfs room;
  struct stat info;
  uint64_t total = 0;
  int source = dirfd(dir), code = EXIT_OK;
  gguf[0] = 0;
  for (struct dirent *e; code == EXIT_OK && (e = readdir(dir)) != NULL;) {
    size_t n = strlen(e->d_name);
    if (e->d_name[0] == '.') continue;
    if (fstatat(source, e->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode))
      code = fail(j->o->json, EXIT_MODEL, "%s/%s is not a plain file: a release is a folder of plain files", from, e->d_name);
    total += (uint64_t)info.st_size;
    if (strcmp(e->d_name, "model.sig") == 0) *whole_folder = true;
    if (n > 5 && n < 256 && strcmp(e->d_name + n - 5, ".gguf") == 0 && (!gguf[0] || strcmp(e->d_name, gguf) < 0)) strcpy(gguf, e->d_name);
  }
  if (code == EXIT_OK && !gguf[0]) code = fail(j->o->json, EXIT_MODEL, "there is no .gguf file in %s", from);
  if (code == EXIT_OK && fstatvfs(j->dir, &room) == 0 && (uint64_t)room.f_bavail * room.f_frsize < total)
    code = fail(j->o->json, EXIT_RUNTIME, "the release needs %s but %s has only %s left; the installed model is as it was",
                memory_text(total).text, j->folder, memory_text((uint64_t)room.f_bavail * room.f_frsize).text);
  if (code == EXIT_OK && mkdirat(j->dir, "incoming", 0755) != 0) code = cannot(j, "make the folder", "incoming");
  int to = code == EXIT_OK ? openat(j->dir, "incoming", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  char *piece = malloc(PIECE);
  if (code == EXIT_OK && (to < 0 || !piece)) code = to < 0 ? cannot(j, "open", "incoming") : fail(j->o->json, EXIT_MEMORY, "out of memory");
  rewinddir(dir);
  for (struct dirent *e; code == EXIT_OK && (e = readdir(dir)) != NULL;)
    if (e->d_name[0] != '.' && (*whole_folder || strncmp(e->d_name, gguf, strlen(gguf)) == 0))
      code = copy_file(j, source, to, e->d_name, piece);
  if (code == EXIT_OK && fsync(to) != 0) code = cannot(j, "sync", "incoming");
  if (to >= 0) close(to);
  free(piece);
  closedir(dir);
  return code;
}

/* ---- the self-test ---- */

typedef struct known_answer {
  char prompt[1024], logits_sha256[65]; /* "": any answer will do */
  uint32_t max_tokens;
} known_answer;

/* `selftest.json` of a release whose signature covers the folder. */
static int read_known_answer(const update_job *j, known_answer *k) {
  char path[4400];
  text_buffer text = {0};
  snprintf(path, sizeof path, "%s/incoming/selftest.json", j->folder);
  if (access(path, F_OK) != 0) return EXIT_OK;
  int code = read_text_file(path, j->o->json, &text);
  if (code != EXIT_OK) return code;
  const char *prompt = NULL, *hash = NULL;
  int tokens = 0;
  json_t *all = json_loadb(text.bytes, text.size, 0, NULL);
  if (!all || json_unpack(all, "{s:s,s:i,s:s}", "prompt", &prompt, "max_tokens", &tokens, "logits_sha256", &hash) != 0 ||
      strlen(prompt) >= sizeof k->prompt || tokens < 1 || strlen(hash) != 64)
    code = fail(j->o->json, EXIT_MODEL, "selftest.json of the release is not {\"prompt\", \"max_tokens\", \"logits_sha256\"}");
  else {
    snprintf(k->prompt, sizeof k->prompt, "%s", prompt);
    snprintf(k->logits_sha256, sizeof k->logits_sha256, "%s", hash);
    k->max_tokens = (uint32_t)tokens;
  }
  json_decref(all);
  free(text.bytes);
  return code;
}

/* What `retort run --json --proof --temp 0 -n max_tokens --ctx 1024 PROMPT` prints and says, from a process of its own, so that nothing
 * that it does can end ours. */
static int ask(const update_job *j, const char *model, const known_answer *k, text_buffer *out) {
  int ends[2], status = 0;
  fflush(NULL);
  pid_t child = pipe(ends) == 0 ? fork() : -1;
  if (child < 0) return fail(j->o->json, EXIT_RUNTIME, "cannot start the self-test: %s", strerror(errno));
  if (child == 0) {
    char *words[] = {(char *)(uintptr_t)k->prompt, NULL};
    options o = *j->o;
    o.model = model;
    o.json = true;
    o.service.generate.proof = 1;
    o.verbose = false;
    o.service.generate.temperature = 0;
    o.service.session.n_ctx = 1024;
    o.service.generate.max_tokens = k->max_tokens;
    o.arguments = words;
    o.n_arguments = 1;
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing >= 0) dup2(nothing, STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    sandbox_leave_network(); /* it runs a model that came over it */
    int code = run_command.run(&o);
    _exit(fflush(stdout) == 0 ? code : EXIT_RUNTIME);
  }
  close(ends[1]);
  char piece[4096];
  for (ssize_t n; (n = read(ends[0], piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR);) {
    if (interrupted()) kill(child, SIGTERM);
    if (n > 0 && (out->size > (1 << 20) || !text_append(out, piece, (size_t)n))) break;
  }
  close(ends[0]);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_RUNTIME;
}

static int self_test(const update_job *j, const char *gguf, bool whole_folder) {
  known_answer k = {.prompt = "Hello", .max_tokens = 4};
  char model[4400];
  text_buffer text = {0};
  int code = whole_folder ? read_known_answer(j, &k) : EXIT_OK;
  if (code != EXIT_OK) return code;
  snprintf(model, sizeof model, "%s/incoming/%s", j->folder, gguf);
  int answered = ask(j, model, &k, &text);
  json_t *all = NULL;
  char *rest = NULL;
  for (char *line = text.bytes ? strtok_r(text.bytes, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
    if (*line == '{' && !all) all = json_loads(line, 0, NULL);
    else if (answered != EXIT_OK) fprintf(stderr, "%s\n", line);
  }
  const char *hash = json_string_value(json_object_get(json_object_get(all, "proof"), "logits_sha256"));
  if (answered == EXIT_INTERRUPTED) code = fail(j->o->json, EXIT_INTERRUPTED, "interrupted; the installed model is as it was");
  else if (!hash)
    code = fail(j->o->json, answered != EXIT_OK ? answered : EXIT_RUNTIME,
                "the release failed its self-test: it gave no answer (see above); the installed model is as it was");
  else if (*k.logits_sha256 && strcmp(hash, k.logits_sha256) != 0)
    code =
        fail(j->o->json, EXIT_RUNTIME,
             "the release failed its self-test: its logits are %s in place of %s; the installed model is as it was", hash, k.logits_sha256);
  json_decref(all);
  free(text.bytes);
  return code;
}

/* ---- the command ---- */

static int verify_at(const update_job *j, const char *path, retort_verdict *verdict) {
  machine *m = machine_open(usable_threads(j->o->threads), j->o->verbose);
  if (!m) return fail(j->o->json, EXIT_MEMORY, "out of memory");
  *verdict = (retort_verdict){.struct_size = sizeof *verdict};
  int code = verify_files(j->o, m, path, verdict);
  machine_close(m); /* its threads must be gone before the self-test forks */
  return code;
}

/* Named "name@number", of the model that is installed, and newer. `r` is what it will be called. */
static int judge_name(const update_job *j, const char *name, const char *digest, release *r) {
  bool json = j->o->json;
  if (!parse_release(name, name + strlen(name), r))
    return fail(json, EXIT_TRUST, "the release was signed as \"%s\", which is not NAME@NUMBER: sign it with retort sign --name bot@12",
                name);
  snprintf(r->link, sizeof r->link, "releases/%s@%llu-%.16s", r->name, (unsigned long long)r->number, digest);
  const release *now = &j->current;
  if (!*now->link || strcmp(r->link, now->link) == 0) return EXIT_OK;
  if (strcmp(r->name, now->name) != 0)
    return fail(json, EXIT_TRUST, "the release is of the model %s, but %s holds %s", r->name, j->folder, now->name);
  if (r->number < now->number)
    return fail(json, EXIT_TRUST, "release %llu is older than the installed release %llu; --rollback goes back to the one before",
                (unsigned long long)r->number, (unsigned long long)now->number);
  if (r->number == now->number)
    return fail(json, EXIT_TRUST, "the installed release %llu has other bytes under the same number; a changed release needs a new number",
                (unsigned long long)r->number);
  return EXIT_OK;
}

static int judge(const update_job *j, const retort_verdict *v, release *r) {
  if (v->method != RETORT_TRUST_KEY && v->method != RETORT_TRUST_CERTIFICATE)
    return fail(j->o->json, EXIT_TRUST, "the release is %s: update takes releases with an OpenSSF Model Signing bundle only",
                retort_trust_method_name(v->method));
  return judge_name(j, v->name, v->digest, r);
}

/* Of a release whose signature alone has come: what must be refused is refused before its gigabytes are fetched. */
static int judge_early(void *arg, const char *name, const char *digest, bool *done) {
  const update_job *j = arg;
  release r = {0};
  int code = judge_name(j, name, digest, &r);
  *done = code == EXIT_OK && strcmp(r.link, j->current.link) == 0;
  return code;
}

static int print_result(const update_job *j, const char *what, const release *r) {
  if (j->o->json)
    return print_json_line(
        json_pack("{s:s,s:s,s:I,s:o}", "result", what, "name", r->name, "release", (json_int_t)r->number, "path", text_json(r->link)));
  printf("%s: %s %s@%llu\n", j->folder, what, r->name, (unsigned long long)r->number);
  return EXIT_OK;
}

static int switch_to(update_job *j, const release *r) {
  int code = EXIT_OK;
  if (renameat(j->dir, "incoming", j->dir, r->link) != 0) code = cannot(j, "rename", "incoming");
  if (code == EXIT_OK) code = sync_folder(j, "releases");
  return code == EXIT_OK ? switch_links(j, r->link) : code;
}

/* As copy_release, from a URL. *same: it is the one that is installed, and nothing was fetched. */
static int fetch_release(update_job *j, char gguf[256], bool *whole_folder, bool *same) {
  download d = {.o = j->o, .folder = j->folder, .dir = j->dir, .judge = judge_early, .arg = j};
  int code = download_release(&d);
  strcpy(gguf, d.gguf);
  *whole_folder = d.whole_folder;
  *same = d.done;
  if (code == EXIT_OK && !d.done && renameat(j->dir, "download", j->dir, "incoming") != 0) code = cannot(j, "rename", "download");
  if (code == EXIT_OK || code == EXIT_TRUST) {
    int forgotten = download_forget(j->folder, j->dir, j->o->json); /* what was refused is not gone on with */
    if (code == EXIT_OK) code = forgotten;
  }
  return code;
}

static int install(update_job *j) {
  char gguf[256], path[4400];
  bool whole_folder = false, same = false;
  retort_verdict verdict;
  release r = j->current;
  int code = is_url(j->o->from) ? fetch_release(j, gguf, &whole_folder, &same) : copy_release(j, gguf, &whole_folder);
  if (code == EXIT_OK && same) {
    code = remove_old(j);
    return code == EXIT_OK ? print_result(j, "already runs", &r) : code;
  }
  snprintf(path, sizeof path, whole_folder ? "%s/incoming" : "%s/incoming/%s", j->folder, gguf);
  if (code == EXIT_OK) code = verify_at(j, path, &verdict);
  if (code == EXIT_OK) code = judge(j, &verdict, &r);
  same = code == EXIT_OK && strcmp(r.link, j->current.link) == 0;
  if (code == EXIT_OK && !same) code = self_test(j, gguf, whole_folder);
  if (code == EXIT_OK && !same) {
    struct stat there; /* it was installed before, and came back after a rollback or a cut: those bytes are verified anew */
    if (fstatat(j->dir, r.link, &there, AT_SYMLINK_NOFOLLOW) == 0) code = remove_folder(j, j->dir, r.link);
    if (code == EXIT_OK) code = switch_to(j, &r);
  }
  int tidied = remove_folder(j, j->dir, "incoming");
  if (code == EXIT_OK) code = tidied;
  if (code == EXIT_OK) code = remove_old(j);
  return code == EXIT_OK ? print_result(j, same ? "already runs" : "now runs", &r) : code;
}

static int roll_back(update_job *j) {
  char path[4400], name[256] = "";
  retort_verdict verdict;
  release back = j->previous, now = j->current;
  if (!*back.link || strcmp(back.link, now.link) == 0)
    return fail(j->o->json, EXIT_MODEL, "%s has no release before the current one", j->folder);
  snprintf(path, sizeof path, "%s/%s", j->folder, back.link);
  DIR *dir = opendir(path);
  bool whole_folder = false;
  for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
    size_t n = strlen(e->d_name);
    if (strcmp(e->d_name, "model.sig") == 0) whole_folder = true;
    if (n > 5 && strcmp(e->d_name + n - 5, ".gguf") == 0 && (!*name || strcmp(e->d_name, name) < 0))
      snprintf(name, sizeof name, "%s", e->d_name);
  }
  if (dir) closedir(dir);
  if (!whole_folder) snprintf(path, sizeof path, "%s/%s/%s", j->folder, back.link, name);
  int code = verify_at(j, path, &verdict);
  if (code == EXIT_OK) code = switch_links(j, back.link);
  return code == EXIT_OK ? print_result(j, "is back at", &back) : code;
}

static int update(const options *o) {
  if (o->n_arguments != 1) return fail(o->json, EXIT_USAGE, "name the folder of the model that is to be updated");
  if ((o->from != NULL) == o->rollback) return fail(o->json, EXIT_USAGE, "say where the release is (--from DIR or URL), or --rollback");
  update_job j = {.o = o, .folder = o->arguments[0], .dir = -1};
  if (strlen(j.folder) > 4000) return fail(o->json, EXIT_USAGE, "the folder's name is too long");
  catch_interrupts();
  int code = open_folder(&j);
  if (code == EXIT_OK) code = o->rollback ? roll_back(&j) : install(&j);
  if (j.dir >= 0) close(j.dir);
  return code;
}

static const option_spec specs[] = {
    {"from", 0, OPTION_STRING, AT(from), "DIR|URL", 0, 0,
     "the release: a folder with the model and its signature (a mounted stick, a synchronised folder), or https://HOST/FOLDER/ on a web "
     "server, or the URL of a signed .gguf file. An interrupted download is gone on with"},
    {"ca-file", 0, OPTION_STRING, AT(ca_file), "CA.pem", 0, 0,
     "with https: the authorities that may vouch for the server. Default: the system's"},
    {"rollback", 0, OPTION_FLAG, AT(rollback), NULL, 0, 0, "go back to the release before, which is verified again"},
    {"key", 0, OPTION_LIST, AT(keys), "PUB.pem", 0, 0,
     "trust releases signed with this ECDSA key (PEM); may be given several times. Without these options the trust store decides (retort "
     "trust)"},
    {"cert-root", 0, OPTION_LIST, AT(roots), "ROOT.pem", 0, 0, "trust releases signed through a certificate chain to this root"},
    {"at-signing-time", 0, OPTION_FLAG, AT(at_signing_time), NULL, 0, 0,
     "certificates need to have been valid when the signer's was issued, not now"},
    {"threads", 't', OPTION_U32, AT(threads), "N", 1, 1024,
     "threads that read and hash. Default: the fast physical cores that this process may use"},
    OPTIONS_OUTPUT,
};

const command update_command = {
    .name = "update",
    .summary = "install a newer signed release of a model in one step, or go back",
    .usage = "--from DIR|URL FOLDER | --rollback FOLDER",
    .text =
        "FOLDER is where the model lives on this machine; it is made on first use, and programs load FOLDER/current/NAME.gguf. The release "
        "is copied beside the current one, verified, tried "
        "(it must answer, and where it holds a signed selftest.json give just those logits), and only then made current; the one before is "
        "kept. Its signed name must be NAME@NUMBER "
        "(retort sign --name bot@12), with a number above the installed one. Whenever this is interrupted, the installed model stays as it "
        "was. The network is used for a URL and for nothing else; "
        "of a URL the signature comes first, and nothing more where it is refused.",
    .examples =
        "  retort update --from /media/stick/bot --key fleet.pub /var/lib/bot\n  retort update --from https://models.example/bot/12/ --key "
        "fleet.pub /var/lib/bot\n  retort run -m /var/lib/bot/current/bot.gguf --key fleet.pub \"Hello\"\n  retort update --rollback --key "
        "fleet.pub /var/lib/bot\n",
    .specs = specs,
    .n_specs = sizeof specs / sizeof specs[0],
    .rights = UPDATES,
    .run = update,
};
