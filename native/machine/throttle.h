/* throttle.h - pauses between tokens, so that a machine stays below a temperature (--max-temp) or is busy for a part of the time only
 * (--duty). */
#ifndef THROTTLE_H
#define THROTTLE_H

#include <stdbool.h>

#include "terminal/options.h"

typedef struct throttle {
  const char *root;   /* "" is this machine (hardware.h) */
  double max_celsius; /* 0: no limit */
  double duty;        /* 0..1 */
  bool json;
  double busy_since, looked; /* seconds() */
  bool told;
  double paused; /* seconds in all */
} throttle;

/* Takes the limits of the options. Returns EXIT_OK, or the exit code once the error was reported: a limit of temperature without a sensor.
 */
int throttle_begin(throttle *c, const options *o, const char *root);
/* Between two pieces of work: sleeps as long as the limits ask for, less where the user interrupts. */
void throttle_step(throttle *c);

#endif
