// Batch normalization of images with their channels last, and layer normalization of rows.
//
// Where a group works on channels, `width` of its threads (a power of two) have neighbouring
// channels, and the others the same channels of other pixels: groups are numbered by their part of
// the pixels, then by their channels.

// How many pixels a thread reads before it adds them up.
#define BATCH 8

// The number of elements, their mean, and the sum of the squares of their distances from it.
typedef struct {
  float count, mean, squares;
} Moments;

// Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
// Variances", 1979. Nothing is lost when the mean is far from 0.
Moments merged(Moments a, Moments b) {
  Moments m;
  m.count = a.count + b.count;
  float share = m.count > 0 ? b.count / m.count : 0;
  float distance = b.mean - a.mean;
  m.mean = fma(distance, share, a.mean);
  m.squares = a.squares + b.squares + distance * distance * a.count * share;
  if (a.count == 0) m = b;
  if (b.count == 0) m = a;
  return m;
}

Moments moments_of_threads(
    Moments m, local float *counts, local float *means, local float *squares, int position,
    int count, int step) {
  int id = get_local_id(0);
  counts[id] = m.count;
  means[id] = m.mean;
  squares[id] = m.squares;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int half_count = count / 2; half_count > 0; half_count /= 2) {
    if (position < half_count) {
      int other = id + half_count * step;
      Moments o = {counts[other], means[other], squares[other]};
      m = merged(m, o);
      counts[id] = m.count;
      means[id] = m.mean;
      squares[id] = m.squares;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  return m;
}

// The first pixel of a part. Numbers of pixels have no sign, so that one more step than there are
// pixels does not overflow.
uint first_pixel(int pixels, int part, int parts) {
  return (uint)((long)pixels * part / parts);
}

// The moments of each part of the pixels: parts x 3 x channels.
kernel void batch_norm_moments(
    global const float *x, global float *partial, int pixels, int channels, int width) {
  local float counts[MOST_THREADS], means[MOST_THREADS], squares[MOST_THREADS];
  int id = get_local_id(0), rows = get_local_size(0) / width, row = id / width;
  int part = get_group_id(0), parts = get_num_groups(0);
  int c = get_group_id(1) * width + id % width;
  uint last = c < channels ? first_pixel(pixels, part + 1, parts) : 0;
  uint p = first_pixel(pixels, part, parts) + row;
  Moments m = {0, 0, 0};
  for (; p + (BATCH - 1) * rows < last; p += BATCH * rows) {
    float values[BATCH];
    float sum = 0;
    for (int i = 0; i < BATCH; i++) values[i] = x[(p + i * rows) * channels + c];
    for (int i = 0; i < BATCH; i++) sum += values[i];
    Moments next = {BATCH, sum * (1.0f / BATCH), 0};
    for (int i = 0; i < BATCH; i++) {
      float distance = values[i] - next.mean;
      next.squares = fma(distance, distance, next.squares);
    }
    m = merged(m, next);
  }
  for (; p < last; p += rows) {
    Moments next = {1, x[p * channels + c], 0};
    m = merged(m, next);
  }
  m = moments_of_threads(m, counts, means, squares, row, rows, width);
  if (row == 0 && c < channels) {
    global float *target = partial + part * 3 * channels + c;
    target[0] = m.count;
    target[channels] = m.mean;
    target[2 * channels] = m.squares;
  }
}

// The statistics of all parts, and the running ones: `keep` of the former and `take` of the new mean,
// `take_variance` of the new variance.
kernel void batch_norm_statistics(
    global const float *partial, int parts, global float *mean, global float *variance,
    global const float *former_mean, global const float *former_variance, float keep, float take,
    float take_variance, global float *running_mean, global float *running_variance, int channels,
    int width) {
  local float counts[MOST_THREADS], means[MOST_THREADS], squares[MOST_THREADS];
  int id = get_local_id(0), rows = get_local_size(0) / width, row = id / width;
  int c = get_group_id(0) * width + id % width;
  int last = c < channels ? parts : 0;
  Moments m = {0, 0, 0};
  for (int part = row; part < last; part += rows) {
    global const float *source = partial + part * 3 * channels + c;
    Moments next = {source[0], source[channels], source[2 * channels]};
    m = merged(m, next);
  }
  m = moments_of_threads(m, counts, means, squares, row, rows, width);
  if (row == 0 && c < channels) {
    float v = m.squares / m.count;
    mean[c] = m.mean;
    variance[c] = v;
    running_mean[c] = fma(keep, former_mean[c], take * m.mean);
    running_variance[c] = fma(keep, former_variance[c], take_variance * v);
  }
}

kernel void batch_norm(
    global const float *x, global const float *mean, global const float *variance,
    global const float *weight, global const float *bias, float epsilon, int rectify,
    global float *y, int pixels, int channels, int width) {
  int id = get_local_id(0), rows = get_local_size(0) / width;
  int c = get_group_id(1) * width + id % width;
  if (c >= channels) return;
  float scale = weight[c] / sqrt(variance[c] + epsilon);
  float shift = bias[c] - mean[c] * scale;
  uint first = get_group_id(0) * BATCH * rows + id / width, last = pixels;
  float values[BATCH];
  for (int i = 0; i < BATCH; i++) {
    uint p = first + i * rows;
    values[i] = p < last ? x[p * channels + c] : 0;
  }
  for (int i = 0; i < BATCH; i++) {
    uint p = first + i * rows;
    float value = fma(values[i], scale, shift);
    if (rectify && value < 0) value = 0;
    if (p < last) y[p * channels + c] = value;
  }
}

// The sums of dy and of dy (x - mean) over each part of the pixels: parts x 2 x channels. With
// `rectify`, dy counts where the result was positive.
kernel void batch_norm_gradient_sums(
    global const float *x, global const float *dy, global const float *mean,
    global const float *variance, global const float *weight, global const float *bias,
    float epsilon, int rectify, global float *partial, int pixels, int channels, int width) {
  local float scratch[MOST_THREADS];
  int id = get_local_id(0), rows = get_local_size(0) / width, row = id / width;
  int part = get_group_id(0), parts = get_num_groups(0);
  int c = get_group_id(1) * width + id % width;
  uint last = c < channels ? first_pixel(pixels, part + 1, parts) : 0;
  int place = min(c, channels - 1);
  float center = mean[place], scale = weight[place] / sqrt(variance[place] + epsilon);
  float shift = bias[place] - center * scale;
  float sum = 0, product = 0;
  uint p = first_pixel(pixels, part, parts) + row;
  while (p < last) {
    float values[BATCH], gradients[BATCH];
    for (int i = 0; i < BATCH; i++) {
      uint pixel = p + i * rows;
      values[i] = pixel < last ? x[pixel * channels + c] : center;
      gradients[i] = pixel < last ? dy[pixel * channels + c] : 0;
    }
    float batch_sum = 0, batch_product = 0;
    for (int i = 0; i < BATCH; i++) {
      float gradient = gradients[i];
      if (rectify && !(fma(values[i], scale, shift) > 0)) gradient = 0;
      batch_sum += gradient;
      batch_product = fma(gradient, values[i] - center, batch_product);
    }
    sum += batch_sum;
    product += batch_product;
    p += BATCH * rows;
  }
  sum = sum_of_threads(sum, scratch, row, rows, width);
  product = sum_of_threads(product, scratch, row, rows, width);
  if (row == 0 && c < channels) {
    partial[part * 2 * channels + c] = sum;
    partial[(part * 2 + 1) * channels + c] = product;
  }
}

// Adds up the parts of two sums. With `scales`, the second is divided by sqrt(variance + epsilon).
kernel void finish_two_sums(
    global const float *partial, int parts, int scales, global const float *variance, float epsilon,
    global float *sums, global float *products, int channels, int width) {
  local float scratch[MOST_THREADS];
  int id = get_local_id(0), rows = get_local_size(0) / width, row = id / width;
  int c = get_group_id(0) * width + id % width;
  int last = c < channels ? parts : 0;
  float sum = 0, product = 0;
  for (int part = row; part < last; part += rows) {
    sum += partial[part * 2 * channels + c];
    product += partial[(part * 2 + 1) * channels + c];
  }
  sum = sum_of_threads(sum, scratch, row, rows, width);
  product = sum_of_threads(product, scratch, row, rows, width);
  if (row == 0 && c < channels) {
    sums[c] = sum;
    products[c] = scales ? product / sqrt(variance[c] + epsilon) : product;
  }
}

// With `trains`, mean and variance depend on x: d_bias and d_weight are what finish_two_sums gave.
kernel void batch_norm_gradient(
    global const float *x, global const float *dy, global const float *mean,
    global const float *variance, global const float *weight, global const float *bias,
    float epsilon, int rectify, int trains, global const float *d_weight, global const float *d_bias,
    global float *dx, int pixels, int channels, int width) {
  int id = get_local_id(0), rows = get_local_size(0) / width;
  int c = get_group_id(1) * width + id % width;
  if (c >= channels) return;
  float deviation = 1 / sqrt(variance[c] + epsilon);
  float center = mean[c], scale = weight[c] / sqrt(variance[c] + epsilon);
  float shift = bias[c] - center * scale;
  float offset = trains ? d_bias[c] / pixels : 0;
  float slope = trains ? d_weight[c] * deviation / pixels : 0;
  uint first = get_group_id(0) * BATCH * rows + id / width, last = pixels;
  float values[BATCH], gradients[BATCH];
  for (int i = 0; i < BATCH; i++) {
    uint p = first + i * rows;
    values[i] = p < last ? x[p * channels + c] : 0;
    gradients[i] = p < last ? dy[p * channels + c] : 0;
  }
  for (int i = 0; i < BATCH; i++) {
    uint p = first + i * rows;
    float gradient = gradients[i];
    if (rectify && !(fma(values[i], scale, shift) > 0)) gradient = 0;
    if (p < last) {
      dx[p * channels + c] = scale * (gradient - offset - slope * (values[i] - center));
    }
  }
}

// Layer normalization: `lanes` threads work on a row.

kernel void layer_norm(
    global const float *x, int has_weight, global const float *weight, int has_bias,
    global const float *bias, float epsilon, global float *y, global float *means,
    global float *scales, int rows, int columns, int lanes) {
  local float scratch[MOST_THREADS];
  int id = get_local_id(0), lane = id % lanes;
  int row = get_group_id(0) * (get_local_size(0) / lanes) + id / lanes;
  bool is_row = row < rows;
  int last = is_row ? columns : 0;
  global const float *source = x + (is_row ? row : 0) * columns;
  float sum = 0;
  for (int i = lane; i < last; i += lanes) sum += source[i];
  float mean = sum_of_threads(sum, scratch, lane, lanes, 1) / columns;
  // What the mean lacks is found along with the squares.
  float rest = 0, squares = 0;
  for (int i = lane; i < last; i += lanes) {
    float distance = source[i] - mean;
    rest += distance;
    squares = fma(distance, distance, squares);
  }
  rest = sum_of_threads(rest, scratch, lane, lanes, 1) / columns;
  squares = sum_of_threads(squares, scratch, lane, lanes, 1) / columns;
  mean += rest;
  float scale = 1 / sqrt(fmax(squares - rest * rest, 0.0f) + epsilon);
  if (isnan(squares)) scale = squares;
  if (is_row && lane == 0) {
    means[row] = mean;
    scales[row] = scale;
  }
  for (int i = lane; i < last; i += lanes) {
    y[row * columns + i] = (source[i] - mean) * scale * (has_weight ? weight[i] : 1)
        + (has_bias ? bias[i] : 0);
  }
}

kernel void layer_norm_gradient(
    global const float *x, int has_weight, global const float *weight, global const float *means,
    global const float *scales, global const float *dy, global float *dx, int rows, int columns,
    int lanes) {
  local float scratch[MOST_THREADS];
  int id = get_local_id(0), lane = id % lanes;
  int row = get_group_id(0) * (get_local_size(0) / lanes) + id / lanes;
  bool is_row = row < rows;
  int last = is_row ? columns : 0, first = (is_row ? row : 0) * columns;
  float mean = is_row ? means[row] : 0, scale = is_row ? scales[row] : 0;
  float sum = 0, product = 0;
  for (int i = lane; i < last; i += lanes) {
    float g = dy[first + i] * (has_weight ? weight[i] : 1);
    sum += g;
    product = fma(g, (x[first + i] - mean) * scale, product);
  }
  float offset = sum_of_threads(sum, scratch, lane, lanes, 1) / columns;
  float slope = sum_of_threads(product, scratch, lane, lanes, 1) / columns;
  for (int i = lane; i < last; i += lanes) {
    float g = dy[first + i] * (has_weight ? weight[i] : 1);
    dx[first + i] = scale * (g - offset - (x[first + i] - mean) * scale * slope);
  }
}

// The sums of dy and of dy (x - mean) scale over each part of the rows: parts x 2 x columns.
kernel void layer_norm_gradient_sums(
    global const float *x, global const float *dy, global const float *means,
    global const float *scales, global float *partial, int rows, int columns, int width) {
  local float scratch[MOST_THREADS];
  int id = get_local_id(0), lines = get_local_size(0) / width, line = id / width;
  int part = get_group_id(0), parts = get_num_groups(0);
  int c = get_group_id(1) * width + id % width;
  uint last = c < columns ? first_pixel(rows, part + 1, parts) : 0;
  float sum = 0, product = 0;
  for (uint row = first_pixel(rows, part, parts) + line; row < last; row += lines) {
    float gradient = dy[row * columns + c];
    sum += gradient;
    product = fma(gradient, (x[row * columns + c] - means[row]) * scales[row], product);
  }
  sum = sum_of_threads(sum, scratch, line, lines, width);
  product = sum_of_threads(product, scratch, line, lines, width);
  if (line == 0 && c < columns) {
    partial[part * 2 * columns + c] = sum;
    partial[(part * 2 + 1) * columns + c] = product;
  }
}
