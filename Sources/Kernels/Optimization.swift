import Foundation
import KernelInterface

/// One step of Adam on `count` elements, in the order of operations of `torch.optim.Adam`.
///
/// `moment1` and `moment2` are the running means of the gradient and of its square; `step` counts
/// from 1.
///
/// Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1.
public func adamStep(
  value: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
  moment1: UnsafeMutablePointer<Float>, moment2: UnsafeMutablePointer<Float>, count: Int,
  step: Int, learningRate: Double, beta1: Double, beta2: Double, epsilon: Double
) {
  let rule = AdamRule(
    stepSize: Float(learningRate / (1 - pow(beta1, Double(step)))),
    correction: Float((1 - pow(beta2, Double(step))).squareRoot()),
    decay1: Float(1 - beta1), decay2: Float(1 - beta2), keep2: Float(beta2),
    epsilon: Float(epsilon))
  let loops = KernelSet.current.loops
  parallel(count: count, grain: 1 << 17) { range in
    let first = range.lowerBound
    loops.adamStep(
      value: value + first, gradient: gradient + first, moment1: moment1 + first,
      moment2: moment2 + first, count: range.count, rule)
  }
}

/// One step of stochastic gradient descent: `value -= learningRate · gradient`.
public func gradientDescentStep(
  value: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, count: Int,
  learningRate: Double
) {
  let rate = Float(learningRate)
  for index in 0..<count { value[index] -= rate * gradient[index] }
}
