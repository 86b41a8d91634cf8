/// Convolution as a matrix product: the patches under the kernel become the columns of a matrix
/// ("im2col"), one image at a time.

/// `y = x ∗ weight + bias` on all threads; the arguments of ``convolutionReference``.
public func convolution(
  x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
  y: UnsafeMutablePointer<Float>, _ e: ConvolutionExtents
) {
  parallel(count: imageGroups(e.n)) { group in
    let patches = Scratch(count: e.patch * e.outputPixels)
    for n in images(of: group, e.n) {
      let target = y + n * e.output
      gatherPatches(of: x + n * e.image, into: patches.pointer, e)
      if let bias {
        for k in 0..<e.k {
          (target + k * e.outputPixels).update(repeating: bias[k], count: e.outputPixels)
        }
      }
      matrixProduct(
        Matrix(weight, stride: e.patch), Matrix(patches.pointer, stride: e.outputPixels),
        into: target, stride: e.outputPixels,
        m: e.k, n: e.outputPixels, k: e.patch, adding: bias != nil)
    }
  }
}

/// The gradients of ``convolution(x:weight:bias:y:_:)``; each of dx, dWeight and dBias is written
/// whole, and left out when it is nil.
///
/// The sums over images are taken group by group, in the order of the groups, whatever the number
/// of threads.
public func convolutionGradients(
  x: UnsafePointer<Float>, weight: UnsafePointer<Float>, dy: UnsafePointer<Float>,
  dx: UnsafeMutablePointer<Float>?, dWeight: UnsafeMutablePointer<Float>?,
  dBias: UnsafeMutablePointer<Float>?, _ e: ConvolutionExtents
) {
  let groups = imageGroups(e.n)
  let weights = e.k * e.patch
  let partWeights = Scratch(count: dWeight == nil ? 0 : groups * weights)
  let partBiases = Scratch(count: dBias == nil ? 0 : groups * e.k)
  parallel(count: groups) { group in
    let patches = Scratch(count: e.patch * e.outputPixels)
    let partWeight = partWeights.pointer + group * weights
    let partBias = partBiases.pointer + group * e.k
    if dWeight != nil { partWeight.update(repeating: 0, count: weights) }
    if dBias != nil { partBias.update(repeating: 0, count: e.k) }
    for n in images(of: group, e.n) {
      let gradient = Matrix(dy + n * e.output, stride: e.outputPixels)
      if dWeight != nil {
        gatherPatches(of: x + n * e.image, into: patches.pointer, e)
        matrixProduct(
          gradient, Matrix(patches.pointer, stride: e.outputPixels).transposed,
          into: partWeight, stride: e.patch, m: e.k, n: e.patch, k: e.outputPixels, adding: true)
      }
      if dBias != nil {
        for k in 0..<e.k {
          partBias[k] += sum(gradient.pointer + k * e.outputPixels, count: e.outputPixels)
        }
      }
      if let dx {
        matrixProduct(
          Matrix(weight, stride: e.patch).transposed, gradient,
          into: patches.pointer, stride: e.outputPixels, m: e.patch, n: e.outputPixels, k: e.k)
        scatterPatches(patches.pointer, into: dx + n * e.image, e)
      }
    }
  }
  if let dWeight { sumParts(partWeights.pointer, parts: groups, count: weights, into: dWeight) }
  if let dBias { sumParts(partBiases.pointer, parts: groups, count: e.k, into: dBias) }
}

/// How many groups the images of a batch are divided into, at most: enough for many threads, few
/// enough for each to have sums of its own.
private func imageGroups(_ n: Int) -> Int { min(n, 16) }

private func images(of group: Int, _ n: Int) -> Range<Int> {
  n * group / imageGroups(n)..<n * (group + 1) / imageGroups(n)
}

/// Writes the image's patches as a (C R S) × (output pixels) matrix.
private func gatherPatches(
  of image: UnsafePointer<Float>, into patches: UnsafeMutablePointer<Float>,
  _ e: ConvolutionExtents
) {
  var target = patches
  for c in 0..<e.c {
    for r in 0..<e.r {
      for s in 0..<e.s {
        let inside = columnsInside(s, e)
        for row in 0..<e.outputH {
          let y = e.input(row, r)
          if (0..<e.h).contains(y) {
            let source = image + (c * e.h + y) * e.w
            target.update(repeating: 0, count: inside.lowerBound)
            for column in inside { target[column] = source[e.input(column, s)] }
            (target + inside.upperBound).update(repeating: 0, count: e.outputW - inside.upperBound)
          } else {
            target.update(repeating: 0, count: e.outputW)
          }
          target += e.outputW
        }
      }
    }
  }
}

/// Adds up a matrix of patches where they came from: the adjoint of ``gatherPatches``.
private func scatterPatches(
  _ patches: UnsafePointer<Float>, into image: UnsafeMutablePointer<Float>,
  _ e: ConvolutionExtents
) {
  image.update(repeating: 0, count: e.image)
  var source = patches
  for c in 0..<e.c {
    for r in 0..<e.r {
      for s in 0..<e.s {
        let inside = columnsInside(s, e)
        for row in 0..<e.outputH {
          let y = e.input(row, r)
          if (0..<e.h).contains(y) {
            let target = image + (c * e.h + y) * e.w
            for column in inside { target[e.input(column, s)] += source[column] }
          }
          source += e.outputW
        }
      }
    }
  }
}

/// The output columns for which kernel column `s` falls inside the image.
private func columnsInside(_ s: Int, _ e: ConvolutionExtents) -> Range<Int> {
  let first = max(0, (e.padding - s + e.stride - 1) / e.stride)
  let past = min(e.outputW, (e.w - 1 + e.padding - s) / e.stride + 1)
  return min(first, e.outputW)..<max(min(first, e.outputW), past)
}
