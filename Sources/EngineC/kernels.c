#include "EngineC.h"
