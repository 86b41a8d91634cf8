// The gradients of a convolution by its weight and bias, from tiles of images: for kernels of up to
// 5×5 with stride and dilation 1, and channels in multiples of 16.
//
// A group takes TILE_H × TILE_W output pixels of an image after another. It keeps their gradient and
// the input that they meet in local memory, and its threads keep sums over all its tiles: those of
// BM filters × GROUP_R kernel rows × S kernel columns × BN channels. The next tile is on its way
// meanwhile. Thus each number is read once for all kernel elements of the group.
//
// A warp has WARP_M filters × WARP_N channels of one kernel row, with all its S columns. The thread
// (g, t) = (lane / 4, lane % 4) of a warp owns the ROWS filters from ROWS·g and the COLUMNS channels
// from COLUMNS·t, as in products-core.cl. The reduction of the tensor cores' instructions runs over
// pixels: the thread t takes those of row t of four rows, 2 (TF32) or 4 (bfloat16) neighbours at
// once, so that a kernel column is but a shift in its registers.
//
// The host defines WEIGHT_GRADIENT and puts convolution-parts.cl and tensor-cores.cl in front.
// Macros: those of convolution-parts.cl; BIAS; CORE, EMULATE, and
//   TILE_H    a multiple of 4 · SHARES
//   TILE_W    a multiple of 2, with CORE 2 of 4
//   BM, BN    filters and channels of a group: divisors of K and C, multiples of WARP_M and WARP_N
//   WARP_M, WARP_N   16 or 32
//   GROUP_R   kernel rows of a group
//   SHARES    warps that share the rows of a tile; their sums are added at the end
//   FRONT     1: x is the result of a convolution before this one, max(0, image ∗ weight + bias), and
//             is computed here again. Its stride and dilation are 1, its extents FRONT_C (channels of
//             the image), FRONT_R, FRONT_S, FRONT_PADDING_H, FRONT_PADDING_W
//
// tile_weight_gradient: Arguments: x (FRONT: the image), dy, y, codes, scale, front weight, front
//   bias (any buffers without FRONT), dw, db, tiles, steps. `tiles`: ⌈OUTPUT_H / TILE_H⌉ ·
//   ⌈OUTPUT_W / TILE_W⌉ · images. `steps`: tiles of a group. dw is parts × K × R × S × C, db
//   parts × K; with more than one part, `sum_parts` follows. No part may be empty.
//   Local size GROUP_THREADS = 32 · BM / WARP_M · BN / WARP_N · GROUP_R · SHARES, a multiple of
//   BM / 4 and BN / 4; groups ⌈R / GROUP_R⌉ · C / BN × K / BM × parts.
//   Local memory: TILE_H · (TILE_W · BM + 8) + (CORE and not FRONT ? 2 : 1) · (TILE_H +
//   GROUP_R - 1) · ((TILE_W + S - 1) · BN + 8) floats; BIAS: 4 for each thread; FRONT: some more.
//   A thread has S · WARP_M · WARP_N / 32 sums: up to 96. With 96, NVIDIA's compiler should be held to
//   168 registers (-cl-nv-maxrregcount), so that two groups of 192 threads share a multiprocessor.

#ifndef FRONT
#define FRONT 0
#endif

#define WARPS_M (BM / WARP_M)
#define WARPS_N (BN / WARP_N)
#define GROUP_THREADS (32 * WARPS_M * WARPS_N * GROUP_R * SHARES)

// What a thread owns of a kernel element.
#define ROWS (WARP_M / 8)
#define COLUMNS (WARP_N / 4)

// Pixels of a row that a thread takes at once.
#define STEP (CORE == 2 ? 4 : CORE == 1 ? 2 : 1)

// The input's tile, and the rows of both in local memory: four rows start in different banks.
#define INPUT_TILE_H (TILE_H + GROUP_R - 1)
#define INPUT_TILE_W (TILE_W + S - 1)
#define X_TILES (FRONT || CORE == 0 ? 1 : 2)
#define PADDED(floats) ((floats) + (40 - (floats) % 32) % 32)
#define ROW_OF_DY PADDED(TILE_W * BM)
#define ROW_OF_X PADDED(INPUT_TILE_W * BN)
#define FLOATS_OF_DY (TILE_H * ROW_OF_DY)
#define FLOATS_OF_X (INPUT_TILE_H * ROW_OF_X)

#define TILES_H ((OUTPUT_H + TILE_H - 1) / TILE_H)
#define TILES_W ((OUTPUT_W + TILE_W - 1) / TILE_W)

// The next tile's input is copied to local memory's other half meanwhile, and rounded when it is read.
#if X_TILES == 2
#define READ_INPUT(x) rounded(x)
#else
#define READ_INPUT(x) (x)
#endif

// Vectors of four channels that a thread moves. With pooling, one for each window of dy.
#if POOL
#define DY_TILE_H (TILE_H / 2)
#define DY_TILE_W (TILE_W / 2)
#else
#define DY_TILE_H TILE_H
#define DY_TILE_W TILE_W
#endif
#define VECTORS_OF_DY (DY_TILE_H * DY_TILE_W * BM / 4)
#define VECTORS_OF_X (INPUT_TILE_H * INPUT_TILE_W * BN / 4)
#define LOADS_OF_DY ((VECTORS_OF_DY + GROUP_THREADS - 1) / GROUP_THREADS)
#define LOADS_OF_X ((VECTORS_OF_X + GROUP_THREADS - 1) / GROUP_THREADS)
#define HAS_DY(e) ((VECTORS_OF_DY % GROUP_THREADS == 0) | ((e) < VECTORS_OF_DY))
#define HAS_X(e) ((VECTORS_OF_X % GROUP_THREADS == 0) | ((e) < VECTORS_OF_X))

// The thread's number, hidden from the compiler's optimizer: addresses are recomputed from it for each
// tile instead of being held in dozens of registers.
INLINE int unknown(int thread) {
#if CORE != 0 && !EMULATE
  ASM volatile("" : "+r"(thread));
#endif
  return thread;
}

// A tile: its image and first output pixel.
INLINE Pixel tile_at(int number) {
  Pixel p;
  int line = number / TILES_W;
  p.image = line / TILES_H;
  p.h = (line - p.image * TILES_H) * TILE_H;
  p.w = (number - line * TILES_W) * TILE_W;
  return p;
}

// What a thread holds of a tile that is on its way.
typedef struct {
  float4 v[LOADS_OF_DY];
#if POOL
  uchar4 codes[LOADS_OF_DY];
#endif
} GradientVectors;

INLINE void load_gradients(GradientVectors *held, Gradient d, Pixel tile, int filter, int thread) {
  filter += thread % (BM / 4) * 4;
  UNROLL for (int l = 0; l < LOADS_OF_DY; l++) {
    int e = thread + l * GROUP_THREADS, number = e / (BM / 4);
    int h = tile.h / (POOL + 1) + number / DY_TILE_W, w = tile.w / (POOL + 1) + number % DY_TILE_W;
    int place = ((tile.image * RESULT_H + h) * RESULT_W + w) * K + filter;
    bool inside = h < RESULT_H && w < RESULT_W && HAS_DY(e);
    held->v[l] = 0.0f;
#if POOL
    held->codes[l] = DEAD_PIXEL;
#endif
    if (inside) {
      held->v[l] = *(__global const float4 *)(d.dy + place);
#if POOL
      held->codes[l] = *(__global const uchar4 *)(d.codes + place);
#elif RELU
      float4 y = *(__global const float4 *)(d.y + place);
      held->v[l] = select((float4)0.0f, held->v[l], y > 0.0f);
#endif
    }
  }
}

// Puts a tile's gradients to local memory, one vector for each pixel, and adds them to the thread's
// sum for the bias, which is kept there too: registers are scarce.
INLINE void put_gradients(
    __local float *to, const GradientVectors *held, float scale, __local float4 *sums, int thread) {
  float4 sum = 0.0f;
  UNROLL for (int l = 0; l < LOADS_OF_DY; l++) {
    int e = thread + l * GROUP_THREADS, number = e / (BM / 4), filter = e % (BM / 4) * 4;
    int h = number / DY_TILE_W, w = number % DY_TILE_W;
    if (HAS_DY(e)) {
#if POOL
      float4 v = held->v[l] * scale;
      int4 code = convert_int4(held->codes[l]);
      sum += select((float4)0.0f, v, code < (int4)DEAD_PIXEL);
      UNROLL for (int q = 0; q < 4; q++)
        put(to, (2 * h + q / 2) * ROW_OF_DY + (2 * w + q % 2) * BM + filter,
            select((float4)0.0f, v, code == (int4)q));
#else
      sum += held->v[l];
      put(to, h * ROW_OF_DY + w * BM + filter, held->v[l]);
#endif
    }
  }
#if BIAS
  sums[thread] += sum;
#endif
}

#if FRONT

#define FRONT_H (H + FRONT_R - 1 - 2 * FRONT_PADDING_H)
#define FRONT_W (W + FRONT_S - 1 - 2 * FRONT_PADDING_W)
#define FRONT_PATCH (FRONT_R * FRONT_S * FRONT_C)

// A thread computes x at BLOCK pixels of a row at once, for four channels.
#define BLOCK 4
#define BLOCKS_OF_ROW ((INPUT_TILE_W + BLOCK - 1) / BLOCK)
#define BLOCKS_OF_X (INPUT_TILE_H * BLOCKS_OF_ROW * BN / 4)

// The part of the image that a tile needs, and the blocks' reach beyond it.
#define IMAGE_TILE_H (INPUT_TILE_H + FRONT_R - 1)
#define IMAGE_ROW ((BLOCKS_OF_ROW * BLOCK + FRONT_S - 1) * FRONT_C)
#define FLOATS_OF_IMAGE (IMAGE_TILE_H * IMAGE_ROW)
#define LOADS_OF_IMAGE ((FLOATS_OF_IMAGE + GROUP_THREADS - 1) / GROUP_THREADS)

INLINE void load_image(
    float v[LOADS_OF_IMAGE], __global const float *image, Pixel tile, int tap, int thread) {
  UNROLL for (int l = 0; l < LOADS_OF_IMAGE; l++) {
    int e = thread + l * GROUP_THREADS, row = e / IMAGE_ROW, rest = e - row * IMAGE_ROW;
    int h = tile.h - PADDING_H + tap - FRONT_PADDING_H + row;
    int w = tile.w - PADDING_W - FRONT_PADDING_W + rest / FRONT_C;
    bool inside = (uint)h < (uint)FRONT_H && (uint)w < (uint)FRONT_W && e < FLOATS_OF_IMAGE;
    v[l] = 0.0f;
    if (inside) v[l] = image[((tile.image * FRONT_H + h) * FRONT_W + w) * FRONT_C + rest % FRONT_C];
  }
}

// The input's tile from the image's. `weight` has the bias as its last line.
INLINE void compute_inputs(
    __local float *to, __local const float *image, __local const float *weight, Pixel tile, int tap,
    int thread) {
  for (int e = thread; e < BLOCKS_OF_X; e += GROUP_THREADS) {
    int channel = e % (BN / 4) * 4, block = e / (BN / 4);
    int h = block / BLOCKS_OF_ROW, w = block % BLOCKS_OF_ROW * BLOCK;
    float4 v[BLOCK];
    UNROLL for (int i = 0; i < BLOCK; i++)
      v[i] = *(__local const float4 *)(weight + FRONT_PATCH * BN + channel);
    for (int a = 0; a < FRONT_R; a++) {
      __local const float *pixels = image + (h + a) * IMAGE_ROW + w * FRONT_C;
      UNROLL for (int b = 0; b < FRONT_S * FRONT_C; b++) {
        float4 f = *(__local const float4 *)(weight + (a * FRONT_S * FRONT_C + b) * BN + channel);
        UNROLL for (int i = 0; i < BLOCK; i++)
          v[i] = fma((float4)pixels[b + i * FRONT_C], f, v[i]);
      }
    }
    bool is_row = (uint)(tile.h - PADDING_H + tap + h) < (uint)H;
    UNROLL for (int i = 0; i < BLOCK; i++) {
      bool inside = is_row && (uint)(tile.w - PADDING_W + w + i) < (uint)W;
      v[i] = select(v[i], (float4)0.0f, v[i] <= 0.0f);
      if (w + i < INPUT_TILE_W)
        put(to, h * ROW_OF_X + (w + i) * BN + channel, inside ? v[i] : (float4)0.0f);
    }
  }
}

#else

// Starts to copy the input's tile, as it is.
INLINE void copy_inputs(
    __local float *to, __global const float *x, Pixel tile, int tap, int channel, int thread) {
  channel += thread % (BN / 4) * 4;
  UNROLL for (int l = 0; l < LOADS_OF_X; l++) {
    int e = thread + l * GROUP_THREADS, number = e / (BN / 4);
    int row = number / INPUT_TILE_W, column = number - row * INPUT_TILE_W;
    int h = tile.h - PADDING_H + tap + row, w = tile.w - PADDING_W + column;
    bool inside = (uint)h < (uint)H && (uint)w < (uint)W;
    __global const float *from = x + (inside ? ((tile.image * H + h) * W + w) * C + channel : 0);
    if (HAS_X(e)) copy(to, row * ROW_OF_X + column * BN + e % (BN / 4) * 4, from, inside);
  }
}

#endif

// Loops that would take too many registers if they were unrolled further.
#define ALONG_ROW _Pragma("unroll 1")

// Neighbouring floats of local memory: 2 or a multiple of 4.
INLINE void read_floats(float *f, __local const float *from, int count) {
  if (count == 2) {
    float2 v = *(__local const float2 *)from;
    f[0] = v.x;
    f[1] = v.y;
  } else {
    UNROLL for (int i = 0; i < count; i += 4)
      split_vector(f + i, *(__local const float4 *)(from + i));
  }
}

#if CORE == 0

// Adds the products of four rows: dy at the thread's first filter, x at its first channel.
INLINE void add_rows(
    float results[S][ROWS][COLUMNS], __local const float *dy, __local const float *x) {
  ALONG_ROW for (int row = 0; row < 4; row++)
    ALONG_ROW for (int w = 0; w < TILE_W; w++) {
      float left[ROWS];
      read_floats(left, dy + row * ROW_OF_DY + w * BM, ROWS);
      UNROLL for (int s = 0; s < S; s++) {
        float right[COLUMNS];
        read_floats(right, x + row * ROW_OF_X + (w + s) * BN, COLUMNS);
        UNROLL for (int i = 0; i < ROWS; i++)
          UNROLL for (int j = 0; j < COLUMNS; j++)
            results[s][i][j] = fma(left[i], right[j], results[s][i][j]);
      }
    }
}

#else

// The pixels of x that STEP pixels of dy meet: a window that moves along a row.
#define WINDOW (S + STEP - 1)

// The channels of a pixel of x that the thread gives to the instructions.
INLINE void read_input(float f[COLUMNS / 2], __local const float *from) {
  read_floats(f, from, COLUMNS / 2);
  UNROLL for (int j = 0; j < COLUMNS / 2; j++) f[j] = READ_INPUT(f[j]);
}

// Adds the products of four rows: dy and x at the thread's row, at the channels of its operands.
INLINE void add_rows(
    float results[S][ROWS][COLUMNS], __local const float *dy,
    __local const float *x EXCHANGE_PARAMETER) {
  float window[WINDOW][COLUMNS / 2];
  UNROLL for (int u = 0; u < S - 1; u++) read_input(window[u + STEP], x + u * BN);
  ALONG_ROW for (int w = 0; w < TILE_W; w += STEP) {
    float left[STEP][ROWS];
    UNROLL for (int u = 0; u < STEP; u++) read_floats(left[u], dy + (w + u) * BM, ROWS);
    UNROLL for (int u = 0; u < S - 1; u++)
      UNROLL for (int j = 0; j < COLUMNS / 2; j++) window[u][j] = window[u + STEP][j];
    UNROLL for (int u = S - 1; u < WINDOW; u++)
      read_input(window[u], x + (w + u) * BN);
#if CORE == 2
    // Neighbours in pairs.
    uint pairs[WINDOW - 1][COLUMNS / 2];
    UNROLL for (int u = 0; u < WINDOW - 1; u++)
      UNROLL for (int j = 0; j < COLUMNS / 2; j++)
        pairs[u][j] = pack(window[u][j], window[u + 1][j]);
#endif
    UNROLL for (int i = 0; i < ROWS; i += 2) {
#if CORE == 1
      uint4 a = (uint4)(
          as_uint(left[0][i]), as_uint(left[0][i + 1]), as_uint(left[1][i]),
          as_uint(left[1][i + 1]));
#else
      uint4 a = (uint4)(
          pack(left[0][i], left[1][i]), pack(left[0][i + 1], left[1][i + 1]),
          pack(left[2][i], left[3][i]), pack(left[2][i + 1], left[3][i + 1]));
#endif
      UNROLL for (int s = 0; s < S; s++)
        UNROLL for (int j = 0; j < COLUMNS / 2; j++) {
#if CORE == 1
          uint2 b = (uint2)(as_uint(window[s][j]), as_uint(window[s + 1][j]));
#else
          uint2 b = (uint2)(pairs[s][j], pairs[s + 2][j]);
#endif
          multiply(
              &results[s][i][j], &results[s][i][j + COLUMNS / 2], &results[s][i + 1][j],
              &results[s][i + 1][j + COLUMNS / 2], a, b EXCHANGE_ARGUMENT);
        }
    }
  }
}

#endif

// Adds the sums of all shares to those of the first, in order. `exchanged` has COLUMNS · ROWS floats
// for each thread of a share.
#define SHARE_THREADS (GROUP_THREADS / SHARES)
#define FLOATS_OF_SHARES (SHARES > 1 ? SHARE_THREADS * ROWS * COLUMNS : 0)

INLINE void add_shares(float results[S][ROWS][COLUMNS], __local float *exchanged, int thread) {
  int share = thread / SHARE_THREADS;
  __local float *mine = exchanged + thread % SHARE_THREADS;
  for (int other = 1; other < SHARES; other++)
    UNROLL for (int s = 0; s < S; s++) {
      barrier(CLK_LOCAL_MEM_FENCE);
      if (share == other)
        UNROLL for (int i = 0; i < ROWS * COLUMNS; i++)
          mine[i * SHARE_THREADS] = results[s][i / COLUMNS][i % COLUMNS];
      barrier(CLK_LOCAL_MEM_FENCE);
      if (share == 0)
        UNROLL for (int i = 0; i < ROWS * COLUMNS; i++)
          results[s][i / COLUMNS][i % COLUMNS] += mine[i * SHARE_THREADS];
    }
}

#define FLOATS_OF_TILES (FLOATS_OF_DY + X_TILES * FLOATS_OF_X)
#define FLOATS (FLOATS_OF_TILES > FLOATS_OF_SHARES ? FLOATS_OF_TILES : FLOATS_OF_SHARES)

__kernel __attribute__((reqd_work_group_size(GROUP_THREADS, 1, 1)))
void tile_weight_gradient(
    __global const float *x, __global const float *dy, __global const float *y,
    __global const uchar *codes, float scale, __global const float *front_weight,
    __global const float *front_bias, __global float *dw, __global float *db, int tiles,
    int steps) {
  __local float local_memory[FLOATS] __attribute__((aligned(16)));
  __local float4 sums[BIAS ? GROUP_THREADS : 1];
  EXCHANGE(GROUP_THREADS)
  __local float *tile_of_dy = local_memory, *tile_of_x = local_memory + FLOATS_OF_DY;
  int thread = get_local_id(0), warp = thread >> 5, g = (thread & 31) >> 2, t = thread & 3;
  int first_tap = get_group_id(0) / (C / BN) * GROUP_R;
  int first_channel = get_group_id(0) % (C / BN) * BN, first_filter = get_group_id(1) * BM;
  int part = get_group_id(2);
  Gradient d = {dy, y, codes, scale};

  // The warp's place in the group.
  int channel = warp % WARPS_N * WARP_N, filter = warp / WARPS_N % WARPS_M * WARP_M;
  int tap = warp / (WARPS_N * WARPS_M) % GROUP_R, share = warp / (WARPS_N * WARPS_M * GROUP_R);

  // Where its threads read.
#if CORE == 0
  __local const float *from_dy = tile_of_dy + filter + ROWS * g;
  __local const float *from_x = tile_of_x + tap * ROW_OF_X + channel + COLUMNS * t;
#else
  __local const float *from_dy = tile_of_dy + t * ROW_OF_DY + filter + ROWS * g;
  __local const float *from_x = tile_of_x + (t + tap) * ROW_OF_X + channel + COLUMNS / 2 * g;
#endif

  float results[S][ROWS][COLUMNS];
  UNROLL for (int s = 0; s < S; s++)
    UNROLL for (int i = 0; i < ROWS; i++)
      UNROLL for (int j = 0; j < COLUMNS; j++) results[s][i][j] = 0.0f;

#if FRONT
  __local float image[FLOATS_OF_IMAGE];
  __local float front[(FRONT_PATCH + 1) * BN] __attribute__((aligned(16)));
  for (int e = thread; e < (FRONT_PATCH + 1) * BN; e += GROUP_THREADS) {
    int c = first_channel + e % BN, i = e / BN;
    front[e] = i < FRONT_PATCH ? front_weight[c * FRONT_PATCH + i] : front_bias[c];
  }
  float held_image[LOADS_OF_IMAGE];
#endif
  GradientVectors held_dy;
#if BIAS
  sums[thread] = 0.0f;
#endif

  int first = part * steps, count = min(steps, tiles - first);
  for (int i = 0; i <= count; i++) {
    Pixel tile = tile_at(first + i);
    if (i < count) {
      int thread = unknown(get_local_id(0));
      load_gradients(&held_dy, d, tile, first_filter, thread);
#if FRONT
      load_image(held_image, x, tile, first_tap, thread);
#elif X_TILES == 2
      copy_inputs(
          tile_of_x + (i & 1) * FLOATS_OF_X, x, tile, first_tap, first_channel, thread);
#endif
    }
    if (i > 0)
      for (int row = 4 * share; row < TILE_H; row += 4 * SHARES)
        add_rows(
            results, from_dy + row * ROW_OF_DY,
            from_x + row * ROW_OF_X + (i + 1) % X_TILES * FLOATS_OF_X EXCHANGE_ARGUMENT);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (i < count) {
      int thread = unknown(get_local_id(0));
      put_gradients(tile_of_dy, &held_dy, scale, sums, thread);
#if FRONT
      UNROLL for (int l = 0; l < LOADS_OF_IMAGE; l++)
        if (thread + l * GROUP_THREADS < FLOATS_OF_IMAGE)
          image[thread + l * GROUP_THREADS] = held_image[l];
#elif X_TILES == 1
      copy_inputs(tile_of_x, x, tile, first_tap, first_channel, thread);
#endif
    }
    finish_copies();
    barrier(CLK_LOCAL_MEM_FENCE);
#if FRONT
    if (i < count)
      compute_inputs(tile_of_x, image, front, tile, first_tap, unknown(get_local_id(0)));
    barrier(CLK_LOCAL_MEM_FENCE);
#endif
  }

#if BIAS
  // The threads' sums of a filter, in the order of threads; the first groups write them.
  if (get_group_id(0) == 0)
    for (int k = thread; k < BM; k += GROUP_THREADS) {
      float total = 0.0f;
      for (int i = k; i < 4 * GROUP_THREADS; i += BM) total += ((__local float *)sums)[i];
      db[part * K + first_filter + k] = total;
    }
#endif
#if SHARES > 1
  add_shares(results, local_memory, thread);
#endif
  tap += first_tap;
  if (share == 0 && tap < R) {
    dw += (size_t)part * K * PATCH + (first_filter + filter + ROWS * g) * PATCH + tap * S * C +
          first_channel + channel + COLUMNS * t;
    UNROLL for (int i = 0; i < ROWS; i++)
      UNROLL for (int s = 0; s < S; s++)
        UNROLL for (int j = 0; j < COLUMNS; j += 4)
          *(__global float4 *)(dw + i * PATCH + s * C + j) = (float4)(
              results[s][i][j], results[s][i][j + 1], results[s][i][j + 2], results[s][i][j + 3]);
  }
}
