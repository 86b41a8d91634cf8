// Products of two tiles in local memory: the part that convolutions and linear layers share.
//
// A group of threads computes BM × BN results. It is divided into warps of 32 threads, each with
// WARP_M × WARP_N results in blocks of 32 rows × 8·TILES columns. In each block the thread
// (g, t) = (lane / 4, lane % 4) owns the rows 4g…4g+3 and the 2·TILES columns from 2·TILES·t. That
// is how the tensor cores' instructions divide a result, with rows and columns renumbered so that a
// thread's elements are neighbours: they are stored as whole vectors, and four rows are one window
// of 2×2 pooling. The portable core divides it in the same way.
//
// The reduction proceeds by BK elements, in slices of 16. In each slice the thread t of a tensor
// core's four takes the elements 4t…4t+3, as one vector.
//
// The host puts tensor-cores.cl in front. Macros of the host: those of tensor-cores.cl, and
//   BM, BN    the tile's extents: multiples of WARP_M and WARP_N
//   BK        16 or 32
//   WARP_M    a multiple of 32
//   WARP_N    16 or a multiple of 32
// Macros of the kernel, from the file before this one:
//   A_ALONG   1: the reduction is contiguous in the left operand's memory, 0: the rows are
//   B_ALONG   1: the reduction is contiguous in the right operand's memory, 0: the columns are
//   ASYNC_A, ASYNC_B   1: the operand is copied to local memory as it is, with `copy`

#define WARPS_M (BM / WARP_M)
#define WARPS_N (BN / WARP_N)

#if WARP_N == 16
#define TILES 2
#else
#define TILES 4
#endif
#define COLUMNS (2 * TILES)
#define BLOCK_N (8 * TILES)
#define BLOCKS_M (WARP_M / 32)
#define BLOCKS_N (WARP_N / BLOCK_N)
#define THREADS (32 * WARPS_M * WARPS_N)

// Local memory. An operand whose reduction is contiguous is kept in slices: 16 elements of each row,
// the four vectors of a row exchanged so that neither reading nor writing has bank conflicts. One
// whose rows are contiguous is kept as lines, one for each element of the reduction.
#define LINE_A (BM + 8)
#define LINE_B (BN + 8)
#define FLOATS_A (A_ALONG ? BK * BM : BK * LINE_A)
#define FLOATS_B (B_ALONG ? BK * BN : BK * LINE_B)

// Vectors of four floats that a thread moves to local memory in each step.
#define VECTORS_A (BM * BK / 4)
#define VECTORS_B (BN * BK / 4)
#define LOADS_A ((VECTORS_A + THREADS - 1) / THREADS)
#define LOADS_B ((VECTORS_B + THREADS - 1) / THREADS)
#define HAS_A(e) ((VECTORS_A % THREADS == 0) | ((e) < VECTORS_A))
#define HAS_B(e) ((VECTORS_B % THREADS == 0) | ((e) < VECTORS_B))

// The place of a vector of a slice. `row` is a place, not the row's number.
INLINE int place_along(int row, int vector) {
  return row * 16 + (((vector ^ (row >> 1)) & 3) << 2);
}

// The row or column at a place of a slice: those of one thread are 8 places apart.
INLINE int row_at(int place) { return (place & ~31) | ((place & 7) * 4 + ((place >> 3) & 3)); }
INLINE int column_at(int place) {
  return place / BLOCK_N * BLOCK_N + (place & 7) * TILES + place % BLOCK_N / 8;
}

// The element of the reduction that a line holds.
INLINE int element_at(int line) { return (line & ~15) | ((line & 3) * 4 + ((line >> 2) & 3)); }

// What the vector number e of a step holds: its row (or column) in the tile, and its element of the
// reduction. One of the two is the first of four.
#if A_ALONG
#define ROW_OF_A(e) row_at((e) / 4 % BM)
#define ELEMENT_OF_A(e) ((e) / (4 * BM) * 16 + ((e) & 3) * 4)
#define PLACE_OF_A(e) ((e) / (4 * BM) * 16 * BM + place_along((e) / 4 % BM, (e) & 3))
#else
#define ROW_OF_A(e) ((e) % (BM / 4) * 4)
#define ELEMENT_OF_A(e) element_at((e) / (BM / 4))
#define PLACE_OF_A(e) ((e) / (BM / 4) * LINE_A + (e) % (BM / 4) * 4)
#endif
#if B_ALONG
#define COLUMN_OF_B(e) column_at((e) / 4 % BN)
#define ELEMENT_OF_B(e) ((e) / (4 * BN) * 16 + ((e) & 3) * 4)
#define PLACE_OF_B(e) ((e) / (4 * BN) * 16 * BN + place_along((e) / 4 % BN, (e) & 3))
#else
#define COLUMN_OF_B(e) ((e) % (BN / 4) * 4)
#define ELEMENT_OF_B(e) element_at((e) / (BN / 4))
#define PLACE_OF_B(e) ((e) / (BN / 4) * LINE_B + (e) % (BN / 4) * 4)
#endif

// Puts a step's vectors to local memory, unless they were copied there.
INLINE void put_a(__local float *a, const float4 *v, int thread) {
#if !ASYNC_A
  UNROLL for (int l = 0; l < LOADS_A; l++) {
    int e = thread + l * THREADS;
    if (HAS_A(e)) put(a, PLACE_OF_A(e), v[l]);
  }
#endif
}
INLINE void put_b(__local float *b, const float4 *v, int thread) {
#if !ASYNC_B
  UNROLL for (int l = 0; l < LOADS_B; l++) {
    int e = thread + l * THREADS;
    if (HAS_B(e)) put(b, PLACE_OF_B(e), v[l]);
  }
#endif
}

// Elements of operands in registers: f[row][element] if read along the reduction, else
// f[element][row].
#if A_ALONG
#define A_AT(f, row, element) f[row][element]
#else
#define A_AT(f, row, element) f[element][row]
#endif
#if B_ALONG
#define B_AT(f, column, element) f[column][element]
#else
#define B_AT(f, column, element) f[element][column]
#endif

// The elements 4t…4t+3 of a slice for the four rows of the thread in the block that starts at `row`.
INLINE void read_a(float f[4][4], __local const float *a, int slice, int row, int g, int t) {
  UNROLL for (int i = 0; i < 4; i++) {
#if A_ALONG
    int place = slice * 16 * BM + place_along(row + 8 * i + g, t);
#else
    int place = (slice * 16 + 4 * i + t) * LINE_A + row + 4 * g;
#endif
    split_vector(f[i], *(__local const float4 *)(a + place));
#if ASYNC_A
    UNROLL for (int x = 0; x < 4; x++) f[i][x] = rounded(f[i][x]);
#endif
  }
}

#if CORE == 0

// The elements 4q…4q+3 of a slice for the thread's columns in the block that starts at `column`.
INLINE void read_columns(
#if B_ALONG
    float f[COLUMNS][4],
#else
    float f[4][COLUMNS],
#endif
    __local const float *b, int slice, int column, int q, int t) {
#if B_ALONG
  UNROLL for (int x = 0; x < COLUMNS; x++) {
    int place = column + x % TILES * 8 + 2 * t + x / TILES;
    split_vector(f[x], *(__local const float4 *)(b + slice * 16 * BN + place_along(place, q)));
  }
#else
  UNROLL for (int u = 0; u < 4; u++) {
    __local const float *line = b + (slice * 16 + 4 * u + q) * LINE_B + column + COLUMNS * t;
    UNROLL for (int x = 0; x < COLUMNS; x += 4)
      split_vector(f[u] + x, *(__local const float4 *)(line + x));
  }
#endif
}

// Adds the product of the tiles to the thread's results.
INLINE void add_product(
    float results[BLOCKS_M][BLOCKS_N][4][COLUMNS], __local const float *a, __local const float *b,
    int thread) {
  int warp = thread >> 5, g = (thread & 31) >> 2, t = thread & 3;
  int row = warp / WARPS_N * WARP_M, column = warp % WARPS_N * WARP_N;
  for (int slice = 0; slice < BK / 16; slice++)
    UNROLL for (int q = 0; q < 4; q++) {
      float fa[BLOCKS_M][4][4];
      UNROLL for (int i = 0; i < BLOCKS_M; i++) read_a(fa[i], a, slice, row + 32 * i, g, q);
      UNROLL for (int j = 0; j < BLOCKS_N; j++) {
#if B_ALONG
        float fb[COLUMNS][4];
#else
        float fb[4][COLUMNS];
#endif
        read_columns(fb, b, slice, column + BLOCK_N * j, q, t);
        UNROLL for (int i = 0; i < BLOCKS_M; i++)
          UNROLL for (int u = 0; u < 4; u++)
            UNROLL for (int r = 0; r < 4; r++)
              UNROLL for (int x = 0; x < COLUMNS; x++)
                results[i][j][r][x] =
                    fma(A_AT(fa[i], r, u), B_AT(fb, x, u), results[i][j][r][x]);
      }
    }
}

#else

// The elements 4t…4t+3 of a slice for column g of each instruction in the block at `column`.
INLINE void read_b(float f[4][4], __local const float *b, int slice, int column, int g, int t) {
#if B_ALONG
  UNROLL for (int j = 0; j < TILES; j++)
    split_vector(
        f[j],
        *(__local const float4 *)(b + slice * 16 * BN + place_along(column + 8 * j + g, t)));
#else
  UNROLL for (int u = 0; u < 4; u++) {
    __local const float *line = b + (slice * 16 + 4 * u + t) * LINE_B + column + TILES * g;
#if TILES == 4
    split_vector(f[u], *(__local const float4 *)line);
#else
    float2 v = *(__local const float2 *)line;
    f[u][0] = v.x;
    f[u][1] = v.y;
#endif
  }
#endif
#if ASYNC_B
  UNROLL for (int i = 0; i < (B_ALONG ? TILES : 4); i++)
    UNROLL for (int x = 0; x < (B_ALONG ? 4 : TILES); x++) f[i][x] = rounded(f[i][x]);
#endif
}

// Adds the product of the tiles to the thread's results.
INLINE void add_product(
    float results[BLOCKS_M][BLOCKS_N][4][COLUMNS], __local const float *a, __local const float *b,
    int thread EXCHANGE_PARAMETER) {
  int warp = thread >> 5, g = (thread & 31) >> 2, t = thread & 3;
  int row = warp / WARPS_N * WARP_M, column = warp % WARPS_N * WARP_N;
  UNROLL for (int slice = 0; slice < BK / 16; slice++) {
    // The left operand of each instruction: CORE 1 needs two for a slice, CORE 2 one.
    uint4 left[BLOCKS_M][2][CORE == 1 ? 2 : 1];
    UNROLL for (int i = 0; i < BLOCKS_M; i++) {
      float f[4][4];
      read_a(f, a, slice, row + 32 * i, g, t);
      UNROLL for (int h = 0; h < 2; h++) {
#if CORE == 1
        UNROLL for (int s = 0; s < 2; s++)
          left[i][h][s] = (uint4)(
              as_uint(A_AT(f, 2 * h, 2 * s)), as_uint(A_AT(f, 2 * h + 1, 2 * s)),
              as_uint(A_AT(f, 2 * h, 2 * s + 1)), as_uint(A_AT(f, 2 * h + 1, 2 * s + 1)));
#else
        left[i][h][0] = (uint4)(
            pack(A_AT(f, 2 * h, 0), A_AT(f, 2 * h, 1)),
            pack(A_AT(f, 2 * h + 1, 0), A_AT(f, 2 * h + 1, 1)),
            pack(A_AT(f, 2 * h, 2), A_AT(f, 2 * h, 3)),
            pack(A_AT(f, 2 * h + 1, 2), A_AT(f, 2 * h + 1, 3)));
#endif
      }
    }
    UNROLL for (int j = 0; j < BLOCKS_N; j++) {
      float f[4][4];
      read_b(f, b, slice, column + BLOCK_N * j, g, t);
      UNROLL for (int s = 0; s < (CORE == 1 ? 2 : 1); s++)
        UNROLL for (int x = 0; x < TILES; x++) {
#if CORE == 1
          uint2 right = (uint2)(as_uint(B_AT(f, x, 2 * s)), as_uint(B_AT(f, x, 2 * s + 1)));
#else
          uint2 right =
              (uint2)(pack(B_AT(f, x, 0), B_AT(f, x, 1)), pack(B_AT(f, x, 2), B_AT(f, x, 3)));
#endif
          UNROLL for (int i = 0; i < BLOCKS_M; i++)
            UNROLL for (int h = 0; h < 2; h++) {
              multiply(
                  &results[i][j][2 * h][x], &results[i][j][2 * h][TILES + x],
                  &results[i][j][2 * h + 1][x], &results[i][j][2 * h + 1][TILES + x],
                  left[i][h][s], right EXCHANGE_ARGUMENT);
            }
        }
    }
  }
}

#endif

INLINE void clear(float results[BLOCKS_M][BLOCKS_N][4][COLUMNS]) {
  UNROLL for (int i = 0; i < BLOCKS_M; i++)
    UNROLL for (int j = 0; j < BLOCKS_N; j++)
      UNROLL for (int r = 0; r < 4; r++)
        UNROLL for (int x = 0; x < COLUMNS; x++) results[i][j][r][x] = 0.0f;
}

// The first row and column, in the tile, of the thread's part of a block.
INLINE int first_row(int thread, int i) {
  return (thread >> 5) / WARPS_N * WARP_M + 32 * i + ((thread & 31) >> 2) * 4;
}
INLINE int first_column(int thread, int j) {
  return (thread >> 5) % WARPS_N * WARP_N + BLOCK_N * j + (thread & 3) * COLUMNS;
}
