// Sums and maxima over some of the threads of a group, in a fixed order.
//
// `count` threads, a power of two, lie `step` apart; `position` is a thread's number among them.
// All threads of a group call these together, and all get the result.

#define MOST_THREADS 256

float sum_of_threads(float x, local float *scratch, int position, int count, int step) {
  int id = get_local_id(0);
  scratch[id] = x;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int half_count = count / 2; half_count > 0; half_count /= 2) {
    if (position < half_count) scratch[id] += scratch[id + half_count * step];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  float sum = scratch[id - position * step];
  barrier(CLK_LOCAL_MEM_FENCE);
  return sum;
}

// NaN does not count.
float largest_of_threads(float x, local float *scratch, int position, int count, int step) {
  int id = get_local_id(0);
  scratch[id] = x;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int half_count = count / 2; half_count > 0; half_count /= 2) {
    if (position < half_count) {
      scratch[id] = fmax(scratch[id], scratch[id + half_count * step]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  float largest = scratch[id - position * step];
  barrier(CLK_LOCAL_MEM_FENCE);
  return largest;
}

// A sum with what rounding has cut off so far.
typedef struct {
  float sum, rest;
} CompensatedSum;

CompensatedSum compensated_add(CompensatedSum s, float x) {
  // Of a sum that is no longer finite nothing is cut off.
  float sum = s.sum + x;
  float larger = fabs(s.sum) >= fabs(x) ? s.sum : x;
  float smaller = fabs(s.sum) >= fabs(x) ? x : s.sum;
  float cut = (larger - sum) + smaller;
  s.sum = sum;
  s.rest += isfinite(sum) ? cut : 0.0f;
  return s;
}
