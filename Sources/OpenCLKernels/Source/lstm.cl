// Layers of LSTMs. One launch computes a step of one or two directions, whose numbers are `first`
// and `first + 1`: a group has a tile of items and units of a direction. Two halves of a group share
// the reduction; while they multiply what lies in local memory, the next part is on its way.

#define ITEMS 32
#define UNITS 16
// A thread has one unit of so many items.
#define OWN 4
// The threads that have all results of a tile, and those of a group.
#define HALF (UNITS * ITEMS / OWN)
#define THREADS (2 * HALF)
// Columns of the weights in a tile, and of the rows that they are multiplied with.
#define DEPTH 32
#define QUADS 16

#define INLINE static inline __attribute__((always_inline))

float sigmoid(float x) { return 1 / (1 + exp(-x)); }

// The recurrent weights (4H x H) in the order in which a step reads them: of each output before,
// and of each unit, those of the four gates.
kernel void lstm_pack_gates(global const float *hh, global float4 *packed, int hidden, int count) {
  int i = get_global_id(0);
  if (i >= count) return;
  int unit = i % hidden, k = i / hidden, gate = hidden * hidden;
  int place = unit * hidden + k;
  packed[i] = (float4)(hh[place], hh[place + gate], hh[place + 2 * gate], hh[place + 3 * gate]);
}

// The same for the gradients: of each unit, those of four neighbouring rows.
kernel void lstm_pack_rows(global const float *hh, global float4 *packed, int hidden, int count) {
  int i = get_global_id(0);
  if (i >= count) return;
  int unit = i % hidden, place = i / hidden * 4 * hidden + unit;
  packed[i] = (float4)(
      hh[place], hh[place + hidden], hh[place + 2 * hidden], hh[place + 3 * hidden]);
}

// A thread's part of a tile of packed weights: `rows` rows from `k`, UNITS columns from `first_unit`;
// 0 where there are none.
INLINE void load_weights(
    float4 *to, int rows, global const float4 *hh, int k, int first_unit, int hidden, int id) {
#pragma unroll
  for (int l = 0; l < rows * UNITS / HALF; l++) {
    int i = id + l * HALF, row = k + i / UNITS, column = first_unit + i % UNITS;
    to[l] = row < hidden && column < hidden ? hh[row * hidden + column] : 0;
  }
}

// One step. The gates hold the products of the inputs, T x N x 4H, and become gates; cells are
// directions x T x N x H, y is T x N x (directions * H). `time` is the step's place in time,
// `before` that of the step before it, or -1.
kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void lstm_step(
    global float *gates0, global float *gates1, global const float4 *hh0, global const float4 *hh1,
    global const float *bias_ih0, global const float *bias_ih1, global const float *bias_hh0,
    global const float *bias_hh1, global float *cells, global float *y, int steps, int items,
    int hidden, int width, int first, int time0, int time1, int before0, int before1) {
  local float4 weights[2 * DEPTH * UNITS];
  local float4 outputs[2 * ITEMS * (DEPTH / 4 + 1)];
  int second = get_group_id(2), direction = first + second, id = get_local_id(0) % HALF;
  int half_of_group = get_local_id(0) / HALF;
  global float *gates = second ? gates1 : gates0;
  global const float4 *hh = second ? hh1 : hh0;
  global const float *bias_ih = second ? bias_ih1 : bias_ih0;
  global const float *bias_hh = second ? bias_hh1 : bias_hh0;
  int time = second ? time1 : time0, before = second ? before1 : before0;
  int unit = get_group_id(0) * UNITS + id % UNITS, first_unit = get_group_id(0) * UNITS;
  int first_item = get_group_id(1) * ITEMS, own = id / UNITS * OWN;
  float4 sums[OWN];
  for (int j = 0; j < OWN; j++) sums[j] = 0;
  // The half's columns of the outputs before, and its part of local memory.
  int count = before < 0 ? 0 : (hidden + 2 * DEPTH - 1) / (2 * DEPTH);
  int start = half_of_group * count * DEPTH;
  local float4 *own_weights = weights + half_of_group * DEPTH * UNITS;
  local float4 *own_outputs = outputs + half_of_group * ITEMS * (DEPTH / 4 + 1);
  local float *rows = (local float *)own_outputs;
  float4 next_weights[DEPTH * UNITS / HALF];
  float next_outputs[ITEMS * DEPTH / HALF];
  for (int part = 0; part <= count; part++) {
    int k = start + part * DEPTH;
    if (part < count) {
      load_weights(next_weights, DEPTH, hh, k, first_unit, hidden, id);
#pragma unroll
      for (int l = 0; l < ITEMS * DEPTH / HALF; l++) {
        int i = id + l * HALF, item = first_item + i / DEPTH, column = k + i % DEPTH;
        next_outputs[l] = item < items && column < hidden
            ? y[(before * items + item) * width + direction * hidden + column] : 0;
      }
    }
    if (part > 0) {
      for (int q = 0; q < DEPTH / 4; q++) {
        float4 w[4];
        for (int i = 0; i < 4; i++) w[i] = own_weights[(4 * q + i) * UNITS + id % UNITS];
        for (int j = 0; j < OWN; j++) {
          float4 h = own_outputs[(own + j) * (DEPTH / 4 + 1) + q];
          sums[j] = fma(w[0], (float4)(h.x), sums[j]);
          sums[j] = fma(w[1], (float4)(h.y), sums[j]);
          sums[j] = fma(w[2], (float4)(h.z), sums[j]);
          sums[j] = fma(w[3], (float4)(h.w), sums[j]);
        }
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (part < count) {
#pragma unroll
      for (int l = 0; l < DEPTH * UNITS / HALF; l++) own_weights[id + l * HALF] = next_weights[l];
#pragma unroll
      for (int l = 0; l < ITEMS * DEPTH / HALF; l++) {
        int i = id + l * HALF;
        rows[i / DEPTH * (DEPTH + 4) + i % DEPTH] = next_outputs[l];
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }
  // The second half's sums go to the first one.
  if (half_of_group == 1)
    for (int j = 0; j < OWN; j++) weights[j * HALF + id] = sums[j];
  barrier(CLK_LOCAL_MEM_FENCE);
  if (half_of_group == 1) return;
  for (int j = 0; j < OWN; j++) sums[j] += weights[j * HALF + id];
  if (unit >= hidden) return;
  float4 bias = (float4)(
      bias_ih[unit] + bias_hh[unit], bias_ih[unit + hidden] + bias_hh[unit + hidden],
      bias_ih[unit + 2 * hidden] + bias_hh[unit + 2 * hidden],
      bias_ih[unit + 3 * hidden] + bias_hh[unit + 3 * hidden]);
  for (int j = 0; j < OWN; j++) {
    int item = first_item + own + j;
    if (item >= items) continue;
    global float *gate = gates + (time * items + item) * 4 * hidden + unit;
    float4 sum = sums[j] + bias;
    float input = sigmoid(sum.x + gate[0]), forget = sigmoid(sum.y + gate[hidden]);
    float candidate = tanh(sum.z + gate[2 * hidden]), output = sigmoid(sum.w + gate[3 * hidden]);
    float cell = input * candidate;
    if (before >= 0) {
      int place = ((direction * steps + before) * items + item) * hidden + unit;
      cell = fma(forget, cells[place], cell);
    }
    gate[0] = input;
    gate[hidden] = forget;
    gate[2 * hidden] = candidate;
    gate[3 * hidden] = output;
    cells[((direction * steps + time) * items + item) * hidden + unit] = cell;
    y[(time * items + item) * width + direction * hidden + unit] = output * tanh(cell);
  }
}

// The gradients of a step's gates, which are written over them, from those of the step `after` it
// (-1 if there is none). d_cells has the gradients of the cells through the step after: directions
// x N x H.
kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void lstm_step_gradient(
    global float *gates0, global float *gates1, global const float4 *hh0, global const float4 *hh1,
    global const float *cells, global const float *dy, global float *d_cells, int steps, int items,
    int hidden, int width, int first, int time0, int time1, int before0, int before1, int after0,
    int after1) {
  local float4 weights[2 * QUADS * UNITS];
  local float4 gradients[2 * ITEMS * (QUADS + 1)];
  int second = get_group_id(2), direction = first + second, id = get_local_id(0) % HALF;
  int half_of_group = get_local_id(0) / HALF;
  global float *gates = second ? gates1 : gates0;
  global const float4 *hh = second ? hh1 : hh0;
  int time = second ? time1 : time0, before = second ? before1 : before0;
  int after = second ? after1 : after0;
  int unit = get_group_id(0) * UNITS + id % UNITS, first_unit = get_group_id(0) * UNITS;
  int first_item = get_group_id(1) * ITEMS, own = id / UNITS * OWN;
  float sums[OWN];
  for (int j = 0; j < OWN; j++) sums[j] = 0;
  // Rows of 4H gates are H quads, of which each half has its own.
  int count = after < 0 ? 0 : (hidden + 2 * QUADS - 1) / (2 * QUADS);
  int start = half_of_group * count * QUADS;
  global const float4 *source = (global const float4 *)gates + max(after, 0) * items * hidden;
  local float4 *own_weights = weights + half_of_group * QUADS * UNITS;
  local float4 *own_gradients = gradients + half_of_group * ITEMS * (QUADS + 1);
  float4 next_weights[QUADS * UNITS / HALF], next_gradients[ITEMS * QUADS / HALF];
  for (int part = 0; part <= count; part++) {
    int k = start + part * QUADS;
    if (part < count) {
      load_weights(next_weights, QUADS, hh, k, first_unit, hidden, id);
#pragma unroll
      for (int l = 0; l < ITEMS * QUADS / HALF; l++) {
        int i = id + l * HALF, item = first_item + i / QUADS, column = k + i % QUADS;
        next_gradients[l] =
            item < items && column < hidden ? source[item * hidden + column] : 0;
      }
    }
    if (part > 0) {
      for (int q = 0; q < QUADS; q++) {
        float4 w = own_weights[q * UNITS + id % UNITS];
        for (int j = 0; j < OWN; j++) {
          float4 g = own_gradients[(own + j) * (QUADS + 1) + q];
          sums[j] = fma(w.w, g.w, fma(w.z, g.z, fma(w.y, g.y, fma(w.x, g.x, sums[j]))));
        }
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (part < count) {
#pragma unroll
      for (int l = 0; l < QUADS * UNITS / HALF; l++) own_weights[id + l * HALF] = next_weights[l];
#pragma unroll
      for (int l = 0; l < ITEMS * QUADS / HALF; l++) {
        int i = id + l * HALF;
        own_gradients[i / QUADS * (QUADS + 1) + i % QUADS] = next_gradients[l];
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }
  // The second half's sums go to the first one.
  local float *exchange = (local float *)weights;
  if (half_of_group == 1)
    for (int j = 0; j < OWN; j++) exchange[j * HALF + id] = sums[j];
  barrier(CLK_LOCAL_MEM_FENCE);
  if (half_of_group == 1) return;
  for (int j = 0; j < OWN; j++) sums[j] += exchange[j * HALF + id];
  if (unit >= hidden) return;
  for (int j = 0; j < OWN; j++) {
    int item = first_item + own + j;
    if (item >= items) continue;
    global float *gate = gates + (time * items + item) * 4 * hidden + unit;
    float input = gate[0], forget = gate[hidden];
    float candidate = gate[2 * hidden], output = gate[3 * hidden];
    float tangent = tanh(cells[((direction * steps + time) * items + item) * hidden + unit]);
    float dh = dy[(time * items + item) * width + direction * hidden + unit];
    int place = (direction * items + item) * hidden + unit;
    float dc = 0;
    if (after >= 0) {
      dh += sums[j];
      dc = d_cells[place];
    }
    dc = fma(dh * output, 1 - tangent * tangent, dc);
    float d_forget = 0;
    if (before >= 0) {
      d_forget = dc * cells[((direction * steps + before) * items + item) * hidden + unit] * forget
          * (1 - forget);
    }
    gate[0] = dc * candidate * input * (1 - input);
    gate[hidden] = d_forget;
    gate[2 * hidden] = dc * input * (1 - candidate * candidate);
    gate[3 * hidden] = dh * tangent * output * (1 - output);
    d_cells[place] = dc * forget;
  }
}

// A direction's outputs of the step before, T x N x H; 0 at the first step. The step before lies
// `shift` steps later in time.
kernel void lstm_outputs_before(
    global const float *y, global float *outputs, int steps, int items, int hidden, int width,
    int column, int shift, int count) {
  int i = get_global_id(0);
  if (i >= count) return;
  int unit = i % hidden, item = i / hidden % items, time = i / hidden / items + shift;
  outputs[i] =
      time >= 0 && time < steps ? y[(time * items + item) * width + column + unit] : 0;
}

kernel void lstm_add(global const float *x, global float *sum, int count) {
  int i = get_global_id(0);
  if (i < count) sum[i] += x[i];
}
