import Foundation
import OpenCLKernels

private let optimizers = KernelSource(.positions, .optimizers)

extension OpenCLBackend {
  package func adamStep(
    _ value: Tensor, gradient: Tensor, moment1: Tensor, moment2: Tensor, _ step: AdamStep
  ) {
    adamSteps([
      AdamUpdate(
        value: value, gradient: gradient, moment1: moment1, moment2: moment2, step: step)
    ])
  }

  package func adamSteps(_ updates: [AdamUpdate]) {
    let present = updates.filter { $0.value.count > 0 }
    var start = 0
    while start < present.count {
      // Up to 16 tensors at once, as many as the kernel has arguments for.
      let step = present[start].step
      let together = present[start...].prefix(16).prefix { $0.step == step }
      run(Array(together), step)
      start += together.count
    }
  }

  private func run(_ updates: [AdamUpdate], _ step: AdamStep) {
    let threads = min(256, queue.device.largestGroup)
    var (ends, counts): ([Int], [Int]) = ([], [])
    var arguments: [any KernelArgument] = []
    arguments.reserveCapacity(74)
    for update in updates {
      let (value, count) = (update.value.gpu, update.value.count)
      let order = value.order
      arguments.append(value.mutableBuffer(order))
      arguments.append(update.gradient.gpu.buffer(order))
      arguments.append(update.moment1.gpu.mutableBuffer(order))
      arguments.append(update.moment2.gpu.mutableBuffer(order))
      ends.append((ends.last ?? 0) + (count + 4 * threads - 1) / (4 * threads))
      counts.append(count)
    }
    // The kernel has 16 tensors; those that are missing are never touched.
    for index in 4 * updates.count..<64 { arguments.append(arguments[index % 4]) }
    let groups = ends[ends.count - 1]
    let (bias1, bias2) = (
      1 - pow(step.beta1, Double(step.step)), 1 - pow(step.beta2, Double(step.step))
    )
    arguments += [
      KernelVector<SIMD16<Int32>>(ends, filler: groups), KernelVector<SIMD16<Int32>>(counts),
      Float(step.learningRate / bias1), Float(bias2.squareRoot()), Float(1 - step.beta1),
      Float(1 - step.beta2), Float(step.beta2), Float(step.epsilon),
      step.isDecoupled ? 0 : Float(step.weightDecay),
      step.isDecoupled ? Float(1 - step.learningRate * step.weightDecay) : 1,
    ]
    queue.run(
      "adam_steps", in: optimizers, groups: (groups, 1, 1), threads: (threads, 1, 1), arguments)
  }

  package func gradientDescentStep(
    _ value: Tensor, gradient: Tensor, velocity: Tensor?, _ step: GradientDescentStep
  ) {
    let order = value.gpu.order
    let buffer = value.gpu.mutableBuffer(order)
    runByFours(
      "gradient_descent_step", in: optimizers, count: value.count, buffer,
      gradient.gpu.buffer(order), velocity?.gpu.mutableBuffer(order) ?? buffer,
      Int32(velocity == nil ? 0 : 1), Float(step.learningRate), Float(step.momentum),
      Float(step.weightDecay), Int32(step.nesterov ? 1 : 0))
  }
}
