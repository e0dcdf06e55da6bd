/* hardware.c - see hardware.h.
 *
 * Fast cores. ARM kernels rate each core (cpu_capacity); those of at least 0.6 of the best are fast, which takes the big and the middle
 * cores of a phone and leaves the small ones, that would hold the others up. Where there is no rating the highest clocks decide: at least
 * 0.85 of the best. Hybrid x86 names its big cores in a list.
 */
#include "hardware.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>

static bool read_text(const char *root, const char *path, char *text, size_t capacity) {
  char whole[5000];
  snprintf(whole, sizeof whole, "%s%s", root, path);
  FILE *file = fopen(whole, "r");
  if (!file) return false;
  size_t n = fread(text, 1, capacity - 1, file);
  fclose(file);
  text[n] = 0;
  return n > 0;
}

/* ---- cores ---- */

/* Calls visit for each number of a list such as "0-3,8". */
static void over_list(const char *list, void (*visit)(hardware *b, long number), hardware *b) {
  for (char *p = (char *)(uintptr_t)list; *p;) {
    char *start = p;
    long from = strtol(p, &p, 10), to = *p == '-' ? strtol(p + 1, &p, 10) : from;
    if (p == start) return;
    for (long i = from; i <= to && i >= 0 && i < MAX_CORES; i++) visit(b, i);
    if (*p != ',') return;
    p++;
  }
}

static void mark_online(hardware *b, long i) {
  b->cores[i].online = true;
  if ((unsigned)i >= b->n_cores) b->n_cores = (unsigned)i + 1;
}
static void mark_allowed(hardware *b, long i) { b->cores[i].allowed = true; }
static void mark_fast(hardware *b, long i) { b->cores[i].fast = true; }

/* A number from /sys/devices/system/cpu/cpuN/NAME, 0 where there is none. */
static long core_value(const char *root, unsigned i, const char *name) {
  char path[128], text[64];
  snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%u/%s", i, name);
  return read_text(root, path, text, sizeof text) ? strtol(text, NULL, 10) : 0;
}

/* Affinity and cpuset, which the kernel has put together already. */
static void read_allowed(hardware *b, const char *root) {
  char text[16384];
  const char *list = read_text(root, "/proc/self/status", text, sizeof text) ? strstr(text, "\nCpus_allowed_list:") : NULL;
  cpu_set_t set;
  if (list) over_list(list + 19 + strspn(list + 19, " \t"), mark_allowed, b);
  else if (!*root && sched_getaffinity(0, sizeof set, &set) == 0)
    for (int i = 0; i < MAX_CORES && i < CPU_SETSIZE; i++) b->cores[i].allowed = CPU_ISSET(i, &set);
  else
    for (int i = 0; i < MAX_CORES; i++) b->cores[i].allowed = b->cores[i].online;
}

static void choose_fast(hardware *b, const char *root) {
  char list[1024];
  long best = 0, clock = 0;
  for (unsigned i = 0; i < b->n_cores; i++) {
    const core *c = &b->cores[i];
    if (c->allowed && c->capacity > best) best = c->capacity;
    if (c->allowed && c->max_khz > clock) clock = c->max_khz;
  }
  bool hybrid = read_text(root, "/sys/devices/cpu_core/cpus", list, sizeof list);
  if (hybrid) over_list(list, mark_fast, b);
  for (unsigned i = 0; i < b->n_cores; i++) {
    core *c = &b->cores[i];
    bool fast = hybrid ? c->fast : best > 0 ? c->capacity * 10 >= best * 6 : clock == 0 || c->max_khz * 100 >= clock * 85;
    c->fast = c->big = fast && c->allowed;
  }
  /* Of a core's hardware threads only the first allowed one counts. */
  for (unsigned i = 0; i < b->n_cores; i++) {
    char path[128];
    if (!b->cores[i].fast) continue;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", i);
    if (!read_text(root, path, list, sizeof list)) continue;
    for (char *p = list; *p;) {
      char *start = p;
      long from = strtol(p, &p, 10), to = *p == '-' ? strtol(p + 1, &p, 10) : from;
      if (p == start) break;
      for (long sibling = from; sibling <= to && sibling < (long)i; sibling++)
        if (sibling >= 0 && b->cores[sibling].allowed) b->cores[i].fast = false;
      if (*p != ',') break;
      p++;
    }
  }
}

/* ---- control groups ---- */

/* Calls visit with each folder of `base` from this process's control group up to the root, until it returns false. */
static void walk_cgroup(const char *root, const char *controller, const char *hierarchy, void (*visit)(const char *folder, void *arg),
                        void *arg) {
  char text[4096], base[256], folder[4400];
  snprintf(base, sizeof base, "%s%s", root, hierarchy);
  if (!read_text(root, "/proc/self/cgroup", text, sizeof text)) return;
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
    char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;
    if (!path) continue;
    *path++ = 0;
    char list[256];
    snprintf(list, sizeof list, ",%s,", names + 1);
    char wanted[64];
    snprintf(wanted, sizeof wanted, ",%s,", controller);
    if (controller[0] ? !strstr(list, wanted) : names[1] != 0) continue;
    for (;;) {
      snprintf(folder, sizeof folder, "%s%s", base, path);
      visit(folder, arg);
      char *slash = strrchr(path, '/');
      if (!slash) return;
      *slash = 0;
      if (slash == path && path[0] == 0) {
        visit(base, arg);
        return;
      }
    }
  }
}

static void quota_v2(const char *folder, void *arg) {
  char path[4500], text[64];
  char *end;
  double *cores = arg;
  snprintf(path, sizeof path, "%s/cpu.max", folder);
  if (!read_text("", path, text, sizeof text)) return;
  double quota = strtod(text, &end), period = strtod(end, NULL);
  if (end != text && period > 0 && quota / period < *cores) *cores = quota / period; /* "max": no limit */
}

static void quota_v1(const char *folder, void *arg) {
  char path[4500], quota[32], period[32];
  double *cores = arg;
  snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
  if (!read_text("", path, quota, sizeof quota)) return;
  snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
  if (!read_text("", path, period, sizeof period)) return;
  double share = atof(period) > 0 ? atof(quota) / atof(period) : -1;
  if (share > 0 && share < *cores) *cores = share;
}

static void least_number(const char *path, uint64_t minus, uint64_t *least) {
  char text[64], *end;
  if (!read_text("", path, text, sizeof text)) return;
  unsigned long long limit = strtoull(text, &end, 10);
  if (end == text) return; /* "max" */
  uint64_t left = limit > minus ? limit - minus : 0;
  if (left < *least) *least = left;
}

/* What a control group leaves: its limit less what it uses, page cache not counted as used. */
static void memory_left(const char *folder, const char *limit_name, const char *usage_name, const char *cache_key, uint64_t *least) {
  char path[4500], text[8192];
  uint64_t used = 0, cache = 0;
  snprintf(path, sizeof path, "%s/%s", folder, usage_name);
  if (read_text("", path, text, sizeof text)) used = strtoull(text, NULL, 10);
  snprintf(path, sizeof path, "%s/memory.stat", folder);
  if (read_text("", path, text, sizeof text)) {
    char *at = strstr(text, cache_key);
    if (at) cache = strtoull(at + strlen(cache_key), NULL, 10);
  }
  snprintf(path, sizeof path, "%s/%s", folder, limit_name);
  least_number(path, used > cache ? used - cache : 0, least);
}
static void memory_v2(const char *folder, void *arg) { memory_left(folder, "memory.max", "memory.current", "\nfile ", arg); }
static void memory_v1(const char *folder, void *arg) {
  memory_left(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "\ntotal_cache ", arg);
}

void hardware_cores(hardware *b, const char *root) {
  char text[1024];
  *b = (hardware){0};
  if (read_text(root, "/sys/devices/system/cpu/online", text, sizeof text)) over_list(text, mark_online, b);
  read_allowed(b, root);
  for (long i = 0; i < MAX_CORES; i++) {
    core *c = &b->cores[i];
    if (c->allowed && (unsigned)i >= b->n_cores) mark_online(b, i); /* no /sys */
    c->allowed = c->allowed && c->online;
    b->n_allowed += c->allowed;
    if (!c->online) continue;
    c->capacity = core_value(root, (unsigned)i, "cpu_capacity");
    c->max_khz = core_value(root, (unsigned)i, "cpufreq/cpuinfo_max_freq");
    c->now_khz = core_value(root, (unsigned)i, "cpufreq/scaling_cur_freq");
  }
  choose_fast(b, root);
  for (unsigned i = 0; i < b->n_cores; i++) b->n_fast += b->cores[i].fast;
  double quota = 1e9;
  walk_cgroup(root, "", "/sys/fs/cgroup", quota_v2, &quota);
  walk_cgroup(root, "cpu", "/sys/fs/cgroup/cpu", quota_v1, &quota);
  b->quota = quota < 1e9 ? quota : 0;
  b->threads = b->n_fast ? b->n_fast : 1;
  if (quota < (double)b->threads) {
    b->threads = quota < 1 ? 1 : (unsigned)quota;
    snprintf(b->why, sizeof b->why, "%u of %u fast cores: the control group's quota is %.1f", b->threads, b->n_fast, quota);
  } else {
    snprintf(b->why, sizeof b->why, "%u fast physical core%s of %u logical CPU%s allowed", b->threads, b->threads == 1 ? "" : "s",
             b->n_allowed, b->n_allowed == 1 ? "" : "s");
  }
}

static uint64_t kilobytes(const char *text, const char *key) {
  const char *at = strstr(text, key);
  return at ? strtoull(at + strlen(key), NULL, 10) * 1024 : 0;
}

void hardware_read_memory(hardware_memory *memory, const char *root) {
  char text[4096];
  uint64_t least = UINT64_MAX;
  *memory = (hardware_memory){0};
  if (read_text(root, "/proc/meminfo", text, sizeof text)) {
    memory->total = kilobytes(text, "MemTotal:");
    memory->swap = kilobytes(text, "SwapTotal:");
    if (strstr(text, "MemAvailable:")) least = kilobytes(text, "MemAvailable:");
  }
  uint64_t machine = least;
  walk_cgroup(root, "", "/sys/fs/cgroup", memory_v2, &least);
  walk_cgroup(root, "memory", "/sys/fs/cgroup/memory", memory_v1, &least);
  memory->available = least == UINT64_MAX ? 0 : least;
  memory->limited = least < machine;
}

/* ---- temperature and name ---- */

static bool is_processor(const char *sensor) {
  static const char *const parts[] = {"cpu", "CPU", "soc", "core", "x86_pkg", "k10temp"};
  for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++)
    if (strstr(sensor, parts[i])) return true;
  return false;
}

bool hardware_temperature(const char *root, double *celsius, char sensor[64]) {
  bool found = false, of_processor = false;
  for (int kind = 0; kind < 2; kind++)
    for (int i = 0; i < 64; i++) {
      char folder[64], path[128], type[64], text[32];
      snprintf(folder, sizeof folder, kind ? "/sys/class/hwmon/hwmon%d/" : "/sys/class/thermal/thermal_zone%d/", i);
      snprintf(path, sizeof path, "%s%s", folder, kind ? "name" : "type");
      if (!read_text(root, path, type, sizeof type)) continue;
      snprintf(path, sizeof path, "%s%s", folder, kind ? "temp1_input" : "temp");
      if (!read_text(root, path, text, sizeof text)) continue;
      type[strcspn(type, "\n")] = 0;
      double t = 0.001 * strtod(text, NULL);
      bool processor = is_processor(type);
      if (t < -50 || t > 200 || (found && (of_processor > processor || (of_processor == processor && t <= *celsius)))) continue;
      found = true;
      of_processor = processor;
      *celsius = t;
      strcpy(sensor, type);
    }
  return found;
}

void hardware_name(const char *root, char name[128]) {
  char text[4096], *at;
  name[0] = 0;
  if (read_text(root, "/proc/device-tree/model", text, sizeof text)) at = text;
  else if (read_text(root, "/proc/cpuinfo", text, sizeof text) && (at = strstr(text, "model name")) && (at = strchr(at, ':')))
    at += 1 + strspn(at + 1, " ");
  else return;
  at[strcspn(at, "\n")] = 0;
  snprintf(name, 128, "%.127s", at);
}

#else

void hardware_cores(hardware *b, const char *root) {
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  (void)root;
  *b = (hardware){.n_cores = n > 1 ? n < MAX_CORES ? (unsigned)n : MAX_CORES : 1};
  b->threads = b->n_fast = b->n_allowed = b->n_cores;
  for (unsigned i = 0; i < b->n_cores; i++) b->cores[i] = (core){.online = true, .allowed = true, .fast = true};
  snprintf(b->why, sizeof b->why, "%u logical CPUs", b->n_cores);
}

void hardware_read_memory(hardware_memory *memory, const char *root) {
  long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  (void)root;
  *memory = (hardware_memory){0};
  if (pages > 0 && page > 0) memory->total = memory->available = (uint64_t)pages * (uint64_t)page;
}

bool hardware_temperature(const char *root, double *celsius, char sensor[64]) {
  (void)root, (void)celsius, (void)sensor;
  return false;
}

void hardware_name(const char *root, char name[128]) {
  (void)root;
  name[0] = 0;
}
#endif

bool hardware_should_pin(const hardware *b, unsigned threads) {
  bool small = false;
  for (unsigned i = 0; i < b->n_cores; i++) {
    if (b->cores[i].online && !b->cores[i].allowed) return false;
    small |= b->cores[i].online && !b->cores[i].big;
  }
  return small && (threads ? threads : b->threads) <= b->n_fast;
}

bool keep_to_big_cores(unsigned threads) {
  hardware b;
  hardware_cores(&b, "");
  if (!hardware_should_pin(&b, threads)) return false;
#ifdef __linux__
  cpu_set_t set;
  CPU_ZERO(&set);
  for (unsigned i = 0; i < b.n_cores && i < CPU_SETSIZE; i++)
    if (b.cores[i].big) CPU_SET(i, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0; /* where it is forbidden, nothing is lost */
#else
  return false;
#endif
}

void use_all_cores(void) {
#ifdef __linux__
  cpu_set_t set;
  memset(&set, 255, sizeof set);
  sched_setaffinity(0, sizeof set, &set);
#endif
}

unsigned default_threads(char why[160]) {
  hardware b;
  hardware_cores(&b, "");
  memcpy(why, b.why, sizeof b.why);
  return b.threads;
}

uint64_t available_memory(void) {
  hardware_memory memory;
  hardware_read_memory(&memory, "");
  return memory.available;
}
