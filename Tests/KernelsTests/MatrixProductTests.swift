import Kernels
import Testing

struct MatrixProductTests {
  @Test(
    arguments: [(1, 1, 1), (3, 5, 2), (16, 16, 16), (17, 31, 65), (64, 784, 9)],
    [(false, false), (true, false), (false, true), (true, true)])
  func agreesWithTheReference(sizes: (m: Int, n: Int, k: Int), transposed: (a: Bool, b: Bool)) {
    let (m, n, k) = sizes
    let a = NumberBuffer(numbers(m * k))
    let b = NumberBuffer(numbers(k * n, seed: 2))
    let left = Matrix(a.pointer, stride: transposed.a ? m : k, isTransposed: transposed.a)
    let right = Matrix(b.pointer, stride: transposed.b ? k : n, isTransposed: transposed.b)
    withExtendedLifetime((a, b)) {
      for adding in [false, true] {
        var fast = numbers(m * n, seed: 3)
        var plain = fast
        matrixProduct(left, right, into: &fast, stride: n, m: m, n: n, k: k, adding: adding)
        matrixProductReference(
          left, right, into: &plain, stride: n, m: m, n: n, k: k, adding: adding)
        #expect(relativeError(fast, plain) < 1e-6)
      }
    }
  }
}
