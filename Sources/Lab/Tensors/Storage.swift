import Kernels

/// The order of a tensor's elements in memory.
package enum Layout {
  /// The last dimension changes fastest; images lie as N, C, H, W.
  case rowMajor
  /// Images lie as N, H, W, C: all channels of a pixel side by side, as convolutions want them.
  case channelsLast
}

/// The elements of a tensor, in the layout that they were written in, and in the other one as soon
/// as somebody has asked for it.
///
/// Only operations and optimizers write, and only before anybody else reads; that is what makes it
/// safe to send between threads.
package final class Storage: @unchecked Sendable {
  package let count: Int
  /// The layout that the elements are written in.
  package let layout: Layout
  /// Images, channels, and pixels of an image; of a tensor without images 1, 1 and all elements.
  private let images: (n: Int, c: Int, pixels: Int)
  private var rowMajor: Buffer?
  private var channelsLast: Buffer?
  /// How the elements will be computed once somebody asks for them.
  package private(set) var recipe: (any Recipe)?
  /// Something made from the elements, for an operation that will want it again; forgotten when
  /// they change.
  package var derived: AnyObject?
  private var readers: [WeakReader] = []

  private struct WeakReader {
    weak var storage: Storage?
  }

  /// - Parameters:
  ///   - shape: The extents of the tensor that is written.
  ///   - layout: The layout that it is written in; only images can have their channels last.
  ///   - recipe: Writes the elements when they are asked for; without one they are undefined until
  ///     written.
  package init(shape: [Int], layout: Layout = .rowMajor, recipe: (any Recipe)? = nil) {
    count = shape.reduce(1, *)
    images =
      shape.count == 4 ? (shape[0], shape[1], shape[2] * shape[3]) : (1, 1, max(1, count))
    // With one channel, or one pixel, both layouts are the same.
    self.layout = images.c == 1 || images.pixels == 1 ? .rowMajor : layout
    self.recipe = recipe
    for storage in recipe?.inputs ?? [] { storage.addReader(self) }
  }

  /// The elements in a layout.
  package func pointer(_ wanted: Layout) -> UnsafeMutablePointer<Float> {
    if let recipe {
      // Taken away first: computing asks for this very pointer.
      self.recipe = nil
      recipe.write(to: self)
    }
    switch images.c == 1 || images.pixels == 1 ? layout : wanted {
    case .rowMajor:
      if let rowMajor { return rowMajor.pointer }
      let buffer = Buffer(count: count)
      if let channelsLast {
        channelsFirst(
          channelsLast.pointer, into: buffer.pointer, n: images.n, c: images.c,
          pixels: images.pixels)
      }
      rowMajor = buffer
      return buffer.pointer
    case .channelsLast:
      if let channelsLast { return channelsLast.pointer }
      let buffer = Buffer(count: count)
      if let rowMajor {
        Kernels.channelsLast(
          rowMajor.pointer, into: buffer.pointer, n: images.n, c: images.c, pixels: images.pixels)
      }
      channelsLast = buffer
      return buffer.pointer
    }
  }

  /// To be called before elements that others may have read are changed in place: computes what
  /// still waits to be computed from them, and forgets the other layout.
  package func willChange() {
    for reader in readers { _ = reader.storage?.pointer(.rowMajor) }
    readers = []
    derived = nil
    if layout == .rowMajor { channelsLast = nil } else { rowMajor = nil }
  }

  /// The same memory, row-major, for a tensor of another shape.
  package func view(shape: [Int]) -> Storage {
    let view = Storage(shape: shape)
    _ = pointer(.rowMajor)
    view.rowMajor = rowMajor
    return view
  }

  private func addReader(_ storage: Storage) {
    readers.removeAll { $0.storage == nil }
    readers.append(WeakReader(storage: storage))
  }
}

/// A computation that waits until somebody asks for its result, so that an operation that follows
/// may be computed along with it.
package protocol Recipe: AnyObject {
  /// What the result is computed from.
  var inputs: [Storage] { get }
  /// Writes the result's elements.
  func write(to storage: Storage)
}
