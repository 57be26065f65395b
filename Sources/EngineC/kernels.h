// The kernels that exist once per instruction set. kernels_template.h defines them, each
// kernels_*.c compiles it for one level, kernels.c picks the table for the running CPU.

#pragma once

#include "EngineC.h"

typedef struct {
  const char *level;
  void (*finish)(float *, size_t, size_t, const float *, enginec_activation, float, const float *,
                 const float *);
  void (*weighted_sum)(float *, size_t, size_t, const float *const *, const float *);
  void (*parameter_free_attention)(float *, const float *, const float *, size_t);
  void (*bicubic)(float *, const float *, size_t, size_t, size_t, size_t, float *);
  void (*load_row)(float *, const float *, const float *, const float *, size_t);
  void (*store_row)(float *, float *, float *, const float *, size_t);
  double (*fma_burst)(float *);
} enginec_kernels;

extern const enginec_kernels enginec_kernels_baseline;
#ifdef __x86_64__
extern const enginec_kernels enginec_kernels_v3;
extern const enginec_kernels enginec_kernels_v4;
#endif
