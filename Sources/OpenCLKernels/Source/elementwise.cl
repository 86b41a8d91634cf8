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
