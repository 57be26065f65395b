#define _GNU_SOURCE // sched_getaffinity

#include "EngineC.h"

#include <sched.h>

size_t enginec_processor_count(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0)
    return 1;
  const int count = CPU_COUNT(&set);
  return count > 0 ? (size_t)count : 1;
}
