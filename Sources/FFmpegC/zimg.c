#include "FFmpegC.h"

zimg_error_code_e ffmpegc_zimg_run(const zimg_filter_graph *graph, const ffmpegc_planes *source,
                                   const ffmpegc_planes *destination, void *scratch) {
  zimg_image_buffer_const from = {.version = ZIMG_API_VERSION};
  zimg_image_buffer to = {.version = ZIMG_API_VERSION};
  for (int i = 0; i < 3; i++) {
    from.plane[i].data = source->data[i];
    from.plane[i].stride = source->stride[i];
    from.plane[i].mask = ZIMG_BUFFER_MAX;
    to.plane[i].data = destination->data[i];
    to.plane[i].stride = destination->stride[i];
    to.plane[i].mask = ZIMG_BUFFER_MAX;
  }
  return zimg_filter_graph_process(graph, &from, &to, scratch, NULL, NULL, NULL, NULL);
}
