/* device.c - `retort device`: what this machine has for running models, measured where a number would otherwise be a guess.
 *
 * The table of models is there to choose by; its speeds are the memory bandwidth, measured here by all threads, over the bytes of weights
 * that a token reads. They are upper bounds: a core too slow for its memory stays below them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/bandwidth.h"
#include "commands.h"
#include "models/embedded.h"
#include "models/metadata.h"
#include "terminal/report.h"

/* Sizes of published files, in MB: the file, and what of it one token reads (all but the embedding table, where the output is not the
 * same). Bytes of keys and values a token follow from the models' shapes: layers x heads of keys x 128 x 2 x 2. */
static const struct choice {
  const char *name;
  unsigned megabytes, read_megabytes, kv_per_token;
} choices[] = {
    {"DeepSeek-R1-Distill-Qwen-1.5B Q4_K_M", 1117, 986, 28 * 2 * 512},
    {"DeepSeek-R1-Distill-Qwen-1.5B Q8_0", 1895, 1647, 28 * 2 * 512},
    {"DeepSeek-R1-Distill-Qwen-7B Q4_K_M", 4683, 4377, 28 * 4 * 512},
    {"DeepSeek-R1-Distill-Qwen-7B Q8_0", 8099, 7520, 28 * 4 * 512},
    {"DeepSeek-R1-Distill-Llama-8B Q4_K_M", 4921, 4625, 32 * 8 * 512},
    {"DeepSeek-R1-Distill-Qwen-14B Q4_K_M", 8988, 8550, 48 * 8 * 512},
    {"DeepSeek-R1-Distill-Qwen-32B Q4_K_M", 19851, 19413, 64 * 8 * 512},
    {"DeepSeek-R1-Distill-Llama-70B Q4_K_M", 42520, 41930, 80 * 8 * 512},
};

/* The largest context, up to 32768, with which it fits; 0: it does not. */
static uint64_t largest_context(const struct choice *c, uint64_t available) {
  uint64_t need = (uint64_t)c->megabytes * 1000000 + MEMORY_MARGIN,
           fits = available > need ? (available - need) / c->kv_per_token / 256 * 256 : 0;
  return fits < 32768 ? fits : 32768;
}

/* Reads up to 512 MiB of `path` for at most three seconds, past the page cache where the file system lets us. Bytes a second. */
static int storage_speed(const options *o, const char *path, double *speed, bool *direct) {
  const size_t piece = (size_t)4 << 20;
  void *memory = NULL;
  int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
  *direct = descriptor >= 0;
  if (!*direct) descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(o->json, EXIT_MODEL, "cannot open %s: %s", path, strerror(errno));
  if (posix_memalign(&memory, 4096, piece) != 0) {
    close(descriptor);
    return fail(o->json, EXIT_MEMORY, "out of memory");
  }
  if (!*direct) posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  uint64_t total = 0;
  double start = seconds();
  ssize_t n;
  while ((n = read(descriptor, memory, piece)) > 0 && (total += (uint64_t)n) < (uint64_t)512 << 20 && seconds() - start < 3) {
  }
  double took = seconds() - start;
  int reason = n < 0 ? errno : 0;
  free(memory);
  close(descriptor);
  if (reason || total == 0) return fail(o->json, EXIT_MODEL, "cannot read %s: %s", path, reason ? strerror(reason) : "it is empty");
  *speed = (double)total / (took > 0 ? took : 1e-9);
  return EXIT_OK;
}

typedef struct findings {
  hardware b;
  hardware_memory memory;
  char name[128], sensor[64];
  const char *kernels;
  double celsius, bandwidth, storage; /* storage 0: not asked for */
  bool hot, direct;
} findings;

static json_t *cores_json(const hardware *b) {
  json_t *cores = json_array();
  for (unsigned i = 0; i < b->n_cores; i++) {
    const core *c = &b->cores[i];
    if (c->online)
      json_array_append_new(cores, json_pack("{s:i,s:b,s:b,s:I,s:I,s:I}", "cpu", (int)i, "allowed", c->allowed, "fast", c->fast, "capacity",
                                             (json_int_t)c->capacity, "max_khz", (json_int_t)c->max_khz, "khz", (json_int_t)c->now_khz));
  }
  return cores;
}

static void print_json(const options *o, const findings *f) {
  json_t *models = json_array();
  for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
    uint64_t context = largest_context(&choices[i], f->memory.available);
    json_array_append_new(models, json_pack("{s:s,s:I,s:b,s:I,s:f}", "name", choices[i].name, "bytes",
                                            (json_int_t)choices[i].megabytes * 1000000, "fits", context > 0, "context", (json_int_t)context,
                                            "tokens_per_second_at_most", f->bandwidth / (1e6 * choices[i].read_megabytes)));
  }
  json_t *all = json_pack("{s:o,s:s,s:o,s:i,s:s,s:{s:I,s:I,s:I,s:b},s:f,s:o}", "machine", text_json(f->name), "kernels", f->kernels,
                          "cores", cores_json(&f->b), "threads", (int)f->b.threads, "threads_reason", f->b.why, "memory", "total",
                          (json_int_t)f->memory.total, "available", (json_int_t)f->memory.available, "swap", (json_int_t)f->memory.swap,
                          "limited_by_control_group", f->memory.limited, "bandwidth", f->bandwidth, "models", models);
  if (all && f->hot) json_object_set_new(all, "temperature", json_pack("{s:f,s:o}", "celsius", f->celsius, "sensor", text_json(f->sensor)));
  if (all && f->storage > 0)
    json_object_set_new(
        all, "storage",
        json_pack("{s:o,s:f,s:b}", "file", text_json(o->arguments[0]), "bytes_per_second", f->storage, "past_the_cache", f->direct));
  print_json_line(all);
}

static void print_cores(const hardware *b) {
  for (unsigned i = 0; i < b->n_cores;) { /* equal neighbours share a line */
    const core *c = &b->cores[i];
    unsigned last = i;
    while (last + 1 < b->n_cores && b->cores[last + 1].online == c->online && b->cores[last + 1].allowed == c->allowed &&
           b->cores[last + 1].capacity == c->capacity && b->cores[last + 1].max_khz == c->max_khz && b->cores[last + 1].fast == c->fast)
      last++;
    char range[32], clock[80] = "", rated[64] = "";
    if (last > i) snprintf(range, sizeof range, "cpu %u-%u", i, last);
    else snprintf(range, sizeof range, "cpu %u", i);
    if (c->max_khz) snprintf(clock, sizeof clock, "  up to %ld MHz, now %ld", c->max_khz / 1000, c->now_khz / 1000);
    if (c->capacity) snprintf(rated, sizeof rated, "  rated %ld of 1024", c->capacity);
    if (c->online) printf("  %-12s %s%s%s\n", range, c->fast ? "fast" : c->allowed ? "not used" : "not allowed", clock, rated);
    i = last + 1;
  }
}

static void print_text(const options *o, const findings *f) {
  if (*f->name) printf("%-12s %s\n", "machine", f->name);
  printf("%-12s %s\n%-12s %u (%s)\n", "kernels", f->kernels, "threads", f->b.threads, f->b.why);
  print_cores(&f->b);
  if (f->hot)
    printf("%-12s %.1f C (%s)%s\n", "temperature", f->celsius, f->sensor, f->celsius >= 80 ? ": expect the clocks to be lowered" : "");
  printf("%-12s %s available of %s%s", "memory", memory_text(f->memory.available).text, memory_text(f->memory.total).text,
         f->memory.limited ? ", limited by a control group" : "");
  if (f->memory.swap) printf("; the %s of swap are not counted", memory_text(f->memory.swap).text);
  putchar('\n');
  if (f->bandwidth > 0)
    printf("%-12s %.1f GB/s, read by %u thread%s\n", "bandwidth", 1e-9 * f->bandwidth, f->b.threads, f->b.threads == 1 ? "" : "s");
  else printf("%-12s not measured: too little memory for it\n", "bandwidth");
  if (f->storage > 0)
    printf("%-12s %.0f MB/s (%s%s)\n", "storage", 1e-6 * f->storage, o->arguments[0], f->direct ? "" : ", perhaps from the page cache");
  printf("\n%-40s %10s %14s %12s\n", "models that fit", "file", "--ctx up to", "tokens/s <=");
  for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
    uint64_t context = largest_context(&choices[i], f->memory.available);
    char speed[32] = "-";
    if (f->bandwidth > 0) snprintf(speed, sizeof speed, "%.1f", f->bandwidth / (1e6 * choices[i].read_megabytes));
    if (context) printf("  %-38s %7.2f GB %14llu %12s\n", choices[i].name, 1e-3 * choices[i].megabytes, (unsigned long long)context, speed);
  }
  printf("  %-38s %7.2f MB\n", "Ember (in this program)", 1e-6 * (double)embedded_model().size);
  if (largest_context(&choices[0], f->memory.available) == 0)
    printf("\nThe smallest R1 distill needs %.2f GB and is too large for this machine now.\n", 1e-3 * choices[0].megabytes);
}

static int device(const options *o) {
  findings f = {.kernels = "none"};
  const char *name, *reason;
  int available, code = EXIT_OK;
  if (o->n_arguments > 1) return fail(o->json, EXIT_USAGE, "name one file at most, whose storage is to be timed");
  hardware_cores(&f.b, ""); /* before the machine keeps off the small ones */
  machine *m = machine_open(usable_threads(o->threads), o->verbose);
  if (!m) return fail(o->json, EXIT_MEMORY, "out of memory");
  if (o->threads) {
    f.b.threads = machine_platform(m)->workers;
    snprintf(f.b.why, sizeof f.b.why, "as asked");
  }
  hardware_read_memory(&f.memory, "");
  hardware_name("", f.name);
  f.hot = hardware_temperature("", &f.celsius, f.sensor);
  for (uint32_t i = 0; (name = retort_kernels_variant(machine_platform(m), i, &available, &reason)) != NULL; i++)
    if (available && strcmp(f.kernels, "none") == 0) f.kernels = name; /* the best one comes first */
  if (o->n_arguments) code = storage_speed(o, o->arguments[0], &f.storage, &f.direct);
  if (code == EXIT_OK) {
    f.bandwidth = read_bandwidth(m);
    if (o->json) print_json(o, &f);
    else print_text(o, &f);
  }
  machine_close(m);
  return code;
}

static const option_spec specs[] = {
    {"threads", 't', OPTION_U32, AT(threads), "N", 1, 1024,
     "threads that measure the bandwidth. Default: the fast physical cores that this process may use"},
    OPTIONS_OUTPUT,
};

const command device_command = {
    .name = "device",
    .summary = "what this machine has, and which models fit with which speed",
    .usage = "[FILE] [OPTIONS]",
    .text =
        "Prints the machine, the kernels that will be used, the cores and which of them are fast, temperature, memory (control groups' "
        "limits counted in), the measured memory "
        "bandwidth, and, where a FILE is named, how fast it can be read from its storage. The table shows the models that fit; their "
        "tokens a second are what the bandwidth allows at most.",
    .examples = "  retort device\n  retort device model.gguf --json\n",
    .specs = specs,
    .n_specs = sizeof specs / sizeof specs[0],
    .rights = READS_ARGUMENTS,
    .run = device,
};
