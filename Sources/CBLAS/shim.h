#pragma once

// The types of the functions that are looked up in OpenBLAS or Accelerate. Neither their headers nor the
// library are needed to build: it is opened when a program first asks for it.

/// Orders and transpositions of the C interface to BLAS, the same in all libraries.
enum blas_option { BLAS_ROW_MAJOR = 101, BLAS_NOT_TRANSPOSED = 111, BLAS_TRANSPOSED = 112 };

/// C = alpha A B + beta C in single precision.
typedef void (*blas_sgemm_function)(int order, int transpose_a, int transpose_b, int m, int n, int k,
                                    float alpha, const float *a, int stride_a, const float *b,
                                    int stride_b, float beta, float *c, int stride_c);

/// OpenBLAS only: sets the number of threads.
typedef void (*blas_set_threads_function)(int count);

/// OpenBLAS only: the name of the processor type whose kernels it uses.
typedef const char *(*blas_core_name_function)(void);
