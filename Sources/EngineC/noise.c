#include "EngineC.h"

#include <math.h>

// Ten rounds; constants from the paper's table 2 and its reference implementation.
void enginec_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = (uint64_t)0xD2511F53 * c0, p1 = (uint64_t)0xCD9E8D57 * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

// Box and Muller, 1958: two uniform numbers to two independent normal ones. The first uniform
// number lies in (0, 1], so that its logarithm is finite.
static void box_muller(uint32_t a, uint32_t b, float out[2]) {
  const float radius = sqrtf(-2 * logf(((float)a + 1) * 0x1p-32f));
  const float angle = (float)b * (float)(0x1p-32 * 2 * M_PI);
  out[0] = radius * cosf(angle);
  out[1] = radius * sinf(angle);
}

void enginec_noise_row(float *out, uint64_t seed, uint32_t frame, uint32_t row, uint32_t column,
                       size_t width) {
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  for (size_t i = 0; i < width; i++) {
    const uint32_t counter[4] = {column + (uint32_t)i, row, 0, frame};
    uint32_t bits[4];
    float normal[4];
    enginec_philox(counter, key, bits);
    box_muller(bits[0], bits[1], normal);
    box_muller(bits[2], bits[3], normal + 2);
    for (int c = 0; c < 3; c++)
      out[3 * i + (size_t)c] = normal[c];
  }
}
