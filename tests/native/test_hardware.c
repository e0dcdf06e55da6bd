/* test_hardware.c - threads and memory are chosen rightly on machines that we do not have: small trees of /sys and /proc, made here by the
 * published layouts of the boards that they are named after (device trees of the Linux kernel, cgroups(7)); no recording of a real machine.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "machine/hardware.h"
#include "machine/throttle.h"
#include "models/metadata.h"

double seconds(void); /* of report.h, whose fail() is not cmocka's */

#define CPU "/sys/devices/system/cpu/"
#define GIB ((uint64_t)1 << 30)

static char root[64];

static void put(const char *path, const char *text) {
  char whole[512];
  snprintf(whole, sizeof whole, "%s%s", root, path);
  for (char *p = strchr(whole + strlen(root) + 1, '/'); p; p = strchr(p + 1, '/')) {
    *p = 0;
    mkdir(whole, 0755);
    *p = '/';
  }
  FILE *f = fopen(whole, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static void put_number(const char *format, int i, long value) {
  char path[256], text[32];
  snprintf(path, sizeof path, format, i);
  snprintf(text, sizeof text, "%ld\n", value);
  put(path, text);
}

/* `n` cores from `first` on; 0: the machine does not say. */
static void cores(int first, int n, long capacity, long max_khz) {
  for (int i = first; i < first + n; i++) {
    if (capacity) put_number(CPU "cpu%d/cpu_capacity", i, capacity);
    if (max_khz)
      put_number(CPU "cpu%d/cpufreq/cpuinfo_max_freq", i, max_khz), put_number(CPU "cpu%d/cpufreq/scaling_cur_freq", i, max_khz / 2);
    char path[128], self[32];
    snprintf(path, sizeof path, CPU "cpu%d/topology/thread_siblings_list", i);
    snprintf(self, sizeof self, "%d\n", i);
    put(path, self);
  }
}

static void machine_with(const char *online, const char *allowed, long total_kb, long available_kb) {
  char text[256];
  snprintf(root, sizeof root, "/tmp/retort-board-XXXXXX");
  assert_non_null(mkdtemp(root));
  snprintf(text, sizeof text, "%s\n", online);
  put(CPU "online", text);
  snprintf(text, sizeof text, "Name:\tretort\nCpus_allowed:\tff\nCpus_allowed_list:\t%s\nMems_allowed:\t1\n", allowed);
  put("/proc/self/status", text);
  snprintf(text, sizeof text, "MemTotal:       %ld kB\nMemFree:        1000 kB\nMemAvailable:   %ld kB\nSwapTotal:      102400 kB\n",
           total_kb, available_kb);
  put("/proc/meminfo", text);
  put("/proc/self/cgroup", "0::/\n");
}

static void done(void) {
  char shell[128];
  snprintf(shell, sizeof shell, "rm -rf %s", root);
  assert_int_equal(system(shell), 0);
}

static void expect_pinning(bool wanted, unsigned threads) {
  hardware b;
  hardware_cores(&b, root);
  assert_int_equal(hardware_should_pin(&b, threads), wanted);
}

static void expect(unsigned threads, unsigned fast, uint64_t available, bool limited) {
  hardware b;
  hardware_memory m;
  hardware_cores(&b, root);
  hardware_read_memory(&m, root);
  if (b.threads != threads || b.n_fast != fast || m.available != available || m.limited != limited)
    fail_msg("%u threads, %u fast (%s), %llu bytes", b.threads, b.n_fast, b.why, (unsigned long long)m.available);
  done();
}

static void raspberry_pi_4(void **state) {
  (void)state;
  double celsius;
  char sensor[64], name[128];
  machine_with("0-3", "0-3", 3885396, 3400000);
  cores(0, 4, 0, 1800000);
  put("/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
  put("/sys/class/thermal/thermal_zone0/temp", "61342\n");
  put("/proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4");
  assert_true(hardware_temperature(root, &celsius, sensor));
  assert_true(celsius > 61.3 && celsius < 61.4);
  assert_string_equal(sensor, "cpu-thermal");
  hardware_name(root, name);
  assert_string_equal(name, "Raspberry Pi 4 Model B Rev 1.4");
  expect_pinning(false, 0);
  expect(4, 4, (uint64_t)3400000 * 1024, false);
}

static void raspberry_pi_5_in_a_service_with_limits(void **state) {
  (void)state;
  machine_with("0-3", "0-3", 8245632, 7300000);
  cores(0, 4, 1024, 2400000);
  put("/proc/self/cgroup", "0::/system.slice/retort.service\n");
  put("/sys/fs/cgroup/system.slice/memory.max", "max\n");
  put("/sys/fs/cgroup/system.slice/retort.service/memory.max", "2147483648\n");
  put("/sys/fs/cgroup/system.slice/retort.service/memory.current", "943718400\n");
  put("/sys/fs/cgroup/system.slice/retort.service/memory.stat", "anon 104857600\nfile 838860800\nkernel 1\n");
  put("/sys/fs/cgroup/system.slice/retort.service/cpu.max", "250000 100000\n");
  expect(2, 4, 2 * GIB - 104857600, true);
}

/* Four A55 at 530 of 1024 and two pairs of A76. */
static void rk3588(void **state) {
  (void)state;
  machine_with("0-7", "0-7", 16261644, 14000000);
  cores(0, 4, 530, 1800000);
  cores(4, 2, 1024, 2400000);
  cores(6, 2, 1024, 2352000);
  expect_pinning(true, 0);
  expect_pinning(true, 4);
  expect_pinning(false, 5); /* whoever asks for more threads gets the small cores too */
  expect(4, 4, (uint64_t)14000000 * 1024, false);
}

/* The same where the kernel rates no cores (vendor kernels without capacity-dmips-mhz), and where only small ones are allowed. */
static void rk3588_without_ratings_and_in_a_cpuset(void **state) {
  (void)state;
  machine_with("0-7", "0-7", 16261644, 14000000);
  cores(0, 4, 0, 1800000);
  cores(4, 4, 0, 2400000);
  expect(4, 4, (uint64_t)14000000 * 1024, false);
  machine_with("0-7", "2-4", 16261644, 14000000);
  cores(0, 4, 530, 1800000);
  cores(4, 4, 1024, 2400000);
  expect_pinning(false, 0); /* somebody has chosen already */
  expect(1, 1, (uint64_t)14000000 * 1024, false);
  machine_with("0-7", "0-2", 16261644, 14000000);
  cores(0, 4, 530, 1800000);
  cores(4, 4, 1024, 2400000);
  expect(3, 3, (uint64_t)14000000 * 1024, false);
}

/* Six A78AE, of which a power mode has switched off two; the hottest zone is not the processor's. */
static void jetson_orin_nano(void **state) {
  (void)state;
  double celsius;
  char sensor[64];
  machine_with("0-3", "0-3", 7802000, 5200000);
  cores(0, 4, 1024, 1510400);
  put("/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
  put("/sys/class/thermal/thermal_zone0/temp", "48000\n");
  put("/sys/class/thermal/thermal_zone1/type", "gpu-thermal\n");
  put("/sys/class/thermal/thermal_zone1/temp", "52000\n");
  put("/sys/class/thermal/thermal_zone5/type", "soc0-thermal\n");
  put("/sys/class/thermal/thermal_zone5/temp", "49500\n");
  assert_true(hardware_temperature(root, &celsius, sensor));
  assert_string_equal(sensor, "soc0-thermal");
  expect(4, 4, (uint64_t)5200000 * 1024, false);
}

/* Prime, big and small cores; the small ones would hold the others up. */
static void phone_with_three_kinds(void **state) {
  (void)state;
  machine_with("0-7", "0-7", 11500000, 6000000);
  cores(0, 4, 250, 2000000);
  cores(4, 3, 780, 2850000);
  cores(7, 1, 1024, 3250000);
  expect(4, 4, (uint64_t)6000000 * 1024, false);
}

/* Docker on a kernel with the first version of control groups: its own folder is mounted as the root, the path is the host's. */
static void container_of_version_1(void **state) {
  (void)state;
  machine_with("0-15", "0-15", 65000000, 60000000);
  cores(0, 16, 0, 0);
  for (int i = 0; i < 16; i++) {
    char path[128], pair[32];
    snprintf(path, sizeof path, CPU "cpu%d/topology/thread_siblings_list", i);
    snprintf(pair, sizeof pair, "%d,%d\n", i % 8, i % 8 + 8);
    put(path, pair);
  }
  put("/proc/self/cgroup", "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n");
  put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
  put("/sys/fs/cgroup/memory/memory.usage_in_bytes", "314572800\n");
  put("/sys/fs/cgroup/memory/memory.stat", "cache 104857600\nrss 209715200\ntotal_cache 104857600\n");
  put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "350000\n");
  put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  expect(3, 8, GIB - 209715200, true);
}

static void nothing_is_told(void **state) {
  (void)state;
  snprintf(root, sizeof root, "/tmp/retort-board-XXXXXX");
  assert_non_null(mkdtemp(root));
  double celsius;
  char sensor[64], name[128];
  assert_false(hardware_temperature(root, &celsius, sensor));
  hardware_name(root, name);
  assert_string_equal(name, "");
  expect(1, 0, 0, false);
}

/* ---- pauses ---- */

static void *cool_down(void *arg) {
  static const char *const steps[] = {"79500\n", "78000\n", "76900\n"};
  for (int i = 0; i < 3; i++) {
    usleep(400000);
    put("/sys/class/thermal/thermal_zone0/temp", steps[i]);
  }
  *(double *)arg = seconds();
  return NULL;
}

static void pauses_while_hot(void **state) {
  (void)state;
  throttle c;
  options o = {.max_temp = 80, .duty = 100};
  pthread_t thread;
  double cool;
  machine_with("0-3", "0-3", 3885396, 3400000);
  assert_int_equal(throttle_begin(&c, &o, root), 4); /* no sensor */
  put("/sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
  put("/sys/class/thermal/thermal_zone0/temp", "79000\n");
  assert_int_equal(throttle_begin(&c, &o, root), 0);
  double start = seconds();
  throttle_step(&c);
  assert_true(seconds() - start < 0.3 && c.paused == 0);
  put("/sys/class/thermal/thermal_zone0/temp", "80100\n");
  c.looked = 0;
  assert_int_equal(pthread_create(&thread, NULL, cool_down, &cool), 0);
  throttle_step(&c);
  double end = seconds();
  pthread_join(thread, NULL);
  assert_true(end >= cool && c.paused > 1); /* 78 is below the limit, but not by three degrees */
  done();
}

static void pauses_by_duty(void **state) {
  (void)state;
  throttle c;
  options o = {.duty = 25};
  assert_int_equal(throttle_begin(&c, &o, "/nowhere"), 0);
  double start = seconds();
  for (int i = 0; i < 5; i++) {
    usleep(20000);
    throttle_step(&c);
  }
  double took = seconds() - start, busy = took - c.paused;
  assert_true(busy / took > 0.2 && busy / took < 0.3);
}

/* DeepSeek-R1-Distill-Qwen-1.5B as Q8_0: 1.89 GB, 28672 bytes of keys and values a token. */
static void memory_is_compared_before_loading(void **state) {
  (void)state;
  char way[160];
  memory_need need = {.weights = 1894532128, .parameters = 1777088000, .kv_per_token = 28672, .context = 4096};
  assert_true(memory_fits(&need, 2 * GIB, way));
  need.context = 131072;
  assert_false(memory_fits(&need, 2 * GIB, way));
  assert_string_equal(way, "--ctx 6400 would fit"); /* (2^31 - 2^26 - 1894532128) / 28672 = 6483 */
  assert_false(memory_fits(&need, GIB + GIB / 2, way));
  assert_string_equal(way, "as Q6_K (about 1.36 GiB) and with --ctx 1024 it would fit");
  assert_false(memory_fits(&need, GIB / 2, way));
  assert_non_null(strstr(way, "no usual quantisation of it would fit"));
  need.kv_per_token = UINT64_MAX / 2;
  assert_false(memory_fits(&need, 2 * GIB, way));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(raspberry_pi_4),
      cmocka_unit_test(raspberry_pi_5_in_a_service_with_limits),
      cmocka_unit_test(rk3588),
      cmocka_unit_test(rk3588_without_ratings_and_in_a_cpuset),
      cmocka_unit_test(jetson_orin_nano),
      cmocka_unit_test(phone_with_three_kinds),
      cmocka_unit_test(container_of_version_1),
      cmocka_unit_test(nothing_is_told),
      cmocka_unit_test(memory_is_compared_before_loading),
      cmocka_unit_test(pauses_while_hot),
      cmocka_unit_test(pauses_by_duty),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
