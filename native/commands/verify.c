/* verify.c - `retort verify`: checks models against the policy without loading them.
 *
 * All workers read and hash at once: the chunks of a file that has a signed chunk list, and otherwise whole files. A bar shows itself when
 * that takes long; the first worker draws it. Chunks are hashed where the page cache has them, which saves a third of the time; that is no
 * way to load a model (the cache can change after the check), but here nothing is kept. A file that is cut short under such a mapping
 * raises SIGBUS.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "commands.h"
#include "models/embedded.h"
#include "models/files.h"
#include "machine/posix.h"
#include "models/paths.h"
#include "service/record.h"
#include "verify.h"

/* As large as the cache holds, so that what was read is hashed from there. */
#define PIECE ((uint64_t)2 << 20)

typedef struct check {
  const model_paths *files;
  retort_verifier *verifier;
  atomic_size_t next_file;
  atomic_uint_fast64_t next_piece; /* in the file `shared` */
  size_t shared;                   /* chunked file that all workers share */
  uint64_t piece;
  atomic_uint_fast64_t done; /* bytes, of `total` */
  uint64_t total;
  progress bar;
  atomic_int failed; /* errno of a read */
  atomic_flag said;
  retort_error error; /* of the first feed that failed */
} check;

static void note(check *c, const retort_error *error, int reason) {
  if (atomic_flag_test_and_set(&c->said)) return;
  if (error) c->error = *error;
  else c->failed = reason;
}

static bool over(const check *c) { return atomic_load(&c->failed) != 0 || interrupted(); }

static void on_short_file(int number) {
  static const char said[] = "retort: error: the file became shorter while it was verified\n";
  (void)number;
  if (write(STDERR_FILENO, said, sizeof said - 1) < 0) _exit(EXIT_RUNTIME);
  _exit(EXIT_MODEL);
}

static bool feed(check *c, size_t file, uint64_t offset, const char *piece, size_t size) {
  retort_error error;
  if (retort_verifier_feed(c->verifier, file, offset, piece, size, &error) == RETORT_OK) return true;
  note(c, &error, 0);
  return false;
}

/* Reads [offset, offset + size) and feeds it; false where that fails. Mapped: only chunks, of which each byte is looked at once. */
static bool check_piece(check *c, int descriptor, size_t file, uint64_t offset, char *piece, size_t size) {
  uint64_t chunk = retort_verifier_chunk_size(c->verifier, file);
  if (chunk && chunk <= PIECE && chunk < c->files->files[file].size) {
    char *mapped = mmap(NULL, size, PROT_READ, MAP_SHARED, descriptor, (off_t)offset);
    if (mapped != MAP_FAILED) {
      bool good = feed(c, file, offset, mapped, size);
      munmap(mapped, size);
      return good;
    }
  }
  for (size_t got = 0; got < size;) {
    ssize_t n = pread(descriptor, piece + got, size - got, (off_t)(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      note(c, NULL, n < 0 ? errno : -1);
      return false;
    }
    got += (size_t)n;
  }
  return feed(c, file, offset, piece, size);
}

static void show(check *c, unsigned worker, uint64_t bytes) {
  uint64_t done = atomic_fetch_add(&c->done, bytes) + bytes;
  char detail[80];
  if (worker != 0 || !c->bar.on) return;
  snprintf(detail, sizeof detail, "of %s, %.1f GB/s", memory_text(c->total).text, 1e-9 * (double)done / (seconds() - c->bar.started));
  progress_show(&c->bar, (double)done / (double)c->total, detail);
}

/* One worker's share of one file; whole files are one worker's alone. */
static void check_file(check *c, size_t file, unsigned worker, bool shared) {
  uint64_t size = c->files->files[file].size, piece = c->piece;
  int descriptor = open(c->files->files[file].name, O_RDONLY | O_CLOEXEC | (c->files->root ? O_NOFOLLOW : 0));
  char *memory = read_buffer((size_t)(piece < size ? piece : size));
  if (descriptor < 0 || !memory) note(c, NULL, descriptor < 0 ? errno : ENOMEM);
  else
    for (uint64_t own = 0;;) {
      uint64_t offset = (shared ? atomic_fetch_add(&c->next_piece, 1) : own++) * piece;
      uint64_t n = offset < size && size - offset < piece ? size - offset : piece;
      if (offset >= size || over(c) || !check_piece(c, descriptor, file, offset, memory, (size_t)n)) break;
      show(c, worker, n);
    }
  if (descriptor >= 0) close(descriptor);
  free(memory);
}

static void check_chunks(void *arg, unsigned worker, unsigned n_workers) {
  check *c = arg;
  (void)n_workers;
  check_file(c, c->shared, worker, true);
}

static void check_whole_files(void *arg, unsigned worker, unsigned n_workers) {
  check *c = arg;
  (void)n_workers;
  for (size_t i; (i = atomic_fetch_add(&c->next_file, 1)) < c->files->count && !over(c);)
    if (retort_verifier_chunk_size(c->verifier, i) == 0 && retort_verifier_covers(c->verifier, i)) check_file(c, i, worker, false);
}

static void print_verdict(const options *o, const char *model, const retort_verdict *r, double took) {
  char text[1400];
  if (o->json) {
    json_t *all = service_verdict(r);
    if (all) {
      json_object_set_new(all, "model", text_json(model));
      json_object_set_new(all, "file_sha256", json_string(r->file_digest));
      json_object_set_new(all, "seconds", json_real(took));
    }
    print_json_line(all);
    return;
  }
  retort_verdict_text(r, text, sizeof text);
  printf("%s: %s: %s\n", shown(model).text, r->method == RETORT_TRUST_UNSIGNED ? "NOT CHECKED" : "good", shown(text).text);
  if (o->verbose)
    fprintf(stderr, "retort: %s in %s, %.2f GB/s\n", memory_text(r->n_bytes).text, time_text(took).text,
            1e-9 * (double)r->n_bytes / (took > 0 ? took : 1));
}

int verify_files(const options *given, const machine *m, const char *model, retort_verdict *out) {
  model_paths files;
  options o = *given;
  check c = {.files = &files, .said = ATOMIC_FLAG_INIT};
  retort_error error;
  const retort_platform *p = machine_platform(m);
  char signature[SIGNATURE_PATH];
  if (o.signature) snprintf(signature, sizeof signature, "%s", o.signature);
  else folder_signature(model, NULL, signature);
  int code = model_paths_open(&files, model, &(left_out){signature, &o.ignored}, o.json);
  if (code != EXIT_OK) return code;
  if (!files.root && (o.ignored.count || o.ignore_unsigned)) {
    model_paths_close(&files);
    return fail(o.json, EXIT_USAGE, "--ignore-paths and --ignore-unsigned-files are about a model that is a folder");
  }
  o.root = files.root;
  o.complete = files.root != NULL;
  code = trust_policy_open(p, &o, files.files, files.count, false, &c.verifier);
  if (code == EXIT_OK && !o.allow_unsigned) {
    c.total = files.bytes;
    progress_begin(&c.bar, "verifying", true);
    for (size_t i = 0; i < files.count && !over(&c); i++) {
      uint64_t chunk = retort_verifier_chunk_size(c.verifier, i);
      if (!chunk) continue;
      c.shared = i;
      c.piece = chunk < PIECE ? PIECE / chunk * chunk : chunk; /* chunks are powers of two, or the file as a whole */
      atomic_store(&c.next_piece, 0);
      p->parallel(p->user, check_chunks, &c);
    }
    c.piece = PIECE;
    p->parallel(p->user, check_whole_files, &c);
    progress_end(&c.bar);
    int reason = atomic_load(&c.failed);
    if (interrupted()) code = fail(o.json, EXIT_INTERRUPTED, "interrupted while verifying");
    else if (reason)
      code = fail(o.json, EXIT_MODEL, "cannot read %s: %s", model, reason < 0 ? "it became shorter meanwhile" : strerror(reason));
    else if (c.error.status) code = fail_status(o.json, &c.error);
  }
  retort_verdict verdict = {.struct_size = sizeof verdict};
  if (code == EXIT_OK && retort_verifier_finish(c.verifier, &verdict, &error))
    code = trust_is_given(&o) ? fail_status(o.json, &error) : trust_policy_refuse(&o, model, false, error.message);
  verdict.n_left_out += files.n_left_out;
  if (code == EXIT_OK) *out = verdict;
  retort_verifier_close(c.verifier);
  model_paths_close(&files);
  return code;
}

static int verify_model(const options *o, const machine *m, const char *model) {
  retort_verdict verdict;
  double start = seconds();
  int code = verify_files(o, m, model, &verdict);
  if (code == EXIT_OK) print_verdict(o, model, &verdict, seconds() - start);
  return code;
}

/* By the very steps that loading takes. */
static int verify_embedded(const options *o, const machine *m) {
  model_files files;
  double start = seconds();
  int code = files_open(&files, m, NULL, FILES_RUN, o);
  if (code != EXIT_OK) return code;
  print_verdict(o, EMBEDDED_NAME, &files.verdict, seconds() - start);
  files_close(&files);
  return EXIT_OK;
}

static int verify(const options *o) {
  if (o->signature && o->n_arguments == 0) return fail(o->json, EXIT_USAGE, "name the model that --signature is about");
  if (o->signature && o->n_arguments > 1)
    return fail(o->json, EXIT_USAGE, "--signature names one signature, but several models are to be verified");
  machine *m = machine_open(usable_threads(o->threads), o->verbose);
  if (!m) return fail(o->json, EXIT_MEMORY, "out of memory");
  catch_interrupts();
  sigaction(SIGBUS, &(struct sigaction){.sa_handler = on_short_file}, NULL);
  int code = o->n_arguments ? EXIT_OK : verify_embedded(o, m);
  for (int i = 0; i < o->n_arguments; i++) {
    int one = verify_model(o, m, o->arguments[i]);
    if (code == EXIT_OK) code = one;
  }
  machine_close(m);
  return code;
}

static const option_spec specs[] = {
    {"signature", 's', OPTION_STRING, AT(signature), "FILE", 0, 0,
     "the signature. Default: MODEL.sig; model.sig, or a lone *.oms.sig, in the model's folder; or MODEL.minisig"},
    {"whole", 0, OPTION_FLAG, AT(whole), NULL, 0, 0, "hash whole files even where there is a signed chunk list"},
    {"ignore-paths", 0, OPTION_LIST, AT(ignored), "PATH", 0, 0,
     "of a folder: leave out this path and all below it; may be given several times. The verdict says how many were left out"},
    {"ignore-unsigned-files", 0, OPTION_FLAG, AT(ignore_unsigned), NULL, 0, 0,
     "of a folder: files that nobody signed are no error, but no part of the model"},
    OPTIONS_TRUST,
    {"threads", 't', OPTION_U32, AT(threads), "N", 1, 1024,
     "threads that read and hash. Default: the fast physical cores that this process may use"},
    OPTIONS_OUTPUT,
};

const command verify_command = {
    .name = "verify",
    .summary = "check models against signatures, pins and the trust store",
    .usage = "[MODEL...] [OPTIONS]",
    .text =
        "MODEL is a GGUF file, the first file of a split set, or a folder, which must hold exactly the files that were signed; without "
        "one, "
        "the model embedded in the program. Prints who signed what and by which trust it was "
        "accepted. The options say what is trusted; without them the trust store does (retort trust list). Signatures of the Python and Go "
        "model-signing tools, minisign and signify are read.",
    .examples = "  retort verify model.gguf\n  retort verify --key release.pub model.gguf\n  retort verify --cert-root root.pem folder/\n",
    .specs = specs,
    .n_specs = sizeof specs / sizeof specs[0],
    .rights = READS_ARGUMENTS,
    .run = verify,
};
