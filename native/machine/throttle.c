/* throttle.c - see throttle.h.
 *
 * Temperature: looked at twice a second. At the limit work stops until it is three degrees lower; a machine that is hot for other reasons
 * waits, with a warning, until Ctrl-C. Duty: after each token, a sleep in proportion to the time that it took. The threads sleep too, since
 * they spin for a moment only (posix.c).
 */
#include "throttle.h"

#include <math.h>
#include <time.h>

#include "hardware.h"
#include "terminal/report.h"

static const double LOOK_EVERY = 0.5, COOLER_BY = 3;

static void rest(throttle *c, double duration) {
  double start = seconds();
  struct timespec t = {.tv_sec = (time_t)duration, .tv_nsec = (long)((duration - floor(duration)) * 1e9)};
  while (!interrupted() && nanosleep(&t, &t) != 0) {
  }
  c->paused += seconds() - start;
}

int throttle_begin(throttle *c, const options *o, const char *root) {
  double celsius;
  char sensor[64];
  *c = (throttle){.root = root, .max_celsius = (double)o->max_temp, .duty = o->duty / 100.0, .json = o->json, .busy_since = seconds()};
  if (c->max_celsius > 0 && !hardware_temperature(root, &celsius, sensor))
    return fail(o->json, EXIT_UNSUPPORTED, "--max-temp: this machine has no temperature sensor that can be read");
  return EXIT_OK;
}

void throttle_step(throttle *c) {
  double now = seconds(), celsius;
  char sensor[64];
  if (c->duty < 1) rest(c, (now - c->busy_since) * (1 - c->duty) / c->duty);
  if (c->max_celsius > 0 && now - c->looked >= LOOK_EVERY) {
    if (hardware_temperature(c->root, &celsius, sensor) && celsius >= c->max_celsius) {
      if (!c->told) warn("%s is at %.1f C: pausing until it is below %.0f C", sensor, celsius, c->max_celsius - COOLER_BY);
      c->told = true;
      while (!interrupted() && hardware_temperature(c->root, &celsius, sensor) && celsius >= c->max_celsius - COOLER_BY)
        rest(c, LOOK_EVERY);
    }
    c->looked = seconds();
  }
  c->busy_since = seconds();
}
