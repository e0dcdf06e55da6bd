/* types.h - the list of integer block formats. X(id and name, lower-case name, elements of a block).
 *
 * RT_TEST_FORMATS, a header, adds formats that no file has: a build for tests only (runtime/CMakeLists.txt). */
#ifndef RT_QUANT_TYPES_H
#define RT_QUANT_TYPES_H

#include "iq1_m.h"
#include "iq1_s.h"
#include "iq2_s.h"
#include "iq2_xs.h"
#include "iq2_xxs.h"
#include "iq3_s.h"
#include "iq3_xxs.h"
#include "iq4_nl.h"
#include "iq4_xs.h"
#include "mxfp4.h"
#include "q1_0.h"
#include "q2_0.h"
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
#include "tq1_0.h"
#include "tq2_0.h"

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
  X(IQ4_XS, iq4_xs, 256)        \
  X(IQ2_XXS, iq2_xxs, 256)      \
  X(IQ2_XS, iq2_xs, 256)        \
  X(IQ2_S, iq2_s, 256)          \
  X(IQ3_XXS, iq3_xxs, 256)      \
  X(IQ3_S, iq3_s, 256)          \
  X(IQ1_S, iq1_s, 256)          \
  X(IQ1_M, iq1_m, 256)          \
  X(TQ1_0, tq1_0, 256)          \
  X(TQ2_0, tq2_0, 256)          \
  X(MXFP4, mxfp4, 32)           \
  X(Q1_0, q1_0, 128)            \
  X(Q2_0, q2_0, 64)

#endif
