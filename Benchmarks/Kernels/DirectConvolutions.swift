import Kernels

/// The first convolution of the CNN, and the convolutions of a ResNet other than 3×3 with stride 1. With a
/// library's matrix products, those that are faster unfolded are computed so.
func directConvolutions() -> [(String, Work)] {
  let cases = [
    ConvolutionExtents(n: 128, c: 1, h: 28, w: 28, k: 64, r: 3, s: 3, stride: 1, padding: 1),
    ConvolutionExtents(n: 128, c: 3, h: 28, w: 28, k: 64, r: 3, s: 3, stride: 1, padding: 1),
    ConvolutionExtents(n: 128, c: 64, h: 28, w: 28, k: 128, r: 3, s: 3, stride: 2, padding: 1),
    ConvolutionExtents(n: 128, c: 64, h: 28, w: 28, k: 64, r: 1, s: 1, stride: 1, padding: 0),
    ConvolutionExtents(n: 128, c: 64, h: 28, w: 28, k: 128, r: 1, s: 1, stride: 2, padding: 0),
    ConvolutionExtents(n: 1, c: 1, h: 28, w: 28, k: 64, r: 3, s: 3, stride: 1, padding: 1),
  ]
  return cases.flatMap { e in
    let outputs = e.n * e.k * e.outputH * e.outputW
    let (x, dx) = (floats(e.n * e.c * e.h * e.w), floats(e.n * e.c * e.h * e.w))
    let (y, dy) = (floats(outputs), floats(outputs))
    let (weight, dWeight) = (floats(e.k * e.c * e.r * e.s), floats(e.k * e.c * e.r * e.s))
    let (bias, dBias) = (floats(e.k), floats(e.k))
    let operations = Double(2 * outputs * e.c * e.r * e.s)
    let name = "\(e.n)×\(e.c)×\(e.h)×\(e.w), \(e.r)×\(e.s)→\(e.k), stride \(e.stride)"
    func gradients(_ dx: UnsafeMutablePointer<Float>?) {
      let gradients =
        DirectConvolution.isSupported(e)
        ? DirectConvolution.gradients : GeneralConvolution.gradients
      gradients(x, weight, dy, y, dx, dWeight, dBias, e)
    }
    return [
      (
        "direct \(name)",
        Work(operations: operations) {
          let forward =
            DirectConvolution.isSupported(e)
            ? DirectConvolution.forward : GeneralConvolution.forward
          forward(x, weight, bias, .relu, y, e)
        }
      ),
      (
        "direct \(name), by weight",
        Work(operations: operations) {
          gradients(nil)
        }
      ),
      (
        "direct \(name), backward",
        Work(operations: 2 * operations) {
          gradients(dx)
        }
      ),
    ]
  }
}
