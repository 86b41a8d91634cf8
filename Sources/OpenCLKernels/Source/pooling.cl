// Pooling of images with their channels last.

#ifdef CODE
// CODE is the type of the number of a pixel in its window, row by row.

// The largest pixel of each window: the first one among equals, and the last NaN.
kernel void max_pool(
    global const float *x, global float *y, global CODE *codes, int h, int w, int channels,
    int output_h, int output_w, int size, int stride, int count) {
  int i = get_global_id(0);
  if (i >= count) return;
  int c = i % channels, pixel = i / channels;
  int column = pixel % output_w, row = pixel / output_w % output_h, n = pixel / output_w / output_h;
  int corner = (n * h + row * stride) * w + column * stride;
  float largest = x[corner * channels + c];
  int code = 0;
  for (int r = 0; r < size; r++) {
    for (int s = 0; s < size; s++) {
      float value = x[(corner + r * w + s) * channels + c];
      if (value > largest || isnan(value)) {
        largest = value;
        code = r * size + s;
      }
    }
  }
  y[i] = largest;
  codes[i] = code;
}

// Each pixel adds up the gradients of the windows in which it is the largest.
kernel void max_pool_gradient(
    global const float *dy, global const CODE *codes, global float *dx, int h, int w, int channels,
    int output_h, int output_w, int size, int stride, int count) {
  int i = get_global_id(0);
  if (i >= count) return;
  int c = i % channels, pixel = i / channels;
  int s = pixel % w, r = pixel / w % h, n = pixel / w / h;
  int first_row = r < size ? 0 : (r - size) / stride + 1, last_row = min(r / stride, output_h - 1);
  int first_column = s < size ? 0 : (s - size) / stride + 1;
  int last_column = min(s / stride, output_w - 1);
  float sum = 0;
  for (int row = first_row; row <= last_row; row++) {
    for (int column = first_column; column <= last_column; column++) {
      int place = ((n * output_h + row) * output_w + column) * channels + c;
      int code = (r - row * stride) * size + s - column * stride;
      if (codes[place] == code) sum += dy[place];
    }
  }
  dx[i] = sum;
}
#endif

// The mean of each channel over the pixels of an image: a group has `width` channels of an image.
kernel void mean_of_pixels(
    global const float *x, global float *y, int pixels, int channels, int width) {
  local float scratch[MOST_THREADS];
  int id = get_local_id(0), rows = get_local_size(0) / width, row = id / width;
  int n = get_group_id(0), c = get_group_id(1) * width + id % width;
  int last = c < channels ? pixels : 0;
  float sum = 0;
  for (int p = row; p < last; p += rows) sum += x[(n * pixels + p) * channels + c];
  sum = sum_of_threads(sum, scratch, row, rows, width);
  if (row == 0 && c < channels) y[n * channels + c] = sum / pixels;
}

kernel void mean_of_pixels_gradient(
    global const float *dy, global float *dx, int pixels, int channels, int count) {
  int i = get_global_id(0);
  if (i >= count) return;
  int c = i % channels, n = i / channels / pixels;
  dx[i] = dy[n * channels + c] / pixels;
}

// `windows`: the first row of each row of windows, the row behind its last one, then the same of
// the columns. A divisor of 0 stands for the number of a window's pixels.
kernel void average_pool(
    global const float *x, global float *y, global const int *windows, int h, int w, int channels,
    int output_h, int output_w, int divisor, int count) {
  int i = get_global_id(0);
  if (i >= count) return;
  int c = i % channels, pixel = i / channels;
  int column = pixel % output_w, row = pixel / output_w % output_h, n = pixel / output_w / output_h;
  int top = windows[row], bottom = windows[output_h + row];
  int left = windows[2 * output_h + column], right = windows[2 * output_h + output_w + column];
  float sum = 0;
  for (int r = top; r < bottom; r++) {
    for (int s = left; s < right; s++) sum += x[((n * h + r) * w + s) * channels + c];
  }
  y[i] = sum / (divisor > 0 ? divisor : (bottom - top) * (right - left));
}

// `covers`: of each row of pixels the first row of windows that covers it, and the row behind the
// last one, then the same of the columns.
kernel void average_pool_gradient(
    global const float *dy, global float *dx, global const int *windows, global const int *covers,
    int h, int w, int channels, int output_h, int output_w, int divisor, int count) {
  int i = get_global_id(0);
  if (i >= count) return;
  int c = i % channels, pixel = i / channels;
  int s = pixel % w, r = pixel / w % h, n = pixel / w / h;
  int left = covers[2 * h + s], right = covers[2 * h + w + s];
  float sum = 0;
  for (int row = covers[r]; row < covers[h + r]; row++) {
    int rows = windows[output_h + row] - windows[row];
    for (int column = left; column < right; column++) {
      int columns = windows[2 * output_h + output_w + column] - windows[2 * output_h + column];
      sum += dy[((n * output_h + row) * output_w + column) * channels + c]
          / (divisor > 0 ? divisor : rows * columns);
    }
  }
  dx[i] = sum;
}
