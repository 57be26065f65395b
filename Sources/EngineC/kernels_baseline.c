#include "kernels.h"

#include <math.h>
#include <string.h>

#define LEVEL_NAME "baseline"
#define LEVEL_TABLE enginec_kernels_baseline
#define VECTOR_FLOATS 4
#include "kernels_template.h"
