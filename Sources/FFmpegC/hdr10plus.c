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
  const AVHDRPlusColorTransformParams *window = &light->params[0];
  return light->num_windows == 1 &&
         light->num_rows_targeted_system_display_actual_peak_luminance <= 25 &&
         light->num_cols_targeted_system_display_actual_peak_luminance <= 25 &&
         light->num_rows_mastering_display_actual_peak_luminance <= 25 &&
         light->num_cols_mastering_display_actual_peak_luminance <= 25 &&
         window->num_distribution_maxrgb_percentiles <= 15 &&
         window->num_bezier_curve_anchors <= 15;
}

int ffmpegc_hdr10plus_message(const AVDynamicHDRPlus *light,
                              uint8_t message[static FFMPEGC_HDR10PLUS_CAPACITY]) {
  if (!is_writable(light))
    return 0;
  memset(message, 0, FFMPEGC_HDR10PLUS_CAPACITY);
  writer to = {message, 0};
  put(&to, 8, 0xB5);    // The United States,
  put(&to, 16, 0x003C); // Samsung,
  put(&to, 16, 0x0001); // SMPTE ST 2094,
  put(&to, 8, 4);       // part 40.
  put(&to, 8, light->application_version);
  put(&to, 2, light->num_windows);
  put_fraction(&to, 27, light->targeted_system_display_maximum_luminance, 1);
  put_peaks(&to, light->targeted_system_display_actual_peak_luminance_flag,
            light->num_rows_targeted_system_display_actual_peak_luminance,
            light->num_cols_targeted_system_display_actual_peak_luminance,
            light->targeted_system_display_actual_peak_luminance);
  put_distribution(&to, &light->params[0]);
  put_peaks(&to, light->mastering_display_actual_peak_luminance_flag,
            light->num_rows_mastering_display_actual_peak_luminance,
            light->num_cols_mastering_display_actual_peak_luminance,
            light->mastering_display_actual_peak_luminance);
  put_curve(&to, &light->params[0]);
  return (to.bits + 7) / 8;
}
