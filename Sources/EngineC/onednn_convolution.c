// Convolutions by oneDNN.

#include "onednn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Strips differ in their height and in which rows of padding the library has to make up, of which
// there is one at most: as high as all others at the picture's upper edge and away from it, and the
// last of a run at the lower edge and away from it.
enum { most_strips = 4 };

// The source rows that some output rows read, and the rows of padding around them.
typedef struct {
  size_t first, rows, above, below;
} source_rows;

typedef struct {
  dnnl_primitive_t primitive;
  layout source, destination, scratch;
  size_t rows;
  source_rows from;
  // Into and out of the blocks of channels that some kernels want.
  dnnl_primitive_t enter, leave;
  layout plain_source, plain_destination;
} strip;

struct enginec_convolution {
  enginec_convolution_shape shape;
  dnnl_engine_t engine;
  dnnl_primitive_attr_t attributes;
  layout packed;
  dnnl_memory_t weights, bias; // without bias where products are exact
  strip strips[most_strips];
  // In this order in the scratch memory: the source in bfloat16 or in blocks, the result in blocks,
  // and what the library needs.
  size_t source_bytes, result_bytes, scratch_bytes;
  char implementation[64];
};

typedef struct {
  dnnl_memory_t source, destination, scratch, plain_source, plain_destination;
} binding;

struct enginec_convolution_runner {
  const enginec_convolution *convolution;
  dnnl_stream_t stream;
  binding bindings[most_strips];
};

// MARK: version

static dnnl_status_t append_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t kind, float alpha) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_post_ops_append_eltwise(ops, kind, alpha, 0);
#else
  return dnnl_post_ops_append_eltwise(ops, 1, kind, alpha, 0);
#endif
}

static dnnl_status_t convolution_descriptor(dnnl_primitive_desc_t *out,
                                            const enginec_convolution *c, layout_ref source,
                                            layout_ref weights, layout_ref bias,
                                            layout_ref destination, const dnnl_dims_t padding_begin,
                                            const dnnl_dims_t padding_end) {
  const dnnl_dims_t strides = {(int64_t)c->shape.stride, (int64_t)c->shape.stride};
  const dnnl_alg_kind_t algorithm =
      c->shape.winograd ? dnnl_convolution_winograd : dnnl_convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  const dnnl_dims_t dilation = {0, 0};
  return dnnl_convolution_forward_primitive_desc_create(
      out, c->engine, dnnl_forward_inference, algorithm, source, weights, bias, destination,
      strides, dilation, padding_begin, padding_end, c->attributes);
#else
  dnnl_convolution_desc_t d;
  dnnl_status_t status =
      dnnl_convolution_forward_desc_init(&d, dnnl_forward_inference, algorithm, source, weights,
                                         bias, destination, strides, padding_begin, padding_end);
  if (status != dnnl_success)
    return status;
  return dnnl_primitive_desc_create(out, &d, c->attributes, c->engine, NULL);
#endif
}

// MARK: Creation

static dnnl_status_t set_attributes(enginec_convolution *c) {
  dnnl_status_t status = dnnl_primitive_attr_create(&c->attributes);
  if (status != dnnl_success)
    return status;
  dnnl_primitive_attr_set_scratchpad_mode(c->attributes, dnnl_scratchpad_mode_user);
  if (c->shape.activation == enginec_activation_none)
    return dnnl_success;
  static const dnnl_alg_kind_t kinds[] = {
      [enginec_activation_leaky_relu] = dnnl_eltwise_relu,
      [enginec_activation_silu] = dnnl_eltwise_swish,
      [enginec_activation_gelu] = dnnl_eltwise_gelu_erf,
  };
  const int is_silu = c->shape.activation == enginec_activation_silu;
  dnnl_post_ops_t ops;
  status = dnnl_post_ops_create(&ops);
  if (status != dnnl_success)
    return status;
  status = append_eltwise(ops, kinds[c->shape.activation], is_silu ? 1 : c->shape.alpha);
  if (status == dnnl_success)
    status = dnnl_primitive_attr_set_post_ops(c->attributes, ops);
  dnnl_post_ops_destroy(ops);
  return status;
}

static dnnl_data_type_t library_type(enginec_sample_type type) {
  static const dnnl_data_type_t types[] = {
      [enginec_float32] = dnnl_f32,
      [enginec_bfloat16] = dnnl_bf16,
      [enginec_uint8] = dnnl_u8,
      [enginec_int32] = dnnl_s32,
  };
  return types[type];
}

// Whether samples and weights are 8-bit numbers.
static int is_exact(const enginec_convolution_shape *s) { return s->factor_type == enginec_uint8; }

int enginec_onednn_wants_blocks(void) {
#ifdef __x86_64__
  return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) != dnnl_cpu_isa_avx512_core;
#else
  return 0;
#endif
}

// The layout whose kernel is fast. At 1 × 1 the ways there and back cost more than is won.
static dnnl_format_tag_t fast_layout(const enginec_convolution_shape *s) {
  if (s->winograd)
    return dnnl_nChw16c;
  const int gains = s->factor_type == enginec_float32 && s->kernel > 1 && s->in_channels >= 32 &&
                    s->in_channels % 8 == 0;
  return gains && enginec_onednn_wants_blocks() ? dnnl_nChw8c : dnnl_nhwc;
}

// Whether the operands change their layout on the way to the library and back.
static int is_in_blocks(const enginec_convolution_shape *s) { return fast_layout(s) != dnnl_nhwc; }

// Whether the operand is rounded before the library reads it.
static int converts(const enginec_convolution_shape *s) {
  return s->x_type != s->factor_type && !is_in_blocks(s);
}

static size_t output_length(const enginec_convolution_shape *s, size_t length) {
  return (length + s->pad_before + s->pad_after - s->kernel) / s->stride + 1;
}

// What output rows [first, first + rows) read.
static source_rows source_of(const enginec_convolution_shape *s, size_t first, size_t rows) {
  const size_t start = first * s->stride, end = start + (rows - 1) * s->stride + s->kernel;
  const size_t limit = s->pad_before + s->height;
  const size_t above = start < s->pad_before ? s->pad_before - start : 0;
  const size_t below = end > limit ? end - limit : 0;
  return (source_rows){
      .first = start + above - s->pad_before,
      .rows = end - start - above - below,
      .above = above,
      .below = below,
  };
}

static void enlarge(size_t *bytes, size_t least) {
  least = (least + 63) / 64 * 64;
  if (*bytes < least)
    *bytes = least;
}

// The layouts that the library's kernel reads and writes, and the ways there and back.
static dnnl_status_t strip_layouts(enginec_convolution *c, strip *s, const dnnl_dims_t source,
                                   const dnnl_dims_t destination) {
  const dnnl_data_type_t x_type = library_type(c->shape.x_type);
  const dnnl_data_type_t factor_type = library_type(c->shape.factor_type);
  const dnnl_data_type_t out_type = library_type(c->shape.out_type);
  const dnnl_format_tag_t fast = fast_layout(&c->shape);
  const int in_blocks = is_in_blocks(&c->shape);
  dnnl_status_t status = layout_create(&s->source, 4, source, factor_type, fast);
  if (status == dnnl_success)
    status = layout_create(&s->destination, 4, destination, in_blocks ? dnnl_f32 : out_type, fast);
  if (!in_blocks)
    return status;
  if (status == dnnl_success)
    status = layout_create(&s->plain_source, 4, source, x_type, dnnl_nhwc);
  if (status == dnnl_success)
    status = layout_create(&s->plain_destination, 4, destination, out_type, dnnl_nhwc);
  if (status == dnnl_success)
    status = onednn_reorder_create(&s->enter, c->engine, LAYOUT_REF(s->plain_source),
                                   LAYOUT_REF(s->source));
  if (status == dnnl_success) {
    status = onednn_reorder_create(&s->leave, c->engine, LAYOUT_REF(s->destination),
                                   LAYOUT_REF(s->plain_destination));
  }
  enlarge(&c->source_bytes, dnnl_memory_desc_get_size(LAYOUT_REF(s->source)));
  enlarge(&c->result_bytes, dnnl_memory_desc_get_size(LAYOUT_REF(s->destination)));
  return status;
}

// Fills a strip of `rows` output rows from `first` on; `packed` is "any" for the first one, which
// decides which kernel runs: a strip that another one would run is refused.
static dnnl_status_t strip_create(enginec_convolution *c, strip *s, size_t first, size_t rows,
                                  layout_ref packed, layout_ref bias) {
  const enginec_convolution_shape *shape = &c->shape;
  const source_rows from = source_of(shape, first, rows);
  const dnnl_dims_t source = {1, (int64_t)shape->in_channels, (int64_t)from.rows,
                              (int64_t)shape->width};
  const dnnl_dims_t destination = {1, (int64_t)shape->out_channels, (int64_t)rows,
                                   (int64_t)output_length(shape, shape->width)};
  const dnnl_dims_t begin = {(int64_t)from.above, (int64_t)shape->pad_before};
  const dnnl_dims_t end = {(int64_t)from.below, (int64_t)shape->pad_after};
  dnnl_status_t status = strip_layouts(c, s, source, destination);
  dnnl_primitive_desc_t descriptor = NULL;
  if (status == dnnl_success) {
    status = convolution_descriptor(&descriptor, c, LAYOUT_REF(s->source), packed, bias,
                                    LAYOUT_REF(s->destination), begin, end);
  }
  if (status != dnnl_success)
    return status;

  layout_ref scratch = dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0);
  enlarge(&c->scratch_bytes, dnnl_memory_desc_get_size(scratch));
  s->rows = rows;
  s->from = from;
  if (converts(shape)) {
    const size_t samples = from.rows * shape->width * shape->in_channels;
    enlarge(&c->source_bytes, samples * sizeof(uint16_t));
  }
  status = layout_copy(&s->scratch, scratch);
  const char *name = onednn_implementation_name(descriptor);
  if (packed != LAYOUT_REF(c->packed)) {
    layout_copy(&c->packed, dnnl_primitive_desc_query_md(descriptor, dnnl_query_weights_md, 0));
    snprintf(c->implementation, sizeof c->implementation, "%s", name);
  } else if (strncmp(name, c->implementation, sizeof c->implementation - 1) != 0) {
    status = dnnl_invalid_arguments;
  }
  if (status == dnnl_success)
    status = dnnl_primitive_create(&s->primitive, descriptor);
  dnnl_primitive_desc_destroy(descriptor);
  return status;
}

// The number of the strip for output rows [first, first + rows); where there is none, that of a
// free place.
static int strip_number(const enginec_convolution *c, size_t first, size_t rows) {
  const source_rows from = source_of(&c->shape, first, rows);
  for (int k = 0; k < most_strips; k++) {
    const strip *s = &c->strips[k];
    if (!s->primitive ||
        (s->rows == rows && s->from.above == from.above && s->from.below == from.below))
      return k;
  }
  return most_strips;
}

// The strips of a run that computes the rows from `start` on.
static dnnl_status_t strips_of_run(enginec_convolution *c, size_t start, layout_ref any,
                                   layout_ref bias) {
  const size_t count = c->shape.rows,
               most = c->shape.strip_rows < count ? c->shape.strip_rows : count;
  dnnl_status_t status = dnnl_success;
  for (size_t next = 0; next < count && status == dnnl_success; next += most) {
    const size_t left = count - next, rows = c->shape.winograd || left > most ? most : left;
    const size_t first = start + (rows > left ? count - rows : next);
    const int number = strip_number(c, first, rows);
    if (number == most_strips)
      return dnnl_invalid_arguments;
    if (!c->strips[number].primitive) {
      layout_ref packed = number == 0 ? any : LAYOUT_REF(c->packed);
      status = strip_create(c, &c->strips[number], first, rows, packed, bias);
    }
  }
  return status;
}

// For runs at the upper edge, at the lower one, and away from both.
static dnnl_status_t strips_create(enginec_convolution *c, layout_ref any, layout_ref bias) {
  const size_t others = output_length(&c->shape, c->shape.height) - c->shape.rows;
  dnnl_status_t status = strips_of_run(c, 0, any, bias);
  if (status == dnnl_success && others > 0)
    status = strips_of_run(c, others, any, bias);
  if (status == dnnl_success && others > 1)
    status = strips_of_run(c, 1, any, bias);
  return status;
}

static void strips_destroy(enginec_convolution *c) {
  for (int k = 0; k < most_strips; k++) {
    strip *s = &c->strips[k];
    const dnnl_primitive_t primitives[] = {s->primitive, s->enter, s->leave};
    for (int p = 0; p < 3; p++) {
      if (primitives[p])
        dnnl_primitive_destroy(primitives[p]);
    }
    layout_destroy(&s->source);
    layout_destroy(&s->destination);
    layout_destroy(&s->scratch);
    layout_destroy(&s->plain_source);
    layout_destroy(&s->plain_destination);
  }
  layout_destroy(&c->packed);
}

static dnnl_status_t strips_create_anew(enginec_convolution *c, size_t rows, layout_ref any,
                                        layout_ref bias) {
  strips_destroy(c);
  memset(c->strips, 0, sizeof c->strips);
  memset(&c->packed, 0, sizeof c->packed);
  c->scratch_bytes = c->source_bytes = c->result_bytes = 0;
  c->shape.rows = c->shape.strip_rows = rows;
  return strips_create(c, any, bias);
}

// Strips of other heights may not suit the packing that the first one chose, and would run by the
// reference implementation, a hundred times slower: then a run is one strip, or the whole picture.
// That it always is where rows near an edge would differ from each other in their padding.
static dnnl_status_t strips_choose(enginec_convolution *c, layout_ref any, layout_ref bias) {
  const size_t height = output_length(&c->shape, c->shape.height);
  if (c->shape.pad_before > 1 || c->shape.pad_after > 1)
    c->shape.rows = c->shape.strip_rows = height;
  dnnl_status_t status = strips_create(c, any, bias);
  if (status != dnnl_success && c->shape.strip_rows < c->shape.rows)
    status = strips_create_anew(c, c->shape.rows, any, bias);
  if (status != dnnl_success && c->shape.rows < height)
    status = strips_create_anew(c, height, any, bias);
  return status;
}

static dnnl_status_t copy_bias(enginec_convolution *c, layout_ref plain, const float *bias) {
  void *data = NULL;
  dnnl_status_t status = dnnl_memory_create(&c->bias, plain, c->engine, DNNL_MEMORY_ALLOCATE);
  if (status == dnnl_success)
    status = dnnl_memory_get_data_handle(c->bias, &data);
  if (status == dnnl_success)
    memcpy(data, bias, c->shape.out_channels * sizeof(float));
  return status;
}

static const char *create(enginec_convolution *c, const void *weights, const float *bias) {
  const int64_t out = (int64_t)c->shape.out_channels, in = (int64_t)c->shape.in_channels;
  const int64_t kernel = (int64_t)c->shape.kernel;
  const dnnl_dims_t weight_dims = {out, in, kernel, kernel}, bias_dims = {out};
  layout any = {0}, plain = {0}, bias_layout = {0};
  const int exact = is_exact(&c->shape);
  const dnnl_data_type_t packed_type = exact ? dnnl_s8 : library_type(c->shape.factor_type);
  const char *error = NULL;
  if (dnnl_engine_create(&c->engine, dnnl_cpu, 0) != dnnl_success) {
    error = "oneDNN finds no CPU engine";
  } else if (set_attributes(c) != dnnl_success) {
    error = "oneDNN refuses the activation";
  } else if (layout_create(&any, 4, weight_dims, packed_type, dnnl_format_tag_any) !=
                 dnnl_success ||
             layout_create(&plain, 4, weight_dims, exact ? dnnl_s8 : dnnl_f32, dnnl_oihw) !=
                 dnnl_success ||
             layout_create(&bias_layout, 1, bias_dims, dnnl_f32, dnnl_x) != dnnl_success ||
             strips_choose(c, LAYOUT_REF(any), exact ? NULL : LAYOUT_REF(bias_layout)) !=
                 dnnl_success) {
    error = "oneDNN has no kernel for these sizes";
  } else if (weights && onednn_pack_weights(&c->weights, c->engine, LAYOUT_REF(plain),
                                            LAYOUT_REF(c->packed), weights) != dnnl_success) {
    error = "oneDNN cannot pack the weights";
  } else if (!exact && copy_bias(c, LAYOUT_REF(bias_layout), bias) != dnnl_success) {
    error = "oneDNN has no memory for the bias";
  }
  layout_destroy(&any);
  layout_destroy(&plain);
  layout_destroy(&bias_layout);
  return error;
}

enginec_convolution *enginec_convolution_create(const enginec_convolution_shape *shape,
                                                const void *weights, const float *bias,
                                                const char **error) {
  enginec_convolution *c = calloc(1, sizeof *c);
  *error = c ? NULL : "out of memory";
  if (!c)
    return NULL;
  c->shape = *shape;
  const int threads = onednn_begin_creation();
  *error = create(c, weights, bias);
  onednn_end_creation(threads);
  if (!*error)
    return c;
  enginec_convolution_destroy(c);
  return NULL;
}

void enginec_convolution_destroy(enginec_convolution *c) {
  strips_destroy(c);
  if (c->weights)
    dnnl_memory_destroy(c->weights);
  if (c->bias)
    dnnl_memory_destroy(c->bias);
  if (c->attributes)
    dnnl_primitive_attr_destroy(c->attributes);
  if (c->engine)
    dnnl_engine_destroy(c->engine);
  free(c);
}

size_t enginec_convolution_scratch_bytes(const enginec_convolution *c) {
  return c->source_bytes + c->result_bytes + c->scratch_bytes;
}

size_t enginec_convolution_rows(const enginec_convolution *c) { return c->shape.rows; }

size_t enginec_convolution_strip_rows(const enginec_convolution *c) { return c->shape.strip_rows; }

size_t enginec_convolution_weight_bytes(const enginec_convolution *c) {
  return dnnl_memory_desc_get_size(LAYOUT_REF(c->packed));
}

const char *enginec_convolution_implementation(const enginec_convolution *c) {
  return c->implementation;
}

// MARK: Execution

enginec_convolution_runner *enginec_convolution_runner_create(const enginec_convolution *c) {
  enginec_convolution_runner *runner = calloc(1, sizeof *runner);
  if (!runner)
    return NULL;
  runner->convolution = c;
  dnnl_status_t status = dnnl_stream_create(&runner->stream, c->engine, 0);
  for (int k = 0; k < most_strips && status == dnnl_success; k++) {
    const strip *s = &c->strips[k];
    binding *b = &runner->bindings[k];
    if (!s->primitive)
      continue;
    status |= dnnl_memory_create(&b->source, LAYOUT_REF(s->source), c->engine, DNNL_MEMORY_NONE);
    status |= dnnl_memory_create(&b->destination, LAYOUT_REF(s->destination), c->engine,
                                 DNNL_MEMORY_NONE);
    status |= dnnl_memory_create(&b->scratch, LAYOUT_REF(s->scratch), c->engine, DNNL_MEMORY_NONE);
    if (!is_in_blocks(&c->shape))
      continue;
    status |= dnnl_memory_create(&b->plain_source, LAYOUT_REF(s->plain_source), c->engine,
                                 DNNL_MEMORY_NONE);
    status |= dnnl_memory_create(&b->plain_destination, LAYOUT_REF(s->plain_destination), c->engine,
                                 DNNL_MEMORY_NONE);
  }
  if (status == dnnl_success)
    return runner;
  enginec_convolution_runner_destroy(runner);
  return NULL;
}

void enginec_convolution_runner_destroy(enginec_convolution_runner *runner) {
  for (int k = 0; k < most_strips; k++) {
    const binding *b = &runner->bindings[k];
    const dnnl_memory_t memories[] = {b->source, b->destination, b->scratch, b->plain_source,
                                      b->plain_destination};
    for (int m = 0; m < 5; m++) {
      if (memories[m])
        dnnl_memory_destroy(memories[m]);
    }
  }
  if (runner->stream)
    dnnl_stream_destroy(runner->stream);
  free(runner);
}

static dnnl_status_t reorder(dnnl_primitive_t primitive, dnnl_stream_t stream, dnnl_memory_t from,
                             dnnl_memory_t to) {
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
  return dnnl_primitive_execute(primitive, stream, 2, arguments);
}

static dnnl_status_t convolve(const enginec_convolution_runner *runner, int number) {
  const enginec_convolution *c = runner->convolution;
  const binding *b = &runner->bindings[number];
  const dnnl_exec_arg_t arguments[] = {
      {DNNL_ARG_SRC, b->source},      {DNNL_ARG_WEIGHTS, c->weights},
      {DNNL_ARG_DST, b->destination}, {DNNL_ARG_SCRATCHPAD, b->scratch},
      {DNNL_ARG_BIAS, c->bias},
  };
  return dnnl_primitive_execute(c->strips[number].primitive, runner->stream, c->bias ? 5 : 4,
                                arguments);
}

// Through blocks of channels in the scratch memory.
static dnnl_status_t convolve_in_blocks(const enginec_convolution_runner *runner, int number,
                                        void *source, void *out, void *scratch) {
  const enginec_convolution *c = runner->convolution;
  const binding *b = &runner->bindings[number];
  dnnl_memory_set_data_handle(b->plain_source, source);
  dnnl_memory_set_data_handle(b->plain_destination, out);
  dnnl_memory_set_data_handle(b->source, scratch);
  dnnl_memory_set_data_handle(b->destination, (char *)scratch + c->source_bytes);
  dnnl_status_t status =
      reorder(c->strips[number].enter, runner->stream, b->plain_source, b->source);
  if (status == dnnl_success)
    status = convolve(runner, number);
  if (status == dnnl_success) {
    status = reorder(c->strips[number].leave, runner->stream, b->destination, b->plain_destination);
  }
  return status;
}

static dnnl_status_t convolve_in_place(const enginec_convolution_runner *runner, int number,
                                       void *source, void *out, void *scratch) {
  const enginec_convolution *c = runner->convolution;
  const binding *b = &runner->bindings[number];
  if (converts(&c->shape)) {
    const size_t row_samples = c->shape.width * c->shape.in_channels;
    enginec_to_bfloat16(scratch, source, c->strips[number].from.rows * row_samples);
    source = scratch;
  }
  dnnl_memory_set_data_handle(b->source, source);
  dnnl_memory_set_data_handle(b->destination, out);
  return convolve(runner, number);
}

int enginec_convolution_execute(enginec_convolution_runner *runner, const void *x, void *out,
                                size_t first_row, size_t rows, void *scratch) {
  const enginec_convolution *c = runner->convolution;
  const int number = strip_number(c, first_row, rows);
  if (number == most_strips || !c->strips[number].primitive)
    return dnnl_invalid_arguments;
  const size_t row_samples = c->shape.width * c->shape.in_channels;
  const size_t first = source_of(&c->shape, first_row, rows).first;
  void *source = (char *)x + first * row_samples * enginec_sample_bytes(c->shape.x_type);
  dnnl_memory_set_data_handle(runner->bindings[number].scratch,
                              (char *)scratch + c->source_bytes + c->result_bytes);
  const dnnl_status_t status = is_in_blocks(&c->shape)
                                   ? convolve_in_blocks(runner, number, source, out, scratch)
                                   : convolve_in_place(runner, number, source, out, scratch);
  return status == dnnl_success ? dnnl_stream_wait(runner->stream) : status;
}
