// libav*, swscale and zimg as one C module, with the few things that Swift cannot import.
#pragma once

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/crc.h>
#include <libavutil/dict.h>
#include <libavutil/display.h>
#include <libavutil/dovi_meta.h>
#include <libavutil/hdr_dynamic_metadata.h>
#include <libavutil/imgutils.h>
#include <libavutil/mastering_display_metadata.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libavutil/stereo3d.h>
#include <libavutil/timecode.h>
#include <libswscale/swscale.h>
#include <zimg.h>

// Macros with casts or arguments are invisible to Swift.
static const int32_t FFMPEGC_EAGAIN = AVERROR(EAGAIN);
static const int32_t FFMPEGC_EOF = AVERROR_EOF;
static const int32_t FFMPEGC_EXIT = AVERROR_EXIT;
static const int32_t FFMPEGC_ENOMEM = AVERROR(ENOMEM);
static const int32_t FFMPEGC_OPTION_NOT_FOUND = AVERROR_OPTION_NOT_FOUND;
static const int32_t FFMPEGC_EPERM = AVERROR(EPERM);
static const int64_t FFMPEGC_NOPTS = AV_NOPTS_VALUE;

/// `avcodec_open2` by a thread that may not raise priorities.
///
/// Where root runs it, SVT-AV1 gives its threads and the caller the highest real-time priority,
/// before which nothing else on the machine gets its turn. Options that the encoder would leave out
/// are an error, which `ffmpegc_last_error` tells.
int ffmpegc_open_encoder(AVCodecContext *encoder, const AVCodec *codec);

/// Takes libav's warnings and errors, which it would print to stderr, for the functions below.
void ffmpegc_catch_log(void);

/// The last line that libav logged as an error on this thread, or an empty string.
///
/// Valid until the next libav call on this thread.
const char *ffmpegc_last_error(void);

/// Whether an encoder has said since on this thread that it leaves out an option.
int ffmpegc_has_refused_option(void);

/// Forgets the last error of this thread.
void ffmpegc_clear_last_error(void);

/// Counts the errors that libav logs about one demuxer or decoder: damage that it works around
/// shows nowhere else.
typedef struct ffmpegc_error_count ffmpegc_error_count;

/// A count of zero; null when memory is short.
ffmpegc_error_count *ffmpegc_error_count_create(void);

/// Frees a count; its owner must no longer be in use.
void ffmpegc_error_count_destroy(ffmpegc_error_count *count);

/// Returns the count and sets it to zero.
int ffmpegc_error_count_take(ffmpegc_error_count *count);

/// Opens what a playlist names, with the context's protocols and on the host of its own address
/// only.
int ffmpegc_open_on_same_host(AVFormatContext *context, AVIOContext **io, const char *url,
                              int flags, AVDictionary **options);

/// What a muxer has sent over the connections that it opens by itself; the `opaque` of its context.
typedef struct ffmpegc_deliveries {
  /// The bytes that went over connections that are closed.
  int64_t bytes;

  /// The first error, or zero: the muxer of HLS goes on without its last segment and its playlist.
  int failure;
} ffmpegc_deliveries;

/// `ffmpegc_open_on_same_host` for a muxer with `ffmpegc_deliveries`.
int ffmpegc_open_delivery(AVFormatContext *context, AVIOContext **io, const char *url, int flags,
                          AVDictionary **options);

/// Closes what `ffmpegc_open_delivery` has opened.
int ffmpegc_close_delivery(AVFormatContext *context, AVIOContext *io);

/// Whether a code of libav says that the other side cannot be reached or refuses, not that what it
/// sends cannot be understood.
int ffmpegc_is_unreachable(int code);

/// Renames a file unless something has the name `to` already; Swift's Glibc has no function for it.
///
/// Returns zero or an error number: `EEXIST` for a taken name, `EINVAL` or `ENOSYS` where the file
/// system or the kernel cannot do it.
int ffmpegc_rename_exclusively(const char *from, const char *to);

/// Room for the longest HDR10+ message: two panels of 25 x 25 values of four bits, and 98 bytes for
/// each of three windows.
enum { FFMPEGC_HDR10PLUS_CAPACITY = 1024 };

/// Writes HDR10+ data as the ITU-T T.35 message that streams carry: SMPTE ST 2094-40, in the layout
/// of CTA-861-G, annex S.
///
/// Corners of windows are in pixels, as FFmpeg's decoders leave them, not fractions of the picture.
/// Returns the length in bytes, or zero for more windows or values than a message can have.
int ffmpegc_hdr10plus_message(const AVDynamicHDRPlus *light,
                              uint8_t message[static FFMPEGC_HDR10PLUS_CAPACITY]);

/// zimg's API that this module was compiled for.
static const uint32_t FFMPEGC_ZIMG_API_VERSION = ZIMG_API_VERSION;

/// Up to three planes of a whole picture in zimg's order; unused ones are null.
typedef struct ffmpegc_planes {
  void *data[3];
  ptrdiff_t stride[3];
} ffmpegc_planes;

/// Converts one picture; Swift cannot fill zimg's unnamed plane structures itself.
zimg_error_code_e ffmpegc_zimg_run(const zimg_filter_graph *graph, const ffmpegc_planes *source,
                                   const ffmpegc_planes *destination, void *scratch);
