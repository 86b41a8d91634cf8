// batched_product: y[p] = A[p] · B[p] for pairs of matrices, m × k by k × n.
//
// Arguments: a, offsets of the matrices in a (int), floats from one of a's rows in memory to the
// next, whether those are columns of the matrix; the same four of b; y (pairs × m × n), m, n, k.
// Local size 64; groups ⌈n / 32⌉ × ⌈m / 32⌉ × pairs.

__kernel __attribute__((reqd_work_group_size(64, 1, 1)))
void batched_product(
    __global const float *a, __global const int *a_offsets, int a_row, int a_transposed,
    __global const float *b, __global const int *b_offsets, int b_row, int b_transposed,
    __global float *y, int m, int n, int k) {
  // Slices of 16 elements of the reduction: [element][row] and [element][column].
  __local float left[16][36] __attribute__((aligned(16)));
  __local float right[16][36] __attribute__((aligned(16)));
  int thread = get_local_id(0), row = get_group_id(1) * 32, column = get_group_id(0) * 32;
  int pair = get_group_id(2), i0 = thread / 8 * 4, j0 = thread % 8 * 4;
  a += a_offsets[pair];
  b += b_offsets[pair];
  float4 sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  for (int first = 0; first < k; first += 16) {
    // Neighbouring threads read neighbouring floats, whichever way the matrix lies.
    for (int e = thread; e < 512; e += 64) {
      int u = a_transposed ? e / 32 : e % 16, i = a_transposed ? e % 32 : e / 16;
      size_t at = a_transposed ? (size_t)(first + u) * a_row + (row + i)
                               : (size_t)(row + i) * a_row + (first + u);
      left[u][i] = first + u < k && row + i < m ? a[at] : 0.0f;
      int v = b_transposed ? e % 16 : e / 32, j = b_transposed ? e / 16 : e % 32;
      at = b_transposed ? (size_t)(column + j) * b_row + (first + v)
                        : (size_t)(first + v) * b_row + (column + j);
      right[v][j] = first + v < k && column + j < n ? b[at] : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int u = 0; u < 16; u++) {
      float4 x = *(__local float4 *)&left[u][i0], w = *(__local float4 *)&right[u][j0];
      sums[0] = fma((float4)x.x, w, sums[0]);
      sums[1] = fma((float4)x.y, w, sums[1]);
      sums[2] = fma((float4)x.z, w, sums[2]);
      sums[3] = fma((float4)x.w, w, sums[3]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int i = 0; i < 4; i++) {
    if (row + i0 + i >= m) continue;
    __global float *to = y + ((size_t)pair * m + row + i0 + i) * n + column + j0;
    int left_over = n - column - j0;
    if (left_over > 0) to[0] = sums[i].x;
    if (left_over > 1) to[1] = sums[i].y;
    if (left_over > 2) to[2] = sums[i].z;
    if (left_over > 3) to[3] = sums[i].w;
  }
}
