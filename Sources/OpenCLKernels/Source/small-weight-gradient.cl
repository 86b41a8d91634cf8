// The gradients by weight and bias of a convolution with few inputs, as the first one of a network:
// C · R · S up to 32 or so, K a multiple of 4 of up to 1024. All that takes time is to read dy.
//
// A group takes TILE_H × TILE_W output pixels of an image after another (with POOL, both even). It
// keeps the input that they meet in local memory. A thread owns four filters, and every SLOTSth
// pixel; the sums of a group's threads are added at its end, in order.
//
// The host puts convolution-parts.cl in front.
// Macros: those of convolution-parts.cl; TILE_H, TILE_W; BIAS.
//
// small_weight_gradient: Arguments: x, dy, y, codes, scale, dw, db, tiles, steps. `tiles`:
//   ⌈OUTPUT_H / TILE_H⌉ · ⌈OUTPUT_W / TILE_W⌉ · images. `steps`: tiles of a group. dw is parts × K ×
//   R × S × C, db parts × K; with more than one part, `sum_parts` follows. No part may be empty.
//   Local size 256; groups: parts × ⌈(C · R · S + BIAS) / 16⌉, each of the second for 16 elements of
//   the kernel. Local memory: 16 KB and the input's tile, in floats.

#define THREADS 256
#define VECTORS (K / 4)
#define SLOTS (THREADS / VECTORS)

#define INPUT_TILE_H ((TILE_H - 1) * STRIDE_H + (R - 1) * DILATION_H + 1)
#define INPUT_TILE_W ((TILE_W - 1) * STRIDE_W + (S - 1) * DILATION_W + 1)
#define INPUT_ROW (INPUT_TILE_W * C)

#define TILES_H ((OUTPUT_H + TILE_H - 1) / TILE_H)
#define TILES_W ((OUTPUT_W + TILE_W - 1) / TILE_W)

// The elements of a thread: 16 of the kernel, the bias as the last one.
#define ELEMENTS (PATCH + BIAS)
#define ELEMENTS_EACH (ELEMENTS < 16 ? ELEMENTS : 16)

// Elements that are added up at once.
#define AT_ONCE 4

// Pixels (or windows of pooling) that a thread reads at once.
#define IN_FLIGHT 4

#if POOL
#define PLACES_H (TILE_H / 2)
#define PLACES_W (TILE_W / 2)
#else
#define PLACES_H TILE_H
#define PLACES_W TILE_W
#endif
#define PLACES (PLACES_H * PLACES_W)

// Adds what a pixel's gradients give: `x` is the first input that the pixel meets.
INLINE void add_pixel(float4 sums[ELEMENTS_EACH], float4 d, __local const float *x, int first) {
#pragma unroll
  for (int i = 0; i < ELEMENTS_EACH; i++) {
    int e = first + i, tap = e / C, c = e - tap * C;
    int place = tap / S * DILATION_H * INPUT_ROW + tap % S * DILATION_W * C + c;
    float v = BIAS && e >= PATCH ? 1.0f : x[e < PATCH ? place : 0];
    sums[i] = fma(d, (float4)v, sums[i]);
  }
}

__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1)))
void small_weight_gradient(
    __global const float *x, __global const float *dy, __global const float *y,
    __global const uchar *codes, float scale, __global float *dw, __global float *db, int tiles,
    int steps) {
  __local float input[INPUT_TILE_H * INPUT_ROW];
  __local float4 exchanged[AT_ONCE * THREADS];
  int thread = get_local_id(0), part = get_group_id(0);
  int vector = thread % VECTORS, slot = thread / VECTORS;
  int first_element = ELEMENTS > 16 ? (int)get_group_id(1) * 16 : 0;
  float4 sums[ELEMENTS_EACH];
#pragma unroll
  for (int i = 0; i < ELEMENTS_EACH; i++) sums[i] = 0.0f;

  int first = part * steps, count = min(steps, tiles - first);
  for (int number = first; number < first + count; number++) {
    int line = number / TILES_W, image = line / TILES_H;
    int h = (line - image * TILES_H) * TILE_H, w = (number - line * TILES_W) * TILE_W;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int e = thread; e < INPUT_TILE_H * INPUT_ROW; e += THREADS) {
      int row = e / INPUT_ROW, rest = e - row * INPUT_ROW;
      int at_h = h * STRIDE_H - PADDING_H + row, at_w = w * STRIDE_W - PADDING_W + rest / C;
      bool inside = (uint)at_h < (uint)H && (uint)at_w < (uint)W;
      input[e] = inside ? x[((image * H + at_h) * W + at_w) * C + rest % C] : 0.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);

    h /= POOL + 1;
    w /= POOL + 1;
    for (int begin = slot; begin < PLACES; begin += IN_FLIGHT * SLOTS) {
      float4 d[IN_FLIGHT];
#if POOL
      uchar4 code[IN_FLIGHT];
#elif RELU
      float4 after[IN_FLIGHT];
#endif
#pragma unroll
      for (int i = 0; i < IN_FLIGHT; i++) {
        int p = begin + i * SLOTS, row = p / PLACES_W, column = p - row * PLACES_W;
        bool inside = p < PLACES && h + row < RESULT_H && w + column < RESULT_W && slot < SLOTS;
        int place = ((image * RESULT_H + h + row) * RESULT_W + w + column) * K + 4 * vector;
        d[i] = 0.0f;
        if (inside) d[i] = *(__global const float4 *)(dy + place);
#if POOL
        code[i] = DEAD_PIXEL;
        if (inside) code[i] = *(__global const uchar4 *)(codes + place);
#elif RELU
        after[i] = 0.0f;
        if (inside) after[i] = *(__global const float4 *)(y + place);
#endif
      }
#pragma unroll
      for (int i = 0; i < IN_FLIGHT; i++) {
        int p = min(begin + i * SLOTS, PLACES - 1), row = p / PLACES_W, column = p - row * PLACES_W;
#if POOL
        int4 q = convert_int4(code[i]);
        for (int pixel = 0; pixel < 4; pixel++)
          add_pixel(
              sums, select((float4)0.0f, d[i] * scale, q == (int4)pixel),
              input + (2 * row + pixel / 2) * STRIDE_H * INPUT_ROW +
                  (2 * column + pixel % 2) * STRIDE_W * C,
              first_element);
#else
#if RELU
        d[i] = select((float4)0.0f, d[i], after[i] > 0.0f);
#endif
        add_pixel(
            sums, d[i], input + row * STRIDE_H * INPUT_ROW + column * STRIDE_W * C, first_element);
#endif
      }
    }
  }

#pragma unroll
  for (int begin = 0; begin < ELEMENTS_EACH; begin += AT_ONCE) {
    barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
    for (int i = 0; i < AT_ONCE; i++)
      if (begin + i < ELEMENTS_EACH) exchanged[i * THREADS + thread] = sums[begin + i];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int at = thread; at < AT_ONCE * K; at += THREADS) {
      int i = at / K, k = at - i * K, e = first_element + begin + i;
      __local const float *from = (__local const float *)(exchanged + i * THREADS) + k;
      if (begin + i < ELEMENTS_EACH && e < ELEMENTS) {
        float total = 0.0f;
        for (int s = 0; s < SLOTS; s++) total += from[s * K];
        if (e < PATCH) dw[(size_t)part * K * PATCH + k * PATCH + e] = total;
#if BIAS
        else db[part * K + k] = total;
#endif
      }
    }
  }
}
