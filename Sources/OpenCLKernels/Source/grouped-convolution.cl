// A convolution whose channels are divided into groups, and its gradients: one thread for each
// result, in plain loops. They are right for every convolution, with any strides and dilations.
//
// Macros of convolution-parts.cl (which the host puts in front, with RELU = POOL = DROPOUT = 0) and
// GROUPS. The weight is K × R × S × (C / GROUPS). Global sizes are rounded up to the local size.
//
// grouped_forward: arguments x, weight, bias, has_bias, y, elements of y: as many threads.
// grouped_input_gradient: dy, weight, dx, elements of dx: as many threads.
// grouped_weight_gradient: x, dy, dw, images, elements of dw: as many threads.

#define GROUP_C (C / GROUPS)
#define GROUP_K (K / GROUPS)

__kernel void grouped_forward(
    __global const float *x, __global const float *weight, __global const float *bias,
    int has_bias, __global float *y, int elements) {
  int at = get_global_id(0);
  if (at >= elements) return;
  int k = at % K, first = k / GROUP_K * GROUP_C;
  Pixel p = output_pixel(at / K);
  float sum = 0.0f;
  for (int r = 0; r < R; r++)
    for (int s = 0; s < S; s++) {
      int h = p.h * STRIDE_H - PADDING_H + r * DILATION_H;
      int w = p.w * STRIDE_W - PADDING_W + s * DILATION_W;
      if (h < 0 || h >= H || w < 0 || w >= W) continue;
      __global const float *pixel = x + ((p.image * H + h) * W + w) * C + first;
      __global const float *element = weight + ((k * R + r) * S + s) * GROUP_C;
      for (int c = 0; c < GROUP_C; c++) sum = fma(pixel[c], element[c], sum);
    }
  y[at] = has_bias ? sum + bias[k] : sum;
}

__kernel void grouped_input_gradient(
    __global const float *dy, __global const float *weight, __global float *dx, int elements) {
  int at = get_global_id(0);
  if (at >= elements) return;
  int c = at % C, w = at / C % W, h = at / C / W % H, image = at / C / W / H;
  int first = c / GROUP_C * GROUP_K;
  float sum = 0.0f;
  for (int r = 0; r < R; r++)
    for (int s = 0; s < S; s++) {
      int i = h + PADDING_H - r * DILATION_H, j = w + PADDING_W - s * DILATION_W;
      if (i < 0 || j < 0 || i % STRIDE_H != 0 || j % STRIDE_W != 0) continue;
      i /= STRIDE_H;
      j /= STRIDE_W;
      if (i >= OUTPUT_H || j >= OUTPUT_W) continue;
      __global const float *pixel = dy + ((image * OUTPUT_H + i) * OUTPUT_W + j) * K;
      for (int k = first; k < first + GROUP_K; k++)
        sum = fma(pixel[k], weight[((k * R + r) * S + s) * GROUP_C + c % GROUP_C], sum);
    }
  dx[at] = sum;
}

__kernel void grouped_weight_gradient(
    __global const float *x, __global const float *dy, __global float *dw, int images,
    int elements) {
  int at = get_global_id(0);
  if (at >= elements) return;
  int c = at % GROUP_C, s = at / GROUP_C % S, r = at / GROUP_C / S % R, k = at / GROUP_C / S / R;
  c += k / GROUP_K * GROUP_C;
  float sum = 0.0f;
  for (int image = 0; image < images; image++)
    for (int i = 0; i < OUTPUT_H; i++) {
      int h = i * STRIDE_H - PADDING_H + r * DILATION_H;
      if (h < 0 || h >= H) continue;
      for (int j = 0; j < OUTPUT_W; j++) {
        int w = j * STRIDE_W - PADDING_W + s * DILATION_W;
        if (w < 0 || w >= W) continue;
        sum = fma(
            x[((image * H + h) * W + w) * C + c],
            dy[((image * OUTPUT_H + i) * OUTPUT_W + j) * K + k], sum);
      }
    }
  dw[at] = sum;
}
