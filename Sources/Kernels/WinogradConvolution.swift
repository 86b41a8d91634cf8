import KernelInterface

/// The function that is applied to each element of a result before it is written.
public typealias Activation = KernelInterface.Activation
/// The operations that follow a convolution before its pixels are written.
public typealias ConvolutionEpilogue = KernelInterface.ConvolutionEpilogue
/// Which elements dropout sets to 0.
public typealias DropoutRule = KernelInterface.DropoutRule

/// 3×3 convolutions with stride 1 on channels-last images by Winograd's F(4×4, 3×3), with a quarter of
/// the multiplications of a direct convolution.
///
/// A few tiles at a time pass through all transforms, so that they stay in the caches. Images
/// are N×H×W×C in memory, weights K×C×3×3 as in PyTorch.
///
/// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
public enum WinogradConvolution {
  /// Whether the kernel is 3×3 with stride 1, and there are enough channels and pixels for a gain: tiles
  /// that are mostly outside the image save nothing.
  public static func isSupported(_ e: ConvolutionExtents) -> Bool {
    let tiles = ((e.outputH + 3) / 4) * ((e.outputW + 3) / 4)
    return e.isUniform && e.r == 3 && e.s == 3 && e.stride == 1 && e.c >= 8 && e.k >= 8
      && 9 * e.outputPixels >= 2 * 36 * tiles
  }

  /// `y = epilogue(x ∗ weight + bias)`.
  ///
  /// - Parameters:
  ///   - x: N×H×W×C
  ///   - weight: K×C×3×3
  ///   - transformed: The transformed weights, if there are any.
  ///   - bias: K, or nil
  ///   - y: N×(output H)×(output W)×K; with pooling half as many pixels down and across.
  ///   - codes: The position of each pooled pixel in its window, for the gradients; nil to skip it.
  ///   - e: The extents of the convolution.
  ///   - epilogue: The operations that follow.
  public static func forward(
    x: ConvolutionInput, weight: UnsafePointer<Float>, transformed: WinogradWeights? = nil,
    bias: UnsafePointer<Float>?, y: UnsafeMutablePointer<Float>,
    codes: UnsafeMutablePointer<UInt8>? = nil, _ e: ConvolutionExtents,
    epilogue: ConvolutionEpilogue = ConvolutionEpilogue()
  ) {
    let (loops, products) = (KernelSet.current.loops, KernelSet.current.products)
    let u = (transformed ?? WinogradWeights(weight, e)).u
    let e = WinogradExtents(e, lanes: loops.vectorLanes)
    let paddedBias = Scratch(count: e.filters)
    paddedBias.pointer.update(repeating: 0, count: e.filters)
    if let bias { paddedBias.pointer.update(from: bias, count: e.k) }
    let front = x.front
    let chunks = Chunks(e, products)
    parallel(chunks, e, wholeImages: front != nil) { range in
      let work = Workspace(e, chunks, range.count, loops)
      let images = InputImages(x, front: front, e)
      for part in images.parts(of: range) {
        images.withPixels(of: part, scratch: work.scratch) { pixels, _, before in
          for tiles in chunks.of(part) {
            loops.winogradInput(
              pixels, into: work.v, tiles: tiles.moved(back: before), isCached: front != nil, e,
              scratch: work.scratch)
            products.winogradProducts(
              work.v, u.pointer, into: work.m, tiles: tiles.count,
              terms: e.channels, columns: e.filters, e, scratch: work.scratch)
            if epilogue.pool2x2 {
              loops.winogradPooledOutput(
                work.m, bias: paddedBias.pointer, epilogue, into: y, codes: codes, tiles: tiles, e,
                scratch: work.scratch)
            } else {
              loops.winogradOutput(
                work.m, bias: paddedBias.pointer, activation: epilogue.activation, into: y,
                tiles: tiles, e,
                scratch: work.scratch)
            }
          }
        }
      }
    }
  }

  /// The gradients of ``forward(x:weight:transformed:bias:y:codes:_:epilogue:)`` from that of its
  /// result; each of dx, dWeight and dBias is overwritten, or skipped if it is nil.
  ///
  /// Sums over images are taken in groups, in the order of the groups, whatever the number of threads.
  ///
  /// - Parameters:
  ///   - y: The result, for an epilogue with ReLU and without pooling.
  ///   - codes: The codes that `forward` wrote, for an epilogue with pooling.
  public static func gradients(
    x: ConvolutionInput, weight: UnsafePointer<Float>, transformed: WinogradWeights? = nil,
    dy: UnsafePointer<Float>, y: UnsafePointer<Float>? = nil, codes: UnsafePointer<UInt8>? = nil,
    dx: ConvolutionInputGradient?, dWeight: UnsafeMutablePointer<Float>?,
    dBias: UnsafeMutablePointer<Float>?,
    _ extents: ConvolutionExtents, epilogue: ConvolutionEpilogue = ConvolutionEpilogue()
  ) {
    let (loops, products) = (KernelSet.current.loops, KernelSet.current.products)
    let e = WinogradExtents(extents, lanes: loops.vectorLanes)
    let front = x.front
    var frontSums: DirectGradientSums?
    if case .front(let dWeight, let dBias)? = dx, case .front(let x, _, _, _, let frontExtents) = x
    {
      frontSums = DirectGradientSums(
        x: x, weights: dWeight != nil, biases: dBias != nil, frontExtents)
    }
    let uTransposed = dx.map { _ in (transformed ?? WinogradWeights(weight, extents)).transposed }
    let groups = imageGroups(e.n)
    let weights = 36 * e.channels * e.filters
    let partWeights = Scratch(count: dWeight == nil ? 0 : groups.count * weights)
    let partBiases = Scratch(count: groups.count * e.filters)
    let isRectified = epilogue.activation == .relu && !epilogue.pool2x2
    let chunks = Chunks(e, products)
    parallel(count: groups.count) { [frontSums] group in
      let range = groups[group].lowerBound * e.tilesDown..<groups[group].upperBound * e.tilesDown
      let work = Workspace(e, chunks, range.count, loops)
      let partWeight = partWeights.pointer + group * weights
      let partBias = partBiases.pointer + group * e.filters
      partBias.update(repeating: 0, count: e.filters)
      let images = InputImages(x, front: front, gradient: dx, sums: frontSums, e)
      for part in images.parts(of: range) {
        images.withPixels(of: part, group: group, scratch: work.scratch) { pixels, dx, before in
          for tiles in chunks.of(part) {
            if let codes, epilogue.pool2x2 {
              loops.winogradPooledOutputGradient(
                dy, codes: codes, scale: epilogue.dropout?.scale ?? 1, into: work.m,
                addingTo: partBias, tiles: tiles, e, scratch: work.scratch)
            } else {
              loops.winogradOutputGradient(
                dy, y: isRectified ? y : nil, into: work.m, addingTo: partBias, tiles: tiles, e,
                scratch: work.scratch)
            }
            if dWeight != nil {
              // Computed again: keeping it from the forward pass would cost more memory than time.
              loops.winogradInput(
                pixels, into: work.v, tiles: tiles.moved(back: before), isCached: front != nil, e,
                scratch: work.scratch)
              products.winogradWeightProducts(
                work.v, work.m, into: partWeight, tiles: tiles.count,
                adding: tiles.rows.lowerBound > range.lowerBound
                  || tiles.columns.lowerBound > 0, e, scratch: work.scratch)
            }
            if let dx, let uTransposed {
              products.winogradProducts(
                work.m, uTransposed.pointer, into: work.v, tiles: tiles.count, terms: e.filters,
                columns: e.channels, e, scratch: work.scratch)
              if tiles.columns.lowerBound == 0 { images.clearGradients(under: tiles.rows) }
              loops.winogradInputGradient(
                work.v, addingTo: dx, tiles: tiles.moved(back: before), e, scratch: work.scratch)
            }
          }
        }
      }
    }
    if let dWeight, groups.isEmpty {
      dWeight.update(repeating: 0, count: e.k * extents.patch)
    } else if let dWeight {
      WinogradWeights.overChannels(e.c, loops) { channels, scratch in
        let taps = Scratch(count: 9 * channels.count * e.filters)
        loops.winogradWeightGradient(
          partWeights.pointer, parts: groups.count, into: dWeight, channels: channels, e,
          taps: taps.pointer, scratch: scratch)
      }
    }
    if let dBias {
      let sums = Scratch(count: e.filters)
      sumParts(partBiases.pointer, parts: groups.count, count: e.filters, into: sums.pointer)
      dBias.update(from: sums.pointer, count: e.k)
    }
    if case .front(let dWeight, let dBias)? = dx {
      frontSums?.write(dWeight: dWeight, dBias: dBias)
    }
  }
}

/// The memory for a thread's transformed tiles.
private struct Workspace {
  private let memory: Scratch
  let v, m, scratch: UnsafeMutablePointer<Float>

  init(_ e: WinogradExtents, _ chunks: Chunks, _ rows: Int, _ loops: any VectorLoops.Type) {
    let tiles = min(rows, chunks.rows) * chunks.columns
    let vCount = tiles * e.tile(channels: e.channels)
    let mCount = tiles * e.tile(channels: e.filters)
    memory = Scratch(count: vCount + mCount + loops.scratchCount)
    v = memory.pointer
    m = v + vCount
    scratch = m + mCount
  }
}

/// Tiles that are transformed and multiplied together: enough for efficient products, few enough for the
/// caches. They are whole rows, or parts of one in wide images.
private struct Chunks {
  /// The most rows and columns of tiles.
  let rows, columns: Int
  /// Whether the numbers depend on which tiles are multiplied together.
  let areFixed: Bool
  private let tilesAcross: Int

  init(_ e: WinogradExtents, _ products: MatrixProducts) {
    let tiles = products.tilesAtOnce(e)
    rows = max(1, tiles / e.tilesAcross)
    let parts = max(1, e.tilesAcross / max(tiles, tiles * 128 / (e.channels + e.filters)))
    columns = (e.tilesAcross + parts - 1) / parts
    areFixed = products.usesLibrary(e)
    tilesAcross = e.tilesAcross
  }

  func of(_ range: Range<Int>) -> [TileRange] {
    let count = (range.count + rows - 1) / rows
    return (0..<count).flatMap { index in
      let part =
        range.lowerBound + range.count * index / count..<range.lowerBound + range.count
        * (index + 1)
        / count
      return stride(from: 0, to: tilesAcross, by: columns).map { first in
        TileRange(rows: part, columns: first..<min(tilesAcross, first + columns))
      }
    }
  }
}

/// Runs `body` on ranges of tile rows that are worth a thread each. Tiles are independent, so the rows may be
/// divided anywhere, unless the chunks are fixed: then `body` gets the rows of one at a time, or of an image
/// for whole images.
private func parallel(
  _ chunks: Chunks, _ e: WinogradExtents, wholeImages: Bool, _ body: (Range<Int>) -> Void
) {
  // 0.2 ms of work are worth waking a thread.
  let grain = max(1, 20_000_000 / (72 * e.channels * e.filters * e.tilesAcross))
  guard chunks.areFixed else {
    return parallel(count: e.tileRows, grain: grain, body)
  }
  let rows = wholeImages ? e.tilesDown : chunks.rows
  parallel(count: (e.tileRows + rows - 1) / rows, grain: max(1, grain / rows)) { range in
    for index in range { body(index * rows..<min(e.tileRows, (index + 1) * rows)) }
  }
}

extension TileRange {
  fileprivate func moved(back: Int) -> TileRange {
    TileRange(rows: rows.lowerBound - back..<rows.upperBound - back, columns: columns)
  }
}
