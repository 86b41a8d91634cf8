import CFunctions
import KernelInterface
import KernelsNEON

/// Each loop by its definition, number by number, in double precision: the reference of the fast loops.
///
/// A loop that is added to the protocol must be added here, or the program does not compile.
enum PlainLoops: VectorLoops {
  // How arrays lie in memory is the fast loops' business.
  static var vectorLanes: Int { Loops.vectorLanes }
  static var scratchCount: Int { Loops.scratchCount }
  static var panelWidth: Int { Loops.panelWidth }
  static var packedDepth: Int { Loops.packedDepth }
  static func packedCount(k: Int, n: Int) -> Int {
    k * ((n + vectorLanes - 1) / vectorLanes * vectorLanes)
  }

  // MARK: Products

  static func multiplyAtPeak(scratch: UnsafeMutablePointer<Float>) -> Int { 2 * panelWidth }

  static func multiply(
    _ a: StridedMatrix, _ b: StridedMatrix, into c: UnsafeMutablePointer<Float>, stride: Int,
    m: Int, n: Int, k: Int, adding: Bool, scratch: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<m {
      for column in 0..<n {
        let place = row * stride + column
        var sum = adding ? Double(c[place]) : 0
        for term in 0..<k {
          sum +=
            Double(a.pointer[row * a.row + term * a.column])
            * Double(b.pointer[term * b.row + column * b.column])
        }
        c[place] = Float(sum)
      }
    }
  }

  /// Rows of whole vectors, one after the other.
  static func pack(
    _ b: StridedMatrix, k: Int, n: Int, into packed: UnsafeMutablePointer<Float>
  ) {
    let width = packedCount(k: 1, n: n)
    for row in 0..<k {
      for column in 0..<n {
        packed[row * width + column] = b.pointer[row * b.row + column * b.column]
      }
    }
  }

  static func multiplyPacked(
    _ a: StridedMatrix, _ packed: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
    stride: Int, m: Int, n: Int, k: Int, start: UnsafePointer<Float>?,
    scratch: UnsafeMutablePointer<Float>
  ) {
    if let start {
      for row in 0..<m {
        for column in 0..<n { c[row * stride + column] = start[column] }
      }
    }
    multiply(
      a, StridedMatrix(packed, row: packedCount(k: 1, n: n), column: 1), into: c, stride: stride,
      m: m, n: n, k: k, adding: true, scratch: scratch)
  }

  static func transpose(
    _ source: UnsafePointer<Float>, stride: Int, rows: Int, columns: Int,
    into target: UnsafeMutablePointer<Float>, targetStride: Int
  ) {
    for row in 0..<rows {
      for column in 0..<columns {
        target[column * targetStride + row] = source[row * stride + column]
      }
    }
  }

  // MARK: Direct convolution

  static func directForward(
    _ x: UnsafePointer<Float>, _ weight: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    activation: Activation, into y: UnsafeMutablePointer<Float>, _ d: DirectExtents,
    scratch: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<d.rows {
      for column in 0..<d.columns {
        for k in 0..<d.k {
          let panel = k / panelWidth * panelWidth
          let width = min(panelWidth, d.filters - panel)
          var sum = Double(bias[k])
          forEachTap(d, row, column) { term, pixel in
            sum +=
              Double(x[pixel]) * Double(weight[panel * d.terms + term * width + k - panel])
          }
          y[row * d.outputRow + column * d.outputPixel + k] = Float(activation.of(sum))
        }
      }
    }
  }

  static func directWeightGradient(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
    addingTo dWeight: UnsafeMutablePointer<Float>, _ d: DirectExtents
  ) {
    for k in 0..<d.filters {
      var sums = (0..<d.terms).map { Double(dWeight[$0 * d.filters + k]) }
      for row in 0..<d.rows {
        for column in 0..<d.columns {
          let gradient = Double(dy[row * d.outputRow + column * d.outputPixel + k])
          forEachTap(d, row, column) { term, pixel in sums[term] += Double(x[pixel]) * gradient }
        }
      }
      for term in 0..<d.terms { dWeight[term * d.filters + k] = Float(sums[term]) }
    }
  }

  /// Calls `body` with each element of the kernel and the input element under it.
  private static func forEachTap(
    _ d: DirectExtents, _ row: Int, _ column: Int, _ body: (_ term: Int, _ pixel: Int) -> Void
  ) {
    for r in 0..<d.r {
      for s in 0..<d.s {
        for c in 0..<d.c {
          body(
            (r * d.s + s) * d.c + c,
            (row * d.strideH + r) * d.inputRow + (column * d.strideW + s) * d.c + c)
        }
      }
    }
  }

  static func directOutputGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>?, into copy: UnsafeMutablePointer<Float>,
    addingTo dBias: UnsafeMutablePointer<Float>, pixels: Int, k: Int, filters: Int
  ) {
    for filter in 0..<filters {
      var sum = Double(dBias[filter])
      for pixel in 0..<pixels {
        let place = pixel * k + filter
        let isKept = filter < k && (y.map { $0[place] > 0 } ?? true)
        copy[pixel * filters + filter] = isKept ? dy[place] : 0
        sum += isKept ? Double(dy[place]) : 0
      }
      dBias[filter] = Float(sum)
    }
  }

  // MARK: Elementwise

  static func relu(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int) {
    for index in 0..<count { y[index] = x[index] < 0 ? 0 : x[index] }
  }

  static func reluGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    for index in 0..<count { dx[index] = y[index] > 0 ? dy[index] : 0 }
  }

  static func add(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, activation: Activation,
    into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    for index in 0..<count {
      y[index] = Float(activation.of(Double(a[index]) + Double(b[index])))
    }
  }

  static func binary(
    _ operation: BinaryOperation, _ a: UnsafePointer<Float>, step aStep: Int,
    _ b: UnsafePointer<Float>, step bStep: Int, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    for index in 0..<count {
      let (left, right) = (Double(a[index * aStep]), Double(b[index * bStep]))
      let hasNaN = left.isNaN || right.isNaN
      let result: Double =
        switch operation {
        case .add: left + right
        case .subtract: left - right
        case .multiply: left * right
        case .divide: left / right
        case .minimum: hasNaN ? .nan : min(left, right)
        case .maximum: hasNaN ? .nan : max(left, right)
        case .equal: left == right ? 1 : 0
        case .notEqual: left == right ? 0 : 1
        case .less: left < right ? 1 : 0
        case .lessOrEqual: left <= right ? 1 : 0
        case .greater: left > right ? 1 : 0
        case .greaterOrEqual: left >= right ? 1 : 0
        }
      y[index] = Float(result)
    }
  }

  static func binaryGradient(
    _ operation: BinaryOperation, of operand: Operand, dy: UnsafePointer<Float>,
    _ a: UnsafePointer<Float>, step aStep: Int, _ b: UnsafePointer<Float>, step bStep: Int,
    into d: UnsafeMutablePointer<Float>, count: Int
  ) {
    for index in 0..<count {
      let (left, right) = (Double(a[index * aStep]), Double(b[index * bStep]))
      // Equal operands share the gradient.
      let least = left == right ? 0.5 : (left < right ? 1.0 : 0)
      let slopes: (left: Double, right: Double) =
        switch operation {
        case .add: (1, 1)
        case .subtract: (1, -1)
        case .multiply: (right, left)
        case .divide: (1 / right, -left / (right * right))
        case .minimum: (least, 1 - least)
        case .maximum: (1 - least, least)
        default: (0, 0)
        }
      d[index] = Float(Double(dy[index]) * (operand == .left ? slopes.left : slopes.right))
    }
  }

  static func dropout(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int,
    _ rule: DropoutRule, first: Int, step: Int
  ) {
    for index in 0..<count {
      y[index] = rule.keeps(first + index * step) ? x[index] * rule.scale : 0
    }
  }

  static func adamStep(
    value: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>,
    moment1: UnsafeMutablePointer<Float>, moment2: UnsafeMutablePointer<Float>, count: Int,
    _ rule: AdamRule
  ) {
    for index in 0..<count {
      let start = Double(value[index])
      let g = Double(gradient[index]) + start * Double(rule.decay)
      let m = Double(moment1[index]) + (g - Double(moment1[index])) * Double(rule.decay1)
      let v = Double(moment2[index]) * Double(rule.keep2) + g * g * Double(rule.decay2)
      let root = v.squareRoot() / Double(rule.correction) + Double(rule.epsilon)
      (moment1[index], moment2[index]) = (Float(m), Float(v))
      value[index] = Float(start * Double(rule.keep) - Double(rule.stepSize) * m / root)
    }
  }

  // MARK: Long short-term memory

  static func lstmGates(_ s: LSTMStep, into y: UnsafeMutablePointer<Float>, stride: Int) {
    for item in 0..<s.items {
      for unit in 0..<s.units {
        let (cell, gates) = (item * s.hidden + unit, s.gates + 4 * item * s.hidden + unit)
        let input = sigmoid(Double(gates[0]))
        let forget = sigmoid(Double(gates[s.hidden]))
        let candidate = tangent(Double(gates[2 * s.hidden]))
        let output = sigmoid(Double(gates[3 * s.hidden]))
        let c = input * candidate + forget * (s.cellBefore.map { Double($0[cell]) } ?? 0)
        (gates[0], gates[s.hidden]) = (Float(input), Float(forget))
        (gates[2 * s.hidden], gates[3 * s.hidden]) = (Float(candidate), Float(output))
        s.cell[cell] = Float(c)
        y[item * stride + unit] = Float(output * tangent(c))
      }
    }
  }

  static func lstmGatesGradient(
    _ s: LSTMStep, dy: UnsafePointer<Float>, stride: Int, recurrent: UnsafePointer<Float>?,
    dCell: UnsafeMutablePointer<Float>
  ) {
    for item in 0..<s.items {
      for unit in 0..<s.units {
        let (cell, gates) = (item * s.hidden + unit, s.gates + 4 * item * s.hidden + unit)
        let (input, forget) = (Double(gates[0]), Double(gates[s.hidden]))
        let (candidate, output) = (Double(gates[2 * s.hidden]), Double(gates[3 * s.hidden]))
        let before = s.cellBefore.map { Double($0[cell]) } ?? 0
        let squashed = tangent(Double(s.cell[cell]))
        let dh = Double(dy[item * stride + unit]) + (recurrent.map { Double($0[cell]) } ?? 0)
        let through = recurrent == nil ? 0 : Double(dCell[cell])
        let dc = through + dh * output * (1 - squashed * squashed)
        gates[0] = Float(dc * candidate * input * (1 - input))
        gates[s.hidden] = Float(dc * before * forget * (1 - forget))
        gates[2 * s.hidden] = Float(dc * input * (1 - candidate * candidate))
        gates[3 * s.hidden] = Float(dh * squashed * output * (1 - output))
        dCell[cell] = Float(dc * forget)
      }
    }
  }

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
  private static func tangent(_ x: Double) -> Double { 1 - 2 / (exp(2 * x) + 1) }

  // MARK: Softmax and connectionist temporal classification

  static func sumExponentials(
    _ x: UnsafePointer<Float>, count: Int
  ) -> (largest: Float, sum: Float) {
    var largest = x[0]
    for index in 1..<max(1, count) where x[index] > largest { largest = x[index] }
    let sum = (0..<count).reduce(0) { $0 + exp(Double(x[$1]) - Double(largest)) }
    return (largest, Float(sum))
  }

  static func logSoftmaxGradient(
    _ dy: UnsafePointer<Float>, y: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    let sum = (0..<count).reduce(0) { $0 + Double(dy[$1]) }
    for index in 0..<count { dx[index] = Float(Double(dy[index]) - exp(Double(y[index])) * sum) }
  }

  static func advanceStates(
    _ before: UnsafePointer<Double>, neighbor: Int, skips: UnsafePointer<Float>,
    _ x: UnsafePointer<Float>, into after: UnsafeMutablePointer<Double>, count: Int
  ) {
    for state in 0..<count {
      let (a, b) = (before[state], before[state + neighbor])
      let c = before[state + 2 * neighbor] + Double(skips[state])
      let largest = max(a, b, c)
      let sum = exp(a - largest) + exp(b - largest) + exp(c - largest)
      after[state] = Double(x[state]) + largest + log(sum)
    }
  }

  static func stateProbabilities(
    _ alpha: UnsafePointer<Double>, _ beta: UnsafePointer<Double>, _ x: UnsafePointer<Float>,
    total: Double, into y: UnsafeMutablePointer<Float>, count: Int
  ) {
    for state in 0..<count {
      y[state] = Float(exp(alpha[state] + beta[state] - Double(x[state]) - total))
    }
  }

  // MARK: Channels-last images

  static func maxPooling(
    _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    codes: UnsafeMutablePointer<UInt8>, channels: Int, _ e: PoolingExtents
  ) {
    forEachWindow(channels, e) { place, pixels in
      var largest = 0
      for (code, pixel) in pixels.enumerated()
      where x[pixel] > x[pixels[largest]] || x[pixel].isNaN { largest = code }
      (y[place], codes[place]) = (x[pixels[largest]], UInt8(largest))
    }
  }

  static func maxPoolingGradient(
    _ dy: UnsafePointer<Float>, codes: UnsafePointer<UInt8>,
    addingTo dx: UnsafeMutablePointer<Float>, channels: Int, _ e: PoolingExtents
  ) {
    forEachWindow(channels, e) { place, pixels in dx[pixels[Int(codes[place])]] += dy[place] }
  }

  /// Calls `body` with each output element and the input elements in its window.
  private static func forEachWindow(
    _ channels: Int, _ e: PoolingExtents, _ body: (_ place: Int, _ pixels: [Int]) -> Void
  ) {
    for row in 0..<e.outputH {
      for column in 0..<e.outputW {
        for c in 0..<channels {
          let pixels = (0..<e.size * e.size).map { index in
            let (y, x) = (row * e.stride + index / e.size, column * e.stride + index % e.size)
            return (y * e.w + x) * channels + c
          }
          body((row * e.outputW + column) * channels + c, pixels)
        }
      }
    }
  }

  static func sumMoments(
    _ x: UnsafePointer<Float>, center: UnsafePointer<Float>,
    addingTo sums: UnsafeMutablePointer<Float>, squares: UnsafeMutablePointer<Float>,
    pixels: Int, channels: Int, scratch: UnsafeMutablePointer<Float>
  ) {
    for c in 0..<channels {
      var (sum, square) = (Double(sums[c]), Double(squares[c]))
      for pixel in 0..<pixels {
        let difference = Double(x[pixel * channels + c]) - Double(center[c])
        (sum, square) = (sum + difference, square + difference * difference)
      }
      (sums[c], squares[c]) = (Float(sum), Float(square))
    }
  }

  static func scaleChannels(
    _ x: UnsafePointer<Float>, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    activation: Activation, into y: UnsafeMutablePointer<Float>, pixels: Int, channels: Int
  ) {
    for index in 0..<pixels * channels {
      let c = index % channels
      let scaled = Double(x[index]) * Double(scale[c]) + Double(shift[c])
      y[index] = Float(activation.of(scaled))
    }
  }

  static func sumGradients(
    _ dy: UnsafePointer<Float>, x: UnsafePointer<Float>, _ n: NormalizationChannels,
    activation: Activation,
    addingTo sums: UnsafeMutablePointer<Float>, products: UnsafeMutablePointer<Float>,
    pixels: Int, channels: Int, scratch: UnsafeMutablePointer<Float>
  ) {
    for c in 0..<channels {
      var (sum, product) = (Double(sums[c]), Double(products[c]))
      for pixel in 0..<pixels {
        let place = pixel * channels + c
        let gradient = activationGradient(dy[place], x[place], n, activation, c)
        sum += gradient
        product += gradient * (Double(x[place]) - Double(n.mean[c]))
      }
      (sums[c], products[c]) = (Float(sum), Float(product))
    }
  }

  static func normalizationGradient(
    _ dy: UnsafePointer<Float>, x: UnsafePointer<Float>, _ n: NormalizationChannels,
    activation: Activation,
    into dx: UnsafeMutablePointer<Float>, pixels: Int, channels: Int
  ) {
    for index in 0..<pixels * channels {
      let c = index % channels
      let gradient = activationGradient(dy[index], x[index], n, activation, c)
      let rest = Double(n.slope[c]) * (Double(x[index]) - Double(n.mean[c]))
      dx[index] = Float(Double(n.scale[c]) * (gradient - Double(n.offset[c]) - rest))
    }
  }

  private static func activationGradient(
    _ dy: Float, _ x: Float, _ n: NormalizationChannels, _ activation: Activation, _ c: Int
  ) -> Double {
    let y = Double(x) * Double(n.scale[c]) + Double(n.shift[c])
    return activation == .relu && !(y > 0) ? 0 : Double(dy)
  }
}

extension Activation {
  /// The activation of a number; NaN stays NaN.
  func of(_ x: Double) -> Double { self == .relu && x < 0 ? 0 : x }
}
