import KernelInterface

/// Direct convolutions of any kernel, strides and paddings on channels-last images: for few channels,
/// and for strides and kernels that the Winograd algorithm does not support, 1×1 above all.
///
/// Images are N×H×W×C in memory, weights K×C×R×S as in PyTorch.
public enum DirectConvolution {
  /// Whether there is neither dilation nor more than one group, and ``GeneralConvolution`` is not faster
  /// by a library's matrix products.
  public static func isSupported(_ e: ConvolutionExtents) -> Bool {
    e.dilationH == 1 && e.dilationW == 1 && e.groups == 1
      && !KernelSet.current.products.isFasterUnfolded(e)
  }

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
    let convolution = DirectImages(
      x: x, weight: weight, bias: bias, activation: activation, e.stacked)
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
    _ extents: ConvolutionExtents
  ) {
    let loops = KernelSet.current.loops
    let sums = DirectGradientSums(
      x: x, weights: dWeight != nil, biases: dBias != nil, extents.stacked)
    let e = sums.e
    let border = dx == nil ? OutputBorder.none : OutputBorder(e)
    let phases = dx == nil ? nil : InputPhases(weight, e, border, loops)
    parallel(count: sums.groups.count) { group in
      let scratch = Scratch(count: loops.scratchCount)
      let count = border.count(e, filters: sums.filters)
      let masked = Scratch(count: count)
      if !border.isEmpty { masked.pointer.update(repeating: 0, count: count) }
      for n in sums.groups[group] {
        let gradient = sums.add(
          dy: dy + n * e.output, y: y.map { $0 + n * e.output }, ofImage: n, group: group,
          masked: masked.pointer, border)
        if let dx, let phases {
          phases.write(gradient, into: dx + n * e.image, scratch: scratch.pointer)
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
  private let weights: Scratch
  private let bias: Scratch
  let activation: Activation

  init(
    x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    activation: Activation,
    _ e: ConvolutionExtents
  ) {
    loops = KernelSet.current.loops
    (self.x, self.e, self.activation) = (x, e.asRows, activation)
    let matrices = TapMatrices(weight, self.e, loops)
    weights = matrices.panels(loops)
    self.bias = Scratch(count: matrices.filters)
    self.bias.pointer.update(repeating: 0, count: matrices.filters)
    if let bias { self.bias.pointer.update(from: bias, count: e.k) }
  }

  /// Writes some output rows of an image to memory that starts at the first of them.
  func write(
    _ rows: Range<Int>, ofImage n: Int, into y: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    for part in Band.parts(of: rows, e) {
      let band = Band(x + n * e.image, part, e)
      let d = DirectExtents(
        e, rows: part.count, columns: e.outputW, inputRow: band.inputRow, lanes: loops.vectorLanes)
      loops.directForward(
        band.pointer, weights.pointer, bias: bias.pointer, activation: activation,
        into: y + (part.lowerBound - rows.lowerBound) * d.outputRow, d, scratch: scratch)
    }
  }
}

/// The gradients of a direct convolution's weight and bias, added up image by image. Each group of
/// images has a sum of its own, so the result does not depend on the threads.
struct DirectGradientSums {
  let e: ConvolutionExtents
  /// K rounded up to whole vectors.
  let filters: Int
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
    filters = (e.k + loops.vectorLanes - 1) / loops.vectorLanes * loops.vectorLanes
    weights = isWeightWanted ? Scratch(count: groups.count * e.patch * filters) : nil
    biases = Scratch(count: groups.count * filters)
    weights?.pointer.update(repeating: 0, count: groups.count * e.patch * filters)
    biases.pointer.update(repeating: 0, count: groups.count * filters)
  }

  /// Adds the gradients of an image.
  ///
  /// - Parameters:
  ///   - y: The result if there was a ReLU, else nil.
  ///   - n: The image's index in the batch.
  ///   - masked: Memory for a copy with a border, which is 0; may be dy if `filters` is K and there
  ///     is no border.
  /// - Returns: dy where y is positive, else 0, with `filters` floats for each pixel and the border:
  ///   its first pixel inside the border.
  @discardableResult
  func add(
    dy: UnsafePointer<Float>, y: UnsafePointer<Float>?, ofImage n: Int, group: Int,
    masked: UnsafeMutablePointer<Float>, _ border: OutputBorder = .none
  ) -> UnsafePointer<Float> {
    let isCopied = y != nil || isBiasWanted || e.k < filters || !border.isEmpty
    let row = border.row(e, filters: filters)
    let copy = masked + border.top * row + border.left * filters
    let gradient = isCopied ? UnsafePointer(copy) : dy
    for part in Band.parts(of: 0..<e.outputH, e) {
      if isCopied {
        for line in border.isEmpty ? part.lowerBound..<part.lowerBound + 1 : part {
          let place = line * e.outputW * e.k
          loops.directOutputGradient(
            dy + place, y: y.map { $0 + place }, into: copy + line * row,
            addingTo: biases.pointer + group * filters,
            pixels: border.isEmpty ? part.count * e.outputW : e.outputW, k: e.k,
            filters: filters)
        }
      }
      if let weights {
        let band = Band(x + n * e.image, part, e)
        var d = DirectExtents(
          e, rows: part.count, columns: e.outputW, inputRow: band.inputRow,
          lanes: loops.vectorLanes)
        (d.outputPixel, d.outputRow) = (filters, row)
        loops.directWeightGradient(
          band.pointer, gradient + part.lowerBound * row,
          addingTo: weights.pointer + group * e.patch * filters, d)
      }
    }
    return gradient
  }

  /// Adds up the groups.
  func write(dWeight: UnsafeMutablePointer<Float>?, dBias: UnsafeMutablePointer<Float>?) {
    if let dWeight, let weights {
      let sums = Scratch(count: e.patch * filters)
      sumParts(weights.pointer, parts: groups.count, count: e.patch * filters, into: sums.pointer)
      TapMatrices.unpack(sums.pointer, filters: filters, e, into: dWeight, loops)
    }
    if let dBias {
      let sums = Scratch(count: filters)
      sumParts(biases.pointer, parts: groups.count, count: filters, into: sums.pointer)
      dBias.update(from: sums.pointer, count: e.k)
    }
  }
}

/// The groups that a batch is divided into for sums over images.
func imageGroups(_ n: Int) -> [Range<Int>] {
  let groups = min(n, 8)
  return (0..<groups).map { n * $0 / groups..<n * ($0 + 1) / groups }
}

/// Zeros around the gradient of an image's output, so that all input pixels of a phase are computed from
/// the same number of output pixels.
struct OutputBorder {
  static let none = OutputBorder(top: 0, bottom: 0, left: 0, right: 0)
  let top, bottom, left, right: Int

  private init(top: Int, bottom: Int, left: Int, right: Int) {
    (self.top, self.bottom, self.left, self.right) = (top, bottom, left, right)
  }

  init(_ e: ConvolutionExtents) {
    top = (e.r - 1) / e.strideH
    left = (e.s - 1) / e.strideW
    bottom = max(0, (e.h - 1 + e.paddingH) / e.strideH - e.outputH + 1)
    right = max(0, (e.w - 1 + e.paddingW) / e.strideW - e.outputW + 1)
  }

  var isEmpty: Bool { top == 0 && bottom == 0 && left == 0 && right == 0 }

  /// Floats from one row to the next, and of all rows.
  func row(_ e: ConvolutionExtents, filters: Int) -> Int { (left + e.outputW + right) * filters }

  func count(_ e: ConvolutionExtents, filters: Int) -> Int {
    (top + e.outputH + bottom) * row(e, filters: filters)
  }
}

/// The gradient of the input. With strides, input pixels are divided into phases: those of one phase are
/// multiplied by the same elements of the kernel. The gradient of each phase is a convolution of the
/// output's gradient with these elements.
private struct InputPhases {
  private struct Phase {
    /// The positions of the first pixel, and of the first output pixel that it meets.
    let input, output: Int
    let extents: DirectExtents
    /// The position of its weights.
    let weights: Int
  }

  private let phases: [Phase]
  /// Whether some pixels are under no element of the kernel.
  private let hasGaps: Bool
  private let memory: Scratch
  private let zeros: Scratch
  private let loops: any VectorLoops.Type
  private let imageCount: Int

  init(
    _ weight: UnsafePointer<Float>, _ e: ConvolutionExtents, _ border: OutputBorder,
    _ loops: any VectorLoops.Type
  ) {
    let matrices = TapMatrices(weight, e, loops)
    let filters = matrices.filters
    let channels = (e.c + loops.vectorLanes - 1) / loops.vectorLanes * loops.vectorLanes
    memory = Scratch(count: e.r * e.s * filters * channels)
    zeros = Scratch(count: channels)
    zeros.pointer.update(repeating: 0, count: channels)
    self.loops = loops
    imageCount = e.image
    let outputRow = border.row(e, filters: filters)
    hasGaps = e.r < e.strideH || e.s < e.strideW
    var phases: [Phase] = []
    var position = 0
    for rows in AxisPhase.all(e.h, e.r, stride: e.strideH, padding: e.paddingH) {
      for columns in AxisPhase.all(e.w, e.s, stride: e.strideW, padding: e.paddingW) {
        let taps = rows.taps.flatMap { r in columns.taps.map { s in r * e.s + s } }
        matrices.writeTransposed(
          taps, channels: channels, into: memory.pointer + position, loops)
        let extents = DirectExtents(
          c: filters, k: e.c, r: rows.taps.count, s: columns.taps.count, strideH: 1, strideW: 1,
          filters: channels, rows: rows.count, columns: columns.count, inputRow: outputRow,
          outputPixel: e.strideW * e.c, outputRow: e.strideH * e.w * e.c)
        phases.append(
          Phase(
            input: (rows.first * e.w + columns.first) * e.c,
            output: rows.output * outputRow + columns.output * filters, extents: extents,
            weights: position))
        position += taps.count * filters * channels
      }
    }
    self.phases = phases
  }

  /// Writes the gradient of an image.
  ///
  /// - Parameter dy: That of its output, as ``DirectGradientSums`` returns it.
  func write(
    _ dy: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    if hasGaps { dx.update(repeating: 0, count: imageCount) }
    for phase in phases {
      loops.directForward(
        dy + phase.output, memory.pointer + phase.weights, bias: zeros.pointer, activation: .none,
        into: dx + phase.input, phase.extents, scratch: scratch)
    }
  }
}

/// The pixels along one axis that lie at the same distance from a multiple of the stride.
private struct AxisPhase {
  /// The first of them, and how many there are.
  let first, count: Int
  /// The elements of the kernel that meet them, the last one first: that of the first output pixel.
  let taps: [Int]
  /// The first output pixel that meets the first of them, maybe in the border.
  let output: Int

  static func all(_ extent: Int, _ kernel: Int, stride: Int, padding: Int) -> [AxisPhase] {
    (0..<min(stride, kernel)).compactMap { tap in
      let first = (tap + (padding / stride + 1) * stride - padding) % stride
      guard first < extent else { return nil }
      let taps = Swift.stride(from: tap, to: kernel, by: stride).reversed()
      return AxisPhase(
        first: first, count: (extent - 1 - first) / stride + 1, taps: Array(taps),
        output: (first + padding - tap) / stride - taps.count + 1)
    }
  }
}

/// The weights as a matrix for each element of the kernel: R × S × C × filters.
private struct TapMatrices {
  /// K rounded up to whole vectors.
  let filters: Int
  private let memory: Scratch
  private let e: ConvolutionExtents

  init(
    _ weight: UnsafePointer<Float>, _ e: ConvolutionExtents, _ loops: any VectorLoops.Type
  ) {
    self.e = e
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

  /// The weights in panels of filters, as ``VectorLoops/directForward`` wants them.
  func panels(_ loops: any VectorLoops.Type) -> Scratch {
    guard filters > loops.panelWidth else { return memory }
    let result = Scratch(count: e.patch * filters)
    for first in stride(from: 0, to: filters, by: loops.panelWidth) {
      let width = min(loops.panelWidth, filters - first)
      let panel = result.pointer + first * e.patch
      for term in 0..<e.patch {
        (panel + term * width).update(
          from: memory.pointer + term * filters + first, count: width)
      }
    }
    return result
  }

  /// Writes some of the matrices with rows and columns exchanged, one after another, in panels of
  /// channels.
  func writeTransposed(
    _ taps: [Int], channels: Int, into target: UnsafeMutablePointer<Float>,
    _ loops: any VectorLoops.Type
  ) {
    let terms = taps.count * filters
    if e.c < channels { target.update(repeating: 0, count: terms * channels) }
    for first in stride(from: 0, to: channels, by: loops.panelWidth) {
      let width = min(loops.panelWidth, channels - first)
      for (index, tap) in taps.enumerated() {
        loops.transpose(
          memory.pointer + (tap * e.c + first) * filters, stride: filters,
          rows: min(width, e.c - first), columns: filters,
          into: target + first * terms + index * filters * width, targetStride: width)
      }
    }
  }

  /// The inverse of the order of the matrices, for a gradient.
  static func unpack(
    _ matrices: UnsafePointer<Float>, filters: Int, _ e: ConvolutionExtents,
    into weight: UnsafeMutablePointer<Float>, _ loops: any VectorLoops.Type
  ) {
    let taps = e.r * e.s
    let rows = Scratch(count: e.patch * filters)
    for tap in 0..<taps {
      for c in 0..<e.c {
        (rows.pointer + (c * taps + tap) * filters).update(
          from: matrices + (tap * e.c + c) * filters, count: filters)
      }
    }
    loops.transpose(
      rows.pointer, stride: filters, rows: e.patch, columns: e.k, into: weight,
      targetStride: e.patch)
  }
}

/// The input rows that some output rows depend on, with their padding.
private struct Band {
  let pointer: UnsafePointer<Float>
  let inputRow: Int
  private let memory: Scratch?

  init(_ image: UnsafePointer<Float>, _ rows: Range<Int>, _ e: ConvolutionExtents) {
    let first = rows.lowerBound * e.strideH - e.paddingH
    inputRow = (e.w + 2 * e.paddingW) * e.c
    guard e.paddingH > 0 || e.paddingW > 0 else {
      memory = nil
      pointer = image + first * inputRow
      return
    }
    let count = (rows.count - 1) * e.strideH + e.r
    let memory = Scratch(count: count * inputRow)
    let border = e.paddingW * e.c
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

  /// Output rows whose bands fit into the caches; all of them if nothing is copied.
  static func parts(of rows: Range<Int>, _ e: ConvolutionExtents) -> [Range<Int>] {
    guard e.paddingH > 0 || e.paddingW > 0 else { return [rows] }
    let most = (1 << 17) / max(1, (e.w + 2 * e.paddingW) * e.c)
    let height = max(1, (most - e.r) / e.strideH + 1)
    return stride(from: rows.lowerBound, to: rows.upperBound, by: height).map {
      $0..<min(rows.upperBound, $0 + height)
    }
  }
}

extension ConvolutionExtents {
  /// Whether the kernel is 1×1 and each output pixel depends on the input pixel at its position.
  var isPointwise: Bool {
    r == 1 && s == 1 && strideH == 1 && strideW == 1 && paddingH == 0 && paddingW == 0
  }

  /// For a 1×1 kernel an image is one long row, for long products.
  fileprivate var asRows: ConvolutionExtents {
    guard isPointwise else { return self }
    return ConvolutionExtents(
      n: n, c: c, h: 1, w: h * w, k: k, r: 1, s: 1, stride: 1, padding: 0)
  }

  /// Images with one row of output pixels are stacked to few tall ones with many.
  fileprivate var stacked: ConvolutionExtents {
    guard outputH == 1, paddingH == 0, !isPointwise,
      let count = (min(8, n)..<max(9, n)).first(where: { $0 > 0 && n % $0 == 0 })
    else { return self }
    return ConvolutionExtents(
      n: count, c: c, h: n / count * h, w: w, k: k, r: r, s: s, stride: (h, strideW),
      padding: (0, paddingW))
  }
}
