/* files.c - the bytes of a model: one GGUF file or a split set, read into private memory or mapped.
 *
 * Private memory is the default although mapping starts sooner: nobody can change the bytes under us after they were checked, and they sit
 * on huge pages, from which decoding reads half as fast again. The bytes that are hashed are those that the model then runs on. All threads
 * read at once, in chunks; a bar shows itself when that takes long. Bytes that are refused are wiped before their memory is given back. A
 * mapping is as safe as the copy only where the kernel checks each page that it brings in against a tree of digests (fs-verity): such a
 * file cannot be changed any more.
 */
#include "files.h"

#include "embedded.h"
#include "mapped.h"
#include "paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__) && __has_include(<linux/fsverity.h>)
#include <linux/fsverity.h>
#endif

/* What is read at a time is hashed at once, while the cache still has it; two chunks of the signed list's usual size. */
#define CHUNK ((uint64_t)2 << 20)
/* A header is sought in so many bytes, and then in four times as many, up to the last figure. */
#define HEADER ((uint64_t)8 << 20)
#define HEADER_MAX ((uint64_t)2 << 30)

/* A file that must be hashed from its first byte to its last: whoever read a chunk tries to become the one who hashes what is ready. */
typedef struct sequence {
  atomic_flag busy;
  atomic_uint_fast64_t hashed;  /* chunks */
  _Atomic unsigned char *ready; /* (chunks) */
} sequence;

typedef struct reading {
  model_files *f;
  int *descriptors;
  atomic_uint_fast64_t next, done;             /* chunk to take; bytes read */
  atomic_uint_fast64_t reading_ns, hashing_ns; /* over all threads */
  atomic_int failed;                           /* errno, or -1: a file ended early */
  atomic_size_t failed_file;
  sequence *sequences; /* one a file */
  bool from_map;       /* the bytes are there already */
  atomic_flag refused;
  retort_error refusal; /* written once, by whoever set the flag */
  progress bar;
} reading;

/* What one turn of a thread reads and hashes: 2 MiB, or the chunk of the signed list where that is larger. */
static uint64_t turn(const model_files *f, size_t file) {
  uint64_t chunk = retort_verifier_chunk_size(f->verifier, file);
  return chunk > CHUNK ? chunk : CHUNK;
}
static uint64_t turns(const model_files *f, size_t file) { return (f->buffers[file].size + turn(f, file) - 1) / turn(f, file); }

static bool feed(reading *r, size_t file, uint64_t offset, uint64_t size) {
  retort_error error;
  if (retort_verifier_feed(r->f->verifier, file, offset, (const char *)r->f->buffers[file].data + offset, (size_t)size, &error) ==
      RETORT_OK)
    return true;
  if (!atomic_flag_test_and_set(&r->refused)) {
    r->refusal = error;
    atomic_store(&r->failed, EKEYREJECTED);
  }
  return false;
}

/* Hashes what can be hashed of `file` now that its chunk `index` is there. */
static bool verify_chunk(reading *r, size_t file, uint64_t index) {
  const model_files *f = r->f;
  uint64_t size = f->buffers[file].size, step = turn(f, file), n = turns(f, file), at;
  if (f->verdict.method == RETORT_TRUST_UNSIGNED) return true;
  if (retort_verifier_chunk_size(f->verifier, file))
    return feed(r, file, index * step, size - index * step < step ? size - index * step : step);
  sequence *s = &r->sequences[file];
  atomic_store(&s->ready[index], 1);
  do {
    if (atomic_flag_test_and_set(&s->busy)) return true;
    for (; (at = atomic_load(&s->hashed)) < n && atomic_load(&s->ready[at]); atomic_store(&s->hashed, at + 1))
      if (!feed(r, file, at * step, size - at * step < step ? size - at * step : step)) return false; /* and stays busy: it is over */
    atomic_flag_clear(&s->busy);
    at = atomic_load(&s->hashed); /* one may have come in just before the flag was cleared */
  } while (at < n && atomic_load(&s->ready[at]));
  return true;
}

/* Reads one chunk, counted over all files; false when there is none left or reading failed. */
static bool read_chunk(reading *r) {
  uint64_t chunk = atomic_fetch_add(&r->next, 1);
  size_t file = 0;
  while (file < r->f->count && chunk >= turns(r->f, file)) chunk -= turns(r->f, file++);
  if (file == r->f->count || atomic_load(&r->failed) || interrupted()) return false;
  const retort_buffer *b = &r->f->buffers[file];
  uint64_t step = turn(r->f, file), offset = chunk * step, end = b->size - offset < step ? b->size : offset + step;
  double start = seconds();
  if (r->from_map) {
    atomic_fetch_add(&r->done, end - offset);
    offset = end;
  }
  while (offset < end) {
    ssize_t n = pread(r->descriptors[file], (char *)(uintptr_t)b->data + offset, (size_t)(end - offset), (off_t)offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      atomic_store(&r->failed_file, file);
      atomic_store(&r->failed, n < 0 ? errno : -1);
      return false;
    }
    offset += (uint64_t)n;
    atomic_fetch_add(&r->done, (uint64_t)n);
  }
  double read = seconds();
  bool good = verify_chunk(r, file, chunk);
  atomic_fetch_add(&r->reading_ns, (uint64_t)(1e9 * (read - start)));
  atomic_fetch_add(&r->hashing_ns, (uint64_t)(1e9 * (seconds() - read)));
  return good;
}

static void read_work(void *arg, unsigned worker, unsigned n_workers) {
  reading *r = arg;
  (void)n_workers;
  while (read_chunk(r)) {
    if (worker != 0) continue;
    uint64_t done = atomic_load(&r->done);
    char detail[80];
    snprintf(detail, sizeof detail, "of %s, %.1f GB/s", memory_text(r->f->bytes).text, 1e-9 * (double)done / (seconds() - r->bar.started));
    progress_show(&r->bar, (double)done / (double)r->f->bytes, detail);
  }
}

/* Room for the bytes, and for the marks of files that are hashed in order. */
static int prepare(reading *r, bool json) {
  model_files *f = r->f;
  const retort_platform *p = machine_platform(f->m);
  r->sequences = calloc(f->count, sizeof *r->sequences);
  if (!r->sequences) return fail(json, EXIT_MEMORY, "out of memory");
  for (size_t i = 0; i < f->count; i++) {
    r->sequences[i].ready = calloc(turns(f, i) + 1, 1);
    if (!r->sequences[i].ready) return fail(json, EXIT_MEMORY, "out of memory");
    if (!r->from_map) f->buffers[i].data = p->alloc(p->user, f->buffers[i].size);
    if (!r->from_map && !f->buffers[i].data)
      return fail(json, EXIT_MEMORY, "no memory for the %s of %s", memory_text(f->buffers[i].size).text, f->buffers[i].name);
  }
  return EXIT_OK;
}

static int read_all(model_files *f, int *descriptors, bool from_map, bool json) {
  const retort_platform *p = machine_platform(f->m);
  reading r = {.f = f, .descriptors = descriptors, .from_map = from_map, .refused = ATOMIC_FLAG_INIT};
  int code = prepare(&r, json);
  if (code == EXIT_OK) {
    progress_begin(&r.bar, "reading the model", true);
    p->parallel(p->user, read_work, &r);
    double all = seconds() - r.bar.started, reading_ns = (double)atomic_load(&r.reading_ns),
           hashing_ns = (double)atomic_load(&r.hashing_ns);
    f->hash_seconds = reading_ns + hashing_ns > 0 ? all * hashing_ns / (reading_ns + hashing_ns) : 0;
    f->read_seconds = all - f->hash_seconds;
    f->turns_begun = from_map ? 0 : atomic_load(&r.next);
    progress_end(&r.bar);
  }
  int failed = atomic_load(&r.failed);
  const char *name = f->buffers[atomic_load(&r.failed_file)].name;
  if (code != EXIT_OK) (void)0;
  else if (interrupted()) code = fail(json, EXIT_INTERRUPTED, "interrupted while reading the model");
  else if (r.refusal.status) code = fail_status(json, &r.refusal);
  else if (failed < 0) code = fail(json, EXIT_MODEL, "%s became shorter while it was read", name);
  else if (failed) code = fail(json, EXIT_MODEL, "cannot read %s: %s", name, strerror(failed));
  for (size_t i = 0; r.sequences && i < f->count; i++) free((void *)r.sequences[i].ready);
  free(r.sequences);
  return code;
}

/* Zeros what was read, and touches no page that was not. */
static void wipe(model_files *f) {
  uint64_t left = f->turns_begun;
  for (size_t i = 0; i < f->count && left; i++) {
    const retort_buffer *b = &f->buffers[i];
    uint64_t n = turns(f, i) < left ? turns(f, i) : left, bytes = n * turn(f, i);
    if (b->data && b->size) explicit_bzero((void *)(uintptr_t)b->data, bytes < b->size ? (size_t)bytes : b->size);
    left -= n;
  }
}

/* ---- what is not a model by itself ---- */

/* Of a file whose name says that it is one piece of another ("x.gguf.part1of2", "x.gguf-split-a"), the length of that one's; else 0. */
static int whole_name(const char *name) {
  const char *end = strcasestr(name, ".gguf");
  if (!end || !end[5] || (strncasecmp(end + 6, "part", 4) != 0 && strncasecmp(end + 6, "split", 5) != 0)) return 0;
  return (int)(end + 5 - name);
}

/* Where a second GGUF file begins in the bytes of a first; 0: nowhere. */
static uint64_t second_header(const retort_buffer *b) {
  static const char header[] = {'G', 'G', 'U', 'F', 3, 0, 0, 0};
  const char *data = b->data;
  for (size_t at = sizeof header; at < b->size && !interrupted(); at += CHUNK) {
    size_t n = b->size - at < CHUNK + sizeof header ? b->size - at : CHUNK + sizeof header;
    const char *found = memmem(data + at, n, header, sizeof header);
    if (found) return (uint64_t)(found - data);
  }
  return 0;
}

/* Says what to do about parts that are not a model, or not in the right order. */
static void explain(const model_files *f, retort_error *error) {
  retort_error before = *error;
  const retort_buffer *b = &f->buffers[0];
  const char *name = base_name(b->name);
  const bool of_a_set = before.status == RETORT_ERROR_ARGUMENT; /* and alone, or not in order */
  const int whole = whole_name(name);
  uint64_t at = 0;
  if (f->embedded || (!of_a_set && before.status != RETORT_ERROR_FORMAT)) return;
  error->status = RETORT_ERROR_FORMAT;
  if (whole)
    snprintf(error->message, sizeof error->message,
             "%s: by its name this is one piece of a file that was cut up; join them first, in order: cat %.*s* > %.*s", name, whole, name,
             whole, name);
  else if (of_a_set && f->count == 1 && (at = second_header(b)) != 0)
    snprintf(error->message, sizeof error->message,
             "%s: these are the files of a split set one after another (the second begins at byte %llu), which is no model: get the files "
             "again and name each with -m, or let llama-gguf-split --merge join them",
             name, (unsigned long long)at);
  else if (of_a_set) snprintf(error->message, sizeof error->message, "%.400s (-m once for each)", before.message);
  else if (f->named)
    snprintf(error->message, sizeof error->message, "%.400s (one model is used at a time; several files are those of one split set)",
             before.message);
}

/* ---- the header alone ---- */

static bool all_chunked(const model_files *f) {
  for (size_t i = 0; i < f->count; i++)
    if (retort_verifier_chunk_size(f->verifier, i) == 0 || retort_verifier_chunk_size(f->verifier, i) > HEADER) return false;
  return true;
}

/* Bytes of memory that file `b` has. */
static size_t room(const model_files *f, const retort_buffer *b) { return f->room && f->room < b->size ? f->room : b->size; }

/* Reads and verifies file `file` up to `wanted`, or to the end of the chunk that it is in. Without chunks nothing is verified. */
static int read_prefix(model_files *f, size_t file, int descriptor, uint64_t wanted, uint64_t *have, bool json) {
  retort_error error;
  const retort_buffer *b = &f->buffers[file];
  uint64_t chunk = retort_verifier_chunk_size(f->verifier, file), end = wanted;
  if (chunk) end = (wanted + chunk - 1) / chunk * chunk;
  char *data = (char *)(uintptr_t)b->data;
  if (end > b->size) end = b->size;
  for (uint64_t at = *have; at < end;) {
    ssize_t n = pread(descriptor, data + at, (size_t)(end - at), (off_t)at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      return fail(json, EXIT_MODEL, "cannot read %s: %s", b->name, n < 0 ? strerror(errno) : "it became shorter while it was read");
    at += (uint64_t)n;
  }
  if (end > *have && retort_verifier_feed(f->verifier, file, *have, data + *have, (size_t)(end - *have), &error)) {
    explicit_bzero(data, (size_t)end);
    return fail_status(json, &error);
  }
  *have = end;
  return EXIT_OK;
}

/* With signed chunk lists only the chunks that the headers lie in are read: all of them are verified before the parser sees one of their
 * bytes. */
static int read_header(model_files *f, const int *descriptors, const options *o) {
  const retort_platform *p = machine_platform(f->m);
  retort_buffer *seen = calloc(f->count, sizeof *seen);
  uint64_t *have = calloc(f->count, sizeof *have), total = 0;
  f->room = HEADER_MAX < SIZE_MAX ? (size_t)HEADER_MAX : 0;
  retort_error error;
  int code = seen && have ? EXIT_OK : fail(o->json, EXIT_MEMORY, "out of memory");
  for (size_t i = 0; code == EXIT_OK && i < f->count; i++) {
    f->buffers[i].data = p->alloc(p->user, room(f, &f->buffers[i]));
    if (!f->buffers[i].data) code = fail(o->json, EXIT_MEMORY, "no memory for %s", f->buffers[i].name);
  }
  bool complete = false;
  for (uint64_t wanted = HEADER; code == EXIT_OK && !f->header; wanted *= 4) {
    complete = true;
    for (size_t i = 0; code == EXIT_OK && i < f->count; i++) {
      code = read_prefix(f, i, descriptors[i], wanted, &have[i], o->json);
      complete = complete && have[i] == f->buffers[i].size;
      seen[i] = (retort_buffer){sizeof(retort_buffer), f->buffers[i].data, (size_t)have[i], f->buffers[i].name};
    }
    if (code != EXIT_OK ||
        retort_gguf_open_verified(p, f->verifier, seen, f->count, RETORT_GGUF_METADATA_ONLY, &f->header, &error) == RETORT_OK)
      break;
    if (error.status != RETORT_ERROR_FORMAT || complete || wanted >= HEADER_MAX) {
      explain(f, &error);
      code = fail_status(o->json, &error);
    }
  }
  for (size_t i = 0; code == EXIT_OK && i < f->count; i++) total += have[i];
  if (code == EXIT_OK && o->verbose)
    fprintf(stderr, "retort: header: %s of %s read%s\n", memory_text(total).text, memory_text(f->bytes).text,
            o->allow_unsigned ? "" : " and verified");
  free(seen);
  free(have);
  return code;
}

/* ---- mapping ---- */

/* True where the kernel checks each page of the file against a digest that nobody can change: then a mapping stays what was verified. */
static bool is_sealed(int descriptor) {
#ifdef FS_IOC_MEASURE_VERITY
  union {
    struct fsverity_digest head;
    uint8_t room[sizeof(struct fsverity_digest) + 64];
  } digest = {.head = {.digest_size = 64}};
  return ioctl(descriptor, FS_IOC_MEASURE_VERITY, &digest) == 0;
#else
  (void)descriptor;
  return false;
#endif
}

static int map_all(model_files *f, const int *descriptors, bool json) {
  f->mapped = f->sealed = true;
  for (size_t i = 0; i < f->count; i++) {
    f->sealed = f->sealed && is_sealed(descriptors[i]);
    if (f->buffers[i].size == 0) continue;
    const void *memory = map_file(descriptors[i], f->buffers[i].size, f->buffers[i].name, json);
    if (!memory) return fail(json, EXIT_MEMORY, "cannot map %s: %s", f->buffers[i].name, strerror(errno));
    f->buffers[i].data = memory;
  }
  return EXIT_OK;
}

static int open_one(model_files *f, size_t index, int *descriptor, bool json) {
  retort_buffer *b = &f->buffers[index];
  struct stat info;
  *descriptor = open(b->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is refused below, and not waited for */
  if (*descriptor < 0 && index > 0 && !f->named && errno == ENOENT)
    return fail(json, EXIT_MODEL, "%s is missing: the set has %zu files, which must lie in one folder", b->name, f->count);
  if (*descriptor < 0 || fstat(*descriptor, &info) != 0)
    return fail(json, EXIT_MODEL, "cannot open the model %s: %s", b->name, strerror(errno));
  if (!S_ISREG(info.st_mode))
    return fail(json, EXIT_MODEL, "%s is %s, not a file", b->name, S_ISDIR(info.st_mode) ? "a folder" : "a device or pipe");
  if ((uint64_t)info.st_size > SIZE_MAX / 2) return fail(json, EXIT_MEMORY, "%s is too large for this program's address space", b->name);
  b->size = (size_t)info.st_size;
  f->bytes += b->size;
  return EXIT_OK;
}

/* The weights must fit beside everything else; finding that out from the kernel's killer would cost minutes of swapping. */
static int check_memory(const model_files *f, bool json) {
  uint64_t available = available_memory();
  if (available == 0 || f->bytes <= available) return EXIT_OK;
  return fail(json, EXIT_MEMORY,
              "the model needs %s of memory but only %s are available; end other programs, take a smaller model or quantisation, or try "
              "--mmap (slow)",
              memory_text(f->bytes).text, memory_text(available).text);
}

/* Gets the bytes by the way that the policy leaves open. */
static int take_in(model_files *f, int *descriptors, int look, const options *o) {
  retort_error error;
  int code = trust_policy_open(machine_platform(f->m), o, f->buffers, f->count, f->embedded, &f->verifier);
  if (code != EXIT_OK) return code;
  f->verdict = (retort_verdict){.struct_size = sizeof f->verdict, .method = o->allow_unsigned ? RETORT_TRUST_UNSIGNED : RETORT_TRUST_PIN};
  bool alone = !f->embedded && !o->mmap && !o->allow_unsigned && all_chunked(f); /* the header can be verified by itself */
  if (look == FILES_PEEK && !alone && !o->allow_unsigned) return EXIT_OK;
  if (look == FILES_STRANGER || ((look == FILES_HEADER || look == FILES_PEEK) && alone)) return read_header(f, descriptors, o);
  bool map = !f->embedded && (o->mmap || (look != FILES_RUN && o->allow_unsigned));
  if (map) code = map_all(f, descriptors, o->json);
  else if (!f->embedded) code = check_memory(f, o->json);
  if (code == EXIT_OK && map && !f->sealed && !o->allow_unsigned)
    warn(
        "the model is mapped: it is verified now, but whoever may write the file can still change it while it runs; leave --mmap away to "
        "be safe from that, or seal the file with fs-verity");
  if (code == EXIT_OK && (!map || !o->allow_unsigned)) code = read_all(f, descriptors, map || f->embedded, o->json);
  if (code == EXIT_OK && retort_verifier_finish(f->verifier, &f->verdict, &error))
    code = trust_is_given(o) ? fail_status(o->json, &error) : trust_policy_refuse(o, f->buffers[0].name, f->embedded, error.message);
  return code;
}

static int open_embedded(model_files *f, const machine *m, int look, const options *o) {
  retort_buffer model = embedded_model();
  *f = (model_files){.m = m, .buffers = calloc(1, sizeof(retort_buffer)), .bytes = model.size, .embedded = true};
  int code = f->buffers ? EXIT_OK : fail(o->json, EXIT_MEMORY, "out of memory");
  if (f->buffers) {
    f->buffers[0] = model;
    f->count = 1;
    code = take_in(f, NULL, look, o);
  }
  if (code != EXIT_OK) files_close(f);
  return code;
}

/* malloc'ed: the name of file `index`, of those that were named, or of the set that `path` is one of. */
static char *name_of(const options *o, const char *path, size_t index, bool named, unsigned count, size_t digits) {
  char number[12];
  char *name = strdup(named ? o->models.value[index] : path);
  if (!name || named || count == 1) return name;
  snprintf(number, sizeof number, "%05u", (unsigned)index + 1);
  memcpy(name + digits, number, 5);
  return name;
}

int files_open(model_files *f, const machine *m, const char *path, int look, const options *o) {
  if (!path) return open_embedded(f, m, look, o);
  size_t digits = 0;
  const bool named = o->models.count > 1 && strcmp(path, o->models.value[0]) == 0;
  unsigned count = named ? (unsigned)o->models.count : split_count(path, &digits);
  int code = EXIT_OK;
  bool json = o->json;
  *f = (model_files){.m = m, .buffers = calloc(count, sizeof(retort_buffer)), .named = named};
  int *descriptors = malloc(count * sizeof(int));
  size_t opened = 0;
  if (!f->buffers || !descriptors) code = fail(json, EXIT_MEMORY, "out of memory");
  for (; code == EXIT_OK && opened < count; opened++) {
    char *name = name_of(o, path, opened, named, count, digits);
    if (!name) break;
    f->buffers[opened] = (retort_buffer){.struct_size = sizeof(retort_buffer), .name = name};
    f->count = count;
    code = open_one(f, opened, &descriptors[opened], json);
  }
  f->count = opened;
  if (code == EXIT_OK && opened < count) code = fail(json, EXIT_MEMORY, "out of memory");
  if (code == EXIT_OK) code = take_in(f, descriptors, look, o);
  for (size_t i = 0; i < opened; i++)
    if (descriptors[i] >= 0) close(descriptors[i]);
  free(descriptors);
  if (code != EXIT_OK) {
    if (code != EXIT_INTERRUPTED) wipe(f); /* that would take long, and the process ends */
    files_close(f);
  }
  return code;
}

retort_status files_parse(model_files *f, uint32_t flags, retort_gguf **out, retort_error *error) {
  if (f->header) {
    *out = f->header;
    f->header = NULL;
    return RETORT_OK;
  }
  retort_status status = retort_gguf_open_verified(machine_platform(f->m), f->verifier, f->buffers, f->count, flags, out, error);
  if (status) explain(f, error);
  return status ? (retort_status)error->status : RETORT_OK;
}

bool files_peeked(const model_files *f) { return f->header || f->mapped; }

const char *files_memory(const model_files *f) {
  return f->embedded ? "embedded" : f->sealed ? "fs-verity map" : f->mapped ? "shared map" : "private copy";
}

void files_close(model_files *f) {
  const retort_platform *p = f->m ? machine_platform(f->m) : NULL;
  retort_gguf_close(f->header);
  for (size_t i = 0; i < f->count && !f->embedded; i++) {
    retort_buffer *b = &f->buffers[i];
    void *memory = (void *)(uintptr_t)b->data; /* NULL: an empty mapped file, or opening stopped before */
    if (memory && f->mapped) unmap_file(memory, b->size);
    if (memory && !f->mapped) p->free(p->user, memory, room(f, b));
    free((void *)(uintptr_t)b->name);
  }
  free(f->buffers);
  retort_verifier_close(f->verifier);
  *f = (model_files){0};
}

void files_digest(const model_files *f, size_t index, char hex[65]) {
  retort_sha256_hex(f->buffers[index].data, f->buffers[index].size, hex);
}
