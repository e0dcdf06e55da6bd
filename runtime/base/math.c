/* math.c - see math.h. Each function reduces its argument with constants split so that the products are exact, then sums a Taylor
 * series (its remainder is far below half an ulp on the reduced range) with the leading term added last. */
#include "math.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "double arithmetic must be exactly double (on 32-bit x86 compile with -msse2 -mfpmath=sse)"
#endif

static uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
static double from_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* The nearest whole number, ties to even, for |x| < 2^51. */
static double nearest(double x) {
  const double shift = 0x1.8p52;
  return (x + shift) - shift;
}

/* ln 2 in two parts, the first with 32 bits: k * LN2_HIGH is exact for |k| < 2^21. */
static const double LN2_HIGH = 0x1.62e42fee00000p-1, LN2_LOW = 0x1.a39ef35793c76p-33;

/* exp(x) = 2^k * exp(r), |r| <= ln 2 / 2. */
double rt_exp(double x) {
  if (x != x) return x;
  if (x > 709.782712893384) return INFINITY;
  if (x < -708.0) return 0;
  double k = nearest(x * 0x1.71547652b82fep0);
  double high = x - k * LN2_HIGH, low = k * LN2_LOW;
  double r = high - low;
  double error = (high - r) - low; /* what the rounding of r lost */
  double p = 0;
  static const double inverse_factorial[] = {1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0,
                                             1.0 / 362880.0,     1.0 / 40320.0,     1.0 / 5040.0,     1.0 / 720.0,
                                             1.0 / 120.0,        1.0 / 24.0,        1.0 / 6.0,        0.5};
  for (size_t i = 0; i < sizeof inverse_factorial / sizeof *inverse_factorial; i++) p = p * r + inverse_factorial[i];
  double value = 1.0 + (r + (r * r * p + error));
  /* In two steps: 2^1024 alone is not a double. */
  int64_t exponent = (int64_t)k, half = exponent / 2;
  return value * from_bits((uint64_t)(half + 1023) << 52) * from_bits((uint64_t)(exponent - half + 1023) << 52);
}

/* log(x) = k ln 2 + log(m), m in [sqrt(1/2), sqrt 2); with s = (m-1)/(m+1): log(m) = 2 (s + s^3/3 + s^5/5 + ...), summed as
 * f - (f^2/2 - s (f^2/2 + R)), f = m - 1 (exact), so that the largest term carries no rounding error. */
double rt_ln(double x) {
  if (x != x || x < 0) return NAN;
  if (x == 0) return -INFINITY;
  if (x > DBL_MAX) return x;
  double k = 0;
  if (x < DBL_MIN) {
    x *= 0x1p54;
    k = -54;
  }
  uint64_t bits = bits_of(x);
  k += (double)((int64_t)(bits >> 52) - 1023);
  double m = from_bits((bits & 0xfffffffffffffu) | (uint64_t)1023 << 52);
  if (m >= 0x1.6a09e667f3bcdp0) {
    m *= 0.5;
    k += 1;
  }
  double f = m - 1.0, s = f / (2.0 + f), z = s * s, half = 0.5 * f * f;
  double series = 0; /* R = 2 s^2/3 + 2 s^4/5 + ... */
  for (int i = 25; i >= 3; i -= 2) series = (series + 2.0 / i) * z;
  return k * LN2_HIGH - ((half - (s * (half + series) + k * LN2_LOW)) - f);
}

/* pi/2 in parts of 26 bits: k times one of the first three is exact for |k| < 2^27. */
static const double PIO2_1 = 0x1.921fb50000000p0, PIO2_2 = 0x1.110b460000000p-26, PIO2_3 = 0x1.1a62630000000p-54,
                    PIO2_4 = 0x1.8a2e03707344ap-81;

/* x - k pi/2 as head + tail, |head| <= pi/4; returns k mod 4, or -1 outside the range. */
static int reduce(double x, double *head, double *tail) {
  if (!(x <= RT_SINCOS_MAX && x >= -RT_SINCOS_MAX)) return -1;
  double k = nearest(x * 0x1.45f306dc9c883p-1);
  double a = x - k * PIO2_1; /* exact: the two are close, or k is 0 */
  /* Three more parts, each subtraction keeping what its rounding lost (Knuth's two-sum). */
  const double parts[3] = {k * PIO2_2, k * PIO2_3, k * PIO2_4};
  double low = 0;
  for (int i = 0; i < 3; i++) {
    double sum = a - parts[i], back = sum - a;
    low += (a - (sum - back)) - (parts[i] + back);
    a = sum;
  }
  *head = a + low;
  *tail = (a - *head) + low;
  return (int)((int64_t)k & 3);
}

/* sin(r + t), cos(r + t) for |r| <= pi/4 and tiny t. */
static double sin_series(double r, double t) {
  static const double c[] = {1.0 / 355687428096000.0, -1.0 / 1307674368000.0, 1.0 / 6227020800.0, -1.0 / 39916800.0,
                             1.0 / 362880.0,          -1.0 / 5040.0,          1.0 / 120.0,        -1.0 / 6.0};
  double z = r * r, p = 0;
  for (size_t i = 0; i < sizeof c / sizeof *c; i++) p = p * z + c[i];
  return r + (r * z * p + t * (1.0 - 0.5 * z));
}
static double cos_series(double r, double t) {
  static const double c[] = {-1.0 / 6402373705728000.0, 1.0 / 20922789888000.0, -1.0 / 87178291200.0, 1.0 / 479001600.0,
                             -1.0 / 3628800.0,          1.0 / 40320.0,          -1.0 / 720.0,         1.0 / 24.0};
  double z = r * r, half = 0.5 * z, p = 0;
  for (size_t i = 0; i < sizeof c / sizeof *c; i++) p = p * z + c[i];
  double one = 1.0 - half;
  return one + (((1.0 - one) - half) + (z * z * p - r * t));
}

double rt_sin(double x) {
  double r, t;
  switch (reduce(x, &r, &t)) {
    case 0: return sin_series(r, t);
    case 1: return cos_series(r, t);
    case 2: return -sin_series(r, t);
    case 3: return -cos_series(r, t);
  }
  return NAN;
}

double rt_cos(double x) {
  double r, t;
  switch (reduce(x, &r, &t)) {
    case 0: return cos_series(r, t);
    case 1: return -sin_series(r, t);
    case 2: return -cos_series(r, t);
    case 3: return sin_series(r, t);
  }
  return NAN;
}
