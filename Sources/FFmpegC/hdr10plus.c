#include "FFmpegC.h"

// A message that is written bit by bit, the highest first.
typedef struct writer {
  uint8_t *bytes;
  int bits;
} writer;

static void put(writer *to, int count, uint32_t value) {
  for (int bit = count - 1; bit >= 0; bit--, to->bits++) {
    uint8_t mask = (uint8_t)(0x80 >> (to->bits & 7));
    if (value >> bit & 1)
      to->bytes[to->bits >> 3] |= mask;
  }
}

// A fraction in units of 1 / `unit`.
static void put_fraction(writer *to, int count, AVRational value, int unit) {
  int64_t number = value.den == 0 ? 0 : av_rescale(value.num, unit, value.den);
  put(to, count, (uint32_t)av_clip64(number, 0, (1 << count) - 1));
}

static void put_peaks(writer *to, int has_peaks, int rows, int columns,
                      const AVRational peaks[25][25]) {
  put(to, 1, has_peaks);
  if (!has_peaks)
    return;
  put(to, 5, rows);
  put(to, 5, columns);
  for (int row = 0; row < rows; row++) {
    for (int column = 0; column < columns; column++)
      put_fraction(to, 4, peaks[row][column], 15);
  }
}

// Where a window lies: its corners, and two ellipses in it that share their centre. All in pixels.
static void put_place(writer *to, const AVHDRPlusColorTransformParams *window) {
  put_fraction(to, 16, window->window_upper_left_corner_x, 1);
  put_fraction(to, 16, window->window_upper_left_corner_y, 1);
  put_fraction(to, 16, window->window_lower_right_corner_x, 1);
  put_fraction(to, 16, window->window_lower_right_corner_y, 1);
  put(to, 16, window->center_of_ellipse_x);
  put(to, 16, window->center_of_ellipse_y);
  put(to, 8, window->rotation_angle);
  put(to, 16, window->semimajor_axis_internal_ellipse);
  put(to, 16, window->semimajor_axis_external_ellipse);
  put(to, 16, window->semiminor_axis_external_ellipse);
  put(to, 1, window->overlap_process_option);
}

static void put_distribution(writer *to, const AVHDRPlusColorTransformParams *window) {
  for (int i = 0; i < 3; i++)
    put_fraction(to, 17, window->maxscl[i], 100000);
  put_fraction(to, 17, window->average_maxrgb, 100000);
  put(to, 4, window->num_distribution_maxrgb_percentiles);
  for (int i = 0; i < window->num_distribution_maxrgb_percentiles; i++) {
    put(to, 7, window->distribution_maxrgb[i].percentage);
    put_fraction(to, 17, window->distribution_maxrgb[i].percentile, 100000);
  }
  put_fraction(to, 10, window->fraction_bright_pixels, 1000);
}

static void put_curve(writer *to, const AVHDRPlusColorTransformParams *window) {
  put(to, 1, window->tone_mapping_flag);
  if (window->tone_mapping_flag) {
    put_fraction(to, 12, window->knee_point_x, 4095);
    put_fraction(to, 12, window->knee_point_y, 4095);
    put(to, 4, window->num_bezier_curve_anchors);
    for (int i = 0; i < window->num_bezier_curve_anchors; i++) {
      put_fraction(to, 10, window->bezier_curve_anchors[i], 1023);
    }
  }
  put(to, 1, window->color_saturation_mapping_flag);
  if (window->color_saturation_mapping_flag) {
    put_fraction(to, 6, window->color_saturation_weight, 8);
  }
}

static int is_writable(const AVDynamicHDRPlus *light) {
  if (light->num_windows < 1 || light->num_windows > 3 ||
      light->num_rows_targeted_system_display_actual_peak_luminance > 25 ||
      light->num_cols_targeted_system_display_actual_peak_luminance > 25 ||
      light->num_rows_mastering_display_actual_peak_luminance > 25 ||
      light->num_cols_mastering_display_actual_peak_luminance > 25)
    return 0;
  for (int i = 0; i < light->num_windows; i++) {
    if (light->params[i].num_distribution_maxrgb_percentiles > 15 ||
        light->params[i].num_bezier_curve_anchors > 15)
      return 0;
  }
  return 1;
}

static void put_head(writer *to, const AVDynamicHDRPlus *light) {
  put(to, 8, 0xB5);    // The United States,
  put(to, 16, 0x003C); // Samsung,
  put(to, 16, 0x0001); // SMPTE ST 2094,
  put(to, 8, 4);       // part 40.
  put(to, 8, light->application_version);
  put(to, 2, light->num_windows);
}

int ffmpegc_hdr10plus_message(const AVDynamicHDRPlus *light,
                              uint8_t message[static FFMPEGC_HDR10PLUS_CAPACITY]) {
  if (!is_writable(light))
    return 0;
  memset(message, 0, FFMPEGC_HDR10PLUS_CAPACITY);
  writer to = {message, 0};
  put_head(&to, light);
  // The first window is the whole picture.
  for (int i = 1; i < light->num_windows; i++)
    put_place(&to, &light->params[i]);
  put_fraction(&to, 27, light->targeted_system_display_maximum_luminance, 1);
  put_peaks(&to, light->targeted_system_display_actual_peak_luminance_flag,
            light->num_rows_targeted_system_display_actual_peak_luminance,
            light->num_cols_targeted_system_display_actual_peak_luminance,
            light->targeted_system_display_actual_peak_luminance);
  for (int i = 0; i < light->num_windows; i++)
    put_distribution(&to, &light->params[i]);
  put_peaks(&to, light->mastering_display_actual_peak_luminance_flag,
            light->num_rows_mastering_display_actual_peak_luminance,
            light->num_cols_mastering_display_actual_peak_luminance,
            light->mastering_display_actual_peak_luminance);
  for (int i = 0; i < light->num_windows; i++)
    put_curve(&to, &light->params[i]);
  return (to.bits + 7) / 8;
}
