#include "kernels.h"

#include <string.h>

// Read afresh by every call: a table look-up is nothing beside a kernel, and there is no state to
// guard.
static const enginec_kernels *kernels(void) {
#ifdef __x86_64__
  if (__builtin_cpu_supports("x86-64-v4"))
    return &enginec_kernels_v4;
  if (__builtin_cpu_supports("x86-64-v3"))
    return &enginec_kernels_v3;
#endif
  return &enginec_kernels_baseline;
}

const char *enginec_kernel_level(void) { return kernels()->level; }

void enginec_finish(float *x, size_t pixels, size_t channels, const float *bias,
                    enginec_activation activation, float alpha, const float *slopes,
                    const float *residual, float residual_scale) {
  kernels()->finish(x, pixels, channels, bias, activation, alpha, slopes, residual, residual_scale);
}

// A block of this many floats is still in the first cache when it is rounded.
enum { finish_block = 4096 };

void enginec_finish_float_part(const enginec_float_result *r, float *sums, size_t place,
                               size_t count) {
  const enginec_kernels *k = kernels();
  const size_t start = place * r->channels, samples = count * r->channels;
  k->finish(sums, count, r->channels, r->bias, r->activation, r->alpha, r->slopes,
            r->residual ? r->residual + start : NULL, r->residual_scale);
  if (r->out_type == enginec_bfloat16) {
    k->to_bfloat16((uint16_t *)r->out + start, sums, samples);
  } else {
    memcpy((float *)r->out + start, sums, samples * sizeof *sums);
  }
}

void enginec_finish_to_bfloat16(uint16_t *out, float *sums, size_t pixels, size_t channels,
                                const float *bias, enginec_activation activation, float alpha,
                                const float *slopes, const float *residual, float residual_scale) {
  const enginec_float_result result = {
      .channels = channels,
      .bias = bias,
      .slopes = slopes,
      .residual = residual,
      .activation = activation,
      .alpha = alpha,
      .residual_scale = residual_scale,
      .out_type = enginec_bfloat16,
      .out = out,
  };
  const size_t block = 1 + finish_block / channels;
  for (size_t first = 0; first < pixels; first += block) {
    const size_t count = pixels - first < block ? pixels - first : block;
    enginec_finish_float_part(&result, sums + first * channels, first, count);
  }
}

void enginec_place_steps(uint8_t *out, size_t out_channels, const float *x, size_t pixels,
                         size_t channels, const float *gains, const float *offsets) {
  kernels()->to_uint8(out, out_channels, x, pixels, channels, gains, offsets);
}

void enginec_finish_to_uint8(uint8_t *out, float *sums, size_t pixels, size_t channels,
                             const float *bias, enginec_activation activation, float alpha,
                             const float *slopes, const float *residual, float residual_scale,
                             const float *gains, const float *offsets) {
  const enginec_kernels *k = kernels();
  const size_t block = 1 + finish_block / channels;
  for (size_t first = 0; first < pixels; first += block) {
    const size_t count = pixels - first < block ? pixels - first : block;
    const size_t start = first * channels;
    k->finish(sums + start, count, channels, bias, activation, alpha, slopes,
              residual ? residual + start : NULL, residual_scale);
    k->to_uint8(out + start, channels, sums + start, count, channels, gains, offsets);
  }
}

size_t enginec_edge_count(const enginec_edges *e) {
  return (e->pad_before + 1) * (e->pad_after + 1);
}

size_t enginec_edge_of(const enginec_edges *e, size_t index, size_t length) {
  const size_t start = index * e->stride, end = start + e->kernel, limit = e->pad_before + length;
  const size_t before = start < e->pad_before ? e->pad_before - start : 0;
  const size_t after = end > limit ? end - limit : 0;
  return before * (e->pad_after + 1) + after;
}

size_t enginec_inner_end(const enginec_edges *e) {
  const size_t limit = e->pad_before + e->width;
  const size_t end = limit < e->kernel ? 0 : (limit - e->kernel) / e->stride + 1;
  return end < e->out_width ? end : e->out_width;
}

void enginec_finish_sum_part(const enginec_sum_result *r, const int32_t *sums, size_t y, size_t x,
                             size_t count) {
  const enginec_kernels *k = kernels();
  const enginec_edges *e = &r->edges;
  const size_t channels = r->finish.channels, last = x + count;
  const size_t out_bytes = enginec_sample_bytes(r->finish.out_type);
  const size_t residual_bytes = enginec_sample_bytes(r->finish.residual_type);
  const size_t row_edge = enginec_edge_of(e, y, e->height) * enginec_edge_count(e);
  for (size_t end; x < last; sums += (end - x) * channels, x = end) {
    const size_t edge = enginec_edge_of(e, x, e->width), place = (y * e->out_width + x) * channels;
    const size_t inner = enginec_inner_end(e) < last ? enginec_inner_end(e) : last;
    end = edge == 0 ? inner : x + 1;
    k->finish_sums((char *)r->out + place * out_bytes, sums, end - x, &r->finish, r->table,
                   r->biases + (row_edge + edge) * channels,
                   r->residual ? (const char *)r->residual + place * residual_bytes : NULL);
  }
}

void enginec_finish_sum_rows(const enginec_sum_result *r, const int32_t *sums, size_t first_row,
                             size_t rows) {
  const size_t width = r->edges.out_width, channels = r->finish.channels;
  for (size_t y = 0; y < rows; y++)
    enginec_finish_sum_part(r, sums + y * width * channels, first_row + y, 0, width);
}

void enginec_weighted_sum(float *out, size_t count, size_t term_count, const float *const *terms,
                          const float *weights) {
  kernels()->weighted_sum(out, count, term_count, terms, weights);
}

void enginec_parameter_free_attention(float *out, const float *h, const float *x, size_t count) {
  kernels()->parameter_free_attention(out, h, x, count);
}

void enginec_bicubic_weights(float *weights, const enginec_enlargement *enlargement) {
  kernels()->bicubic_weights(weights, enlargement);
}

// Five for each of as many source pixels as the widest vectors have floats.
size_t enginec_bicubic_weight_count(const enginec_enlargement *e) {
  return 5 * 16 * e->channels * e->factor;
}

void enginec_bicubic_rows(float *out, const float *x, const enginec_enlargement *enlargement,
                          size_t row, const float *weights, float *scratch) {
  kernels()->bicubic_rows(out, x, enlargement, row, weights, scratch);
}

// A row mixed of source rows, and that repeated.
size_t enginec_bicubic_scratch(const enginec_enlargement *e) {
  return e->channels * (e->width + e->factor * (e->width + 4));
}

void enginec_load_row(float *out, const float *red, const float *green, const float *blue,
                      size_t width) {
  kernels()->load_row(out, red, green, blue, width);
}

void enginec_store_row(float *red, float *green, float *blue, const float *x, size_t width) {
  kernels()->store_row(red, green, blue, x, width);
}

void enginec_blend_row(float *red, float *green, float *blue, const float *x, const float *shares,
                       float share, float limit, size_t width) {
  kernels()->blend_row(red, green, blue, x, shares, share, limit, width);
}

void enginec_clamp(float *x, size_t count) { kernels()->clamp(x, count); }

void enginec_winograd_enter(uint16_t *out, const void *x, const enginec_winograd_shape *shape,
                            size_t first_row, size_t rows, const void *zeros) {
  kernels()->winograd_enter(out, x, shape, first_row, rows, zeros);
}

void enginec_winograd_leave(float *out, const float *products, const enginec_winograd_shape *shape,
                            size_t blocks, size_t block_row, size_t rows) {
  kernels()->winograd_leave(out, products, shape, blocks, block_row, rows);
}

void enginec_to_bfloat16(uint16_t *out, const float *x, size_t count) {
  kernels()->to_bfloat16(out, x, count);
}

void enginec_group_norm(void *out, const float *x, const enginec_group_norm_shape *shape,
                        const float *scale, const float *shift, void *scratch) {
  kernels()->group_norm(out, x, shape, scale, shift, scratch);
}

// Sums and squares in double, the same of one block of pixels in float, and one pixel, for each
// channel.
size_t enginec_group_norm_scratch_bytes(size_t channels) {
  return channels * (2 * sizeof(double) + 3 * sizeof(float));
}

void enginec_mean(float *out, const float *x, size_t height, size_t width, size_t channels,
                  size_t factor) {
  kernels()->mean(out, x, height, width, channels, factor);
}

void enginec_quantize(float *out, const float *x, size_t pixels, size_t channels,
                      const float *codebook, const float *planes, size_t codes, float *scratch) {
  kernels()->quantize(out, x, pixels, channels, codebook, planes, codes, scratch);
}

size_t enginec_quantize_scratch(void) { return ENGINEC_QUANTIZE_BLOCK; }

void enginec_window_attention(void *out, const float *qkv,
                              const enginec_window_attention_shape *shape, const float *bias,
                              float *scratch) {
  kernels()->window_attention(out, qkv, shape, bias, scratch);
}

// Queries, keys, values, scores and results of one head in one window, and the tokens' regions.
size_t enginec_window_attention_scratch(const enginec_window_attention_shape *shape) {
  const size_t tokens = enginec_padded(shape->window * shape->window);
  const size_t depth = enginec_padded(shape->channels / shape->heads);
  return 4 * tokens * depth + tokens * tokens + tokens;
}

void enginec_softmax_step(float *scores, size_t rows, size_t columns, float *maxima, float *sums,
                          float *out, size_t channels) {
  kernels()->softmax_step(scores, rows, columns, maxima, sums, out, channels);
}

void enginec_softmax_end(float *out, size_t rows, size_t channels, const float *sums) {
  kernels()->softmax_end(out, rows, channels, sums);
}

double enginec_fma_burst(float *sink) { return kernels()->fma_burst(sink); }

// MARK: Copies, which gain nothing from wider vectors

typedef float quad __attribute__((vector_size(4 * sizeof(float))));

static inline quad load_quad(const float *x) {
  quad v;
  memcpy(&v, x, sizeof v);
  return v;
}

// Planar to interleaved RGB.
static void interleave_rgb(float *out, quad red, quad green, quad blue) {
  const quad low = __builtin_shufflevector(red, green, 0, 4, 1, 5);
  const quad middle = __builtin_shufflevector(green, blue, 1, 5, 2, 6);
  const quad high = __builtin_shufflevector(red, green, 2, 6, 3, 7);
  const quad pixels[3] = {
      __builtin_shufflevector(low, blue, 0, 1, 4, 2),
      __builtin_shufflevector(middle, high, 0, 1, 4, 5),
      __builtin_shufflevector(high, blue, 6, 2, 3, 7),
  };
  memcpy(out, pixels, sizeof pixels);
}

// The inverse, with `step` floats from one colour to the next.
static void separate_rgb(float *out, size_t step, quad a, quad b, quad c) {
  const quad red =
      __builtin_shufflevector(__builtin_shufflevector(a, b, 0, 3, 6, 6), c, 0, 1, 2, 5);
  const quad green =
      __builtin_shufflevector(__builtin_shufflevector(a, b, 1, 4, 7, 7), c, 0, 1, 2, 6);
  const quad blue =
      __builtin_shufflevector(__builtin_shufflevector(a, b, 2, 5, 5, 5), c, 0, 1, 4, 7);
  memcpy(out, &red, sizeof red);
  memcpy(out + step, &green, sizeof green);
  memcpy(out + 2 * step, &blue, sizeof blue);
}

// To RGB four times as large, a row of a block at a time.
static void shuffle_rgb(float *out, const float *x, size_t height, size_t width) {
  for (size_t y = 0; y < 4 * height; y++) {
    const float *source = x + y / 4 * width * 48 + y % 4 * 4;
    for (size_t i = 0; i < width; i++, source += 48, out += 12)
      interleave_rgb(out, load_quad(source), load_quad(source + 16), load_quad(source + 32));
  }
}

// The four rows of a block together, so that the result is written once from start to end.
static void unshuffle_rgb(float *out, const float *x, size_t height, size_t width) {
  const size_t row = 3 * width;
  for (size_t y = 0; y < height; y += 4, x += 3 * row) {
    for (size_t i = 0; i < width; i += 4, x += 12, out += 48) {
      for (size_t dy = 0; dy < 4; dy++) {
        const float *source = x + dy * row;
        separate_rgb(out + 4 * dy, 16, load_quad(source), load_quad(source + 4),
                     load_quad(source + 8));
      }
    }
  }
}

void enginec_pixel_shuffle(float *out, const float *x, size_t height, size_t width, size_t channels,
                           size_t factor) {
  if (factor == 4 && channels == 48)
    return shuffle_rgb(out, x, height, width);
  const size_t area = factor * factor, out_channels = channels / area;
  for (size_t y = 0; y < height; y++) {
    for (size_t dy = 0; dy < factor; dy++) {
      float *restrict row = out + (y * factor + dy) * width * factor * out_channels;
      const float *restrict source = x + y * width * channels + dy * factor;
      for (size_t i = 0; i < width; i++, source += channels) {
        for (size_t dx = 0; dx < factor; dx++) {
          for (size_t c = 0; c < out_channels; c++)
            *row++ = source[c * area + dx];
        }
      }
    }
  }
}

void enginec_pixel_unshuffle(float *out, const float *x, size_t height, size_t width,
                             size_t channels, size_t factor) {
  if (factor == 4 && channels == 3)
    return unshuffle_rgb(out, x, height, width);
  const size_t area = factor * factor, out_width = width / factor;
  for (size_t y = 0; y < height; y++) {
    const float *restrict source = x + y * width * channels;
    float *restrict row = out + y / factor * out_width * channels * area + y % factor * factor;
    for (size_t i = 0; i < out_width; i++, row += channels * area) {
      for (size_t dx = 0; dx < factor; dx++) {
        for (size_t c = 0; c < channels; c++)
          row[c * area + dx] = *source++;
      }
    }
  }
}

void enginec_place_channels(void *out, enginec_sample_type out_type, size_t out_channels,
                            size_t first_channel, const void *x, enginec_sample_type x_type,
                            size_t pixels, size_t channels) {
  const size_t out_bytes = enginec_sample_bytes(out_type),
               row_bytes = channels * enginec_sample_bytes(x_type);
  for (size_t p = 0; p < pixels; p++) {
    char *row = (char *)out + (p * out_channels + first_channel) * out_bytes;
    const char *source = (const char *)x + p * row_bytes;
    if (out_type == x_type) {
      memcpy(row, source, row_bytes);
    } else {
      enginec_to_bfloat16((uint16_t *)row, (const float *)source, channels);
    }
  }
}

// Three floats move as four, of which the next ones overwrite the last.
void enginec_repeat_pixels(float *restrict out, const float *restrict x, size_t pixels,
                           size_t channels, size_t times) {
  for (; channels == 3 && pixels > 1; pixels--, x += 3) {
    for (size_t k = 0; k < times; k++, out += 3)
      memcpy(out, x, 4 * sizeof(float));
  }
  for (; pixels > 0; pixels--, x += channels) {
    for (size_t k = 0; k < times; k++, out += channels)
      memcpy(out, x, channels * sizeof(float));
  }
}

void enginec_nearest(float *out, const float *x, size_t height, size_t width, size_t channels,
                     size_t factor) {
  const size_t row_floats = width * factor * channels;
  for (size_t y = 0; y < height; y++) {
    float *row = out + y * factor * row_floats;
    enginec_repeat_pixels(row, x + y * width * channels, width, channels, factor);
    for (size_t dy = 1; dy < factor; dy++) {
      memcpy(row + dy * row_floats, row, row_floats * sizeof(float));
    }
  }
}

void enginec_interleave(void *out, const void *x, size_t height, size_t width, size_t pixel_bytes,
                        size_t row, size_t column) {
  for (size_t y = 0; y < height; y++) {
    const char *source = (const char *)x + ((y + row) * (width + 1) + column) * pixel_bytes;
    char *pixel = (char *)out + ((2 * y + row) * 2 * width + column) * pixel_bytes;
    for (size_t i = 0; i < width; i++, source += pixel_bytes, pixel += 2 * pixel_bytes)
      memcpy(pixel, source, pixel_bytes);
  }
}

void enginec_im2col(float *out, const float *x, const enginec_gathering *g, size_t first_row,
                    size_t rows) {
  const size_t channels = g->channels;
  for (size_t y = first_row; y < first_row + rows; y++) {
    for (size_t i = 0; i < g->out_width; i++) {
      for (size_t dy = 0; dy < g->kernel; dy++) {
        for (size_t dx = 0; dx < g->kernel; dx++, out += channels) {
          // Positions before the picture wrap around to values beyond every size.
          const size_t sy = y * g->stride + dy - g->pad_before;
          const size_t sx = i * g->stride + dx - g->pad_before;
          if (sy < g->height && sx < g->width) {
            memcpy(out, x + (sy * g->width + sx) * channels, channels * sizeof(float));
          } else {
            memset(out, 0, channels * sizeof(float));
          }
        }
      }
    }
  }
}
