import Kernels
import OpenCLKernels

// Convolutions of stride 1 from tiles of the image in local memory, alone or with a small convolution
// in front that is computed along with them.

/// A convolution whose result is computed inside the kernels of the one that takes it.
struct Front {
  let x, weight: Tensor
  let bias: Tensor?
  let extents: ConvolutionExtents

  /// The convolution in front; nil for images.
  init?(_ operand: ConvolutionOperand) {
    guard case .convolution(let x, let weight, let bias, _, let extents) = operand else {
      return nil
    }
    (self.x, self.weight, self.bias, self.extents) = (x, weight, bias, extents)
  }

  var macros: [String] {
    [
      "FRONT=1", "FRONT_C=\(extents.c)", "FRONT_R=\(extents.r)", "FRONT_S=\(extents.s)",
      "FRONT_PADDING_H=\(extents.paddingH)", "FRONT_PADDING_W=\(extents.paddingW)", "FRONT_BIAS=1",
      "FRONT_RELU=1",
    ]
  }
}

extension OpenCLBackend {
  // MARK: Which tiles

  private func isUnitary(_ e: ConvolutionExtents) -> Bool {
    isProduct(e) && e.isUniform && e.stride == 1 && e.h * e.w > 1
  }

  private func tile(
    _ kind: TileSourceKey.Kind, _ e: ConvolutionExtents, isPooled: Bool = false,
    _ make: () -> TileSourceKey.Tile?
  ) -> TileSourceKey.Tile {
    tileSources.tile(
      for: TileSources.TileKey(kind: kind, extents: e.withoutImages, isPooled: isPooled)
    ) { make() ?? .none }
  }

  /// The tile of the forward pass; nil if the convolution is not computed by tiles of images.
  func forwardTile(
    _ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue
  ) -> ConvolutionTile? {
    let isPooled = epilogue.pool2x2
    let tile = tile(.forward, e, isPooled: isPooled) {
      guard isUnitary(e) else { return nil }
      return ConvolutionTile.tile(
        from: e.c, to: e.k, height: isPooled ? e.outputH / 2 * 2 : e.outputH,
        width: isPooled ? e.outputW / 2 * 2 : e.outputW, kernel: (e.r, e.s), even: isPooled,
        precision: precision
      ).map(TileSourceKey.Tile.image)
    }
    if case .image(let tile) = tile { return tile }
    return nil
  }

  /// The tile of the input's gradient.
  func gradientTile(_ e: ConvolutionExtents) -> ConvolutionTile? {
    let tile = tile(.inputGradient, e) {
      guard isUnitary(e), e.padding < e.r, e.padding < e.s else { return nil }
      return ConvolutionTile.tile(
        from: e.k, to: e.c, height: e.h, width: e.w, kernel: (e.r, e.s), even: false,
        precision: precision
      ).map(TileSourceKey.Tile.image)
    }
    if case .image(let tile) = tile { return tile }
    return nil
  }

  /// The tile of the weight's gradient.
  func weightTile(_ e: ConvolutionExtents) -> WeightTile? {
    let tile = tile(.weightGradient, e) {
      isUnitary(e) ? WeightTile.tile(e, precision: precision).map(TileSourceKey.Tile.weight) : nil
    }
    if case .weight(let tile) = tile { return tile }
    return nil
  }

  /// The bias of a convolution in front: the kernels expect one, so zeros where there is none.
  private func frontBias(_ front: Front) -> DeviceBuffer {
    if let bias = front.bias { return rows(bias) }
    return front.weight.gpu.derived("no bias", front.weight.shape) {
      let zeros = scratch(front.extents.k)
      fill(zeros, with: 0, count: front.extents.k)
      return zeros
    }
  }

  // MARK: Forward and input gradient

  /// The source of a kernel, which depends on the extents without the number of images.
  func source(
    _ kind: TileSourceKey.Kind, _ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue,
    front: Front? = nil, hasBias: Bool = false, saves: Bool = false, isSplit: Bool = false,
    _ tile: TileSourceKey.Tile
  ) -> KernelSource {
    let key = TileSourceKey(
      kind: kind, extents: e.withoutImages, isActivated: epilogue.activation == .relu,
      isPooled: epilogue.pool2x2, isDropped: epilogue.dropout != nil,
      front: front?.extents.withoutImages, hasBias: hasBias, saves: saves, isSplit: isSplit,
      tile: tile)
    return tileSources.source(for: key) {
      var macros = macros(e, epilogue) + tile.macros + coreMacros
      macros += ["BIAS=\(hasBias ? 1 : 0)", "SAVES=\(saves ? 1 : 0)"]
      if let front { macros += front.macros }
      var files: [KernelSource.File] = [.convolutionParts, .tensorCores, .tileParts]
      switch kind {
      case .forward, .inputGradient:
        macros.append(kind == .forward ? "FORWARD" : "INPUT_GRADIENT")
        if front != nil { files.append(.frontConvolution) }
        files.append(.tileConvolution)
      case .weightGradient:
        macros.append("WEIGHT_GRADIENT")
        files = [.convolutionParts, .tensorCores, .tileWeightGradient]
      case .smallWeightGradient: files = [.convolutionParts, .smallWeightGradient]
      case .smallForward: files = [.convolutionParts, .convolutionSmall]
      case .productForward:
        macros += ["FORWARD", "SPLIT=\(isSplit ? 1 : 0)"]
        files = [.convolutionParts, .tensorCores, .productsCore, .convolutionForward]
      case .productInputGradient, .productWeightGradient:
        macros.append(kind == .productInputGradient ? "INPUT_GRADIENT" : "WEIGHT_GRADIENT")
        files = [.convolutionParts, .tensorCores, .productsCore, .convolutionGradients]
      }
      return KernelSource(files: files, macros: macros)
    }
  }

  /// A weight in the order in which the kernels of tiles read it.
  private func packed(
    _ weight: Tensor, flips: Bool, _ e: ConvolutionExtents, _ tile: ConvolutionTile
  ) -> DeviceBuffer {
    packedWeights.buffer(
      of: weight,
      WeightPacking(
        from: flips ? e.k : e.c, to: flips ? e.c : e.k, taps: e.r * e.s, flips: flips,
        blocks: tile.channelBlocks, chunk: tile.chunk, wordsHoldTwo: precision == .bf16),
      on: self)
  }

  func tileForward(
    _ x: DeviceBuffer, front: Front?, weight: Tensor, bias: DeviceBuffer?, into y: DeviceBuffer,
    codes: DeviceBuffer?, _ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue,
    _ tile: ConvolutionTile
  ) {
    let packed = packed(weight, flips: false, e, tile)
    let isPooled = epilogue.pool2x2
    let groups = tile.groups(
      images: e.n, height: isPooled ? e.outputH / 2 * 2 : e.outputH,
      width: isPooled ? e.outputW / 2 * 2 : e.outputW, channels: e.k)
    let rule = epilogue.dropout
    var arguments: [any KernelArgument] = [
      x, packed, bias ?? x, y, codes ?? y, rule?.threshold ?? 0, rule?.low ?? 0, rule?.high ?? 0,
      rule?.scale ?? 1,
    ]
    if let front { arguments += [pixels(front.weight), frontBias(front)] }
    queue.run(
      "tile_forward",
      in: source(
        .forward, e, epilogue, front: front, hasBias: bias != nil, saves: codes != nil,
        .image(tile)),
      groups: (groups.0, groups.1, 1), threads: (tile.threads, 1, 1), arguments)
  }

  func tileInputGradient(
    _ gradient: ResultGradient, weight: Tensor, into dx: DeviceBuffer, _ e: ConvolutionExtents,
    _ epilogue: ConvolutionEpilogue, _ tile: ConvolutionTile
  ) {
    let packed = packed(weight, flips: true, e, tile)
    let groups = tile.groups(images: e.n, height: e.h, width: e.w, channels: e.c)
    queue.run(
      "tile_input_gradient",
      in: source(
        .inputGradient, e, epilogue, .image(tile)),
      groups: (groups.0, groups.1, 1), threads: (tile.threads, 1, 1),
      gradient.arguments + [packed, dx])
  }

  /// The gradients by the weight and the bias of the convolution in front.
  func tileFrontGradient(
    _ gradient: ResultGradient, weight: Tensor, front: Front, into dWeight: DeviceBuffer,
    bias dBias: DeviceBuffer, _ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue,
    _ tile: ConvolutionTile
  ) {
    let packed = packed(weight, flips: true, e, tile)
    let groups = tile.groups(images: e.n, height: e.h, width: e.w, channels: e.c)
    let weights = e.c * front.extents.patch
    let (sums, biasSums) = (scratch(groups.0 * weights), scratch(groups.0 * e.c))
    queue.run(
      "tile_input_gradient",
      in: source(
        .inputGradient, e, epilogue, front: front, .image(tile)),
      groups: (groups.0, groups.1, 1), threads: (tile.threads, 1, 1),
      gradient.arguments + [
        packed, pixels(front.x), pixels(front.weight), frontBias(front), sums, biasSums,
      ])
    addManyParts(
      sums, into: dWeight, count: weights, (biasSums, dBias, e.c), images: e.n,
      tiles: groups.0 / max(1, e.n))
  }

  /// Adds up parts, one for each tile of each image: if there are many, first those of all images.
  private func addManyParts(
    _ sums: DeviceBuffer, into y: DeviceBuffer, count: Int,
    _ second: (sums: DeviceBuffer, y: DeviceBuffer, count: Int), images: Int, tiles: Int
  ) {
    guard images * tiles > 1024, images > 1, tiles > 1 else {
      addParts(sums, into: y, count: count, second, parts: images * tiles)
      return
    }
    let (ofTiles, secondOfTiles) = (scratch(tiles * count), scratch(tiles * second.count))
    addParts(
      sums, into: ofTiles, count: tiles * count,
      (second.sums, secondOfTiles, tiles * second.count), parts: images)
    addParts(
      ofTiles, into: y, count: count, (secondOfTiles, second.y, second.count), parts: tiles)
  }

  // MARK: Weight gradient

  func tileWeightGradient(
    _ x: DeviceBuffer, front: Front?, _ gradient: ResultGradient, into dWeight: DeviceBuffer,
    bias: DeviceBuffer?, _ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue,
    _ tile: WeightTile
  ) {
    let tiles =
      e.n * ((e.outputH + tile.height - 1) / tile.height)
      * ((e.outputW + tile.width - 1) / tile.width)
    let groups = (
      (e.r + tile.kernelRows - 1) / tile.kernelRows * (e.c / tile.channels), e.k / tile.filters
    )
    let each = tilesEach(tiles, groups: groups.0 * groups.1)
    let parts = (tiles + each - 1) / max(1, each)
    addingParts(parts, into: dWeight, count: e.k * e.patch, bias: bias, filters: e.k) {
      sums, biasSums in
      queue.run(
        "tile_weight_gradient",
        in: source(
          .weightGradient, e, epilogue, front: front, hasBias: bias != nil, .weight(tile)),
        groups: (groups.0, groups.1, parts), threads: (tile.threads, 1, 1),
        [x] + gradient.arguments + [
          front.map { pixels($0.weight) } ?? x, front.map(frontBias) ?? x, sums, biasSums,
          Int32(clamping: tiles), Int32(clamping: each),
        ])
    }
  }

  /// The gradients of a first convolution, of few inputs.
  func smallWeightGradient(
    _ x: DeviceBuffer, _ gradient: ResultGradient, into dWeight: DeviceBuffer, bias: DeviceBuffer?,
    _ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue
  ) {
    let (height, width) = (4, min(64, (e.outputW + 1) / 2 * 2))
    let tiles = e.n * ((e.outputH + height - 1) / height) * ((e.outputW + width - 1) / width)
    let elements = (e.patch + (bias == nil ? 0 : 1) + 15) / 16
    let each = tilesEach(tiles, groups: elements)
    let parts = (tiles + each - 1) / max(1, each)
    addingParts(parts, into: dWeight, count: e.k * e.patch, bias: bias, filters: e.k) {
      sums, biasSums in
      queue.run(
        "small_weight_gradient",
        in: source(
          .smallWeightGradient, e, epilogue, hasBias: bias != nil,
          .pixels(height: height, width: width)),
        groups: (parts, elements, 1), threads: (256, 1, 1),
        [x] + gradient.arguments + [
          sums, biasSums, Int32(clamping: tiles), Int32(clamping: each),
        ])
    }
  }

  /// The tiles of a group, so that there are two groups for each compute unit.
  private func tilesEach(_ tiles: Int, groups: Int) -> Int {
    let wanted = max(1, 2 * queue.device.computeUnits / max(1, groups))
    return max(1, (tiles + wanted - 1) / wanted)
  }

  /// Runs a kernel that writes parts of a gradient, and adds them up.
  private func addingParts(
    _ parts: Int, into dWeight: DeviceBuffer, count: Int, bias: DeviceBuffer?, filters: Int,
    _ compute: (_ sums: DeviceBuffer, _ biasSums: DeviceBuffer) -> Void
  ) {
    guard parts != 1 else { return compute(dWeight, bias ?? dWeight) }
    let sums = scratch(parts * count)
    let biasSums = bias.map { _ in scratch(parts * filters) }
    compute(sums, biasSums ?? sums)
    addParts(
      sums, into: dWeight, count: count,
      biasSums.flatMap { sums in bias.map { (sums, $0, filters) } }, parts: parts)
  }
}
