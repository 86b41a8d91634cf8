// The gradients of a convolution by its input, weight and bias. RELU and POOL say how the gradient of
// the convolution's result follows from dy, see Gradient in convolution-parts.cl.
//
// The host puts convolution-parts.cl, tensor-cores.cl and products-core.cl in front, and defines
// INPUT_GRADIENT or WEIGHT_GRADIENT.
//
// input_gradient: the pixels of dx whose row and column have the same
//   rest after division by the stride; all of them if the stride is 1. The host starts it once for
//   each pair of rests (h, w), STRIDE_H × STRIDE_W times.
//   Arguments: dy, y, codes, scale, weight, dx, images,
//     rest_h, count_h: the rows rest_h + i · STRIDE_H, i < count_h, of an image; count_h > 0
//     tap_h, every_h, taps_h: the kernel rows tap_h + j · every_h, j < taps_h, that these meet
//     origin_h, step_h: they meet the rows i + origin_h - j · step_h of dy
//     the same six for columns.
//   With g = gcd(STRIDE_H, DILATION_H): every_h = STRIDE_H / g, step_h = DILATION_H / g; tap_h is the
//   least r with (rest_h + PADDING_H - r · DILATION_H) % STRIDE_H == 0, origin_h that number divided
//   by STRIDE_H; taps_h = ⌈(R - tap_h) / every_h⌉; without such an r < R, taps_h = 0.
//   Local size THREADS; groups ⌈images · count_h · count_w / BM⌉ × ⌈C / BN⌉.
//
// weight_gradient: sums over a part of the output pixels.
//   Arguments: x, dy, y, codes, scale, dw, db, pixels, steps. `pixels`: output pixels of all images.
//   `steps`: steps of BK pixels for a group. dw is parts × K × R × S × C, db parts × K; with
//   more than one part, `sum_parts` follows. Macro BIAS: whether db is written.
//   THREADS must be a multiple of BM / 4 and of BN / 4.
//   Local size THREADS; groups ⌈R · S · C / BM⌉ × ⌈K / BN⌉ × parts.

#if defined(INPUT_GRADIENT)

// Where the taps of a step lie, see the arguments.
typedef struct {
  int tap, every, taps, origin, step;
} Axis;

// The place of a step: filters from `k` at the tap (a, b); if K is not a multiple of 4, `k` counts
// the elements of all taps.
typedef struct {
  int k, a, b;
} Step;

// The pixel `after` rows of the tile after another one. In a wide image that is the same line or the
// next one: nothing has to be divided.
INLINE Pixel pixel_from(Pixel p, int after, int count_h, int count_w) {
  p.w += after;
  if (count_w >= BM) {
    if (p.w >= count_w) {
      p.w -= count_w;
      if (++p.h == count_h) {
        p.h = 0;
        p.image++;
      }
    }
  } else {
    int lines = p.w / count_w;
    p.w -= lines * count_w;
    p.h += lines;
    int images = p.h / count_h;
    p.h -= images * count_h;
    p.image += images;
  }
  return p;
}

// Moves the left operand of a step to local memory: at once if it is copied, else to `v`.
INLINE void load_gradients(
    float4 *v, __local float *a, Gradient d, const Pixel *corners, Step step, Axis vertical, Axis horizontal,
    int thread) {
  UNROLL for (int l = 0; l < LOADS_A; l++) {
    int e = thread + l * THREADS, first = step.k + ELEMENT_OF_A(e);
    Pixel p;
    p.image = corners[l].image;
#if K % 4 == 0
    p.h = corners[l].h - step.a * vertical.step;
    p.w = corners[l].w - step.b * horizontal.step;
    bool inside = (uint)p.h < (uint)OUTPUT_H && (uint)p.w < (uint)OUTPUT_W && first < K;
#if ASYNC_A
    int place = ((p.image * OUTPUT_H + p.h) * OUTPUT_W + p.w) * K + first;
    if (HAS_A(e)) copy(a, PLACE_OF_A(e), d.dy + (inside ? place : 0), inside);
#else
    v[l] = 0.0f;
    if (inside) v[l] = gradient4(d, p, first);
#endif
#else
    float f[4];
    UNROLL for (int u = 0; u < 4; u++) {
      int tap = (first + u) / K, a = tap / max(1, horizontal.taps), b = tap - a * horizontal.taps;
      p.h = corners[l].h - a * vertical.step;
      p.w = corners[l].w - b * horizontal.step;
      bool inside =
          (uint)p.h < (uint)OUTPUT_H && (uint)p.w < (uint)OUTPUT_W && a < vertical.taps;
      f[u] = inside ? gradient(d, p, first + u - tap * K) : 0.0f;
    }
    v[l] = (float4)(f[0], f[1], f[2], f[3]);
#endif
  }
}

// The same for the right operand.
INLINE void load_weights(
    float4 *v, __local float *tile, __global const float *weight, int column, Step step,
    Axis vertical, Axis horizontal, int thread) {
  UNROLL for (int l = 0; l < LOADS_B; l++) {
    int e = thread + l * THREADS, c = column + COLUMN_OF_B(e), k = step.k + ELEMENT_OF_B(e);
    int a = step.a, b = step.b;
#if K % 4 != 0
    int tap = k / K;
    k -= tap * K;
    a = tap / max(1, horizontal.taps);
    b = tap - a * horizontal.taps;
#endif
    int r = vertical.tap + a * vertical.every, s = horizontal.tap + b * horizontal.every;
    bool is_there = c < C && k < K && a < vertical.taps;
    __global const float *from = weight + (is_there ? ((k * R + r) * S + s) * C + c : 0);
#if ASYNC_B
    if (HAS_B(e)) copy(tile, PLACE_OF_B(e), from, is_there);
#else
    v[l] = 0.0f;
#if C % 4 == 0
    if (HAS_B(e) && is_there) v[l] = *(__global const float4 *)from;
#else
    if (HAS_B(e) && is_there) v[l] = load_some(from, C - c);
#endif
#endif
  }
}

__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1)))
void input_gradient(
    __global const float *dy, __global const float *y, __global const uchar *codes, float scale,
    __global const float *weight, __global float *dx, int images, int rest_h, int count_h,
    int tap_h, int every_h, int taps_h, int origin_h, int step_h, int rest_w, int count_w,
    int tap_w, int every_w, int taps_w, int origin_w, int step_w) {
  __local float a[2][FLOATS_A] __attribute__((aligned(16)));
  __local float b[2][FLOATS_B] __attribute__((aligned(16)));
  EXCHANGE(THREADS)
  int thread = get_local_id(0), row = get_group_id(0) * BM, column = get_group_id(1) * BN;
  int rows = images * count_h * count_w;
  Gradient d = {dy, y, codes, scale};
  Axis vertical = {tap_h, every_h, taps_h, origin_h, step_h};
  Axis horizontal = {tap_w, every_w, taps_w, origin_w, step_w};

  int first_line = row / count_w;
  Pixel start, corners[LOADS_A];
  start.image = first_line / count_h;
  start.h = first_line - start.image * count_h;
  start.w = row - first_line * count_w;
  UNROLL for (int l = 0; l < LOADS_A; l++) {
    int e = thread + l * THREADS;
    corners[l] = pixel_from(start, ROW_OF_A(e), count_h, count_w);
    corners[l].h += origin_h;
    corners[l].w += origin_w;
    if (row + ROW_OF_A(e) >= rows || !HAS_A(e)) corners[l].h = -(1 << 20);
  }

#if K % 4 == 0
  int count = (K + BK - 1) / BK * taps_h * taps_w;
#else
  int count = (K * taps_h * taps_w + BK - 1) / BK;
#endif
  Step step = {0, 0, 0};
  float results[BLOCKS_M][BLOCKS_N][4][COLUMNS];
  clear(results);
  float4 from_dy[LOADS_A], from_weight[LOADS_B];
  for (int i = 0; i <= count; i++) {
    if (i < count) {
      load_gradients(from_dy, a[i & 1], d, corners, step, vertical, horizontal, thread);
      load_weights(
          from_weight, b[i & 1], weight, column, step, vertical, horizontal, thread);
#if K % 4 == 0
      if (++step.b == taps_w) {
        step.b = 0;
        if (++step.a == taps_h) {
          step.a = 0;
          step.k += BK;
        }
      }
#else
      step.k += BK;
#endif
    }
    if (i > 0) add_product(results, a[(i - 1) & 1], b[(i - 1) & 1], thread EXCHANGE_ARGUMENT);
    if (i < count) {
      put_a(a[i & 1], from_dy, thread);
      put_b(b[i & 1], from_weight, thread);
    }
    finish_copies();
    barrier(CLK_LOCAL_MEM_FENCE);
  }

  UNROLL for (int i = 0; i < BLOCKS_M; i++)
    UNROLL for (int r = 0; r < 4; r++) {
      int m = first_row(thread, i) + r;
      Pixel p = pixel_from(start, m, count_h, count_w);
      int h = p.h * STRIDE_H + rest_h, w = p.w * STRIDE_W + rest_w;
      if (row + m < rows) {
        UNROLL for (int j = 0; j < BLOCKS_N; j++)
          UNROLL for (int q = 0; q < COLUMNS; q += 4) {
            int n = column + first_column(thread, j) + q;
            float4 v = (float4)(
                results[i][j][r][q], results[i][j][r][q + 1], results[i][j][r][q + 2],
                results[i][j][r][q + 3]);
            __global float *to = dx + ((p.image * H + h) * W + w) * C + n;
#if C % 4 == 0
            if (n < C) *(__global float4 *)to = v;
#else
            store_some(to, v, C - n);
#endif
          }
      }
    }
}

#elif defined(WEIGHT_GRADIENT)

// The kernel element of the first of a thread's four rows: they are the same in all steps.
typedef struct {
  int m, h, w, c;
} Tap;

INLINE Tap tap_of(int m) {
  Tap t;
  t.m = m;
  int tap = m / C;
  t.c = m - tap * C;
  t.h = tap / S * DILATION_H - PADDING_H;
  t.w = tap % S * DILATION_W - PADDING_W;
  return t;
}

INLINE Pixel pixel_at(int number) {
  Pixel p;
  p.image = number / OUTPUT_PIXELS;
  int rest = number - p.image * OUTPUT_PIXELS;
  p.h = rest / OUTPUT_W;
  p.w = rest - p.h * OUTPUT_W;
  return p;
}

INLINE float input_at(__global const float *x, Pixel p, Tap t) {
  int h = p.h * STRIDE_H + t.h, w = p.w * STRIDE_W + t.w;
  bool inside = (uint)h < (uint)H && (uint)w < (uint)W && t.m < PATCH;
  return inside ? x[((p.image * H + h) * W + w) * C + t.c] : 0.0f;
}

// Where four kernel elements' inputs at an output pixel are; -1 if they are outside.
INLINE int place_of_inputs(Pixel p, Tap t) {
  int h = p.h * STRIDE_H + t.h, w = p.w * STRIDE_W + t.w;
  bool inside = (uint)h < (uint)H && (uint)w < (uint)W && t.m < PATCH;
  return inside ? ((p.image * H + h) * W + w) * C + t.c : -1;
}

// These inputs.
INLINE float4 inputs_at(__global const float *x, Pixel p, Tap t) {
#if C % 4 == 0
  int place = place_of_inputs(p, t);
  if (place >= 0) return *(__global const float4 *)(x + place);
  return (float4)0.0f;
#else
  return (float4)(
      input_at(x, p, t), input_at(x, p, tap_of(t.m + 1)), input_at(x, p, tap_of(t.m + 2)),
      input_at(x, p, tap_of(t.m + 3)));
#endif
}

INLINE float4 gradients_at(Gradient d, Pixel p, int k) {
#if K % 4 == 0
  return k < K ? gradient4(d, p, k) : (float4)0.0f;
#else
  float f[4];
  UNROLL for (int u = 0; u < 4; u++) f[u] = k + u < K ? gradient(d, p, k + u) : 0.0f;
  return (float4)(f[0], f[1], f[2], f[3]);
#endif
}

__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1)))
void weight_gradient(
    __global const float *x, __global const float *dy, __global const float *y,
    __global const uchar *codes, float scale, __global float *dw, __global float *db, int pixels,
    int steps) {
  __local float a[2][FLOATS_A] __attribute__((aligned(16)));
  __local float b[2][FLOATS_B] __attribute__((aligned(16)));
  EXCHANGE(THREADS)
  int thread = get_local_id(0);
  int row = get_group_id(0) * BM, column = get_group_id(1) * BN, part = get_group_id(2);
  Gradient d = {dy, y, codes, scale};
  Tap tap = tap_of(row + ROW_OF_A(thread));
  int k = column + COLUMN_OF_B(thread);

  int first = part * steps, count = min(steps, (pixels + BK - 1) / BK - first);
  float results[BLOCKS_M][BLOCKS_N][4][COLUMNS];
  clear(results);
  float4 from_x[LOADS_A], from_dy[LOADS_B], sum = 0.0f;
  for (int i = 0; i <= count; i++) {
    if (i < count) {
      UNROLL for (int l = 0; l < LOADS_A; l++) {
        int e = thread + l * THREADS, number = (first + i) * BK + ELEMENT_OF_A(e);
#if ASYNC_A
        int place = number < pixels ? place_of_inputs(pixel_at(number), tap) : -1;
        if (HAS_A(e)) copy(a[i & 1], PLACE_OF_A(e), x + max(place, 0), place >= 0);
#else
        from_x[l] = 0.0f;
        if (HAS_A(e) && number < pixels) from_x[l] = inputs_at(x, pixel_at(number), tap);
#endif
      }
      UNROLL for (int l = 0; l < LOADS_B; l++) {
        int e = thread + l * THREADS, number = (first + i) * BK + ELEMENT_OF_B(e);
#if ASYNC_B
        bool is_there = number < pixels && k < K;
        if (HAS_B(e)) copy(b[i & 1], PLACE_OF_B(e), dy + (is_there ? number * K + k : 0), is_there);
#else
        from_dy[l] = 0.0f;
        if (HAS_B(e) && number < pixels) from_dy[l] = gradients_at(d, pixel_at(number), k);
#endif
      }
    }
    if (i > 0) add_product(results, a[(i - 1) & 1], b[(i - 1) & 1], thread EXCHANGE_ARGUMENT);
    if (i < count) {
      put_a(a[i & 1], from_x, thread);
      put_b(b[i & 1], from_dy, thread);
#if BIAS && !ASYNC_B
      UNROLL for (int l = 0; l < LOADS_B; l++) sum += from_dy[l];
#endif
    }
    finish_copies();
    barrier(CLK_LOCAL_MEM_FENCE);
  }

#if BIAS
  // The threads' sums of a column, in the order of threads; the first groups write them.
  __local float *sums = (__local float *)a;
  ((__local float4 *)sums)[thread] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  if (thread < BN && column + thread < K && row == 0) {
    float total = 0.0f;
    for (int i = thread; i < 4 * THREADS; i += BN) total += sums[i];
    db[part * K + column + thread] = total;
  }
#endif
  dw += (size_t)part * K * PATCH;
  UNROLL for (int i = 0; i < BLOCKS_M; i++)
    UNROLL for (int j = 0; j < BLOCKS_N; j++)
      UNROLL for (int q = 0; q < COLUMNS; q++) {
        int m = row + first_row(thread, i), n = column + first_column(thread, j) + q;
        float4 v = (float4)(
            results[i][j][0][q], results[i][j][1][q], results[i][j][2][q], results[i][j][3][q]);
        if (m < PATCH && n < K) {
#if C % 4 == 0
          *(__global float4 *)(dw + n * PATCH + m) = v;
#else
          store_some(dw + n * PATCH + m, v, PATCH - m);
#endif
        }
      }
}

#endif
