// Convolutions by AMX, whose sums are finished while they are in the first cache.

#include "amx.h"

#include <string.h>

// A tile of the CPU has 16 rows of 64 bytes. Here it holds 16 pixels' sums of 16 output channels,
// 16 pixels' samples of a chunk of input channels, or the chunk's weights for 16 output channels,
// a quad of 4 bytes for each of them in a row.
enum { tile_rows = 16, tile_bytes = 64, quad_bytes = 4 };

// Sums of 32 pixels lie in tiles: six for 48 output channels at a time, which leaves one for
// samples, or four for 32 of them, which leaves two, so that weights are read once for both.
enum { second_samples = 5, samples_tile = 6, weights_tile = 7, block = 2 * tile_rows };

// Weights are read for every block of pixels, and must stay in the second cache.
enum { most_weight_bytes = 512 << 10, cache_line = 64 };

static size_t dense_bytes(const enginec_amx_shape *s) {
  return s->in_channels * enginec_sample_bytes(s->type);
}

// Whole quads, the last one filled up with 0.
static size_t pixel_bytes(const enginec_amx_shape *s) {
  return (dense_bytes(s) + quad_bytes - 1) / quad_bytes * quad_bytes;
}

// Whether the picture is multiplied as it lies in memory.
static int is_ready(const enginec_amx_shape *s) {
  return s->x_type == s->type && pixel_bytes(s) == dense_bytes(s);
}

// What a row of the kernel reads at a pixel lies together in memory.
static size_t row_bytes(const enginec_amx_shape *s) { return s->edges.kernel * pixel_bytes(s); }

// The equal chunks of whole quads that such a row is read in; 0 where there are none of some size.
static size_t step_count(const enginec_amx_shape *s) {
  const size_t least = (row_bytes(s) + tile_bytes - 1) / tile_bytes;
  for (size_t count = least; count <= 2 * least; count++) {
    if (row_bytes(s) % (count * quad_bytes) == 0)
      return count;
  }
  return 0;
}

static size_t chunk_bytes(const enginec_amx_shape *s) { return row_bytes(s) / step_count(s); }

// Columns of 16 output channels.
static size_t column_count(const enginec_amx_shape *s) { return s->out_channels / tile_rows; }

// Bytes of a chunk's weights for such a column.
static size_t factor_bytes(const enginec_amx_shape *s) { return chunk_bytes(s) * tile_rows; }

// Whether columns go together in pairs, and in threes where not.
static int is_in_pairs(const enginec_amx_shape *s) { return column_count(s) % 3 != 0; }

// How many of the remaining columns go together.
static size_t group(const enginec_amx_shape *s, size_t remaining) {
  const size_t most = is_in_pairs(s) ? 2 : 3;
  return remaining < most ? remaining : most;
}

int enginec_amx_suits(const enginec_amx_shape *s) {
  const enginec_edges *e = &s->edges;
  return enginec_has_tiles() && e->stride == 1 && e->kernel <= enginec_amx_most_kernel &&
         e->pad_before < e->kernel && e->pad_after < e->kernel && step_count(s) > 0 &&
         s->out_channels % tile_rows == 0 && enginec_amx_weight_bytes(s) <= most_weight_bytes;
}

size_t enginec_amx_weight_bytes(const enginec_amx_shape *s) {
  return s->edges.kernel * row_bytes(s) * s->out_channels;
}

static void place_weight(uint8_t *out, const enginec_amx_shape *s, const void *weights,
                         size_t from) {
  if (s->type == enginec_uint8) {
    *out = ((const uint8_t *)weights)[from];
  } else {
    enginec_to_bfloat16((uint16_t *)out, (const float *)weights + from, 1);
  }
}

// The weights of a row of the kernel for 16 output channels of `columns` times as many.
static void pack_row(uint8_t *packed, const enginec_amx_shape *s, const void *weights, size_t row,
                     size_t column, size_t columns) {
  const size_t kernel = s->edges.kernel, size = enginec_sample_bytes(s->type);
  for (size_t i = 0; i < kernel * s->in_channels; i++) {
    const size_t in = i % s->in_channels, tap = row * kernel + i / s->in_channels;
    const size_t byte = i / s->in_channels * pixel_bytes(s) + in * size;
    const size_t within = byte % chunk_bytes(s);
    uint8_t *chunk = packed + byte / chunk_bytes(s) * columns * factor_bytes(s);
    uint8_t *quads = chunk + within / quad_bytes * tile_bytes + within % quad_bytes;
    for (size_t lane = 0; lane < tile_rows; lane++) {
      const size_t out = column * tile_rows + lane;
      place_weight(quads + lane * quad_bytes, s, weights,
                   (out * s->in_channels + in) * kernel * kernel + tap);
    }
  }
}

void enginec_amx_pack(uint8_t *packed, const enginec_amx_shape *s, const void *weights) {
  memset(packed, 0, enginec_amx_weight_bytes(s));
  for (size_t first = 0, columns; first < column_count(s); first += columns) {
    columns = group(s, column_count(s) - first);
    for (size_t row = 0; row < s->edges.kernel; row++) {
      for (size_t i = 0; i < columns; i++)
        pack_row(packed + i * factor_bytes(s), s, weights, row, first + i, columns);
      packed += row_bytes(s) * columns * tile_rows;
    }
  }
}

// The columns of the picture that a block of sums is made of.
static size_t block_columns(const enginec_amx_shape *s) { return block + s->edges.kernel - 1; }

static size_t sum_bytes(const enginec_amx_shape *s) {
  return block * s->out_channels * sizeof(int32_t);
}

static size_t line_bytes(const enginec_amx_shape *s) {
  return s->out_channels * line_rows * sizeof(float);
}

// The samples of a block at the picture's sides.
static size_t side_bytes(const enginec_amx_shape *s) {
  return (block_columns(s) * row_bytes(s) + cache_line - 1) / cache_line * cache_line;
}

// Rows that are made ready before they are read, as many as the kernel has.
static size_t ready_bytes(const enginec_amx_shape *s) {
  return is_ready(s) ? 0 : s->edges.width * row_bytes(s);
}

// A block's sums, the lines that finish them, and samples.
size_t enginec_amx_scratch_bytes(const enginec_amx_shape *s) {
  return sum_bytes(s) + line_bytes(s) + side_bytes(s) + ready_bytes(s);
}

#ifdef __x86_64__
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("amx-tile,amx-int8,amx-bf16"))),                \
                             apply_to = function)

// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, LDTILECFG.
typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t columns[16];
  uint8_t rows[16];
} tile_configuration;

void amx_begin_tiles(size_t depth, int has_second_samples) {
  tile_configuration c = {.palette = 1};
  for (int t = 0; t <= weights_tile; t++) {
    const int is_samples = t == samples_tile || (t == second_samples && has_second_samples);
    c.columns[t] = is_samples ? (uint16_t)depth : tile_bytes;
    c.rows[t] = t == weights_tile ? (uint8_t)(depth / quad_bytes) : tile_rows;
  }
  _tile_loadconfig(&c);
}

static void end_tiles(void) { _tile_release(); }

// Where the samples of a block lie, in the rows of the kernel that lie in the picture, and the
// weights of the first of these rows.
typedef struct {
  const uint8_t *rows[enginec_amx_most_kernel], *ahead[enginec_amx_most_kernel], *weights;
  size_t row_count, steps, step_bytes, ahead_bytes, pixel_bytes, factor_bytes, sum_stride;
} walk;

// Tiles are named by constants: sums 0, 1 and 2 are the first 16 pixels', 3, 4 and 5 the others'.
#define LOAD_SAMPLES(tile, first) _tile_loadd(tile, samples + first * pixel_bytes, pixel_bytes)

#define LOAD_WEIGHTS(column) _tile_loadd(weights_tile, weights + column * factor_bytes, tile_bytes)

#define ADD(PRODUCT, column, sums)                                                                 \
  LOAD_WEIGHTS(column);                                                                            \
  PRODUCT(sums, samples_tile, weights_tile)

#define ADD_TO_BOTH(PRODUCT, column)                                                               \
  ADD(PRODUCT, column, column);                                                                    \
  PRODUCT(column + 3, second_samples, weights_tile)

#define STEP_1(PRODUCT)                                                                            \
  LOAD_SAMPLES(samples_tile, 0);                                                                   \
  LOAD_SAMPLES(second_samples, tile_rows);                                                         \
  ADD_TO_BOTH(PRODUCT, 0)

#define STEP_2(PRODUCT)                                                                            \
  STEP_1(PRODUCT);                                                                                 \
  ADD_TO_BOTH(PRODUCT, 1)

#define STEP_3(PRODUCT)                                                                            \
  LOAD_SAMPLES(samples_tile, 0);                                                                   \
  ADD(PRODUCT, 0, 0);                                                                              \
  ADD(PRODUCT, 1, 1);                                                                              \
  ADD(PRODUCT, 2, 2);                                                                              \
  LOAD_SAMPLES(samples_tile, tile_rows);                                                           \
  ADD(PRODUCT, 0, 3);                                                                              \
  ADD(PRODUCT, 1, 4);                                                                              \
  ADD(PRODUCT, 2, 5)

#define STORE_1(first) _tile_stored(first, sums, stride)
#define STORE_2(first)                                                                             \
  STORE_1(first);                                                                                  \
  _tile_stored(first + 1, sums + tile_bytes, stride)
#define STORE_3(first)                                                                             \
  STORE_2(first);                                                                                  \
  _tile_stored(first + 2, sums + 2 * tile_bytes, stride)

// Defines the sums of 32 pixels for some columns of 16 output channels.
#define SUMS(NAME, PRODUCT, COLUMNS)                                                               \
  static void NAME##COLUMNS(uint8_t *sums, const walk *w) {                                        \
    const size_t pixel_bytes = w->pixel_bytes, factor_bytes = w->factor_bytes;                     \
    const size_t steps = w->steps, step_bytes = w->step_bytes, ahead_bytes = w->ahead_bytes;       \
    const size_t stride = w->sum_stride;                                                           \
    const uint8_t *weights = w->weights;                                                           \
    _tile_zero(0), _tile_zero(1), _tile_zero(2);                                                   \
    _tile_zero(3), _tile_zero(4), _tile_zero(5);                                                   \
    for (size_t row = 0; row < w->row_count; row++) {                                              \
      const uint8_t *samples = w->rows[row], *ahead = w->ahead[row];                               \
      for (size_t i = 0; i < steps; i++, samples += step_bytes, ahead += ahead_bytes) {            \
        for (size_t line = 0; line < ahead_bytes; line += cache_line)                              \
          __builtin_prefetch(ahead + line);                                                        \
        STEP_##COLUMNS(PRODUCT);                                                                   \
        weights += COLUMNS * factor_bytes;                                                         \
      }                                                                                            \
    }                                                                                              \
    STORE_##COLUMNS(0);                                                                            \
    sums += tile_rows * stride;                                                                    \
    STORE_##COLUMNS(3);                                                                            \
  }

SUMS(byte_sums_, _tile_dpbusd, 1)
SUMS(byte_sums_, _tile_dpbusd, 2)
SUMS(byte_sums_, _tile_dpbusd, 3)
SUMS(half_sums_, _tile_dpbf16ps, 1)
SUMS(half_sums_, _tile_dpbf16ps, 2)
SUMS(half_sums_, _tile_dpbf16ps, 3)

#pragma clang attribute pop

typedef void sums_function(uint8_t *, const walk *);

static sums_function *sums_of(enginec_sample_type type, size_t columns) {
  static sums_function *const bytes[] = {byte_sums_1, byte_sums_2, byte_sums_3};
  static sums_function *const halves[] = {half_sums_1, half_sums_2, half_sums_3};
  return (type == enginec_uint8 ? bytes : halves)[columns - 1];
}

// Copies the columns of a row that a block at column x reads, with 0 outside the picture.
static void copy_row(uint8_t *out, const enginec_amx_shape *s, const uint8_t *row, size_t x) {
  const size_t pad = s->edges.pad_before, width = s->edges.width, pixel = pixel_bytes(s);
  const size_t before = x < pad ? pad - x : 0, first = x + before - pad;
  const size_t most = block_columns(s) - before, left = first < width ? width - first : 0;
  const size_t count = left < most ? left : most;
  memset(out, 0, before * pixel);
  memcpy(out + before * pixel, row + first * pixel, count * pixel);
  memset(out + (before + count) * pixel, 0, (most - count) * pixel);
}

// A row of the picture: those that are made ready take turns in their memory.
static const uint8_t *source_row(const enginec_amx *c, const uint8_t *scratch, size_t row) {
  const enginec_amx_shape *s = &c->shape;
  const size_t bytes = s->edges.width * pixel_bytes(s);
  if (is_ready(s))
    return (const uint8_t *)c->x + row * bytes;
  return scratch + sum_bytes(s) + line_bytes(s) + side_bytes(s) + row % s->edges.kernel * bytes;
}

static void make_ready(uint8_t *out, const enginec_amx_shape *s, const uint8_t *x) {
  const size_t step = s->in_channels * enginec_sample_bytes(s->x_type);
  const size_t dense = dense_bytes(s), bytes = pixel_bytes(s), width = s->edges.width;
  if (s->x_type != s->type && dense == bytes)
    return enginec_to_bfloat16((uint16_t *)out, (const float *)x, width * s->in_channels);
  for (size_t i = 0; i < width; i++, out += bytes, x += step) {
    memset(out + dense, 0, bytes - dense);
    if (s->x_type != s->type) {
      enginec_to_bfloat16((uint16_t *)out, (const float *)x, s->in_channels);
    } else {
      memcpy(out, x, dense);
    }
  }
}

// Makes the rows from `first` to before `end` ready; returns where to go on.
static size_t make_rows_ready(const enginec_amx *c, uint8_t *scratch, size_t first, size_t end) {
  const enginec_amx_shape *s = &c->shape;
  const size_t bytes = s->edges.width * s->in_channels * enginec_sample_bytes(s->x_type);
  for (size_t row = first; row < end && !is_ready(s); row++) {
    make_ready((uint8_t *)source_row(c, scratch, row), s, (const uint8_t *)c->x + row * bytes);
  }
  return end;
}

// Finds the samples of the block at column x, in rows from `source` on; blocks that reach beyond
// the picture's sides are copied.
static void find_samples(walk *w, const enginec_amx *c, size_t source, size_t x, uint8_t *scratch) {
  const enginec_amx_shape *s = &c->shape;
  const size_t pad = s->edges.pad_before, width = s->edges.width, pixel = pixel_bytes(s);
  const int is_inside = x >= pad && x - pad + block_columns(s) <= width;
  uint8_t *side = scratch + sum_bytes(s) + line_bytes(s);
  for (size_t row = 0; row < w->row_count; row++) {
    const uint8_t *samples = source_row(c, scratch, source + row);
    w->ahead[row] = samples + (x + block - pad) * pixel;
    if (is_inside) {
      w->rows[row] = samples + (x - pad) * pixel;
      continue;
    }
    copy_row(side, s, samples, x);
    w->rows[row] = side;
    side += block_columns(s) * pixel;
  }
}

// The sums of a block, whose first row of weights in the picture is row `above` of the kernel.
static void sum_block(uint8_t *sums, const enginec_amx *c, walk *w, size_t above) {
  const enginec_amx_shape *s = &c->shape;
  const uint8_t *weights = c->weights;
  for (size_t first = 0, columns; first < column_count(s); first += columns) {
    columns = group(s, column_count(s) - first);
    const size_t bytes = row_bytes(s) * columns * tile_rows;
    w->weights = weights + above * bytes;
    sums_of(s->type, columns)(sums + first * tile_bytes, w);
    weights += s->edges.kernel * bytes;
  }
}

// The rows of the kernel that lie above the picture.
static size_t rows_above(const enginec_edges *e, size_t y) {
  return y < e->pad_before ? e->pad_before - y : 0;
}

// The row after the last one of the picture that row y is made of.
static size_t source_end(const enginec_edges *e, size_t y) {
  const size_t end = y + e->kernel, limit = e->height + e->pad_before;
  return (end < limit ? end : limit) - e->pad_before;
}

static void run_row(const enginec_amx *c, size_t y, const float *lines, uint8_t *scratch) {
  const enginec_amx_shape *s = &c->shape;
  const enginec_edges *e = &s->edges;
  const size_t above = rows_above(e, y), source = y + above - e->pad_before;
  const size_t ahead = block * pixel_bytes(s) / step_count(s);
  walk w = {
      .row_count = source_end(e, y) - source,
      .steps = step_count(s),
      .step_bytes = chunk_bytes(s),
      .ahead_bytes = (ahead + cache_line - 1) / cache_line * cache_line,
      .pixel_bytes = pixel_bytes(s),
      .factor_bytes = factor_bytes(s),
      .sum_stride = column_count(s) * tile_bytes,
  };
  for (size_t x = 0; x < e->out_width; x += block) {
    const size_t left = e->out_width - x;
    find_samples(&w, c, source, x, scratch);
    sum_block(scratch, c, &w, above);
    amx_finish(c, lines, scratch, y, x, left < block ? left : block);
  }
}

void enginec_amx_run(const enginec_amx *c, size_t first_row, size_t rows, void *scratch) {
  const enginec_edges *e = &c->shape.edges;
  float *lines = (float *)((uint8_t *)scratch + sum_bytes(&c->shape));
  const int has_lines = amx_prepare_lines(lines, c);
  size_t ready = first_row + rows_above(e, first_row) - e->pad_before;
  amx_begin_tiles(chunk_bytes(&c->shape), is_in_pairs(&c->shape));
  for (size_t y = first_row; y < first_row + rows; y++) {
    ready = make_rows_ready(c, scratch, ready, source_end(e, y));
    run_row(c, y, has_lines ? lines : NULL, scratch);
  }
  end_tiles();
}
#else
void enginec_amx_run(const enginec_amx *c, size_t first_row, size_t rows, void *scratch) {
  (void)c, (void)first_row, (void)rows, (void)scratch;
}
#endif
