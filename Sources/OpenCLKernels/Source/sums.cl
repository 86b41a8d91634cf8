// Sums in a fixed order.
//
// sum_parts: y[i] = Σ parts[p][i], for up to eight arrays at once. Arguments: parts and y of each;
//   ends (the first group behind those of each array, the number of groups for missing ones),
//   elements, counts of parts. Local size 256; ⌈elements / 64⌉ groups for each array.
// sum_rows: y[j] = Σ x[i][j] over the rows of a matrix. Arguments: x, y, rows, columns, rows_each. y has a part
//   for each group of the second dimension: groups × columns, to be added by sum_parts unless there
//   is one. `rows_each`: the rows of a group. Local size 256; groups ⌈columns / 64⌉ × ⌈rows /
//   rows_each⌉.

#define ARRAY(k) __global const float *parts##k, __global float *y##k
#define NEXT_ARRAY(k, next) \
  if (group >= ends.s##k) { \
    from = parts##next, y = y##next, n = elements.s##next, count = counts.s##next; \
    first = ends.s##k; \
  }

__kernel __attribute__((reqd_work_group_size(256, 1, 1)))
void sum_parts(
    ARRAY(0), ARRAY(1), ARRAY(2), ARRAY(3), ARRAY(4), ARRAY(5), ARRAY(6), ARRAY(7), int8 ends,
    int8 elements, int8 counts) {
  // A group has 64 elements, a thread four of them in every sixteenth part.
  __local float sums[16 * 64] __attribute__((aligned(16)));
  int thread = get_local_id(0), share = thread >> 4, group = get_group_id(0);
  __global const float *from = parts0;
  __global float *y = y0;
  int n = elements.s0, count = counts.s0, first = 0;
  NEXT_ARRAY(0, 1) NEXT_ARRAY(1, 2) NEXT_ARRAY(2, 3) NEXT_ARRAY(3, 4)
  NEXT_ARRAY(4, 5) NEXT_ARRAY(5, 6) NEXT_ARRAY(6, 7)
  int begin = (group - first) * 64, at = begin + (thread & 15) * 4;
  float4 sum = 0.0f;
  if (at < n) {
    from += at;
    if (n % 4 == 0) {
#pragma unroll 8
      for (int p = share; p < count; p += 16)
        sum += *(__global const float4 *)(from + (size_t)p * n);
    } else {
      int left = n - at;
      for (int p = share; p < count; p += 16) {
        __global const float *f = from + (size_t)p * n;
        sum += (float4)(
            f[0], left > 1 ? f[1] : 0.0f, left > 2 ? f[2] : 0.0f, left > 3 ? f[3] : 0.0f);
      }
    }
  }
  ((__local float4 *)sums)[thread] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (thread < 64 && begin + thread < n) {
    float total = 0.0f;
#pragma unroll
    for (int i = 0; i < 16; i++) total += sums[i * 64 + thread];
    y[begin + thread] = total;
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
