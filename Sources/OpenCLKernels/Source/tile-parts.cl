// What tile-convolution.cl and tile-weights.cl share: a convolution of stride 1 and dilation 1 whose
// group computes a tile of an image's pixels, for C and K that are multiples of 16.
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
