import Foundation
import LabNetworks

/// The table of a model's layers, as PyTorch Lightning prints it with `weights_summary="full"`, and what
/// they compute.
///
/// ```text
///   | Name       | Type      | In sizes         | Out sizes       | Params | Multiply-adds
/// -----------------------------------------------------------------------------------------
/// 0 | model      | MLP       | [128, 1, 28, 28] | [128, 10]       | 936 K  | 935 K
/// 1 | dropout    | Dropout   | [128, 1024]      | [128, 1024]     | 0      | 0
/// ```
///
/// Multiply-adds are those of convolutions, matrix products and LSTMs for one image, in all calls of a
/// layer. A layer that is not called has no sizes.
///
/// - Parameters:
///   - model: The model.
///   - inputShape: The shape of a batch.
/// - Throws: ``ShapeError`` if the model does not fit the batch.
package func layerSummary(_ model: some Layer, inputShape: [Int]) throws -> String {
  let trace = try NetworkTrace(model, inputShape: inputShape)
  var rows = [["", "Name", "Type", "In sizes", "Out sizes", "Params", "Multiply-adds"]]
  for (index, layer) in trace.layers.enumerated() {
    rows.append([
      "\(index)", layer.path.isEmpty ? "model" : layer.path, layer.type,
      layer.inputShape.map { "\($0)" } ?? "-", layer.outputShape.map { "\($0)" } ?? "-",
      readableCount(layer.parameterCount), layer.multiplyAdds.map(readableCount) ?? "-",
    ])
  }
  let (lines, width) = alignedColumns(rows)
  let rule = String(repeating: "-", count: width)
  return
    ([lines[0], rule] + lines.dropFirst() + [rule]
    + modelTotals(model, multiplyAdds: trace.layers.first?.multiplyAdds))
    .joined(separator: "\n")
}
