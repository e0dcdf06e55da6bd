/* trust_policy.c - see trust_policy.h.
 *
 * With the options silent, the order is fixed: a signature beside the model (a bundle by key, then by certificate, then minisign), then a
 * pin. A file that none of them vouches for is refused. Each attempt is a verifier of its own with one method; nothing a file says leads to
 * a weaker one. Signatures are checked before any byte of the model is read; a pin is tried only for a file of the pinned size.
 */
#include "trust_policy.h"

#include "embedded.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The project's own key (models/retort-project.pub, docs/RELEASING.md): vouches for models of the project's name only. */
static const char PROJECT_KEY[] = RETORT_PROJECT_KEY;
static const char PROJECT_MODEL[] = "ember";
/* Most bytes of keys and roots, of the list of pins, of a signature (as the core takes it). */
enum { ANCHOR_MAX = 64 << 10, PINS_MAX = 16 << 20, SIGNATURE_MAX = 32 << 20 };
/* SmolLM2-135M-Instruct.Q4_1.gguf, which build.sh fetches pinned by the same digest. */
static const pin TEST_MODEL_PIN = {"b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", 98362432,
                                   "SmolLM2-135M-Instruct.Q4_1.gguf"};

int64_t now_utc(void) { return (int64_t)time(NULL); }

const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

bool store_folder(char path[4096]) {
  const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
  int n = -1;
  if (config && *config == '/') n = snprintf(path, 4096, "%s/retort/trust", config);
  else if (home && *home) n = snprintf(path, 4096, "%s/.config/retort/trust", home);
  return n > 0 && n < 4096;
}

int anchor_kind(const text_buffer *text) {
  if (strstr(text->bytes, "-----BEGIN CERTIFICATE-----")) return RETORT_TRUST_CERTIFICATE;
  if (strstr(text->bytes, "-----BEGIN PUBLIC KEY-----")) return RETORT_TRUST_KEY;
  return strncmp(text->bytes, "untrusted comment: ", 19) == 0 ||
                 (text->size >= 56 && text->size <= 58 && strncmp(text->bytes, "RW", 2) == 0)
             ? RETORT_TRUST_MINISIGN
             : -1;
}

static void anchors_free(anchor_set *set) {
  for (size_t i = 0; i < set->count; i++) {
    free((void *)(uintptr_t)set->items[i].data);
    free((void *)(uintptr_t)set->items[i].name);
  }
  set->count = 0;
}

void trust_set_free(trust_set *set) {
  anchors_free(&set->keys);
  anchors_free(&set->roots);
  anchors_free(&set->minisign);
  free(set->pins);
  *set = (trust_set){0};
}

/* A file that the user named: it may be a pipe as well. */
static int read_named(const char *path, size_t most, bool json, text_buffer *text) {
  int descriptor = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(json, EXIT_RUNTIME, "cannot open %s: %s", path, strerror(errno));
  return read_short_file(descriptor, path, most, json, text);
}

static int keep_anchor(anchor_set *set, const char *path, const text_buffer *text, bool json) {
  char *name = set->count < MAX_ANCHORS ? strdup(path) : NULL;
  if (name) set->items[set->count++] = (retort_buffer){sizeof(retort_buffer), text->bytes, text->size, name};
  else free(text->bytes);
  return name                       ? EXIT_OK
         : set->count < MAX_ANCHORS ? fail(json, EXIT_MEMORY, "out of memory")
                                    : fail(json, EXIT_USAGE, "more than %d keys", MAX_ANCHORS);
}

static int add_anchor(anchor_set *set, const char *path, bool json) {
  text_buffer text = {0};
  int code = read_named(path, ANCHOR_MAX, json, &text);
  if (code == EXIT_OK) return keep_anchor(set, path, &text, json);
  free(text.bytes);
  return code;
}

static bool add_pin(trust_set *set, const pin *p) {
  pin *grown = realloc(set->pins, (set->n_pins + 1) * sizeof *grown);
  if (!grown) return false;
  set->pins = grown;
  set->pins[set->n_pins++] = *p;
  return true;
}

/* "SHA-256 size name". */
static bool parse_pin(const char *line, pin *p) {
  char *end;
  if (strspn(line, "0123456789abcdef") != 64 || line[64] != ' ') return false;
  memcpy(p->hex, line, 64);
  p->size = strtoull(line + 65, &end, 10);
  if (end == line + 65 || *end != ' ') return false;
  snprintf(p->name, sizeof p->name, "%s", end + 1);
  return p->name[0] != 0;
}

static int read_pins(trust_set *set, const char *path, const text_buffer *text, bool json) {
  int code = EXIT_OK;
  char *rest = NULL;
  unsigned number = 0;
  for (char *line = strtok_r(text->bytes, "\n", &rest); line && code == EXIT_OK; line = strtok_r(NULL, "\n", &rest)) {
    pin p = {0};
    number++;
    if (!parse_pin(line, &p))
      code = fail(json, EXIT_TRUST, "%s, line %u: not \"SHA-256 size name\"; mend the file, or remove it and pin your models again", path,
                  number);
    if (code == EXIT_OK && !add_pin(set, &p)) code = fail(json, EXIT_MEMORY, "out of memory");
  }
  return code;
}

/* What others may write says what others trust. */
static int must_be_ours(int descriptor, const char *path, bool json) {
  struct stat info;
  if (fstat(descriptor, &info) != 0) return fail(json, EXIT_RUNTIME, "cannot look at %s: %s", path, strerror(errno));
  if (info.st_uid != geteuid() && info.st_uid != 0)
    return fail(json, EXIT_TRUST,
                "%s belongs to another user, so it does not say what you trust; remove it, or give it to yourself (chown)", path);
  if (info.st_mode & (S_IWGRP | S_IWOTH))
    return fail(json, EXIT_TRUST, "%s can be changed by others; look at what it says, then: chmod go-w %s", path, path);
  return EXIT_OK;
}

/* Whoever may write a folder above the store can put another in its place; where the sticky bit is set, only what belongs to him. */
static int parents_must_be_safe(const char *folder, bool json) {
  struct stat info;
  char path[4096];
  snprintf(path, sizeof path, "%s", folder);
  for (char *slash; (slash = strrchr(path, '/')) != NULL;) {
    slash[slash == path] = 0;
    if (stat(path, &info) == 0 && (info.st_mode & S_IWOTH) && !(info.st_mode & S_ISVTX))
      return fail(json, EXIT_TRUST, "%s, in which the trust store lies, can be changed by everybody; look at %s, then: chmod o-w %s", path,
                  folder, path);
    if (slash == path) break;
  }
  return EXIT_OK;
}

/* Adds what the file `name` of the store's folder says; other names than the four kinds are no part of the store. */
static int read_entry(trust_set *set, int folder, const char *name, const char *path, bool json) {
  static const char *const kinds[] = {"key-", "root-", "minisign-"};
  anchor_set *const sets[] = {&set->keys, &set->roots, &set->minisign};
  anchor_set *anchors = NULL;
  text_buffer text = {0};
  struct stat info;
  for (size_t i = 0; i < 3; i++)
    if (strncmp(name, kinds[i], strlen(kinds[i])) == 0) anchors = sets[i];
  if (!anchors && strcmp(name, "pins") != 0) return EXIT_OK;
  int descriptor = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return fail(json, EXIT_RUNTIME, "cannot open %s: %s", path, strerror(errno));
  int code = must_be_ours(descriptor, path, json);
  if (code == EXIT_OK && (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)))
    code = fail(json, EXIT_TRUST, "%s is not a file; remove it from the trust store", path);
  if (code != EXIT_OK) {
    close(descriptor);
    return code;
  }
  code = read_short_file(descriptor, path, anchors ? ANCHOR_MAX : PINS_MAX, json, &text);
  if (code == EXIT_OK && anchors) return keep_anchor(anchors, path, &text, json);
  if (code == EXIT_OK) code = read_pins(set, path, &text, json);
  free(text.bytes);
  return code;
}

int store_read(trust_set *set, bool json) {
  char folder[4096], path[4400];
  *set = (trust_set){0};
  if (!store_folder(folder)) return EXIT_OK;
  DIR *dir = opendir(folder);
  if (!dir) return errno == ENOENT ? EXIT_OK : fail(json, EXIT_RUNTIME, "cannot read the trust store %s: %s", folder, strerror(errno));
  char *real = realpath(folder, NULL);
  int code = must_be_ours(dirfd(dir), folder, json);
  if (code == EXIT_OK) code = parents_must_be_safe(folder, json);
  if (code == EXIT_OK && real) code = parents_must_be_safe(real, json);
  free(real);
  for (struct dirent *entry; code == EXIT_OK && (entry = readdir(dir)) != NULL;) {
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    code = read_entry(set, dirfd(dir), entry->d_name, path, json);
  }
  closedir(dir);
  if (code != EXIT_OK) trust_set_free(set);
  return code;
}

/* ---- signatures beside the model ---- */

/* Reads the file `path` of at most `most` bytes if it is there: 1, 0 where it is not, -1 once an error was reported. */
static int read_if_there(const char *path, size_t most, text_buffer *text, bool json, int *code) {
  struct stat info;
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe in its place must not keep us waiting */
  if (descriptor < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)) return 0;
  const int reason = errno;
  if ((descriptor < 0 ? stat(path, &info) : fstat(descriptor, &info)) != 0 || !S_ISREG(info.st_mode)) {
    *code = fail(json, EXIT_TRUST, "%s is not a file; remove it, or name the signature", path);
    if (descriptor >= 0) close(descriptor);
  } else if (descriptor < 0) *code = fail(json, EXIT_RUNTIME, "cannot open %s: %s", path, strerror(reason));
  else *code = read_short_file(descriptor, path, most, json, text);
  return *code == EXIT_OK ? 1 : -1;
}

static bool ends(const char *name, const char *suffix) {
  size_t n = strlen(name), m = strlen(suffix);
  return n >= m && strcmp(name + n - m, suffix) == 0;
}

void folder_signature(const char *root, const char *file, char path[SIGNATURE_PATH]) {
  char folder[4200];
  struct stat info;
  const char *found = NULL;
  if (root) snprintf(folder, sizeof folder, "%s/", root);
  else snprintf(folder, sizeof folder, "%.*s", (int)(base_name(file) - file), file);
  snprintf(path, SIGNATURE_PATH, "%smodel.sig", folder);
  if (lstat(path, &info) == 0) return;
  DIR *dir = opendir(*folder ? folder : ".");
  for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
    if (!ends(entry->d_name, ".oms.sig")) continue;
    if (found) found = ""; /* two: the user must say which */
    else {
      found = entry->d_name;
      snprintf(path, SIGNATURE_PATH, "%s%s", folder, found);
    }
  }
  if (!found || !*found) snprintf(path, SIGNATURE_PATH, "%smodel.sig", folder);
  if (dir) closedir(dir);
}

static int copy_text(retort_buffer from, bool json, text_buffer *text) {
  return text_append(text, from.data, from.size) ? EXIT_OK : fail(json, EXIT_MEMORY, "out of memory");
}

typedef struct attempt {
  const retort_platform *platform;
  const options *o;
  const retort_buffer *files;
  size_t n;
  bool embedded;
  retort_trust_file *described; /* name, size, chunk list of each file */
  retort_error error;           /* of the last method that failed */
  char tried[4300];             /* the signature file that it was about; "" none found */
} attempt;

/* Opens a verifier with one method; false (with a->error) where it is refused. */
static bool try_method(attempt *a, retort_trust_policy *policy, const retort_buffer *signatures, size_t n_signatures,
                       retort_verifier **out) {
  policy->time = now_utc();
  if (a->o->at_signing_time) policy->flags |= RETORT_TRUST_AT_SIGNING_TIME;
  if (a->o->complete) policy->flags |= RETORT_TRUST_COMPLETE;
  if (a->o->ignore_unsigned) policy->flags |= RETORT_TRUST_IGNORE_UNSIGNED;
  return retort_verifier_open(a->platform, policy, signatures, n_signatures, a->described, a->n, out, &a->error) == RETORT_OK;
}

/* The bundle: the one named, FILE.sig, or that of the model's folder. */
static int find_bundle(attempt *a, text_buffer *text, int *code) {
  const char *model = a->files[0].name;
  if (a->o->signature) {
    snprintf(a->tried, sizeof a->tried, "%s", a->o->signature);
    *code = read_named(a->tried, SIGNATURE_MAX, a->o->json, text);
    return *code == EXIT_OK ? 1 : -1;
  }
  if (a->embedded) {
    snprintf(a->tried, sizeof a->tried, "%s", embedded_signature().name);
    *code = copy_text(embedded_signature(), a->o->json, text);
    return *code == EXIT_OK ? 1 : -1;
  }
  int found = 0;
  char path[4300];
  if (a->n == 1 && !a->o->root) {
    snprintf(path, sizeof path, "%s.sig", model);
    found = read_if_there(path, SIGNATURE_MAX, text, a->o->json, code);
  }
  if (!found) {
    folder_signature(a->o->root, model, path);
    found = read_if_there(path, SIGNATURE_MAX, text, a->o->json, code);
  }
  if (found) snprintf(a->tried, sizeof a->tried, "%s", path);
  return found;
}

static int try_bundle(attempt *a, const anchor_set *anchors, int32_t method, const char *model_name, const text_buffer *text,
                      retort_verifier **out) {
  if (anchors->count == 0 || !text->bytes || text->bytes[0] == 'u') return false; /* "untrusted comment": signify's */
  retort_trust_policy policy;
  retort_trust_policy_init(&policy, sizeof policy);
  policy.method = method;
  policy.anchors = anchors->items;
  policy.n_anchors = anchors->count;
  policy.model_name = model_name;
  retort_buffer signature = {sizeof(retort_buffer), text->bytes, text->size, a->tried};
  return try_method(a, &policy, &signature, 1, out);
}

/* FILE.minisig of every file, or, signify's, FILE.sig. */
static bool try_minisign(attempt *a, const anchor_set *anchors, const char *model_name, bool signify, retort_verifier **out, int *code) {
  if (anchors->count == 0 || a->embedded) return false;
  retort_buffer *signatures = calloc(a->n, sizeof *signatures);
  bool complete = signatures != NULL, opened = false;
  for (size_t i = 0; complete && i < a->n; i++) {
    text_buffer text = {0};
    char path[4300];
    if (a->o->signature && a->n == 1) snprintf(path, sizeof path, "%s", a->o->signature);
    else snprintf(path, sizeof path, "%s.%s", a->files[i].name, signify ? "sig" : "minisig");
    complete = read_if_there(path, SIGNATURE_MAX, &text, a->o->json, code) == 1;
    if (complete) {
      signatures[i] = (retort_buffer){sizeof(retort_buffer), text.bytes, text.size, a->files[i].name};
      snprintf(a->tried, sizeof a->tried, "%s", path);
    }
  }
  if (complete) {
    retort_trust_policy policy;
    retort_trust_policy_init(&policy, sizeof policy);
    policy.method = signify ? RETORT_TRUST_SIGNIFY : RETORT_TRUST_MINISIGN;
    policy.anchors = anchors->items;
    policy.n_anchors = anchors->count;
    policy.model_name = model_name;
    opened = try_method(a, &policy, signatures, a->n, out);
  }
  for (size_t i = 0; signatures && i < a->n; i++) free((void *)(uintptr_t)signatures[i].data);
  free(signatures);
  return opened;
}

static bool try_pins(attempt *a, const pin *pins, size_t n_pins, bool sized, retort_verifier **out) {
  const char **hex = malloc((n_pins + 1) * sizeof *hex);
  size_t n = 0;
  for (size_t i = 0; hex && i < n_pins; i++)
    for (size_t f = 0; f < a->n; f++)
      if (!sized || pins[i].size == 0 || pins[i].size == a->files[f].size) {
        hex[n++] = pins[i].hex;
        break;
      }
  retort_trust_policy policy;
  retort_trust_policy_init(&policy, sizeof policy);
  policy.method = RETORT_TRUST_PIN;
  policy.pins = hex;
  policy.n_pins = n;
  bool opened = n && try_method(a, &policy, NULL, 0, out);
  free(hex);
  return opened;
}

/* ---- the two policies ---- */

bool trust_is_given(const options *o) {
  return o->keys.count || o->roots.count || o->minisign_keys.count || o->pins.count || o->allow_unsigned;
}

int trust_policy_refuse(const options *o, const char *path, bool embedded, const char *why) {
  if (embedded)
    return fail(o->json, EXIT_TRUST,
                "the model embedded in this program is refused: the program was changed or damaged (%s). Build or get it again, or name a "
                "model with -m",
                why);
  if (!*why) why = "its signature is not by anybody you trust";
  if (o->unvouched) {
    snprintf(o->unvouched, UNVOUCHED, "%s", why);
    return EXIT_TRUST;
  }
  return fail(
      o->json, EXIT_TRUST,
      "%s is refused: nobody you trust vouches for it (%s). Three ways on: get or make a signature and trust its key (retort sign, retort "
      "trust add KEY.pub); "
      "pin the file once you know where it came from (retort trust add %s); or use it this once without any check (--allow-unsigned)",
      path, why, path);
}

static int refused(const attempt *a, bool by_option) {
  bool json = a->o->json;
  if (a->error.status == RETORT_ERROR_MEMORY) return fail_status(json, &a->error);
  if (by_option && a->error.status)
    return fail(json, a->error.status == RETORT_ERROR_ARGUMENT ? EXIT_USAGE : EXIT_TRUST, "%s", a->error.message);
  if (by_option)
    return fail(
        json, EXIT_TRUST,
        "%s has no signature beside it that could be checked (%s.sig, model.sig in its folder, or .minisig); one of another name is "
        "given with --signature FILE",
        a->files[0].name, base_name(a->files[0].name));
  return trust_policy_refuse(a->o, a->files[0].name, a->embedded, a->tried[0] ? a->error.message : "there is no signature beside it");
}

static int open_by_options(attempt *a, retort_verifier **out) {
  const options *o = a->o;
  anchor_set anchors = {0};
  int code = EXIT_OK,
      kinds = (o->keys.count > 0) + (o->roots.count > 0) + (o->minisign_keys.count > 0) + (o->pins.count > 0) + o->allow_unsigned;
  if (kinds > 1)
    return fail(
        o->json, EXIT_USAGE,
        "--key, --cert-root, --minisign-key, --pin and --allow-unsigned exclude one another: say once how the model is vouched for");
  if (o->model_name && (o->pins.count || o->allow_unsigned))
    return fail(o->json, EXIT_USAGE, "--model-name can be asked for only where a name is signed");
  bool opened = false;
  if (o->allow_unsigned) {
    retort_trust_policy policy;
    retort_trust_policy_init(&policy, sizeof policy);
    policy.method = RETORT_TRUST_UNSIGNED;
    opened = try_method(a, &policy, NULL, 0, out);
  } else if (o->pins.count) {
    trust_set set = {0};
    for (size_t i = 0; i < o->pins.count && code == EXIT_OK; i++) {
      pin p = {0};
      if (strlen(o->pins.value[i]) != 64) code = fail(o->json, EXIT_USAGE, "--pin wants a SHA-256 of 64 lowercase hex digits");
      else strcpy(p.hex, o->pins.value[i]);
      if (code == EXIT_OK && !add_pin(&set, &p)) code = fail(o->json, EXIT_MEMORY, "out of memory");
    }
    if (code == EXIT_OK) opened = try_pins(a, set.pins, set.n_pins, false, out);
    free(set.pins);
  } else {
    const string_list *list = o->keys.count ? &o->keys : o->roots.count ? &o->roots : &o->minisign_keys;
    for (size_t i = 0; i < list->count && code == EXIT_OK; i++) code = add_anchor(&anchors, list->value[i], o->json);
    if (code == EXIT_OK && o->minisign_keys.count) {
      opened = try_minisign(a, &anchors, o->model_name, false, out, &code);
      if (!opened && (!a->tried[0] || o->signature)) opened = try_minisign(a, &anchors, NULL, true, out, &code);
    } else if (code == EXIT_OK) {
      text_buffer text = {0};
      if (find_bundle(a, &text, &code) == 1)
        opened = try_bundle(a, &anchors, o->keys.count ? RETORT_TRUST_KEY : RETORT_TRUST_CERTIFICATE, o->model_name, &text, out);
      free(text.bytes);
    }
  }
  anchors_free(&anchors);
  if (code != EXIT_OK || opened) return code;
  return refused(a, true);
}

static int open_by_store(attempt *a, retort_verifier **out) {
  const options *o = a->o;
  trust_set set = {0};
  text_buffer text = {0};
  anchor_set project = {.items = {{sizeof(retort_buffer), PROJECT_KEY, sizeof PROJECT_KEY - 1, "the project's key"}}, .count = 1};
  int code = a->embedded ? EXIT_OK : store_read(&set, o->json);
  if (code != EXIT_OK) return code;
  bool opened = false;
  if (find_bundle(a, &text, &code) == 1) {
    bool names_project = !o->model_name || strcmp(o->model_name, PROJECT_MODEL) == 0;
    opened = (names_project && try_bundle(a, &project, RETORT_TRUST_KEY, PROJECT_MODEL, &text, out)) ||
             try_bundle(a, &set.keys, RETORT_TRUST_KEY, o->model_name, &text, out) ||
             try_bundle(a, &set.roots, RETORT_TRUST_CERTIFICATE, o->model_name, &text, out);
  }
  free(text.bytes);
  if (code == EXIT_OK && !opened)
    opened = try_minisign(a, &set.minisign, o->model_name, false, out, &code) ||
             (!o->model_name && try_minisign(a, &set.minisign, NULL, true, out, &code));
  if (code == EXIT_OK && !opened && !o->model_name) {
    retort_error before = a->error;
    opened = add_pin(&set, &TEST_MODEL_PIN) && try_pins(a, set.pins, set.n_pins, true, out);
    if (!opened && before.status) a->error = before;
  }
  trust_set_free(&set);
  if (code != EXIT_OK || opened) return code;
  return refused(a, false);
}

/* Bytes of the longest list that a file can have: its head, and 32 for every 64 KiB. */
static size_t list_max(size_t size) { return 64 + 32 * (size / (64 << 10) + 1); }

int trust_policy_open(const retort_platform *platform, const options *o, const retort_buffer *files, size_t n, bool embedded,
                      retort_verifier **out) {
  attempt a = {.platform = platform, .o = o, .files = files, .n = n, .embedded = embedded};
  text_buffer *lists = calloc(n, sizeof *lists);
  int code = EXIT_OK;
  a.described = calloc(n, sizeof *a.described);
  if (!lists || !a.described) code = fail(o->json, EXIT_MEMORY, "out of memory");
  for (size_t i = 0; code == EXIT_OK && i < n; i++) {
    char path[4300];
    size_t skip = o->root ? strlen(o->root) + 1 : 0;
    snprintf(path, sizeof path, "%s.chunks", files[i].name);
    if (!o->allow_unsigned && !o->whole && embedded && (code = copy_text(embedded_chunks(), o->json, &lists[i])) != EXIT_OK) break;
    if (!o->allow_unsigned && !o->whole && !embedded && read_if_there(path, list_max(files[i].size), &lists[i], o->json, &code) < 0) break;
    a.described[i] = (retort_trust_file){sizeof(retort_trust_file), o->root ? files[i].name + skip : base_name(files[i].name),
                                         files[i].size, lists[i].bytes, lists[i].size};
  }
  if (code == EXIT_OK) code = trust_is_given(o) ? open_by_options(&a, out) : open_by_store(&a, out);
  for (size_t i = 0; lists && i < n; i++) free(lists[i].bytes);
  free(lists);
  free(a.described);
  return code;
}
