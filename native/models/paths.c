/* paths.c - see paths.h. */
#include "paths.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { PIECE = 8 << 20, PAGE = 4096, MOST_PARTS = 1000 };

static int add_file(model_paths *t, const char *path, uint64_t size, bool json) {
  if (t->count % 64 == 0) {
    retort_buffer *grown = realloc(t->files, (t->count + 64) * sizeof *grown);
    if (!grown) return fail(json, EXIT_MEMORY, "out of memory");
    t->files = grown;
  }
  t->files[t->count] = (retort_buffer){sizeof(retort_buffer), NULL, (size_t)size, strdup(path)};
  if (!t->files[t->count].name) return fail(json, EXIT_MEMORY, "out of memory");
  t->bytes += size;
  t->count++;
  return EXIT_OK;
}

static int add_named(model_paths *t, const char *path, bool json) {
  struct stat info;
  if (stat(path, &info) != 0) return fail(json, EXIT_MODEL, "cannot open %s: %s", path, strerror(errno));
  if (!S_ISREG(info.st_mode)) return fail(json, EXIT_MODEL, "%s is not a file", path);
  return add_file(t, path, (uint64_t)info.st_size, json);
}

bool ignored_path(const char *root, const char *given, char path[4300]) {
  char here[4096], there[4096];
  struct stat info;
  snprintf(path, 4300, "%s/%s", root, given);
  if (given[0] == '/' || (lstat(path, &info) != 0 && lstat(given, &info) == 0)) { /* from here */
    size_t n = realpath(root, there) ? strlen(there) : 0;
    if (n == 0 || !realpath(given, here) || strncmp(here, there, n) != 0 || here[n] != '/') return false;
    given = here + n + 1;
  }
  while (given[0] == '.' && given[1] == '/') given += 2;
  snprintf(path, 4300, "%s", given);
  for (size_t end = strlen(path); end > 0 && path[end - 1] == '/'; end--) path[end - 1] = 0;
  return retort_trust_name_is_plain(path) != 0;
}

/* What is left out, looked up once: the walk asks for each file. */
typedef struct exceptions {
  char *ignored[MAX_LIST];
  size_t n_ignored;
  bool signature; /* there is one: the file of these two numbers */
  dev_t device;
  ino_t inode;
} exceptions;

static void close_exceptions(exceptions *x) {
  while (x->n_ignored) free(x->ignored[--x->n_ignored]);
}

static int open_exceptions(exceptions *x, const char *root, const left_out *out, bool json) {
  struct stat info;
  char path[4300];
  *x = (exceptions){.signature = out->signature && stat(out->signature, &info) == 0};
  if (x->signature) x->device = info.st_dev, x->inode = info.st_ino;
  for (size_t i = 0; out->ignored && i < out->ignored->count; i++) {
    if (!ignored_path(root, out->ignored->value[i], path))
      return fail(json, EXIT_USAGE, "--ignore-paths %s is no path inside %s", out->ignored->value[i], root);
    if (!(x->ignored[x->n_ignored] = strdup(path))) return fail(json, EXIT_MEMORY, "out of memory");
    x->n_ignored++;
  }
  return EXIT_OK;
}

/* Of `e`, which lies below the folder: the signature, git's own, or ignored by the user. */
static bool is_left_out(model_paths *t, const FTSENT *e, const exceptions *x) {
  static const char *const names[] = {".git", ".gitignore", ".gitattributes", ".github"};
  if (e->fts_level < 1 || e->fts_info == FTS_DP) return false;
  for (size_t i = 0; e->fts_level == 1 && i < sizeof names / sizeof names[0]; i++)
    if (strcmp(e->fts_name, names[i]) == 0) return true;
  if (x->signature && e->fts_info == FTS_F && x->device == e->fts_statp->st_dev && x->inode == e->fts_statp->st_ino) return true;
  for (size_t i = 0; i < x->n_ignored; i++)
    if (strcmp(e->fts_path + strlen(t->root) + 1, x->ignored[i]) == 0) {
      t->n_left_out++;
      return true;
    }
  return false;
}

static int by_name(const FTSENT **a, const FTSENT **b) { return strcmp((*a)->fts_name, (*b)->fts_name); }

static int walk_folder(model_paths *t, const exceptions *x, bool json) {
  char *roots[] = {t->root, NULL};
  int code = EXIT_OK;
  FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
  if (!walk) return fail(json, EXIT_MODEL, "cannot open %s: %s", t->root, strerror(errno));
  for (FTSENT *e; code == EXIT_OK && (e = fts_read(walk)) != NULL;) {
    if (is_left_out(t, e, x)) {
      fts_set(walk, e, FTS_SKIP);
      continue;
    }
    if (e->fts_info == FTS_D || e->fts_info == FTS_DP) continue;
    if (e->fts_info == FTS_F) code = add_file(t, e->fts_path, (uint64_t)e->fts_statp->st_size, json);
    else if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_NS)
      code = fail(json, EXIT_MODEL, "cannot read %s: %s", e->fts_path, strerror(e->fts_errno));
    else
      code =
          fail(json, EXIT_TRUST,
               "%s is a link or a device: a signed model has plain files only; remove it, or leave it out (--ignore-paths)", e->fts_path);
  }
  fts_close(walk);
  if (code == EXIT_OK && t->count == 0) code = fail(json, EXIT_MODEL, "there are no files in %s", t->root);
  return code;
}

static int add_folder(model_paths *t, const left_out *out, bool json) {
  exceptions x;
  int code = open_exceptions(&x, t->root, out, json);
  if (code == EXIT_OK) code = walk_folder(t, &x, json);
  close_exceptions(&x);
  return code;
}

/* Five digits; -1: they are none. */
static int five_digits(const char *text) {
  int number = 0;
  for (int i = 0; i < 5; i++) {
    if (text[i] < '0' || text[i] > '9') return -1;
    number = number * 10 + text[i] - '0';
  }
  return number;
}

unsigned split_count(const char *path, size_t *digits) {
  size_t n = strlen(path);
  const char *end = path + n - 20;
  if (n < 20 || end[0] != '-' || strncmp(end + 6, "-of-", 4) != 0 || strcasecmp(end + 15, ".gguf") != 0) return 1;
  int number = five_digits(end + 1), count = five_digits(end + 10);
  if (number < 1 || count < number || count > MOST_PARTS) return 1;
  *digits = n - 19;
  return (unsigned)count;
}

static int add_split_set(model_paths *t, const char *path, unsigned count, bool json) {
  size_t n = strlen(path);
  char *name = strdup(path);
  int code = name ? EXIT_OK : fail(json, EXIT_MEMORY, "out of memory");
  for (unsigned i = 1; code == EXIT_OK && i <= count; i++) {
    char number[8];
    snprintf(number, sizeof number, "%05u", i);
    memcpy(name + n - 19, number, 5);
    code = add_named(t, name, json);
  }
  free(name);
  return code;
}

int model_paths_open(model_paths *t, const char *path, const left_out *out, bool json) {
  struct stat info;
  *t = (model_paths){0};
  int code;
  if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
    t->root = strdup(path);
    for (size_t n = t->root ? strlen(t->root) : 0; n > 1 && t->root[n - 1] == '/'; n--) t->root[n - 1] = 0;
    code = t->root ? add_folder(t, out, json) : fail(json, EXIT_MEMORY, "out of memory");
  } else {
    size_t digits;
    unsigned count = split_count(path, &digits);
    code = count > 1 ? add_split_set(t, path, count, json) : add_named(t, path, json);
  }
  if (code != EXIT_OK) model_paths_close(t);
  return code;
}

void model_paths_close(model_paths *t) {
  for (size_t i = 0; i < t->count; i++) free((void *)(uintptr_t)t->files[i].name);
  free(t->files);
  free(t->root);
  *t = (model_paths){0};
}

int model_paths_read(const model_paths *t, size_t index, retort_status (*take)(void *, uint64_t, const void *, size_t, retort_error *),
                     void *arg, bool json) {
  const retort_buffer *file = &t->files[index];
  retort_error error = {0};
  int descriptor = open(file->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), code = EXIT_OK;
  if (descriptor < 0 && errno == ELOOP && !t->root)
    descriptor = open(file->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a link that the user named is the user's choice */
  if (descriptor < 0) return fail(json, EXIT_MODEL, "cannot open %s: %s", file->name, strerror(errno));
  char *piece = read_buffer(PIECE);
  if (!piece) code = fail(json, EXIT_MEMORY, "out of memory");
  for (uint64_t offset = 0; code == EXIT_OK && offset < file->size;) {
    size_t wanted = file->size - offset < PIECE ? (size_t)(file->size - offset) : PIECE, got = 0;
    while (got < wanted) {
      ssize_t n = read(descriptor, piece + got, wanted - got);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      got += (size_t)n;
    }
    if (got < wanted) code = fail(json, EXIT_MODEL, "%s became shorter while it was read, or cannot be read", file->name);
    else if (take(arg, offset, piece, got, &error)) code = fail_status(json, &error);
    offset += got;
  }
  free(piece);
  close(descriptor);
  return code;
}

char *read_buffer(size_t size) { return aligned_alloc(PAGE, (size + PAGE) / PAGE * PAGE); }

bool random_bytes(void *out, size_t size) { return getentropy(out, size) == 0; }

char *ask_password(const char *prompt) {
  struct termios old, quiet;
  bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &old) == 0;
  char *line = NULL;
  size_t capacity = 0;
  if (terminal) {
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    fprintf(stderr, "%s: ", prompt);
  }
  ssize_t n = getline(&line, &capacity, stdin);
  if (terminal) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
    fputc('\n', stderr);
  }
  if (n <= 0) {
    free(line);
    return NULL;
  }
  if (line[n - 1] == '\n') line[n - 1] = 0;
  return line;
}
