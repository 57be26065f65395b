#include "EngineC.h"

#include <stdlib.h>

extern void openblas_set_num_threads(int threads);
extern char *openblas_get_config(void);
extern void gotoblas_dynamic_init(void);
extern void gotoblas_dynamic_quit(void);

void enginec_openblas_configure(void) {
#ifdef __x86_64__
  // OpenBLAS 0.3.21 takes newer AMD CPUs for a Haswell and runs at half their rate. It reads the
  // variable when it initialises, so it is initialised again; a choice of the user's stays.
  if (__builtin_cpu_supports("x86-64-v4") && !getenv("OPENBLAS_CORETYPE")) {
    setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
  }
#endif
  openblas_set_num_threads(1);
}

const char *enginec_openblas_version(void) { return openblas_get_config(); }

void enginec_openblas_gemm(float *out, const float *a, const float *b,
                           const enginec_gemm_shape *shape) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, shape->transpose_b ? CblasTrans : CblasNoTrans,
              (int)shape->m, (int)shape->n, (int)shape->k, shape->scale, a, (int)shape->stride_a, b,
              (int)shape->stride_b, shape->accumulate ? 1 : 0, out, (int)shape->stride_out);
}
