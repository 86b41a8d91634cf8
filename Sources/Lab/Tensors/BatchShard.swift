import LabRandom

/// A part of a batch that is computed by itself, on a tape of its own, while others compute the other
/// parts: in other threads, or in other processes.
///
/// Operations whose results depend on the whole batch ask it for what they need of the other parts. All
/// parts call the same operations in the same order.
package protocol BatchShard: AnyObject, Sendable {
  /// The sums of these numbers over all parts of the batch, the same in all of them. Waits for the
  /// others.
  ///
  /// They are zeros once the pass has failed, which its end reports.
  func sum(_ numbers: [Double]) -> [Double]

  /// A seed for random numbers of this part, of which one is drawn from the generator for all parts.
  func seed(from generator: Generator) -> UInt64

  /// Something to do when the whole batch has been computed, once and not for each part.
  func afterwards(_ update: @escaping () -> Void)
}

/// The part of a batch that this thread computes.
package enum CurrentShard {
  /// Nil if the thread computes whole batches.
  @TaskLocal package static var shard: (any BatchShard)?
}
