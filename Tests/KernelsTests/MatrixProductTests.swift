import Kernels
import Testing

struct MatrixProductTests {
  @Test(
    arguments: KernelSet.withEveryProvider,
    [
      (1, 1, 1), (3, 5, 2), (16, 16, 16), (17, 31, 65), (64, 784, 9), (4, 7, 100), (2, 64, 33),
      (6, 64, 300), (7, 130, 517), (140, 70, 20), (20, 600, 40), (9, 513, 270), (5, 3, 0),
    ])
  func agreesWithTheReference(_ set: KernelSet, sizes: (m: Int, n: Int, k: Int)) {
    let (m, n, k) = sizes
    let a = NumberBuffer(numbers(m * k))
    let b = NumberBuffer(numbers(k * n, seed: 2))
    for (aIsTransposed, bIsTransposed, adding) in [
      (false, false, false), (true, false, false), (false, true, false), (true, true, false),
      (false, false, true), (true, false, true), (false, true, true), (true, true, true),
    ] {
      let left = Matrix(a.pointer, stride: aIsTransposed ? m : k, isTransposed: aIsTransposed)
      let right = Matrix(b.pointer, stride: bIsTransposed ? k : n, isTransposed: bIsTransposed)
      withExtendedLifetime((a, b)) {
        // The stride of the result exceeds its columns; the elements between rows must not change.
        let stride = n + 3
        var fast = numbers(m * stride, seed: 3)
        var plain = fast
        KernelSet.$current.withValue(set) {
          matrixProduct(
            left, right, into: &fast, stride: stride, m: m, n: n, k: k, adding: adding)
        }
        matrixProductReference(
          left, right, into: &plain, stride: stride, m: m, n: n, k: k, adding: adding)
        #expect(relativeError(fast, plain) < 1e-6)
      }
    }
  }
}
