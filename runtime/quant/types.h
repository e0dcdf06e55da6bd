/* types.h - the list of integer block formats. X(id and name, lower-case name, elements of a block).
 *
 * RT_TEST_FORMATS, a header, adds formats that no file has: a build for tests only (runtime/CMakeLists.txt). */
#ifndef RT_QUANT_TYPES_H
#define RT_QUANT_TYPES_H

#include "iq4_nl.h"
#include "iq4_xs.h"
#include "q2_k.h"
#include "q3_k.h"
#include "q4_0.h"
#include "q4_1.h"
#include "q4_k.h"
#include "q5_0.h"
#include "q5_1.h"
#include "q5_k.h"
#include "q6_k.h"
#include "q8_0.h"

#if defined(RT_TEST_FORMATS)
#include RT_TEST_FORMATS
#else
#define RT_TEST_BLOCK_TYPES(X)
#endif

#define RT_QUANT_BLOCK_TYPES(X) \
  RT_TEST_BLOCK_TYPES(X)        \
  X(Q4_0, q4_0, 32)             \
  X(Q4_1, q4_1, 32)             \
  X(Q5_0, q5_0, 32)             \
  X(Q5_1, q5_1, 32)             \
  X(Q8_0, q8_0, 32)             \
  X(Q2_K, q2_k, 256)            \
  X(Q3_K, q3_k, 256)            \
  X(Q4_K, q4_k, 256)            \
  X(Q5_K, q5_k, 256)            \
  X(Q6_K, q6_k, 256)            \
  X(IQ4_NL, iq4_nl, 32)         \
  X(IQ4_XS, iq4_xs, 256)

#endif
