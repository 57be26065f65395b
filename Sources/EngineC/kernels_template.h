// Included by kernels_baseline.c, kernels_v3.c and kernels_v4.c, each under its own target pragma.
// Loops are written so that the compiler turns them into vector code.

// e^v as 2^n times a polynomial on ±ln 2 / 2, within 2e-7 of the value; without branches, so that
// loops over it become vector code. Adding 1.5 * 2^23 rounds to an integer, which stands in the low
// bits.
static inline float exponential(float v) {
  v = v > -87 ? v : -87;
  v = v < 88 ? v : 88;
  const float magic = 12582912, shifted = v * 1.44269504f + magic, n = shifted - magic;
  const float r = (v - n * 0.693359375f) + n * 2.12194440e-4f; // ln 2 in two parts
  const float p =
      1 + r * (1 + r * (1.f / 2 + r * (1.f / 6 + r * (1.f / 24 + r * (1.f / 120 + r / 720)))));
  int32_t bits;
  float power;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (int32_t)((uint32_t)(bits - 0x4B400000 + 127) << 23);
  memcpy(&power, &bits, sizeof power);
  return p * power;
}

// Abramowitz and Stegun, "Handbook of Mathematical Functions", 7.1.26: within 1.5e-7.
static inline float error_function(float v) {
  const float a = fabsf(v), t = 1 / (1 + 0.3275911f * a);
  const float p =
      t * (0.254829592f +
           t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  return copysignf(1 - p * exponential(-a * a), v);
}

static inline float activate(float v, enginec_activation activation, float alpha, float slope) {
  switch (activation) {
  case enginec_activation_none:
    return v;
  case enginec_activation_leaky_relu:
    return v > 0 ? v : v * alpha;
  case enginec_activation_prelu:
    return v > 0 ? v : v * slope;
  case enginec_activation_silu:
    return v / (1 + exponential(-v));
  case enginec_activation_gelu:
    return 0.5f * v * (1 + error_function(v * 0.70710678f));
  }
  return v;
}

// One loop per combination of constant arguments: the switches fold away when this is inlined.
__attribute__((always_inline)) static inline void
finish_as(float *restrict x, size_t pixels, size_t channels, const float *restrict bias,
          enginec_activation activation, float alpha, const float *restrict slopes,
          const float *restrict residual, float residual_scale) {
  for (size_t p = 0; p < pixels; p++) {
    float *restrict row = x + p * channels;
    const float *restrict add = residual ? residual + p * channels : NULL;
    for (size_t c = 0; c < channels; c++) {
      float v = row[c] + (bias ? bias[c] : 0);
      v = activate(v, activation, alpha, slopes ? slopes[c] : 0);
      row[c] = v + (add ? add[c] * residual_scale : 0);
    }
  }
}

__attribute__((always_inline)) static inline void
finish_activated(float *x, size_t pixels, size_t channels, const float *bias,
                 enginec_activation activation, float alpha, const float *slopes,
                 const float *residual, float residual_scale) {
  if (bias && residual) {
    finish_as(x, pixels, channels, bias, activation, alpha, slopes, residual, residual_scale);
  } else if (bias) {
    finish_as(x, pixels, channels, bias, activation, alpha, slopes, NULL, 0);
  } else if (residual) {
    finish_as(x, pixels, channels, NULL, activation, alpha, slopes, residual, residual_scale);
  } else {
    finish_as(x, pixels, channels, NULL, activation, alpha, slopes, NULL, 0);
  }
}

static void finish(float *x, size_t pixels, size_t channels, const float *bias,
                   enginec_activation activation, float alpha, const float *slopes,
                   const float *residual, float residual_scale) {
  switch (activation) {
  case enginec_activation_none:
    finish_activated(x, pixels, channels, bias, enginec_activation_none, 0, NULL, residual,
                     residual_scale);
    break;
  case enginec_activation_leaky_relu:
    finish_activated(x, pixels, channels, bias, enginec_activation_leaky_relu, alpha, NULL,
                     residual, residual_scale);
    break;
  case enginec_activation_prelu:
    finish_activated(x, pixels, channels, bias, enginec_activation_prelu, 0, slopes, residual,
                     residual_scale);
    break;
  case enginec_activation_silu:
    finish_activated(x, pixels, channels, bias, enginec_activation_silu, 0, NULL, residual,
                     residual_scale);
    break;
  case enginec_activation_gelu:
    finish_activated(x, pixels, channels, bias, enginec_activation_gelu, 0, NULL, residual,
                     residual_scale);
    break;
  }
}

// Cuts off what follows the point, after limiting to 0...255. Callers add a half before.
static inline uint8_t to_step(float v) {
  v = v > 0 ? v : 0;
  v = v < 255 ? v : 255;
  return (uint8_t)(int32_t)v;
}

// Whole vectors: what belongs to a channel stays in registers while the pixels go by. Compilers
// that are left to find that out check at every pixel that nothing overlaps.
typedef float vector __attribute__((vector_size(VECTOR_FLOATS * sizeof(float))));
typedef int32_t int_vector __attribute__((vector_size(VECTOR_FLOATS * sizeof(int32_t))));
typedef uint8_t byte_vector __attribute__((vector_size(VECTOR_FLOATS)));

static inline vector load_vector(const float *x) {
  vector v;
  memcpy(&v, x, sizeof v);
  return v;
}

static inline vector load_residual(const void *x, size_t index, enginec_sample_type type) {
  if (type == enginec_float32)
    return load_vector((const float *)x + index);
  byte_vector steps;
  memcpy(&steps, (const uint8_t *)x + index, sizeof steps);
  return __builtin_convertvector(__builtin_convertvector(steps, int_vector), vector);
}

// As to_step.
static inline void store_steps(uint8_t *out, vector v) {
  v = __builtin_elementwise_max(v, (vector){0});
  v = __builtin_elementwise_min(v, (vector){0} + 255);
  const byte_vector steps =
      __builtin_convertvector(__builtin_convertvector(v, int_vector), byte_vector);
  memcpy(out, &steps, sizeof steps);
}

__attribute__((min_vector_width(VECTOR_FLOATS * 32))) static void
to_uint8(uint8_t *out, size_t out_channels, const float *x, size_t pixels, size_t channels,
         const float *gains, const float *offsets) {
  const size_t whole = channels / VECTOR_FLOATS * VECTOR_FLOATS;
  for (size_t c = 0; c < whole; c += VECTOR_FLOATS) {
    const vector gain = load_vector(gains + c), offset = load_vector(offsets + c) + 0.5f;
    for (size_t p = 0; p < pixels; p++)
      store_steps(out + p * out_channels + c, load_vector(x + p * channels + c) * gain + offset);
  }
  for (size_t c = whole; c < channels; c++) {
    const float gain = gains[c], offset = offsets[c] + 0.5f;
    for (size_t p = 0; p < pixels; p++)
      out[p * out_channels + c] = to_step(x[p * channels + c] * gain + offset);
  }
}

// Channels [c, c + VECTOR_FLOATS) of all pixels, with an activation of two straight lines.
__attribute__((always_inline, min_vector_width(VECTOR_FLOATS * 32))) static inline void
finish_channels(void *out, const int32_t *sums, size_t pixels, const enginec_sum_finish *f,
                const float *table, const float *bias, const void *residual, size_t c,
                int has_residual, enginec_sample_type residual_type, enginec_sample_type out_type) {
  const size_t channels = f->channels;
  const vector scale = load_vector(table + enginec_sum_scales * channels + c);
  const vector offset = load_vector(table + enginec_sum_offsets * channels + c) +
                        (out_type == enginec_uint8 ? 0.5f : 0);
  const vector residual_scale = load_vector(table + enginec_sum_residual_scales * channels + c);
  const vector first = load_vector(bias + c);
  vector slope = (vector){0} + (f->activation == enginec_activation_none ? 1 : f->alpha);
  if (f->activation == enginec_activation_prelu)
    slope = load_vector(table + enginec_sum_slopes * channels + c);
  for (size_t p = 0, i = c; p < pixels; p++, i += channels) {
    int_vector sum;
    memcpy(&sum, sums + i, sizeof sum);
    vector v = __builtin_convertvector(sum, vector) * scale + first;
    v = __builtin_elementwise_max(v, (vector){0}) +
        (__builtin_elementwise_min(v, (vector){0}) * slope + offset);
    if (has_residual)
      v += load_residual(residual, i, residual_type) * residual_scale;
    if (out_type == enginec_uint8) {
      store_steps((uint8_t *)out + i, v);
    } else {
      memcpy((float *)out + i, &v, sizeof v);
    }
  }
}

__attribute__((always_inline)) static inline void
finish_channels_typed(void *out, const int32_t *sums, size_t pixels, const enginec_sum_finish *f,
                      const float *table, const float *bias, const void *residual, size_t c,
                      enginec_sample_type out_type) {
  if (!residual) {
    finish_channels(out, sums, pixels, f, table, bias, NULL, c, 0, enginec_float32, out_type);
  } else if (f->residual_type == enginec_uint8) {
    finish_channels(out, sums, pixels, f, table, bias, residual, c, 1, enginec_uint8, out_type);
  } else {
    finish_channels(out, sums, pixels, f, table, bias, residual, c, 1, enginec_float32, out_type);
  }
}

static inline int is_curved(enginec_activation activation) {
  return activation == enginec_activation_silu || activation == enginec_activation_gelu;
}

// One channel of all pixels, with any activation; the same arithmetic as with vectors.
static void finish_channel(void *out, const int32_t *sums, size_t pixels,
                           const enginec_sum_finish *f, const float *table, const float *bias,
                           const void *residual, size_t c) {
  const size_t channels = f->channels;
  const float gain = table[enginec_sum_gains * channels + c];
  const float offset =
      table[enginec_sum_offsets * channels + c] + (f->out_type == enginec_uint8 ? 0.5f : 0);
  float slope = f->activation == enginec_activation_none ? 1 : f->alpha;
  if (f->activation == enginec_activation_prelu)
    slope = table[enginec_sum_slopes * channels + c];
  for (size_t p = 0, i = c; p < pixels; p++, i += channels) {
    float v = (float)sums[i] * table[enginec_sum_scales * channels + c] + bias[c];
    if (is_curved(f->activation)) {
      v = activate(v, f->activation, 0, 0) * gain + offset;
    } else {
      v = (v > 0 ? v : 0) + ((v < 0 ? v : 0) * slope + offset);
    }
    if (residual) {
      const float add = f->residual_type == enginec_uint8 ? (float)((const uint8_t *)residual)[i]
                                                          : ((const float *)residual)[i];
      v += add * table[enginec_sum_residual_scales * channels + c];
    }
    if (f->out_type == enginec_uint8) {
      ((uint8_t *)out)[i] = to_step(v);
    } else {
      ((float *)out)[i] = v;
    }
  }
}

static void finish_sums(void *out, const int32_t *sums, size_t pixels, const enginec_sum_finish *f,
                        const float *table, const float *bias, const void *residual) {
  const size_t whole = is_curved(f->activation) ? 0 : f->channels / VECTOR_FLOATS * VECTOR_FLOATS;
  for (size_t c = 0; c < whole; c += VECTOR_FLOATS) {
    if (f->out_type == enginec_uint8) {
      finish_channels_typed(out, sums, pixels, f, table, bias, residual, c, enginec_uint8);
    } else {
      finish_channels_typed(out, sums, pixels, f, table, bias, residual, c, enginec_float32);
    }
  }
  for (size_t c = whole; c < f->channels; c++)
    finish_channel(out, sums, pixels, f, table, bias, residual, c);
}

static void weighted_sum(float *restrict out, size_t count, size_t term_count,
                         const float *const *terms, const float *weights) {
  const float *restrict a = terms[0];
  const float *restrict b = term_count > 1 ? terms[1] : a;
  const float *restrict c = term_count > 2 ? terms[2] : a;
  const float wa = weights[0];
  const float wb = term_count > 1 ? weights[1] : 0;
  const float wc = term_count > 2 ? weights[2] : 0;
  if (term_count == 2) {
    for (size_t i = 0; i < count; i++)
      out[i] = wa * a[i] + wb * b[i];
  } else {
    for (size_t i = 0; i < count; i++)
      out[i] = wa * a[i] + wb * b[i] + wc * c[i];
  }
  for (size_t t = 3; t < term_count; t++) {
    for (size_t i = 0; i < count; i++)
      out[i] += weights[t] * terms[t][i];
  }
}

static void parameter_free_attention(float *restrict out, const float *restrict h,
                                     const float *restrict x, size_t count) {
  for (size_t i = 0; i < count; i++)
    out[i] = (h[i] + x[i]) * (1 / (1 + exponential(-h[i])) - 0.5f);
}

// Keys' cubic convolution kernel with a = -0.75, as in PyTorch's upsample_bicubic2d: the weights of
// the four neighbours at distances 1 + t, t, 1 - t and 2 - t.
static void cubic_weights(float t, float weights[4]) {
  const float a = -0.75f;
  const float d[4] = {1 + t, t, 1 - t, 2 - t};
  weights[0] = ((a * d[0] - 5 * a) * d[0] + 8 * a) * d[0] - 4 * a;
  weights[1] = ((a + 2) * d[1] - (a + 3)) * d[1] * d[1] + 1;
  weights[2] = ((a + 2) * d[2] - (a + 3)) * d[2] * d[2] + 1;
  weights[3] = ((a * d[3] - 5 * a) * d[3] + 8 * a) * d[3] - 4 * a;
}

// Where output sample `phase` of a source sample lies: src = (dst + 0.5) / factor - 0.5.
static int cubic_phase(size_t phase, size_t factor, float weights[4]) {
  const float position = ((float)phase + 0.5f) / (float)factor - 0.5f;
  const float base = floorf(position);
  cubic_weights(position - base, weights);
  return (int)base;
}

static size_t clamped(ptrdiff_t index, size_t count) {
  if (index < 0)
    return 0;
  return (size_t)index < count ? (size_t)index : count - 1;
}

// A row with every pixel repeated for each of the `factor` pixels that it becomes, and two pixels
// of the edge before and after, so that no pass needs clamping.
static void bicubic_repeat(float *restrict out, const float *restrict x, size_t width,
                           size_t channels, size_t factor) {
  const size_t edge = 2 * channels * factor;
  enginec_repeat_pixels(out, x, 1, channels, 2 * factor);
  enginec_repeat_pixels(out + edge, x, width, channels, factor);
  enginec_repeat_pixels(out + edge + width * channels * factor, x + (width - 1) * channels, 1,
                        channels, 2 * factor);
}

static void bicubic_mix(float *restrict out, const float *const rows[4], size_t count,
                        const float weights[4]) {
  const float *restrict a = rows[0], *restrict b = rows[1], *restrict c = rows[2],
                        *restrict d = rows[3];
  const float wa = weights[0], wb = weights[1], wc = weights[2], wd = weights[3];
  for (size_t i = 0; i < count; i++)
    out[i] = wa * a[i] + wb * b[i] + wc * c[i] + wd * d[i];
}

// The five pixels around one, of which each phase uses four: a repeated row under weights that
// repeat with every source pixel, here VECTOR_FLOATS of them at a time.
static void bicubic_across(float *restrict out, const float *restrict mixed, size_t samples,
                           size_t all, const float *restrict weights) {
  const size_t block = samples * VECTOR_FLOATS;
  for (size_t first = 0; first < all; first += block) {
    const size_t rest = all - first, count = rest < block ? rest : block;
    for (size_t j = 0; j < count; j++) {
      const float *restrict m = mixed + first + j;
      out[first + j] = weights[j] * m[0] + weights[block + j] * m[samples] +
                       weights[2 * block + j] * m[2 * samples] +
                       weights[3 * block + j] * m[3 * samples] +
                       weights[4 * block + j] * m[4 * samples];
    }
  }
}

#define THREE (3 * VECTOR_FLOATS)

// The same for three vectors of whole source pixels, as those of three colours twice and four times
// as large: their weights stay in the registers that AVX-512 has. Needs weights for three vectors,
// so `samples` are three at least. Gives the number of samples that are done.
__attribute__((min_vector_width(VECTOR_FLOATS * 32))) static size_t
bicubic_across_threes(float *restrict out, const float *restrict mixed, size_t samples, size_t all,
                      const float *restrict weights) {
  vector w[5][3];
  for (size_t k = 0; k < 5; k++)
    memcpy(w[k], weights + k * samples * VECTOR_FLOATS, sizeof w[k]);
  size_t i = 0;
  for (; i + THREE <= all; i += THREE) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < 3; v++) {
      vector m[5];
      for (size_t k = 0; k < 5; k++)
        memcpy(&m[k], mixed + i + v * VECTOR_FLOATS + k * samples, sizeof m[k]);
      const vector sum =
          w[0][v] * m[0] + w[1][v] * m[1] + w[2][v] * m[2] + w[3][v] * m[3] + w[4][v] * m[4];
      memcpy(out + i + v * VECTOR_FLOATS, &sum, sizeof sum);
    }
  }
  return i;
}

static void bicubic_weights(float *restrict weights, const enginec_enlargement *e) {
  const size_t samples = e->channels * e->factor, block = samples * VECTOR_FLOATS;
  for (size_t j = 0; j < block; j++) {
    float w[4];
    const int first = cubic_phase(j % samples / e->channels, e->factor, w) + 1; // of five
    for (int k = 0; k < 5; k++)
      weights[(size_t)k * block + j] = k >= first && k < first + 4 ? w[k - first] : 0;
  }
}

// Down first: a row mixed of four is repeated and mixed across.
static void bicubic_rows(float *out, const float *x, const enginec_enlargement *e, size_t row,
                         const float *weights, float *scratch) {
  const size_t count = e->width * e->channels, samples = e->channels * e->factor;
  float *mixed = scratch, *repeated = scratch + count;
  for (size_t phase = 0; phase < e->factor; phase++, out += count * e->factor) {
    float w[4];
    const ptrdiff_t first = (ptrdiff_t)row + cubic_phase(phase, e->factor, w) - 1;
    const float *rows[4];
    for (ptrdiff_t k = 0; k < 4; k++)
      rows[k] = x + clamped(first + k, e->height) * count;
    bicubic_mix(mixed, rows, count, w);
    bicubic_repeat(repeated, mixed, e->width, e->channels, e->factor);
    const size_t all = count * e->factor;
    const size_t done = samples < 3 || THREE % samples
                            ? 0
                            : bicubic_across_threes(out, repeated, samples, all, weights);
    bicubic_across(out + done, repeated + done, samples, all - done, weights);
  }
}

static void load_row(float *restrict out, const float *restrict red, const float *restrict green,
                     const float *restrict blue, size_t width) {
  for (size_t i = 0; i < width; i++) {
    out[3 * i] = 2 * red[i] - 1;
    out[3 * i + 1] = 2 * green[i] - 1;
    out[3 * i + 2] = 2 * blue[i] - 1;
  }
}

static inline float unit(float v) {
  v = 0.5f * v + 0.5f;
  v = v > 0 ? v : 0;
  return v < 1 ? v : 1;
}

static void store_pixels(float *restrict red, float *restrict green, float *restrict blue,
                         const float *restrict x, size_t width) {
  for (size_t i = 0; i < width; i++) {
    red[i] = unit(x[3 * i]);
    green[i] = unit(x[3 * i + 1]);
    blue[i] = unit(x[3 * i + 2]);
  }
}

// Four lines of the cache of each colour at a time, which are asked for well before they are
// written: processors do not foresee three rows at once.
static void store_row(float *red, float *green, float *blue, const float *x, size_t width) {
  enum { block = 64, ahead = 2 * block, line = 16 };
  for (size_t i = 0; i < width; i += block) {
    for (size_t k = i + ahead; k < i + ahead + block && k < width; k += line) {
      __builtin_prefetch(red + k, 1);
      __builtin_prefetch(green + k, 1);
      __builtin_prefetch(blue + k, 1);
    }
    const size_t rest = width - i;
    store_pixels(red + i, green + i, blue + i, x + 3 * i, rest < block ? rest : block);
  }
}

static float within(float x, float limit) { return x > limit ? limit : x < -limit ? -limit : x; }

static void blend_row(float *restrict red, float *restrict green, float *restrict blue,
                      const float *restrict x, const float *restrict shares, float share,
                      float limit, size_t width) {
  for (size_t i = 0; i < width; i++) {
    const float part = 0.5f * share * shares[i];
    red[i] += part * within(x[3 * i], limit) + part;
    green[i] += part * within(x[3 * i + 1], limit) + part;
    blue[i] += part * within(x[3 * i + 2], limit) + part;
  }
}

static void to_bfloat16(uint16_t *restrict out, const float *restrict x, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, x + i, sizeof bits);
    out[i] = (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
  }
}

static void clamp(float *x, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const float v = x[i] > 0 ? x[i] : 0;
    x[i] = v < 1 ? v : 1;
  }
}

// 12 chains: latency of 4 cycles times 2 units, and some slack, within 16 registers.
__attribute__((min_vector_width(VECTOR_FLOATS * 32))) static double fma_burst(float *sink) {
  enum { chains = 12, steps = 1 << 16 };
  vector sum[chains];
  vector factor, term;
  for (int l = 0; l < VECTOR_FLOATS; l++)
    factor[l] = 0.999f + sink[0], term[l] = 1e-3f;
  for (int k = 0; k < chains; k++)
    sum[k] = term * (float)k;
  for (int s = 0; s < steps; s++) {
#pragma clang loop unroll(full)
    for (int k = 0; k < chains; k++)
      sum[k] = sum[k] * factor + term;
  }
  for (int k = 1; k < chains; k++)
    sum[0] += sum[k];
  sink[0] = sum[0][0] * 1e-30f;
  return 2.0 * VECTOR_FLOATS * chains * steps;
}

#include "kernels_attention.h"
#include "kernels_norm.h"
#include "kernels_winograd.h"

const enginec_kernels LEVEL_TABLE = {
    .level = LEVEL_NAME,
    .finish = finish,
    .finish_sums = finish_sums,
    .to_uint8 = to_uint8,
    .weighted_sum = weighted_sum,
    .parameter_free_attention = parameter_free_attention,
    .bicubic_weights = bicubic_weights,
    .bicubic_rows = bicubic_rows,
    .load_row = load_row,
    .store_row = store_row,
    .blend_row = blend_row,
    .clamp = clamp,
    .to_bfloat16 = to_bfloat16,
    .fma_burst = fma_burst,
    .group_norm = group_norm,
    .mean = mean,
    .quantize = quantize,
    .window_attention = window_attention,
    .winograd_enter = winograd_enter,
    .winograd_leave = winograd_leave,
    .softmax_step = softmax_step,
    .softmax_end = softmax_end,
};
