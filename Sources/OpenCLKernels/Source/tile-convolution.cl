// Convolutions of stride 1 and their input gradients, from a tile of the image in local memory: each
// pixel is fetched once for all taps of the kernel.
//
// The host puts convolution-parts.cl, tensor-cores.cl and tile-parts.cl in front (and
// front-convolution.cl with FRONT) and defines FORWARD or INPUT_GRADIENT. Macros: see there; BIAS,
// SAVES as of `forward` in convolution-forward.cl.
//
// Local size THREADS; groups images · TILES_H · TILES_W × ⌈TO_C / BAND⌉, where TILES_H =
// ⌈TO_H / TILE_H⌉ and TILES_W = ⌈TO_W / TILE_W⌉. With POOL, rows and columns without a window need
// no tile of their own: TO_H and TO_W are then rounded down to even numbers.
//
// tile_forward: y = epilogue(x ∗ weight + bias).
//   Arguments: x, packed weight, bias, y, codes, threshold, low, high, scale.
//   FRONT: x is the front's input, and the arguments end with the front's weight and bias.
// tile_input_gradient: dx from dy, see Gradient in convolution-parts.cl.
//   Arguments: dy, y, codes, scale, packed weight, dx.
//   FRONT: instead of dx, x of the front, its weight and bias, dw, db: the front's gradients in
//   parts, one for each group of the first dimension, to be added by sum_parts.
//
// The product's rows are channels of the result (the weights are the left operand, from global memory
// to registers), its columns pixels.

#define VECTORS (CHUNK / 4)
// Vectors that a thread fetches before it waits for the first.
#define FLIGHT 4

#if defined(INPUT_GRADIENT) && POOL

// The pooled gradient is fetched once for a window, and given to the pixel that its code names.
#define WINDOWS_W (PATCH_W / 2 + 1)
#define WINDOWS (WINDOWS_W * (PATCH_H / 2 + 1))

INLINE void load_patch(__local uint *patch, Gradient d, Tile tile, int channel, int thread) {
  for (int start = thread; start < WINDOWS * VECTORS; start += FLIGHT * THREADS) {
    float4 v[FLIGHT];
    uchar4 codes[FLIGHT];
    UNROLL for (int l = 0; l < FLIGHT; l++) {
      int e = start + l * THREADS, window = e / VECTORS;
      int h = (tile.top >> 1) + window / WINDOWS_W, w = (tile.left >> 1) + window % WINDOWS_W;
      bool inside = (uint)h < (uint)RESULT_H && (uint)w < (uint)RESULT_W;
      int place =
          inside ? ((tile.image * RESULT_H + h) * RESULT_W + w) * K + channel + e % VECTORS * 4 : 0;
      v[l] = *(__global const float4 *)(d.dy + place) * d.scale;
      codes[l] = *(__global const uchar4 *)(d.codes + place);
      if (!inside) codes[l] = (uchar4)DEAD_PIXEL;
    }
    UNROLL for (int l = 0; l < FLIGHT; l++) {
      int e = start + l * THREADS, window = e / VECTORS;
      int h = (tile.top >> 1 << 1) - tile.top + window / WINDOWS_W * 2;
      int w = (tile.left >> 1 << 1) - tile.left + window % WINDOWS_W * 2;
      int4 code = convert_int4(codes[l]);
      UNROLL for (int q = 0; q < 4; q++) {
        int i = h + (q >> 1), j = w + (q & 1);
        if ((uint)i < PATCH_H && (uint)j < PATCH_W && e < WINDOWS * VECTORS)
          put_vector(
              patch, i * PATCH_W + j, e % VECTORS, select((float4)0.0f, v[l], code == (int4)q));
      }
    }
  }
}

#elif !(defined(FORWARD) && FRONT)

#if defined(FORWARD)
typedef __global const float *Source;
#else
typedef Gradient Source;
#endif

INLINE void load_patch(__local uint *patch, Source from, Tile tile, int channel, int thread) {
  for (int start = thread; start < PATCH_PIXELS * VECTORS; start += FLIGHT * THREADS) {
    float4 v[FLIGHT];
    UNROLL for (int l = 0; l < FLIGHT; l++) {
      int e = start + l * THREADS, pixel = e / VECTORS;
      int h = tile.top + pixel / PATCH_W, w = tile.left + pixel % PATCH_W;
      bool inside = (uint)h < FROM_H && (uint)w < FROM_W && pixel < PATCH_PIXELS;
      int place = ((tile.image * FROM_H + h) * FROM_W + w) * FROM_C + channel + e % VECTORS * 4;
      v[l] = 0.0f;
#if defined(FORWARD)
      if (inside) v[l] = *(__global const float4 *)(from + place);
#else
      if (inside) v[l] = *(__global const float4 *)(from.dy + place);
#if RELU
      if (inside)
        v[l] = select(
            (float4)0.0f, v[l], *(__global const float4 *)(from.y + place) > (float4)0.0f);
#endif
#endif
    }
    UNROLL for (int l = 0; l < FLIGHT; l++) {
      int e = start + l * THREADS;
      if (e < PATCH_PIXELS * VECTORS) put_vector(patch, e / VECTORS, e % VECTORS, v[l]);
    }
  }
}

#endif

// The pixel of a tile as a pixel of its patch. Numbers beyond the tile may be any pixel.
INLINE int in_patch(int pixel) {
  pixel = min(pixel, TILE_PIXELS - 1);
  return pixel / TILE_W * PATCH_W + pixel % TILE_W;
}

#if CORE == 0

// Adds the product of a chunk's weights and of the patch; `weights` is moved to the next chunk. The
// thread has the pixels 2t and 2t + 1 of each block.
INLINE void add_products(
    float results[MT][NT][4], __local const uint *patch, __global const uint **weights, int thread) {
  int g = (thread & 31) >> 2, t = thread & 3, block = (thread >> 5) % WARPS_N * NT;
  __global const float *line = (__global const float *)*weights + CHANNEL_OF(g, 0);
  NO_UNROLL for (int tap = 0; tap < TAPS; tap++) {
    int offset = tap / S * PATCH_W + tap % S;
    NO_UNROLL for (int unit = 0; unit < CHUNK / 4; unit++) {
      // Four channels of `from`, for the thread's channels of the result.
      float w[4][2 * MT];
      UNROLL for (int c = 0; c < 4; c++)
        UNROLL for (int i = 0; i < 2 * MT; i++) w[c][i] = line[c * STRIP + i];
      line += 4 * STRIP;
      UNROLL for (int j = 0; j < NT; j++)
        UNROLL for (int x = 0; x < 2; x++) {
          int pixel = in_patch((block + j) * 8 + 2 * t + x) + offset;
          float4 v = *(__local const float4 *)(patch + unit_place(pixel_place(pixel), unit));
          UNROLL for (int i = 0; i < MT; i++)
            UNROLL for (int h = 0; h < 2; h++) {
              float sum = results[i][j][2 * h + x];
              sum = fma(w[0][2 * i + h], v.x, sum);
              sum = fma(w[1][2 * i + h], v.y, sum);
              sum = fma(w[2][2 * i + h], v.z, sum);
              results[i][j][2 * h + x] = fma(w[3][2 * i + h], v.w, sum);
            }
        }
    }
  }
  *weights += TAPS * CHUNK * STRIP;
}

#else

// AHEAD 1: the weights of the next slice are on their way during the products of a slice.
#ifndef AHEAD
#define AHEAD 1
#endif

// The thread's part of the left operands of a slice.
#define OPERANDS (MT * STEPS)

INLINE void read_left(uint4 a[MT][STEPS], __global const uint4 *from) {
  UNROLL for (int i = 0; i < MT; i++)
    UNROLL for (int s = 0; s < STEPS; s++) a[i][s] = from[(i * STEPS + s) * 32];
}

INLINE void add_products(
    float results[MT][NT][4], __local const uint *patch, __global const uint **weights,
    int thread EXCHANGE_PARAMETER) {
  int lane = thread & 31, g = lane >> 2, t = lane & 3, block = (thread >> 5) % WARPS_N * NT;
  __global const uint4 *left = (__global const uint4 *)*weights + lane;
  // Where slice 0 of each pixel is; it names the pixel, too.
  int places[NT];
  UNROLL for (int j = 0; j < NT; j++) places[j] = in_patch((block + j) * 8 + g) * WORDS;
#if AHEAD
  uint4 next[MT][STEPS];
  read_left(next, left);
#endif
  NO_UNROLL for (int tap = 0; tap < TAPS; tap++) {
    int step = tap == 0 ? 0 : tap % S == 0 ? PATCH_W - S + 1 : 1;
    UNROLL for (int j = 0; j < NT; j++)
      places[j] = pixel_place(places[j] / WORDS + step) + (CORE == 1 ? 4 : 2) * t;
    UNROLL for (int slice = 0; slice < SLICES; slice++) {
      uint4 a[MT][STEPS];
#if AHEAD
      UNROLL for (int i = 0; i < MT; i++)
        UNROLL for (int s = 0; s < STEPS; s++) a[i][s] = next[i][s];
      if (slice + 1 < SLICES || tap + 1 < TAPS) left += OPERANDS * 32;
      read_left(next, left);
#else
      read_left(a, left);
      left += OPERANDS * 32;
#endif
      UNROLL for (int j = 0; j < NT; j++) {
        __local const uint *from = patch + unit_place(places[j], slice);
#if CORE == 1
        uint4 b = *(__local const uint4 *)from;
        UNROLL for (int i = 0; i < MT; i++)
          multiply_into(results[i][j], a[i][0], b.xy EXCHANGE_ARGUMENT);
        UNROLL for (int i = 0; i < MT; i++)
          multiply_into(results[i][j], a[i][1], b.zw EXCHANGE_ARGUMENT);
#else
        uint2 b = *(__local const uint2 *)from;
        UNROLL for (int i = 0; i < MT; i++)
          multiply_into(results[i][j], a[i][0], b EXCHANGE_ARGUMENT);
#endif
      }
    }
  }
  *weights += TAPS * SLICES * OPERANDS * 128;
}

#endif

// Puts the thread's results into local memory, pixel by pixel.
INLINE void stage(__local float *staged, float results[MT][NT][4], int thread) {
  int warp = thread >> 5, g = (thread & 31) >> 2, t = thread & 3;
  UNROLL for (int j = 0; j < NT; j++)
    UNROLL for (int x = 0; x < 2; x++) {
      int pixel = (warp % WARPS_N * NT + j) * 8 + 2 * t + x;
      __local float *to = staged + pixel * LINE + warp / WARPS_N * STRIP + CHANNEL_OF(g, 0);
      if (8 * NT * WARPS_N == TILE_PIXELS || pixel < TILE_PIXELS) {
#if MT == 1
        *(__local float2 *)to = (float2)(results[0][j][x], results[0][j][2 + x]);
#else
        UNROLL for (int i = 0; i < MT; i += 2)
          *(__local float4 *)(to + 2 * i) = (float4)(
              results[i][j][x], results[i][j][2 + x], results[i + 1][j][x],
              results[i + 1][j][2 + x]);
#endif
      }
    }
}

// The product for a tile: all chunks. The patch is in use until all threads have passed a barrier.
#if defined(FORWARD) && FRONT
#define LOAD_PATCH(channel) \
  load_front(patch, image, front_weight, front_bias, tile, channel, thread EXCHANGE_ARGUMENT)
#else
#define LOAD_PATCH(channel) load_patch(patch, source, tile, channel, thread)
#endif
#define COMPUTE_TILE                                                                     \
  UNROLL for (int i = 0; i < MT; i++)                                                    \
    UNROLL for (int j = 0; j < NT; j++)                                                  \
      UNROLL for (int x = 0; x < 4; x++) results[i][j][x] = 0.0f;                        \
  NO_UNROLL for (int channel = 0; channel < FROM_C; channel += CHUNK) {                  \
    if (channel > 0) barrier(CLK_LOCAL_MEM_FENCE);                                       \
    LOAD_PATCH(channel);                                                                 \
    barrier(CLK_LOCAL_MEM_FENCE);                                                        \
    add_products(results, patch, &packed, thread EXCHANGE_ARGUMENT);                     \
  }

// The packed weights of a warp's channels. Warps beyond the last channel compute the last ones again.
INLINE __global const uint *strip_of(__global const uint *packed, int thread) {
  int strip = get_group_id(1) * WARPS_M + (thread >> 5) / WARPS_N;
  return packed + min(strip, STRIPS - 1) * (STRIP * TAPS * FROM_C / (CORE == 2 ? 2 : 1));
}

#if defined(FORWARD)

__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1)))
void tile_forward(
    __global const float *x, __global const uint *packed, __global const float *bias,
    __global float *y, __global uchar *codes, uint threshold, uint low, uint high, float scale
#if FRONT
    , __global const float *front_weight, __global const float *front_bias
#endif
) {
  __local uint patch[LOCAL_WORDS] __attribute__((aligned(16)));
  EXCHANGE(THREADS)
  int thread = get_local_id(0), first_channel = get_group_id(1) * BAND;
  Tile tile = tile_of(get_group_id(0));
  packed = strip_of(packed, thread);
#if FRONT
  __local float image[IMAGE_FLOATS];
  load_image(image, x, tile.image, tile.top, tile.left, thread);
  barrier(CLK_LOCAL_MEM_FENCE);
#else
  __global const float *source = x;
#endif
  float results[MT][NT][4];
  COMPUTE_TILE
  barrier(CLK_LOCAL_MEM_FENCE);
  __local float *staged = (__local float *)patch;
  stage(staged, results, thread);
  barrier(CLK_LOCAL_MEM_FENCE);

  Rule rule = {threshold, low, high, scale};
#if POOL
#define AREA_W (TILE_W / 2)
#define AREA (TILE_PIXELS / 4)
#else
#define AREA_W TILE_W
#define AREA TILE_PIXELS
#endif
  for (int e = thread; e < AREA * BAND / 4; e += THREADS) {
    int number = e / (BAND / 4), column = e % (BAND / 4) * 4;
    int i = number / AREA_W, j = number % AREA_W;
    float4 v[4];
#if POOL
    int h = tile.h / 2 + i, w = tile.w / 2 + j;
    __local const float *from = staged + (2 * i * TILE_W + 2 * j) * LINE + column;
    UNROLL for (int q = 0; q < 4; q++)
      v[q] = *(__local const float4 *)(from + ((q >> 1) * TILE_W + (q & 1)) * LINE);
#else
    int h = tile.h + i, w = tile.w + j;
    v[0] = *(__local const float4 *)(staged + number * LINE + column);
    v[1] = v[2] = v[3] = 0.0f;
#endif
    int m = (tile.image * RESULT_H + h) * RESULT_W + w;
    if (h < RESULT_H && w < RESULT_W)
      finish(
          v, POOL ? 4 * m : m, first_channel + column, POOL ? 4 * m + 4 : m + 1, bias, y, codes,
          rule);
  }
}

#else

__kernel __attribute__((reqd_work_group_size(THREADS, 1, 1)))
void tile_input_gradient(
    __global const float *dy, __global const float *y, __global const uchar *codes, float scale,
    __global const uint *packed,
#if FRONT
    __global const float *x, __global const float *front_weight,
    __global const float *front_bias, __global float *dw, __global float *db
#else
    __global float *dx
#endif
) {
  __local uint patch[LOCAL_WORDS] __attribute__((aligned(16)));
  EXCHANGE(THREADS)
  int thread = get_local_id(0), first_channel = get_group_id(1) * BAND;
  Tile tile = tile_of(get_group_id(0));
  Gradient source = {dy, y, codes, scale};
  packed = strip_of(packed, thread);
#if FRONT
  __local float image[IMAGE_FLOATS];
  load_image(image, x, tile.image, tile.h, tile.w, thread);
#endif
  float results[MT][NT][4];
  COMPUTE_TILE
  barrier(CLK_LOCAL_MEM_FENCE);
  __local float *staged = (__local float *)patch;
#if FRONT
  mask_results(
      results, image, front_weight, front_bias, tile, first_channel, thread EXCHANGE_ARGUMENT);
  stage(staged, results, thread);
  barrier(CLK_LOCAL_MEM_FENCE);
  size_t part = get_group_id(0);
  front_gradient(
      staged, image, dw + part * C * ELEMENTS, db + part * C, first_channel,
      thread EXCHANGE_ARGUMENT);
#else
  stage(staged, results, thread);
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int e = thread; e < TILE_PIXELS * BAND / 4; e += THREADS) {
    int pixel = e / (BAND / 4), column = e % (BAND / 4) * 4;
    int h = tile.h + pixel / TILE_W, w = tile.w + pixel % TILE_W, c = first_channel + column;
    if (h < H && w < W && c < C)
      *(__global float4 *)(dx + ((tile.image * H + h) * W + w) * C + c) =
          *(__local const float4 *)(staged + pixel * LINE + column);
  }
#endif
}

#endif
