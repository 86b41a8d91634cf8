import Kernels

/// The second convolution of the CNN, 3×3 from 64 to 64 channels, and smaller ones.
///
/// Operations are counted by the definition. The Winograd algorithm needs a quarter of the
/// multiplications, so more than 100 % of the peak is possible.
func winogradConvolutions() -> [(String, Work)] {
  let sizes = [(128, 64, 28), (128, 64, 14), (128, 128, 14), (1, 64, 28)]
  return sizes.flatMap { n, channels, size in
    let e = ConvolutionExtents(
      n: n, c: channels, h: size, w: size, k: channels, r: 3, s: 3, stride: 1, padding: 1)
    let pixels = n * channels * size * size
    let (x, y, dx, dy) = (floats(pixels), floats(pixels), floats(pixels), floats(pixels))
    let weights = channels * channels * 9
    let (weight, dWeight) = (floats(weights), floats(weights))
    let (bias, dBias) = (floats(channels), floats(channels))
    let codes = UnsafeMutablePointer<UInt8>.allocate(capacity: pixels / 4)
    let epilogue = ConvolutionEpilogue(
      activation: .relu, pool2x2: true, dropout: DropoutRule(probability: 0.25, seed: 1))
    let operations = Double(2 * pixels * 9 * channels)
    let name = "\(n)×\(channels)×\(size)×\(size)"
    return [
      (
        "winograd \(name), relu",
        Work(operations: operations) {
          WinogradConvolution.forward(
            x: .images(x), weight: weight, bias: bias, y: y, e,
            epilogue: ConvolutionEpilogue(activation: .relu))
        }
      ),
      (
        "winograd \(name), relu, pool, dropout",
        Work(operations: operations) {
          WinogradConvolution.forward(
            x: .images(x), weight: weight, bias: bias, y: y, codes: codes, e, epilogue: epilogue)
        }
      ),
      (
        "winograd \(name), relu, backward",
        Work(operations: 2 * operations) {
          WinogradConvolution.gradients(
            x: .images(x), weight: weight, dy: dy, y: y, dx: .images(dx), dWeight: dWeight,
            dBias: dBias, e,
            epilogue: ConvolutionEpilogue(activation: .relu))
        }
      ),
      (
        "winograd \(name), relu, pool, dropout, backward",
        Work(operations: 2 * operations) {
          WinogradConvolution.gradients(
            x: .images(x), weight: weight, dy: dy, codes: codes, dx: .images(dx), dWeight: dWeight,
            dBias: dBias, e,
            epilogue: epilogue)
        }
      ),
    ]
  }
}
