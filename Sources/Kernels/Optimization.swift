import Foundation
import KernelInterface

/// One step of Adam on `count` elements, in the order of operations of `torch.optim.Adam`.
///
/// `weightDecay · value` is added to the gradient. If weight decay is decoupled, as in AdamW, the value
/// is multiplied by `1 - learningRate · weightDecay` instead.
///
/// `moment1` and `moment2` are the running means of the gradient and of its square; `step` counts
/// from 1.
///
/// Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.
public func adamStep(
  value: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
  moment1: UnsafeMutablePointer<Float>, moment2: UnsafeMutablePointer<Float>, count: Int,
  step: Int, learningRate: Double, beta1: Double, beta2: Double, epsilon: Double,
  weightDecay: Double = 0, isDecoupled: Bool = false
) {
  let rule = AdamRule(
    stepSize: Float(learningRate / (1 - pow(beta1, Double(step)))),
    correction: Float((1 - pow(beta2, Double(step))).squareRoot()),
    decay1: Float(1 - beta1), decay2: Float(1 - beta2), keep2: Float(beta2),
    epsilon: Float(epsilon), decay: isDecoupled ? 0 : Float(weightDecay),
    keep: isDecoupled ? Float(1 - learningRate * weightDecay) : 1)
  let loops = KernelSet.current.loops
  parallel(count: count, grain: 1 << 17) { range in
    let first = range.lowerBound
    loops.adamStep(
      value: value + first, gradient: gradient + first, moment1: moment1 + first,
      moment2: moment2 + first, count: range.count, rule)
  }
}

/// One step of stochastic gradient descent, in the order of operations of `torch.optim.SGD`:
/// `g += weightDecay · value`, `velocity = momentum · velocity + g`, `value -= learningRate ·
/// velocity`, or with `nesterov` `value -= learningRate · (g + momentum · velocity)`.
///
/// - Parameter velocity: Nil for a step without momentum.
public func gradientDescentStep(
  value: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
  velocity: UnsafeMutablePointer<Float>? = nil, count: Int, learningRate: Double,
  momentum: Double = 0, weightDecay: Double = 0, nesterov: Bool = false
) {
  let (rate, kept, decay) = (Float(learningRate), Float(momentum), Float(weightDecay))
  for index in 0..<count {
    let g = gradient[index] + decay * value[index]
    guard let velocity else {
      value[index] -= rate * g
      continue
    }
    velocity[index] = kept * velocity[index] + g
    value[index] -= rate * (nesterov ? g + kept * velocity[index] : velocity[index])
  }
}
