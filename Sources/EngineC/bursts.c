// What the CPU's units for products can do, from registers alone.

#include "amx.h"

#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

// As fma_burst of kernels_template.h: 12 chains keep two units busy.
enum { burst_chains = 12, burst_steps = 1 << 16 };

#ifdef __x86_64__
__attribute__((target("avx512f,avx512vnni"))) static double burst_of_bytes(float *sink) {
  __m512i sums[burst_chains];
  const __m512i factor = _mm512_set1_epi8((char)(1 + sink[0]));
  for (int k = 0; k < burst_chains; k++)
    sums[k] = _mm512_set1_epi32(k);
  for (int s = 0; s < burst_steps; s++) {
#pragma clang loop unroll(full)
    for (int k = 0; k < burst_chains; k++)
      sums[k] = _mm512_dpbusd_epi32(sums[k], factor, factor);
  }
  for (int k = 1; k < burst_chains; k++)
    sums[0] = _mm512_add_epi32(sums[0], sums[k]);
  sink[0] = (float)_mm512_cvtsi512_si32(sums[0]) * 1e-30f;
  return 2.0 * 64 * burst_chains * burst_steps;
}

// With AVX2 a product with its sum takes three instructions. Six chains fill the registers, and all
// of one instruction before the next keeps the units busiest.
enum { pair_chains = 6 };

__attribute__((target("avx2"))) static double burst_of_pairs(float *sink) {
  __m256i sums[pair_chains], pairs[pair_chains];
  __m256i factor = _mm256_set1_epi8((char)(1 + sink[0]));
  const __m256i ones = _mm256_set1_epi16(1);
  for (int k = 0; k < pair_chains; k++)
    sums[k] = _mm256_set1_epi32(k);
  for (int s = 0; s < burst_steps; s++) {
#pragma clang loop unroll(full)
    for (int k = 0; k < pair_chains; k++) {
      __asm__("" : "+x"(factor)); // for all that the compiler knows another one every time
      pairs[k] = _mm256_maddubs_epi16(factor, factor);
    }
#pragma clang loop unroll(full)
    for (int k = 0; k < pair_chains; k++)
      pairs[k] = _mm256_madd_epi16(pairs[k], ones);
#pragma clang loop unroll(full)
    for (int k = 0; k < pair_chains; k++)
      sums[k] = _mm256_add_epi32(sums[k], pairs[k]);
  }
  for (int k = 1; k < pair_chains; k++)
    sums[0] = _mm256_add_epi32(sums[0], sums[k]);
  sink[0] = (float)_mm256_cvtsi256_si32(sums[0]) * 1e-30f;
  return 2.0 * 32 * pair_chains * burst_steps;
}

__attribute__((target("avx512f,avx512bf16"))) static double burst_of_halves(float *sink) {
  __m512 sums[burst_chains];
  const __m512 ones = _mm512_set1_ps(1 + sink[0]);
  const __m512bh factor = _mm512_cvtne2ps_pbh(ones, ones);
  for (int k = 0; k < burst_chains; k++)
    sums[k] = _mm512_set1_ps((float)k);
  for (int s = 0; s < burst_steps; s++) {
#pragma clang loop unroll(full)
    for (int k = 0; k < burst_chains; k++)
      sums[k] = _mm512_dpbf16_ps(sums[k], factor, factor);
  }
  for (int k = 1; k < burst_chains; k++)
    sums[0] = _mm512_add_ps(sums[0], sums[k]);
  sink[0] = _mm512_cvtss_f32(sums[0]) * 1e-30f;
  return 2.0 * 32 * burst_chains * burst_steps;
}

// Six tiles of sums, as amx.c has them.
enum { tile_chains = 6, tile_samples = 6, tile_weights = 7, tile_steps = 1 << 13 };

#define BURST_OF_TILES(NAME, PRODUCT)                                                              \
  __attribute__((target("amx-tile,amx-int8,amx-bf16"))) static void NAME(void) {                   \
    for (int s = 0; s < tile_steps; s++) {                                                         \
      PRODUCT(0, tile_samples, tile_weights);                                                      \
      PRODUCT(1, tile_samples, tile_weights);                                                      \
      PRODUCT(2, tile_samples, tile_weights);                                                      \
      PRODUCT(3, tile_samples, tile_weights);                                                      \
      PRODUCT(4, tile_samples, tile_weights);                                                      \
      PRODUCT(5, tile_samples, tile_weights);                                                      \
    }                                                                                              \
  }

BURST_OF_TILES(byte_tiles, _tile_dpbusd)
BURST_OF_TILES(half_tiles, _tile_dpbf16ps)

__attribute__((target("amx-tile"))) static double burst_of_tiles(enginec_sample_type type,
                                                                 float *sink) {
  _Alignas(64) uint8_t contents[16 * 64];
  memset(contents, 1 + (int)sink[0], sizeof contents);
  amx_begin_tiles(64, 0);
  _tile_loadd(tile_samples, contents, 64);
  _tile_loadd(tile_weights, contents, 64);
  if (type == enginec_uint8) {
    byte_tiles();
  } else {
    half_tiles();
  }
  _tile_release();
  return 2.0 * 16 * 16 * (64 / enginec_sample_bytes(type)) * tile_chains * tile_steps;
}
#endif

double enginec_product_burst(enginec_sample_type type, float *sink) {
  if (type == enginec_float32)
    return enginec_fma_burst(sink);
#ifdef __x86_64__
  if (enginec_has_tiles())
    return burst_of_tiles(type, sink);
  if (type == enginec_uint8 && __builtin_cpu_supports("avx512vnni"))
    return burst_of_bytes(sink);
  if (type == enginec_uint8 && __builtin_cpu_supports("avx2") && !__builtin_cpu_supports("avxvnni"))
    return burst_of_pairs(sink);
  if (type == enginec_bfloat16 && __builtin_cpu_supports("avx512bf16"))
    return burst_of_halves(sink);
#endif
  return 0;
}
