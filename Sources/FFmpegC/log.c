#include "FFmpegC.h"
