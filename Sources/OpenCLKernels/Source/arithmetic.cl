// Functions of one, two or three elements. Each thread computes four neighbours; `n` is the number
// of elements, `count` that of threads with work. Needs positions.cl.

// MARK: Functions of one number

// The order of `UnaryOperation`.
enum { NEGATE, ABSOLUTE, EXP, LOG, SQRT, SIGMOID, TANH, GELU, SILU, RELU };

// max(x, 0), but NaN stays NaN.
float4 rectified(float4 x) { return x < 0.0f ? (float4)(0.0f) : x; }

float4 logistic(float4 x) { return 1.0f / (1.0f + exp(-x)); }

// The cumulative normal distribution.
float4 normal_distribution(float4 x) { return 0.5f * (1.0f + erf(x * 0.70710678118654752f)); }

kernel void unary(int operation, global const float *x, global float *y, int n, int count) {
  int i = get_global_id(0);
  if (i >= count) return;
  float4 v = load4(x, i, n);
  switch (operation) {
  case NEGATE: v = -v; break;
  case ABSOLUTE: v = fabs(v); break;
  case EXP: v = exp(v); break;
  case LOG: v = log(v); break;
  case SQRT: v = sqrt(v); break;
  case SIGMOID: v = logistic(v); break;
  case TANH: v = tanh(v); break;
  case GELU: v = v * normal_distribution(v); break;
  case SILU: v = v * logistic(v); break;
  case RELU: v = rectified(v); break;
  }
  store4(v, y, i, n);
}

kernel void unary_gradient(
  int operation, global const float *dy, global const float *x, global const float *y,
  global float *dx, int n, int count
) {
  int i = get_global_id(0);
  if (i >= count) return;
  float4 d = load4(dy, i, n);
  switch (operation) {
  case NEGATE: d = -d; break;
  case ABSOLUTE: {
    float4 v = load4(x, i, n);
    // At 0 the gradient is 0, and at NaN it is NaN.
    d *= v > 0.0f ? (float4)(1.0f) : (v < 0.0f ? (float4)(-1.0f) : v * 0.0f);
    break;
  }
  case EXP: d *= load4(y, i, n); break;
  case LOG: d /= load4(x, i, n); break;
  case SQRT: d /= 2.0f * load4(y, i, n); break;
  case SIGMOID: {
    float4 v = load4(y, i, n);
    d = d * v * (1.0f - v);
    break;
  }
  case TANH: {
    float4 v = load4(y, i, n);
    d *= 1.0f - v * v;
    break;
  }
  case GELU: {
    float4 v = load4(x, i, n);
    d *= normal_distribution(v) + v * (exp(-v * v / 2.0f) * 0.39894228040143268f);
    break;
  }
  case SILU: {
    float4 v = load4(x, i, n), s = logistic(v);
    d = d * s * (1.0f + v * (1.0f - s));
    break;
  }
  case RELU: d = load4(y, i, n) > 0.0f ? d : (float4)(0.0f); break;
  }
  store4(d, dx, i, n);
}

// Elements are numbered in row-major order for the rule, also where the channels are last in
// memory.
kernel void dropout(
  global const float *x, global float *y, int channels, int pixels, uint low, uint high,
  uint threshold, float scale, int n, int count
) {
  int i = get_global_id(0);
  if (i >= count) return;
  uint4 z = (uint)(4 * i) + (uint4)(0, 1, 2, 3);
  if (channels > 1) {
    uint4 pixel = z / (uint)channels, c = z - pixel * (uint)channels;
    uint4 image = pixel / (uint)pixels, p = pixel - image * (uint)pixels;
    z = (image * (uint)channels + c) * (uint)pixels + p;
  }
  z ^= low;
  z = (z ^ (z >> 16)) * 0x7feb352du;
  z += high;
  z = (z ^ (z >> 15)) * 0x846ca68bu;
  z ^= z >> 16;
  float4 v = load4(x, i, n) * scale;
  store4(z >= threshold ? v : (float4)(0.0f), y, i, n);
}

// MARK: Functions of two numbers

// The order of `BinaryOperation`.
enum {
  ADD, SUBTRACT, MULTIPLY, DIVIDE, MINIMUM, MAXIMUM, EQUAL, NOT_EQUAL, LESS, LESS_OR_EQUAL, GREATER,
  GREATER_OR_EQUAL
};

float4 truth(int4 condition) { return condition ? (float4)(1.0f) : (float4)(0.0f); }

float4 binary_values(int operation, float4 a, float4 b) {
  switch (operation) {
  case ADD: return a + b;
  case SUBTRACT: return a - b;
  case MULTIPLY: return a * b;
  case DIVIDE: return a / b;
  // A NaN in b makes both tests fail, so that b is the result.
  case MINIMUM: return ((a < b) | (a != a)) ? a : b;
  case MAXIMUM: return ((a > b) | (a != a)) ? a : b;
  case EQUAL: return truth(a == b);
  case NOT_EQUAL: return truth(a != b);
  case LESS: return truth(a < b);
  case LESS_OR_EQUAL: return truth(a <= b);
  case GREATER: return truth(a > b);
  default: return truth(a >= b);
  }
}

float4 binary_gradients(int operation, int is_right, float4 dy, float4 a, float4 b) {
  switch (operation) {
  case ADD: return dy;
  case SUBTRACT: return is_right ? -dy : dy;
  case MULTIPLY: return dy * (is_right ? a : b);
  case DIVIDE: return is_right ? -dy * ((a / b) / b) : dy / b;
  // Equal operands share the gradient.
  case MINIMUM:
  case MAXIMUM: {
    int4 is_lost = (operation == MINIMUM) == (is_right == 0) ? a > b : a < b;
    return a == b ? dy / 2.0f : (is_lost ? (float4)(0.0f) : dy);
  }
  // A comparison is constant almost everywhere.
  default: return (float4)(0.0f);
  }
}

// Each operand has n elements, or one if `steps` says 0.
kernel void binary(
  int operation, global const float *a, int a_step, global const float *b, int b_step,
  int rectifies, global float *y, int n, int count
) {
  int i = get_global_id(0);
  if (i >= count) return;
  float4 left = a_step ? load4(a, i, n) : (float4)(a[0]);
  float4 right = b_step ? load4(b, i, n) : (float4)(b[0]);
  float4 value = binary_values(operation, left, right);
  store4(rectifies ? rectified(value) : value, y, i, n);
}

kernel void binary_gradient(
  int operation, int is_right, global const float *dy, global const float *a, int a_step,
  global const float *b, int b_step, global float *d, int n, int count
) {
  int i = get_global_id(0);
  if (i >= count) return;
  float4 left = a_step ? load4(a, i, n) : (float4)(a[0]);
  float4 right = b_step ? load4(b, i, n) : (float4)(b[0]);
  store4(binary_gradients(operation, is_right, load4(dy, i, n), left, right), d, i, n);
}

// MARK: Arrays that are repeated along some dimensions, one element in each thread

kernel void binary_strided(
  int operation, global const float *a, global const float *b, global float *y, int rank,
  int8 shape, int8 a_steps, int8 b_steps, int8 offsets, int count
) {
  int i = get_global_id(0);
  if (i >= count) return;
  int4 at = positions(i, rank, shape, a_steps, b_steps, (int8)(0));
  float4 left = a[offsets.s1 + at.x], right = b[offsets.s2 + at.y];
  y[offsets.s0 + i] = binary_values(operation, left, right).x;
}

kernel void binary_gradient_strided(
  int operation, int is_right, global const float *dy, global const float *a, global const float *b,
  global float *d, int rank, int8 shape, int8 a_steps, int8 b_steps, int8 offsets, int count
) {
  int i = get_global_id(0);
  if (i >= count) return;
  int4 at = positions(i, rank, shape, a_steps, b_steps, (int8)(0));
  float4 left = a[offsets.s1 + at.x], right = b[offsets.s2 + at.y], gradient = dy[offsets.s0 + i];
  d[offsets.s0 + i] = binary_gradients(operation, is_right, gradient, left, right).x;
}

kernel void choose(
  global const float *condition, global const float *a, global const float *b, global float *y,
  int rank, int8 shape, int8 condition_steps, int8 a_steps, int8 b_steps, int8 offsets, int count
) {
  int i = get_global_id(0);
  if (i >= count) return;
  int4 at = positions(i, rank, shape, condition_steps, a_steps, b_steps);
  y[offsets.s0 + i] = condition[offsets.s1 + at.x] != 0.0f
    ? a[offsets.s2 + at.y] : b[offsets.s3 + at.z];
}

kernel void choose_gradient(
  int is_right, global const float *condition, global const float *dy, global float *d, int rank,
  int8 shape, int8 condition_steps, int8 offsets, int count
) {
  int i = get_global_id(0);
  if (i >= count) return;
  int4 at = positions(i, rank, shape, condition_steps, (int8)(0), (int8)(0));
  int is_left = condition[offsets.s1 + at.x] != 0.0f;
  d[offsets.s0 + i] = is_left != is_right ? dy[offsets.s0 + i] : 0.0f;
}
