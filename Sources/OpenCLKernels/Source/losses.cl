// Softmax, losses and their gradients. Where rows are summed up, `lanes` threads work on a row. The
// gradient of a loss itself is read from device memory, so that the host does not wait for it.

// The number of a thread in its row, and its row.
#define LANE (get_local_id(0) % lanes)
#define ROW (get_group_id(0) * (get_local_size(0) / lanes) + get_local_id(0) / lanes)

float largest_of_row(global const float *x, local float *scratch, int count, int lanes) {
  float largest = -INFINITY;
  for (int i = LANE; i < count; i += lanes) largest = fmax(largest, x[i]);
  return largest_of_threads(largest, scratch, LANE, lanes, 1);
}

kernel void softmax(global const float *x, global float *y, int rows, int classes, int lanes) {
  local float scratch[MOST_THREADS];
  int row = ROW, count = row < rows ? classes : 0, first = row < rows ? row * classes : 0;
  float largest = largest_of_row(x + first, scratch, count, lanes);
  float sum = 0;
  for (int i = LANE; i < count; i += lanes) sum += exp(x[first + i] - largest);
  sum = sum_of_threads(sum, scratch, LANE, lanes, 1);
  for (int i = LANE; i < count; i += lanes) y[first + i] = exp(x[first + i] - largest) / sum;
}

kernel void softmax_gradient(
    global const float *dy, global const float *y, global float *dx, int rows, int classes,
    int lanes) {
  local float scratch[MOST_THREADS];
  int row = ROW, count = row < rows ? classes : 0, first = row < rows ? row * classes : 0;
  float dot_product = 0;
  for (int i = LANE; i < count; i += lanes) {
    dot_product = fma(dy[first + i], y[first + i], dot_product);
  }
  dot_product = sum_of_threads(dot_product, scratch, LANE, lanes, 1);
  for (int i = LANE; i < count; i += lanes) {
    dx[first + i] = y[first + i] * (dy[first + i] - dot_product);
  }
}

kernel void log_softmax(global const float *x, global float *y, int rows, int classes, int lanes) {
  local float scratch[MOST_THREADS];
  int row = ROW, count = row < rows ? classes : 0, first = row < rows ? row * classes : 0;
  float largest = largest_of_row(x + first, scratch, count, lanes);
  float sum = 0;
  for (int i = LANE; i < count; i += lanes) sum += exp(x[first + i] - largest);
  float offset = log(sum_of_threads(sum, scratch, LANE, lanes, 1));
  for (int i = LANE; i < count; i += lanes) y[first + i] = x[first + i] - largest - offset;
}

kernel void log_softmax_gradient(
    global const float *dy, global const float *y, global float *dx, int rows, int classes,
    int lanes) {
  local float scratch[MOST_THREADS];
  int row = ROW, count = row < rows ? classes : 0, first = row < rows ? row * classes : 0;
  float sum = 0;
  for (int i = LANE; i < count; i += lanes) sum += dy[first + i];
  sum = sum_of_threads(sum, scratch, LANE, lanes, 1);
  for (int i = LANE; i < count; i += lanes) {
    dx[first + i] = fma(exp(y[first + i]), -sum, dy[first + i]);
  }
}

// The loss of each row, 1 if its first largest element is that of the label (with less than 2^24
// classes), and the gradient of the mean loss by x. `sure` is what is left of the label, `smoothing` what is spread over all classes, and
// `spread` the share of each of them.
kernel void cross_entropy(
    global const float *x, global const int *labels, float sure, float smoothing, float spread,
    global float *dx, global float *losses, global float *correct, int rows, int classes,
    int lanes) {
  local float scratch[MOST_THREADS];
  int row = ROW, count = row < rows ? classes : 0, first = row < rows ? row * classes : 0;
  int label = row < rows ? labels[row] : 0;
  float largest = largest_of_row(x + first, scratch, count, lanes);
  float sum = 0, distances = 0;
  for (int i = LANE; i < count; i += lanes) {
    float distance = x[first + i] - largest;
    sum += exp(distance);
    distances += distance;
  }
  sum = sum_of_threads(sum, scratch, LANE, lanes, 1);
  if (smoothing != 0) distances = sum_of_threads(distances, scratch, LANE, lanes, 1);
  // The first one among the largest elements has the largest number here: a NaN counts as larger than
  // all others. Floats hold these numbers exactly.
  float factor = 1.0f / rows, earliest = -INFINITY, beyond = 1 << 24;
  for (int i = LANE; i < count; i += lanes) {
    float value = x[first + i];
    if (isnan(value)) earliest = fmax(earliest, beyond - i);
    if (value == largest) earliest = fmax(earliest, -(float)i);
    float gradient = exp(value - largest) / sum * factor;
    if (spread != 0) gradient -= spread * factor;
    if (i == label) gradient -= sure * factor;
    dx[first + i] = gradient;
  }
  earliest = largest_of_threads(earliest, scratch, LANE, lanes, 1);
  if (LANE == 0 && row < rows) {
    float loss = log(sum) + largest - x[first + label];
    float uniform_loss = log(sum) - distances / classes;
    losses[row] = smoothing == 0 ? loss : fma(sure, loss, smoothing * uniform_loss);
    correct[row] = (earliest > 0 ? beyond - earliest : -earliest) == label;
  }
}

// A gradient times that of the loss.
kernel void scaled(
    global const float *dy, global const float *x, global float *dx, int count) {
  int i = get_global_id(0);
  if (i < count) dx[i] = dy[0] * x[i];
}

// The sum divided by a number, by a single group.
kernel void mean_of_losses(
    global const float *losses, global float *mean, float divisor, int count) {
  local float sums[MOST_THREADS], rests[MOST_THREADS];
  int id = get_local_id(0), threads = get_local_size(0);
  CompensatedSum s = {0, 0};
  for (int i = id; i < count; i += threads) s = compensated_add(s, losses[i]);
  float sum = sum_of_threads(s.sum, sums, id, threads, 1);
  float rest = sum_of_threads(s.rest, rests, id, threads, 1);
  if (id == 0) mean[0] = (sum + rest) / divisor;
}

// The mean of the losses and the number of correct rows, by a single group. Adding ones is exact.
kernel void mean_and_count(
    global const float *losses, global const float *correct, global float *mean,
    global float *number, int count) {
  local float sums[MOST_THREADS], rests[MOST_THREADS], numbers[MOST_THREADS];
  int id = get_local_id(0), threads = get_local_size(0);
  CompensatedSum s = {0, 0};
  float ones = 0;
  for (int i = id; i < count; i += threads) {
    s = compensated_add(s, losses[i]);
    ones += correct[i];
  }
  float sum = sum_of_threads(s.sum, sums, id, threads, 1);
  float rest = sum_of_threads(s.rest, rests, id, threads, 1);
  ones = sum_of_threads(ones, numbers, id, threads, 1);
  if (id == 0) {
    mean[0] = (sum + rest) / count;
    number[0] = ones;
  }
}

kernel void nll_loss(
    global const float *x, global const int *labels, global float *mean, int rows, int classes) {
  local float sums[MOST_THREADS], rests[MOST_THREADS];
  int id = get_local_id(0), threads = get_local_size(0);
  CompensatedSum s = {0, 0};
  for (int row = id; row < rows; row += threads) {
    s = compensated_add(s, x[row * classes + labels[row]]);
  }
  float sum = sum_of_threads(s.sum, sums, id, threads, 1);
  float rest = sum_of_threads(s.rest, rests, id, threads, 1);
  if (id == 0) mean[0] = -(sum + rest) / rows;
}

kernel void nll_loss_gradient(
    global const float *dy, global const int *labels, global float *dx, int rows, int classes,
    int count) {
  int i = get_global_id(0);
  if (i >= count) return;
  dx[i] = i % classes == labels[i / classes] ? -dy[0] / rows : 0;
}

// The sum of each group's share of the elements.
kernel void mse_loss(
    global const float *x, global const float *target, global float *losses, int count) {
  local float sums[MOST_THREADS];
  int step = get_global_size(0);
  float sum = 0;
  for (long i = get_global_id(0); i < count; i += step) {
    float difference = x[i] - target[i];
    sum = fma(difference, difference, sum);
  }
  sum = sum_of_threads(sum, sums, get_local_id(0), get_local_size(0), 1);
  if (get_local_id(0) == 0) losses[get_group_id(0)] = sum;
}

kernel void mse_loss_gradient(
    global const float *dy, global const float *x, global const float *target, global float *dx,
    int count) {
  int i = get_global_id(0);
  if (i < count) dx[i] = 2 * dy[0] / count * (x[i] - target[i]);
}

kernel void binary_cross_entropy(
    global const float *x, global const float *target, global float *losses, int count) {
  local float sums[MOST_THREADS];
  int step = get_global_size(0);
  float sum = 0;
  for (long i = get_global_id(0); i < count; i += step) {
    float value = x[i];
    // Written so that NaN stays NaN.
    float positive = value < 0 ? 0 : value;
    sum += positive - value * target[i] + log1p(exp(-fabs(value)));
  }
  sum = sum_of_threads(sum, sums, get_local_id(0), get_local_size(0), 1);
  if (get_local_id(0) == 0) losses[get_group_id(0)] = sum;
}

kernel void binary_cross_entropy_gradients(
    global const float *dy, global const float *x, global const float *target, global float *dx,
    global float *d_target, int count) {
  int i = get_global_id(0);
  if (i >= count) return;
  float share = dy[0] / count;
  dx[i] = share * (1 / (1 + exp(-x[i])) - target[i]);
  d_target[i] = -share * x[i];
}

kernel void multi_margin_loss(
    global const float *x, global const int *labels, global float *losses, int rows, int classes,
    int lanes) {
  local float scratch[MOST_THREADS];
  int row = ROW, count = row < rows ? classes : 0, first = row < rows ? row * classes : 0;
  int label = row < rows ? labels[row] : 0;
  float score = row < rows ? x[first + label] : 0;
  float sum = 0;
  for (int i = LANE; i < count; i += lanes) {
    float margin = 1 - score + x[first + i];
    if (i != label && !(margin < 0)) sum += margin;
  }
  sum = sum_of_threads(sum, scratch, LANE, lanes, 1);
  if (LANE == 0 && row < rows) losses[row] = sum;
}

kernel void multi_margin_loss_gradient(
    global const float *dy, global const float *x, global const int *labels, global float *dx,
    int rows, int classes, int lanes) {
  local float scratch[MOST_THREADS];
  int row = ROW, count = row < rows ? classes : 0, first = row < rows ? row * classes : 0;
  int label = row < rows ? labels[row] : 0;
  float score = row < rows ? x[first + label] : 0;
  float share = dy[0] / ((float)rows * classes);
  float margins = 0;
  for (int i = LANE; i < count; i += lanes) {
    bool counts = i != label && 1 - score + x[first + i] > 0;
    margins += counts ? 1 : 0;
    if (i != label) dx[first + i] = counts ? share : 0;
  }
  margins = sum_of_threads(margins, scratch, LANE, lanes, 1);
  if (LANE == 0 && row < rows) dx[first + label] = -share * margins;
}
