/// The numbers of one step of Adam that all elements share:
/// `m += (g - m) decay1`, `v = v keep2 + g² decay2`,
/// `value = value keep - stepSize · m / (√v / correction + epsilon)`, where before all that
/// `g += value decay`.
public struct AdamRule: Sendable {
  public let stepSize, correction, decay1, decay2, keep2, epsilon, decay, keep: Float

  public init(
    stepSize: Float, correction: Float, decay1: Float, decay2: Float, keep2: Float,
    epsilon: Float, decay: Float, keep: Float
  ) {
    (self.decay, self.keep) = (decay, keep)
    (self.stepSize, self.correction) = (stepSize, correction)
    (self.decay1, self.decay2, self.keep2) = (decay1, decay2, keep2)
    self.epsilon = epsilon
  }
}
