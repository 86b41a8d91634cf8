import Kernels
import LabRandom

/// Sets each element to 0 with the given probability and scales the others by
/// `1 / (1 - probability)`, which keeps the expected value. Only on a tape: off a tape x is returned
/// unchanged.
///
/// The same generator state gives the same elements, whatever the number of threads. One 64-bit
/// number is drawn from the generator for each call.
///
/// - Parameters:
///   - x: A tensor of any shape, which the result has too.
///   - probability: The probability that an element is dropped, in 0…1.
///   - generator: The random number generator.
///
/// Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
/// JMLR 15 (2014).
public func dropout(
  _ x: Tensor, probability: Double, generator: Generator = .shared
) -> Tensor {
  precondition(
    (0...1).contains(probability), "dropout expects a probability in 0…1, got \(probability)")
  guard x.tape != nil, probability > 0 else { return x.noted("dropout", of: x, .fused) }
  let seed = CurrentShard.shard?.seed(from: generator) ?? generator.word64()
  let rule = DropoutRule(probability: probability, seed: seed)
  if let fused = (x.storage.deferred as? DeferredConvolution)?.withDropout(rule) {
    return fused.noted("dropout", of: x, .fused)
  }
  x.materialize()
  let backend = x.storage.backend
  let target = x.gradientTarget
  return backend.dropout(x, rule).recorded(from: [x]) { dy in
    target.receive(backend.dropout(dy, rule))
  }
}
