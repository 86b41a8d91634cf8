import Lab
import Testing

struct PendingSumTests {
  /// An image of rows and one of channels, as convolutions give them, and both in one.
  @Test(arguments: [false, true], [false, true])
  func aRectifierBehindItChangesNothingButTheTime(first: Bool, second: Bool) throws {
    let kernel = pattern([5, 5, 1, 1], step: 3)
    let inputs = [pattern([2, 5, 3, 3]), pattern([2, 5, 3, 3], step: 5)]
    let results = try [true, false].map { isFused in
      try gradients(of: inputs) { x throws(ShapeError) in
        let a = first ? try conv2d(x[0], weight: kernel) : x[0]
        let b = second ? try conv2d(x[1], weight: kernel) : x[1]
        let y = try a + b
        if !isFused { _ = y.elements }
        return relu(y)
      }
    }
    #expect(results[0].y == results[1].y)
    for (fused, plain) in zip(results[0].gradients, results[1].gradients) {
      #expect(fused == plain)
    }
  }

  @Test func aSumCanBeUsedBothWays() throws {
    // No sum is 0, where the rectifier has a kink.
    let b = Tensor(pattern([2, 3], step: 5).elements.map { $0 + 0.125 }, shape: [2, 3])
    try checkGradients(of: [pattern([2, 3]), b]) { x throws(ShapeError) in
      let y = try x[0] + x[1]
      return try relu(y) + y
    }
  }
}
