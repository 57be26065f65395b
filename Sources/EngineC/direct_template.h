// Included by direct.c for each type of factors, with
//   BLOCK     the name of what is defined,
//   SUMS      16 sums in a register,
//   ADD       sums plus the products of 16 output channels' weights and one sample's four bytes,
//   TO_FLOATS sums as floats.

// Sums of `pixels` neighbours for `vectors` times 16 output channels. Both are constants where this
// is inlined, so that all sums stay in registers: there are 32, of which weights and a sample need
// some.
__attribute__((always_inline)) static inline void BLOCK(float *restrict sums, const uint8_t *x,
                                                        const uint8_t *weights, const walk *w,
                                                        const int pixels, const int vectors) {
  SUMS sum[max_sums];
#pragma clang loop unroll(full)
  for (int i = 0; i < pixels * vectors; i++)
    sum[i] = (SUMS){0};
  for (size_t row = 0; row < w->kernel; row++, x += w->row_bytes) {
    const uint8_t *samples = x;
#pragma clang loop unroll(disable)
    for (size_t i = 0; i < w->kernel * w->pixel_bytes; i += sample_bytes) {
      __m512i factors[max_vectors];
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++)
        factors[v] = _mm512_load_si512(weights + v * vector_bytes);
      weights += vectors * vector_bytes;
#pragma clang loop unroll(full)
      for (int p = 0; p < pixels; p++) {
        const __m512i sample = repeated(samples + i + (size_t)p * w->pixel_bytes);
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++)
          sum[p * vectors + v] = ADD(sum[p * vectors + v], sample, factors[v]);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < pixels * vectors; i++)
    _mm512_store_ps(sums + i * lanes, TO_FLOATS(sum[i]));
}
