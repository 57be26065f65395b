#include "kernels.h"

#include <math.h>
#include <string.h>

#ifdef __x86_64__
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#define LEVEL_NAME "x86-64-v4 (AVX-512)"
#define LEVEL_TABLE enginec_kernels_v4
#define VECTOR_FLOATS 16
#include "kernels_template.h"
#pragma clang attribute pop
#endif
