// One multiplication of tensor cores, rounding to their operands' precision, and moves of vectors to
// local memory: what all kernels of products share.
//
// Macros of the host:
//   CORE      0: float; 1: TF32 (mma.sync.m16n8k8); 2: bfloat16 (mma.sync.m16n8k16). 1 and 2 need an
//             NVIDIA GPU of compute capability 8.0
//   EMULATE   1: the instructions of CORE 1 and 2 in plain OpenCL C, to test indices anywhere
//   ASM       the word for inline assembly, `asm` if undefined
// EXCHANGE(threads) declares the local memory of the emulation, in a kernel of so many threads.

#ifndef EMULATE
#define EMULATE 0
#endif
#ifndef ASM
#define ASM asm
#endif
#ifndef INLINE
#define INLINE static inline __attribute__((always_inline))
#endif
#if EMULATE
#define UNROLL
#define UNROLL_SOME
#define NO_UNROLL
#else
#define UNROLL _Pragma("unroll")
#define UNROLL_SOME _Pragma("unroll 4")
#define NO_UNROLL _Pragma("nounroll")
#endif

#if CORE == 1 && !EMULATE
INLINE float rounded(float x) {
  uint bits;
  ASM("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return as_float(bits);
}
#elif CORE == 1
// To the nearest with 10 bits of mantissa, halves away from 0.
INLINE float rounded(float x) {
  return isnan(x) ? x : as_float((as_uint(x) + 0x1000u) & 0xffffe000u);
}
#else
INLINE float rounded(float x) { return x; }
#endif

#if CORE == 2
// Two numbers as bfloat16, the first in the lower half.
#if EMULATE
INLINE uint bfloat(float x) {
  uint bits = as_uint(x);
  return isnan(x) ? 0x7fffu : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}
INLINE uint pack(float low, float high) { return bfloat(low) | bfloat(high) << 16; }
#else
INLINE uint pack(float low, float high) {
  uint bits;
  ASM("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
#endif
#endif

INLINE void put(__local float *tile, int place, float4 v) {
  *(__local float4 *)(tile + place) =
      (float4)(rounded(v.x), rounded(v.y), rounded(v.z), rounded(v.w));
}

// Starts to copy four floats to local memory, or sets them to 0. `from` is an address that may be
// read in any case. They are there after `finish_copies` and a barrier, and not rounded.
INLINE void copy(
    __local float *tile, int place, __global const float *from, bool is_there) {
#if CORE != 0 && !EMULATE
  ASM volatile(
      "cp.async.ca.shared.global [%0], [%1], 16, %2;"
      :
      : "r"((uint)(ulong)(tile + place)), "l"(from), "r"(is_there ? 16 : 0)
      : "memory");
#else
  float4 v = 0.0f;
  if (is_there) v = *(__global const float4 *)from;
  *(__local float4 *)(tile + place) = v;
#endif
}

INLINE void finish_copies(void) {
#if CORE != 0 && !EMULATE
  ASM volatile("cp.async.wait_all;" : : : "memory");
#endif
}

INLINE void split_vector(float *f, float4 v) {
  f[0] = v.x;
  f[1] = v.y;
  f[2] = v.z;
  f[3] = v.w;
}

// Six words of each thread: its part of the left operand and of the right one.
#if EMULATE && CORE != 0
#define EXCHANGE(threads) __local uint exchange[6 * (threads)];
#define EXCHANGE_PARAMETER , __local uint *exchange
#define EXCHANGE_ARGUMENT , exchange
#else
#define EXCHANGE(threads)
#define EXCHANGE_PARAMETER
#define EXCHANGE_ARGUMENT
#endif

#if CORE != 0

// One instruction of a warp: d (16×8) += a · b. With g = lane / 4 and t = lane % 4, the thread has d
// at row g (d0, d1) and g + 8 (d2, d3) and the columns 2t and 2t + 1. CORE 1: a.x and a.z are row g of
// a (16×8), a.y and a.w row g + 8, at the columns t and t + 4; b (8×8) is at column g and the rows t
// and t + 4. CORE 2: twice as long, with pairs at 2t and 2t + 8.
INLINE void multiply(
    float *d0, float *d1, float *d2, float *d3, uint4 a, uint2 b EXCHANGE_PARAMETER) {
#if EMULATE
  int thread = get_local_id(0), lane = thread & 31, g = lane >> 2, t = lane & 3;
  __local uint *warp = exchange + (thread >> 5) * 192;
  barrier(CLK_LOCAL_MEM_FENCE);
  __local uint *mine = warp + lane * 6;
  mine[0] = a.x;
  mine[1] = a.y;
  mine[2] = a.z;
  mine[3] = a.w;
  mine[4] = b.x;
  mine[5] = b.y;
  barrier(CLK_LOCAL_MEM_FENCE);
  float *d[4] = {d0, d1, d2, d3};
  for (int k = 0; k < 8; k++) {
    __local const uint *left = warp + (g * 4 + (k & 3)) * 6 + 2 * (k >> 2);
    __local const uint *right = warp + (2 * t * 4 + (k & 3)) * 6 + 4 + (k >> 2);
    for (int x = 0; x < 4; x++) {
      uint l = left[x >> 1], r = right[24 * (x & 1)];
#if CORE == 1
      *d[x] += as_float(l) * as_float(r);
#else
      *d[x] += as_float(l << 16) * as_float(r << 16);
      *d[x] += as_float(l & 0xffff0000u) * as_float(r & 0xffff0000u);
#endif
    }
  }
#elif CORE == 1
  ASM volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(*d0), "+f"(*d1), "+f"(*d2), "+f"(*d3)
      : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b.x), "r"(b.y));
#else
  ASM volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(*d0), "+f"(*d1), "+f"(*d2), "+f"(*d3)
      : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b.x), "r"(b.y));
#endif
}

// The same with d as an array.
INLINE void multiply_into(float d[4], uint4 a, uint2 b EXCHANGE_PARAMETER) {
  multiply(d, d + 1, d + 2, d + 3, a, b EXCHANGE_ARGUMENT);
}

// Operands from floats. An instruction's reduction is DEPTH long, and the thread t takes the elements
// LENGTH · t + x, in both operands.
#define LENGTH (CORE == 1 ? 2 : 4)
#define DEPTH (4 * LENGTH)
#if CORE == 1
INLINE uint4 left_operand(const float top[2], const float bottom[2]) {
  return (uint4)(
      as_uint(rounded(top[0])), as_uint(rounded(bottom[0])), as_uint(rounded(top[1])),
      as_uint(rounded(bottom[1])));
}
INLINE uint2 right_operand(const float column[2]) {
  return (uint2)(as_uint(rounded(column[0])), as_uint(rounded(column[1])));
}
#else
INLINE uint4 left_operand(const float top[4], const float bottom[4]) {
  return (uint4)(
      pack(top[0], top[1]), pack(bottom[0], bottom[1]), pack(top[2], top[3]),
      pack(bottom[2], bottom[3]));
}
INLINE uint2 right_operand(const float column[4]) {
  return (uint2)(pack(column[0], column[1]), pack(column[2], column[3]));
}
#endif

#endif
