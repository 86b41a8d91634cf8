// Pointers: inner loops of `Kernels`, built once for each set of vector instructions.

/// The transforms of Winograd's F(4×4, 3×3) along one dimension, for a vector of channels at once.
///
/// Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016, section
/// 4; the matrices B, G and A are those of its points 0, ±1, ±2 and infinity.

typealias Four = (Vector, Vector, Vector, Vector)
typealias Six = (Vector, Vector, Vector, Vector, Vector, Vector)

extension Vector {
  /// The vector plus `factor v`.
  @inline(__always)
  func plus(_ factor: Float, _ v: Vector) -> Vector {
    v.times(Vector(repeating: factor), plus: self)
  }
}

/// Bᵀ d: a tile of the input.
@inline(__always)
func transformInput(_ d: Six) -> Six {
  let (p, q) = (d.4.plus(-4, d.2), d.3.plus(-4, d.1))
  let (r, s) = (d.4 - d.2, d.3 - d.1)
  return (
    d.4.plus(4, d.0).plus(-5, d.2), p + q, p - q, r.plus(2, s), r.plus(-2, s),
    d.5.plus(4, d.1).plus(-5, d.3)
  )
}

/// B t: the adjoint, from the gradient of a transformed tile to that of the tile.
@inline(__always)
func transformInputGradient(_ t: Six) -> Six {
  let (u, v, w, z) = (t.1 + t.2, t.1 - t.2, t.3 + t.4, t.3 - t.4)
  let sum = t.0 + u + w
  return (
    4 * t.0, (-2 * z).plus(4, t.5 - v), (-w).plus(-5, t.0).plus(-4, u),
    v.plus(2, z).plus(-5, t.5), sum, t.5
  )
}

/// Aᵀ m: a tile of the output.
@inline(__always)
func transformOutput(_ m: Six) -> Four {
  let (u, v, w, z) = (m.1 + m.2, m.1 - m.2, m.3 + m.4, m.3 - m.4)
  return (m.0 + u + w, v.plus(2, z), u.plus(4, w), (v + m.5).plus(8, z))
}

/// A y: the adjoint, from the gradient of a tile of the output to that of the transformed one.
@inline(__always)
func transformOutputGradient(_ y: Four) -> Six {
  let (e, o) = (y.0 + y.2, y.1 + y.3)
  let (f, h) = (y.0.plus(4, y.2), y.1.plus(4, y.3))
  return (y.0, e + o, e - o, f.plus(2, h), f.plus(-2, h), y.3)
}

/// G g: the weights.
@inline(__always)
func transformWeight(_ g: (Vector, Vector, Vector)) -> Six {
  let even = g.0 + g.2
  let (a, b) = (g.2 * (1 / 6) + g.0 * (1 / 24), g.1 * (1 / 12))
  return (
    g.0 * 0.25, (even + g.1) * (-1 / 6), (even - g.1) * (-1 / 6), a + b, a - b, g.2
  )
}

/// Gᵀ t: the adjoint, from the gradient of the transformed weights to that of the weights.
@inline(__always)
func transformWeightGradient(_ t: Six) -> (Vector, Vector, Vector) {
  let (u, v, w, z) = (t.1 + t.2, t.1 - t.2, t.3 + t.4, t.3 - t.4)
  return (
    t.0 * 0.25 + w * (1 / 24) - u * (1 / 6), z * (1 / 12) - v * (1 / 6), t.5 + (w - u) * (1 / 6)
  )
}

/// Six vectors that lie `stride` floats apart.
@inline(__always)
func loadSix(_ p: UnsafePointer<Float>, _ stride: Int) -> Six {
  (
    Vector(at: p), Vector(at: p + stride), Vector(at: p + 2 * stride), Vector(at: p + 3 * stride),
    Vector(at: p + 4 * stride), Vector(at: p + 5 * stride)
  )
}

@inline(__always)
func storeSix(_ v: Six, _ p: UnsafeMutablePointer<Float>, _ stride: Int) {
  v.0.store(at: p)
  v.1.store(at: p + stride)
  v.2.store(at: p + 2 * stride)
  v.3.store(at: p + 3 * stride)
  v.4.store(at: p + 4 * stride)
  v.5.store(at: p + 5 * stride)
}

@inline(__always)
func loadFour(_ p: UnsafePointer<Float>, _ stride: Int) -> Four {
  (
    Vector(at: p), Vector(at: p + stride), Vector(at: p + 2 * stride), Vector(at: p + 3 * stride)
  )
}

@inline(__always)
func storeFour(_ v: Four, _ p: UnsafeMutablePointer<Float>, _ stride: Int) {
  v.0.store(at: p)
  v.1.store(at: p + stride)
  v.2.store(at: p + 2 * stride)
  v.3.store(at: p + 3 * stride)
}
