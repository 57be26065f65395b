#include "EngineC.h"

// Aligned for the 8-byte header length and the 4-byte samples that follow.
#define WEIGHTS _Alignas(64) static const uint8_t

WEIGHTS fast[] = {
#embed "../../Models/fast/weights.safetensors"
};

// A line per model.
static const enginec_bundled_model models[] = {
    {"fast", "fast", "small and quick; removes light noise", fast, sizeof fast},
};

const enginec_bundled_model *enginec_bundled_models(size_t *count) {
  *count = sizeof models / sizeof models[0];
  return models;
}
