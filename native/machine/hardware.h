/* hardware.h - what the machine has: cores and which of them are fast, memory, temperature.
 *
 * All of it is read below `root`: "" is this machine, anything else a folder that holds a recorded /sys and /proc (the tests'). What a
 * system does not tell is left at 0 or empty; nothing is guessed.
 */
#ifndef HARDWARE_H
#define HARDWARE_H

#include <stdbool.h>
#include <stdint.h>

enum { MAX_CORES = 1024 };

typedef struct core {
  bool online, allowed; /* allowed: by affinity and cpuset */
  bool big;             /* a fast core, or another hardware thread of one */
  bool fast;            /* one of those that threads are for; of a core's hardware threads only the first */
  long capacity;        /* as the kernel rates it, 1024 being the fastest core of the machine */
  long max_khz, now_khz;
} core;

typedef struct hardware {
  core cores[MAX_CORES];
  unsigned n_cores; /* the highest number in use, plus one */
  unsigned n_allowed, n_fast;
  double quota;     /* cores' worth of time that the control groups leave; 0: no limit */
  unsigned threads; /* what to use */
  char why[160];    /* in words */
} hardware;
void hardware_cores(hardware *b, const char *root);
/* Whether this process had better stay on the big cores: there are small ones beside them, nobody has chosen cores for it yet, and
 * `threads` (0: b->threads) find room. */
bool hardware_should_pin(const hardware *b, unsigned threads);

typedef struct hardware_memory {
  uint64_t total;     /* bytes */
  uint64_t available; /* without swapping: the least of what the kernel calls available and what the control groups leave; 0: not told */
  uint64_t swap;
  bool limited; /* by a control group rather than by the machine */
} hardware_memory;
void hardware_read_memory(hardware_memory *memory, const char *root);

/* The hottest sensor of the processor, or, where none names itself so, of all; false where there is none. */
bool hardware_temperature(const char *root, double *celsius, char sensor[64]);
/* What the firmware or the kernel calls the machine; "" where neither does. */
void hardware_name(const char *root, char name[128]);

/* Of this machine, in short. */
unsigned default_threads(char why[160]);
/* Keeps this process to the big cores where hardware_should_pin says so; whether it did. */
bool keep_to_big_cores(unsigned threads);
void use_all_cores(void);
uint64_t available_memory(void); /* 0: cannot be told */

#endif
