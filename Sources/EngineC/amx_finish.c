// What follows the sums of a convolution by AMX, while they are in the first cache.

#include "amx.h"

#ifdef __x86_64__
#include <immintrin.h>

enum { lanes = 16, together = 4 };

// MARK: Lines

static float slope_of(enginec_activation activation, float alpha, const float *slopes, size_t c) {
  switch (activation) {
  case enginec_activation_leaky_relu:
    return alpha;
  case enginec_activation_prelu:
    return slopes[c];
  case enginec_activation_none:
    return 1;
  default:
    return 2; // curved
  }
}

// The lines of channel c: (sum * scale + bias) and slope times that, plus the offset.
static void place_lines(float *lines, size_t c, float slope, float scale, float bias, float offset,
                        float residual_scale) {
  float *line = lines + c / lanes * lanes * line_rows + c % lanes;
  line[line_scales * lanes] = scale;
  line[line_biases * lanes] = bias + offset;
  line[negative_scales * lanes] = scale * slope;
  line[negative_biases * lanes] = bias * slope + offset;
  line[residual_scales * lanes] = residual_scale;
}

static int prepare_for_bytes(float *lines, const enginec_sum_result *r) {
  const size_t channels = r->finish.channels;
  if (r->residual &&
      (r->finish.residual_type == enginec_uint8) != (r->finish.out_type == enginec_uint8))
    return 0;
  for (size_t c = 0; c < channels; c++) {
    const float *row = r->table + c;
    const float slope = slope_of(r->finish.activation, r->finish.alpha,
                                 r->table + enginec_sum_slopes * channels, c);
    if (slope > 1)
      return 0;
    place_lines(lines, c, slope, row[enginec_sum_scales * channels], r->biases[c],
                row[enginec_sum_offsets * channels], row[enginec_sum_residual_scales * channels]);
  }
  return 1;
}

static int prepare_for_halves(float *lines, const enginec_float_result *r) {
  for (size_t c = 0; c < r->channels; c++) {
    const float slope = slope_of(r->activation, r->alpha, r->slopes, c);
    if (slope > 1)
      return 0;
    place_lines(lines, c, slope, 1, r->bias ? r->bias[c] : 0, 0, r->residual_scale);
  }
  return 1;
}

int amx_prepare_lines(float *lines, const enginec_amx *c) {
  return c->shape.type == enginec_uint8 ? prepare_for_bytes(lines, &c->of_bytes)
                                        : prepare_for_halves(lines, &c->of_halves);
}

// MARK: 16 channels of a pixel

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,avx512bf16"))),                 \
                             apply_to = function)

typedef struct {
  __m512 scale, bias, negative_scale, negative_bias, residual_scale;
} line;

static inline line load_line(const float *rows) {
  return (line){
      _mm512_load_ps(rows + line_scales * lanes),
      _mm512_load_ps(rows + line_biases * lanes),
      _mm512_load_ps(rows + negative_scales * lanes),
      _mm512_load_ps(rows + negative_biases * lanes),
      _mm512_load_ps(rows + residual_scales * lanes),
  };
}

static inline __m512 higher_line(__m512 sum, const line *l) {
  return _mm512_max_ps(_mm512_fmadd_ps(sum, l->scale, l->bias),
                       _mm512_fmadd_ps(sum, l->negative_scale, l->negative_bias));
}

static inline __m512 sums_of(const void *sums, size_t i, enginec_sample_type type) {
  return type == enginec_uint8 ? _mm512_cvtepi32_ps(_mm512_load_si512((const int32_t *)sums + i))
                               : _mm512_load_ps((const float *)sums + i);
}

static inline __m512i step_of(const int32_t *sums, const line *l, const uint8_t *residual) {
  __m512 v = higher_line(sums_of(sums, 0, enginec_uint8), l);
  if (residual) {
    const __m512i steps = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)residual));
    v = _mm512_fmadd_ps(_mm512_cvtepi32_ps(steps), l->residual_scale, v);
  }
  return _mm512_cvtps_epi32(v);
}

// MARK: Pixels

// Of four pixels, `channels` apart.
__attribute__((always_inline)) static inline void store_four(uint8_t *out, size_t channels,
                                                             const __m512i v[together]) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i low = _mm512_packs_epi32(v[0], v[1]), high = _mm512_packs_epi32(v[2], v[3]);
  const __m512i all = _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high));
  _mm_storeu_si128((__m128i *)out, _mm512_castsi512_si128(all));
  _mm_storeu_si128((__m128i *)(out + channels), _mm512_extracti32x4_epi32(all, 1));
  _mm_storeu_si128((__m128i *)(out + 2 * channels), _mm512_extracti32x4_epi32(all, 2));
  _mm_storeu_si128((__m128i *)(out + 3 * channels), _mm512_extracti32x4_epi32(all, 3));
}

static inline void store_one(uint8_t *out, __m512i v) {
  const __m512i positive = _mm512_max_epi32(v, _mm512_setzero_si512());
  _mm_storeu_si128((__m128i *)out, _mm512_cvtusepi32_epi8(positive));
}

static void finish_bytes(uint8_t *out, const int32_t *sums, size_t count, size_t channels,
                         const float *lines, const uint8_t *residual) {
  for (size_t c = 0; c < channels; c += lanes) {
    const line l = load_line(lines + c * line_rows);
    size_t i = c, left = count;
    for (; left >= together; left -= together, i += together * channels) {
      __m512i v[together];
#pragma clang loop unroll(full)
      for (size_t p = 0; p < together; p++) {
        const size_t pixel = i + p * channels;
        v[p] = step_of(sums + pixel, &l, residual ? residual + pixel : NULL);
      }
      store_four(out + i, channels, v);
    }
    for (; left > 0; left--, i += channels)
      store_one(out + i, step_of(sums + i, &l, residual ? residual + i : NULL));
  }
}

// Sums of bytes or of bfloat16, to floats or bfloat16.
__attribute__((always_inline)) static inline void
finish_floats(void *out, const enginec_sample_type out_type, const void *sums,
              const enginec_sample_type type, size_t count, size_t channels, const float *lines,
              const float *residual) {
  for (size_t c = 0; c < channels; c += lanes) {
    const line l = load_line(lines + c * line_rows);
    for (size_t p = 0, i = c; p < count; p++, i += channels) {
      __m512 v = higher_line(sums_of(sums, i, type), &l);
      if (residual)
        v = _mm512_fmadd_ps(_mm512_loadu_ps(residual + i), l.residual_scale, v);
      if (out_type == enginec_bfloat16) {
        _mm256_storeu_si256((__m256i *)((uint16_t *)out + i), (__m256i)_mm512_cvtneps_pbh(v));
      } else {
        _mm512_storeu_ps((float *)out + i, v);
      }
    }
  }
}

static void finish_sums_of_bytes(const enginec_sum_result *r, const float *lines,
                                 const int32_t *sums, size_t first, size_t count) {
  const size_t channels = r->finish.channels;
  if (r->finish.out_type == enginec_uint8) {
    const uint8_t *residual = r->residual ? (const uint8_t *)r->residual + first : NULL;
    finish_bytes((uint8_t *)r->out + first, sums, count, channels, lines, residual);
  } else {
    const float *residual = r->residual ? (const float *)r->residual + first : NULL;
    finish_floats((float *)r->out + first, enginec_float32, sums, enginec_uint8, count, channels,
                  lines, residual);
  }
}

static void finish_sums_of_halves(const enginec_float_result *r, const float *lines,
                                  const float *sums, size_t first, size_t count) {
  const float *residual = r->residual ? r->residual + first : NULL;
  if (r->out_type == enginec_bfloat16) {
    finish_floats((uint16_t *)r->out + first, enginec_bfloat16, sums, enginec_bfloat16, count,
                  r->channels, lines, residual);
  } else {
    finish_floats((float *)r->out + first, enginec_float32, sums, enginec_bfloat16, count,
                  r->channels, lines, residual);
  }
}

#pragma clang attribute pop

// MARK: The whole

static void finish_plainly(const enginec_amx *c, void *sums, size_t y, size_t x, size_t count) {
  if (count == 0)
    return;
  if (c->shape.type == enginec_uint8) {
    enginec_finish_sum_part(&c->of_bytes, sums, y, x, count);
  } else {
    enginec_finish_float_part(&c->of_halves, sums, y * c->shape.edges.out_width + x, count);
  }
}

static size_t clamped(size_t x, size_t low, size_t high) {
  return x < low ? low : x > high ? high : x;
}

void amx_finish(const enginec_amx *c, const float *lines, void *sums, size_t y, size_t x,
                size_t count) {
  const enginec_edges *e = &c->shape.edges;
  const size_t pixel = c->shape.out_channels, end = x + count;
  size_t first = 0, last = e->out_width;
  // One bias serves all pixels of bytes that see no edge of the picture.
  if (c->shape.type == enginec_uint8) {
    first = e->pad_before;
    last = enginec_edge_of(e, y, e->height) == 0 ? enginec_inner_end(e) : first;
  }
  if (!lines)
    last = first;
  first = clamped(first, x, end);
  last = clamped(last, first, end);
  int32_t *numbers = sums;
  finish_plainly(c, numbers, y, x, first - x);
  const size_t place = (y * e->out_width + first) * pixel;
  numbers += (first - x) * pixel;
  if (first < last && c->shape.type == enginec_uint8) {
    finish_sums_of_bytes(&c->of_bytes, lines, numbers, place, last - first);
  } else if (first < last) {
    finish_sums_of_halves(&c->of_halves, lines, (const float *)numbers, place, last - first);
  }
  finish_plainly(c, numbers + (last - first) * pixel, y, last, end - last);
}
#endif
