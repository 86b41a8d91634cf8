// Copies of arrays with strides, and of rows of a table. Needs positions.cl.

// Copies an array of any strides to one of any strides.
kernel void copy_strided(
  global const float *x, global float *y, int rank, int8 shape, int8 y_steps, int8 x_steps,
  int8 offsets, int count
) {
  int i = get_global_id(0);
  if (i >= count) return;
  int4 at = positions(i, rank, shape, y_steps, x_steps, (int8)(0));
  y[offsets.s0 + at.x] = x[offsets.s1 + at.y];
}

// The same where neighbours in x are neighbours in y along another dimension: planes are transposed
// in squares of 16 x 16, so that both sides touch neighbours. Planes are numbered along the other
// dimensions.
kernel __attribute__((reqd_work_group_size(16, 16, 1)))
void copy_transposed(
  global const float *x, global float *y, int rows, int columns, int x_stride, int y_stride,
  int rank, int8 shape, int8 y_steps, int8 x_steps, int8 offsets
) {
  local float square[16][17];
  int4 at = positions(get_group_id(2), rank, shape, y_steps, x_steps, (int8)(0));
  int row = get_group_id(1) * 16, column = get_group_id(0) * 16;
  int u = get_local_id(0), v = get_local_id(1);
  if (row + v < rows && column + u < columns)
    square[v][u] = x[offsets.s1 + at.y + (row + v) * x_stride + column + u];
  barrier(CLK_LOCAL_MEM_FENCE);
  if (row + u < rows && column + v < columns)
    y[offsets.s0 + at.x + (column + v) * y_stride + row + u] = square[u][v];
}

// x / divisor, repeated along the dimensions whose step is 0.
kernel void spread(
  global const float *x, global float *y, float divisor, int rank, int8 shape, int8 x_steps,
  int8 offsets, int count
) {
  int i = get_global_id(0);
  if (i >= count) return;
  int4 at = positions(i, rank, shape, x_steps, (int8)(0), (int8)(0));
  y[offsets.s0 + i] = x[offsets.s1 + at.x] / divisor;
}

// The gradient of each maximum goes to the element at its place among those that were compared.
kernel void maxima_gradient(
  global const float *dy, global const int *places, global float *dx, int rank, int8 shape,
  int8 result_steps, int8 place_steps, int8 offsets, int count
) {
  int i = get_global_id(0);
  if (i >= count) return;
  int4 at = positions(i, rank, shape, result_steps, place_steps, (int8)(0));
  int result = offsets.s1 + at.x;
  dx[offsets.s0 + i] = places[result] == offsets.s2 + at.y ? dy[result] : 0.0f;
}

kernel void gather_rows(
  global const float *table, global const int *indices, global float *y, int columns, int count
) {
  int i = get_global_id(0);
  if (i >= count) return;
  int row = i / columns;
  y[i] = table[indices[row] * columns + i - row * columns];
}

// Adds up the rows of dy that were taken from each row of the table: those from starts[row] to
// starts[row + 1] in `sources`, in this order.
kernel void scatter_rows(
  global const float *dy, global const int *starts, global const int *sources, global float *table,
  int columns, int count
) {
  int i = get_global_id(0);
  if (i >= count) return;
  int row = i / columns, column = i - row * columns;
  float sum = 0.0f;
  for (int k = starts[row]; k < starts[row + 1]; k++) sum += dy[sources[k] * columns + column];
  table[i] = sum;
}
