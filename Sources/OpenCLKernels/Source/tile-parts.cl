// What the kernels of tiles share: extents, and the tile's patch of the image in local memory. They are
// convolutions of stride 1 and dilation 1, for C and K that are multiples of 16. A group computes a
// tile of an image's pixels.
//
// The host puts convolution-parts.cl and tensor-cores.cl in front and defines FORWARD or
// INPUT_GRADIENT. The input gradient is the convolution of the result's gradient with the flipped
// kernel: both read `from` an image of FROM_C channels and write one of TO_C.
//
// Macros of the host: those of convolution-parts.cl and tensor-cores.cl, and
//   TILE_H, TILE_W    the tile's pixels. Even with FORWARD and POOL
//   MT                blocks of 16 channels of the result for a warp: 1, 2 or 4
//   NT                blocks of 8 pixels for a warp
//   WARPS_M, WARPS_N  warps along the channels of the result and along the pixels:
//                     8 · NT · WARPS_N ≥ TILE_H · TILE_W
//   CHUNK             channels of `from` in local memory at a time: a multiple of 16 that divides
//                     FROM_C
//   FRONT             1: with front-convolution.cl, see there; 0 if undefined

#ifndef FRONT
#define FRONT 0
#endif

#if defined(FORWARD)
#define FROM_C C
#define FROM_H H
#define FROM_W W
#define TO_C K
#define TO_H OUTPUT_H
#define TO_W OUTPUT_W
#define ABOVE PADDING_H
#define BEFORE PADDING_W
#else
#define FROM_C K
#define FROM_H OUTPUT_H
#define FROM_W OUTPUT_W
#define TO_C C
#define TO_H H
#define TO_W W
#define ABOVE (R - 1 - PADDING_H)
#define BEFORE (S - 1 - PADDING_W)
#endif

#define TAPS (R * S)
#define WARPS (WARPS_M * WARPS_N)
#define THREADS (32 * WARPS)

// A warp's channels of the result. Of the block i, rows g and g + 8 of an instruction are the
// channels g · 2 MT + 2 i and the next: a thread's channels are neighbours.
#define STRIP (16 * MT)
#define BAND (STRIP * WARPS_M)
#define CHANNEL_OF(g, i) ((g) * 2 * MT + 2 * (i))
#define STRIPS ((TO_C + STRIP - 1) / STRIP)

// Slices of 16 channels of `from`, of which the thread t takes the channels 4t…4t+3. CORE 1 needs two
// instructions for a slice.
#define SLICES (CHUNK / 16)
#define STEPS (CORE == 1 ? 2 : 1)

#define PATCH_H (TILE_H + R - 1)
#define PATCH_W (TILE_W + S - 1)
#define PATCH_PIXELS (PATCH_H * PATCH_W)
#define TILE_PIXELS (TILE_H * TILE_W)
#if defined(FORWARD) && POOL
#define TILES_H ((TO_H / 2 * 2 + TILE_H - 1) / TILE_H)
#define TILES_W ((TO_W / 2 * 2 + TILE_W - 1) / TILE_W)
#else
#define TILES_H ((TO_H + TILE_H - 1) / TILE_H)
#define TILES_W ((TO_W + TILE_W - 1) / TILE_W)
#endif

// The patch in local memory: CHUNK channels of a pixel side by side, in units that are exchanged so
// that the pixels which threads read at once are in different banks: bits TWIST of a unit's number
// are combined with the pixel's number.
#define WORDS (CORE == 2 ? CHUNK / 2 : CHUNK)
#if CORE == 0
// A unit is four channels; threads read every second pixel.
#define UNIT 4
#define TWIST 3
#define TWIST_OF(pixel) ((pixel) >> 1)
#elif CORE == 1
// A unit is a slice; pairs of pixels are read at once.
#define UNIT 16
#define TWIST (SLICES % 2 == 0 ? 1 : 0)
#define TWIST_OF(pixel) (pixel)
#else
// The same with four pixels.
#define UNIT 8
#define TWIST (SLICES % 2 != 0 ? 0 : SLICES % 4 == 0 ? 3 : 1)
#define TWIST_OF(pixel) (SLICES % 4 == 2 ? (pixel) >> 1 : (pixel))
#endif

// The place of unit 0 of a pixel, and that of another unit.
INLINE int pixel_place(int pixel) { return pixel * WORDS + (TWIST_OF(pixel) & TWIST) * UNIT; }
INLINE int unit_place(int place, int unit) {
  return (place ^ ((unit & TWIST) * UNIT)) + (unit & ~TWIST) * UNIT;
}

// The results, on their way from threads that have pixels to threads that write channels.
#define LINE (BAND + 4)
#define LOCAL_WORDS \
  (PATCH_PIXELS * WORDS > TILE_PIXELS * LINE ? PATCH_PIXELS * WORDS : TILE_PIXELS * LINE)

// Writes four channels of a pixel, the vector number `vector` of the chunk, to the patch.
INLINE void put_vector(__local uint *patch, int pixel, int vector, float4 v) {
#if CORE == 2
  *(__local uint2 *)(patch + unit_place(pixel_place(pixel), vector >> 2) + 2 * (vector & 3)) =
      (uint2)(pack(v.x, v.y), pack(v.z, v.w));
#else
  int place = CORE == 0 ? unit_place(pixel_place(pixel), vector)
                        : unit_place(pixel_place(pixel), vector >> 2) + 4 * (vector & 3);
  *(__local float4 *)(patch + place) =
      (float4)(rounded(v.x), rounded(v.y), rounded(v.z), rounded(v.w));
#endif
}

// The pixels of a group: those of its patch start at (top, left) of `from`, and its tile at (h, w) of
// the result.
typedef struct {
  int image, h, w, top, left;
} Tile;

INLINE Tile tile_of(int group) {
  Tile tile;
  tile.image = group / (TILES_H * TILES_W);
  int rest = group - tile.image * TILES_H * TILES_W;
  tile.h = rest / TILES_W * TILE_H;
  tile.w = rest % TILES_W * TILE_W;
  tile.top = tile.h - ABOVE;
  tile.left = tile.w - BEFORE;
  return tile;
}
