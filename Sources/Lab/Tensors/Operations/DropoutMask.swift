import Kernels
import LabRandom

/// Sets each element to 0 with the given probability and scales the others by
/// `1 / (1 - probability)`, so that sums stay what they are on average. Only on a tape: a tensor
/// that nobody learns from passes unchanged.
///
/// The same generator state gives the same elements, whatever the number of threads. One 64-bit
/// number is drawn from the generator for each call.
///
/// - Parameters:
///   - x: A tensor of any shape, which the result has too.
///   - probability: The share of elements to drop, in 0…1.
///   - generator: Where the randomness comes from.
///
/// Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
/// JMLR 15 (2014).
public func dropout(
  _ x: Tensor, probability: Double, generator: Generator = .shared
) -> Tensor {
  precondition((0...1).contains(probability), "dropout wants 0…1, got \(probability)")
  guard x.tape != nil, probability > 0 else { return x }
  let rule = DropoutRule(probability: probability, seed: generator.word64())
  if let fused = x.pendingConvolution?.withDropout(rule) { return fused.result() }
  return masked(x, by: rule).recorded(from: [x]) { dy in
    x.receive(masked(dy, by: rule))
  }
}

/// The elements that the rule keeps, scaled, in the layout that x has.
private func masked(_ x: Tensor, by rule: DropoutRule) -> Tensor {
  let y = Tensor(uninitialized: x.shape, layout: x.layout)
  switch x.layout {
  case .rowMajor:
    dropout(x: x.pointer, y: y.pointer, count: x.count, rule)
  case .channelsLast:
    dropoutChannelsLast(
      x: x.pointer(.channelsLast), y: y.pointer(.channelsLast), n: x.shape[0],
      pixels: x.shape[2] * x.shape[3], channels: x.shape[1], rule)
  }
  return y
}
