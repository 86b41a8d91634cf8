// Operations on each element by itself, and copies between orders of elements.

kernel void fill(global float *y, float value, int count) {
  int i = get_global_id(0);
  if (i < count) y[i] = value;
}

// Row-major N x C x pixels to channels last.
kernel void channels_last(global const float *x, global float *y, int channels, int pixels, int count) {
  int i = get_global_id(0);
  if (i >= count) return;
  int c = i % channels, p = i / channels % pixels, n = i / channels / pixels;
  y[i] = x[(n * channels + c) * pixels + p];
}

// Channels last to row-major N x C x pixels.
kernel void channels_first(global const float *x, global float *y, int channels, int pixels, int count) {
  int i = get_global_id(0);
  if (i >= count) return;
  int p = i % pixels, c = i / pixels % channels, n = i / pixels / channels;
  y[i] = x[(n * pixels + p) * channels + c];
}

// The numbers that the bytes of some examples stand for.
// The examples of a batch, from the example `first` of an epoch on, and the labels of `rows` of them.
kernel void gather_bytes(
    global const uchar *bytes, global const float *values, global const int *indices,
    global const int *labels, int first, global float *y, global int *batch_labels, int rows, int size,
    int count) {
  int i = get_global_id(0);
  if (i < rows) batch_labels[i] = labels[first + i];
  if (i < count) y[i] = values[bytes[(size_t)indices[first + i / size] * size + i % size]];
}

// The first element of each of up to sixteen buffers, which are read together later.
kernel void collect(
    global const float *a0, global const float *a1, global const float *a2, global const float *a3,
    global const float *a4, global const float *a5, global const float *a6, global const float *a7,
    global const float *a8, global const float *a9, global const float *a10, global const float *a11,
    global const float *a12, global const float *a13, global const float *a14, global const float *a15,
    global float *y, int start, int count) {
  float x[16] = {*a0, *a1, *a2, *a3, *a4, *a5, *a6, *a7, *a8, *a9, *a10, *a11, *a12, *a13, *a14, *a15};
  for (int i = 0; i < count; i++) y[start + i] = x[i];
}
