#define _GNU_SOURCE // sched_getaffinity

#include "EngineC.h"

#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

int enginec_has_bfloat16(void) {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return 0;
#endif
}

int enginec_bfloat16_is_fast(void) {
#ifdef __x86_64__
  return enginec_has_bfloat16() && (!__builtin_cpu_is("intel") || enginec_has_tiles());
#else
  return 0;
#endif
}

int enginec_int8_is_fast(void) {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx2") != 0;
#else
  return 0;
#endif
}

size_t enginec_processor_count(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0)
    return 1;
  const size_t count = CPU_COUNT(&set) > 0 ? (size_t)CPU_COUNT(&set) : 1;
  const size_t limit = enginec_processors_allowed_in("/sys/fs/cgroup/cpu.max");
  return limit < count ? limit : count;
}

size_t enginec_processors_allowed_in(const char *path) {
  FILE *file = fopen(path, "re");
  if (!file)
    return SIZE_MAX;
  unsigned long quota = 0, period = 0;
  const int count = fscanf(file, "%lu %lu", &quota, &period);
  fclose(file);
  return count == 2 && quota > 0 && period > 0 ? (quota - 1) / period + 1 : SIZE_MAX;
}

// A limit as the kernel writes it into a file: a number, or a word for none.
static size_t limit_in(const char *path) {
  FILE *file = fopen(path, "re");
  if (!file)
    return SIZE_MAX;
  unsigned long long limit = 0;
  const int count = fscanf(file, "%llu", &limit);
  fclose(file);
  return count == 1 && limit > 0 ? (size_t)limit : SIZE_MAX;
}

size_t enginec_memory_bytes(void) {
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  size_t bytes = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : (size_t)1 << 30;
  const char *limits[] = {"/sys/fs/cgroup/memory.max",
                          "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
  for (int i = 0; i < 2; i++) {
    const size_t limit = limit_in(limits[i]);
    if (limit < bytes)
      bytes = limit;
  }
  return bytes;
}

void enginec_release_free_memory(void) { malloc_trim(0); }
