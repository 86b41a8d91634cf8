// The loss of connectionist temporal classification. Logarithms of probabilities are sums over many
// steps, so they are pairs of floats: a number, and what rounding has cut off from it.

// Minus infinity, for logarithms that can be subtracted from each other.
#define IMPOSSIBLE (-1e30f)

// Exactly a + b in two floats (Knuth).
float2 two_sum(float a, float b) {
  float sum = a + b;
  float part = sum - a;
  return (float2)(sum, (a - (sum - part)) + (b - part));
}

float2 add_to_pair(float2 a, float b) {
  float2 sum = two_sum(a.x, b);
  return two_sum(sum.x, sum.y + a.y);
}

float2 add_pairs(float2 a, float2 b) {
  float2 sum = two_sum(a.x, b.x);
  return two_sum(sum.x, sum.y + (a.y + b.y));
}

float difference_of_pairs(float2 a, float2 b) { return (a.x - b.x) + (a.y - b.y); }

bool is_larger(float2 a, float2 b) { return difference_of_pairs(a, b) > 0; }

// The logarithm of the sum of three exponentials.
float2 log_of_sum(float2 a, float2 b, float2 c) {
  float2 larger = is_larger(a, b) ? a : b, smallest = is_larger(a, b) ? b : a;
  float2 largest = is_larger(larger, c) ? larger : c, middle = is_larger(larger, c) ? c : larger;
  float others =
      exp(difference_of_pairs(smallest, largest)) + exp(difference_of_pairs(middle, largest));
  return add_to_pair(largest, log1p(others));
}

// What the host gives: N numbers of steps, N numbers of labels, and for each of N x S labels the
// class, the next label of the same class (-1 if there is none), and whether it is the first of its
// class.
typedef struct {
  int steps, length;
  global const int *labels, *next, *is_first;
} Item;

Item item_of(global const int *batch, int item, int items, int most) {
  Item i;
  i.steps = batch[item];
  i.length = batch[items + item];
  i.labels = batch + 2 * items + item * most;
  i.next = i.labels + items * most;
  i.is_first = i.next + items * most;
  return i;
}

// The class of a state: labels with blanks before, between and after them.
int class_of(Item item, int state, int blank) {
  return state % 2 == 1 ? item.labels[state / 2] : blank;
}

// Whether a state can be entered from the last but one.
bool can_skip_to(Item item, int state) {
  return state % 2 == 1 && state > 2 && item.labels[state / 2] != item.labels[state / 2 - 1];
}

// NaN stays NaN.
float at_least_impossible(float x) { return x < IMPOSSIBLE ? IMPOSSIBLE : x; }

#ifdef WIDTH
#define ROW_SPACE local
#define ROW_FENCE CLK_LOCAL_MEM_FENCE
#else
#define ROW_SPACE global
#define ROW_FENCE CLK_GLOBAL_MEM_FENCE
#endif

// The logarithms of the probabilities of all paths that are in a state at a step: up to this step
// (direction 0), or from this step on (direction 1), which is the same from the other end. A group
// computes one direction of an item. Rows of states are in local memory if they have at most WIDTH
// states, and in `rows` otherwise. With `saves`, they are written to `states`: directions x items x
// T x (2 S + 1). The launch has some of the items, the first one being `first`.
kernel void ctc_states(
    global const float *x, global const int *batch, int steps, int items, int classes, int most,
    int blank, int infinity_counts, int first, int saves, global float2 *states,
    global float2 *rows, global float2 *totals, global float *losses) {
#ifdef WIDTH
  local float2 memory[2 * WIDTH];
#else
  size_t group = get_group_id(1) * get_num_groups(0) + get_group_id(0);
  global float2 *memory = rows + group * 2 * (2 * most + 1);
#endif
  int id = get_local_id(0), threads = get_local_size(0);
  int number = first + get_group_id(0), direction = get_group_id(1);
  Item item = item_of(batch, number, items, most);
  int count = 2 * item.length + 1;
#ifdef WIDTH
  int width = WIDTH;
#else
  int width = 2 * most + 1;
#endif
  // The state that a thread has first, whose logarithms are read a step ahead.
  int own = direction == 0 ? id : count - 1 - id;
  bool has_own = id < count;
  int own_class = has_own ? class_of(item, own, blank) : blank;
  int time = direction == 0 ? 0 : item.steps - 1, forward = direction == 0 ? 1 : -1;
  int stride = items * classes;
  global const float *source = x + (size_t)number * classes;
  float ahead = item.steps > 0 ? source[(size_t)time * stride + own_class] : 0;
  for (int i = id; i < count; i += threads) {
    memory[i] = (float2)(i == 0 ? 0 : IMPOSSIBLE, 0);
  }
  barrier(ROW_FENCE);
  for (int step = 0; step < item.steps; step++, time += forward) {
    ROW_SPACE float2 *before = memory + (step % 2) * width;
    ROW_SPACE float2 *after = memory + ((step + 1) % 2) * width;
    float logarithm = ahead;
    if (step + 1 < item.steps) ahead = source[(size_t)(time + forward) * stride + own_class];
    for (int i = id; i < count; i += threads) {
      int state = direction == 0 ? i : count - 1 - i;
      if (i != id) logarithm = source[(size_t)time * stride + class_of(item, state, blank)];
      bool skips = can_skip_to(item, direction == 0 ? state : state + 2) && i >= 2;
      float2 none = (float2)(IMPOSSIBLE, 0);
      float2 sum = log_of_sum(
          before[i], i >= 1 ? before[i - 1] : none, skips ? before[i - 2] : none);
      float2 value = add_to_pair(sum, at_least_impossible(logarithm));
      after[i] = value;
      if (saves) {
        size_t place = direction * get_num_groups(0) + get_group_id(0);
        states[(place * steps + time) * (2 * most + 1) + state] = value;
      }
    }
    barrier(ROW_FENCE);
  }
  if (id == 0 && direction == 0) {
    // The last state is the last blank, the one before it the last label.
    ROW_SPACE float2 *last = memory + (item.steps % 2) * width + count - 1;
    float2 none = (float2)(IMPOSSIBLE, 0);
    float2 total = last[0];
    if (item.steps > 0) total = log_of_sum(last[0], count > 1 ? last[-1] : none, none);
    bool is_possible = !(total.x < IMPOSSIBLE / 10);
    totals[number] = total;
    losses[number] = is_possible ? 0 - total.x : infinity_counts ? INFINITY : 0;
  }
}

// The gradient of an item's loss by the classes of a step, by one group: minus the probability that
// a path has the class. The launch has the items that ctc_states had, which are `together`.
kernel void ctc_gradient(
    global const float *x, global const int *batch, int steps, int items, int classes, int most,
    int blank, int infinity_counts, int first, int together, global const float2 *states,
    global const float2 *totals, global float *dx) {
  local float scratch[MOST_THREADS];
  int id = get_local_id(0), threads = get_local_size(0);
  int step = get_group_id(0) / together, number = first + get_group_id(0) % together;
  Item item = item_of(batch, number, items, most);
  float2 total = totals[number];
  bool is_possible = !(total.x < IMPOSSIBLE / 10);
  bool is_step = step < item.steps;
  float rest = !is_possible && is_step && infinity_counts ? NAN : 0;
  size_t place = ((size_t)step * items + number) * classes;
  for (int c = id; c < classes; c += threads) dx[place + c] = rest;
  barrier(CLK_GLOBAL_MEM_FENCE);

  int length = is_possible && is_step ? item.length : -1;
  size_t width = 2 * most + 1;
  global const float2 *alpha = states + ((size_t)(number - first) * steps + step) * width;
  global const float2 *beta = alpha + (size_t)together * steps * width;
  // A state's probability. Both logarithms contain this step's.
#define PROBABILITY(state, logarithm)                                                            \
  exp(difference_of_pairs(                                                                       \
      add_to_pair(add_pairs(alpha[state], beta[state]), -at_least_impossible(logarithm)), total))
  float blanks = 0;
  for (int k = id; k <= length; k += threads) {
    blanks += PROBABILITY(2 * k, x[place + blank]);
    if (k == length || !item.is_first[k]) continue;
    float logarithm = x[place + item.labels[k]], sum = 0;
    for (int other = k; other >= 0; other = item.next[other]) {
      sum += PROBABILITY(2 * other + 1, logarithm);
    }
    dx[place + item.labels[k]] = -sum;
  }
  blanks = sum_of_threads(blanks, scratch, id, threads, 1);
  if (id == 0 && length >= 0) dx[place + blank] = -blanks;
}
