// A convolution in front of that of tile-convolution.cl, of few elements (FRONT_C · FRONT_R · FRONT_S <
// 32): its result is computed where it is needed, and never written.
//
// The host puts convolution-parts.cl, tensor-cores.cl and tile-parts.cl before and tile-convolution.cl
// behind, with FRONT = 1. The front has stride 1 and dilation 1, an input of FRONT_C channels, and
// C filters; its result is H × W.
//
// Macros of the host: FRONT_C, FRONT_R, FRONT_S, FRONT_PADDING_H, FRONT_PADDING_W; FRONT_BIAS and
// FRONT_RELU (0 or 1): what follows it. The parts of its gradients are groups × C × ELEMENTS and
// groups × C.

#define ELEMENTS (FRONT_C * FRONT_R * FRONT_S)
#define FRONT_H (H + FRONT_R - 1 - 2 * FRONT_PADDING_H)
#define FRONT_W (W + FRONT_S - 1 - 2 * FRONT_PADDING_W)

// The pixels of the front's result that a group needs, and the image that they are computed from.
#if defined(FORWARD)
#define REGION_W PATCH_W
#define REGION_PIXELS PATCH_PIXELS
#define IMAGE_H (PATCH_H + FRONT_R - 1)
#else
#define REGION_W TILE_W
#define REGION_PIXELS TILE_PIXELS
#define IMAGE_H (TILE_H + FRONT_R - 1)
#endif
#define IMAGE_W (REGION_W + FRONT_S - 1)
#define IMAGE_FLOATS (IMAGE_H * IMAGE_W * FRONT_C)

// Loads the image for the region whose first pixel is (top, left) of the front's result.
INLINE void load_image(
    __local float *image, __global const float *x, int number, int top, int left, int thread) {
  for (int e = thread; e < IMAGE_FLOATS; e += THREADS) {
    int pixel = e / FRONT_C, h = top - FRONT_PADDING_H + pixel / IMAGE_W;
    int w = left - FRONT_PADDING_W + pixel % IMAGE_W;
    bool inside = (uint)h < FRONT_H && (uint)w < FRONT_W;
    image[e] = inside ? x[((number * FRONT_H + h) * FRONT_W + w) * FRONT_C + e % FRONT_C] : 0.0f;
  }
}

// Where the patch of a pixel of the region starts. Numbers beyond the region may be any pixel.
INLINE int patch_place(int pixel) {
  pixel = min(pixel, REGION_PIXELS - 1);
  return (pixel / REGION_W * IMAGE_W + pixel % REGION_W) * FRONT_C;
}

// An element of a patch. The bias is the weight of one more element, which is 1.
INLINE float element_of(__local const float *image, int place, int e) {
  int line = e / (FRONT_S * FRONT_C);
  int offset = line * (IMAGE_W - FRONT_S) * FRONT_C + e;
  return e < ELEMENTS ? image[place + offset] : e == ELEMENTS ? 1.0f : 0.0f;
}
INLINE float front_weight_of(
    __global const float *weight, __global const float *bias, int channel, int e) {
  if (channel >= C) return 0.0f;
  if (e < ELEMENTS) return weight[channel * ELEMENTS + e];
  return FRONT_BIAS && e == ELEMENTS ? bias[channel] : 0.0f;
}

#if CORE != 0

// Instructions for all elements, and blocks of 8 of them.
#define DEPTHS ((ELEMENTS + DEPTH) / DEPTH)
#define ELEMENT_BLOCKS ((ELEMENTS + 8) / 8)

// The weights of two channels, as the rows g and g + 8.
INLINE void front_left(
    uint4 a[DEPTHS], __global const float *weight, __global const float *bias, int top, int bottom,
    int t) {
  UNROLL for (int k = 0; k < DEPTHS; k++) {
    float upper[LENGTH], lower[LENGTH];
    UNROLL for (int x = 0; x < LENGTH; x++) {
      int e = k * DEPTH + t * LENGTH + x;
      upper[x] = front_weight_of(weight, bias, top, e);
      lower[x] = front_weight_of(weight, bias, bottom, e);
    }
    a[k] = left_operand(upper, lower);
  }
}

// The patch of a pixel, as column g.
INLINE void front_right(uint2 b[DEPTHS], __local const float *image, int pixel, int t) {
  int place = patch_place(pixel);
  UNROLL for (int k = 0; k < DEPTHS; k++) {
    float column[LENGTH];
    UNROLL for (int x = 0; x < LENGTH; x++)
      column[x] = element_of(image, place, k * DEPTH + t * LENGTH + x);
    b[k] = right_operand(column);
  }
}

#else

INLINE float front_at(
    __local const float *image, __global const float *weight, __global const float *bias,
    int channel, int pixel) {
  int place = patch_place(pixel);
  float sum = front_weight_of(weight, bias, channel, ELEMENTS);
  for (int e = 0; e < ELEMENTS; e++)
    sum = fma(front_weight_of(weight, bias, channel, e), element_of(image, place, e), sum);
  return sum;
}

#endif

#if defined(FORWARD)

// The front's result at a pixel of the patch: 0 around the image.
INLINE float front_result(float sum, Tile tile, int pixel) {
  int h = tile.top + pixel / PATCH_W, w = tile.left + pixel % PATCH_W;
  bool inside = (uint)h < H && (uint)w < W;
  return !inside || (FRONT_RELU && sum <= 0.0f) ? 0.0f : sum;
}

// Computes the patch, CHUNK channels from `channel`.
INLINE void load_front(
    __local uint *patch, __local const float *image, __global const float *weight,
    __global const float *bias, Tile tile, int channel, int thread EXCHANGE_PARAMETER) {
#if CORE == 0
  for (int e = thread; e < PATCH_PIXELS * CHUNK / 4; e += THREADS) {
    int pixel = e / (CHUNK / 4), vector = e % (CHUNK / 4);
    float v[4];
    UNROLL for (int x = 0; x < 4; x++)
      v[x] = front_result(
          front_at(image, weight, bias, channel + vector * 4 + x, pixel), tile, pixel);
    put_vector(patch, pixel, vector, (float4)(v[0], v[1], v[2], v[3]));
  }
#else
// Warps that share the pixels of a slice's channels, and rounds in which all slices have a warp.
#define SHARING (WARPS > SLICES ? WARPS / SLICES : 1)
#define ROUNDS ((SLICES + WARPS - 1) / WARPS)
#define PIXEL_BLOCKS ((PATCH_PIXELS + 8 * SHARING - 1) / (8 * SHARING))
  int lane = thread & 31, g = lane >> 2, t = lane & 3;
  for (int round = 0; round < ROUNDS; round++) {
    int number = (thread >> 5) + round * WARPS, slice = number % SLICES, share = number / SLICES;
    int first = channel + slice * 16 + 2 * g;
    uint4 a[DEPTHS];
    front_left(a, weight, bias, first, first + 1, t);
    UNROLL_SOME for (int n = 0; n < PIXEL_BLOCKS; n++) {
      int block = (n * SHARING + share) * 8;
      uint2 b[DEPTHS];
      front_right(b, image, block + g, t);
      float d[4] = {0.0f, 0.0f, 0.0f, 0.0f};
      UNROLL for (int k = 0; k < DEPTHS; k++) multiply_into(d, a[k], b[k] EXCHANGE_ARGUMENT);
      UNROLL for (int x = 0; x < 2; x++) {
        int pixel = block + 2 * t + x;
        float v = front_result(d[x], tile, pixel), next = front_result(d[2 + x], tile, pixel);
        __local uint *to = patch + unit_place(pixel_place(pixel), slice);
        if (pixel < PATCH_PIXELS && share < SHARING) {
#if CORE == 1
          *(__local float2 *)(to + 2 * g) = (float2)(rounded(v), rounded(next));
#else
          to[g] = pack(v, next);
#endif
        }
      }
    }
  }
#endif
}

#else

// Sets the results to 0 where the front's ReLU did, and outside of the image.
INLINE void mask_results(
    float results[MT][NT][4], __local const float *image, __global const float *weight,
    __global const float *bias, Tile tile, int first_channel, int thread EXCHANGE_PARAMETER) {
  int warp = thread >> 5, g = (thread & 31) >> 2, t = thread & 3;
  int first = first_channel + warp / WARPS_N * STRIP;
#if CORE != 0
  uint4 a[MT][DEPTHS];
  UNROLL for (int i = 0; i < MT; i++) {
    int c = first + CHANNEL_OF(g, i);
    front_left(a[i], weight, bias, c, c + 1, t);
  }
#endif
  UNROLL for (int j = 0; j < NT; j++) {
    int block = (warp % WARPS_N * NT + j) * 8;
    bool inside[2];
    UNROLL for (int x = 0; x < 2; x++) {
      int pixel = block + 2 * t + x;
      inside[x] = tile.h + pixel / TILE_W < H && tile.w + pixel % TILE_W < W;
    }
#if CORE != 0
    uint2 b[DEPTHS];
    front_right(b, image, block + g, t);
#endif
    UNROLL for (int i = 0; i < MT; i++) {
#if CORE != 0
      float d[4] = {0.0f, 0.0f, 0.0f, 0.0f};
      UNROLL for (int k = 0; k < DEPTHS; k++) multiply_into(d, a[i][k], b[k] EXCHANGE_ARGUMENT);
#else
      float d[4];
      UNROLL for (int x = 0; x < 4; x++)
        d[x] = front_at(
            image, weight, bias, first + CHANNEL_OF(g, i) + (x >> 1), block + 2 * t + (x & 1));
#endif
      UNROLL for (int x = 0; x < 4; x++)
        if (!inside[x & 1] || (FRONT_RELU && !(d[x] > 0.0f))) results[i][j][x] = 0.0f;
    }
  }
}

// The gradients of the front's weight and bias by the tile: `staged` is the gradient of its result.
INLINE void front_gradient(
    __local const float *staged, __local const float *image, __global float *dw,
    __global float *db, int first_channel, int thread EXCHANGE_PARAMETER) {
#if CORE == 0
  for (int n = thread; n < BAND * (ELEMENTS + 1); n += THREADS) {
    int column = n % BAND, e = n / BAND, c = first_channel + column;
    float sum = 0.0f;
    for (int pixel = 0; pixel < TILE_PIXELS; pixel++)
      sum = fma(staged[pixel * LINE + column], element_of(image, patch_place(pixel), e), sum);
    if (c < C && e < ELEMENTS) dw[c * ELEMENTS + e] = sum;
    if (c < C && e == ELEMENTS) db[c] = sum;
  }
#else
  // A product with channels as rows and elements as columns; a warp has 16 channels.
  int lane = thread & 31, g = lane >> 2, t = lane & 3;
  for (int round = 0; round < (BAND / 16 + WARPS - 1) / WARPS; round++) {
    int column = ((thread >> 5) + round * WARPS) * 16 + g;
    bool is_there = column < BAND;
    float d[ELEMENT_BLOCKS][4];
    UNROLL for (int n = 0; n < ELEMENT_BLOCKS; n++)
      UNROLL for (int x = 0; x < 4; x++) d[n][x] = 0.0f;
    UNROLL_SOME for (int first = 0; first < TILE_PIXELS; first += DEPTH) {
      int places[LENGTH];
      float upper[LENGTH], lower[LENGTH];
      UNROLL for (int x = 0; x < LENGTH; x++) {
        int pixel = first + t * LENGTH + x;
        bool inside = is_there && pixel < TILE_PIXELS;
        upper[x] = inside ? staged[pixel * LINE + column] : 0.0f;
        lower[x] = inside ? staged[pixel * LINE + column + 8] : 0.0f;
        places[x] = patch_place(pixel);
      }
      uint4 a = left_operand(upper, lower);
      UNROLL for (int n = 0; n < ELEMENT_BLOCKS; n++) {
        float elements[LENGTH];
        UNROLL for (int x = 0; x < LENGTH; x++)
          elements[x] = element_of(image, places[x], n * 8 + g);
        multiply_into(d[n], a, right_operand(elements) EXCHANGE_ARGUMENT);
      }
    }
    UNROLL for (int n = 0; n < ELEMENT_BLOCKS; n++)
      UNROLL for (int x = 0; x < 4; x++) {
        int e = n * 8 + 2 * t + (x & 1), c = first_channel + column + (x >> 1) * 8;
        if (is_there && c < C && e < ELEMENTS) dw[c * ELEMENTS + e] = d[n][x];
        if (is_there && c < C && e == ELEMENTS) db[c] = d[n][x];
      }
  }
#endif
}

#endif
