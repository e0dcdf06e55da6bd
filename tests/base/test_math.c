/* test_math.c - exp, log, sin and cos against the C library's long double functions (64-bit mantissa on x86, so independent and finer). */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/math.h"

enum { ROUNDS = 400000 };
/* Where long double is double (32-bit ARM), what we compare with is off by up to half a unit itself. */
static const double LIMIT = LDBL_MANT_DIG > DBL_MANT_DIG ? 1.0 : 1.5;

static uint64_t state_of_dice = 88172645463325252u;
static double dice(void) { /* [0, 1) */
  state_of_dice ^= state_of_dice << 13;
  state_of_dice ^= state_of_dice >> 7;
  state_of_dice ^= state_of_dice << 17;
  return (double)(state_of_dice >> 11) * 0x1p-53;
}

/* |got - expected| in units of the last place of the double nearest to expected. */
static double ulps(double got, long double expected) {
  double size = fabs((double)expected);
  if (size < DBL_MIN) size = DBL_MIN;
  return (double)(fabsl((long double)got - expected) / (long double)(nextafter(size, INFINITY) - size));
}

static double worst(double (*ours)(double), long double (*theirs)(long double), double from, double to) {
  double most = 0;
  for (int i = 0; i < ROUNDS; i++) {
    double x = from + (to - from) * dice(), error = ulps(ours(x), theirs(x));
    if (error > most) most = error;
  }
  return most;
}

static void errors_stay_below_one_ulp(void **state) {
  (void)state;
  static const struct {
    const char *name;
    double (*ours)(double);
    long double (*theirs)(long double);
    double from, to;
  } cases[] = {{"exp", rt_exp, expl, -700, 709},      {"exp near 0", rt_exp, expl, -1, 1},      {"log", rt_ln, logl, 1e-300, 1e-290},
               {"log near 1", rt_ln, logl, 0.4, 2.6}, {"log large", rt_ln, logl, 1, 1e15},      {"sin", rt_sin, sinl, -7, 7},
               {"cos", rt_cos, cosl, -7, 7},          {"sin at 128K", rt_sin, sinl, 0, 131072}, {"cos at 128K", rt_cos, cosl, 0, 131072},
               {"sin far", rt_sin, sinl, -1e8, 1e8},  {"cos far", rt_cos, cosl, -1e8, 1e8}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    double most = worst(cases[i].ours, cases[i].theirs, cases[i].from, cases[i].to);
    if (most >= LIMIT) fail_msg("%s: %.3f ulp", cases[i].name, most);
  }
}

/* Doubles next to multiples of pi/2, where a careless reduction loses all bits. */
static void sines_near_their_zeros_are_exact(void **state) {
  (void)state;
  for (int k = 1; k < 200000; k++) {
    double x = (double)((long double)k * 1.57079632679489661923132169163975144L);
    double error = ulps(k % 2 ? rt_cos(x) : rt_sin(x), k % 2 ? cosl(x) : sinl(x));
    if (error >= LIMIT) fail_msg("k = %d: %.3f ulp", k, error);
  }
}

static void edges_are_as_documented(void **state) {
  (void)state;
  assert_true(rt_exp(0) == 1.0 && rt_exp(-709) == 0 && rt_exp(-INFINITY) == 0 && isinf(rt_exp(710)) && isnan(rt_exp(NAN)));
  assert_true(rt_exp(709.7) < INFINITY);
  assert_true(rt_ln(1) == 0 && rt_ln(0) == -INFINITY && isnan(rt_ln(-1)) && isnan(rt_ln(NAN)) && isinf(rt_ln(INFINITY)));
  assert_true(fabs(rt_ln(0x1p-1074) + 744.44007192138126) < 1e-12);
  assert_true(rt_sin(0) == 0 && rt_cos(0) == 1.0 && isnan(rt_sin(1.1e8)) && isnan(rt_cos(INFINITY)) && isnan(rt_sin(NAN)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(errors_stay_below_one_ulp),
      cmocka_unit_test(sines_near_their_zeros_are_exact),
      cmocka_unit_test(edges_are_as_documented),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
