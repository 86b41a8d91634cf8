import KernelInterface

/// The input of a convolution: images in memory, or the result of another convolution (the one in
/// front), which is computed image by image and never stored as a whole.
///
/// The convolution in front has few channels, as at the beginning of a network. Computing it again for
/// the gradients costs less than writing and reading its result. The numbers are the same either way,
/// bit for bit if the kernels' own matrix products compute them.
public enum ConvolutionInput {
  /// N×H×W×C
  case images(UnsafePointer<Float>)
  /// The input, weight, bias, activation and extents of the convolution in front.
  case front(
    x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    activation: Activation, ConvolutionExtents)

  /// The convolution in front.
  var front: DirectImages? {
    guard case .front(let x, let weight, let bias, let activation, let e) = self else { return nil }
    return DirectImages(x: x, weight: weight, bias: bias, activation: activation, e)
  }
}

/// The memory for the gradient of a ``ConvolutionInput`` of the same case.
public enum ConvolutionInputGradient {
  /// N×H×W×C
  case images(UnsafeMutablePointer<Float>)
  /// The gradients of the weight and the bias of the convolution in front; nil to skip one.
  case front(dWeight: UnsafeMutablePointer<Float>?, dBias: UnsafeMutablePointer<Float>?)
}

/// The images of a ``ConvolutionInput`` that one thread works on, and their gradients.
struct InputImages {
  private let e: WinogradExtents
  private let front: DirectImages?
  private let frontSums: DirectGradientSums?
  private let x: UnsafePointer<Float>?
  private let dx: UnsafeMutablePointer<Float>?
  /// The current image and its gradient, if there is a convolution in front.
  private let image, gradient, masked: Scratch?

  init(
    _ input: ConvolutionInput, front: DirectImages?, gradient dx: ConvolutionInputGradient? = nil,
    sums frontSums: DirectGradientSums? = nil, _ e: WinogradExtents
  ) {
    (self.e, self.front, self.frontSums) = (e, front, frontSums)
    if case .images(let pointer) = input { x = pointer } else { x = nil }
    if case .images(let pointer)? = dx { self.dx = pointer } else { self.dx = nil }
    let pixels = e.h * e.w
    image = front.map { _ in Scratch(count: pixels * e.c) }
    gradient = frontSums.map { _ in Scratch(count: pixels * e.c) }
    masked = frontSums.flatMap {
      $0.filters == e.c ? nil : Scratch(count: pixels * $0.filters)
    }
  }

  /// Ranges of tile rows to work on in turn: one for each image if there is a convolution in front.
  func parts(of rows: Range<Int>) -> [Range<Int>] {
    guard front != nil else { return [rows] }
    // Without images there is nothing to compute the convolution in front of.
    guard !rows.isEmpty else { return [] }
    return (rows.lowerBound / e.tilesDown...(rows.upperBound - 1) / e.tilesDown).map {
      rows.clamped(to: $0 * e.tilesDown..<($0 + 1) * e.tilesDown)
    }
  }

  /// Sets the gradients of the images that begin in some tile rows to 0, right before others are added,
  /// so that they are still in the caches.
  func clearGradients(under rows: Range<Int>) {
    guard let dx else { return }
    let size = e.h * e.w * e.c
    let first = (rows.lowerBound + e.tilesDown - 1) / e.tilesDown
    let past = (rows.upperBound + e.tilesDown - 1) / e.tilesDown
    (dx + first * size).update(repeating: 0, count: (past - first) * size)
  }

  /// Calls `body` with the pixels under a part's tiles, the memory to add their gradients to (nil to
  /// skip them), and the number of tile rows of the batch before these images.
  func withPixels(
    of part: Range<Int>, group: Int = 0, scratch: UnsafeMutablePointer<Float>,
    _ body: (
      _ pixels: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>?, _ before: Int
    ) -> Void
  ) {
    let first = part.lowerBound / e.tilesDown
    let size = e.h * e.w * e.c
    guard let front, let image else {
      if let x { body(x, dx, 0) }
      return
    }
    let before = first * e.tilesDown
    let rows =
      (4 * (part.lowerBound - before) - e.padding..<4 * (part.upperBound - before) + 2
      - e.padding).clamped(to: 0..<e.h)
    front.write(
      rows, ofImage: first, into: image.pointer + rows.lowerBound * e.w * e.c, scratch: scratch)
    gradient?.pointer.update(repeating: 0, count: size)
    body(image.pointer, gradient?.pointer, before)
    if let frontSums, let gradient {
      frontSums.add(
        dy: gradient.pointer, y: front.activation == .relu ? image.pointer : nil, ofImage: first,
        group: group,
        masked: masked?.pointer ?? gradient.pointer)
    }
  }
}
