// Products of matrices in bfloat16 by oneDNN.

#include "onednn.h"

#include <stdlib.h>
#include <string.h>

struct enginec_products {
  enginec_products_shape shape;
  dnnl_engine_t engine;
  dnnl_primitive_attr_t attributes;
  layout source, packed, destination, scratch;
  dnnl_primitive_t primitive;
  dnnl_memory_t weights;
};

struct enginec_products_runner {
  const enginec_products *products;
  dnnl_stream_t stream;
  dnnl_memory_t source, destination, scratch;
};

static dnnl_status_t product_descriptor(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                        dnnl_primitive_attr_t attributes, layout_ref source,
                                        layout_ref weights, layout_ref destination) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_matmul_primitive_desc_create(out, engine, source, weights, NULL, destination,
                                           attributes);
#else
  dnnl_matmul_desc_t d;
  dnnl_status_t status = dnnl_matmul_desc_init(&d, source, weights, NULL, destination);
  if (status != dnnl_success)
    return status;
  return dnnl_primitive_desc_create(out, &d, attributes, engine, NULL);
#endif
}

static dnnl_status_t product_create(enginec_products *p, layout_ref any) {
  dnnl_primitive_desc_t descriptor = NULL;
  dnnl_status_t status = product_descriptor(&descriptor, p->engine, p->attributes,
                                            LAYOUT_REF(p->source), any, LAYOUT_REF(p->destination));
  if (status != dnnl_success)
    return status;
  status =
      layout_copy(&p->packed, dnnl_primitive_desc_query_md(descriptor, dnnl_query_weights_md, 0));
  if (status == dnnl_success) {
    status = layout_copy(&p->scratch,
                         dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0));
  }
  // Refused, as by the library itself: the reference implementation is slower than any convolution.
  if (status == dnnl_success && strncmp(onednn_implementation_name(descriptor), "ref", 3) == 0)
    status = dnnl_invalid_arguments;
  if (status == dnnl_success)
    status = dnnl_primitive_create(&p->primitive, descriptor);
  dnnl_primitive_desc_destroy(descriptor);
  return status;
}

static const char *products_create(enginec_products *p, const float *weights) {
  const enginec_products_shape *s = &p->shape;
  const int64_t count = (int64_t)s->count, rows = (int64_t)s->rows;
  const int64_t depth = (int64_t)s->depth, columns = (int64_t)s->columns;
  const dnnl_dims_t source = {count, rows, depth}, factors = {count, depth, columns};
  const dnnl_dims_t destination = {count, rows, columns};
  layout any = {0}, plain = {0};
  const char *error = NULL;
  if (dnnl_engine_create(&p->engine, dnnl_cpu, 0) != dnnl_success ||
      dnnl_primitive_attr_create(&p->attributes) != dnnl_success) {
    error = "oneDNN finds no CPU engine";
  } else if (dnnl_primitive_attr_set_scratchpad_mode(p->attributes, dnnl_scratchpad_mode_user) !=
                 dnnl_success ||
             layout_create(&p->source, 3, source, dnnl_bf16, dnnl_abc) != dnnl_success ||
             layout_create(&p->destination, 3, destination, dnnl_f32, dnnl_abc) != dnnl_success ||
             layout_create(&any, 3, factors, dnnl_bf16, dnnl_format_tag_any) != dnnl_success ||
             layout_create(&plain, 3, factors, dnnl_f32, dnnl_abc) != dnnl_success ||
             product_create(p, LAYOUT_REF(any)) != dnnl_success) {
    error = "oneDNN has no product for these sizes";
  } else if (weights && onednn_pack_weights(&p->weights, p->engine, LAYOUT_REF(plain),
                                            LAYOUT_REF(p->packed), weights) != dnnl_success) {
    error = "oneDNN cannot pack the weights";
  }
  layout_destroy(&any);
  layout_destroy(&plain);
  return error;
}

enginec_products *enginec_products_create(const enginec_products_shape *shape, const float *weights,
                                          const char **error) {
  enginec_products *p = calloc(1, sizeof *p);
  *error = p ? NULL : "out of memory";
  if (!p)
    return NULL;
  p->shape = *shape;
  const int threads = onednn_begin_creation();
  *error = products_create(p, weights);
  onednn_end_creation(threads);
  if (!*error)
    return p;
  enginec_products_destroy(p);
  return NULL;
}

void enginec_products_destroy(enginec_products *p) {
  if (p->primitive)
    dnnl_primitive_destroy(p->primitive);
  if (p->weights)
    dnnl_memory_destroy(p->weights);
  layout_destroy(&p->source);
  layout_destroy(&p->packed);
  layout_destroy(&p->destination);
  layout_destroy(&p->scratch);
  if (p->attributes)
    dnnl_primitive_attr_destroy(p->attributes);
  if (p->engine)
    dnnl_engine_destroy(p->engine);
  free(p);
}

size_t enginec_products_scratch_bytes(const enginec_products *p) {
  return dnnl_memory_desc_get_size(LAYOUT_REF(p->scratch));
}

size_t enginec_products_weight_bytes(const enginec_products *p) {
  return dnnl_memory_desc_get_size(LAYOUT_REF(p->packed));
}

enginec_products_runner *enginec_products_runner_create(const enginec_products *p) {
  enginec_products_runner *r = calloc(1, sizeof *r);
  if (!r)
    return NULL;
  r->products = p;
  dnnl_status_t status = dnnl_stream_create(&r->stream, p->engine, 0);
  if (status == dnnl_success)
    status = dnnl_memory_create(&r->source, LAYOUT_REF(p->source), p->engine, DNNL_MEMORY_NONE);
  if (status == dnnl_success) {
    status = dnnl_memory_create(&r->destination, LAYOUT_REF(p->destination), p->engine,
                                DNNL_MEMORY_NONE);
  }
  if (status == dnnl_success)
    status = dnnl_memory_create(&r->scratch, LAYOUT_REF(p->scratch), p->engine, DNNL_MEMORY_NONE);
  if (status == dnnl_success)
    return r;
  enginec_products_runner_destroy(r);
  return NULL;
}

void enginec_products_runner_destroy(enginec_products_runner *r) {
  const dnnl_memory_t memories[] = {r->source, r->destination, r->scratch};
  for (int m = 0; m < 3; m++) {
    if (memories[m])
      dnnl_memory_destroy(memories[m]);
  }
  if (r->stream)
    dnnl_stream_destroy(r->stream);
  free(r);
}

int enginec_products_execute(enginec_products_runner *r, const uint16_t *a, float *out,
                             void *scratch) {
  dnnl_memory_set_data_handle(r->source, (void *)a);
  dnnl_memory_set_data_handle(r->destination, out);
  dnnl_memory_set_data_handle(r->scratch, scratch);
  const dnnl_exec_arg_t arguments[] = {
      {DNNL_ARG_SRC, r->source},
      {DNNL_ARG_WEIGHTS, r->products->weights},
      {DNNL_ARG_DST, r->destination},
      {DNNL_ARG_SCRATCHPAD, r->scratch},
  };
  const dnnl_status_t status =
      dnnl_primitive_execute(r->products->primitive, r->stream, 4, arguments);
  return status == dnnl_success ? dnnl_stream_wait(r->stream) : status;
}
