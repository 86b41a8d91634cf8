import KernelInterface

/// Convolutions of any kernel, strides, paddings, dilations and groups on channels-last images, as
/// matrix products of the pixels under the kernel (im2col) with the weights; depthwise ones as loops
/// over the channels.
///
/// Images are N×H×W×C in memory, weights K×(C / groups)×R×S as in PyTorch. Images are divided into
/// bands of rows that follow from the extents alone, and sums over images are taken in a fixed order,
/// so results do not depend on the number of threads.
public enum GeneralConvolution {
  /// `y = activation(x ∗ weight + bias)`.
  ///
  /// - Parameters:
  ///   - x: N×H×W×C
  ///   - weight: K×(C / groups)×R×S
  ///   - bias: K, or nil
  ///   - y: N×(output H)×(output W)×K
  ///   - e: The extents of the convolution.
  public static func forward(
    x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    activation: Activation = .none, y: UnsafeMutablePointer<Float>, _ e: ConvolutionExtents
  ) {
    let (loops, products) = (KernelSet.current.loops, KernelSet.current.products)
    let weights = packed(weight, e)
    let bands = Bands(e)
    parallel(count: e.n * bands.count, grain: bands.grain) { range in
      let patches = Scratch(count: bands.height * e.outputW * e.patch)
      let scratch = Scratch(count: loops.scratchCount)
      for part in range {
        let (n, band) = part.quotientAndRemainder(dividingBy: bands.count)
        let rows = bands.rows(of: band)
        let pixels = rows.count * e.outputW
        let target = y + (n * e.outputH + rows.lowerBound) * e.outputW * e.k
        if let bias {
          for pixel in 0..<pixels { (target + pixel * e.k).update(from: bias, count: e.k) }
        } else if e.isDepthwise {
          target.update(repeating: 0, count: pixels * e.k)
        }
        if e.isDepthwise {
          addDepthwise(x + n * e.image, weights.pointer, rows, into: target, e)
        }
        for group in 0..<(e.isDepthwise ? 0 : e.groups) {
          products.multiply(
            unfolded(x + n * e.image, rows, group, patches, e),
            StridedMatrix(
              weights.pointer + group * e.patch * e.groupK, row: e.groupK, column: 1),
            into: target + group * e.groupK, stride: e.k, m: pixels, n: e.groupK, k: e.patch,
            adding: bias != nil, scratch: scratch.pointer)
        }
        if case .relu = activation { loops.relu(target, into: target, count: pixels * e.k) }
      }
    }
  }

  /// The gradients of ``forward(x:weight:bias:activation:y:_:)``. Each of dx, dWeight and dBias is
  /// overwritten, or skipped if it is nil.
  ///
  /// - Parameter y: The result if there was a ReLU, else nil.
  public static func gradients(
    x: UnsafePointer<Float>, weight: UnsafePointer<Float>, dy: UnsafePointer<Float>,
    y: UnsafePointer<Float>? = nil, dx: UnsafeMutablePointer<Float>?,
    dWeight: UnsafeMutablePointer<Float>?, dBias: UnsafeMutablePointer<Float>?,
    _ e: ConvolutionExtents
  ) {
    let (loops, products) = (KernelSet.current.loops, KernelSet.current.products)
    let weights = dx == nil ? nil : packed(weight, e)
    let imageGroups = imageGroups(e.n)
    let bands = Bands(e)
    let weightCount = e.k * e.patch
    let partWeights = Scratch(count: dWeight == nil ? 0 : imageGroups.count * weightCount)
    let partBiases = Scratch(count: imageGroups.count * e.k)
    partBiases.pointer.update(repeating: 0, count: imageGroups.count * e.k)
    parallel(count: imageGroups.count) { part in
      let pixels = bands.height * e.outputW
      let patches = Scratch(count: pixels * e.patch)
      let masked = Scratch(count: y == nil ? 0 : pixels * e.k)
      let scratch = Scratch(count: loops.scratchCount)
      let sums = partWeights.pointer + part * weightCount
      if dWeight != nil { sums.update(repeating: 0, count: weightCount) }
      for n in imageGroups[part] {
        if let dx { (dx + n * e.image).update(repeating: 0, count: e.image) }
        for band in 0..<bands.count {
          let rows = bands.rows(of: band)
          let pixels = rows.count * e.outputW
          let first = (n * e.outputH + rows.lowerBound) * e.outputW * e.k
          var gradient = dy + first
          if let y {
            loops.reluGradient(gradient, y: y + first, into: masked.pointer, count: pixels * e.k)
            gradient = UnsafePointer(masked.pointer)
          }
          if dBias != nil {
            let bias = partBiases.pointer + part * e.k
            for pixel in 0..<pixels {
              loops.add(bias, gradient + pixel * e.k, activation: .none, into: bias, count: e.k)
            }
          }
          if e.isDepthwise {
            addDepthwiseGradients(
              x + n * e.image, weights?.pointer, dy: gradient, rows,
              addingTo: dx.map { $0 + n * e.image }, dWeight == nil ? nil : sums, e)
          }
          for group in 0..<(e.isDepthwise ? 0 : e.groups) {
            let offset = group * e.patch * e.groupK
            let groupGradient = gradient + group * e.groupK
            if dWeight != nil {
              products.multiply(
                unfolded(x + n * e.image, rows, group, patches, e).transposed,
                StridedMatrix(groupGradient, row: e.k, column: 1), into: sums + offset,
                stride: e.groupK, m: e.patch, n: e.groupK, k: pixels, adding: true,
                scratch: scratch.pointer)
            }
            if let dx, let weights {
              let image = dx + n * e.image
              let pixelsOfGroup = image + rows.lowerBound * e.w * e.c + group * e.groupC
              products.multiply(
                StridedMatrix(groupGradient, row: e.k, column: 1),
                StridedMatrix(weights.pointer + offset, row: 1, column: e.groupK),
                into: e.isPointwise ? pixelsOfGroup : patches.pointer,
                stride: e.isPointwise ? e.c : e.patch, m: pixels, n: e.patch, k: e.groupK,
                adding: false, scratch: scratch.pointer)
              if !e.isPointwise { scatter(patches.pointer, rows, group, addingTo: image, e) }
            }
          }
        }
      }
    }
    if let dWeight {
      let sums = Scratch(count: weightCount)
      sumParts(
        partWeights.pointer, parts: imageGroups.count, count: weightCount, into: sums.pointer)
      copyWeights(sums.pointer, into: dWeight, isPacking: false, e)
    }
    if let dBias {
      sumParts(partBiases.pointer, parts: imageGroups.count, count: e.k, into: dBias)
    }
  }

  /// The weights in the order groups × R × S × (C / groups) × (K / groups), or R × S × C if they are
  /// depthwise.
  private static func packed(
    _ weight: UnsafePointer<Float>, _ e: ConvolutionExtents
  ) -> Scratch {
    let result = Scratch(count: e.k * e.patch)
    copyWeights(weight, into: result.pointer, isPacking: true, e)
    return result
  }

  private static func copyWeights(
    _ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, isPacking: Bool,
    _ e: ConvolutionExtents
  ) {
    let shape = [e.groups, e.groupK, e.groupC, e.r * e.s]
    let plain = rowMajorStrides(shape)
    let packed =
      e.isDepthwise ? [1, 1, 1, e.c] : [e.patch * e.groupK, 1, e.groupK, e.groupC * e.groupK]
    copyStrided(
      source, strides: isPacking ? plain : packed, into: target,
      strides: isPacking ? packed : plain, shape: shape)
  }

  /// The pixels under the kernel for some rows of output pixels, as a matrix with a row for each: a copy in
  /// `patches`, or the image itself for a 1×1 kernel with stride 1.
  @inline(__always)
  private static func unfolded(
    _ image: UnsafePointer<Float>, _ rows: Range<Int>, _ group: Int, _ patches: Scratch,
    _ e: ConvolutionExtents
  ) -> StridedMatrix {
    if e.isPointwise {
      return StridedMatrix(
        image + rows.lowerBound * e.w * e.c + group * e.groupC, row: e.c, column: 1)
    }
    gather(image, rows, group, into: patches.pointer, e)
    return StridedMatrix(patches.pointer, row: e.patch, column: 1)
  }

  /// Copies the pixels under the kernel for some rows of output pixels; 0 outside the image.
  @inline(__always)
  private static func gather(
    _ image: UnsafePointer<Float>, _ rows: Range<Int>, _ group: Int,
    into patches: UnsafeMutablePointer<Float>, _ e: ConvolutionExtents
  ) {
    forEachTap(rows, e) { output, tap, pixel in
      let target = patches + output * e.patch + tap * e.groupC
      if let pixel {
        target.update(from: image + pixel * e.c + group * e.groupC, count: e.groupC)
      } else {
        target.update(repeating: 0, count: e.groupC)
      }
    }
  }

  /// Adds the gradients of the pixels under the kernel to those of the image.
  @inline(__always)
  private static func scatter(
    _ patches: UnsafePointer<Float>, _ rows: Range<Int>, _ group: Int,
    addingTo image: UnsafeMutablePointer<Float>, _ e: ConvolutionExtents
  ) {
    forEachTap(rows, e) { output, tap, pixel in
      guard let pixel else { return }
      let (source, target) = (
        patches + output * e.patch + tap * e.groupC, image + pixel * e.c + group * e.groupC
      )
      for c in 0..<e.groupC { target[c] += source[c] }
    }
  }

  /// Calls `body` for each kernel element at each output pixel, with the numbers of both in order and
  /// the input pixel, or nil on the padding.
  @inline(__always)
  private static func forEachTap(
    _ rows: Range<Int>, _ e: ConvolutionExtents,
    _ body: (_ output: Int, _ tap: Int, _ pixel: Int?) -> Void
  ) {
    var output = 0
    for row in rows {
      for column in 0..<e.outputW {
        var tap = 0
        for r in 0..<e.r {
          let y = e.inputRow(row, r)
          let isInside = y >= 0 && y < e.h
          for s in 0..<e.s {
            let x = e.inputColumn(column, s)
            body(output, tap, isInside && x >= 0 && x < e.w ? y * e.w + x : nil)
            tap += 1
          }
        }
        output += 1
      }
    }
  }

  // MARK: Depthwise

  // With one input and one output channel in each group, there is nothing to multiply as matrices: the
  // loops run over the channels. The packed weights are R × S × C.

  private static func addDepthwise(
    _ image: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ rows: Range<Int>,
    into y: UnsafeMutablePointer<Float>, _ e: ConvolutionExtents
  ) {
    forEachTap(rows, e) { output, tap, pixel in
      guard let pixel else { return }
      addProducts(image + pixel * e.c, weights + tap * e.c, to: y + output * e.c, count: e.c)
    }
  }

  private static func addDepthwiseGradients(
    _ image: UnsafePointer<Float>, _ weights: UnsafePointer<Float>?, dy: UnsafePointer<Float>,
    _ rows: Range<Int>, addingTo dx: UnsafeMutablePointer<Float>?,
    _ dWeights: UnsafeMutablePointer<Float>?, _ e: ConvolutionExtents
  ) {
    forEachTap(rows, e) { output, tap, pixel in
      guard let pixel else { return }
      let gradient = dy + output * e.c
      if let dWeights {
        addProducts(image + pixel * e.c, gradient, to: dWeights + tap * e.c, count: e.c)
      }
      if let dx, let weights {
        addProducts(gradient, weights + tap * e.c, to: dx + pixel * e.c, count: e.c)
      }
    }
  }

  @inline(__always)
  private static func addProducts(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    for index in 0..<count { y[index] += a[index] * b[index] }
  }
}

/// Bands of output rows whose pixels under the kernel fit into the caches.
private struct Bands {
  let count, height, grain: Int
  private let outputH: Int

  init(_ e: ConvolutionExtents) {
    let row = max(1, e.outputW * e.patch)
    outputH = e.outputH
    count = max(1, min(outputH, (outputH * row + (1 << 16) - 1) >> 16))
    height = (outputH + count - 1) / count
    grain = max(1, 5_000_000 / max(1, height * row * e.k))
  }

  func rows(of band: Int) -> Range<Int> {
    outputH * band / count..<outputH * (band + 1) / count
  }
}

extension StridedMatrix {
  fileprivate var transposed: StridedMatrix { StridedMatrix(pointer, row: column, column: row) }
}

extension ConvolutionExtents {
  /// Input and output channels of a group.
  fileprivate var groupC: Int { c / groups }
  fileprivate var groupK: Int { k / groups }

  fileprivate var isDepthwise: Bool { groups > 1 && groups == c && groups == k }
}
