// The kernels that exist once per instruction set. kernels_template.h defines them, each
// kernels_*.c compiles it for one level, kernels.c picks the table for the running CPU.

#pragma once

#include "EngineC.h"

typedef struct {
  const char *level;
  void (*finish)(float *, size_t, size_t, const float *, enginec_activation, float, const float *,
                 const float *, float);
  void (*finish_sums)(void *, const int32_t *, size_t, const enginec_sum_finish *, const float *,
                      const float *, const void *);
  void (*to_uint8)(uint8_t *, size_t, const float *, size_t, size_t, const float *, const float *);
  void (*weighted_sum)(float *, size_t, size_t, const float *const *, const float *);
  void (*parameter_free_attention)(float *, const float *, const float *, size_t);
  void (*bicubic_weights)(float *, const enginec_enlargement *);
  void (*bicubic_rows)(float *, const float *, const enginec_enlargement *, size_t, const float *,
                       float *);
  void (*load_row)(float *, const float *, const float *, const float *, size_t);
  void (*store_row)(float *, float *, float *, const float *, size_t);
  void (*blend_row)(float *, float *, float *, const float *, const float *, float, float, size_t);
  void (*clamp)(float *, size_t);
  void (*to_bfloat16)(uint16_t *, const float *, size_t);
  double (*fma_burst)(float *);
  void (*group_norm)(void *, const float *, const enginec_group_norm_shape *, const float *,
                     const float *, double *);
  void (*mean)(float *, const float *, size_t, size_t, size_t, size_t);
  void (*quantize)(float *, const float *, size_t, size_t, const float *, const float *, size_t,
                   float *);
  void (*window_attention)(void *, const float *, const enginec_window_attention_shape *,
                           const float *, float *);
  void (*winograd_enter)(uint16_t *, const void *, const enginec_winograd_shape *, size_t, size_t,
                         const void *);
  void (*winograd_leave)(float *, const float *, const enginec_winograd_shape *, size_t, size_t,
                         size_t);
  void (*softmax_step)(float *, size_t, size_t, float *, float *, float *, size_t);
  void (*softmax_end)(float *, size_t, size_t, const float *);
} enginec_kernels;

extern const enginec_kernels enginec_kernels_baseline;
#ifdef __x86_64__
extern const enginec_kernels enginec_kernels_v3;
extern const enginec_kernels enginec_kernels_v4;
#endif

// Every pixel of a row `times` times.
void enginec_repeat_pixels(float *out, const float *x, size_t pixels, size_t channels,
                           size_t times);

// Which of enginec_edge_count cases pixel `index` of a row or column is that reads `length` pixels.
size_t enginec_edge_of(const enginec_edges *edges, size_t index, size_t length);

// The first pixel of a row that reads beyond the picture's end.
size_t enginec_inner_end(const enginec_edges *edges);

// The running CPU's fma_burst.
double enginec_fma_burst(float *sink);

// Sides of the small matrices in window attention: whole pairs of the widest vectors.
static inline size_t enginec_padded(size_t count) { return (count + 31) / 32 * 32; }

// Codes whose distances are computed before their minimum is sought: they stay in the first cache.
#define ENGINEC_QUANTIZE_BLOCK 1024
