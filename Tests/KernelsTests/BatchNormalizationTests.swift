import Kernels
import Testing

@Suite(.serialized)
struct BatchNormalizationTests {
  @Test(arguments: KernelSet.supported, [(17, 1), (9, 3), (100, 16), (300, 20), (9000, 64)])
  func agreesWithTheDefinition(_ set: KernelSet, extents: (pixels: Int, channels: Int)) {
    for (relu, isTraining) in [(false, true), (true, true), (false, false), (true, false)] {
      let problem = Problem(extents.pixels, extents.channels, relu, isTraining)
      let results = withThreadCounts(set) { problem.solve() }
      for other in results.dropFirst() { #expect(other == results[0]) }
      for (found, expected) in zip(results[0], problem.solveByDefinition(y: results[0][2])) {
        #expect(relativeError(found, expected) < 1e-5)
      }
    }
  }

  @Test func runningStatisticsAreUpdatedInDoublePrecision() {
    let (running, batch) = (numbers(33), numbers(33, seed: 2))
    var updated = running
    BatchNormalization.updateRunning(
      running, batch: batch, momentum: 0.1, scale: 1.5, into: &updated, channels: 33)
    let expected = zip(running, batch).map { running, batch in
      let old = (1 - 0.1) * Double(running)
      return Float(old + 0.1 * 1.5 * Double(batch))
    }
    #expect(updated == expected)
  }
}

/// A normalization problem with fixed numbers.
private struct Problem {
  let pixels, channels: Int
  let relu, isTraining: Bool
  let x, weight, bias, dy: [Float]
  let epsilon: Float = 1e-5

  init(_ pixels: Int, _ channels: Int, _ relu: Bool, _ isTraining: Bool) {
    (self.pixels, self.channels) = (pixels, channels)
    (self.relu, self.isTraining) = (relu, isTraining)
    // Far from 0, where a variance by Σx² - (Σx)² would be wrong.
    x = numbers(pixels * channels).map { $0 + 3 }
    weight = numbers(channels, seed: 2)
    bias = numbers(channels, seed: 3)
    dy = numbers(pixels * channels, seed: 4)
  }

  /// Mean, variance, y, dx, dWeight and dBias.
  func solve() -> [[Float]] {
    var (mean, variance) = (numbers(channels, seed: 5), numbers(channels, seed: 6).map(abs))
    if isTraining {
      BatchNormalization.statistics(
        x: x, mean: &mean, variance: &variance, pixels: pixels, channels: channels)
    }
    var (y, dx, dWeight, dBias) = (dy, dy, weight, bias)
    BatchNormalization.forward(
      x: x, mean: mean, variance: variance, weight: weight, bias: bias, epsilon: epsilon,
      activation: relu ? .relu : .none, y: &y, pixels: pixels, channels: channels)
    BatchNormalization.gradients(
      x: x, mean: mean, variance: variance, weight: weight, bias: bias, epsilon: epsilon,
      activation: relu ? .relu : .none, isTraining: isTraining, dy: dy, dx: &dx, dWeight: &dWeight,
      dBias: &dBias,
      pixels: pixels, channels: channels)
    return [mean, variance, y, dx, dWeight, dBias]
  }

  /// The same in double precision, except for the sign of the ReLU's arguments, which is taken from y.
  func solveByDefinition(y rectified: [Float]) -> [[Float]] {
    var (mean, variance) = (
      numbers(channels, seed: 5).map(Double.init),
      numbers(channels, seed: 6).map { Double(abs($0)) }
    )
    var (y, dx, dWeight, dBias) = (dy, dy, weight, bias)
    let count = Double(pixels)
    for c in 0..<channels {
      let values = (0..<pixels).map { Double(x[$0 * channels + c]) }
      if isTraining {
        mean[c] = values.reduce(0, +) / count
        variance[c] = values.map { ($0 - mean[c]) * ($0 - mean[c]) }.reduce(0, +) / count
      }
      let deviation = 1 / (variance[c] + Double(epsilon)).squareRoot()
      let normal = values.map { ($0 - mean[c]) * deviation }
      let gradients = (0..<pixels).map { pixel in
        relu && rectified[pixel * channels + c] <= 0 ? 0 : Double(dy[pixel * channels + c])
      }
      let sum = gradients.reduce(0, +)
      let product = zip(gradients, normal).map { $0 * $1 }.reduce(0, +)
      (dBias[c], dWeight[c]) = (Float(sum), Float(product))
      for pixel in 0..<pixels {
        let result = Double(weight[c]) * normal[pixel] + Double(bias[c])
        y[pixel * channels + c] = Float(relu ? max(result, 0) : result)
        let through = isTraining ? (sum + normal[pixel] * product) / count : 0
        dx[pixel * channels + c] = Float(
          Double(weight[c]) * deviation * (gradients[pixel] - through))
      }
    }
    return [mean.map { Float($0) }, variance.map { Float($0) }, y, dx, dWeight, dBias]
  }
}
