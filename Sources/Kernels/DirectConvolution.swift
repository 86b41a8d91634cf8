import KernelInterface

/// Direct convolutions of any kernel and stride on channels-last images: for few channels, and for
/// strides and kernels that the Winograd algorithm does not support, 1×1 above all.
///
/// Images are N×H×W×C in memory, weights K×C×R×S as in PyTorch.
public enum DirectConvolution {
  /// Whether the convolution is cheap enough to be the one in front of another; see
  /// ``ConvolutionInput``.
  public static func canBeInFront(_ e: ConvolutionExtents) -> Bool {
    e.isUniform && e.patch <= 32 && !e.isPointwise
  }

  /// `y = activation(x ∗ weight + bias)`.
  ///
  /// - Parameters:
  ///   - x: N×H×W×C
  ///   - weight: K×C×R×S
  ///   - bias: K, or nil
  ///   - activation: The function that is applied to each pixel.
  ///   - y: N×(output H)×(output W)×K
  ///   - e: The extents of the convolution.
  public static func forward(
    x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    activation: Activation = .none, y: UnsafeMutablePointer<Float>, _ e: ConvolutionExtents
  ) {
    let convolution = DirectImages(x: x, weight: weight, bias: bias, activation: activation, e)
    let e = convolution.e
    // Pixels are independent, so the rows may be divided anywhere. 0.2 ms of work are worth waking a
    // thread.
    let grain = max(1, 20_000_000 / max(1, 2 * e.outputW * e.k * e.patch))
    parallel(count: e.n * e.outputH, grain: grain) { range in
      let scratch = Scratch(count: convolution.loops.scratchCount)
      forEachImage(of: range, rows: e.outputH) { n, rows in
        convolution.write(
          rows, ofImage: n, into: y + (n * e.outputH + rows.lowerBound) * e.outputW * e.k,
          scratch: scratch.pointer)
      }
    }
  }

  /// The gradients of ``forward(x:weight:bias:activation:y:_:)``; each of dx, dWeight and dBias is
  /// overwritten, or skipped if it is nil.
  ///
  /// Sums over images are taken in groups, in the order of the groups, whatever the number of threads.
  ///
  /// - Parameter y: The result if there was a ReLU, else nil.
  public static func gradients(
    x: UnsafePointer<Float>, weight: UnsafePointer<Float>, dy: UnsafePointer<Float>,
    y: UnsafePointer<Float>? = nil, dx: UnsafeMutablePointer<Float>?,
    dWeight: UnsafeMutablePointer<Float>?, dBias: UnsafeMutablePointer<Float>?,
    _ e: ConvolutionExtents
  ) {
    let loops = KernelSet.current.loops
    let sums = DirectGradientSums(x: x, weights: dWeight != nil, biases: dBias != nil, e)
    let (e, whole) = (sums.e, sums.whole)
    let transposed = dx == nil ? nil : PackedWeights(weight, e, loops).transposed(whole, loops)
    let zeros = Scratch(count: whole.patch)
    zeros.pointer.update(repeating: 0, count: whole.patch)
    parallel(count: sums.groups.count) { group in
      let scratch = Scratch(count: loops.scratchCount)
      let patches = Scratch(count: dx == nil ? 0 : e.outputW * whole.patch)
      let masked = Scratch(count: e.outputPixels * whole.filters)
      for n in sums.groups[group] {
        let gradient = sums.add(
          dy: dy + n * e.output, y: y.map { $0 + n * e.output }, ofImage: n, group: group,
          masked: masked.pointer)
        if let dx, let transposed, e.isPointwise {
          // The patches of a 1×1 kernel do not overlap: the gradient of x is a convolution of dy.
          loops.directForward(
            gradient, transposed.pointer, bias: zeros.pointer, activation: .none,
            into: dx + n * e.image, whole.exchanged, scratch: scratch.pointer)
        } else if let dx, let transposed {
          let band = Band(zerosFor: e)
          loops.directInputGradient(
            gradient, transposed.pointer, addingTo: band.target, whole,
            patches: patches.pointer, scratch: scratch.pointer)
          band.copyInside(to: dx + n * e.image, e)
        }
      }
    }
    sums.write(dWeight: dWeight, dBias: dBias)
  }

  /// Calls `body` with each image that some rows of all images belong to, and its rows.
  private static func forEachImage(
    of range: Range<Int>, rows: Int, _ body: (_ n: Int, _ rows: Range<Int>) -> Void
  ) {
    var first = range.lowerBound
    while first < range.upperBound {
      let n = first / rows
      let past = min(range.upperBound, (n + 1) * rows)
      body(n, first - n * rows..<past - n * rows)
      first = past
    }
  }
}

/// A direct convolution with its packed weights, computed row by row.
struct DirectImages {
  /// The extents; an image is one long row for a 1×1 kernel.
  let e: ConvolutionExtents
  let loops: any VectorLoops.Type
  private let x: UnsafePointer<Float>
  private let weights: PackedWeights
  private let bias: Scratch
  let activation: Activation

  init(
    x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    activation: Activation,
    _ e: ConvolutionExtents
  ) {
    loops = KernelSet.current.loops
    (self.x, self.e, self.activation) = (x, e.asRows, activation)
    weights = PackedWeights(weight, self.e, loops)
    self.bias = Scratch(count: weights.filters)
    self.bias.pointer.update(repeating: 0, count: weights.filters)
    if let bias { self.bias.pointer.update(from: bias, count: e.k) }
  }

  /// Writes some output rows of an image to memory that starts at the first of them.
  func write(
    _ rows: Range<Int>, ofImage n: Int, into y: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let band = Band(x + n * e.image, rows, e)
    let d = DirectExtents(
      e, rows: rows.count, columns: e.outputW, inputRow: band.inputRow, lanes: loops.vectorLanes)
    loops.directForward(
      band.pointer, weights.pointer, bias: bias.pointer, activation: activation, into: y, d,
      scratch: scratch)
  }
}

/// The gradients of a direct convolution's weight and bias, added up image by image. Each group of
/// images has a sum of its own, so the result does not depend on the threads.
struct DirectGradientSums {
  let e: ConvolutionExtents
  /// The extents of a whole image.
  let whole: DirectExtents
  /// The images of each group.
  let groups: [Range<Int>]
  private let loops: any VectorLoops.Type
  private let x: UnsafePointer<Float>
  private let weights: Scratch?
  private let biases: Scratch
  private let isBiasWanted: Bool

  /// - Parameters:
  ///   - weights: Whether to compute the gradient of the weight.
  ///   - biases: Whether to compute the gradient of the bias.
  init(
    x: UnsafePointer<Float>, weights isWeightWanted: Bool, biases isBiasWanted: Bool,
    _ extents: ConvolutionExtents
  ) {
    self.isBiasWanted = isBiasWanted
    loops = KernelSet.current.loops
    let e = extents.asRows
    (self.x, self.e) = (x, e)
    groups = imageGroups(e.n)
    whole = DirectExtents(
      e, rows: e.outputH, columns: e.outputW, inputRow: (e.w + 2 * e.padding) * e.c,
      lanes: loops.vectorLanes)
    weights = isWeightWanted ? Scratch(count: groups.count * e.patch * whole.filters) : nil
    biases = Scratch(count: groups.count * whole.filters)
    weights?.pointer.update(repeating: 0, count: groups.count * e.patch * whole.filters)
    biases.pointer.update(repeating: 0, count: groups.count * whole.filters)
  }

  /// Adds the gradients of an image.
  ///
  /// - Parameters:
  ///   - y: The result if there was a ReLU, else nil.
  ///   - n: The image's index in the batch.
  ///   - masked: Memory for a copy; may be dy if `filters` is K.
  /// - Returns: dy where y is positive, else 0, with `filters` floats for each pixel.
  @discardableResult
  func add(
    dy: UnsafePointer<Float>, y: UnsafePointer<Float>?, ofImage n: Int, group: Int,
    masked: UnsafeMutablePointer<Float>
  ) -> UnsafePointer<Float> {
    let isCopied = y != nil || isBiasWanted || e.k < whole.filters
    if isCopied {
      loops.directOutputGradient(
        dy, y: y, into: masked, addingTo: biases.pointer + group * whole.filters,
        pixels: e.outputPixels, k: e.k, filters: whole.filters)
    }
    let gradient = isCopied ? UnsafePointer(masked) : dy
    if let weights {
      let band = Band(x + n * e.image, 0..<e.outputH, e)
      loops.directWeightGradient(
        band.pointer, gradient, addingTo: weights.pointer + group * e.patch * whole.filters, whole)
    }
    return gradient
  }

  /// Adds up the groups.
  func write(dWeight: UnsafeMutablePointer<Float>?, dBias: UnsafeMutablePointer<Float>?) {
    if let dWeight, let weights {
      let sums = Scratch(count: e.patch * whole.filters)
      sumParts(
        weights.pointer, parts: groups.count, count: e.patch * whole.filters, into: sums.pointer)
      PackedWeights.unpack(sums.pointer, whole, into: dWeight, loops)
    }
    if let dBias {
      let sums = Scratch(count: whole.filters)
      sumParts(biases.pointer, parts: groups.count, count: whole.filters, into: sums.pointer)
      dBias.update(from: sums.pointer, count: e.k)
    }
  }
}

/// The groups that a batch is divided into for sums over images.
func imageGroups(_ n: Int) -> [Range<Int>] {
  let groups = min(n, 8)
  return (0..<groups).map { n * $0 / groups..<n * ($0 + 1) / groups }
}

/// Weights in the order R × S × C × filters.
private struct PackedWeights {
  let filters: Int
  private let memory: Scratch
  var pointer: UnsafePointer<Float> { UnsafePointer(memory.pointer) }

  init(
    _ weight: UnsafePointer<Float>, _ e: ConvolutionExtents, _ loops: any VectorLoops.Type
  ) {
    filters = (e.k + loops.vectorLanes - 1) / loops.vectorLanes * loops.vectorLanes
    memory = Scratch(count: e.patch * filters)
    let rows = Scratch(count: e.patch * filters)
    rows.pointer.update(repeating: 0, count: e.patch * filters)
    loops.transpose(
      weight, stride: e.patch, rows: e.k, columns: e.patch, into: rows.pointer,
      targetStride: filters)
    let taps = e.r * e.s
    for tap in 0..<taps {
      for c in 0..<e.c {
        (memory.pointer + (tap * e.c + c) * filters).update(
          from: rows.pointer + (c * taps + tap) * filters, count: filters)
      }
    }
  }

  /// The weights as filters × patch, with zeros past the last element of a patch.
  func transposed(_ d: DirectExtents, _ loops: any VectorLoops.Type) -> Scratch {
    let result = Scratch(count: filters * d.patch)
    result.pointer.update(repeating: 0, count: filters * d.patch)
    loops.transpose(
      pointer, stride: filters, rows: d.c * d.r * d.s, columns: filters, into: result.pointer,
      targetStride: d.patch)
    return result
  }

  /// The inverse of packing, for a gradient.
  static func unpack(
    _ packed: UnsafePointer<Float>, _ d: DirectExtents,
    into weight: UnsafeMutablePointer<Float>, _ loops: any VectorLoops.Type
  ) {
    let taps = d.r * d.s
    let rows = Scratch(count: taps * d.c * d.filters)
    for tap in 0..<taps {
      for c in 0..<d.c {
        (rows.pointer + (c * taps + tap) * d.filters).update(
          from: packed + (tap * d.c + c) * d.filters, count: d.filters)
      }
    }
    loops.transpose(
      rows.pointer, stride: d.filters, rows: taps * d.c, columns: d.k, into: weight,
      targetStride: taps * d.c)
  }
}

/// The input rows that some output rows depend on, with their padding.
private struct Band {
  let pointer: UnsafePointer<Float>
  let inputRow: Int
  private let memory: Scratch?

  init(_ image: UnsafePointer<Float>, _ rows: Range<Int>, _ e: ConvolutionExtents) {
    let first = rows.lowerBound * e.stride - e.padding
    inputRow = (e.w + 2 * e.padding) * e.c
    guard e.padding > 0 else {
      memory = nil
      pointer = image + first * inputRow
      return
    }
    let count = (rows.count - 1) * e.stride + e.r
    let memory = Scratch(count: count * inputRow)
    let border = e.padding * e.c
    for row in 0..<count {
      let target = memory.pointer + row * inputRow
      if (0..<e.h).contains(first + row) {
        target.update(repeating: 0, count: border)
        (target + border).update(from: image + (first + row) * e.w * e.c, count: e.w * e.c)
        (target + border + e.w * e.c).update(repeating: 0, count: border)
      } else {
        target.update(repeating: 0, count: inputRow)
      }
    }
    self.memory = memory
    pointer = UnsafePointer(memory.pointer)
  }

  /// A padded image of zeros, to add gradients to.
  init(zerosFor e: ConvolutionExtents) {
    inputRow = (e.w + 2 * e.padding) * e.c
    let memory = Scratch(count: (e.h + 2 * e.padding) * inputRow)
    memory.pointer.update(repeating: 0, count: (e.h + 2 * e.padding) * inputRow)
    self.memory = memory
    pointer = UnsafePointer(memory.pointer)
  }

  var target: UnsafeMutablePointer<Float> { UnsafeMutablePointer(mutating: pointer) }

  /// Copies the image without its padding.
  func copyInside(to image: UnsafeMutablePointer<Float>, _ e: ConvolutionExtents) {
    for row in 0..<e.h {
      (image + row * e.w * e.c).update(
        from: pointer + (row + e.padding) * inputRow + e.padding * e.c, count: e.w * e.c)
    }
  }
}

extension ConvolutionExtents {
  fileprivate var isPointwise: Bool { r == 1 && s == 1 && stride == 1 && padding == 0 }

  /// For a 1×1 kernel an image is one long row, for long products.
  fileprivate var asRows: ConvolutionExtents {
    guard isPointwise else { return self }
    return ConvolutionExtents(
      n: n, c: c, h: 1, w: h * w, k: k, r: 1, s: 1, stride: 1, padding: 0)
  }
}

extension DirectExtents {
  /// For a 1×1 kernel: the extents of the gradient's convolution, from K channels (padded) to C.
  fileprivate var exchanged: DirectExtents {
    var other = self
    (other.c, other.k, other.filters, other.patch) = (filters, c, patch, filters)
    other.inputRow = columns * filters
    return other
  }
}
