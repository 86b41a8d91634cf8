kernel void temporary_product(global const float *a, global const float *b, int has_b, global float *y,
    int n, int depth, int a_row, int a_column, int b_row, int b_column, int count) {
  int i = get_global_id(0);
  if (i >= count) return;
  int row = i / n, column = i % n;
  float sum = 0;
  for (int k = 0; k < depth; k++) {
    float left = has_b ? a[row * a_row + k * a_column] : a[k * a_column + column];
    sum += left * (has_b ? b[k * b_row + column * b_column] : 1);
  }
  y[i] = sum;
}
