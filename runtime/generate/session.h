/* session.h - a retort_session is an engine with one sequence. */
#ifndef RT_SESSION_H
#define RT_SESSION_H

#include "engine.h"

struct retort_session {
  const retort_platform *platform;
  retort_engine *engine;
  retort_sequence *sequence;
};

#endif
