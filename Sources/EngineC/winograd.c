// Winograd's minimal filtering F(2×2, 3×3): its weights. The transforms of pixels are in
// kernels_winograd.h, the products between the two in onednn_products.c.

#include "EngineC.h"

// G g over three values that are `step` apart, into four that are `out_step` apart.
static void transform_three(float *out, int out_step, const float *g, int step) {
  const float sides = g[0] + g[2 * step], middle = g[step];
  out[0] = g[0];
  out[out_step] = (sides + middle) / 2;
  out[2 * out_step] = (sides - middle) / 2;
  out[3 * out_step] = g[2 * step];
}

void enginec_winograd_weights(float *out, const float *weights, size_t outputs, size_t inputs) {
  const size_t stride = inputs * outputs;
  for (size_t i = 0; i < inputs; i++) {
    for (size_t o = 0; o < outputs; o++) {
      float half[12], u[16];
      for (int column = 0; column < 3; column++)
        transform_three(half + column, 3, weights + (o * inputs + i) * 9 + column, 3);
      for (int row = 0; row < 4; row++)
        transform_three(u + 4 * row, 1, half + 3 * row, 1);
      for (size_t k = 0; k < 16; k++)
        out[k * stride + i * outputs + o] = u[k];
    }
  }
}
