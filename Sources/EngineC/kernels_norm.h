// Included by kernels_template.h: operations over channels and pixels that the papers' networks
// need.

// Sums and sums of squares per channel. A block of 32 pixels is summed in float, its squares around
// its own mean; blocks are joined in double, so that neither size nor a large mean costs digits.
static void channel_moments(const float *restrict x, size_t pixels, size_t channels,
                            double *restrict sums, double *restrict squares,
                            float *restrict block_sums, float *restrict block_squares) {
  enum { block = 32 };
  memset(sums, 0, channels * sizeof *sums);
  memset(squares, 0, channels * sizeof *squares);
  for (size_t first = 0; first < pixels; first += block) {
    const size_t count = pixels - first < block ? pixels - first : block;
    const float *restrict rows = x + first * channels;
    const float inverse = 1 / (float)count;
    memcpy(block_sums, rows, channels * sizeof(float));
    for (size_t p = 1; p < count; p++) {
      for (size_t c = 0; c < channels; c++)
        block_sums[c] += rows[p * channels + c];
    }
    memset(block_squares, 0, channels * sizeof(float));
    for (size_t p = 0; p < count; p++) {
      for (size_t c = 0; c < channels; c++) {
        const float d = rows[p * channels + c] - block_sums[c] * inverse;
        block_squares[c] += d * d;
      }
    }
    for (size_t c = 0; c < channels; c++) {
      // Around the rounded mean the deviations do not sum to exactly zero; that is of second order.
      const double mean = (double)(block_sums[c] * inverse);
      sums[c] += (double)block_sums[c];
      squares[c] += (double)block_squares[c] + mean * (2 * (double)block_sums[c] - count * mean);
    }
  }
}

// Turns moments into one factor and one term per channel.
static void norm_coefficients(const enginec_group_norm_shape *shape, const float *scale,
                              const float *shift, const double *sums, const double *squares,
                              float *restrict factors, float *restrict terms) {
  const size_t width = shape->channels / shape->groups;
  const double count = (double)shape->pixels * (double)width;
  for (size_t g = 0; g < shape->groups; g++) {
    double sum = 0, square = 0;
    for (size_t c = g * width; c < (g + 1) * width; c++)
      sum += sums[c], square += squares[c];
    const double mean = sum / count, variance = square / count - mean * mean;
    const double inverse = 1 / sqrt((variance > 0 ? variance : 0) + (double)shape->epsilon);
    for (size_t c = g * width; c < (g + 1) * width; c++) {
      factors[c] = (float)(inverse * (double)scale[c]);
      terms[c] = (float)((double)shift[c] - mean * inverse * (double)scale[c]);
    }
  }
}

__attribute__((always_inline)) static inline void
normalize_pixel(float *restrict out, const float *restrict x, size_t channels,
                const float *restrict factors, const float *restrict terms,
                enginec_activation activation) {
  for (size_t c = 0; c < channels; c++)
    out[c] = activate(x[c] * factors[c] + terms[c], activation, 0, 0);
}

// `pixel` holds a pixel before it is rounded.
__attribute__((always_inline)) static inline void
normalize_as(void *out, const float *x, const enginec_group_norm_shape *shape, const float *factors,
             const float *terms, float *pixel, enginec_activation activation) {
  const size_t channels = shape->channels;
  const int rounds = shape->out_type == enginec_bfloat16;
  for (size_t first = 0; first < shape->pixels * channels; first += channels) {
    float *row = rounds ? pixel : (float *)out + first;
    normalize_pixel(row, x + first, channels, factors, terms, activation);
    if (rounds)
      to_bfloat16((uint16_t *)out + first, pixel, channels);
  }
}

static void group_norm(void *out, const float *x, const enginec_group_norm_shape *shape,
                       const float *scale, const float *shift, double *scratch) {
  const size_t channels = shape->channels;
  double *squares = scratch + channels;
  float *first = (float *)(squares + channels), *second = first + channels;
  float *pixel = second + channels;
  channel_moments(x, shape->pixels, channels, scratch, squares, first, second);
  norm_coefficients(shape, scale, shift, scratch, squares, first, second);
  if (shape->activation == enginec_activation_silu) {
    normalize_as(out, x, shape, first, second, pixel, enginec_activation_silu);
  } else {
    normalize_as(out, x, shape, first, second, pixel, enginec_activation_none);
  }
}

static void mean(float *restrict out, const float *restrict x, size_t height, size_t width,
                 size_t channels, size_t factor) {
  const size_t out_width = width / factor;
  const float share = 1 / (float)(factor * factor);
  memset(out, 0, height / factor * out_width * channels * sizeof(float));
  for (size_t y = 0; y < height; y++) {
    for (size_t i = 0; i < width; i++) {
      float *restrict sum = out + (y / factor * out_width + i / factor) * channels;
      const float *restrict pixel = x + (y * width + i) * channels;
      for (size_t c = 0; c < channels; c++)
        sum[c] += share * pixel[c];
    }
  }
}

// The squared distances of one pixel to a block of codes.
static void code_distances(float *restrict distances, const float *pixel, size_t channels,
                           const float *planes, size_t stride, size_t count) {
  memset(distances, 0, count * sizeof(float));
  for (size_t c = 0; c < channels; c++) {
    const float *restrict plane = planes + c * stride;
    for (size_t j = 0; j < count; j++) {
      const float d = pixel[c] - plane[j];
      distances[j] += d * d;
    }
  }
}

static float smallest(const float *x, size_t count) {
  float lanes[VECTOR_FLOATS];
  for (int l = 0; l < VECTOR_FLOATS; l++)
    lanes[l] = x[0];
  for (size_t i = 0; i + VECTOR_FLOATS <= count; i += VECTOR_FLOATS) {
    for (int l = 0; l < VECTOR_FLOATS; l++)
      lanes[l] = x[i + (size_t)l] < lanes[l] ? x[i + (size_t)l] : lanes[l];
  }
  for (size_t i = count / VECTOR_FLOATS * VECTOR_FLOATS; i < count; i++)
    lanes[0] = x[i] < lanes[0] ? x[i] : lanes[0];
  for (int l = 1; l < VECTOR_FLOATS; l++)
    lanes[0] = lanes[l] < lanes[0] ? lanes[l] : lanes[0];
  return lanes[0];
}

static void quantize(float *out, const float *x, size_t pixels, size_t channels,
                     const float *codebook, const float *planes, size_t codes, float *scratch) {
  for (size_t p = 0; p < pixels; p++) {
    float nearest = INFINITY;
    size_t code = 0;
    for (size_t first = 0; first < codes; first += ENGINEC_QUANTIZE_BLOCK) {
      const size_t left = codes - first;
      const size_t count = left < ENGINEC_QUANTIZE_BLOCK ? left : ENGINEC_QUANTIZE_BLOCK;
      code_distances(scratch, x + p * channels, channels, planes + first, codes, count);
      const float distance = smallest(scratch, count);
      if (!(distance < nearest))
        continue;
      nearest = distance;
      for (code = 0; scratch[code] != distance;)
        code++;
      code += first;
    }
    memcpy(out + p * channels, codebook + code * channels, channels * sizeof(float));
  }
}
