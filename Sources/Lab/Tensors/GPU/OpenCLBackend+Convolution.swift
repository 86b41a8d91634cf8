import Kernels
import OpenCLKernels

// Images and weights have their channels last in memory. Linear layers are convolutions of images of
// one pixel.

/// Where in its window each pooled pixel was; see `finish` in `convolution-parts.cl`.
final class SavedCodes {
  let buffer: DeviceBuffer
  init(_ buffer: DeviceBuffer) { self.buffer = buffer }
}

/// The gradient of a convolution's result, and what the gradient before the epilogue is computed from.
struct ResultGradient {
  let dy: DeviceBuffer
  /// The result, for ReLU without pooling.
  var y: DeviceBuffer?
  /// The codes, for pooling.
  var codes: DeviceBuffer?
  var scale: Float = 1

  var arguments: [any KernelArgument] { [dy, y ?? dy, codes ?? dy, scale] }
}

extension OpenCLBackend {
  // MARK: Convolution

  package func canFuse(
    _ epilogue: ConvolutionEpilogue, after convolution: ConvolutionExtents
  ) -> Bool {
    guard isProduct(convolution) else { return epilogue == ConvolutionEpilogue() }
    return epilogue.pool2x2 || epilogue.dropout == nil
  }

  package func canFuse(
    _ front: ConvolutionExtents, _ epilogue: ConvolutionEpilogue,
    inFrontOf convolution: ConvolutionExtents
  ) -> Bool {
    guard precision != .float32, front.isUniform, front.stride == 1, front.patch < 32,
      epilogue == ConvolutionEpilogue(activation: .relu), 2...3 ~= front.r, 2...3 ~= front.s
    else { return false }
    let plain = ConvolutionEpilogue()
    return forwardTile(convolution, plain) != nil && gradientTile(convolution) != nil
      && weightTile(convolution) != nil
  }

  package func convolution(
    _ x: ConvolutionOperand, weight: Tensor, bias: Tensor?, _ e: ConvolutionExtents,
    _ epilogue: ConvolutionEpilogue, saves: Bool
  ) -> (y: Tensor, saved: AnyObject?) {
    let (h, w) = epilogue.pool2x2 ? (e.outputH / 2, e.outputW / 2) : (e.outputH, e.outputW)
    let y = uninitializedImages([e.n, e.k, h, w])
    // The optimizer then changes the weight in this order too, and nothing is converted any more.
    weight.gpu.prefer(weight.channelsLast)
    if isProduct(e), let tile = forwardTile(e, epilogue), let front = Front(x) {
      let codes = epilogue.pool2x2 && saves ? queue.buffer(bytes: y.count) : nil
      tileForward(
        pixels(front.x), front: front, weight: weight, bias: bias.map(rows), into: pixels(y),
        codes: codes, e, epilogue, tile)
      return (y, codes.map(SavedCodes.init))
    }
    let (images, output) = (pixels(images(x)), pixels(y))
    guard isProduct(e) else {
      queue.run(
        "grouped_forward", in: groupedSource(e), count: y.count, images, pixels(weight),
        bias.map(rows) ?? images, Int32(bias == nil ? 0 : 1), output)
      return (y, nil)
    }
    let codes = epilogue.pool2x2 && saves ? queue.buffer(bytes: y.count) : nil
    if let tile = forwardTile(e, epilogue) {
      tileForward(
        images, front: nil, weight: weight, bias: bias.map(rows), into: output, codes: codes, e,
        epilogue, tile)
      return (y, codes.map(SavedCodes.init))
    }
    forward(
      images, weight: pixels(weight), bias: bias.map(rows), into: output, codes: codes, e, epilogue)
    return (y, codes.map(SavedCodes.init))
  }

  package func convolutionGradients(
    _ x: ConvolutionOperand, weight: Tensor, dy: Tensor, y: Tensor, saved: AnyObject?,
    _ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue, wanted: Set<ConvolutionGradient>
  ) -> [ConvolutionGradient: Tensor] {
    if isProduct(e), let front = Front(x), let tile = gradientTile(e),
      let weightTile = weightTile(e)
    {
      return frontGradients(
        front, weight: weight, dy: dy, y: y, saved: saved, e, epilogue, tile, weightTile,
        wanted: wanted)
    }
    var gradients: [ConvolutionGradient: Tensor] = [:]
    let x = images(x)
    let dx = wanted.contains(.input) ? uninitializedImages(x.shape) : nil
    let dWeight = wanted.contains(.weight) ? uninitializedImages(weight.shape) : nil
    let dBias = wanted.contains(.bias) ? uninitialized([e.k]) : nil
    gradients[.input] = dx
    gradients[.weight] = dWeight
    gradients[.bias] = dBias
    let dy = pixels(dy)
    guard isProduct(e) else {
      let source = groupedSource(e)
      if let dx {
        queue.run(
          "grouped_input_gradient", in: source, count: dx.count, dy, pixels(weight), pixels(dx))
      }
      if let dWeight {
        queue.run(
          "grouped_weight_gradient", in: source, count: dWeight.count, pixels(x), dy,
          pixels(dWeight), Int32(clamping: e.n))
      }
      if let dBias {
        sumRows(dy, rows: e.n * e.outputPixels, columns: e.k, into: rows(dBias))
      }
      return gradients
    }
    let gradient = ResultGradient(
      dy: dy, y: epilogue.activation == .relu && !epilogue.pool2x2 ? pixels(y) : nil,
      codes: (saved as? SavedCodes)?.buffer, scale: epilogue.dropout?.scale ?? 1)
    if let dx {
      if let tile = gradientTile(e) {
        tileInputGradient(gradient, weight: weight, into: pixels(dx), e, epilogue, tile)
      } else {
        inputGradient(gradient, weight: pixels(weight), into: pixels(dx), e, epilogue)
      }
    }
    if dWeight != nil || dBias != nil {
      let (target, bias) = (dWeight.map(pixels) ?? scratch(weight.count), dBias.map(rows))
      if let tile = weightTile(e) {
        tileWeightGradient(
          pixels(x), front: nil, gradient, into: target, bias: bias, e, epilogue, tile)
      } else if e.patch <= 32, e.k % 4 == 0, e.k <= 1024 {
        smallWeightGradient(pixels(x), gradient, into: target, bias: bias, e, epilogue)
      } else {
        weightGradient(pixels(x), gradient, into: target, bias: bias, e, epilogue)
      }
    }
    return gradients
  }

  /// The gradients of a convolution and of the one in front of it.
  private func frontGradients(
    _ front: Front, weight: Tensor, dy: Tensor, y: Tensor, saved: AnyObject?,
    _ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue, _ tile: ConvolutionTile,
    _ weightTile: WeightTile, wanted: Set<ConvolutionGradient>
  ) -> [ConvolutionGradient: Tensor] {
    var gradients: [ConvolutionGradient: Tensor] = [:]
    let gradient = ResultGradient(
      dy: pixels(dy), y: epilogue.activation == .relu && !epilogue.pool2x2 ? pixels(y) : nil,
      codes: (saved as? SavedCodes)?.buffer, scale: epilogue.dropout?.scale ?? 1)
    if !wanted.isDisjoint(with: [.frontWeight, .frontBias]) {
      let dWeight = uninitializedImages(front.weight.shape)
      let dBias = uninitialized([e.c])
      tileFrontGradient(
        gradient, weight: weight, front: front, into: pixels(dWeight), bias: rows(dBias), e,
        epilogue, tile)
      if wanted.contains(.frontWeight) { gradients[.frontWeight] = dWeight }
      if wanted.contains(.frontBias) { gradients[.frontBias] = dBias }
    }
    if !wanted.isDisjoint(with: [.weight, .bias]) {
      let dWeight = uninitializedImages(weight.shape)
      let dBias = wanted.contains(.bias) ? uninitialized([e.k]) : nil
      tileWeightGradient(
        pixels(front.x), front: front, gradient, into: pixels(dWeight), bias: dBias.map(rows), e,
        epilogue, weightTile)
      if wanted.contains(.weight) { gradients[.weight] = dWeight }
      if let dBias { gradients[.bias] = dBias }
    }
    return gradients
  }

  /// Whether a convolution is computed as a product of tiles, and not by the plain kernels.
  func isProduct(_ e: ConvolutionExtents) -> Bool {
    e.groups == 1 && max(e.h, e.w, e.outputH, e.outputW) < 16384
  }

  private func images(_ x: ConvolutionOperand) -> Tensor {
    switch x {
    case .images(let x): x
    case .convolution(let x, let weight, let bias, let epilogue, let extents):
      convolution(.images(x), weight: weight, bias: bias, extents, epilogue, saves: false).y
    }
  }

  // MARK: Products of tiles

  /// `y = epilogue(x ∗ weight + bias)`.
  func forward(
    _ x: DeviceBuffer, weight: DeviceBuffer, bias: DeviceBuffer?, into y: DeviceBuffer,
    codes: DeviceBuffer?, _ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue
  ) {
    let windows = epilogue.pool2x2 ? (e.outputH / 2) * (e.outputW / 2) * 4 : e.outputPixels
    let m = e.n * windows
    let rule = epilogue.dropout
    let ending: [any KernelArgument] = [
      rule?.threshold ?? 0, rule?.low ?? 0, rule?.high ?? 0, rule?.scale ?? 1,
    ]
    let quads = (m + 3) / 4 * ((e.k + 3) / 4)
    if e.patch <= 32, e.patch * ((e.k + 3) / 4) * 16 <= 16384 {
      queue.run(
        "forward_small",
        in: source(
          .smallForward, e, epilogue, hasBias: bias != nil, saves: codes != nil, .none),
        groups: ((quads + 127) / 128, 1, 1), threads: (128, 1, 1),
        [x, weight, bias ?? x, y, codes ?? y, Int32(clamping: m)] + ending)
      return
    }
    let tile = ProductTile.tile(
      rows: m, columns: e.k, units: queue.device.computeUnits, hasTensorCores: hasTensorCores)
    let steps =
      e.c % 4 == 0
      ? (e.c + tile.depth - 1) / tile.depth * e.r * e.s : (e.patch + tile.depth - 1) / tile.depth
    let groups = tile.groups(rows: m, columns: e.k)
    let parts = ProductTile.parts(
      steps: steps, groups: groups.0 * groups.1, units: queue.device.computeUnits, least: 4)
    let source = source(
      .productForward, e, epilogue, hasBias: bias != nil, saves: codes != nil,
      isSplit: parts.count > 1, .product(tile))
    let sums = parts.count > 1 ? scratch(parts.count * m * e.k) : y
    queue.run(
      "forward", in: source, groups: (groups.0, groups.1, parts.count),
      threads: (tile.threads, 1, 1),
      [x, weight, bias ?? x, sums, codes ?? y, Int32(clamping: m), Int32(clamping: parts.steps)]
        + ending)
    if parts.count > 1 {
      queue.run(
        "forward_sums", in: source, groups: ((quads + 15) / 16, 1, 1), threads: (256, 1, 1),
        [sums, bias ?? x, y, codes ?? y, Int32(clamping: m), Int32(clamping: parts.count)] + ending)
    }
  }

  /// The gradient by x.
  func inputGradient(
    _ gradient: ResultGradient, weight: DeviceBuffer, into dx: DeviceBuffer,
    _ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue
  ) {
    for restH in 0..<e.strideH {
      for restW in 0..<e.strideW {
        let vertical = GradientAxis(
          rest: restH, extent: e.h, stride: e.strideH, padding: e.paddingH, dilation: e.dilationH,
          kernel: e.r)
        let horizontal = GradientAxis(
          rest: restW, extent: e.w, stride: e.strideW, padding: e.paddingW, dilation: e.dilationW,
          kernel: e.s)
        let m = e.n * vertical.count * horizontal.count
        let tile = ProductTile.tile(
          rows: m, columns: e.c, units: queue.device.computeUnits, hasTensorCores: hasTensorCores)
        let groups = tile.groups(rows: m, columns: e.c)
        queue.run(
          "input_gradient",
          in: source(.productInputGradient, e, epilogue, .product(tile)),
          groups: (groups.0, groups.1, 1), threads: (tile.threads, 1, 1),
          gradient.arguments + [weight, dx, Int32(clamping: e.n)] + vertical.arguments
            + horizontal.arguments)
      }
    }
  }

  /// The gradients by the weight and, if it is given, by the bias.
  func weightGradient(
    _ x: DeviceBuffer, _ gradient: ResultGradient, into dWeight: DeviceBuffer, bias: DeviceBuffer?,
    _ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue
  ) {
    let tile = ProductTile.weightTile(
      patch: e.patch, filters: e.k, hasTensorCores: hasTensorCores)
    let count = e.n * e.outputPixels
    let groups = tile.groups(rows: e.patch, columns: e.k)
    let parts = ProductTile.parts(
      steps: (count + tile.depth - 1) / tile.depth, groups: groups.0 * groups.1,
      warps: tile.threads / 32, units: queue.device.computeUnits, least: 8)
    let weights = e.k * e.patch
    let sums = parts.count > 1 ? scratch(parts.count * weights) : dWeight
    let biasSums = bias.map { parts.count > 1 ? scratch(parts.count * e.k) : $0 }
    queue.run(
      "weight_gradient",
      in: source(
        .productWeightGradient, e, epilogue, hasBias: bias != nil, .product(tile)),
      groups: (groups.0, groups.1, parts.count), threads: (tile.threads, 1, 1),
      [x] + gradient.arguments
        + [sums, biasSums ?? sums, Int32(clamping: count), Int32(clamping: parts.steps)])
    if parts.count > 1 {
      addParts(
        sums, into: dWeight, count: weights,
        biasSums.flatMap { sums in bias.map { (sums, $0, e.k) } },
        parts: parts.count)
    }
  }

  /// Adds up `parts` arrays, and of a second kind as well.
  func addParts(
    _ sums: DeviceBuffer, into y: DeviceBuffer, count: Int,
    _ second: (sums: DeviceBuffer, y: DeviceBuffer, count: Int)? = nil, parts: Int
  ) {
    queue.addLater(PartSum(sums, into: y, elements: count, count: parts))
    if let second {
      queue.addLater(PartSum(second.sums, into: second.y, elements: second.count, count: parts))
    }
  }

  // MARK: Programs

  private var hasTensorCores: Bool { precision != .float32 }

  /// The macros that say how products are computed.
  var coreMacros: [String] {
    let core =
      switch precision {
      case .float32: 0
      case .tf32: 1
      case .bf16: 2
      }
    // Other devices than NVIDIA's follow the instructions of tensor cores step by step, for tests.
    let emulates = hasTensorCores && (queue.device.computeCapability ?? 0) < 80
    return ["CORE=\(core)", "EMULATE=\(emulates ? 1 : 0)", "ASYNC=\(hasTensorCores ? 1 : 0)"]
  }

  private func groupedSource(_ e: ConvolutionExtents) -> KernelSource {
    KernelSource(
      .convolutionParts, .groupedConvolution,
      macros: macros(e, ConvolutionEpilogue()) + ["GROUPS=\(e.groups)", "BIAS=0", "SAVES=0"])
  }

  func macros(_ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue) -> [String] {
    [
      "CHANNELS=\(e.c)", "HEIGHT=\(e.h)", "WIDTH=\(e.w)", "FILTERS=\(e.k)", "KERNEL_H=\(e.r)",
      "KERNEL_W=\(e.s)", "STRIDE_H=\(e.strideH)", "STRIDE_W=\(e.strideW)",
      "PADDING_H=\(e.paddingH)", "PADDING_W=\(e.paddingW)", "DILATION_H=\(e.dilationH)",
      "DILATION_W=\(e.dilationW)", "RELU=\(epilogue.activation == .relu ? 1 : 0)",
      "POOL=\(epilogue.pool2x2 ? 1 : 0)", "DROPOUT=\(epilogue.dropout == nil ? 0 : 1)",
    ]
  }
}
