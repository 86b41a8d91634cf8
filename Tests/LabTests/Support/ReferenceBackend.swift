import Foundation
import Kernels
import Lab

/// A second backend: plain loops over arrays in row-major order, nothing fused, nothing saved. That
/// the same networks run on it shows that operations know nothing of how the processor does things.
final class ReferenceBackend: Backend {
  static let device = Device(ReferenceBackend())
  let name = "reference"

  private final class Memory: DeviceMemory, @unchecked Sendable {
    // Sendable because tests use one thread, and only optimizers change elements.
    var elements: [Float]
    var count: Int { elements.count }
    init(_ elements: [Float]) { self.elements = elements }
  }

  // MARK: Memory

  func memory(of elements: [Float], shape: [Int]) -> any DeviceMemory { Memory(elements) }

  func memory(repeating value: Float, shape: [Int]) -> any DeviceMemory {
    Memory([Float](repeating: value, count: shape.reduce(1, *)))
  }

  func copy(of memory: any DeviceMemory) -> any DeviceMemory { Memory(elements(of: memory)) }

  func elements(of memory: any DeviceMemory) -> [Float] {
    guard let memory = memory as? Memory else { preconditionFailure("memory of another device") }
    return memory.elements
  }

  private func tensor(_ elements: [Float], _ shape: [Int]) -> Tensor {
    Tensor(shape: shape, Memory(elements), on: self)
  }

  private func change(_ x: Tensor, _ body: (inout [Float]) -> Void) {
    guard let memory = x.storage.memory as? Memory else {
      preconditionFailure("memory of another device")
    }
    body(&memory.elements)
  }

  // MARK: Elementwise

  func add(_ a: Tensor, _ b: Tensor, _ activation: Activation) -> Tensor {
    self.activation(activation, tensor(zip(a.elements, b.elements).map { $0 + $1 }, a.shape))
  }

  /// The index into an operand's elements for each element of the shape that it is broadcast to.
  private func indices(of operand: [Int], in shape: [Int]) -> [Int] {
    let extents = Array(repeating: 1, count: shape.count - operand.count) + operand
    return (0..<shape.reduce(1, *)).map { element in
      var (rest, step, index) = (element, 1, 0)
      for (extent, whole) in zip(extents, shape).reversed() {
        if extent > 1 { index += rest % whole * step }
        step *= extent
        rest /= whole
      }
      return index
    }
  }

  func addBroadcast(_ a: Tensor, _ b: Tensor, shape: [Int]) -> Tensor {
    let (first, second) = (a.elements, b.elements)
    let pairs = zip(indices(of: a.shape, in: shape), indices(of: b.shape, in: shape))
    return tensor(pairs.map { first[$0] + second[$1] }, shape)
  }

  func sum(_ x: Tensor, to shape: [Int]) -> Tensor {
    var sums = [Float](repeating: 0, count: shape.reduce(1, *))
    for (index, element) in zip(indices(of: shape, in: x.shape), x.elements) {
      sums[index] += element
    }
    return tensor(sums, shape)
  }

  func activation(_ activation: Activation, _ x: Tensor) -> Tensor {
    activation == .relu ? tensor(x.elements.map { max($0, 0) }, x.shape) : x
  }

  func activationGradient(_ activation: Activation, y: Tensor, dy: Tensor) -> Tensor {
    activation == .relu
      ? tensor(zip(y.elements, dy.elements).map { $0 > 0 ? $1 : 0 }, y.shape) : dy
  }

  func dropout(_ x: Tensor, _ rule: DropoutRule) -> Tensor {
    tensor(x.elements.enumerated().map { rule.keeps($0) ? $1 * rule.scale : 0 }, x.shape)
  }

  // MARK: Reductions

  func sum(_ x: Tensor) -> Tensor {
    tensor([Float(x.elements.reduce(0.0) { $0 + Double($1) })], [])
  }

  func broadcast(_ scalar: Tensor, shape: [Int]) -> Tensor {
    tensor([Float](repeating: scalar.item, count: shape.reduce(1, *)), shape)
  }

  private func rows(_ x: Tensor) -> [[Float]] {
    let (elements, size) = (x.elements, x.shape.last ?? 1)
    return stride(from: 0, to: elements.count, by: max(1, size)).map {
      Array(elements[$0..<$0 + size])
    }
  }

  func argmax(_ x: Tensor) -> [Int] {
    rows(x).map { row in
      row.firstIndex { $0.isNaN } ?? row.firstIndex(of: row.max() ?? 0) ?? 0
    }
  }

  func countCorrect(_ logits: Tensor, labels: [Int]) -> Tensor {
    tensor([Float(zip(argmax(logits), labels).count { $0 == $1 })], [])
  }

  // MARK: Fully connected

  func linear(_ x: Tensor, weight: Tensor, bias: Tensor?) -> Tensor {
    let weights = rows(weight)
    let shifts = bias?.elements ?? [Float](repeating: 0, count: weights.count)
    let y = rows(x).flatMap { row in
      zip(weights, shifts).map { weight, shift in
        zip(row, weight).reduce(shift) { $0 + $1.0 * $1.1 }
      }
    }
    return tensor(y, [x.shape[0], weight.shape[0]])
  }

  func linearInputGradient(dy: Tensor, x: Tensor, weight: Tensor) -> Tensor {
    let weights = rows(weight)
    return tensor(
      rows(dy).flatMap { row in
        (0..<x.shape[1]).map { i in zip(row, weights).reduce(0) { $0 + $1.0 * $1.1[i] } }
      }, x.shape)
  }

  func linearWeightGradient(dy: Tensor, x: Tensor, weight: Tensor) -> Tensor {
    let (gradients, features) = (rows(dy), rows(x))
    return tensor(
      (0..<weight.shape[0]).flatMap { o in
        (0..<weight.shape[1]).map { i in
          zip(gradients, features).reduce(0) { $0 + $1.0[o] * $1.1[i] }
        }
      }, weight.shape)
  }

  func sumRows(_ x: Tensor) -> Tensor { sum(x, to: [x.shape[1]]) }

  // MARK: Convolution

  func canFuse(_ epilogue: ConvolutionEpilogue, after convolution: ConvolutionExtents) -> Bool {
    false
  }

  func canFuse(
    _ front: ConvolutionExtents, _ epilogue: ConvolutionEpilogue,
    inFrontOf convolution: ConvolutionExtents
  ) -> Bool { false }

  func convolution(
    _ x: ConvolutionOperand, weight: Tensor, bias: Tensor?, _ e: ConvolutionExtents,
    _ epilogue: ConvolutionEpilogue, saves: Bool
  ) -> (y: Tensor, saved: AnyObject?) {
    precondition(epilogue == ConvolutionEpilogue())
    var y = [Float](repeating: 0, count: e.n * e.output)
    convolutionReference(
      x: images(x), weight: weight.elements, bias: bias?.elements, y: &y, e)
    return (tensor(y, [e.n, e.k, e.outputH, e.outputW]), nil)
  }

  func convolutionGradients(
    _ x: ConvolutionOperand, weight: Tensor, dy: Tensor, y: Tensor, saved: AnyObject?,
    _ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue, wanted: Set<ConvolutionGradient>
  ) -> [ConvolutionGradient: Tensor] {
    var dx = [Float](repeating: 0, count: e.n * e.image)
    var dWeight = [Float](repeating: 0, count: e.k * e.patch)
    var dBias = [Float](repeating: 0, count: e.k)
    convolutionGradientsReference(
      x: images(x), weight: weight.elements, dy: dy.elements, dx: &dx, dWeight: &dWeight,
      dBias: &dBias, e)
    let all: [ConvolutionGradient: Tensor] = [
      .input: tensor(dx, [e.n, e.c, e.h, e.w]), .weight: tensor(dWeight, weight.shape),
      .bias: tensor(dBias, [e.k]),
    ]
    return all.filter { wanted.contains($0.key) }
  }

  private func images(_ x: ConvolutionOperand) -> [Float] {
    guard case .images(let x) = x else { preconditionFailure("nothing is fused here") }
    return x.elements
  }

  // MARK: Normalization

  /// The channel of each element of N × C × H × W images.
  private func channels(_ shape: [Int]) -> [Int] {
    let pixels = shape[2] * shape[3]
    return (0..<shape.reduce(1, *)).map { $0 / pixels % shape[1] }
  }

  /// For each channel, the sum of what `term` gives for its elements.
  private func sums(_ shape: [Int], _ term: (_ element: Int, _ channel: Int) -> Double) -> [Double]
  {
    var sums = [Double](repeating: 0, count: shape[1])
    for (element, channel) in channels(shape).enumerated() {
      sums[channel] += term(element, channel)
    }
    return sums
  }

  func batchNormStatistics(_ x: Tensor) -> (mean: Tensor, variance: Tensor) {
    let (elements, count) = (x.elements, Double(x.count / x.shape[1]))
    let means = sums(x.shape) { element, _ in Double(elements[element]) }.map { $0 / count }
    let variances = sums(x.shape) { element, channel in
      let distance = Double(elements[element]) - means[channel]
      return distance * distance
    }.map { $0 / count }
    return (
      tensor(means.map(Float.init), [x.shape[1]]), tensor(variances.map(Float.init), [x.shape[1]])
    )
  }

  func runningStatistics(
    _ running: Tensor, batch: Tensor, momentum: Double, scale: Double
  ) -> Tensor {
    tensor(
      zip(running.elements, batch.elements).map {
        Float((1 - momentum) * Double($0) + momentum * scale * Double($1))
      }, running.shape)
  }

  func batchNorm(_ x: Tensor, _ p: BatchNormParameters, _ activation: Activation) -> Tensor {
    let (mean, variance) = (p.mean.elements, p.variance.elements)
    let (weight, bias) = (p.weight.elements, p.bias.elements)
    let y = zip(x.elements, channels(x.shape)).map { element, c in
      weight[c] * (element - mean[c]) / (variance[c] + p.epsilon).squareRoot() + bias[c]
    }
    return self.activation(activation, tensor(y, x.shape))
  }

  func batchNormGradients(
    _ x: Tensor, _ p: BatchNormParameters, _ activation: Activation, dy: Tensor, isTraining: Bool,
    wantsInput: Bool
  ) -> (dx: Tensor?, dWeight: Tensor, dBias: Tensor) {
    let y = batchNorm(x, p, activation)
    let gradient = activationGradient(activation, y: y, dy: dy).elements
    let (elements, mean, variance) = (x.elements, p.mean.elements, p.variance.elements)
    let deviations = variance.map { ($0 + p.epsilon).squareRoot() }
    func normalized(_ element: Int, _ c: Int) -> Double {
      Double((elements[element] - mean[c]) / deviations[c])
    }
    let dBias = sums(x.shape) { element, _ in Double(gradient[element]) }
    let dWeight = sums(x.shape) { Double(gradient[$0]) * normalized($0, $1) }
    let (weight, count) = (p.weight.elements, Double(x.count / x.shape[1]))
    let dx = channels(x.shape).enumerated().map { element, c -> Float in
      let shift = isTraining ? (dBias[c] + normalized(element, c) * dWeight[c]) / count : 0
      return Float(Double(weight[c] / deviations[c]) * (Double(gradient[element]) - shift))
    }
    return (
      wantsInput ? tensor(dx, x.shape) : nil, tensor(dWeight.map(Float.init), [x.shape[1]]),
      tensor(dBias.map(Float.init), [x.shape[1]])
    )
  }

  // MARK: Pooling

  /// The index of the largest pixel of each window, and the shape of the result.
  private final class Windows {
    let largest: [Int]
    let shape: [Int]

    init(_ x: Tensor, size: Int, stride: Int) {
      let (h, w) = (x.shape[2], x.shape[3])
      let (rows, columns) = ((h - size) / stride + 1, (w - size) / stride + 1)
      let elements = x.elements
      shape = [x.shape[0], x.shape[1], rows, columns]
      largest = (0..<shape.reduce(1, *)).map { output in
        let (plane, window) = output.quotientAndRemainder(dividingBy: rows * columns)
        let corner = plane * h * w + window / columns * stride * w + window % columns * stride
        let window2 = (0..<size * size).map { corner + $0 / size * w + $0 % size }
        return window2.dropFirst().reduce(corner) { elements[$1] > elements[$0] ? $1 : $0 }
      }
    }
  }

  func maxPool(
    _ x: Tensor, size: Int, stride: Int, saves: Bool
  ) -> (y: Tensor, saved: AnyObject?) {
    let windows = Windows(x, size: size, stride: stride)
    let elements = x.elements
    return (tensor(windows.largest.map { elements[$0] }, windows.shape), windows)
  }

  func maxPoolGradient(
    dy: Tensor, shape: [Int], size: Int, stride: Int, saved: AnyObject?
  ) -> Tensor {
    var dx = [Float](repeating: 0, count: shape.reduce(1, *))
    for (index, gradient) in zip((saved as? Windows)?.largest ?? [], dy.elements) {
      dx[index] += gradient
    }
    return tensor(dx, shape)
  }

  func globalAveragePool(_ x: Tensor) -> Tensor {
    let pixels = x.shape[2] * x.shape[3]
    let planes = Tensor(x.elements, shape: [x.shape[0] * x.shape[1], pixels])
    return tensor(rows(planes).map { $0.reduce(0, +) / Float(pixels) }, [x.shape[0], x.shape[1]])
  }

  func globalAveragePoolGradient(dy: Tensor, shape: [Int]) -> Tensor {
    let pixels = shape[2] * shape[3]
    return tensor(
      dy.elements.flatMap { [Float](repeating: $0 / Float(pixels), count: pixels) }, shape)
  }

  // MARK: Losses

  func softmax(_ x: Tensor) -> Tensor {
    let y = rows(x).flatMap { row in
      let largest = row.max() ?? 0
      let powers = row.map { Float(exp(Double($0 - largest))) }
      return powers.map { $0 / powers.reduce(0, +) }
    }
    return tensor(y, x.shape)
  }

  func softmaxGradient(dy: Tensor, y: Tensor) -> Tensor {
    tensor(
      zip(rows(dy), rows(y)).flatMap { dy, y in
        let dot = zip(dy, y).reduce(0) { $0 + $1.0 * $1.1 }
        return zip(dy, y).map { $1 * ($0 - dot) }
      }, y.shape)
  }

  func crossEntropy(
    _ logits: Tensor, labels: [Int]
  ) -> (loss: Tensor, probabilities: Tensor) {
    let probabilities = softmax(logits)
    let losses = zip(rows(probabilities), labels).map { -Float(log(Double($0[$1]))) }
    let mean = losses.reduce(0, +) / Float(labels.count)
    return (tensor([mean], []), probabilities)
  }

  func crossEntropyGradient(dy: Tensor, probabilities: Tensor, labels: [Int]) -> Tensor {
    let scale = dy.item / Float(labels.count)
    return tensor(
      zip(rows(probabilities), labels).flatMap { row, label in
        row.enumerated().map { ($1 - ($0 == label ? 1 : 0)) * scale }
      }, probabilities.shape)
  }

  func multiMarginLoss(_ x: Tensor, labels: [Int]) -> Tensor {
    let margins = zip(rows(x), labels).flatMap { row, label in
      row.enumerated().map { $0 == label ? 0 : max(0, 1 - row[label] + $1) }
    }
    return tensor([margins.reduce(0, +) / Float(x.count)], [])
  }

  func multiMarginLossGradient(dy: Tensor, _ x: Tensor, labels: [Int]) -> Tensor {
    let share = dy.item / Float(x.count)
    return tensor(
      zip(rows(x), labels).flatMap { row, label in
        let active = row.indices.filter { $0 != label && 1 - row[label] + row[$0] > 0 }
        return row.indices.map {
          $0 == label ? -share * Float(active.count) : active.contains($0) ? share : 0
        }
      }, x.shape)
  }

  // MARK: Optimizers

  func adamStep(
    _ value: Tensor, gradient: Tensor, moment1: Tensor, moment2: Tensor, _ step: AdamStep
  ) {
    let decay = step.isDecoupled ? 0 : Float(step.weightDecay)
    let keep = step.isDecoupled ? Float(1 - step.learningRate * step.weightDecay) : 1
    let (beta1, beta2) = (Float(step.beta1), Float(step.beta2))
    let values = value.elements.map { $0 * keep }
    let gradients = zip(gradient.elements, value.elements).map { $0 + decay * $1 }
    change(moment1) { m in
      for (index, g) in gradients.enumerated() { m[index] = beta1 * m[index] + (1 - beta1) * g }
    }
    change(moment2) { v in
      for (index, g) in gradients.enumerated() { v[index] = beta2 * v[index] + (1 - beta2) * g * g }
    }
    let (m, v) = (moment1.elements, moment2.elements)
    func correction(_ beta: Float) -> Float {
      1 - (0..<step.step).reduce(1) { product, _ in product * beta }
    }
    let (correction1, correction2) = (correction(beta1), correction(beta2))
    change(value) { value in
      for index in value.indices {
        let denominator = (v[index] / correction2).squareRoot() + Float(step.epsilon)
        value[index] =
          values[index] - Float(step.learningRate) * (m[index] / correction1) / denominator
      }
    }
  }

  func gradientDescentStep(
    _ value: Tensor, gradient: Tensor, velocity: Tensor?, _ step: GradientDescentStep
  ) {
    let (rate, momentum) = (Float(step.learningRate), Float(step.momentum))
    var change = zip(gradient.elements, value.elements).map {
      $0 + Float(step.weightDecay) * $1
    }
    if let velocity {
      let new = zip(velocity.elements, change).map { momentum * $0 + $1 }
      self.change(velocity) { $0 = new }
      change = step.nesterov ? zip(change, new).map { $0 + momentum * $1 } : new
    }
    self.change(value) { value in
      for index in value.indices { value[index] -= rate * change[index] }
    }
  }
}
