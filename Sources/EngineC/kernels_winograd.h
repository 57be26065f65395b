// Included by kernels_template.h: the transforms of Winograd's minimal filtering F(2×2, 3×3), a
// block of 2 × 2 output pixels at a time, which reads 4 × 4 pixels. Lavin and Gray, "Fast
// Algorithms for Convolutional Neural Networks", section 4.1.

typedef uint16_t half_vector __attribute__((vector_size(VECTOR_FLOATS * sizeof(uint16_t))));

__attribute__((always_inline)) static inline vector load_sample_vector(const void *x, size_t index,
                                                                       enginec_sample_type type) {
  if (type == enginec_float32)
    return load_vector((const float *)x + index);
  half_vector halves;
  memcpy(&halves, (const uint16_t *)x + index, sizeof halves);
  return (vector)(__builtin_convertvector(halves, int_vector) << 16);
}

__attribute__((always_inline)) static inline void store_rounded(uint16_t *out, vector v) {
  to_bfloat16(out, (const float *)&v, VECTOR_FLOATS);
}

// The 4 × 4 pixels of a block; `zeros` for those beyond the picture.
static void block_pixels(const void *pixels[16], const void *x, const enginec_winograd_shape *s,
                         size_t row, size_t column, const void *zeros) {
  const size_t bytes =
      s->in_channels * (s->x_type == enginec_float32 ? sizeof(float) : sizeof(uint16_t));
  for (size_t k = 0; k < 16; k++) {
    // One more than the pixel's place, so that it stays positive.
    const size_t y = row + k / 4, i = column + k % 4;
    const int inside = y > 0 && y <= s->height && i > 0 && i <= s->width;
    pixels[k] = inside ? (const char *)x + ((y - 1) * s->width + i - 1) * bytes : zeros;
  }
}

// Bᵀ d over the four values that are `step` apart.
__attribute__((always_inline)) static inline void enter_four(vector *d, int step) {
  const vector a = d[0] - d[2 * step], b = d[step] + d[2 * step];
  const vector c = d[2 * step] - d[step], e = d[step] - d[3 * step];
  d[0] = a, d[step] = b, d[2 * step] = c, d[3 * step] = e;
}

__attribute__((always_inline)) static inline void enter_block(uint16_t *out, size_t stride,
                                                              const void *const pixels[16],
                                                              size_t channels,
                                                              enginec_sample_type type) {
  for (size_t c = 0; c < channels; c += VECTOR_FLOATS) {
    vector d[16];
    for (int k = 0; k < 16; k++)
      d[k] = load_sample_vector(pixels[k], c, type);
    for (int column = 0; column < 4; column++)
      enter_four(d + column, 4);
    for (int row = 0; row < 4; row++)
      enter_four(d + 4 * row, 1);
    for (size_t k = 0; k < 16; k++)
      store_rounded(out + k * stride + c, d[k]);
  }
}

__attribute__((min_vector_width(VECTOR_FLOATS * 32))) static void
winograd_enter(uint16_t *out, const void *x, const enginec_winograd_shape *s, size_t first_row,
               size_t rows, const void *zeros) {
  const size_t across = (s->width + 1) / 2, blocks = (rows + 1) / 2 * across;
  for (size_t b = 0; b < blocks; b++) {
    const void *pixels[16];
    block_pixels(pixels, x, s, first_row + b / across * 2, b % across * 2, zeros);
    uint16_t *block = out + b * s->in_channels;
    if (s->x_type == enginec_float32) {
      enter_block(block, blocks * s->in_channels, pixels, s->in_channels, enginec_float32);
    } else {
      enter_block(block, blocks * s->in_channels, pixels, s->in_channels, enginec_bfloat16);
    }
  }
}

// Aᵀ m over the four values that are `step` apart.
__attribute__((always_inline)) static inline void leave_four(vector *m, int step) {
  const vector a = m[0] + m[step] + m[2 * step], b = m[step] - m[2 * step] - m[3 * step];
  m[0] = a, m[step] = b;
}

__attribute__((min_vector_width(VECTOR_FLOATS * 32))) static void
winograd_leave(float *out, const float *products, const enginec_winograd_shape *s, size_t blocks,
               size_t block_row, size_t rows) {
  const size_t across = (s->width + 1) / 2, channels = s->out_channels;
  for (size_t b = 0; b < across; b++) {
    const float *block = products + (block_row * across + b) * channels;
    const size_t columns = s->width - 2 * b < 2 ? 1 : 2;
    for (size_t c = 0; c < channels; c += VECTOR_FLOATS) {
      vector m[16];
      for (size_t k = 0; k < 16; k++)
        m[k] = load_vector(block + k * blocks * channels + c);
      for (int column = 0; column < 4; column++)
        leave_four(m + column, 4);
      for (int row = 0; row < 2; row++)
        leave_four(m + 4 * row, 1);
      for (size_t y = 0; y < rows; y++) {
        for (size_t i = 0; i < columns; i++)
          memcpy(out + (y * s->width + 2 * b + i) * channels + c, m + 4 * y + i, sizeof(vector));
      }
    }
  }
}
