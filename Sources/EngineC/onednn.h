// What the files that call oneDNN share. Version 2 (Debian 12) describes primitives by values that
// a second call turns into a primitive descriptor; version 3 (Debian 13) does both in one call and
// has opaque memory descriptors. The difference ends here and at the functions named "descriptor".

#pragma once

#include "EngineC.h"

#include <oneapi/dnnl/dnnl.h>

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t layout;
typedef const_dnnl_memory_desc_t layout_ref;
#define LAYOUT_REF(l) (l)
#else
typedef dnnl_memory_desc_t layout;
typedef const dnnl_memory_desc_t *layout_ref;
#define LAYOUT_REF(l) (&(l))
#endif

static inline dnnl_status_t layout_create(layout *out, int rank, const dnnl_dims_t dims,
                                          dnnl_data_type_t type, dnnl_format_tag_t tag) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_memory_desc_create_with_tag(out, rank, dims, type, tag);
#else
  return dnnl_memory_desc_init_by_tag(out, rank, dims, type, tag);
#endif
}

static inline dnnl_status_t layout_copy(layout *out, layout_ref from) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_memory_desc_clone(out, from);
#else
  *out = *from;
  return dnnl_success;
#endif
}

static inline void layout_destroy(layout *l) {
#if DNNL_VERSION_MAJOR >= 3
  if (*l)
    dnnl_memory_desc_destroy(*l);
#else
  (void)l;
#endif
}

// The library's name for the kernel behind a descriptor.
const char *onednn_implementation_name(const_dnnl_primitive_desc_t descriptor);

// A primitive that copies from one layout to another.
dnnl_status_t onednn_reorder_create(dnnl_primitive_t *out, dnnl_engine_t engine, layout_ref from,
                                    layout_ref to);

// Memory for weights in the layout that a kernel wants.
dnnl_status_t onednn_pack_weights(dnnl_memory_t *out, dnnl_engine_t engine, layout_ref plain,
                                  layout_ref packed, const void *weights);

// Around the creation of kernels. Some are made for the threads of whoever creates them and start
// as many wherever they run. Returns what `onednn_end_creation` takes.
int onednn_begin_creation(void);
void onednn_end_creation(int threads);
