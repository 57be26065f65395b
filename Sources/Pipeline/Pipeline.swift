internal import FFmpegC
