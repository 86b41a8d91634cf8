import Foundation
import LabRandom
import LabTensors

/// How the images of a batch were mixed with others by mixup.
public struct Mixing: Sendable {
  /// The labels of the images that were mixed in, one for each image of the batch.
  public let labels: IntTensor
  /// The share of the batch's own images and labels, in 0…1; the rest belongs to the others.
  public let share: Float

  /// - Parameters:
  ///   - labels: The labels of the images that were mixed in.
  ///   - share: The share of the batch's own images and labels, in 0…1.
  public init(labels: IntTensor, share: Float) {
    (self.labels, self.share) = (labels, share)
  }
}

/// Mixup: replaces each image by the weighted mean of itself and another image of the batch. The loss is
/// the mean of the losses for both labels, with the same weights.
///
/// The weight is drawn once for each batch, from a beta distribution. Other images are those of a random
/// order of the batch, so that some may be mixed with themselves.
///
/// Source: H. Zhang, M. Cisse, Y. Dauphin, D. Lopez-Paz, "mixup: Beyond Empirical Risk Minimization",
/// ICLR 2018.
package struct Mixup: Sendable {
  /// Both parameters of the beta distribution: small numbers mix little, with 1 all weights are as
  /// likely.
  package let alpha: Double

  /// The numbers that ``alpha`` may be.
  package static let allowed = 0.01...4

  package init(alpha: Double) {
    precondition(
      Self.allowed.contains(alpha), "Mixup: expected alpha in \(Self.allowed), got \(alpha)")
    self.alpha = alpha
  }

  /// Mixes the images of a batch.
  ///
  /// - Parameters:
  ///   - batch: All images of the batch, of shape (images, …), with one label each.
  ///   - generator: The source of random numbers.
  package func callAsFunction(_ batch: Batch, generator: Generator) -> Batch {
    let share = beta(generator)
    let others = generator.permutation(of: batch.count)
    let (pixels, labels) = (batch.x.elements, batch.y.elements)
    let size = pixels.count / max(1, batch.count)
    let x = Tensor(shape: batch.x.shape) { x in
      for (image, other) in others.enumerated() {
        for offset in 0..<size {
          let (own, mixed) = (pixels[image * size + offset], pixels[other * size + offset])
          x[image * size + offset] = share * own + (1 - share) * mixed
        }
      }
    }
    let mixing = Mixing(
      labels: IntTensor(others.map { labels[$0] }, shape: batch.y.shape), share: share)
    return Batch(x: x, y: batch.y, mixing: mixing)
  }

  /// A number of the beta distribution with both parameters ``alpha``.
  ///
  /// Source: M. D. Jöhnk, "Erzeugung von betaverteilten und gammaverteilten Zufallszahlen", Metrika 8
  /// (1964): of two powers of uniform numbers whose sum is at most 1, the first one's share.
  private func beta(_ generator: Generator) -> Float {
    // The least likely case, alpha = 4, takes 70 attempts on average.
    for _ in 0..<10_000 {
      let logarithms = generator.uniform(count: 2, 0, 1).map { log(1 - Double($0)) / alpha }
      let powers = logarithms.map(exp)
      guard powers[0] + powers[1] <= 1 else { continue }
      // Both powers may be too small for a number; their ratio is not.
      return Float(1 / (1 + exp(logarithms[1] - logarithms[0])))
    }
    return 0.5
  }
}
