// What Engine needs from C: oneDNN behind a narrow interface, OpenBLAS's set-up, the bundled
// weights, and the small kernels that neither library has.
//
// Tensors are dense NHWC with batch 1: sample (y, x, c) of a tensor with `width` columns and
// `channels` channels lies at index (y * width + x) * channels + c. Sizes are in elements unless a
// name says bytes. Samples are floats unless a sample type is given. Kernels allocate nothing,
// start no threads and keep no state.

#pragma once

#include <stddef.h>
#include <stdint.h>

#include <cblas.h>

// How a sample lies in memory.
typedef enum {
  enginec_float32,
  enginec_bfloat16, // the upper half of a float
  enginec_uint8,    // a step of a per-channel scale, see enginec_place_steps
  enginec_int32,    // an exact sum of products of 8-bit numbers
} enginec_sample_type;

// The size of a sample.
static inline size_t enginec_sample_bytes(enginec_sample_type type) {
  switch (type) {
  case enginec_uint8:
    return sizeof(uint8_t);
  case enginec_bfloat16:
    return sizeof(uint16_t);
  case enginec_float32:
  case enginec_int32:
    return sizeof(float);
  }
  return 0;
}

// Element-wise functions that can follow a convolution.
typedef enum {
  enginec_activation_none,
  enginec_activation_leaky_relu, // x > 0 ? x : alpha * x; ReLU is alpha = 0
  enginec_activation_prelu,      // as leaky ReLU, one slope per channel
  enginec_activation_silu,       // x * sigmoid(x)
  enginec_activation_gelu,       // x * (1 + erf(x / sqrt(2))) / 2, PyTorch's default GELU
} enginec_activation;

// MARK: Kernels, chosen by every call for the instruction set of the running CPU

// x = activation(x + bias) + residual_scale * residual, over `pixels` pixels. `bias` and `residual`
// may be NULL; `slopes` is read for prelu only.
void enginec_finish(float *x, size_t pixels, size_t channels, const float *bias,
                    enginec_activation activation, float alpha, const float *slopes,
                    const float *residual, float residual_scale);

// As enginec_finish, but rounds the results to bfloat16; `sums` is overwritten.
void enginec_finish_to_bfloat16(uint16_t *out, float *sums, size_t pixels, size_t channels,
                                const float *bias, enginec_activation activation, float alpha,
                                const float *slopes, const float *residual, float residual_scale);

// What finishes sums of floats as enginec_finish does, and the whole picture that is written, in
// float32 or bfloat16.
typedef struct {
  size_t channels;
  const float *bias, *slopes, *residual;
  enginec_activation activation;
  float alpha, residual_scale;
  enginec_sample_type out_type;
  void *out;
} enginec_float_result;

// Finishes the sums of `count` pixels from pixel `place` of the picture on; `sums` is overwritten.
void enginec_finish_float_part(const enginec_float_result *result, float *sums, size_t place,
                               size_t count);

// What is done to the sums of an 8-bit convolution:
// v = activation(sum * scale + bias) * gain + offset + residual * residual_scale. The gain of an
// activation of straight lines is 1: scale and bias hold it.
typedef struct {
  size_t channels;
  enginec_activation activation;
  float alpha;                       // for leaky ReLU
  enginec_sample_type residual_type; // uint8 or float32
  enginec_sample_type out_type;      // float32, or uint8: rounded to the nearest of 0...255
} enginec_sum_finish;

// The rows of a table with one number per channel.
enum {
  enginec_sum_scales,
  enginec_sum_gains,
  enginec_sum_offsets,
  enginec_sum_residual_scales,
  enginec_sum_slopes, // for PReLU
  enginec_sum_rows,
};

// How many weights of a kernel lie outside the picture, above or before the first and below or
// behind the last one, decides which bias belongs to a pixel.
typedef struct {
  size_t height, width, out_width; // of the picture read, and of the one written
  size_t kernel, stride, pad_before, pad_after;
} enginec_edges;

// What finishes sums, and the whole pictures that are read and written. `biases` holds
// enginec_edge_count(edges) squared arrays of a bias per channel, of which rows choose first: entry
// before * (pad_after + 1) + after for so many weights outside. `residual` may be NULL.
typedef struct {
  enginec_sum_finish finish;
  enginec_edges edges;
  const float *table, *biases;
  const void *residual;
  void *out;
} enginec_sum_result;

// Finishes rows [first_row, first_row + rows) of sums, or `count` pixels of row y from column x on.
void enginec_finish_sum_rows(const enginec_sum_result *result, const int32_t *sums,
                             size_t first_row, size_t rows);
void enginec_finish_sum_part(const enginec_sum_result *result, const int32_t *sums, size_t y,
                             size_t x, size_t count);
size_t enginec_edge_count(const enginec_edges *edges);

// out[p * out_channels + c] = x[p * channels + c] * gains[c] + offsets[c], rounded to the nearest
// of 0...255.
void enginec_place_steps(uint8_t *out, size_t out_channels, const float *x, size_t pixels,
                         size_t channels, const float *gains, const float *offsets);

// As enginec_finish, but rounds the results as enginec_place_steps does; `sums` is overwritten.
void enginec_finish_to_uint8(uint8_t *out, float *sums, size_t pixels, size_t channels,
                             const float *bias, enginec_activation activation, float alpha,
                             const float *slopes, const float *residual, float residual_scale,
                             const float *gains, const float *offsets);

// out[i] = sum over t of weights[t] * terms[t][i].
void enginec_weighted_sum(float *out, size_t count, size_t term_count, const float *const *terms,
                          const float *weights);

// out[i] = (h[i] + x[i]) * (sigmoid(h[i]) - 1/2), SPAN's attention.
void enginec_parameter_free_attention(float *out, const float *h, const float *x, size_t count);

// PyTorch's pixel_shuffle: out (h*f, w*f, c / (f*f)) from x (h, w, c), input channel
// c_out * f*f + dy * f + dx going to (y * f + dy, x * f + dx, c_out).
void enginec_pixel_shuffle(float *out, const float *x, size_t height, size_t width, size_t channels,
                           size_t factor);

// The inverse: out (h/f, w/f, c*f*f) from x (h, w, c).
void enginec_pixel_unshuffle(float *out, const float *x, size_t height, size_t width,
                             size_t channels, size_t factor);

// Copies x (pixels, channels) into channels first_channel... of out (pixels, out_channels); floats
// are rounded where `out` holds bfloat16.
void enginec_place_channels(void *out, enginec_sample_type out_type, size_t out_channels,
                            size_t first_channel, const void *x, enginec_sample_type x_type,
                            size_t pixels, size_t channels);

// PyTorch's interpolate(mode="nearest") by an integer factor.
void enginec_nearest(float *out, const float *x, size_t height, size_t width, size_t channels,
                     size_t factor);

// Pixels (height, width) that become factor x factor each.
typedef struct {
  size_t height, width, channels, factor;
} enginec_enlargement;

// PyTorch's interpolate(mode="bicubic", align_corners=False, antialias=False) by an integer factor:
// cubic convolution with a = -0.75, indices clamped to the edge. Makes the `factor` rows that
// source row `row` becomes. `weights` are enginec_bicubic_weight_count(...) floats from
// enginec_bicubic_weights, `scratch` holds enginec_bicubic_scratch(...) floats.
void enginec_bicubic_rows(float *out, const float *x, const enginec_enlargement *enlargement,
                          size_t row, const float *weights, float *scratch);
void enginec_bicubic_weights(float *weights, const enginec_enlargement *enlargement);
size_t enginec_bicubic_weight_count(const enginec_enlargement *enlargement);
size_t enginec_bicubic_scratch(const enginec_enlargement *enlargement);

// Which pixels a convolution reads: output pixel (y, x) sees the kernel x kernel pixels from
// (y * stride - pad_before, x * stride - pad_before) on.
typedef struct {
  size_t height, width, channels, kernel, stride, pad_before, out_width;
} enginec_gathering;

// Gathers the neighbourhood of every output pixel of rows [first_row, first_row + rows) into a row
// of kernel * kernel * channels floats, zeros outside the picture.
void enginec_im2col(float *out, const float *x, const enginec_gathering *gathering,
                    size_t first_row, size_t rows);

typedef struct {
  size_t pixels, channels, groups;
  float epsilon;
  enginec_activation activation; // none or silu
  enginec_sample_type out_type;
} enginec_group_norm_shape;

// PyTorch's group_norm, then the activation: groups of consecutive channels are brought to mean 0
// and variance 1 over the whole picture, then scaled and shifted per channel.
void enginec_group_norm(void *out, const float *x, const enginec_group_norm_shape *shape,
                        const float *scale, const float *shift, void *scratch);
size_t enginec_group_norm_scratch_bytes(size_t channels);

// PyTorch's avg_pool2d with kernel and stride `factor`; sizes are multiples of it.
void enginec_mean(float *out, const float *x, size_t height, size_t width, size_t channels,
                  size_t factor);

// Every pixel to the nearest row of `codebook` (codes, channels) by Euclidean distance, the first
// of equals; `planes` is the codebook transposed.
void enginec_quantize(float *out, const float *x, size_t pixels, size_t channels,
                      const float *codebook, const float *planes, size_t codes, float *scratch);
size_t enginec_quantize_scratch(void);

typedef struct {
  size_t height, width, channels; // of the result; multiples of `window` the former two
  size_t heads, window, shift;
  enginec_sample_type out_type;
} enginec_window_attention_shape;

// Attention inside windows of window x window pixels, token (row, column) at row * window + column;
// `qkv` holds queries, keys and values of `channels` each, `bias` (heads, tokens, tokens) is added
// to the scores. With a shift the windows lie `shift` pixels further down and right, around the
// edges. Those that go around the lower edge get -100 between the left `window - shift` and the
// right `shift` columns, where a mask should keep upper from lower rows: so the published weights
// learned.
void enginec_window_attention(void *out, const float *qkv,
                              const enginec_window_attention_shape *shape, const float *bias,
                              float *scratch);
size_t enginec_window_attention_scratch(const enginec_window_attention_shape *shape);

// One step of attention over blocks of keys (Milakov and Gimelshein, "Online normalizer calculation
// for softmax", 2018): scores (rows, columns) become exp(score - maximum), with `maxima`, `sums`
// and the results so far, `out` (rows, channels), moved to the new maximum of each row.
void enginec_softmax_step(float *scores, size_t rows, size_t columns, float *maxima, float *sums,
                          float *out, size_t channels);

// Divides every row of `out` by its sum.
void enginec_softmax_end(float *out, size_t rows, size_t channels, const float *sums);

// One row of planar RGB in 0...1 to interleaved RGB in -1...1.
void enginec_load_row(float *out, const float *red, const float *green, const float *blue,
                      size_t width);

// One row of interleaved RGB in -1...1 to planar RGB, clamped to 0...1.
void enginec_store_row(float *red, float *green, float *blue, const float *x, size_t width);

// Adds one row of interleaved RGB in -1...1 to planar RGB in 0...1, each pixel times
// share * shares[i]; samples beyond -limit...limit count as these.
void enginec_blend_row(float *red, float *green, float *blue, const float *x, const float *shares,
                       float share, float limit, size_t width);

// Rounds to the nearest bfloat16, the even one of two.
void enginec_to_bfloat16(uint16_t *out, const float *x, size_t count);

// A 3×3 convolution over a picture with one pixel of zeros around it, by Winograd's minimal
// filtering F(2×2, 3×3): for each of 16 places a product of matrices, (blocks, in_channels) by
// (in_channels, out_channels). A block is 2 × 2 pixels of the result. Channels are whole blocks
// of 16.
typedef struct {
  size_t height, width, in_channels, out_channels;
  enginec_sample_type x_type; // float32 or bfloat16
} enginec_winograd_shape;

// Weights (out, in, 3, 3) to (16, in, out).
void enginec_winograd_weights(float *out, const float *weights, size_t outputs, size_t inputs);

// The blocks of `rows` rows of the result, from `first_row` on, to (16, blocks, in_channels) in
// bfloat16. `zeros` is a pixel of zeros.
void enginec_winograd_enter(uint16_t *out, const void *x, const enginec_winograd_shape *shape,
                            size_t first_row, size_t rows, const void *zeros);

// One row of blocks of (16, blocks, out_channels) to 2 rows of the result, or 1 where it ends.
void enginec_winograd_leave(float *out, const float *products, const enginec_winograd_shape *shape,
                            size_t blocks, size_t block_row, size_t rows);

// Writes every pixel of a part of x to every second pixel of every second row of out
// (2 * height, 2 * width), from pixel (row, column) on. The part begins at the same pixel of x,
// which has height + 1 rows of width + 1 pixels.
void enginec_interleave(void *out, const void *x, size_t height, size_t width, size_t pixel_bytes,
                        size_t row, size_t column);

// Clamps samples to 0...1.
void enginec_clamp(float *x, size_t count);

// The name of the instruction set that the kernels above use: "baseline", "x86-64-v3 (AVX2, FMA)"
// or "x86-64-v4 (AVX-512)".
const char *enginec_kernel_level(void);

// Runs a fixed number of independent products with addition of samples of a type, by the widest
// instructions made for them, and returns how many operations that was; 0 where the CPU has none.
// `sink` keeps the compiler honest.
double enginec_product_burst(enginec_sample_type type, float *sink);

// The number of processors that this process may run on; at least 1.
size_t enginec_processor_count(void);

// The processors, rounded up, whose time a control group gives to its processes, as its `cpu.max`
// says: microseconds of each period, and the period. SIZE_MAX for no limit.
size_t enginec_processors_allowed_in(const char *path);

// The memory of the machine, or of the container that this process may use, in bytes.
size_t enginec_memory_bytes(void);

// Gives pages that hold nothing any more back to the system, which `free` does only at the heap's
// end.
void enginec_release_free_memory(void);

// MARK: Noise

// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
void enginec_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

// Standard normal samples for rows of the output canvas: three channels interleaved,
// out[i] for column x + i, drawn from the Philox counter (column, row, 0, frame) by Box-Muller.
void enginec_noise_row(float *out, uint64_t seed, uint32_t frame, uint32_t row, uint32_t column,
                       size_t width);

// MARK: Convolutions by AMX

// A convolution with whole columns of 16 output channels and a stride of 1: of bytes by int8_t
// where the type is uint8, else of bfloat16.
typedef struct {
  size_t in_channels, out_channels;
  enginec_sample_type type;
  enginec_sample_type x_type; // as the type, or float32 to be rounded to bfloat16
  enginec_edges edges;
} enginec_amx_shape;

enum { enginec_amx_most_kernel = 7 };

// What a run reads and writes: packed weights at a multiple of 64 bytes, the whole picture `x`, and
// the result of the type at hand.
typedef struct {
  enginec_amx_shape shape;
  const uint8_t *weights;
  const void *x;
  enginec_sum_result of_bytes;
  enginec_float_result of_halves;
} enginec_amx;

// Whether the CPU has tiles, and the kernel is made for such sizes.
int enginec_amx_suits(const enginec_amx_shape *shape);

size_t enginec_amx_weight_bytes(const enginec_amx_shape *shape);
size_t enginec_amx_scratch_bytes(const enginec_amx_shape *shape);

// `weights` are (out, in, kernel, kernel): int8_t for bytes, else floats.
void enginec_amx_pack(uint8_t *packed, const enginec_amx_shape *shape, const void *weights);

// Computes rows [first_row, first_row + rows) of the result; `scratch` lies at a multiple of 64
// bytes. Sums of bytes are exact; a pixel has the same bits whatever is the size of the picture.
void enginec_amx_run(const enginec_amx *convolution, size_t first_row, size_t rows, void *scratch);

// MARK: Matrix products

typedef struct {
  size_t m, n, k, stride_a, stride_b, stride_out;
  int transpose_b, accumulate;
  float scale;
} enginec_gemm_shape;

// MARK: oneDNN

// A convolution over horizontal strips of one picture: square kernel, zero padding, bias, and an
// activation other than prelu. Immutable, shared by any number of runners.
typedef struct enginec_convolution enginec_convolution;

// Whether the library's direct sums in single precision are fast only where 8 channels of all
// pixels lie together, in strips that stay in the second cache: so with AVX2, where they take half
// the time, or a third. Convolutions change the layout on the way there and back.
int enginec_onednn_wants_blocks(void);

// What one thread needs to execute a convolution.
typedef struct enginec_convolution_runner enginec_convolution_runner;

typedef struct {
  size_t height, width, in_channels, out_channels, kernel;
  size_t stride, pad_before, pad_after; // the same for rows and columns
  size_t rows; // output rows that a run computes: all, or some that lie where the caller likes
  size_t strip_rows; // output rows of a strip; the last one of a run may be shorter
  enginec_activation activation;
  float alpha;
  enginec_sample_type factor_type; // what samples and weights are rounded to before the products
  enginec_sample_type x_type, out_type;
  // Whether Winograd's minimal filtering F(4×4, 3×3) replaces the direct sums, in single precision:
  // 2.25 products per sample instead of 9. For 3 × 3 kernels, a stride of 1 and whole blocks of 16
  // channels, where the library has it (version 2 with AVX-512).
  int winograd;
} enginec_convolution_shape;

// `weights` are (out, in, kernel, kernel) floats, repacked into what the library prefers; `bias` is
// copied. Where `factor_type` is uint8 so is `x_type`, weights are int8_t, `bias` is NULL,
// there is no activation and `out_type` is int32: the sums are exact where those of weights that
// meet in_channels 2i and 2i + 1 stay within -128...128, with any instruction set. Without
// `weights` the convolution can be measured but not run. Returns NULL and a static sentence in
// `error` when the library refuses.
enginec_convolution *enginec_convolution_create(const enginec_convolution_shape *shape,
                                                const void *weights, const float *bias,
                                                const char **error);
void enginec_convolution_destroy(enginec_convolution *convolution);
size_t enginec_convolution_scratch_bytes(const enginec_convolution *convolution);

// The rows of a run and those of a strip: what was asked for, or more where the library would run
// such strips by its slow reference implementation.
size_t enginec_convolution_rows(const enginec_convolution *convolution);
size_t enginec_convolution_strip_rows(const enginec_convolution *convolution);

// The memory of the repacked weights.
size_t enginec_convolution_weight_bytes(const enginec_convolution *convolution);

// The library's name for the kernel that it chose.
const char *enginec_convolution_implementation(const enginec_convolution *convolution);

enginec_convolution_runner *
enginec_convolution_runner_create(const enginec_convolution *convolution);
void enginec_convolution_runner_destroy(enginec_convolution_runner *runner);

// Computes output rows [first_row, first_row + rows) of the whole picture `x` into `out`, which
// points at the first of those rows. They are a strip of a run: its first begins with the run, and
// all but the last have strip_rows; with Winograd's filtering the last one is as high as the others
// and ends with the run. Returns 0, or the library's status.
int enginec_convolution_execute(enginec_convolution_runner *runner, const void *x, void *out,
                                size_t first_row, size_t rows, void *scratch);

// Products of matrices of one size, in bfloat16 with sums in float. Immutable, shared by any number
// of runners.
typedef struct enginec_products enginec_products;

// What one thread needs to execute products.
typedef struct enginec_products_runner enginec_products_runner;

// Each (rows, depth) by (depth, columns); `weights` are floats (count, depth, columns), repacked
// into what the library prefers. Without them the products can be measured but not run. Returns
// NULL and a static sentence in `error` when the library refuses.
typedef struct {
  size_t count, rows, depth, columns;
} enginec_products_shape;

enginec_products *enginec_products_create(const enginec_products_shape *shape, const float *weights,
                                          const char **error);
void enginec_products_destroy(enginec_products *products);
size_t enginec_products_scratch_bytes(const enginec_products *products);
size_t enginec_products_weight_bytes(const enginec_products *products);

enginec_products_runner *enginec_products_runner_create(const enginec_products *products);
void enginec_products_runner_destroy(enginec_products_runner *runner);

// a (count, rows, depth) in bfloat16 to out (count, rows, columns). Returns 0, or the library's
// status.
int enginec_products_execute(enginec_products_runner *runner, const uint16_t *a, float *out,
                             void *scratch);

// Whether the CPU multiplies bfloat16 itself.
int enginec_has_bfloat16(void);

// Whether the CPU multiplies whole tiles of bytes and of bfloat16 (AMX), the system lets us, and
// oneDNN's own limit on instruction sets does.
int enginec_has_tiles(void);

// Whether bfloat16 is faster than float. Intel's AVX-512 adds up half as many vectors of bfloat16
// at a time as of floats, so that without tiles nothing is won, and the rounding is lost.
int enginec_bfloat16_is_fast(void);

// Whether 8-bit numbers are faster than float: four products with their sum are one instruction
// with VNNI and three with AVX2, over four times as many numbers.
int enginec_int8_is_fast(void);

// Makes the library single-threaded on the calling thread, as our workers want it.
void enginec_use_one_thread(void);

// out (m, n) = scale * a (m, k) * b (k, n), or b transposed, plus `out` if `accumulate`; rows of
// the three are `stride_a`, `stride_b` and `stride_out` floats apart. Returns 0, or the library's
// status.
int enginec_onednn_gemm(float *out, const float *a, const float *b,
                        const enginec_gemm_shape *shape);

// "3.1.2"-like, into static storage.
const char *enginec_onednn_version(void);

// MARK: OpenBLAS

// Chooses kernels for AVX-512 CPUs that an old OpenBLAS takes for something smaller, and turns its
// own threads off. Call once, before any other BLAS call.
void enginec_openblas_configure(void);
const char *enginec_openblas_version(void);

// As enginec_onednn_gemm.
void enginec_openblas_gemm(float *out, const float *a, const float *b,
                           const enginec_gemm_shape *shape);

// MARK: Bundled models

typedef struct {
  const char *name;     // a folder of Models/
  const char *family;   // what users ask for; the models of a family differ in their scale
  const char *summary;  // what it is good for, in some words
  const uint8_t *bytes; // of its weights file
  size_t byte_count;
} enginec_bundled_model;

// All of them, into static storage.
const enginec_bundled_model *enginec_bundled_models(size_t *count);
