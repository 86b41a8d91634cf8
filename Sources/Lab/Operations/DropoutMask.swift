import Kernels

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
  let y = Tensor(uninitialized: x.shape)
  dropout(x: x.pointer, y: y.pointer, count: x.count, rule)
  return y.recorded(from: [x]) { dy in
    let dx = Tensor(uninitialized: x.shape)
    dropout(x: dy.pointer, y: dx.pointer, count: x.count, rule)
    x.receive(dx)
  }
}
