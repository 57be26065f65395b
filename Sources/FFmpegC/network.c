#include "FFmpegC.h"

#include <string.h>

static int is_same_host(const char *one, const char *other) {
  char first[512], second[512];
  av_url_split(NULL, 0, NULL, 0, first, sizeof first, NULL, NULL, 0, one);
  av_url_split(NULL, 0, NULL, 0, second, sizeof second, NULL, NULL, 0, other);
  return first[0] && strcmp(first, second) == 0;
}

int ffmpegc_open_on_same_host(AVFormatContext *context, AVIOContext **io, const char *url,
                              int flags, AVDictionary **options) {
  if (!context->url || !context->protocol_whitelist || !is_same_host(context->url, url))
    return AVERROR(EPERM);
  AVDictionary *all = NULL;
  if (options)
    av_dict_copy(&all, *options, 0);
  av_dict_set(&all, "protocol_whitelist", context->protocol_whitelist, 0);
  int code = avio_open2(io, url, flags, &context->interrupt_callback, &all);
  av_dict_free(&all);
  return code;
}
