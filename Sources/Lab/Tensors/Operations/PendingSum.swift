import Kernels

/// The sum of two tensors of one shape, computed when somebody asks for it, so that a rectifier
/// behind it may be computed along with it: `relu(x + F(x))` is one pass over memory.
final class PendingSum: Recipe {
  private let a, b: Tensor
  private let isRectified: Bool

  init(_ a: Tensor, _ b: Tensor, isRectified: Bool = false) {
    (self.a, self.b, self.isRectified) = (a, b, isRectified)
  }

  var inputs: [Storage] { [a.storage, b.storage] }

  /// That of one of the two at least, so that no more than one is converted.
  private var layout: Layout { a.layout == .channelsLast ? a.layout : b.layout }

  /// The tensor of the sum, on the tape of what it is computed from.
  func result() -> Tensor {
    let storage = Storage(shape: a.shape, layout: layout, recipe: self)
    let y = Tensor(shape: a.shape, storage: storage)
    return y.recorded(from: [a, b]) { [self] dy in pullBack(dy, y) }
  }

  func write(to storage: Storage) {
    add(
      a.pointer(layout), b.pointer(layout), activation: isRectified ? .relu : .none, y: storage.pointer(layout),
      count: a.count)
  }

  private func pullBack(_ dy: Tensor, _ y: Tensor) {
    var gradient = dy
    if isRectified {
      gradient = Tensor(uninitialized: y.shape, layout: layout)
      reluGradient(
        dy: dy.pointer(layout), y: y.pointer(layout), dx: gradient.pointer(layout), count: y.count)
    }
    a.receive(gradient)
    b.receive(gradient)
  }
}

extension PendingSum: Rectifiable {
  func rectified() -> Tensor? {
    isRectified ? nil : PendingSum(a, b, isRectified: true).result()
  }
}
