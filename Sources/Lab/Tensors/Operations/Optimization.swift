import Kernels

/// One step of Adam, in place; see ``Adam`` and ``AdamW``.
package func adamStep(
  _ value: Tensor, gradient: Tensor, moment1: Tensor, moment2: Tensor, step: Int,
  learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double,
  isDecoupled: Bool
) {
  value.storage.willChange()
  adamStep(
    value: value.pointer, gradient: gradient.pointer,
    moment1: moment1.pointer, moment2: moment2.pointer, count: value.count,
    step: step, learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
    weightDecay: weightDecay, isDecoupled: isDecoupled)
}

/// One step of stochastic gradient descent, in place; see ``SGD``.
package func gradientDescentStep(
  _ value: Tensor, gradient: Tensor, velocity: Tensor?, learningRate: Double, momentum: Double,
  weightDecay: Double, nesterov: Bool
) {
  value.storage.willChange()
  gradientDescentStep(
    value: value.pointer, gradient: gradient.pointer, velocity: velocity?.pointer,
    count: value.count, learningRate: learningRate, momentum: momentum, weightDecay: weightDecay,
    nesterov: nesterov)
}
