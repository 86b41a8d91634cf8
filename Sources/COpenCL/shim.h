#pragma once

// Types and constants only: the library itself is opened when a GPU is asked for, so that programs
// start on machines without it.
#define CL_TARGET_OPENCL_VERSION 120
#define CL_SILENCE_DEPRECATION
#ifdef __APPLE__
#include <OpenCL/cl.h>
#else
#include <CL/cl.h>
#endif
