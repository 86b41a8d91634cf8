// forward_small: y = epilogue(x ∗ weight + bias) for kernels of few elements (C · R · S ≤ 32), where
// writing the result takes the time.
//
// Macros of convolution-parts.cl (which the host puts in front), BIAS, SAVES. Arguments: x, weight,
// bias, y, codes, rows, threshold, low, high, scale, as of `forward`. Each thread computes four
// channels of four pixels (or of a pooling window). Local size 128; groups: as many as make
// ⌈rows / 4⌉ · ⌈K / 4⌉ threads. The weights must fit into local memory: C·R·S · ⌈K / 4⌉ · 16 bytes.

#define VECTORS ((K + 3) / 4)

__kernel __attribute__((reqd_work_group_size(128, 1, 1)))
void forward_small(
    __global const float *x, __global const float *weight, __global const float *bias,
    __global float *y, __global uchar *codes, int rows, uint threshold, uint low, uint high,
    float scale) {
  // Four channels' weights for each element of the patch.
  __local float4 weights[PATCH * VECTORS];
  for (int i = get_local_id(0); i < PATCH * VECTORS * 4; i += 128) {
    int k = i / PATCH, e = i % PATCH;
    ((__local float *)weights)[e * VECTORS * 4 + k] = k < K ? weight[i] : 0.0f;
  }
  barrier(CLK_LOCAL_MEM_FENCE);

  int at = get_global_id(0), m = at / VECTORS * 4, vector = at % VECTORS;
  if (m >= rows) return;
  Pixel corners[4];
  float4 v[4];
  for (int i = 0; i < 4; i++) {
    corners[i] = output_pixel(min(m + i, rows - 1));
    corners[i].h = corners[i].h * STRIDE_H - PADDING_H;
    corners[i].w = corners[i].w * STRIDE_W - PADDING_W;
    v[i] = 0.0f;
  }
  for (int r = 0; r < R; r++)
    for (int s = 0; s < S; s++)
      for (int c = 0; c < C; c++) {
        float4 w = weights[((r * S + s) * C + c) * VECTORS + vector];
        for (int i = 0; i < 4; i++) {
          int ih = corners[i].h + r * DILATION_H, iw = corners[i].w + s * DILATION_W;
          bool inside = (uint)ih < (uint)H && (uint)iw < (uint)W;
          float pixel = inside ? x[((corners[i].image * H + ih) * W + iw) * C + c] : 0.0f;
          v[i] = fma((float4)pixel, w, v[i]);
        }
      }
  Rule rule = {threshold, low, high, scale};
  finish(v, m, vector * 4, rows, bias, y, codes, rule);
}
