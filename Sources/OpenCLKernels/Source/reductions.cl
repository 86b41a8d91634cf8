// Sums and maxima over the second dimension of outer x reduced x inner elements.
//
// A group of threads computes some results at once, each with `threads` threads, a power of two.
// Long reductions are divided into parts of `rows` elements, one for each group along the second
// dimension; the results of the parts are reduced again. The order of the operations follows from
// the extents alone.

// The place of a thread: which of the group's results it works at, and which part of it is its own.
// Neighbouring threads read neighbours in memory.
int2 place(int threads, int inner) {
  int lane = get_local_id(0), width = get_local_size(0) / threads;
  return inner == 1 ? (int2)(lane / threads, lane % threads) : (int2)(lane % width, lane / width);
}

// Adds to four sums: hi is what a float holds of a sum, lo what it does not (Knuth's TwoSum), which
// together is almost as precise as double precision.
void add_exactly(float4 x, float4 *hi, float4 *lo) {
  float4 sum = *hi + x, added = sum - *hi;
  *lo += (*hi - (sum - added)) + (x - added);
  *hi = sum;
}

// The same for a pair of (hi, lo).
float2 add_pairs(float2 a, float2 b) {
  float sum = a.x + b.x, added = sum - a.x;
  return (float2)(sum, a.y + b.y + ((a.x - (sum - added)) + (b.x - added)));
}

kernel void sums(
  global const float *x, global float *y, int reduced, int inner, int results, int threads,
  int rows, float divisor
) {
  local float2 shared[256];
  int2 at = place(threads, inner);
  int width = get_local_size(0) / threads, result = get_group_id(0) * width + at.x;
  int part = get_group_id(1), outer = result / inner, column = result - outer * inner;
  float4 hi = 0.0f, lo = 0.0f;
  if (result < results) {
    global const float *source = x + outer * reduced * inner + column;
    int first = part * rows, last = first + min(rows, reduced - first), row = first + at.y;
    for (; last - row > 3 * threads; row += 4 * threads)
      add_exactly(
        (float4)(
          source[row * inner], source[(row + threads) * inner], source[(row + 2 * threads) * inner],
          source[(row + 3 * threads) * inner]),
        &hi, &lo);
    for (; row < last; row += threads)
      add_exactly((float4)(source[row * inner], 0.0f, 0.0f, 0.0f), &hi, &lo);
  }
  int slot = at.y * width + at.x;
  shared[slot] = add_pairs(
    add_pairs((float2)(hi.x, lo.x), (float2)(hi.y, lo.y)),
    add_pairs((float2)(hi.z, lo.z), (float2)(hi.w, lo.w)));
  for (int half_count = threads / 2; half_count > 0; half_count /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (at.y < half_count)
      shared[slot] = add_pairs(shared[slot], shared[slot + half_count * width]);
  }
  if (at.y == 0 && result < results) {
    float2 sum = shared[slot];
    // Of infinity and NaN nothing is left over.
    y[(outer * (int)get_num_groups(1) + part) * inner + column] =
      (isfinite(sum.x) ? sum.x + sum.y : sum.x) / divisor;
  }
}

// Whether a comes before b: the larger one, NaN before all numbers, and the first one among equals.
int is_before(float a, int a_place, float b, int b_place) {
  if (isnan(a) || isnan(b)) return isnan(a) && (!isnan(b) || a_place < b_place);
  return a > b || (a == b && a_place < b_place);
}

// The maxima and their places among the elements that were compared. Where x has the maxima of
// parts, `places` has their places.
kernel void maxima(
  global const float *x, global const int *places, int has_places, global float *y,
  global int *indices, int reduced, int inner, int results, int threads, int rows
) {
  local float values[256];
  local int value_places[256];
  int2 at = place(threads, inner);
  int width = get_local_size(0) / threads, result = get_group_id(0) * width + at.x;
  int part = get_group_id(1), outer = result / inner, column = result - outer * inner;
  float best = -INFINITY;
  int best_place = INT_MAX;
  if (result < results) {
    int start = outer * reduced * inner + column;
    int first = part * rows, last = first + min(rows, reduced - first);
    for (int row = first + at.y; row < last; row += threads) {
      float value = x[start + row * inner];
      int value_place = has_places ? places[start + row * inner] : row;
      if (is_before(value, value_place, best, best_place)) {
        best = value;
        best_place = value_place;
      }
    }
  }
  int slot = at.y * width + at.x;
  values[slot] = best;
  value_places[slot] = best_place;
  for (int half_count = threads / 2; half_count > 0; half_count /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    int other = slot + half_count * width;
    if (at.y < half_count
        && is_before(values[other], value_places[other], values[slot], value_places[slot])) {
      values[slot] = values[other];
      value_places[slot] = value_places[other];
    }
  }
  if (at.y == 0 && result < results) {
    int target = (outer * (int)get_num_groups(1) + part) * inner + column;
    y[target] = values[slot];
    indices[target] = value_places[slot];
  }
}

// The number of equal pairs, with one group of threads.
kernel void count_equal(
  global const int *a, global const int *b, global float *y, int count
) {
  local int shared[256];
  int lane = get_local_id(0), lanes = get_local_size(0);
  int sum = 0;
  for (int i = lane; i < count; i += lanes) sum += a[i] == b[i];
  shared[lane] = sum;
  for (int half_count = lanes / 2; half_count > 0; half_count /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < half_count) shared[lane] += shared[lane + half_count];
  }
  if (lane == 0) y[0] = shared[0];
}
