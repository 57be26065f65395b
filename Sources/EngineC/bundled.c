#include "EngineC.h"

// Aligned for the 8-byte header length and the 4-byte samples that follow.
#define WEIGHTS _Alignas(64) static const uint8_t

WEIGHTS fast[] = {
#embed "../../Models/fast/weights.safetensors"
};

WEIGHTS fast_x2[] = {
#embed "../../Models/fast-x2/weights.safetensors"
};

WEIGHTS balanced[] = {
#embed "../../Models/balanced/weights.safetensors"
};

// A line per model.
static const enginec_bundled_model models[] = {
    {"fast", "fast", "small and quick; removes light noise", fast, sizeof fast},
    {"fast-x2", "fast", "the same for sizes up to twice the input's", fast_x2, sizeof fast_x2},
    {"balanced", "balanced", "better and four times slower", balanced, sizeof balanced},
};

const enginec_bundled_model *enginec_bundled_models(size_t *count) {
  *count = sizeof models / sizeof models[0];
  return models;
}
