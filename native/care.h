/* care.h - pauses between tokens, so that a machine stays below a temperature (--max-temp) or is busy for a part of the time only (--duty). */
#ifndef CARE_H
#define CARE_H

#include <stdbool.h>

#include "options.h"

typedef struct care {
  const char *root;    /* "" is this machine (board.h) */
  double max_celsius;  /* 0: no limit */
  double duty;         /* 0..1 */
  bool json;
  double busy_since, looked; /* seconds() */
  bool told;
  double paused;       /* seconds in all */
} care;

/* Takes the limits of the options. Returns EXIT_OK, or the exit code once the error was reported: a limit of temperature without a sensor. */
int care_begin(care *c, const options *o, const char *root);
/* Between two pieces of work: sleeps as long as the limits ask for, less where the user interrupts. */
void care_step(care *c);

#endif
