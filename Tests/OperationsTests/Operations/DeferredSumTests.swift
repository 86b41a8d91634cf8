import Lab
import TestSupport
import Testing

struct DeferredSumTests {
  /// Row-major images, images with their channels last as convolutions give them, and one of each.
  @Test(arguments: [false, true], [false, true])
  func anActivationFusedWithItChangesNothing(first: Bool, second: Bool) throws {
    let kernel = pattern([5, 5, 1, 1], step: 3)
    let inputs = [pattern([2, 5, 3, 3]), pattern([2, 5, 3, 3], step: 5)]
    let results = try [true, false].map { isFused in
      try gradients(of: inputs) { x throws(ShapeError) in
        let a = first ? try conv2d(x[0], weight: kernel) : x[0]
        let b = second ? try conv2d(x[1], weight: kernel) : x[1]
        let y = try a + b
        if !isFused { y.materialize() }
        return relu(y)
      }
    }
    #expect(results[0].y == results[1].y)
    for (fused, plain) in zip(results[0].gradients, results[1].gradients) {
      #expect(fused == plain)
    }
  }

  /// Each sum computes its inputs, so that no chain of deferred ones grows.
  @Test func aLongSumNeedsNoStackAndNoMemory() throws {
    let one = Tensor([1])
    var total = Tensor([0])
    weak var early: Storage?
    for count in 0..<100_000 {
      total = try total + one
      if count == 10 { early = total.storage }
    }
    #expect(total.item == 100_000)
    #expect(early == nil)
  }

  @Test func aLongSumOnATapeNeedsNoStack() throws {
    let tape = Tape()
    let x = tape.variable(Tensor([1]))
    var total = x
    for _ in 0..<100_000 { total = try total + x }
    try tape.backward(total)
    #expect(tape.gradient(of: x)?.item == 100_001)
    // One that is never differentiated is freed without recursion too.
    let other = Tape()
    total = other.variable(Tensor([1]))
    for _ in 0..<100_000 { total = try total + x.detached }
    total = x.detached
  }

  @Test func aSumCanBeUsedBothWays() throws {
    // No sum is 0, where ReLU has a kink.
    let b = Tensor(pattern([2, 3], step: 5).elements.map { $0 + 0.125 }, shape: [2, 3])
    try checkGradients(of: [pattern([2, 3]), b]) { x throws(ShapeError) in
      let y = try x[0] + x[1]
      return try relu(y) + y
    }
  }
}
