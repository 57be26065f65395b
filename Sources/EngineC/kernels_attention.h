// Included by kernels_template.h: attention inside windows, and the softmax of attention over all.

// Vectors in memory that is aligned to a float only.
typedef float loose_vector __attribute__((vector_size(VECTOR_FLOATS * sizeof(float)), aligned(4)));

static float row_maximum(const float *x, size_t count) {
  float greatest = x[0];
  size_t i = 0;
  if (count >= VECTOR_FLOATS) {
    vector lanes = *(const loose_vector *)x;
    for (; i + VECTOR_FLOATS <= count; i += VECTOR_FLOATS)
      lanes = __builtin_elementwise_max(lanes, (vector) * (const loose_vector *)(x + i));
    for (int l = 0; l < VECTOR_FLOATS; l++)
      greatest = lanes[l] > greatest ? lanes[l] : greatest;
  }
  for (; i < count; i++)
    greatest = x[i] > greatest ? x[i] : greatest;
  return greatest;
}

static float row_sum(const float *x, size_t count) {
  vector lanes = {0};
  size_t i = 0;
  for (; i + VECTOR_FLOATS <= count; i += VECTOR_FLOATS)
    lanes += *(const loose_vector *)(x + i);
  float sum = 0;
  for (int l = 0; l < VECTOR_FLOATS; l++)
    sum += lanes[l];
  for (; i < count; i++)
    sum += x[i];
  return sum;
}

static void softmax_step(float *scores, size_t rows, size_t columns, float *maxima, float *sums,
                         float *out, size_t channels) {
  for (size_t r = 0; r < rows; r++) {
    float *restrict row = scores + r * columns, *restrict result = out + r * channels;
    const float here = row_maximum(row, columns);
    const float maximum = here > maxima[r] ? here : maxima[r];
    const float shrink = exponential(maxima[r] - maximum);
    for (size_t i = 0; i < columns; i++)
      row[i] = exponential(row[i] - maximum);
    if (shrink < 1) {
      for (size_t c = 0; c < channels; c++)
        result[c] *= shrink;
    }
    sums[r] = sums[r] * shrink + row_sum(row, columns);
    maxima[r] = maximum;
  }
}

static void softmax_end(float *out, size_t rows, size_t channels, const float *sums) {
  for (size_t r = 0; r < rows; r++) {
    const float share = 1 / sums[r];
    for (size_t c = 0; c < channels; c++)
      out[r * channels + c] *= share;
  }
}

// out (rows, columns) = a (rows, depth) * b (depth, columns), 4 rows and 2 vectors at a time: 8
// chains of sums in registers. Rows are a multiple of 4, columns of 2 vectors.
__attribute__((min_vector_width(VECTOR_FLOATS * 32))) static void
small_product(float *restrict out, const float *restrict a, size_t stride_a,
              const float *restrict b, size_t rows, size_t depth, size_t columns) {
  for (size_t r = 0; r < rows; r += 4) {
    for (size_t j = 0; j < columns; j += 2 * VECTOR_FLOATS) {
      vector sums[4][2] = {0};
      for (size_t d = 0; d < depth; d++) {
        const vector left = *(const loose_vector *)(b + d * columns + j);
        const vector right = *(const loose_vector *)(b + d * columns + j + VECTOR_FLOATS);
#pragma clang loop unroll(full)
        for (size_t k = 0; k < 4; k++) {
          sums[k][0] += a[(r + k) * stride_a + d] * left;
          sums[k][1] += a[(r + k) * stride_a + d] * right;
        }
      }
#pragma clang loop unroll(full)
      for (size_t k = 0; k < 4; k++) {
        *(loose_vector *)(out + (r + k) * columns + j) = sums[k][0];
        *(loose_vector *)(out + (r + k) * columns + j + VECTOR_FLOATS) = sums[k][1];
      }
    }
  }
}

// One window: where its tokens lie, and the scratch memory that its heads use in turn.
typedef struct {
  size_t tokens, padded_tokens, depth, padded_depth;
  float *queries, *keys, *values, *scores, *results, *regions;
} attention_window;

static attention_window window_in(const enginec_window_attention_shape *shape, float *scratch) {
  attention_window w = {.tokens = shape->window * shape->window,
                        .depth = shape->channels / shape->heads};
  w.padded_tokens = enginec_padded(w.tokens);
  w.padded_depth = enginec_padded(w.depth);
  const size_t matrix = w.padded_tokens * w.padded_depth;
  w.queries = scratch;
  w.keys = w.queries + matrix;
  w.values = w.keys + matrix;
  w.results = w.values + matrix;
  w.scores = w.results + matrix;
  w.regions = w.scores + w.padded_tokens * w.padded_tokens;
  memset(scratch, 0, (4 * matrix + w.padded_tokens * w.padded_tokens) * sizeof(float));
  return w;
}

// The index of a token's pixel, for the window whose first pixel is (top, left) after the shift.
static size_t token_pixel(const enginec_window_attention_shape *shape, size_t top, size_t left,
                          size_t token) {
  const size_t y = top + token / shape->window + shape->shift;
  const size_t x = left + token % shape->window + shape->shift;
  return y % shape->height * shape->width + x % shape->width;
}

static void gather_head(const attention_window *w, const enginec_window_attention_shape *shape,
                        const float *qkv, size_t top, size_t left, size_t head) {
  const float scale = 1 / sqrtf((float)w->depth);
  for (size_t t = 0; t < w->tokens; t++) {
    const float *q = qkv + token_pixel(shape, top, left, t) * 3 * shape->channels + head * w->depth;
    const float *k = q + shape->channels, *v = k + shape->channels;
    for (size_t d = 0; d < w->depth; d++) {
      w->queries[t * w->padded_depth + d] = q[d] * scale;
      w->keys[d * w->padded_tokens + t] = k[d];
      w->values[t * w->padded_depth + d] = v[d];
    }
  }
}

static void scatter_head(const attention_window *w, const enginec_window_attention_shape *shape,
                         void *out, size_t top, size_t left, size_t head) {
  for (size_t t = 0; t < w->tokens; t++) {
    const size_t pixel = token_pixel(shape, top, left, t) * shape->channels + head * w->depth;
    const float *result = w->results + t * w->padded_depth;
    if (shape->out_type == enginec_bfloat16) {
      to_bfloat16((uint16_t *)out + pixel, result, w->depth);
    } else {
      memcpy((float *)out + pixel, result, w->depth * sizeof(float));
    }
  }
}

static float region(size_t position, size_t length, const enginec_window_attention_shape *shape) {
  return position < length - shape->window ? 0 : position < length - shape->shift ? 1 : 2;
}

// Numbers the parts of the picture that a shifted window joins, as in the code that the published
// weights were trained with: by rows alone, and with row and column exchanged inside the window.
static void mark_regions(const attention_window *w, const enginec_window_attention_shape *shape,
                         size_t top) {
  for (size_t t = 0; t < w->tokens; t++)
    w->regions[t] = region(top + t % shape->window, shape->height, shape);
}

static void window_softmax(const attention_window *w, const float *bias, int is_masked) {
  for (size_t t = 0; t < w->tokens; t++) {
    float *restrict row = w->scores + t * w->padded_tokens;
    const float *restrict add = bias + t * w->tokens;
    for (size_t i = 0; i < w->tokens; i++)
      row[i] += add[i];
    for (size_t i = 0; is_masked && i < w->tokens; i++)
      row[i] -= w->regions[i] == w->regions[t] ? 0 : 100;
    const float maximum = row_maximum(row, w->tokens);
    for (size_t i = 0; i < w->tokens; i++)
      row[i] = exponential(row[i] - maximum);
    const float share = 1 / row_sum(row, w->tokens);
    for (size_t i = 0; i < w->tokens; i++)
      row[i] *= share;
  }
}

static void window_attention(void *out, const float *qkv,
                             const enginec_window_attention_shape *shape, const float *bias,
                             float *scratch) {
  const attention_window w = window_in(shape, scratch);
  const size_t columns = w.padded_tokens, rows = (w.tokens + 3) / 4 * 4;
  for (size_t top = 0; top < shape->height; top += shape->window) {
    const int is_masked = shape->shift > 0 && top + shape->window == shape->height;
    if (is_masked)
      mark_regions(&w, shape, top);
    for (size_t left = 0; left < shape->width; left += shape->window) {
      for (size_t head = 0; head < shape->heads; head++) {
        gather_head(&w, shape, qkv, top, left, head);
        small_product(w.scores, w.queries, w.padded_depth, w.keys, rows, w.depth, columns);
        window_softmax(&w, bias + head * w.tokens * w.tokens, is_masked);
        small_product(w.results, w.scores, columns, w.values, rows, w.tokens, w.padded_depth);
        scatter_head(&w, shape, out, top, left, head);
      }
    }
  }
}
