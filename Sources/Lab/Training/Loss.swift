import LabTensors

/// What training makes small, by its name in `torch.nn.functional`.
public enum Loss: String, CaseIterable, Sendable {
  case crossEntropy = "cross_entropy"
  case multiMargin = "multi_margin_loss"

  /// The mean loss over a batch.
  ///
  /// - Parameters:
  ///   - logits: Scores, a row for each image.
  ///   - labels: The right classes.
  /// - Throws: ``ShapeError`` if the shapes do not fit or a label is out of range.
  public func callAsFunction(_ logits: Tensor, _ labels: IntTensor) throws(ShapeError) -> Tensor {
    switch self {
    case .crossEntropy: try LabTensors.crossEntropy(logits, labels)
    case .multiMargin: try multiMarginLoss(logits, labels)
    }
  }
}
