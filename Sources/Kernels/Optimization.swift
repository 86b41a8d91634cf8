import Foundation

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
  let stepSize = Float(learningRate / (1 - pow(beta1, Double(step))))
  let correction = Float((1 - pow(beta2, Double(step))).squareRoot())
  let (decay1, decay2) = (Float(1 - beta1), Float(1 - beta2))
  let (keep2, epsilon) = (Float(beta2), Float(epsilon))
  parallel(count: count, grain: 1 << 15) { range in
    for index in range {
      let g = gradient[index]
      let m = moment1[index] + (g - moment1[index]) * decay1
      let v = moment2[index] * keep2 + g * g * decay2
      moment1[index] = m
      moment2[index] = v
      value[index] -= stepSize * (m / (v.squareRoot() / correction + epsilon))
    }
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
