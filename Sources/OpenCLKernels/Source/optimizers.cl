// Steps of optimizers. Needs positions.cl.

// One step of Adam on up to 16 tensors: a kernel is launched in about the time in which it changes
// a million elements. Each thread changes four neighbours; `ends` has for each tensor the first
// group of threads behind its own.
#define TENSOR(k) \
  global float *value##k, global const float *gradient##k, global float *mean##k, \
  global float *square##k
#define CHOOSE(k) \
  case 0x##k: \
    value = value##k, gradient = gradient##k, mean = mean##k, square = square##k; \
    n = counts.s##k; \
    break;

kernel void adam_steps(
  TENSOR(0), TENSOR(1), TENSOR(2), TENSOR(3), TENSOR(4), TENSOR(5), TENSOR(6), TENSOR(7), TENSOR(8),
  TENSOR(9), TENSOR(a), TENSOR(b), TENSOR(c), TENSOR(d), TENSOR(e), TENSOR(f), int16 ends,
  int16 counts, float step_size, float correction, float decay1, float decay2, float keep2,
  float epsilon, float decay, float keep
) {
  int group = get_group_id(0);
  int first = 0, tensor = 0;
#define PASS(k) \
  if (group >= ends.s##k) { \
    first = ends.s##k; \
    tensor = 0x##k + 1; \
  }
  PASS(0) PASS(1) PASS(2) PASS(3) PASS(4) PASS(5) PASS(6) PASS(7)
  PASS(8) PASS(9) PASS(a) PASS(b) PASS(c) PASS(d) PASS(e)
  global float *value = value0, *mean = mean0, *square = square0;
  global const float *gradient = gradient0;
  int n = 0;
  switch (tensor) {
    CHOOSE(0) CHOOSE(1) CHOOSE(2) CHOOSE(3) CHOOSE(4) CHOOSE(5) CHOOSE(6) CHOOSE(7)
    CHOOSE(8) CHOOSE(9) CHOOSE(a) CHOOSE(b) CHOOSE(c) CHOOSE(d) CHOOSE(e) CHOOSE(f)
  }
  int i = (group - first) * (int)get_local_size(0) + (int)get_local_id(0);
  if (4 * i >= n) return;
  float4 start = load4(value, i, n);
  float4 g = load4(gradient, i, n) + start * decay;
  float4 before = load4(mean, i, n);
  float4 m = before + (g - before) * decay1;
  float4 v = load4(square, i, n) * keep2 + g * g * decay2;
  float4 change = m / (sqrt(v) / correction + epsilon) * step_size;
  store4(m, mean, i, n);
  store4(v, square, i, n);
  store4(start * keep - change, value, i, n);
}

// One step of stochastic gradient descent.
kernel void gradient_descent_step(
  global float *value, global const float *gradient, global float *velocity, int has_velocity,
  float rate, float momentum, float decay, int nesterov, int n, int count
) {
  int i = get_global_id(0);
  if (i >= count) return;
  float4 start = load4(value, i, n);
  float4 g = load4(gradient, i, n) + start * decay;
  if (has_velocity) {
    float4 v = load4(velocity, i, n) * momentum + g;
    store4(v, velocity, i, n);
    g = nesterov ? g + v * momentum : v;
  }
  store4(start - g * rate, value, i, n);
}
