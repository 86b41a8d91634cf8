import Kernels

// To be replaced.
extension OpenCLBackend {
  package func matrixProducts(_ a: MatrixBatch, _ b: MatrixBatch, m: Int, n: Int, k: Int) -> Tensor { fatalError("missing") }
  package func linear(_ x: Tensor, weight: Tensor, bias: Tensor?) -> Tensor { fatalError("missing") }
  package func linearInputGradient(dy: Tensor, x: Tensor, weight: Tensor) -> Tensor { fatalError("missing") }
  package func linearWeightGradient(dy: Tensor, x: Tensor, weight: Tensor) -> Tensor { fatalError("missing") }
  package func sumRows(_ x: Tensor) -> Tensor { fatalError("missing") }
  package func canFuse(_ epilogue: ConvolutionEpilogue, after convolution: ConvolutionExtents) -> Bool { fatalError("missing") }
  package func canFuse(
    _ front: ConvolutionExtents, _ epilogue: ConvolutionEpilogue,
    inFrontOf convolution: ConvolutionExtents
  ) -> Bool { fatalError("missing") }
  package func convolution(
    _ x: ConvolutionOperand, weight: Tensor, bias: Tensor?, _ extents: ConvolutionExtents,
    _ epilogue: ConvolutionEpilogue, saves: Bool
  ) -> (y: Tensor, saved: AnyObject?) { fatalError("missing") }
  package func convolutionGradients(
    _ x: ConvolutionOperand, weight: Tensor, dy: Tensor, y: Tensor, saved: AnyObject?,
    _ extents: ConvolutionExtents, _ epilogue: ConvolutionEpilogue,
    wanted: Set<ConvolutionGradient>
  ) -> [ConvolutionGradient: Tensor] { fatalError("missing") }
}
