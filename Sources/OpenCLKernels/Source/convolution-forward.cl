// y = epilogue(x ∗ weight + bias).
//
// The host puts convolution-parts.cl, tensor-cores.cl and products-core.cl in front, and defines FORWARD.
//
// forward: macros of products-core.cl and convolution-parts.cl, BIAS, SAVES (codes of pooling are
//   written), SPLIT (0 or 1: sums of parts of the reduction are written instead of results).
//   Arguments: x, weight, bias, y, codes, rows, steps, threshold, low, high, scale. `rows`: output
//   pixels of all images (with POOL, those of whole windows). `steps`: steps of the reduction for a
//   group, all of them without SPLIT. With SPLIT y is parts × rows × K. Buffers that are not needed
//   may be any.
//   Local size THREADS; groups ⌈rows / BM⌉ × ⌈K / BN⌉ × parts.
//   Steps in all: C % 4 == 0 ? ⌈C / BK⌉ · R · S : ⌈C · R · S / BK⌉.
// forward_sums (with SPLIT): adds up the parts in order and does what follows.
//   Arguments: parts, bias, y, codes, rows, count of parts, threshold, low, high, scale. Macro
//   SUM_SHARES: a power of 2 up to 256, 16 if undefined; fewer for few parts of many results.
//   Local size 256; groups ⌈⌈rows / 4⌉ · ⌈K / 4⌉ / (256 / SUM_SHARES)⌉.

#define TAPS (R * S)

// The place of a step in the reduction: channels from `c` at the kernel's pixel (a, b). Kernel pixels
// change fastest, so that neighbours' channels are still in the cache. If C is not a multiple of 4,
// `c` counts the elements of the patch.
typedef struct {
  int c, a, b;
} Step;

INLINE Step first_step(int number) {
  Step s;
#if C % 4 == 0
  int chunk = number / TAPS, tap = number - chunk * TAPS;
  s.c = chunk * BK;
  s.a = tap / S;
  s.b = tap - s.a * S;
#else
  s.c = number * BK;
  s.a = s.b = 0;
#endif
  return s;
}

INLINE void advance(Step *s) {
#if C % 4 == 0
  if (++s->b < S) return;
  s->b = 0;
  if (++s->a < R) return;
  s->a = 0;
#endif
  s->c += BK;
}

// Moves the left operand of a step to local memory: at once if `a` is not null, else to `v`.
INLINE void load_pixels(
    float4 *v, __local float *a, __global const float *x, const Pixel *corners, Step step,
    int thread) {
  UNROLL for (int l = 0; l < LOADS_A; l++) {
    int e = thread + l * THREADS, first = step.c + ELEMENT_OF_A(e);
#if C % 4 == 0
    int h = corners[l].h + step.a * DILATION_H, w = corners[l].w + step.b * DILATION_W;
    bool inside = (uint)h < (uint)H && (uint)w < (uint)W && first < C;
    __global const float *from =
        x + (inside ? ((corners[l].image * H + h) * W + w) * C + first : 0);
#if ASYNC_A
    if (HAS_A(e)) copy(a, PLACE_OF_A(e), from, inside);
#else
    v[l] = 0.0f;
    if (inside) v[l] = *(__global const float4 *)from;
#endif
#else
    float f[4];
    UNROLL for (int u = 0; u < 4; u++) {
      int tap = (first + u) / C, c = first + u - tap * C, a = tap / S, b = tap - a * S;
      int h = corners[l].h + a * DILATION_H, w = corners[l].w + b * DILATION_W;
      bool inside = (uint)h < (uint)H && (uint)w < (uint)W && tap < TAPS;
      f[u] = inside ? x[((corners[l].image * H + h) * W + w) * C + c] : 0.0f;
    }
    v[l] = (float4)(f[0], f[1], f[2], f[3]);
#endif
  }
}

// The same for the right operand.
INLINE void load_weights(
    float4 *v, __local float *b, __global const float *weight, int column, Step step, int thread) {
  UNROLL for (int l = 0; l < LOADS_B; l++) {
    int e = thread + l * THREADS, k = column + COLUMN_OF_B(e), first = step.c + ELEMENT_OF_B(e);
#if C % 4 == 0
    bool is_there = k < K && first < C;
    __global const float *from =
        weight + (is_there ? k * PATCH + (step.a * S + step.b) * C + first : 0);
#if ASYNC_B
    if (HAS_B(e)) copy(b, PLACE_OF_B(e), from, is_there);
#else
    v[l] = 0.0f;
    if (HAS_B(e) && is_there) v[l] = *(__global const float4 *)from;
#endif
#else
    v[l] = 0.0f;
    if (HAS_B(e) && k < K && first < PATCH)
      v[l] = load_some(weight + k * PATCH + first, PATCH - first);
#endif
  }
}

__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1)))
void forward(
    __global const float *x, __global const float *weight, __global const float *bias,
    __global float *y, __global uchar *codes, int rows, int steps, uint threshold, uint low,
    uint high, float scale) {
  __local float a[2][FLOATS_A] __attribute__((aligned(16)));
  __local float b[2][FLOATS_B] __attribute__((aligned(16)));
  EXCHANGE(THREADS)
  int thread = get_local_id(0);
  int row = get_group_id(0) * BM, column = get_group_id(1) * BN, part = get_group_id(2);

  Pixel corners[LOADS_A];
  UNROLL for (int l = 0; l < LOADS_A; l++) {
    int e = thread + l * THREADS, m = row + ROW_OF_A(e);
    corners[l] = output_pixel(m);
    corners[l].h = m < rows && HAS_A(e) ? corners[l].h * STRIDE_H - PADDING_H : -(1 << 20);
    corners[l].w = corners[l].w * STRIDE_W - PADDING_W;
  }

#if C % 4 == 0
  int all = (C + BK - 1) / BK * TAPS;
#else
  int all = (PATCH + BK - 1) / BK;
#endif
  int first = part * steps, count = min(steps, all - first);
  Step step = first_step(first);
  float results[BLOCKS_M][BLOCKS_N][4][COLUMNS];
  clear(results);
  float4 from_x[LOADS_A], from_weight[LOADS_B];
  for (int i = 0; i <= count; i++) {
    if (i < count) {
      load_pixels(from_x, a[i & 1], x, corners, step, thread);
      load_weights(from_weight, b[i & 1], weight, column, step, thread);
      advance(&step);
    }
    if (i > 0) add_product(results, a[(i - 1) & 1], b[(i - 1) & 1], thread EXCHANGE_ARGUMENT);
    if (i < count) {
      put_a(a[i & 1], from_x, thread);
      put_b(b[i & 1], from_weight, thread);
    }
    finish_copies();
    barrier(CLK_LOCAL_MEM_FENCE);
  }

  Rule rule = {threshold, low, high, scale};
  UNROLL for (int i = 0; i < BLOCKS_M; i++)
    UNROLL for (int j = 0; j < BLOCKS_N; j++)
      UNROLL for (int q = 0; q < COLUMNS; q += 4) {
        int m = row + first_row(thread, i), n = column + first_column(thread, j) + q;
        float4 v[4];
        UNROLL for (int r = 0; r < 4; r++)
          v[r] = (float4)(
              results[i][j][r][q], results[i][j][r][q + 1], results[i][j][r][q + 2],
              results[i][j][r][q + 3]);
#if SPLIT
        UNROLL for (int r = 0; r < 4; r++)
          if (m + r < rows && n < K)
            STORE_FILTERS(y + ((size_t)part * rows + m + r) * K + n, v[r], K - n);
#else
        finish(v, m, n, rows, bias, y, codes, rule);
#endif
      }
}

#if SPLIT

// Threads that share a result: each takes every SUM_SHARESth part.
#ifndef SUM_SHARES
#define SUM_SHARES 16
#endif
#define SUM_BLOCKS (256 / SUM_SHARES)

__kernel __attribute__((reqd_work_group_size(256, 1, 1)))
void forward_sums(
    __global const float *parts, __global const float *bias, __global float *y,
    __global uchar *codes, int rows, int count, uint threshold, uint low, uint high, float scale) {
  __local float4 sums[4 * 256];
  int thread = get_local_id(0), share = thread / SUM_BLOCKS, block = thread % SUM_BLOCKS;
  int at = get_group_id(0) * SUM_BLOCKS + block;
  int m = at / ((K + 3) / 4) * 4, n = at % ((K + 3) / 4) * 4;
  float4 v[4];
  UNROLL for (int r = 0; r < 4; r++) v[r] = 0.0f;
#pragma unroll 4
  for (int part = share; part < count; part += SUM_SHARES)
    UNROLL for (int r = 0; r < 4; r++)
      if (m + r < rows) v[r] += LOAD_FILTERS(parts + ((size_t)part * rows + m + r) * K + n, K - n);
  UNROLL for (int r = 0; r < 4; r++) sums[r * 256 + thread] = v[r];
  barrier(CLK_LOCAL_MEM_FENCE);

  // The sums of all shares, in order: a thread for each row of a block, then one for the block.
  for (int e = thread; e < 4 * SUM_BLOCKS; e += 256) {
    __local float4 *first = sums + e / SUM_BLOCKS * 256 + e % SUM_BLOCKS;
    float4 total = first[0];
    for (int i = 1; i < SUM_SHARES; i++) total += first[i * SUM_BLOCKS];
    first[0] = total;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if (share == 0) {
    Rule rule = {threshold, low, high, scale};
    UNROLL for (int r = 0; r < 4; r++) v[r] = sums[r * 256 + block];
    finish(v, m, n, rows, bias, y, codes, rule);
  }
}
#endif
