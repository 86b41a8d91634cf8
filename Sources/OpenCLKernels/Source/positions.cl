// Where elements are in memory: for kernels that handle four neighbours in each thread, and for
// arrays with strides. To be compiled in front of other files.

// Elements 4 i ... 4 i + 3 of n; 0 for those behind the end.
float4 load4(global const float *x, int i, int n) {
  int first = 4 * i, left = n - first;
  if (left >= 4) return ((global const float4 *)x)[i];
  return (float4)(
    x[first], left > 1 ? x[first + 1] : 0.0f, left > 2 ? x[first + 2] : 0.0f, 0.0f);
}

// Writes elements 4 i ... 4 i + 3 of n.
void store4(float4 value, global float *y, int i, int n) {
  int first = 4 * i, left = n - first;
  if (left >= 4) {
    ((global float4 *)y)[i] = value;
    return;
  }
  y[first] = value.x;
  if (left > 1) y[first + 1] = value.y;
  if (left > 2) y[first + 2] = value.z;
}

// The positions of element i, counted in row-major order, in three arrays. The extents and the
// distances between neighbours begin with those of the last dimension.
int4 positions(int i, int rank, int8 shape, int8 a, int8 b, int8 c) {
  int4 at = 0;
#define DIMENSION(d) \
  if (rank == d + 1) return at + i * (int4)(a.s##d, b.s##d, c.s##d, 0); \
  { \
    int rest = i / shape.s##d; \
    at += (i - rest * shape.s##d) * (int4)(a.s##d, b.s##d, c.s##d, 0); \
    i = rest; \
  }
  DIMENSION(0)
  DIMENSION(1)
  DIMENSION(2)
  DIMENSION(3)
  DIMENSION(4)
  DIMENSION(5)
  DIMENSION(6)
#undef DIMENSION
  return at + i * (int4)(a.s7, b.s7, c.s7, 0);
}
