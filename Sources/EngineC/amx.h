// What the files about convolutions by AMX share.

#pragma once

#include "kernels.h"

// Sets the CPU's tiles up on this thread as amx.c uses them: 16 rows of 64 bytes, but samples, in
// tile 6 and perhaps also 5, have `depth` bytes in each, and weights, in tile 7, a quarter as many
// rows.
void amx_begin_tiles(size_t depth, int has_second_samples);

// The numbers by which sums of several output channels become samples where the activation is the
// higher one of two straight lines: 16 channels' scales, 16 channels' biases, and so on, then those
// of the next 16 channels.
enum { line_scales, line_biases, negative_scales, negative_biases, residual_scales, line_rows };

// Fills out_channels * line_rows numbers at a multiple of 64 bytes; 0 where there are no such
// lines.
int amx_prepare_lines(float *lines, const enginec_amx *convolution);

// Finishes the sums of `count` pixels of row y from column x on, all of them by `lines` unless they
// are NULL; `sums`, at a multiple of 64 bytes, are overwritten.
void amx_finish(const enginec_amx *convolution, const float *lines, void *sums, size_t y, size_t x,
                size_t count);
