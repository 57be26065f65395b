// What the files that call oneDNN share, its matrix products in single precision, and its threads.

#include "onednn.h"

#include <pthread.h>
#include <stdio.h>

// libgomp, which Debian builds oneDNN with.
extern int omp_get_max_threads(void);
extern void omp_set_num_threads(int count);

const char *onednn_implementation_name(const_dnnl_primitive_desc_t descriptor) {
  const char *name = NULL;
  dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, (void *)&name);
  return name ? name : "unknown";
}

dnnl_status_t onednn_reorder_create(dnnl_primitive_t *out, dnnl_engine_t engine, layout_ref from,
                                    layout_ref to) {
  dnnl_primitive_desc_t descriptor = NULL;
  dnnl_status_t status =
      dnnl_reorder_primitive_desc_create(&descriptor, from, engine, to, engine, NULL);
  if (status == dnnl_success)
    status = dnnl_primitive_create(out, descriptor);
  if (descriptor)
    dnnl_primitive_desc_destroy(descriptor);
  return status;
}

dnnl_status_t onednn_pack_weights(dnnl_memory_t *out, dnnl_engine_t engine, layout_ref plain,
                                  layout_ref packed, const void *weights) {
  dnnl_memory_t from = NULL;
  dnnl_stream_t stream = NULL;
  dnnl_primitive_t reorder = NULL;
  dnnl_status_t status = dnnl_memory_create(&from, plain, engine, (void *)weights);
  if (status == dnnl_success)
    status = dnnl_memory_create(out, packed, engine, DNNL_MEMORY_ALLOCATE);
  if (status == dnnl_success)
    status = onednn_reorder_create(&reorder, engine, plain, packed);
  if (status == dnnl_success)
    status = dnnl_stream_create(&stream, engine, 0);
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, *out}};
  if (status == dnnl_success)
    status = dnnl_primitive_execute(reorder, stream, 2, arguments);
  if (status == dnnl_success)
    status = dnnl_stream_wait(stream);
  if (stream)
    dnnl_stream_destroy(stream);
  if (reorder)
    dnnl_primitive_destroy(reorder);
  if (from)
    dnnl_memory_destroy(from);
  return status;
}

// Where one thread makes a kernel for bfloat16 while another makes one for float, version 2.6 mixes
// them up once in a thousand times, and keeps the kernel that computes something else.
static pthread_mutex_t creation = PTHREAD_MUTEX_INITIALIZER;

int onednn_begin_creation(void) {
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  pthread_mutex_lock(&creation);
  return threads;
}

void onednn_end_creation(int threads) {
  pthread_mutex_unlock(&creation);
  omp_set_num_threads(threads);
}

// MARK: Matrix products

int enginec_onednn_gemm(float *out, const float *a, const float *b,
                        const enginec_gemm_shape *shape) {
  return dnnl_sgemm('N', shape->transpose_b ? 'T' : 'N', (int64_t)shape->m, (int64_t)shape->n,
                    (int64_t)shape->k, shape->scale, a, (int64_t)shape->stride_a, b,
                    (int64_t)shape->stride_b, shape->accumulate ? 1 : 0, out,
                    (int64_t)shape->stride_out);
}

// MARK: Process

// Asks the system for the tiles' registers too, once for the process.
int enginec_has_tiles(void) {
#ifdef __x86_64__
  const dnnl_cpu_isa_t wanted = dnnl_cpu_isa_avx512_core_amx;
  return (dnnl_get_effective_cpu_isa() & wanted) == wanted;
#else
  return 0;
#endif
}

void enginec_use_one_thread(void) { omp_set_num_threads(1); }

const char *enginec_onednn_version(void) {
  static char text[32];
  const dnnl_version_t *version = dnnl_version();
  snprintf(text, sizeof text, "%d.%d.%d", version->major, version->minor, version->patch);
  return text;
}
