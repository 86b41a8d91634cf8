import Kernels
import Testing

struct LayoutTests {
  @Test(
    arguments: KernelSet.supported,
    [(1, 1, 1), (2, 3, 49), (3, 64, 784), (17, 20, 6), (1, 16, 16), (2, 33, 31)])
  func conversionToChannelsLastCanBeReversed(
    _ set: KernelSet, extents: (n: Int, c: Int, pixels: Int)
  ) {
    let (n, c, pixels) = extents
    let x = numbers(n * c * pixels)
    var (last, first) = (x, x)
    KernelSet.$current.withValue(set) {
      channelsLast(x, into: &last, n: n, c: c, pixels: pixels)
      channelsFirst(last, into: &first, n: n, c: c, pixels: pixels)
    }
    #expect(last == channelsLast(x, n: n, c: c, pixels: pixels))
    #expect(first == x)
  }
}
