// pack_weights: weights in the order in which tile-convolution.cl reads them, forward or, flipped and
// transposed, for the gradient of the input; up to four at once.
//
// The host puts tensor-cores.cl in front. Depends on CORE alone.
// Arguments: of each one the weight (K × R × S × C), the packed one and what is in `JOB_…`; ends: the
// first group behind those of each one, the number of groups for missing ones. A thread for each word
// of a packed weight: STRIPS · STRIP · R · S · FROM_C, half of it with CORE 2; in groups of 128.
// Order: [strip][chunk][tap][slice] and then
//   CORE 0      [channel of the slice][channel of the strip]
//   CORE 1, 2   [block of the strip][step][lane][4 words of the left operand]
// Strips, chunks, slices, blocks and steps are those of tile-parts.cl.

#define JOB(k) __global const float *weight##k, __global uint *packed##k, int8 job##k
#define JOB_WORDS job.s0
#define JOB_FROM job.s1
#define JOB_TO job.s2
#define JOB_TAPS job.s3
#define JOB_BLOCKS job.s4
#define JOB_CHUNK job.s5
#define JOB_FLIPS job.s6
#define NEXT_JOB(k, next) \
  if (group >= ends.s##k) { \
    weight = weight##next, packed = packed##next, job = job##next; \
    first = ends.s##k; \
  }

INLINE float weight_at(__global const float *weight, int8 job, int to, int from, int tap) {
  if (to >= JOB_TO) return 0.0f;
  return JOB_FLIPS ? weight[(from * JOB_TAPS + JOB_TAPS - 1 - tap) * JOB_TO + to]
                   : weight[(to * JOB_TAPS + tap) * JOB_FROM + from];
}

__kernel __attribute__((reqd_work_group_size(128, 1, 1)))
void pack_weights(JOB(0), JOB(1), JOB(2), JOB(3), int4 ends) {
  int group = get_group_id(0), first = 0;
  __global const float *weight = weight0;
  __global uint *packed = packed0;
  int8 job = job0;
  NEXT_JOB(0, 1) NEXT_JOB(1, 2) NEXT_JOB(2, 3)
  int number = (group - first) * 128 + (int)get_local_id(0), rest = number;
  if (number >= JOB_WORDS) return;
  int strip_channels = 16 * JOB_BLOCKS;
#if CORE == 0
  int to = rest % strip_channels;
  rest /= strip_channels;
  int from = rest % 16;
  rest /= 16;
#else
  int word = rest % 4, lane = rest / 4 % 32;
  rest /= 128;
#if CORE == 1
  int step = rest % 2;
  rest /= 2;
#endif
  int block = rest % JOB_BLOCKS;
  rest /= JOB_BLOCKS;
  // The words of an operand: row g, row g + 8, and both again for the later elements.
  int to = (lane >> 2) * 2 * JOB_BLOCKS + 2 * block + (word & 1);
#if CORE == 1
  int from = 4 * (lane & 3) + 2 * step + (word >> 1);
#else
  int from = 4 * (lane & 3) + 2 * (word >> 1);
#endif
#endif
  int slices = JOB_CHUNK / 16, chunks = JOB_FROM / JOB_CHUNK;
  int slice = rest % slices;
  rest /= slices;
  int tap = rest % JOB_TAPS;
  rest /= JOB_TAPS;
  int chunk = rest % chunks, strip = rest / chunks;
  to += strip * strip_channels;
  from += chunk * JOB_CHUNK + slice * 16;
#if CORE == 2
  packed[number] = pack(
      weight_at(weight, job, to, from, tap), weight_at(weight, job, to, from + 1, tap));
#else
  packed[number] = as_uint(rounded(weight_at(weight, job, to, from, tap)));
#endif
}
