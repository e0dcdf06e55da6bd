/* download.c - see download.h.
 *
 * A web server gives no list of a folder; the signature does. It is small, it comes first, and nothing else is fetched before somebody whom
 * the caller trusts is known to have signed it: URL/model.sig for a signed folder, or, where the URL names a .gguf file, that name with
 * .sig. Then come the files that it names, and their lists of chunks where there are any. Sizes are signed where `retort sign` made the
 * signature; elsewhere the room on the disk is the limit.
 *
 *   download/        what has arrived, under its final names
 *   download.json    the URL, and for each file the server's validator (ETag or date), without which a half file is not gone on with
 */
#include "download.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mbedtls/base64.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "fetch.h"
#include "output.h"
#include "trust_policy.h"
#include "machine/posix.h"
#include "paths.h"

enum { MOST_FILES = 1000, MOST_SIGNATURE = 4 << 20, MOST_CHUNK_LIST = 64 << 20, ROOM_KEPT = 16 << 20, SIGNATURE_SECONDS = 300 };

typedef struct wanted {
  char name[256];
  uint64_t size; /* 0: not signed */
} wanted;

typedef struct job {
  download *d;
  fetch *f;
  int to;        /* download/ */
  json_t *state; /* {"url", "validators": {NAME: TEXT}} */
  wanted *files;
  size_t count;
  char name[256], digest[65]; /* as signed */
} job;

bool is_url(const char *from) { return strncasecmp(from, "http://", 7) == 0 || strncasecmp(from, "https://", 8) == 0; }

static int cannot(const job *j, const char *what, const char *name) {
  return fail(j->d->o->json, EXIT_RUNTIME, "cannot %s %s/%s: %s", what, j->d->folder, name, strerror(errno));
}

/* ---- what is remembered ---- */

int download_forget(const char *folder, int dir, bool json) {
  int descriptor = openat(dir, "download", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  DIR *files = descriptor >= 0 ? fdopendir(descriptor) : NULL;
  for (struct dirent *e; files && (e = readdir(files)) != NULL;)
    if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) unlinkat(descriptor, e->d_name, 0);
  if (files) closedir(files);
  bool ok = (unlinkat(dir, "download", AT_REMOVEDIR) == 0 || errno == ENOENT) &&
            (unlinkat(dir, "download.json", 0) == 0 || errno == ENOENT) && (unlinkat(dir, "download.json.new", 0) == 0 || errno == ENOENT);
  return ok ? EXIT_OK : fail(json, EXIT_RUNTIME, "cannot remove %s/download: %s", folder, strerror(errno));
}

static int write_state(job *j) {
  char *text = json_dumps(j->state, 0);
  int descriptor = text ? openat(j->d->dir, "download.json.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
  size_t n = text ? strlen(text) : 0;
  bool ok = descriptor >= 0 && write(descriptor, text, n) == (ssize_t)n && fsync(descriptor) == 0;
  if (descriptor >= 0 && close(descriptor) != 0) ok = false;
  free(text);
  if (!ok || renameat(j->d->dir, "download.json.new", j->d->dir, "download.json") != 0) return cannot(j, "write", "download.json");
  return EXIT_OK;
}

static int open_state(job *j) {
  char path[4300];
  snprintf(path, sizeof path, "%s/download.json", j->d->folder);
  j->state = json_load_file(path, 0, NULL);
  const char *url = json_string_value(json_object_get(j->state, "url"));
  int code = EXIT_OK;
  if (!url || strcmp(url, j->d->o->from) != 0 || !json_is_object(json_object_get(j->state, "validators"))) {
    code = download_forget(j->d->folder, j->d->dir, j->d->o->json);
    json_decref(j->state);
    j->state = json_pack("{s:o,s:{}}", "url", text_json(j->d->o->from), "validators");
    if (code == EXIT_OK && !j->state) code = fail(j->d->o->json, EXIT_MEMORY, "out of memory");
  }
  if (code == EXIT_OK && mkdirat(j->d->dir, "download", 0755) != 0 && errno != EEXIST) code = cannot(j, "make the folder", "download");
  if (code == EXIT_OK && (j->to = openat(j->d->dir, "download", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) < 0)
    code = cannot(j, "open", "download");
  return code;
}

static int note_validator(void *arg, const fetch_file *file) {
  job *j = arg;
  json_object_set_new(json_object_get(j->state, "validators"), file->name, json_string(file->validator));
  return write_state(j);
}

/* ---- one file ---- */

static int get(job *j, fetch_file *file) {
  int descriptor = openat(j->to, file->name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (descriptor < 0) return cannot(j, "write", file->name);
  const char *validator = json_string_value(json_object_get(json_object_get(j->state, "validators"), file->name));
  if (validator) snprintf(file->validator, sizeof file->validator, "%s", validator);
  int code = fetch_get(j->f, file, descriptor, note_validator, j);
  if (code == EXIT_OK && !sync_file(descriptor))
    code = interrupted() ? fail(j->d->o->json, EXIT_INTERRUPTED, "interrupted; the installed model is as it was")
                         : cannot(j, "sync", file->name);
  if (close(descriptor) != 0 && code == EXIT_OK) code = cannot(j, "write", file->name);
  if (code == EXIT_OK && !file->found) unlinkat(j->to, file->name, 0);
  return code;
}

/* The signature, always anew: it may have been replaced. */
static int get_signature(job *j, const char *name) {
  fetch_file file = {.name = name, .most = MOST_SIGNATURE, .seconds = SIGNATURE_SECONDS};
  unlinkat(j->to, name, 0);
  json_object_del(json_object_get(j->state, "validators"), name);
  return get(j, &file);
}

/* ---- what the signature names ---- */

static bool plain_name(const char *name) {
  return name[0] != '.' && name[0] != 0 && strlen(name) < 240 && !strchr(name, '/') && !strchr(name, '\\');
}

static bool ends_with(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n > m && strcmp(text + n - m, end) == 0;
}

/* The statement inside a bundle; NULL where the text is none. What it says is believed only once check_signature has passed. */
static json_t *statement_of(const text_buffer *bundle) {
  json_t *all = json_loadb(bundle->bytes, bundle->size, 0, NULL), *statement = NULL;
  const char *payload = json_string_value(json_object_get(json_object_get(all, "dsseEnvelope"), "payload"));
  size_t n = payload ? strlen(payload) : 0, size = 0;
  unsigned char *bytes = payload ? malloc(n + 1) : NULL;
  if (bytes && mbedtls_base64_decode(bytes, n + 1, &size, (const unsigned char *)payload, n) == 0)
    statement = json_loadb((const char *)bytes, size, 0, NULL);
  free(bytes);
  json_decref(all);
  return statement;
}

/* `single`: the one file that the URL names, NULL: a folder. */
static int read_signature(job *j, const char *name, const char *single) {
  bool json = j->d->o->json;
  char path[4400];
  text_buffer text = {0};
  snprintf(path, sizeof path, "%s/download/%s", j->d->folder, name);
  int code = read_text_file(path, json, &text);
  if (code != EXIT_OK) return code;
  json_t *statement = statement_of(&text), *subject = json_array_get(json_object_get(statement, "subject"), 0);
  json_t *resources = json_object_get(json_object_get(statement, "predicate"), "resources");
  const char *signed_name = json_string_value(json_object_get(subject, "name")),
             *digest = json_string_value(json_object_get(json_object_get(subject, "digest"), "sha256"));
  size_t n = json_array_size(resources);
  free(text.bytes);
  if (!signed_name || !digest || n == 0 || strlen(signed_name) >= sizeof j->name || strlen(digest) != 64)
    code = fail(json, EXIT_TRUST, "%s of the release is not an OpenSSF Model Signing bundle", name);
  else if (n > MOST_FILES || (single && n != 1))
    code = fail(json, EXIT_UNSUPPORTED, "%s names %zu files; %s", name, n,
                single ? "name the folder in place of the file" : "at most 1000 can be updated");
  if (code == EXIT_OK && !(j->files = calloc(n, sizeof *j->files))) code = fail(json, EXIT_MEMORY, "out of memory");
  for (size_t i = 0; code == EXIT_OK && i < n; i++) {
    json_t *resource = json_array_get(resources, i),
           *size = json_object_get(json_object_get(json_object_get(resource, "annotations"), "retort.chunks"), "size");
    const char *file = single ? single : json_string_value(json_object_get(resource, "name"));
    if (!file || !plain_name(file))
      code = fail(json, EXIT_UNSUPPORTED, "the release holds the file %s: a release is a folder of plain files",
                  file ? file : "without a name");
    else snprintf(j->files[j->count].name, sizeof j->files[0].name, "%s", file);
    if (code == EXIT_OK) j->files[j->count++].size = json_integer_value(size) > 0 ? (uint64_t)json_integer_value(size) : 0;
    if (code == EXIT_OK && ends_with(file, ".gguf") && (!*j->d->gguf || strcmp(file, j->d->gguf) < 0))
      strcpy(j->d->gguf, j->files[j->count - 1].name);
  }
  if (code == EXIT_OK && !*j->d->gguf) code = fail(json, EXIT_MODEL, "the release names no .gguf file");
  if (code == EXIT_OK) strcpy(j->name, signed_name), strcpy(j->digest, digest);
  json_decref(statement);
  return code;
}

/* Whether somebody trusted signed just these names and sizes: the verifier's own check, before there are bytes to feed. */
static int check_signature(const job *j, bool folder) {
  options o = *j->d->o;
  char root[4300];
  machine *m = machine_open(1, o.verbose);
  retort_buffer *files = calloc(j->count, sizeof *files);
  retort_verifier *verifier = NULL;
  int code = m && files ? EXIT_OK : fail(o.json, EXIT_MEMORY, "out of memory");
  snprintf(root, sizeof root, "%s/download", j->d->folder);
  if (folder) o.root = root, o.complete = true;
  o.whole = true; /* the lists of chunks have not come yet */
  for (size_t i = 0; code == EXIT_OK && i < j->count; i++) {
    char path[4600];
    snprintf(path, sizeof path, "%s/%s", root, j->files[i].name);
    files[i] = (retort_buffer){sizeof(retort_buffer), NULL, (size_t)j->files[i].size, strdup(path)};
    if (!files[i].name) code = fail(o.json, EXIT_MEMORY, "out of memory");
  }
  if (code == EXIT_OK) code = trust_policy_open(machine_platform(m), &o, files, j->count, false, &verifier);
  retort_verifier_close(verifier);
  for (size_t i = 0; files && i < j->count; i++) free((void *)(uintptr_t)files[i].name);
  free(files);
  machine_close(m);
  return code;
}

/* ---- all of them ---- */

static int check_room(const job *j, uint64_t *room) {
  struct statvfs disk;
  struct stat info;
  uint64_t total = 0;
  if (fstatvfs(j->d->dir, &disk) != 0) return cannot(j, "look at", ".");
  uint64_t left = (uint64_t)disk.f_bavail * disk.f_frsize;
  for (size_t i = 0; i < j->count; i++) {
    uint64_t there = fstatat(j->to, j->files[i].name, &info, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)info.st_size : 0;
    total += j->files[i].size > there ? j->files[i].size - there : 0;
    left += j->files[i].size ? 0 : there;
  }
  if (left < total)
    return fail(j->d->o->json, EXIT_RUNTIME, "the release needs %s more but %s has only %s left; the installed model is as it was",
                memory_text(total).text, j->d->folder, memory_text(left).text);
  *room = left > ROOM_KEPT ? left - ROOM_KEPT : 0;
  return EXIT_OK;
}

static int get_files(job *j) {
  uint64_t room = 0;
  int code = check_room(j, &room);
  for (size_t i = 0; code == EXIT_OK && i < j->count; i++) {
    const wanted *w = &j->files[i];
    char chunks[300];
    fetch_file file = {.name = w->name, .most = w->size ? w->size : room, .size = w->size},
               list = {.name = chunks, .most = MOST_CHUNK_LIST, .optional = true};
    snprintf(chunks, sizeof chunks, "%s.chunks", w->name);
    if (w->size) code = get(j, &list); /* only a signature of ours, which has sizes, vouches for lists */
    if (code == EXIT_OK) code = get(j, &file);
  }
  if (code == EXIT_OK && fsync(j->to) != 0) code = cannot(j, "sync", "download");
  return code;
}

/* Removes what the signature does not name, left by an older release under the same URL. */
static void remove_others(const job *j, const char *signature) {
  int descriptor = dup(j->to);
  DIR *dir = descriptor >= 0 ? fdopendir(descriptor) : NULL;
  for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
    bool named = strcmp(e->d_name, signature) == 0 || e->d_name[0] == '.';
    for (size_t i = 0; i < j->count && !named; i++) {
      size_t n = strlen(j->files[i].name);
      named = strncmp(e->d_name, j->files[i].name, n) == 0 && (e->d_name[n] == 0 || strcmp(e->d_name + n, ".chunks") == 0);
    }
    if (!named) unlinkat(j->to, e->d_name, 0);
  }
  if (dir) closedir(dir);
}

int download_release(download *d) {
  job j = {.d = d, .to = -1};
  char base[2100], single[256] = "", signature[300] = "model.sig";
  d->gguf[0] = 0;
  d->done = false;
  if (strlen(d->o->from) > 2000) return fail(d->o->json, EXIT_USAGE, "the URL is too long");
  strcpy(base, d->o->from);
  if (ends_with(base, ".gguf")) {
    char *name = strrchr(base, '/') + 1; /* there are two in front of the host */
    if (!plain_name(name)) return fail(d->o->json, EXIT_USAGE, "%s is not a file's name", name);
    snprintf(single, sizeof single, "%s", name);
    snprintf(signature, sizeof signature, "%s.sig", name);
    *name = 0;
  }
  d->whole_folder = !*single;
  int code = fetch_open(&j.f, d->o, base);
  if (code == EXIT_OK) code = open_state(&j);
  if (code == EXIT_OK) code = get_signature(&j, signature);
  if (code == EXIT_OK) code = read_signature(&j, signature, *single ? single : NULL);
  if (code == EXIT_OK) code = check_signature(&j, d->whole_folder);
  if (code == EXIT_OK) code = d->judge(d->arg, j.name, j.digest, &d->done);
  if (code == EXIT_OK && !d->done) {
    remove_others(&j, signature);
    code = get_files(&j);
  }
  if (j.to >= 0) close(j.to);
  fetch_close(j.f);
  json_decref(j.state);
  free(j.files);
  return code;
}
