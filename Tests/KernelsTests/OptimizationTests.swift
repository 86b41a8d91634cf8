import Kernels
import Testing

@Suite(.serialized)
struct OptimizationTests {
  @Test(arguments: KernelSet.supported, [1, 3, 17, 1000, 300_001])
  func adamFollowsItsFormula(_ set: KernelSet, count: Int) {
    for (decay, isDecoupled) in [(0, false), (0.1, false), (0.1, true)] {
      expectAdam(set, count, decay, isDecoupled)
    }
  }

  private func expectAdam(_ set: KernelSet, _ count: Int, _ decay: Double, _ isDecoupled: Bool) {
    let (start, gradient) = (numbers(count), numbers(count, seed: 2))
    let results = withThreadCounts(set) {
      var (value, m, v) = (start, [Float](repeating: 0, count: count), gradient.map { $0 * $0 })
      for step in 1...3 {
        adamStep(
          value: &value, gradient: gradient, moment1: &m, moment2: &v, count: count, step: step,
          learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: decay,
          isDecoupled: isDecoupled)
      }
      return value
    }
    for other in results.dropFirst() { #expect(other == results[0]) }

    let expected = zip(start, gradient).map { start, gradient in
      var (value, m, v) = (Double(start), 0.0, Double(gradient * gradient))
      var (power1, power2) = (1.0, 1.0)
      for _ in 1...3 {
        (power1, power2) = (power1 * 0.9, power2 * 0.999)
        let g = Double(gradient) + (isDecoupled ? 0 : decay * value)
        if isDecoupled { value -= 1e-2 * decay * value }
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        value -= 1e-2 * (m / (1 - power1)) / ((v / (1 - power2)).squareRoot() + 1e-8)
      }
      return Float(value)
    }
    #expect(relativeError(results[0], expected) < 1e-6)
  }
}
