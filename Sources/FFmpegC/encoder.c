#include "FFmpegC.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// Capabilities belong to a thread; the C library has no functions for them.
int ffmpegc_open_encoder(AVCodecContext *encoder, const AVCodec *codec) {
  struct __user_cap_header_struct self = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct had[_LINUX_CAPABILITY_U32S_3], less[_LINUX_CAPABILITY_U32S_3];
  const int is_known = syscall(SYS_capget, &self, had) == 0;
  if (is_known) {
    memcpy(less, had, sizeof less);
    less[CAP_TO_INDEX(CAP_SYS_NICE)].effective &= ~CAP_TO_MASK(CAP_SYS_NICE);
    syscall(SYS_capset, &self, less);
  }
  const int code = avcodec_open2(encoder, codec, NULL);
  if (is_known)
    syscall(SYS_capset, &self, had);
  return code >= 0 && ffmpegc_has_refused_option() ? AVERROR(EINVAL) : code;
}
