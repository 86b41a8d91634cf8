import KernelInterface

/// The extents of a two-dimensional convolution.
public typealias ConvolutionExtents = KernelInterface.ConvolutionExtents

/// `y = x ∗ weight + bias` by the definition: the reference of the fast kernels.
///
/// x is N×C×H×W, weight K×(C / groups)×R×S, bias K or nil, y N×K×(output H)×(output W).
public func convolutionReference(
  x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
  y: UnsafeMutablePointer<Float>, _ e: ConvolutionExtents
) {
  for n in 0..<e.n {
    for k in 0..<e.k {
      for row in 0..<e.outputH {
        for column in 0..<e.outputW {
          var sum = bias?[k] ?? 0
          for c in 0..<e.c / e.groups {
            let channel = k / (e.k / e.groups) * (e.c / e.groups) + c
            for r in 0..<e.r where (0..<e.h).contains(e.inputRow(row, r)) {
              for s in 0..<e.s where (0..<e.w).contains(e.inputColumn(column, s)) {
                let pixel =
                  ((n * e.c + channel) * e.h + e.inputRow(row, r)) * e.w + e.inputColumn(column, s)
                sum += x[pixel] * weight[((k * (e.c / e.groups) + c) * e.r + r) * e.s + s]
              }
            }
          }
          y[((n * e.k + k) * e.outputH + row) * e.outputW + column] = sum
        }
      }
    }
  }
}

/// The gradients of ``convolutionReference(x:weight:bias:y:_:)`` by the definition. dx, dWeight and
/// dBias are overwritten.
public func convolutionGradientsReference(
  x: UnsafePointer<Float>, weight: UnsafePointer<Float>, dy: UnsafePointer<Float>,
  dx: UnsafeMutablePointer<Float>, dWeight: UnsafeMutablePointer<Float>,
  dBias: UnsafeMutablePointer<Float>, _ e: ConvolutionExtents
) {
  dx.update(repeating: 0, count: e.n * e.image)
  dWeight.update(repeating: 0, count: e.k * e.patch)
  dBias.update(repeating: 0, count: e.k)
  for n in 0..<e.n {
    for k in 0..<e.k {
      for row in 0..<e.outputH {
        for column in 0..<e.outputW {
          let gradient = dy[((n * e.k + k) * e.outputH + row) * e.outputW + column]
          dBias[k] += gradient
          for c in 0..<e.c / e.groups {
            let channel = k / (e.k / e.groups) * (e.c / e.groups) + c
            for r in 0..<e.r where (0..<e.h).contains(e.inputRow(row, r)) {
              for s in 0..<e.s where (0..<e.w).contains(e.inputColumn(column, s)) {
                let pixel =
                  ((n * e.c + channel) * e.h + e.inputRow(row, r)) * e.w + e.inputColumn(column, s)
                let tap = ((k * (e.c / e.groups) + c) * e.r + r) * e.s + s
                dx[pixel] += gradient * weight[tap]
                dWeight[tap] += gradient * x[pixel]
              }
            }
          }
        }
      }
    }
  }
}
