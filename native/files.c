/* files.c - the bytes of a model: one GGUF file or a split set, read into private memory or mapped.
 *
 * Private memory is the default although mapping starts sooner: nobody can change the bytes under us after they were checked, and they sit on
 * huge pages, from which decoding reads half as fast again. The bytes that are hashed are those that the model then runs on. All threads read at once, in chunks; a bar shows itself when that takes long.
 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILES 1000
#define CHUNK ((uint64_t)8 << 20)

/* "-00001-of-00005.gguf" at the end of `path`: the number of files, and where the five digits of the file's own number are; else 1. */
static unsigned split_count(const char *path, size_t *digits) {
  size_t n = strlen(path);
  unsigned number, count;
  int used = 0;
  if (n < 20 || sscanf(path + n - 20, "-%5u-of-%5u.gguf%n", &number, &count, &used) != 2 || used != 20) return 1;
  if (number < 1 || number > count || count > MAX_FILES) return 1;
  *digits = n - 19;
  return count;
}

/* A file that must be hashed from its first byte to its last: whoever read a chunk tries to become the one who hashes what is ready. */
typedef struct sequence {
  atomic_flag busy;
  atomic_uint_fast64_t hashed;  /* chunks */
  _Atomic unsigned char *ready; /* (chunks) */
} sequence;

typedef struct reading {
  model_files *f;
  int *descriptors;
  atomic_uint_fast64_t next, done; /* chunk to take; bytes read */
  atomic_int failed;               /* errno, or -1: a file ended early */
  atomic_size_t failed_file;
  sequence *sequences; /* one a file */
  bool from_map;       /* the bytes are there already */
  atomic_flag refused;
  retort_error refusal; /* written once, by whoever set the flag */
  progress bar;
} reading;

/* What one turn of a thread reads and hashes: 8 MiB, or the chunk of the signed list where that is larger. */
static uint64_t turn(const model_files *f, size_t file) {
  uint64_t chunk = retort_verifier_chunk_size(f->verifier, file);
  return chunk > CHUNK ? chunk : CHUNK;
}
static uint64_t turns(const model_files *f, size_t file) { return (f->buffers[file].size + turn(f, file) - 1) / turn(f, file); }

static bool feed(reading *r, size_t file, uint64_t offset, uint64_t size) {
  retort_error error;
  if (retort_verifier_feed(r->f->verifier, file, offset, (const char *)r->f->buffers[file].data + offset, (size_t)size, &error) == RETORT_OK) return true;
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
  if (retort_verifier_chunk_size(f->verifier, file)) return feed(r, file, index * step, size - index * step < step ? size - index * step : step);
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
  return verify_chunk(r, file, chunk);
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
    if (!r->from_map && !f->buffers[i].data) return fail(json, EXIT_MEMORY, "no memory for the %s of %s", memory_text(f->buffers[i].size).text, f->buffers[i].name);
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
    f->read_seconds = seconds() - r.bar.started;
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

static int map_all(model_files *f, const int *descriptors, bool json) {
  f->mapped = true;
  for (size_t i = 0; i < f->count; i++) {
    if (f->buffers[i].size == 0) continue;
    void *memory = mmap(NULL, f->buffers[i].size, PROT_READ, MAP_SHARED, descriptors[i], 0);
    if (memory == MAP_FAILED) return fail(json, EXIT_MEMORY, "cannot map %s: %s", f->buffers[i].name, strerror(errno));
    f->buffers[i].data = memory;
  }
  return EXIT_OK;
}

static int open_one(model_files *f, size_t index, int *descriptor, bool json) {
  retort_buffer *b = &f->buffers[index];
  struct stat info;
  *descriptor = open(b->name, O_RDONLY | O_CLOEXEC);
  if (*descriptor < 0 && index > 0 && errno == ENOENT)
    return fail(json, EXIT_MODEL, "%s is missing: the set has %zu files, which must lie in one folder", b->name, f->count);
  if (*descriptor < 0 || fstat(*descriptor, &info) != 0) return fail(json, EXIT_MODEL, "cannot open the model %s: %s", b->name, strerror(errno));
  if (!S_ISREG(info.st_mode)) return fail(json, EXIT_MODEL, "%s is %s, not a file", b->name, S_ISDIR(info.st_mode) ? "a folder" : "a device or pipe");
  if ((uint64_t)info.st_size > SIZE_MAX / 2) return fail(json, EXIT_MEMORY, "%s is too large for this program's address space", b->name);
  b->size = (size_t)info.st_size;
  f->bytes += b->size;
  return EXIT_OK;
}

/* The weights must fit beside everything else; finding that out from the kernel's killer would cost minutes of swapping. */
static int check_memory(const model_files *f, bool json) {
  uint64_t available = available_memory();
  if (available == 0 || f->bytes <= available) return EXIT_OK;
  return fail(json, EXIT_MEMORY, "the model needs %s of memory but only %s are available; end other programs, take a smaller model or quantisation, or try --mmap (slow)",
              memory_text(f->bytes).text, memory_text(available).text);
}

/* Gets the bytes by the way that the policy leaves open. */
static int take_in(model_files *f, int *descriptors, bool header_only, const options *o) {
  retort_error error;
  int code = gate_open(machine_platform(f->m), o, f->buffers, f->count, &f->verifier);
  if (code != EXIT_OK) return code;
  f->verdict = (retort_verdict){.struct_size = sizeof f->verdict, .method = o->allow_unsigned ? RETORT_TRUST_UNSIGNED : RETORT_TRUST_PIN};
  bool map = o->mmap || (header_only && o->allow_unsigned);
  if (map) code = map_all(f, descriptors, o->json);
  else code = check_memory(f, o->json);
  if (code == EXIT_OK && map && !o->allow_unsigned)
    warn("the model is mapped: it is verified now, but whoever may write the file can still change it while it runs; leave --mmap away to be safe from that");
  if (code == EXIT_OK && (!map || !o->allow_unsigned)) code = read_all(f, descriptors, map, o->json);
  if (code == EXIT_OK && retort_verifier_finish(f->verifier, &f->verdict, &error))
    code = trust_is_given(o) ? fail_status(o->json, &error) : gate_refuse(o, f->buffers[0].name, error.message);
  return code;
}

int files_open(model_files *f, const machine *m, const char *path, bool header_only, const options *o) {
  size_t digits = 0;
  unsigned count = split_count(path, &digits);
  int code = EXIT_OK;
  bool json = o->json;
  *f = (model_files){.m = m, .buffers = calloc(count, sizeof(retort_buffer))};
  int *descriptors = malloc(count * sizeof(int));
  size_t opened = 0;
  if (!f->buffers || !descriptors) code = fail(json, EXIT_MEMORY, "out of memory");
  for (; code == EXIT_OK && opened < count; opened++) {
    char *name = strdup(path);
    if (!name) break;
    if (count > 1) {
      char number[12];
      snprintf(number, sizeof number, "%05u", (unsigned)opened + 1);
      memcpy(name + digits, number, 5);
    }
    f->buffers[opened].name = name;
    f->count = count;
    code = open_one(f, opened, &descriptors[opened], json);
  }
  f->count = opened;
  if (code == EXIT_OK && opened < count) code = fail(json, EXIT_MEMORY, "out of memory");
  if (code == EXIT_OK) code = take_in(f, descriptors, header_only, o);
  for (size_t i = 0; i < opened; i++)
    if (descriptors[i] >= 0) close(descriptors[i]);
  free(descriptors);
  if (code != EXIT_OK) files_close(f);
  return code;
}

retort_status files_parse(const model_files *f, uint32_t flags, retort_gguf **out, retort_error *error) {
  return retort_gguf_open_verified(machine_platform(f->m), f->verifier, f->buffers, f->count, flags, out, error);
}

void files_close(model_files *f) {
  const retort_platform *p = f->m ? machine_platform(f->m) : NULL;
  for (size_t i = 0; i < f->count; i++) {
    retort_buffer *b = &f->buffers[i];
    void *memory = (void *)(uintptr_t)b->data; /* NULL: an empty mapped file, or opening stopped before */
    if (memory && f->mapped) munmap(memory, b->size);
    if (memory && !f->mapped) p->free(p->user, memory, b->size);
    free((void *)(uintptr_t)b->name);
  }
  free(f->buffers);
  retort_verifier_close(f->verifier);
  *f = (model_files){0};
}

void files_digest(const model_files *f, size_t index, char hex[65]) { retort_sha256_hex(f->buffers[index].data, f->buffers[index].size, hex); }
