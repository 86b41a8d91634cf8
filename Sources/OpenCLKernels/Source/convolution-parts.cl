// What the kernels of convolutions and linear layers share: extents, what follows a convolution, and
// the gradient of its result as the gradients' kernels see it.
//
// Images are channels-last (N × H × W × C), weights K × R × S × C. A linear layer is a convolution of
// images and kernels of one pixel. Tensors have fewer than 2³¹ elements, images at most 16383 rows
// and columns.
//
// Macros of the host: CHANNELS, HEIGHT, WIDTH, FILTERS, KERNEL_H, KERNEL_W, STRIDE_H, STRIDE_W,
// PADDING_H, PADDING_W, DILATION_H, DILATION_W; RELU, POOL, DROPOUT (0 or 1): what follows the
// convolution, in this order; FORWARD, INPUT_GRADIENT or WEIGHT_GRADIENT for a kernel that is a
// product of tiles; ASYNC (1 may be faster with CORE 1 and 2).

// The letters of ConvolutionExtents.
#define C CHANNELS
#define H HEIGHT
#define W WIDTH
#define K FILTERS
#define R KERNEL_H
#define S KERNEL_W

#define OUTPUT_H ((H + 2 * PADDING_H - DILATION_H * (R - 1) - 1) / STRIDE_H + 1)
#define OUTPUT_W ((W + 2 * PADDING_W - DILATION_W * (S - 1) - 1) / STRIDE_W + 1)
#define OUTPUT_PIXELS (OUTPUT_H * OUTPUT_W)
#define PATCH (R * S * C)

// The extents of the result, after pooling if any.
#if POOL
#define RESULT_H (OUTPUT_H / 2)
#define RESULT_W (OUTPUT_W / 2)
#else
#define RESULT_H OUTPUT_H
#define RESULT_W OUTPUT_W
#endif
#define RESULT_PIXELS (RESULT_H * RESULT_W)

// The code of a pooled pixel that has no gradient: ReLU or dropout set it to 0.
#define DEAD_PIXEL 4

#define INLINE static inline __attribute__((always_inline))

// The operands of a kernel's product, see products-core.cl. With ASYNC, tensors that need no change
// are copied past the registers.
#ifndef ASYNC
#define ASYNC 0
#endif
#if defined(FORWARD)
#define A_ALONG 1
#define B_ALONG 1
#define ASYNC_A (ASYNC && C % 4 == 0)
#define ASYNC_B (ASYNC && C % 4 == 0)
#elif defined(INPUT_GRADIENT)
#define A_ALONG 1
#define B_ALONG 0
#define ASYNC_A (ASYNC && !RELU && !POOL && K % 4 == 0)
#define ASYNC_B (ASYNC && C % 4 == 0)
#elif defined(WEIGHT_GRADIENT)
#define A_ALONG 0
#define B_ALONG 0
#define ASYNC_A (ASYNC && C % 4 == 0)
#define ASYNC_B (ASYNC && !RELU && !POOL && K % 4 == 0 && !BIAS)
#endif

// A pixel of an image. Pixels of rows that do not exist are outside of every image.
typedef struct {
  int image, h, w;
} Pixel;

// The pixel of row `m` of the result's matrix. With pooling, four rows are a window.
INLINE Pixel output_pixel(int m) {
  Pixel p;
#if POOL
  int window = m / 4;
  p.image = window / max(1, RESULT_PIXELS);
  int rest = window - p.image * RESULT_PIXELS;
  int h = rest / max(1, RESULT_W);
  p.h = 2 * h + ((m >> 1) & 1);
  p.w = 2 * (rest - h * RESULT_W) + (m & 1);
#else
  p.image = m / OUTPUT_PIXELS;
  int rest = m - p.image * OUTPUT_PIXELS;
  p.h = rest / OUTPUT_W;
  p.w = rest - p.h * OUTPUT_W;
#endif
  return p;
}

// Four floats from memory, or the first `count` of them.
INLINE float4 load_some(__global const float *from, int count) {
  return (float4)(
      count > 0 ? from[0] : 0.0f, count > 1 ? from[1] : 0.0f, count > 2 ? from[2] : 0.0f,
      count > 3 ? from[3] : 0.0f);
}
INLINE void store_some(__global float *to, float4 v, int count) {
  if (count > 0) to[0] = v.x;
  if (count > 1) to[1] = v.y;
  if (count > 2) to[2] = v.z;
  if (count > 3) to[3] = v.w;
}

// The same for four channels of the result from a multiple of 4: of `columns` that are left.
#if K % 4 == 0
#define LOAD_FILTERS(from, columns) (*(__global const float4 *)(from))
#define STORE_FILTERS(to, v, columns) (*(__global float4 *)(to) = (v))
#else
#define LOAD_FILTERS(from, columns) load_some(from, columns)
#define STORE_FILTERS(to, v, columns) store_some(to, v, columns)
#endif

// The elements of dropout's rule, see DropoutRule.
typedef struct {
  uint threshold, low, high;
  float scale;
} Rule;

// 0 for kept elements, -1 for dropped ones; `index` counts in the order N C H W.
INLINE int4 is_dropped(Rule rule, uint4 index) {
  uint4 z = index ^ rule.low;
  z = (z ^ (z >> 16)) * 0x7feb352du;
  z = z + rule.high;
  z = (z ^ (z >> 15)) * 0x846ca68bu;
  return (z ^ (z >> 16)) < rule.threshold;
}

// What is done to four rows from `m` and four columns from `n` of the matrix of `rows` rows: bias,
// ReLU, pooling, dropout. The result and the codes are written.
INLINE void finish(
    float4 v[4], int m, int n, int rows, __global const float *bias, __global float *y,
    __global uchar *codes, Rule rule) {
  int columns = K - n;
  if (columns <= 0 || m >= rows) return;
#if BIAS
  float4 b = LOAD_FILTERS(bias + n, columns);
  for (int i = 0; i < 4; i++) v[i] += b;
#endif
#if POOL
  // The first one among equals, the last NaN.
  int4 code = 0;
  for (int i = 1; i < 4; i++) {
    int4 is_larger = v[i] > v[0] || v[i] != v[i];
    v[0] = select(v[0], v[i], is_larger);
    code = select(code, (int4)i, is_larger);
  }
#if RELU
  code = select((int4)DEAD_PIXEL, code, v[0] > 0.0f);
#endif
  m /= 4;
  rows = m + 1;
#endif
  for (int i = 0; i < (POOL ? 1 : 4); i++) {
    if (m + i >= rows) break;
    float4 result = v[i];
#if RELU
    result = select(result, (float4)0.0f, result <= 0.0f);
#endif
#if DROPOUT
    int image = (m + i) / max(1, RESULT_PIXELS);
    uint first = (uint)(image * K + n) * RESULT_PIXELS + (m + i - image * RESULT_PIXELS);
    int4 dropped = is_dropped(rule, first + (uint4)(0, 1, 2, 3) * (uint)RESULT_PIXELS);
    result = select(result * rule.scale, (float4)0.0f, dropped);
#if POOL
    code = select(code, (int4)DEAD_PIXEL, dropped);
#endif
#endif
    int place = (m + i) * K + n;
    STORE_FILTERS(y + place, result, columns);
#if POOL && SAVES
#if K % 4 == 0
    *(__global uchar4 *)(codes + place) = convert_uchar4(code);
#else
    codes[place] = code.x;
    if (columns > 1) codes[place + 1] = code.y;
    if (columns > 2) codes[place + 2] = code.z;
    if (columns > 3) codes[place + 3] = code.w;
#endif
#endif
  }
}

// The gradient of the convolution's result before what follows: from that after it, dy.
//   neither RELU nor POOL: dy
//   RELU alone: dy where y > 0
//   POOL: dy · scale at the pixel that the code names
typedef struct {
  __global const float *dy, *y;
  __global const uchar *codes;
  float scale;
} Gradient;

// The gradient at a pixel inside the image, for a channel.
INLINE float gradient(Gradient d, Pixel p, int k) {
#if POOL
  if ((p.h >> 1) >= RESULT_H || (p.w >> 1) >= RESULT_W) return 0.0f;
  int place = ((p.image * RESULT_H + (p.h >> 1)) * RESULT_W + (p.w >> 1)) * K + k;
  return d.codes[place] == ((p.h & 1) * 2 + (p.w & 1)) ? d.dy[place] * d.scale : 0.0f;
#else
  int place = ((p.image * OUTPUT_H + p.h) * OUTPUT_W + p.w) * K + k;
#if RELU
  return d.y[place] > 0.0f ? d.dy[place] : 0.0f;
#else
  return d.dy[place];
#endif
#endif
}

// The same for four channels from `k`; K and k are multiples of 4.
INLINE float4 gradient4(Gradient d, Pixel p, int k) {
#if POOL
  if ((p.h >> 1) >= RESULT_H || (p.w >> 1) >= RESULT_W) return (float4)0.0f;
  int place = ((p.image * RESULT_H + (p.h >> 1)) * RESULT_W + (p.w >> 1)) * K + k;
  int4 code = convert_int4(*(__global const uchar4 *)(d.codes + place));
  float4 v = *(__global const float4 *)(d.dy + place) * d.scale;
  return select((float4)0.0f, v, code == (int4)((p.h & 1) * 2 + (p.w & 1)));
#else
  int place = ((p.image * OUTPUT_H + p.h) * OUTPUT_W + p.w) * K + k;
  float4 v = *(__global const float4 *)(d.dy + place);
#if RELU
  v = select((float4)0.0f, v, *(__global const float4 *)(d.y + place) > 0.0f);
#endif
  return v;
#endif
}
