#include "FFmpegC.h"

#include <string.h>

static int is_same_host(const char *one, const char *other) {
  char first[512], second[512];
  av_url_split(NULL, 0, NULL, 0, first, sizeof first, NULL, NULL, 0, one);
  av_url_split(NULL, 0, NULL, 0, second, sizeof second, NULL, NULL, 0, other);
  return first[0] && strcmp(first, second) == 0;
}

// Only the first failure says why the rest is missing.
static void note_failure(ffmpegc_deliveries *deliveries, int code) {
  if (code < 0 && deliveries->failure == 0)
    deliveries->failure = code;
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

int ffmpegc_open_delivery(AVFormatContext *context, AVIOContext **io, const char *url, int flags,
                          AVDictionary **options) {
  int code = ffmpegc_open_on_same_host(context, io, url, flags, options);
  note_failure(context->opaque, code);
  return code;
}

int ffmpegc_close_delivery(AVFormatContext *context, AVIOContext *io) {
  ffmpegc_deliveries *deliveries = context->opaque;
  avio_flush(io);
  deliveries->bytes += io->bytes_written;
  note_failure(deliveries, io->error);
  return avio_close(io);
}

int ffmpegc_is_unreachable(int code) {
  switch (code) {
  case AVERROR_HTTP_BAD_REQUEST:
  case AVERROR_HTTP_UNAUTHORIZED:
  case AVERROR_HTTP_FORBIDDEN:
  case AVERROR_HTTP_NOT_FOUND:
  case AVERROR_HTTP_OTHER_4XX:
  case AVERROR_HTTP_SERVER_ERROR:
    return 1;
  }
  // The system's numbers end at 4095; libav makes its own of four letters.
  return code < 0 && code >= -4095;
}
