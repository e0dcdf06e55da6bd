/* math.h - exp, log, sin and cos in double, the same bits on every target.
 *
 * IEEE add, subtract, multiply and divide only, in a fixed order, without a libm that could differ. Errors stay below 1 ulp (test_math.c
 * measures them against the long double of the C library). NaN gives NaN. Absent: anything that the core does not call.
 */
#ifndef RT_BASE_MATH_H
#define RT_BASE_MATH_H

double rt_exp(double x); /* 0 below -708 (no subnormal results), infinity above 709.78 */
double rt_ln(double x);  /* x > 0; -infinity for 0, NaN below; subnormal x is fine */

#define RT_SINCOS_MAX 1e8
/* |x| <= RT_SINCOS_MAX, radians; NaN beyond, where the reduction would lose bits. */
double rt_sin(double x);
double rt_cos(double x);

#endif
