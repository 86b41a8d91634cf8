import Foundation
import LabNetworks
import LabTensors

/// The norms of the gradients in each step, by the names of PyTorch Lightning's `track_grad_norm`.
///
/// They are computed on the gradients' device, and read for many steps at once, so that no step waits.
package struct GradientNorms {
  /// The norm: 2 for the Euclidean one, infinity for the largest absolute value.
  private let order: Double
  private let parameters: [NamedParameter]
  /// For each step the parameters that had a gradient, and the sum over its elements that its norm is the
  /// root of, or their largest absolute value.
  private var unread: [(step: Int, parameters: [Int], parts: [Tensor])] = []

  /// - Parameters:
  ///   - order: The norm.
  ///   - model: The model.
  package init(_ order: Double, of model: some Layer) {
    (self.order, parameters) = (order, model.namedParameters)
  }

  /// All names, that of all gradients together first.
  package var scalars: [Scalar] { [total] + parameters.indices.map(scalar) }

  private var total: Scalar { Scalar("grad_\(order)_norm_total") }

  private func scalar(_ index: Int) -> Scalar {
    Scalar("grad_\(order)_norm_\(parameters[index].path)")
  }

  /// Computes the norms of the gradients that the parameters have now.
  ///
  /// - Parameter step: The batches so far, including this one.
  package mutating func add(step: Int) throws(ShapeError) {
    var (indices, parts): ([Int], [Tensor]) = ([], [])
    for (index, named) in parameters.enumerated() {
      guard let gradient = named.parameter.gradient else { continue }
      indices.append(index)
      parts.append(try part(gradient))
    }
    unread.append((step, indices, parts))
  }

  private func part(_ gradient: Tensor) throws(ShapeError) -> Tensor {
    switch order {
    case 1: sum(abs(gradient))
    case 2: sum(try gradient * gradient)
    case .infinity: try max(abs(gradient.viewed(as: [gradient.count])), axes: [0])
    default: sum(exp(log(abs(gradient)) * Float(order)))
    }
  }

  /// The norms of all steps that were not read yet, by step.
  package mutating func read() -> [Int: [LogEntry.Value]] {
    let steps = unread
    unread = []
    var items = Tensor.items(of: steps.flatMap(\.parts)).makeIterator()
    var values: [Int: [LogEntry.Value]] = [:]
    for (step, parameters, _) in steps {
      let parts = parameters.map { _ in Double(items.next() ?? .nan) }
      let all = order == .infinity ? largest(parts) : parts.reduce(0, +)
      values[step] =
        [(total, root(all))] + zip(parameters, parts).map { (scalar($0), root($1)) }
    }
    return values
  }

  private func root(_ part: Double) -> Double {
    switch order {
    case 1, .infinity: part
    case 2: part.squareRoot()
    default: pow(part, 1 / order)
    }
  }

  /// The largest number; NaN if one is NaN.
  private func largest(_ numbers: [Double]) -> Double {
    numbers.reduce(0) { $0.isNaN || $0 >= $1 ? $0 : $1 }
  }
}
