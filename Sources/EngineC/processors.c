#define _GNU_SOURCE // sched_getaffinity

#include "EngineC.h"

#include <sched.h>

int enginec_has_bfloat16(void) {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return 0;
#endif
}

size_t enginec_processor_count(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0)
    return 1;
  const int count = CPU_COUNT(&set);
  return count > 0 ? (size_t)count : 1;
}
