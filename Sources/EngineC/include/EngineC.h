// What Engine needs from C: oneDNN behind a narrow interface, OpenBLAS's set-up, the bundled
// weights, and the small kernels that neither library has.
//
// Tensors are dense NHWC with batch 1: sample (y, x, c) of a tensor with `width` columns and
// `channels` channels lies at index (y * width + x) * channels + c. Sizes are in elements unless a
// name says bytes. Kernels allocate nothing, start no threads and keep no state.

#pragma once

#include <stddef.h>
#include <stdint.h>

#include <cblas.h>

// Element-wise functions that can follow a convolution.
typedef enum {
  enginec_activation_none,
  enginec_activation_leaky_relu, // x > 0 ? x : alpha * x; ReLU is alpha = 0
  enginec_activation_prelu,      // as leaky ReLU, one slope per channel
  enginec_activation_silu,       // x * sigmoid(x)
  enginec_activation_gelu,       // x * (1 + erf(x / sqrt(2))) / 2, PyTorch's default GELU
} enginec_activation;

// MARK: Kernels, chosen once for the instruction set of the running CPU

// x = activation(x + bias) + residual, over `pixels` pixels. `bias` and `residual` may be NULL;
// `slopes` is read for prelu only.
void enginec_finish(float *x, size_t pixels, size_t channels, const float *bias,
                    enginec_activation activation, float alpha, const float *slopes,
                    const float *residual);

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

// Copies x (pixels, channels) into channels first_channel... of out (pixels, out_channels).
void enginec_place_channels(float *out, size_t out_channels, size_t first_channel, const float *x,
                            size_t pixels, size_t channels);

// PyTorch's interpolate(mode="nearest") by an integer factor.
void enginec_nearest(float *out, const float *x, size_t height, size_t width, size_t channels,
                     size_t factor);

// PyTorch's interpolate(mode="bicubic", align_corners=False, antialias=False) by an integer factor:
// cubic convolution with a = -0.75, indices clamped to the edge.
// `scratch` holds enginec_bicubic_scratch(...) floats.
void enginec_bicubic(float *out, const float *x, size_t height, size_t width, size_t channels,
                     size_t factor, float *scratch);
size_t enginec_bicubic_scratch(size_t width, size_t channels, size_t factor);

// Gathers a 3x3 (or any odd size) neighbourhood of every pixel of rows [first_row, first_row +
// rows) into a row of kernel * kernel * channels floats, zeros outside the picture.
void enginec_im2col(float *out, const float *x, size_t height, size_t width, size_t channels,
                    size_t kernel, size_t first_row, size_t rows);

// One row of planar RGB in 0...1 to interleaved RGB in -1...1.
void enginec_load_row(float *out, const float *red, const float *green, const float *blue,
                      size_t width);

// One row of interleaved RGB in -1...1 to planar RGB, clamped to 0...1.
void enginec_store_row(float *red, float *green, float *blue, const float *x, size_t width);

// The name of the instruction set that the kernels above use: "x86-64", "x86-64-v3", ...
const char *enginec_kernel_level(void);

// Runs a fixed number of independent fused multiply-adds and returns how many floating-point
// operations that was; `sink` keeps the compiler honest.
double enginec_fma_burst(float *sink);

// The number of processors that this process may run on; at least 1.
size_t enginec_processor_count(void);

// MARK: Noise

// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
void enginec_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

// Standard normal samples for rows of the output canvas: three channels interleaved,
// out[i] for column x + i, drawn from the Philox counter (column, row, 0, frame) by Box-Muller.
void enginec_noise_row(float *out, uint64_t seed, uint32_t frame, uint32_t row, uint32_t column,
                       size_t width);

// MARK: oneDNN

// A convolution over horizontal strips of one picture: stride 1, odd square kernel, zero padding
// kernel / 2, bias, and an activation other than prelu. Immutable, shared by any number of runners.
typedef struct enginec_convolution enginec_convolution;

// What one thread needs to execute a convolution.
typedef struct enginec_convolution_runner enginec_convolution_runner;

typedef struct {
  size_t height, width, in_channels, out_channels, kernel;
  size_t strip_rows; // output rows of a strip; the last one may be shorter
  enginec_activation activation;
  float alpha;
} enginec_convolution_shape;

// `weights` are (out, in, kernel, kernel), repacked into what the library prefers; `bias` is
// copied. Returns NULL and a static sentence in `error` when the library refuses.
enginec_convolution *enginec_convolution_create(const enginec_convolution_shape *shape,
                                                const float *weights, const float *bias,
                                                const char **error);
void enginec_convolution_destroy(enginec_convolution *convolution);
size_t enginec_convolution_scratch_bytes(const enginec_convolution *convolution);
// The library's name for the kernel that it chose.
const char *enginec_convolution_implementation(const enginec_convolution *convolution);

enginec_convolution_runner *
enginec_convolution_runner_create(const enginec_convolution *convolution);
void enginec_convolution_runner_destroy(enginec_convolution_runner *runner);

// Computes output rows [first_row, first_row + strip_rows) (fewer at the end) of the whole picture
// `x` into `out`, which points at the first of those rows. first_row is a multiple of strip_rows.
// Returns 0, or the library's status.
int enginec_convolution_execute(enginec_convolution_runner *runner, const float *x, float *out,
                                size_t first_row, void *scratch);

// Makes the library single-threaded on the calling thread, as our workers want it.
void enginec_use_one_thread(void);

// "3.1.2"-like, into static storage.
const char *enginec_onednn_version(void);

// MARK: OpenBLAS

// Chooses kernels for AVX-512 CPUs that an old OpenBLAS takes for something smaller, and turns its
// own threads off. Call once, before any other BLAS call.
void enginec_openblas_configure(void);
const char *enginec_openblas_version(void);

// MARK: Bundled models

// The bytes of a bundled model's weights file, or NULL; `name` is a folder of Models/.
const uint8_t *enginec_bundled_model(const char *name, size_t *byte_count);
