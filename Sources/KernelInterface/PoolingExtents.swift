/// The extents of max pooling over windows of `size`×`size` pixels (P planes: images times
/// channels; H×W pixels).
public struct PoolingExtents: Sendable, Equatable {
  public let planes, h, w: Int
  public let size, stride: Int

  public init(planes: Int, h: Int, w: Int, size: Int, stride: Int) {
    (self.planes, self.h, self.w) = (planes, h, w)
    (self.size, self.stride) = (size, stride)
  }

  /// Pixels down and across of the output; windows that stick out are left out.
  public var outputH: Int { (h - size) / stride + 1 }
  public var outputW: Int { (w - size) / stride + 1 }
}
