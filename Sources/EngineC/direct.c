// Convolutions of our own: what follows the sums happens before they leave the first cache, which
// oneDNN cannot do for PReLU, residuals and 8-bit steps of their own per channel.

#include "EngineC.h"

#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>

enum {
  lanes = 16,        // sums in a register
  vector_bytes = 64, // weights in a register
  sample_bytes = 4,  // what a product reads of a pixel: one float, two bfloat16, or four bytes
  max_vectors = 3,   // registers of weights that are in use at the same time
  max_sums = 28,     // registers of sums
  whole_vector = 0xFFFF,
};

// How a block walks over the padded picture.
typedef struct {
  size_t row_bytes, pixel_bytes, kernel;
} walk;

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)

static inline __m512i repeated(const uint8_t *sample) {
  int32_t bits;
  memcpy(&bits, sample, sizeof bits);
  return _mm512_set1_epi32(bits);
}

static inline __m512 as_is(__m512 sums) { return sums; }

static inline __m512 add_singles(__m512 sums, __m512i sample, __m512i factors) {
  return _mm512_fmadd_ps(_mm512_castsi512_ps(sample), _mm512_castsi512_ps(factors), sums);
}

// As many pixels at a time as registers allow, by the number of vectors.
static const size_t most_pixels[max_vectors + 1] = {0, 14, 14, 9};

#define SIZE(block, p, v)                                                                          \
  case (v)*lanes + (p):                                                                            \
    block(sums, x, weights, w, p, v);                                                              \
    break;
#define SIZES_TO_9(block, v)                                                                       \
  SIZE(block, 1, v)                                                                                \
  SIZE(block, 2, v)                                                                                \
  SIZE(block, 3, v)                                                                                \
  SIZE(block, 4, v)                                                                                \
  SIZE(block, 5, v)                                                                                \
  SIZE(block, 6, v)                                                                                \
  SIZE(block, 7, v)                                                                                \
  SIZE(block, 8, v)                                                                                \
  SIZE(block, 9, v)
#define SIZES_TO_14(block, v)                                                                      \
  SIZES_TO_9(block, v)                                                                             \
  SIZE(block, 10, v)                                                                               \
  SIZE(block, 11, v)                                                                               \
  SIZE(block, 12, v)                                                                               \
  SIZE(block, 13, v)                                                                               \
  SIZE(block, 14, v)
#define SUM_OF_ALL_SIZES(name, block)                                                              \
  static void name(float *sums, const uint8_t *x, const uint8_t *weights, const walk *w,           \
                   size_t pixels, size_t vectors) {                                                \
    switch (vectors * lanes + pixels) {                                                            \
      SIZES_TO_14(block, 1)                                                                        \
      SIZES_TO_14(block, 2)                                                                        \
      SIZES_TO_9(block, 3)                                                                         \
    }                                                                                              \
  }

typedef void sum_function(float *, const uint8_t *, const uint8_t *, const walk *, size_t, size_t);

#define BLOCK block_of_singles
#define SUMS __m512
#define ADD add_singles
#define TO_FLOATS as_is
#include "direct_template.h"
SUM_OF_ALL_SIZES(sum_singles, block_of_singles)
#undef BLOCK
#undef ADD

#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,avx512bf16"))),                 \
                             apply_to = function)
static inline __m512 add_halves(__m512 sums, __m512i sample, __m512i factors) {
  return _mm512_dpbf16_ps(sums, (__m512bh)sample, (__m512bh)factors);
}
#define BLOCK block_of_halves
#define ADD add_halves
#include "direct_template.h"
SUM_OF_ALL_SIZES(sum_halves, block_of_halves)
#undef BLOCK
#undef SUMS
#undef ADD
#undef TO_FLOATS
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,avx512vnni"))),                 \
                             apply_to = function)
#define BLOCK block_of_bytes
#define SUMS __m512i
#define ADD _mm512_dpbusd_epi32
#define TO_FLOATS _mm512_cvtepi32_ps
#include "direct_template.h"
SUM_OF_ALL_SIZES(sum_bytes, block_of_bytes)
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)

// MARK: What follows the sums

// One vector of output channels of some neighbours: numbers per channel, and where the first
// pixel's samples lie.
typedef struct {
  const float *table;
  size_t table_row;
  __mmask16 mask;
  size_t channels; // from one pixel to the next
  void *out;
  const void *residual;
} finish;

static inline __m512 load_residual(const void *residual, size_t index, enginec_sample_type type,
                                   __mmask16 mask) {
  if (type == enginec_float32)
    return _mm512_maskz_loadu_ps(mask, (const float *)residual + index);
  const __m128i steps = _mm_maskz_loadu_epi8(mask, (const uint8_t *)residual + index);
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(steps));
}

static inline void store(void *out, size_t index, enginec_sample_type type, __mmask16 mask,
                         __m512 v) {
  if (type == enginec_float32) {
    _mm512_mask_storeu_ps((float *)out + index, mask, v);
  } else if (type == enginec_bfloat16) { // rounded as enginec_to_bfloat16 does
    __m512i bits = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    bits = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF)), odd);
    const __m256i halves = _mm512_cvtepi32_epi16(_mm512_srli_epi32(bits, 16));
    _mm256_mask_storeu_epi16((uint16_t *)out + index, mask, halves);
  } else { // what follows the point is cut off, what is above 255 becomes 255
    const __m512i steps = _mm512_cvttps_epi32(_mm512_max_ps(v, _mm512_setzero_ps()));
    _mm_mask_storeu_epi8((uint8_t *)out + index, mask, _mm512_cvtusepi32_epi8(steps));
  }
}

__attribute__((always_inline)) static inline void
finish_as(const finish *f, __mmask16 mask, const float *sums, size_t sum_step, size_t pixels,
          int has_residual, enginec_sample_type residual_type, enginec_sample_type out_type) {
  __m512 row[enginec_direct_rows];
  for (int i = 0; i < enginec_direct_rows; i++)
    row[i] = _mm512_loadu_ps(f->table + (size_t)i * f->table_row);
  const __mmask16 lower = _mm512_cmp_ps_mask(row[enginec_direct_scales],
                                             row[enginec_direct_negative_scales], _CMP_GE_OQ);
  for (size_t p = 0; p < pixels; p++) {
    const __m512 sum = _mm512_load_ps(sums + p * sum_step);
    const __m512 a = _mm512_fmadd_ps(sum, row[enginec_direct_scales], row[enginec_direct_biases]);
    const __m512 b = _mm512_fmadd_ps(sum, row[enginec_direct_negative_scales],
                                     row[enginec_direct_negative_biases]);
    // The upper of two straight lines that meet where the activation has its corner, or the lower
    // one if it gets steeper on the left.
    __m512 v = _mm512_mask_max_ps(_mm512_min_ps(a, b), lower, a, b);
    if (has_residual) {
      const __m512 residual = load_residual(f->residual, p * f->channels, residual_type, mask);
      v = _mm512_fmadd_ps(residual, row[enginec_direct_residual_scales], v);
    }
    store(f->out, p * f->channels, out_type, mask, v);
  }
}

// Constants in place of the mask, so that whole vectors are stored without one, which is much
// faster.
__attribute__((always_inline)) static inline void
finish_whole(const finish *f, const float *sums, size_t sum_step, size_t pixels, int has_residual,
             enginec_sample_type residual_type, enginec_sample_type out_type) {
  if (f->mask == whole_vector) {
    finish_as(f, whole_vector, sums, sum_step, pixels, has_residual, residual_type, out_type);
  } else {
    finish_as(f, f->mask, sums, sum_step, pixels, has_residual, residual_type, out_type);
  }
}

__attribute__((always_inline)) static inline void finish_to(const finish *f, const float *sums,
                                                            size_t sum_step, size_t pixels,
                                                            enginec_sample_type residual_type,
                                                            enginec_sample_type out_type) {
  if (!f->residual) {
    finish_whole(f, sums, sum_step, pixels, 0, enginec_float32, out_type);
  } else if (residual_type == enginec_uint8) {
    finish_whole(f, sums, sum_step, pixels, 1, enginec_uint8, out_type);
  } else {
    finish_whole(f, sums, sum_step, pixels, 1, enginec_float32, out_type);
  }
}

static void finish_sums(const finish *f, const float *sums, size_t sum_step, size_t pixels,
                        enginec_sample_type residual_type, enginec_sample_type out_type) {
  switch (out_type) {
  case enginec_bfloat16:
    finish_to(f, sums, sum_step, pixels, residual_type, enginec_bfloat16);
    break;
  case enginec_uint8:
    finish_to(f, sums, sum_step, pixels, residual_type, enginec_uint8);
    break;
  default:
    finish_to(f, sums, sum_step, pixels, residual_type, enginec_float32);
  }
}

#pragma clang attribute pop

// MARK: Sizes

static size_t size_of(enginec_sample_type type) {
  return type == enginec_uint8 ? 1 : type == enginec_bfloat16 ? 2 : 4;
}

// Bytes of a pixel as the products read it: whole groups of four, the last ones of no weight.
static size_t pixel_bytes(const enginec_direct_shape *s) {
  return (s->in_channels * size_of(s->factor_type) + sample_bytes - 1) / sample_bytes *
         sample_bytes;
}

static size_t vector_count(const enginec_direct_shape *s) {
  return (s->out_channels + lanes - 1) / lanes;
}

// How many of the remaining vectors of output channels go together: threes, and twos so that no
// single one is left, which would read a sample for every product.
static size_t group(size_t remaining) {
  return remaining == 4 ? 2 : remaining < max_vectors ? remaining : max_vectors;
}

static size_t out_height(const enginec_direct_shape *s) {
  return s->height + s->pad_before + s->pad_after + 1 - s->kernel;
}

static size_t out_width(const enginec_direct_shape *s) {
  return s->width + s->pad_before + s->pad_after + 1 - s->kernel;
}

static size_t padded_row_bytes(const enginec_direct_shape *s) {
  return (s->width + s->pad_before + s->pad_after) * pixel_bytes(s);
}

size_t enginec_direct_weight_bytes(const enginec_direct_shape *s) {
  return s->kernel * s->kernel * pixel_bytes(s) / sample_bytes * vector_count(s) * vector_bytes;
}

size_t enginec_direct_table_row(const enginec_direct_shape *s) { return vector_count(s) * lanes; }

size_t enginec_direct_pixel_bytes(const enginec_direct_shape *s) { return pixel_bytes(s); }

// A strip of the padded picture stays in the second cache. Where all weights do not, they are read
// once for each strip, so that it is no smaller than they are.
static size_t strip_rows(const enginec_direct_shape *s) {
  const size_t least = (size_t)256 << 10, weights = enginec_direct_weight_bytes(s);
  const size_t rows = (weights > least ? weights : least) / padded_row_bytes(s);
  const size_t height = out_height(s), halo = s->kernel - 1;
  const size_t count = rows > 2 * halo ? rows - halo : halo + 1;
  return count < height ? count : height;
}

size_t enginec_direct_scratch_bytes(const enginec_direct_shape *s) {
  const size_t bytes = (strip_rows(s) + s->kernel - 1) * padded_row_bytes(s);
  return (bytes + vector_bytes - 1) / vector_bytes * vector_bytes;
}

// MARK: Weights

static uint16_t half_of(float x) {
  uint16_t half;
  enginec_to_bfloat16(&half, &x, 1);
  return half;
}

// Weight `from` in its place: lane by output channel, and within four bytes by input channel.
static void place(uint8_t *quad, const enginec_direct_shape *s, size_t in, const void *weights,
                  size_t from) {
  const size_t size = size_of(s->factor_type), within = in * size % sample_bytes;
  if (s->factor_type == enginec_uint8) {
    quad[within] = ((const uint8_t *)weights)[from];
  } else if (s->factor_type == enginec_bfloat16) {
    const uint16_t half = half_of(((const float *)weights)[from]);
    memcpy(quad + within, &half, size);
  } else {
    memcpy(quad, (const float *)weights + from, size);
  }
}

void enginec_direct_pack(uint8_t *packed, const enginec_direct_shape *s, const void *weights) {
  const size_t quads = pixel_bytes(s) / sample_bytes, area = s->kernel * s->kernel;
  memset(packed, 0, enginec_direct_weight_bytes(s));
  for (size_t first = 0, count; first < vector_count(s); first += count) {
    count = group(vector_count(s) - first);
    for (size_t out = first * lanes; out < (first + count) * lanes && out < s->out_channels;
         out++) {
      for (size_t in = 0; in < s->in_channels; in++) {
        for (size_t tap = 0; tap < area; tap++) {
          const size_t quad = in * size_of(s->factor_type) / sample_bytes;
          uint8_t *vectors = packed + (tap * quads + quad) * count * vector_bytes;
          uint8_t *lane = vectors + (out - first * lanes) * sample_bytes;
          place(lane, s, in, weights, (out * s->in_channels + in) * area + tap);
        }
      }
    }
    packed += area * quads * count * vector_bytes;
  }
}

// MARK: The padded picture

static void copy_pixels(uint8_t *out, const enginec_direct_shape *s, const uint8_t *x) {
  const size_t bytes = pixel_bytes(s), x_bytes = s->in_channels * size_of(s->x_type);
  const int rounds = s->x_type != s->factor_type;
  if (s->in_channels * size_of(s->factor_type) == bytes) {
    if (rounds) {
      enginec_to_bfloat16((uint16_t *)out, (const float *)x, s->width * s->in_channels);
    } else {
      memcpy(out, x, s->width * bytes);
    }
    return;
  }
  for (size_t i = 0; i < s->width; i++, out += bytes, x += x_bytes) {
    memset(out + bytes - sample_bytes, 0, sample_bytes);
    if (rounds) {
      enginec_to_bfloat16((uint16_t *)out, (const float *)x, s->in_channels);
    } else {
      memcpy(out, x, x_bytes);
    }
  }
}

static void fill(uint8_t *out, size_t pixels, const uint8_t *zeros, size_t bytes) {
  for (size_t i = 0; i < pixels; i++)
    memcpy(out + i * bytes, zeros, bytes);
}

// Rows [first, first + rows) of the picture with its padding.
static void pad(uint8_t *out, const enginec_direct_shape *s, const uint8_t *x, size_t first,
                size_t rows, const uint8_t *zeros) {
  const size_t bytes = pixel_bytes(s), row_bytes = padded_row_bytes(s);
  const size_t x_row = s->width * s->in_channels * size_of(s->x_type);
  for (size_t y = first; y < first + rows; y++, out += row_bytes) {
    // Rows above the picture wrap around to numbers beyond every height.
    const size_t source = y - s->pad_before;
    if (source >= s->height) {
      fill(out, row_bytes / bytes, zeros, bytes);
      continue;
    }
    fill(out, s->pad_before, zeros, bytes);
    copy_pixels(out + s->pad_before * bytes, s, x + source * x_row);
    fill(out + (s->pad_before + s->width) * bytes, s->pad_after, zeros, bytes);
  }
}

// MARK: The whole

// One row of the result, for a group of vectors of output channels.
static void run_row(const enginec_direct *d, sum_function *sum, const uint8_t *padded,
                    const uint8_t *weights, size_t y, size_t first, size_t vectors) {
  const enginec_direct_shape *s = &d->shape;
  const walk w = {padded_row_bytes(s), pixel_bytes(s), s->kernel};
  const size_t width = out_width(s), out_size = size_of(s->out_type);
  const size_t residual_size = size_of(s->residual_type);
  _Alignas(vector_bytes) float sums[max_sums * lanes];
  for (size_t x = 0, count; x < width; x += count) {
    count = width - x < most_pixels[vectors] ? width - x : most_pixels[vectors];
    sum(sums, padded + x * w.pixel_bytes, weights, &w, count, vectors);
    for (size_t v = 0; v < vectors; v++) {
      const size_t channel = (first + v) * lanes, left = s->out_channels - channel;
      const size_t index = (y * width + x) * s->out_channels + channel;
      const finish f = {
          .table = d->table + channel,
          .table_row = enginec_direct_table_row(s),
          .mask = (__mmask16)(left < lanes ? (1u << left) - 1 : whole_vector),
          .channels = s->out_channels,
          .out = (uint8_t *)d->out + index * out_size,
          .residual = d->residual ? (const uint8_t *)d->residual + index * residual_size : NULL,
      };
      finish_sums(&f, sums + v * lanes, vectors * lanes, count, s->residual_type, s->out_type);
    }
  }
}

static sum_function *sum_for(enginec_sample_type factor_type) {
  return factor_type == enginec_uint8      ? sum_bytes
         : factor_type == enginec_bfloat16 ? sum_halves
                                           : sum_singles;
}

void enginec_direct_run(const enginec_direct *d, void *scratch) {
  const enginec_direct_shape *s = &d->shape;
  const size_t height = out_height(s), rows = strip_rows(s);
  const size_t vector_size = s->kernel * s->kernel * pixel_bytes(s) / sample_bytes * vector_bytes;
  for (size_t strip = 0; strip < height; strip += rows) {
    const size_t count = height - strip < rows ? height - strip : rows;
    pad(scratch, s, d->x, strip, count + s->kernel - 1, d->zeros);
    for (size_t first = 0, vectors; first < vector_count(s); first += vectors) {
      vectors = group(vector_count(s) - first);
      for (size_t y = 0; y < count; y++) {
        run_row(d, sum_for(s->factor_type), (const uint8_t *)scratch + y * padded_row_bytes(s),
                d->weights + first * vector_size, strip + y, first, vectors);
      }
    }
  }
}
#endif
