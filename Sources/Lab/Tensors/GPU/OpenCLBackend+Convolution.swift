import Kernels
import OpenCLKernels

// Images and weights have their channels last in memory. Linear layers are convolutions of images of
// one pixel.

/// Where in its window each pooled pixel was; see `finish` in `convolution-parts.cl`.
private final class SavedCodes {
  let buffer: DeviceBuffer
  init(_ buffer: DeviceBuffer) { self.buffer = buffer }
}

/// The gradient of a convolution's result, and what tells that before the epilogue.
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
  ) -> Bool { false }

  package func convolution(
    _ x: ConvolutionOperand, weight: Tensor, bias: Tensor?, _ e: ConvolutionExtents,
    _ epilogue: ConvolutionEpilogue, saves: Bool
  ) -> (y: Tensor, saved: AnyObject?) {
    let (h, w) = epilogue.pool2x2 ? (e.outputH / 2, e.outputW / 2) : (e.outputH, e.outputW)
    let y = uninitializedImages([e.n, e.k, h, w])
    // The optimizer then changes the weight in this order too, and nothing is converted any more.
    weight.gpu.prefer(weight.channelsLast)
    let (images, output) = (pixels(images(x)), pixels(y))
    guard isProduct(e) else {
      queue.run(
        "grouped_forward", in: groupedSource(e), count: y.count, images, pixels(weight),
        bias.map(rows) ?? images, Int32(bias == nil ? 0 : 1), output)
      return (y, nil)
    }
    let codes = epilogue.pool2x2 && saves ? queue.buffer(bytes: y.count) : nil
    forward(
      images, weight: pixels(weight), bias: bias.map(rows), into: output, codes: codes, e, epilogue)
    return (y, codes.map(SavedCodes.init))
  }

  package func convolutionGradients(
    _ x: ConvolutionOperand, weight: Tensor, dy: Tensor, y: Tensor, saved: AnyObject?,
    _ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue, wanted: Set<ConvolutionGradient>
  ) -> [ConvolutionGradient: Tensor] {
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
    if let dx { inputGradient(gradient, weight: pixels(weight), into: pixels(dx), e, epilogue) }
    if dWeight != nil || dBias != nil {
      weightGradient(
        pixels(x), gradient, into: dWeight.map(pixels) ?? scratch(weight.count),
        bias: dBias.map(rows), e, epilogue)
    }
    return gradients
  }

  /// Whether a convolution is computed as a product of tiles, and not by the plain kernels.
  private func isProduct(_ e: ConvolutionExtents) -> Bool {
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
    var macros = macros(e, epilogue)
    macros += ["BIAS=\(bias == nil ? 0 : 1)", "SAVES=\(codes == nil ? 0 : 1)"]
    let quads = (m + 3) / 4 * ((e.k + 3) / 4)
    if e.patch <= 32, e.patch * ((e.k + 3) / 4) * 16 <= 16384 {
      queue.run(
        "forward_small", in: KernelSource(.convolutionParts, .convolutionSmall, macros: macros),
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
    macros += ["FORWARD", "SPLIT=\(parts.count > 1 ? 1 : 0)"]
    let source = productSource(.convolutionForward, tile, macros)
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
          in: productSource(
            .convolutionGradients, tile, macros(e, epilogue) + ["INPUT_GRADIENT", "BIAS=0", "SAVES=0"]),
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
      units: queue.device.computeUnits, least: 8)
    let weights = e.k * e.patch
    let sums = parts.count > 1 ? scratch(parts.count * weights) : dWeight
    let biasSums = bias.map { parts.count > 1 ? scratch(parts.count * e.k) : $0 }
    queue.run(
      "weight_gradient",
      in: productSource(
        .convolutionGradients, tile,
        macros(e, epilogue) + ["WEIGHT_GRADIENT", "BIAS=\(bias == nil ? 0 : 1)", "SAVES=0"]),
      groups: (groups.0, groups.1, parts.count), threads: (tile.threads, 1, 1),
      [x] + gradient.arguments
        + [sums, biasSums ?? sums, Int32(clamping: count), Int32(clamping: parts.steps)])
    if parts.count > 1 {
      addParts(
        sums, into: dWeight, count: weights, biasSums.flatMap { sums in bias.map { (sums, $0, e.k) } },
        parts: parts.count)
    }
  }

  /// Adds up `parts` arrays, and of a second kind as well.
  func addParts(
    _ sums: DeviceBuffer, into y: DeviceBuffer, count: Int,
    _ second: (sums: DeviceBuffer, y: DeviceBuffer, count: Int)? = nil, parts: Int
  ) {
    let groups = (count + 63) / 64 + ((second?.count ?? 0) + 63) / 64
    queue.run(
      "sum_parts", in: KernelSource(.sums), groups: (groups, 1, 1), threads: (256, 1, 1),
      [
        sums, y, Int32(clamping: count), second?.sums ?? sums, second?.y ?? y,
        Int32(clamping: second?.count ?? 0), Int32(clamping: parts),
      ])
  }

  // MARK: Programs

  private var hasTensorCores: Bool { precision != .float32 }

  private func productSource(
    _ file: KernelSource.File, _ tile: ProductTile, _ macros: [String]
  ) -> KernelSource {
    let core =
      switch precision {
      case .float32: 0
      case .tf32: 1
      case .bf16: 2
      }
    // Other devices than NVIDIA's follow the instructions of tensor cores step by step, for tests.
    let emulates = hasTensorCores && (queue.device.computeCapability ?? 0) < 80
    return KernelSource(
      files: [.convolutionParts, .productsCore, file],
      macros: macros + tile.macros + [
        "CORE=\(core)", "EMULATE=\(emulates ? 1 : 0)", "ASYNC=\(hasTensorCores ? 1 : 0)",
      ])
  }

  private func groupedSource(_ e: ConvolutionExtents) -> KernelSource {
    KernelSource(
      .convolutionParts, .groupedConvolution,
      macros: macros(e, ConvolutionEpilogue()) + ["GROUPS=\(e.groups)", "BIAS=0", "SAVES=0"])
  }

  private func macros(_ e: ConvolutionExtents, _ epilogue: ConvolutionEpilogue) -> [String] {
    [
      "CHANNELS=\(e.c)", "HEIGHT=\(e.h)", "WIDTH=\(e.w)", "FILTERS=\(e.k)", "KERNEL_H=\(e.r)",
      "KERNEL_W=\(e.s)", "STRIDE_H=\(e.strideH)", "STRIDE_W=\(e.strideW)",
      "PADDING_H=\(e.paddingH)", "PADDING_W=\(e.paddingW)", "DILATION_H=\(e.dilationH)",
      "DILATION_W=\(e.dilationW)", "RELU=\(epilogue.activation == .relu ? 1 : 0)",
      "POOL=\(epilogue.pool2x2 ? 1 : 0)", "DROPOUT=\(epilogue.dropout == nil ? 0 : 1)",
    ]
  }
}
