import Foundation
import Kernels
import Lab

/// A second backend: plain loops over arrays in row-major order, nothing fused, nothing saved. That
/// the same networks run on it shows that operations know nothing of how the processor does things.
package final class ReferenceBackend: Backend {
  package static let device = Device(ReferenceBackend())
  package let name = "reference"

  private final class Memory: DeviceMemory, @unchecked Sendable {
    // Sendable because tests use one thread, and only optimizers change elements.
    var elements: [Float]
    var count: Int { elements.count }
    init(_ elements: [Float]) { self.elements = elements }
  }

  // MARK: Memory

  package func memory(of elements: [Float], shape: [Int]) -> any DeviceMemory { Memory(elements) }

  package func memory(repeating value: Float, shape: [Int]) -> any DeviceMemory {
    Memory([Float](repeating: value, count: shape.reduce(1, *)))
  }

  package func copy(of memory: any DeviceMemory) -> any DeviceMemory {
    Memory(elements(of: memory))
  }

  package func elements(of memory: any DeviceMemory) -> [Float] {
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

  package func add(_ a: Tensor, _ b: Tensor, _ activation: Activation) -> Tensor {
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

  package func binary(
    _ operation: BinaryOperation, _ a: Tensor, _ b: Tensor, shape: [Int]
  ) -> Tensor {
    let (first, second) = (a.elements, b.elements)
    let pairs = zip(indices(of: a.shape, in: shape), indices(of: b.shape, in: shape))
    return tensor(pairs.map { value(operation, first[$0], second[$1]) }, shape)
  }

  private func value(_ operation: BinaryOperation, _ a: Float, _ b: Float) -> Float {
    switch operation {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .minimum: min(a, b)
    case .maximum: max(a, b)
    case .equal: a == b ? 1 : 0
    case .notEqual: a != b ? 1 : 0
    case .less: a < b ? 1 : 0
    case .lessOrEqual: a <= b ? 1 : 0
    case .greater: a > b ? 1 : 0
    case .greaterOrEqual: a >= b ? 1 : 0
    }
  }

  package func binaryGradient(
    _ operation: BinaryOperation, of operand: Operand, dy: Tensor, _ a: Tensor, _ b: Tensor
  ) -> Tensor {
    let (first, second) = (a.elements, b.elements)
    let pairs = zip(indices(of: a.shape, in: dy.shape), indices(of: b.shape, in: dy.shape))
    let slopes = pairs.map { i, j -> Float in
      let (a, b) = (first[i], second[j])
      switch (operation, operand) {
      case (.add, _), (.subtract, .left): return 1
      case (.subtract, .right): return -1
      case (.multiply, _): return operand == .left ? b : a
      case (.divide, _): return operand == .left ? 1 / b : -a / (b * b)
      case (.minimum, _): return a == b ? 0.5 : ((a < b) == (operand == .left) ? 1 : 0)
      case (.maximum, _): return a == b ? 0.5 : ((a > b) == (operand == .left) ? 1 : 0)
      default: return 0
      }
    }
    let whole = tensor(zip(slopes, dy.elements).map { $0 * $1 }, dy.shape)
    return sum(whole, to: operand == .left ? a.shape : b.shape)
  }

  package func select(_ condition: Tensor, _ a: Tensor, _ b: Tensor, shape: [Int]) -> Tensor {
    let (conditions, first, second) = (condition.elements, a.elements, b.elements)
    let (i, j, k) = (
      indices(of: condition.shape, in: shape), indices(of: a.shape, in: shape),
      indices(of: b.shape, in: shape)
    )
    return tensor(i.indices.map { conditions[i[$0]] != 0 ? first[j[$0]] : second[k[$0]] }, shape)
  }

  package func selectGradient(
    of operand: Operand, _ condition: Tensor, dy: Tensor, shape: [Int]
  ) -> Tensor {
    let conditions = condition.elements
    let d = zip(indices(of: condition.shape, in: dy.shape), dy.elements).map {
      (conditions[$0] != 0) == (operand == .left) ? $1 : 0
    }
    return sum(tensor(d, dy.shape), to: shape)
  }

  private func value(_ operation: UnaryOperation, _ x: Double) -> Double {
    switch operation {
    case .negate: -x
    case .absolute: abs(x)
    case .exp: Foundation.exp(x)
    case .log: Foundation.log(x)
    case .sqrt: x.squareRoot()
    case .sigmoid: 1 / (1 + Foundation.exp(-x))
    case .tanh: Foundation.tanh(x)
    case .gelu: x / 2 * (1 + erf(x / 2.0.squareRoot()))
    case .silu: x / (1 + Foundation.exp(-x))
    case .relu: max(x, 0)
    }
  }

  package func unary(_ operation: UnaryOperation, _ x: Tensor) -> Tensor {
    tensor(x.elements.map { Float(value(operation, Double($0))) }, x.shape)
  }

  package func unaryGradient(_ operation: UnaryOperation, dy: Tensor, x: Tensor, y: Tensor)
    -> Tensor
  {
    // By central differences in double precision.
    tensor(
      zip(dy.elements, x.elements).map { dy, x in
        let (up, down) = (Double(x) + 1e-5, Double(x) - 1e-5)
        return Float(Double(dy) * (value(operation, up) - value(operation, down)) / 2e-5)
      }, x.shape)
  }

  package func sum(_ x: Tensor, to shape: [Int]) -> Tensor {
    var sums = [Float](repeating: 0, count: shape.reduce(1, *))
    for (index, element) in zip(indices(of: shape, in: x.shape), x.elements) {
      sums[index] += element
    }
    return tensor(sums, shape)
  }

  package func activation(_ activation: Activation, _ x: Tensor) -> Tensor {
    activation == .relu ? tensor(x.elements.map { max($0, 0) }, x.shape) : x
  }

  package func activationGradient(_ activation: Activation, y: Tensor, dy: Tensor) -> Tensor {
    activation == .relu
      ? tensor(zip(y.elements, dy.elements).map { $0 > 0 ? $1 : 0 }, y.shape) : dy
  }

  package func dropout(_ x: Tensor, _ rule: DropoutRule) -> Tensor {
    tensor(x.elements.enumerated().map { rule.keeps($0) ? $1 * rule.scale : 0 }, x.shape)
  }

  // MARK: Reductions

  /// The index of the result for each element when some dimensions are reduced.
  private func reducedIndices(_ shape: [Int], _ axes: [Int]) -> [Int] {
    indices(of: shape.indices.map { axes.contains($0) ? 1 : shape[$0] }, in: shape)
  }

  private func remaining(_ shape: [Int], _ axes: [Int]) -> [Int] {
    shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
  }

  package func sum(_ x: Tensor, axes: [Int], divisor: Double) -> Tensor {
    let shape = remaining(x.shape, axes)
    var sums = [Double](repeating: 0, count: shape.reduce(1, *))
    for (index, element) in zip(reducedIndices(x.shape, axes), x.elements) {
      sums[index] += Double(element)
    }
    return tensor(sums.map { Float($0 / divisor) }, shape)
  }

  package func sumGradient(dy: Tensor, shape: [Int], axes: [Int], divisor: Double) -> Tensor {
    let gradients = dy.elements
    return tensor(
      reducedIndices(shape, axes).map { Float(Double(gradients[$0]) / divisor) }, shape)
  }

  /// The index of the element that each result was taken from.
  private final class Largest {
    var sources: [Int] = []
  }

  package func maxima(_ x: Tensor, axes: [Int]) -> (y: Tensor, saved: AnyObject?) {
    let shape = remaining(x.shape, axes)
    let (elements, largest) = (x.elements, Largest())
    largest.sources = [Int](repeating: -1, count: shape.reduce(1, *))
    for (element, result) in reducedIndices(x.shape, axes).enumerated() {
      let source = largest.sources[result]
      if source < 0 || elements[element] > elements[source] { largest.sources[result] = element }
    }
    return (tensor(largest.sources.map { elements[$0] }, shape), largest)
  }

  package func maximaGradient(dy: Tensor, shape: [Int], axes: [Int], saved: AnyObject?) -> Tensor {
    var dx = [Float](repeating: 0, count: shape.reduce(1, *))
    for (source, gradient) in zip((saved as? Largest)?.sources ?? [], dy.elements) {
      dx[source] += gradient
    }
    return tensor(dx, shape)
  }

  // MARK: Rearranging

  private func positions(_ shape: [Int], _ strides: [Int], _ offset: Int) -> [Int] {
    zip(shape, strides).reduce([offset]) { positions, dimension in
      positions.flatMap { position in (0..<dimension.0).map { position + $0 * dimension.1 } }
    }
  }

  package func strided(_ x: Tensor, shape: [Int], strides: [Int], offset: Int) -> Tensor {
    let elements = x.elements
    return tensor(positions(shape, strides, offset).map { elements[$0] }, shape)
  }

  package func assemble(_ parts: [StridedPart], shape: [Int]) -> Tensor {
    var elements = [Float](repeating: 0, count: shape.reduce(1, *))
    for part in parts {
      let places = positions(part.tensor.shape, part.strides, part.offset)
      for (place, element) in zip(places, part.tensor.elements) { elements[place] = element }
    }
    return tensor(elements, shape)
  }

  package func gatherRows(_ table: Tensor, _ indices: [Int], shape: [Int]) -> Tensor {
    let rows = rows(table)
    return tensor(indices.flatMap { rows[$0] }, shape)
  }

  package func scatterRows(dy: Tensor, _ indices: [Int], shape: [Int]) -> Tensor {
    var table = [Float](repeating: 0, count: shape[0] * shape[1])
    for (index, row) in zip(indices, rows(dy)) {
      for (column, gradient) in row.enumerated() { table[index * shape[1] + column] += gradient }
    }
    return tensor(table, shape)
  }

  // MARK: Matrix products

  package func matrixProducts(_ a: MatrixBatch, _ b: MatrixBatch, m: Int, n: Int, k: Int) -> Tensor
  {
    let (first, second) = (a.tensor.elements, b.tensor.elements)
    func element(
      _ batch: MatrixBatch, _ elements: [Float], _ offset: Int, _ row: Int, _ column: Int
    ) -> Float {
      elements[
        offset + (batch.isTransposed ? column * batch.stride + row : row * batch.stride + column)]
    }
    var y: [Float] = []
    for (aOffset, bOffset) in zip(a.offsets, b.offsets) {
      for row in 0..<m {
        for column in 0..<n {
          y.append(
            (0..<k).reduce(0) {
              $0 + element(a, first, aOffset, row, $1) * element(b, second, bOffset, $1, column)
            })
        }
      }
    }
    return tensor(y, [a.offsets.count, m, n])
  }

  // MARK: Rows

  private func rows(_ x: Tensor) -> [[Float]] {
    let (elements, size) = (x.elements, x.shape.last ?? 1)
    return stride(from: 0, to: elements.count, by: max(1, size)).map {
      Array(elements[$0..<$0 + size])
    }
  }

  package func argmax(_ x: Tensor) -> [Int] {
    rows(x).map { row in
      row.firstIndex { $0.isNaN } ?? row.firstIndex(of: row.max() ?? 0) ?? 0
    }
  }

  package func countCorrect(_ logits: Tensor, labels: [Int]) -> Tensor {
    tensor([Float(zip(argmax(logits), labels).count { $0 == $1 })], [])
  }

  // MARK: Fully connected

  package func linear(_ x: Tensor, weight: Tensor, bias: Tensor?) -> Tensor {
    let weights = rows(weight)
    let shifts = bias?.elements ?? [Float](repeating: 0, count: weights.count)
    let y = rows(x).flatMap { row in
      zip(weights, shifts).map { weight, shift in
        zip(row, weight).reduce(shift) { $0 + $1.0 * $1.1 }
      }
    }
    return tensor(y, [x.shape[0], weight.shape[0]])
  }

  package func linearInputGradient(dy: Tensor, x: Tensor, weight: Tensor) -> Tensor {
    let weights = rows(weight)
    return tensor(
      rows(dy).flatMap { row in
        (0..<x.shape[1]).map { i in zip(row, weights).reduce(0) { $0 + $1.0 * $1.1[i] } }
      }, x.shape)
  }

  package func linearWeightGradient(dy: Tensor, x: Tensor, weight: Tensor) -> Tensor {
    let (gradients, features) = (rows(dy), rows(x))
    return tensor(
      (0..<weight.shape[0]).flatMap { o in
        (0..<weight.shape[1]).map { i in
          zip(gradients, features).reduce(0) { $0 + $1.0[o] * $1.1[i] }
        }
      }, weight.shape)
  }

  package func sumRows(_ x: Tensor) -> Tensor { sum(x, to: [x.shape[1]]) }

  // MARK: Convolution

  package func canFuse(_ epilogue: ConvolutionEpilogue, after convolution: ConvolutionExtents)
    -> Bool
  {
    false
  }

  package func canFuse(
    _ front: ConvolutionExtents, _ epilogue: ConvolutionEpilogue,
    inFrontOf convolution: ConvolutionExtents
  ) -> Bool { false }

  package func convolution(
    _ x: ConvolutionOperand, weight: Tensor, bias: Tensor?, _ e: ConvolutionExtents,
    _ epilogue: ConvolutionEpilogue, saves: Bool
  ) -> (y: Tensor, saved: AnyObject?) {
    precondition(epilogue == ConvolutionEpilogue())
    var y = [Float](repeating: 0, count: e.n * e.output)
    convolutionReference(
      x: images(x), weight: weight.elements, bias: bias?.elements, y: &y, e)
    return (tensor(y, [e.n, e.k, e.outputH, e.outputW]), nil)
  }

  package func convolutionGradients(
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

  package func batchNormStatistics(
    _ x: Tensor, running: ChannelStatistics, momentum: Double
  ) -> (batch: ChannelStatistics, running: ChannelStatistics) {
    let (elements, count) = (x.elements, Double(x.count / x.shape[1]))
    let means = sums(x.shape) { element, _ in Double(elements[element]) }.map { $0 / count }
    let variances = sums(x.shape) { element, channel in
      let distance = Double(elements[element]) - means[channel]
      return distance * distance
    }.map { $0 / count }
    func updated(_ running: Tensor, _ batch: [Double], _ scale: Double) -> Tensor {
      tensor(
        zip(running.elements, batch).map {
          Float((1 - momentum) * Double($0) + momentum * scale * Double(Float($1)))
        }, running.shape)
    }
    return (
      ChannelStatistics(
        mean: tensor(means.map(Float.init), [x.shape[1]]),
        variance: tensor(variances.map(Float.init), [x.shape[1]])),
      ChannelStatistics(
        mean: updated(running.mean, means, 1),
        variance: updated(running.variance, variances, count / (count - 1)))
    )
  }

  package func batchNorm(_ x: Tensor, _ p: BatchNormParameters, _ activation: Activation) -> Tensor
  {
    let (mean, variance) = (p.mean.elements, p.variance.elements)
    let (weight, bias) = (p.weight.elements, p.bias.elements)
    let y = zip(x.elements, channels(x.shape)).map { element, c in
      weight[c] * (element - mean[c]) / (variance[c] + p.epsilon).squareRoot() + bias[c]
    }
    return self.activation(activation, tensor(y, x.shape))
  }

  package func batchNormGradients(
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

  package func maxPool(
    _ x: Tensor, size: Int, stride: Int, saves: Bool
  ) -> (y: Tensor, saved: AnyObject?) {
    let windows = Windows(x, size: size, stride: stride)
    let elements = x.elements
    return (tensor(windows.largest.map { elements[$0] }, windows.shape), windows)
  }

  package func maxPoolGradient(
    dy: Tensor, shape: [Int], size: Int, stride: Int, saved: AnyObject?
  ) -> Tensor {
    var dx = [Float](repeating: 0, count: shape.reduce(1, *))
    for (index, gradient) in zip((saved as? Windows)?.largest ?? [], dy.elements) {
      dx[index] += gradient
    }
    return tensor(dx, shape)
  }

  package func globalAveragePool(_ x: Tensor) -> Tensor {
    let pixels = x.shape[2] * x.shape[3]
    let planes = Tensor(x.elements, shape: [x.shape[0] * x.shape[1], pixels])
    return tensor(rows(planes).map { $0.reduce(0, +) / Float(pixels) }, [x.shape[0], x.shape[1]])
  }

  package func globalAveragePoolGradient(dy: Tensor, shape: [Int]) -> Tensor {
    let pixels = shape[2] * shape[3]
    return tensor(
      dy.elements.flatMap { [Float](repeating: $0 / Float(pixels), count: pixels) }, shape)
  }

  package func averagePool(_ x: Tensor, _ e: AveragePoolingExtents) -> Tensor {
    let elements = x.elements
    var y: [Float] = []
    for plane in 0..<x.shape[0] * x.shape[1] {
      for rows in e.rows {
        for columns in e.columns {
          let pixels = rows.flatMap { row in
            columns.map { elements[(plane * e.h + row) * e.w + $0] }
          }
          y.append(pixels.reduce(0, +) / Float(e.divisor ?? pixels.count))
        }
      }
    }
    return tensor(y, [x.shape[0], x.shape[1], e.rows.count, e.columns.count])
  }

  package func averagePoolGradient(dy: Tensor, shape: [Int], _ e: AveragePoolingExtents) -> Tensor {
    var dx = [Float](repeating: 0, count: shape.reduce(1, *))
    var gradients = dy.elements.makeIterator()
    for plane in 0..<shape[0] * shape[1] {
      for rows in e.rows {
        for columns in e.columns {
          let share = (gradients.next() ?? 0) / Float(e.divisor ?? rows.count * columns.count)
          for row in rows {
            for column in columns { dx[(plane * e.h + row) * e.w + column] += share }
          }
        }
      }
    }
    return tensor(dx, shape)
  }

  package func layerNorm(
    _ x: Tensor, weight: Tensor?, bias: Tensor?, columns: Int, epsilon: Double
  ) -> (y: Tensor, saved: AnyObject?) {
    let (weights, shifts) = (weight?.elements, bias?.elements)
    let y = rows(Tensor(x.elements, shape: [x.count / columns, columns])).flatMap { row in
      normalized(row, epsilon).values.enumerated().map {
        Float($1) * (weights?[$0] ?? 1) + (shifts?[$0] ?? 0)
      }
    }
    return (tensor(y, x.shape), nil)
  }

  private func normalized(_ row: [Float], _ epsilon: Double) -> (values: [Double], scale: Double) {
    let (values, count) = (row.map { Double($0) }, Double(row.count))
    let mean = values.reduce(0, +) / count
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    let scale = 1 / (variance + epsilon).squareRoot()
    return (values.map { ($0 - mean) * scale }, scale)
  }

  package func layerNormGradients(
    _ x: Tensor, weight: Tensor?, columns: Int, epsilon: Double, dy: Tensor, saved: AnyObject?
  ) -> (dx: Tensor, dWeight: Tensor, dBias: Tensor) {
    let weights = weight?.elements
    var (dx, dWeight, dBias) = (
      [Float](), [Float](repeating: 0, count: columns), [Float](repeating: 0, count: columns)
    )
    let shape = [x.count / columns, columns]
    for (row, gradient) in zip(
      rows(Tensor(x.elements, shape: shape)), rows(Tensor(dy.elements, shape: shape)))
    {
      let (values, scale) = normalized(row, epsilon)
      let g = gradient.enumerated().map { Double($1 * (weights?[$0] ?? 1)) }
      let sum = g.reduce(0, +) / Double(columns)
      let product = zip(g, values).reduce(0) { $0 + $1.0 * $1.1 } / Double(columns)
      for index in 0..<columns {
        dx.append(Float(scale * (g[index] - sum - values[index] * product)))
        dWeight[index] += gradient[index] * Float(values[index])
        dBias[index] += gradient[index]
      }
    }
    return (tensor(dx, x.shape), tensor(dWeight, [columns]), tensor(dBias, [columns]))
  }

  // MARK: Long short-term memory

  private struct Cell {
    var h = 0.0, c = 0.0
    var gates = [0.0, 0.0, 0.0, 0.0]
  }

  /// Calls `body` with each step's time and that of the step before, in a direction.
  private func forEachStep(
    _ steps: Int, _ isReversed: Bool, _ body: (_ time: Int, _ before: Int?) -> Void
  ) {
    for index in 0..<steps {
      let time = isReversed ? steps - 1 - index : index
      body(time, index == 0 ? nil : isReversed ? time + 1 : time - 1)
    }
  }

  /// The cells of a direction: steps × items × units.
  private func cells(_ x: Tensor, _ direction: LSTMDirection) -> [[[Cell]]] {
    let (steps, items, inputs) = (x.shape[0], x.shape[1], x.shape[2])
    let hidden = direction.weightHH.shape[1]
    let elements = x.elements
    let (ih, hh) = (direction.weightIH.elements, direction.weightHH.elements)
    let biases = zip(direction.biasIH.elements, direction.biasHH.elements).map(+)
    var cells = [[[Cell]]](
      repeating: [[Cell]](repeating: [Cell](repeating: Cell(), count: hidden), count: items),
      count: steps)
    forEachStep(steps, direction.isReversed) { time, before in
      for item in 0..<items {
        for unit in 0..<hidden {
          var cell = Cell()
          for gate in 0..<4 {
            let row = gate * hidden + unit
            var sum = Double(biases[row])
            for input in 0..<inputs {
              sum +=
                Double(ih[row * inputs + input])
                * Double(elements[(time * items + item) * inputs + input])
            }
            for other in 0..<hidden {
              sum +=
                Double(hh[row * hidden + other]) * (before.map { cells[$0][item][other].h } ?? 0)
            }
            cell.gates[gate] = gate == 2 ? Foundation.tanh(sum) : 1 / (1 + exp(-sum))
          }
          cell.c =
            cell.gates[1] * (before.map { cells[$0][item][unit].c } ?? 0)
            + cell.gates[0] * cell.gates[2]
          cell.h = cell.gates[3] * Foundation.tanh(cell.c)
          cells[time][item][unit] = cell
        }
      }
    }
    return cells
  }

  package func lstm(
    _ x: Tensor, _ directions: [LSTMDirection], saves: Bool
  ) -> (y: Tensor, saved: AnyObject?) {
    let all = directions.map { cells(x, $0) }
    let hidden = directions[0].weightHH.shape[1]
    var y: [Float] = []
    for time in 0..<x.shape[0] {
      for item in 0..<x.shape[1] {
        for cells in all { y += cells[time][item].map { Float($0.h) } }
      }
    }
    return (tensor(y, [x.shape[0], x.shape[1], directions.count * hidden]), nil)
  }

  package func lstmGradients(
    _ x: Tensor, _ directions: [LSTMDirection], y: Tensor, dy: Tensor, saved: AnyObject?,
    wantsInput: Bool
  ) -> (dx: Tensor?, directions: [LSTMGradients]) {
    let (steps, items, inputs) = (x.shape[0], x.shape[1], x.shape[2])
    let hidden = directions[0].weightHH.shape[1]
    let (elements, outer) = (x.elements, dy.elements)
    var dx = [Double](repeating: 0, count: x.count)
    var gradients: [LSTMGradients] = []
    for (index, direction) in directions.enumerated() {
      let cells = cells(x, direction)
      let (ih, hh) = (direction.weightIH.elements, direction.weightHH.elements)
      var dIH = [Double](repeating: 0, count: ih.count)
      var dHH = [Double](repeating: 0, count: hh.count)
      var dBias = [Double](repeating: 0, count: 4 * hidden)
      var dh = [[Double]](repeating: [Double](repeating: 0, count: hidden), count: items)
      var dc = dh
      var order: [(Int, Int?)] = []
      forEachStep(steps, direction.isReversed) { order.append(($0, $1)) }
      for (time, before) in order.reversed() {
        for item in 0..<items {
          var dhBefore = [Double](repeating: 0, count: hidden)
          let row = (time * items + item) * directions.count + index
          for unit in 0..<hidden {
            let cell = cells[time][item][unit]
            let (i, f, g, o) = (cell.gates[0], cell.gates[1], cell.gates[2], cell.gates[3])
            let dOut = dh[item][unit] + Double(outer[row * hidden + unit])
            let tangent = Foundation.tanh(cell.c)
            let dCell = dc[item][unit] + dOut * o * (1 - tangent * tangent)
            let cBefore = before.map { cells[$0][item][unit].c } ?? 0
            let sums = [
              dCell * g * i * (1 - i), dCell * cBefore * f * (1 - f), dCell * i * (1 - g * g),
              dOut * tangent * o * (1 - o),
            ]
            dc[item][unit] = dCell * f
            for (gate, sum) in sums.enumerated() {
              let weight = gate * hidden + unit
              dBias[weight] += sum
              for input in 0..<inputs {
                let place = (time * items + item) * inputs + input
                dIH[weight * inputs + input] += sum * Double(elements[place])
                dx[place] += sum * Double(ih[weight * inputs + input])
              }
              for other in 0..<hidden {
                let h = before.map { cells[$0][item][other].h } ?? 0
                dHH[weight * hidden + other] += sum * h
                dhBefore[other] += sum * Double(hh[weight * hidden + other])
              }
            }
          }
          dh[item] = dhBefore
        }
      }
      gradients.append(
        LSTMGradients(
          weightIH: tensor(dIH.map { Float($0) }, direction.weightIH.shape),
          weightHH: tensor(dHH.map { Float($0) }, direction.weightHH.shape),
          bias: tensor(dBias.map { Float($0) }, [4 * hidden])))
    }
    return (wantsInput ? tensor(dx.map { Float($0) }, x.shape) : nil, gradients)
  }

  // MARK: Losses

  package func softmax(_ x: Tensor) -> Tensor {
    let y = rows(x).flatMap { row in
      let largest = row.max() ?? 0
      let powers = row.map { Float(exp(Double($0 - largest))) }
      return powers.map { $0 / powers.reduce(0, +) }
    }
    return tensor(y, x.shape)
  }

  package func softmaxGradient(dy: Tensor, y: Tensor) -> Tensor {
    tensor(
      zip(rows(dy), rows(y)).flatMap { dy, y in
        let dot = zip(dy, y).reduce(0) { $0 + $1.0 * $1.1 }
        return zip(dy, y).map { $1 * ($0 - dot) }
      }, y.shape)
  }

  package func logSoftmax(_ x: Tensor) -> Tensor {
    tensor(softmax(x).elements.map { Float(Foundation.log(Double($0))) }, x.shape)
  }

  package func logSoftmaxGradient(dy: Tensor, y: Tensor) -> Tensor {
    tensor(
      zip(rows(dy), rows(y)).flatMap { dy, y in
        let sum = dy.reduce(0, +)
        return zip(dy, y).map { $0 - Float(Foundation.exp(Double($1))) * sum }
      }, y.shape)
  }

  /// What each class's probability should be, row by row.
  private func targets(_ labels: [Int], _ classes: Int, _ smoothing: Double) -> [Float] {
    labels.flatMap { label in
      (0..<classes).map {
        Float(($0 == label ? 1 - smoothing : 0) + smoothing / Double(classes))
      }
    }
  }

  package func crossEntropy(
    _ logits: Tensor, labels: [Int], labelSmoothing: Double
  ) -> (loss: Tensor, saved: Tensor) {
    let probabilities = softmax(logits)
    let targets = targets(labels, logits.shape[1], labelSmoothing)
    let total = zip(targets, probabilities.elements).reduce(0.0) {
      $0 - Double($1.0) * Foundation.log(Double($1.1))
    }
    return (tensor([Float(total / Double(labels.count))], []), probabilities)
  }

  package func crossEntropyGradient(
    dy: Tensor, saved: Tensor, labels: [Int], labelSmoothing: Double
  ) -> Tensor {
    let scale = dy.item / Float(labels.count)
    let targets = targets(labels, saved.shape[1], labelSmoothing)
    return tensor(zip(saved.elements, targets).map { ($0 - $1) * scale }, saved.shape)
  }

  package func nllLoss(_ x: Tensor, labels: [Int]) -> Tensor {
    let total = zip(rows(x), labels).reduce(0) { $0 - $1.0[$1.1] }
    return tensor([total / Float(labels.count)], [])
  }

  package func nllLossGradient(dy: Tensor, shape: [Int], labels: [Int]) -> Tensor {
    let share = dy.item / Float(labels.count)
    return tensor(targets(labels, shape[1], 0).map { -$0 * share }, shape)
  }

  package func mseLoss(_ x: Tensor, target: Tensor) -> Tensor {
    let squares = zip(x.elements, target.elements).map { ($0 - $1) * ($0 - $1) }
    return tensor([squares.reduce(0, +) / Float(x.count)], [])
  }

  package func mseLossGradient(dy: Tensor, _ x: Tensor, target: Tensor) -> Tensor {
    let share = 2 * dy.item / Float(x.count)
    return tensor(zip(x.elements, target.elements).map { share * ($0 - $1) }, x.shape)
  }

  package func binaryCrossEntropyWithLogits(_ x: Tensor, target: Tensor) -> Tensor {
    let total = zip(unary(.sigmoid, x).elements, target.elements).reduce(0.0) { total, pair in
      let (p, target) = (Double(pair.0), Double(pair.1))
      return total - target * Foundation.log(p) - (1 - target) * Foundation.log(1 - p)
    }
    return tensor([Float(total / Double(x.count))], [])
  }

  package func binaryCrossEntropyWithLogitsGradients(
    dy: Tensor, _ x: Tensor, target: Tensor
  ) -> (dx: Tensor, dTarget: Tensor) {
    let share = dy.item / Float(x.count)
    let dx = zip(unary(.sigmoid, x).elements, target.elements).map { share * ($0 - $1) }
    return (tensor(dx, x.shape), tensor(x.elements.map { -share * $0 }, x.shape))
  }

  package func multiMarginLoss(_ x: Tensor, labels: [Int]) -> Tensor {
    let margins = zip(rows(x), labels).flatMap { row, label in
      row.enumerated().map { $0 == label ? 0 : max(0, 1 - row[label] + $1) }
    }
    return tensor([margins.reduce(0, +) / Float(x.count)], [])
  }

  package func multiMarginLossGradient(dy: Tensor, _ x: Tensor, labels: [Int]) -> Tensor {
    let share = dy.item / Float(x.count)
    return tensor(
      zip(rows(x), labels).flatMap { row, label in
        let active = row.indices.filter { $0 != label && 1 - row[label] + row[$0] > 0 }
        return row.indices.map {
          $0 == label ? -share * Float(active.count) : active.contains($0) ? share : 0
        }
      }, x.shape)
  }

  /// Goes through all paths, of which there are C to the power of T.
  package func ctcLoss(
    _ x: Tensor, _ batch: CTCBatch, wantsGradient: Bool
  ) -> (losses: Tensor, gradients: Tensor?) {
    var losses: [Float] = []
    var gradients = [Float](repeating: 0, count: x.count)
    let elements = x.elements
    for item in 0..<batch.items {
      let labels = batch.targets.dropFirst(item * batch.labels).prefix(batch.targetLengths[item])
      let indices = (0..<batch.inputLengths[item]).map { (batch.items * $0 + item) * batch.classes }
      var (total, shares) = (0.0, [Int: Double]())
      var path = [Int](repeating: 0, count: indices.count)
      repeat {
        let merged = path.indices.filter { $0 == 0 || path[$0] != path[$0 - 1] }.map { path[$0] }
        guard merged.filter({ $0 != batch.blank }) == Array(labels) else { continue }
        let places = zip(indices, path).map { $0 + $1 }
        let probability = exp(places.reduce(0) { $0 + Double(elements[$1]) })
        total += probability
        for place in places { shares[place, default: 0] += probability }
      } while next(&path, batch.classes)
      losses.append(total == 0 && batch.zeroInfinity ? 0 : Float(-Foundation.log(total)))
      for (place, share) in shares { gradients[place] = Float(-share / total) }
      guard total == 0, !batch.zeroInfinity else { continue }
      for index in indices {
        for label in 0..<batch.classes { gradients[index + label] = .nan }
      }
    }
    return (tensor(losses, [batch.items]), wantsGradient ? tensor(gradients, x.shape) : nil)
  }

  /// Counts up; false when all digits are the last one.
  private func next(_ digits: inout [Int], _ base: Int) -> Bool {
    for index in digits.indices {
      digits[index] = (digits[index] + 1) % base
      if digits[index] != 0 { return true }
    }
    return false
  }

  // MARK: Optimizers

  package func adamStep(
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

  package func gradientDescentStep(
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
