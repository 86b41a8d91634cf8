/* Arithmetic on whole vectors, which Swift knows as SIMD16<Float> and so on.

   Swift's own operators are loops over lanes, of which the optimizer has to make vectors again; in
   long functions it makes halves and quarters of vectors instead. */

#define INLINE static inline __attribute__((always_inline))

/* a b + c, rounded once where the processor can: without the instruction it would be a library call
   for each lane. */
#if defined(__FMA__) || defined(__aarch64__)
#define MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#endif

/* For vectors of N lanes; of a lane of a mask all bits are alike. */
#define VECTORS(N)                                                                        \
  typedef float floats##N __attribute__((ext_vector_type(N)));                            \
  typedef double doubles##N __attribute__((ext_vector_type(N)));                          \
  typedef unsigned words##N __attribute__((ext_vector_type(N)));                          \
  typedef int mask##N __attribute__((ext_vector_type(N)));                                \
  INLINE floats##N repeat##N(float a) { return a; }                                       \
  INLINE floats##N add##N(floats##N a, floats##N b) { return a + b; }                     \
  INLINE floats##N subtract##N(floats##N a, floats##N b) { return a - b; }                \
  INLINE floats##N multiply##N(floats##N a, floats##N b) { return a * b; }                \
  INLINE floats##N divide##N(floats##N a, floats##N b) { return a / b; }                  \
  INLINE floats##N multiplyAdd##N(floats##N a, floats##N b, floats##N c) {                \
    return MULTIPLY_ADD(a, b, c);                                                         \
  }                                                                                       \
  INLINE mask##N isGreater##N(floats##N a, floats##N b) { return a > b; }                 \
  INLINE mask##N isEqual##N(words##N a, words##N b) { return a == b; }                    \
  INLINE floats##N choose##N(mask##N m, floats##N a, floats##N b) { return m ? a : b; }   \
  INLINE doubles##N widen##N(floats##N a) { return __builtin_convertvector(a, doubles##N); } \
  INLINE floats##N narrow##N(doubles##N a) { return __builtin_convertvector(a, floats##N); } \
  INLINE doubles##N addWide##N(doubles##N a, doubles##N b) { return a + b; }              \
  INLINE doubles##N subtractWide##N(doubles##N a, doubles##N b) { return a - b; }         \
  INLINE doubles##N larger##N(doubles##N a, doubles##N b) { return a > b ? a : b; }       \
  INLINE doubles##N smaller##N(doubles##N a, doubles##N b) { return a > b ? b : a; }

VECTORS(4)
VECTORS(8)
VECTORS(16)

/* Two vectors lane by lane in turn: what their first halves give, and their second halves. */
INLINE floats4 interleaveLow4(floats4 a, floats4 b) {
  return __builtin_shufflevector(a, b, 0, 4, 1, 5);
}
INLINE floats4 interleaveHigh4(floats4 a, floats4 b) {
  return __builtin_shufflevector(a, b, 2, 6, 3, 7);
}
INLINE floats8 interleaveLow8(floats8 a, floats8 b) {
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
INLINE floats8 interleaveHigh8(floats8 a, floats8 b) {
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/* Asks for the cache line of an address, which need not be valid, to be brought into the L2 cache. */
INLINE void prefetch(const float *address) { __builtin_prefetch(address, 0, 2); }
