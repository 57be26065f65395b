#include "EngineC.h"

#include <string.h>

// Aligned for the 8-byte header length and the 4-byte samples that follow.
_Alignas(64) static const uint8_t fast[] = {
#embed "../../Models/fast/weights.safetensors"
};

const uint8_t *enginec_bundled_model(const char *name, size_t *byte_count) {
  if (strcmp(name, "fast") != 0)
    return NULL;
  *byte_count = sizeof fast;
  return fast;
}
