// Sums in a fixed order.
//
// sum_parts: y[i] = Σ parts[p][i], for two arrays at once (the parts of a weight's gradient and those
//   of the bias's). Arguments: parts, y, elements, second parts, second y, second elements (0 if
//   there is none), count of parts. Local size 256; groups ⌈elements / 64⌉ + ⌈second elements / 64⌉.
// sum_rows: y[j] = Σ x[i][j] over the rows of a matrix. Arguments: x, y, rows, columns, rows_each. y has a part
//   for each group of the second dimension: groups × columns, to be added by sum_parts unless there
//   is one. `rows_each`: the rows of a group. Local size 256; groups ⌈columns / 64⌉ × ⌈rows /
//   rows_each⌉.

__kernel __attribute__((reqd_work_group_size(256, 1, 1)))
void sum_parts(
    __global const float *parts, __global float *y, int elements, __global const float *parts2,
    __global float *y2, int elements2, int count) {
  // Four threads share an element: they take every fourth part.
  __local float sums[256];
  int thread = get_local_id(0), quarter = thread >> 6, group = get_group_id(0);
  int groups = (elements + 63) / 64;
  bool is_first = group < groups;
  int n = is_first ? elements : elements2;
  __global const float *from = is_first ? parts : parts2;
  int at = (is_first ? group : group - groups) * 64 + (thread & 63);
  float sum = 0.0f;
  if (at < n) {
    from += at;
#pragma unroll 8
    for (int p = quarter; p < count; p += 4) sum += from[(size_t)p * n];
  }
  sums[thread] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (quarter == 0 && at < n) {
    float total = (sums[thread] + sums[thread + 64]) + (sums[thread + 128] + sums[thread + 192]);
    if (is_first) y[at] = total;
    else y2[at] = total;
  }
}

__kernel __attribute__((reqd_work_group_size(256, 1, 1)))
void sum_rows(
    __global const float *x, __global float *y, int rows, int columns, int rows_each) {
  __local float sums[256];
  int thread = get_local_id(0), quarter = thread >> 6;
  int column = get_group_id(0) * 64 + (thread & 63), part = get_group_id(1);
  int last = min(rows, (part + 1) * rows_each);
  float sum = 0.0f;
  if (column < columns) {
#pragma unroll 8
    for (int i = part * rows_each + quarter; i < last; i += 4)
      sum += x[(size_t)i * columns + column];
  }
  sums[thread] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (quarter == 0 && column < columns)
    y[(size_t)part * columns + column] =
        (sums[thread] + sums[thread + 64]) + (sums[thread + 128] + sums[thread + 192]);
}
