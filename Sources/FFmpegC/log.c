#include "FFmpegC.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char last_error[512];
static _Thread_local int has_refused_option;

// libav may split one line over several calls; each thread collects its own.
static _Thread_local char line[1024];
static _Thread_local size_t length;

struct ffmpegc_error_count {
  atomic_int lines;
};

ffmpegc_error_count *ffmpegc_error_count_create(void) {
  return calloc(1, sizeof(ffmpegc_error_count));
}

void ffmpegc_error_count_destroy(ffmpegc_error_count *count) { free(count); }

int ffmpegc_error_count_take(ffmpegc_error_count *count) {
  return atomic_exchange(&count->lines, 0);
}

// The count of a demuxer or decoder lies in its `opaque`; a decoder's threads have copies of it.
static void count_error(void *context) {
  const AVClass *class = context ? *(const AVClass **)context : NULL;
  ffmpegc_error_count *count = NULL;
  if (class && class == avcodec_get_class())
    count = ((AVCodecContext *)context)->opaque;
  else if (class && class == avformat_get_class() && ((AVFormatContext *)context)->iformat)
    count = ((AVFormatContext *)context)->opaque;
  if (count)
    atomic_fetch_add(&count->lines, 1);
}

// MPEG-TS calls it a warning that a packet lacks a part.
static int is_damage(int level) {
  return level <= AV_LOG_ERROR || strncmp(line, "PES packet size mismatch", 24) == 0;
}

// Encoders go on without what they do not understand in a list of their own settings.
static int is_refused_option(void) {
  static const char *const beginnings[] = {"Error parsing option", "Unknown option",
                                           "Invalid value for"};
  for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
    if (strncmp(line, beginnings[i], strlen(beginnings[i])) == 0)
      return 1;
  return 0;
}

static void deliver(void *context, int level) {
  while (length > 0 && (line[length - 1] == '.' || line[length - 1] == ' '))
    length--;
  line[length] = 0;
  const int is_refused = is_refused_option();
  has_refused_option |= is_refused;
  if ((level <= AV_LOG_ERROR || is_refused) && length > 0)
    snprintf(last_error, sizeof last_error, "%s", line);
  if (is_damage(level))
    count_error(context);
  length = 0;
}

static void receive(void *context, int level, const char *format, va_list arguments) {
  if (level > av_log_get_level())
    return;
  char part[sizeof line];
  vsnprintf(part, sizeof part, format, arguments);
  for (const char *c = part; *c; c++) {
    if (*c == '\n')
      deliver(context, level);
    else if (length + 1 < sizeof line)
      line[length++] = (unsigned char)*c < 0x20 ? ' ' : *c;
  }
}

void ffmpegc_catch_log(void) {
  av_log_set_level(AV_LOG_WARNING);
  av_log_set_callback(receive);
}

const char *ffmpegc_last_error(void) { return last_error; }

int ffmpegc_has_refused_option(void) { return has_refused_option; }

void ffmpegc_clear_last_error(void) {
  last_error[0] = 0;
  has_refused_option = 0;
}
