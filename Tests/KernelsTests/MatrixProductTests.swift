import Testing

import Kernels

struct MatrixProductTests {
  @Test(
    arguments: [(1, 1, 1), (3, 5, 2), (16, 16, 16), (17, 31, 65), (64, 784, 9)],
    [(false, false), (true, false), (false, true), (true, true)])
  func agreesWithTheReference(sizes: (m: Int, n: Int, k: Int), transposed: (a: Bool, b: Bool)) {
    let (m, n, k) = sizes
    let a = numbers(m * k), b = numbers(k * n)
    for adding in [false, true] {
      var (fast, plain) = (numbers(m * n), numbers(m * n))
      let left = Matrix(a, stride: transposed.a ? m : k, isTransposed: transposed.a)
      let right = Matrix(b, stride: transposed.b ? k : n, isTransposed: transposed.b)
      matrixProduct(left, right, into: &fast, stride: n, m: m, n: n, k: k, adding: adding)
      matrixProductReference(left, right, into: &plain, stride: n, m: m, n: n, k: k, adding: adding)
      #expect(relativeError(fast, plain) < 1e-6)
    }
  }
}
