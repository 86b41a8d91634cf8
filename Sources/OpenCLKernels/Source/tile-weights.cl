// pack_weights: the weight in the order in which tile-convolution.cl reads it, for FORWARD or, flipped
// and transposed, for INPUT_GRADIENT.
//
// The host puts convolution-parts.cl, tensor-cores.cl and tile-parts.cl in front. Depends on C, K, R,
// S, CORE, MT and CHUNK alone.
// Arguments: weight (K × R × S × C), packed. A thread for each word of `packed`, PACKED_WORDS of them:
// STRIPS · STRIP · R · S · FROM_C, half of it with CORE 2; in groups of 128.
// Order: [strip][chunk][tap][slice] and then
//   CORE 0      [channel of the slice][channel of the strip]
//   CORE 1, 2   [block of the strip][step][lane][4 words of the left operand]

#define PACKED_WORDS (STRIPS * STRIP * TAPS * FROM_C / (CORE == 2 ? 2 : 1))

INLINE float weight_at(__global const float *weight, int to, int from, int tap) {
  if (to >= TO_C) return 0.0f;
#if defined(FORWARD)
  return weight[(to * TAPS + tap) * C + from];
#else
  return weight[(from * TAPS + TAPS - 1 - tap) * C + to];
#endif
}

__kernel __attribute__((reqd_work_group_size(128, 1, 1)))
void pack_weights(__global const float *weight, __global uint *packed) {
  int number = get_global_id(0), rest = number;
  if (number >= PACKED_WORDS) return;
#if CORE == 0
  int to = rest % STRIP;
  rest /= STRIP;
  int from = rest % 16;
  rest /= 16;
#else
  int word = rest % 4, lane = rest / 4 % 32;
  rest /= 128;
  int step = rest % STEPS;
  rest /= STEPS;
  int block = rest % MT;
  rest /= MT;
  // The words of an operand: row g, row g + 8, and both again for the later elements.
  int to = CHANNEL_OF(lane >> 2, block) + (word & 1);
  int from = 4 * (lane & 3) + (CORE == 1 ? 2 * step + (word >> 1) : 2 * (word >> 1));
#endif
  int slice = rest % SLICES;
  rest /= SLICES;
  int tap = rest % TAPS;
  rest /= TAPS;
  int chunk = rest % (FROM_C / CHUNK), strip = rest / (FROM_C / CHUNK);
  to += strip * STRIP;
  from += chunk * CHUNK + slice * 16;
#if CORE == 2
  packed[number] =
      pack(weight_at(weight, to, from, tap), weight_at(weight, to, from + 1, tap));
#else
  packed[number] = as_uint(rounded(weight_at(weight, to, from, tap)));
#endif
}
