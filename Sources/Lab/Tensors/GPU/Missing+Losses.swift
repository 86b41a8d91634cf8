import Kernels

// To be replaced.
extension OpenCLBackend {
  package func batchNormStatistics(_ x: Tensor) -> (mean: Tensor, variance: Tensor) { fatalError("missing") }
  package func runningStatistics(
    _ running: Tensor, batch: Tensor, momentum: Double, scale: Double
  ) -> Tensor { fatalError("missing") }
  package func batchNorm(_ x: Tensor, _ parameters: BatchNormParameters, _ activation: Activation) -> Tensor { fatalError("missing") }
  package func batchNormGradients(
    _ x: Tensor, _ parameters: BatchNormParameters, _ activation: Activation, dy: Tensor,
    isTraining: Bool, wantsInput: Bool
  ) -> (dx: Tensor?, dWeight: Tensor, dBias: Tensor) { fatalError("missing") }
  package func maxPool(
    _ x: Tensor, size: Int, stride: Int, saves: Bool
  ) -> (y: Tensor, saved: AnyObject?) { fatalError("missing") }
  package func maxPoolGradient(
    dy: Tensor, shape: [Int], size: Int, stride: Int, saved: AnyObject?
  ) -> Tensor { fatalError("missing") }
  package func globalAveragePool(_ x: Tensor) -> Tensor { fatalError("missing") }
  package func globalAveragePoolGradient(dy: Tensor, shape: [Int]) -> Tensor { fatalError("missing") }
  package func averagePool(_ x: Tensor, _ extents: AveragePoolingExtents) -> Tensor { fatalError("missing") }
  package func averagePoolGradient(
    dy: Tensor, shape: [Int], _ extents: AveragePoolingExtents
  ) -> Tensor { fatalError("missing") }
  package func layerNorm(
    _ x: Tensor, weight: Tensor?, bias: Tensor?, columns: Int, epsilon: Double
  ) -> (y: Tensor, saved: AnyObject?) { fatalError("missing") }
  package func layerNormGradients(
    _ x: Tensor, weight: Tensor?, columns: Int, epsilon: Double, dy: Tensor, saved: AnyObject?
  ) -> (dx: Tensor, dWeight: Tensor, dBias: Tensor) { fatalError("missing") }
  package func lstm(
    _ x: Tensor, _ directions: [LSTMDirection], saves: Bool
  ) -> (y: Tensor, saved: AnyObject?) { fatalError("missing") }
  package func lstmGradients(
    _ x: Tensor, _ directions: [LSTMDirection], y: Tensor, dy: Tensor, saved: AnyObject?,
    wantsInput: Bool
  ) -> (dx: Tensor?, directions: [LSTMGradients]) { fatalError("missing") }
  package func softmax(_ x: Tensor) -> Tensor { fatalError("missing") }
  package func softmaxGradient(dy: Tensor, y: Tensor) -> Tensor { fatalError("missing") }
  package func logSoftmax(_ x: Tensor) -> Tensor { fatalError("missing") }
  package func logSoftmaxGradient(dy: Tensor, y: Tensor) -> Tensor { fatalError("missing") }
  package func crossEntropy(
    _ logits: Tensor, labels: [Int], labelSmoothing: Double
  ) -> (loss: Tensor, probabilities: Tensor) { fatalError("missing") }
  package func crossEntropyGradient(
    dy: Tensor, probabilities: Tensor, labels: [Int], labelSmoothing: Double
  ) -> Tensor { fatalError("missing") }
  package func nllLoss(_ x: Tensor, labels: [Int]) -> Tensor { fatalError("missing") }
  package func nllLossGradient(dy: Tensor, shape: [Int], labels: [Int]) -> Tensor { fatalError("missing") }
  package func mseLoss(_ x: Tensor, target: Tensor) -> Tensor { fatalError("missing") }
  package func mseLossGradient(dy: Tensor, _ x: Tensor, target: Tensor) -> Tensor { fatalError("missing") }
  package func binaryCrossEntropyWithLogits(_ x: Tensor, target: Tensor) -> Tensor { fatalError("missing") }
  package func binaryCrossEntropyWithLogitsGradients(
    dy: Tensor, _ x: Tensor, target: Tensor
  ) -> (dx: Tensor, dTarget: Tensor) { fatalError("missing") }
  package func multiMarginLoss(_ x: Tensor, labels: [Int]) -> Tensor { fatalError("missing") }
  package func multiMarginLossGradient(dy: Tensor, _ x: Tensor, labels: [Int]) -> Tensor { fatalError("missing") }
  package func ctcLoss(
    _ x: Tensor, _ batch: CTCBatch, wantsGradient: Bool
  ) -> (losses: Tensor, gradients: Tensor?) { fatalError("missing") }
}
