import LabTensors

/// A part of a network: parameters, and a function of a tensor.
///
/// A layer is a structure whose stored properties are parameters or other layers. To write one, say
/// what it holds and what it computes:
///
/// ```swift
/// struct Block: Layer {
///   var conv = Conv2d(64, 64, kernelSize: 3, padding: 1)
///
///   func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
///     try x + relu(conv(x))
///   }
/// }
/// ```
public protocol Layer {
  /// What the layer computes from a batch.
  ///
  /// - Throws: ``ShapeError`` if the batch's shape does not fit.
  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor
}

/// A parameter and its path from the model, such as `conv1.conv.weight`.
public struct NamedParameter {
  public let path: String
  public let parameter: Parameter
}

/// A normalisation's running statistics and the path of the layer that they belong to, such as
/// `conv1.norm`.
public struct NamedStatistics {
  public let path: String
  public let statistics: RunningStatistics
}

extension Layer {
  /// All parameters with their paths, in the order of their declaration, which is PyTorch's order
  /// for the same network.
  public var namedParameters: [NamedParameter] {
    leaves(of: self, path: []).compactMap { path, leaf in
      (leaf as? Parameter).map {
        NamedParameter(path: path.joined(separator: "."), parameter: $0)
      }
    }
  }

  /// All parameters, in the order of their declaration.
  public var parameters: [Parameter] {
    namedParameters.map(\.parameter)
  }

  /// The number of trainable numbers.
  public var parameterCount: Int {
    parameters.reduce(0) { $0 + $1.count }
  }

  /// All running statistics with the paths of their layers, in the order of their declaration.
  public var namedStatistics: [NamedStatistics] {
    leaves(of: self, path: []).compactMap { path, leaf in
      (leaf as? RunningStatistics).map {
        NamedStatistics(path: path.dropLast().joined(separator: "."), statistics: $0)
      }
    }
  }
}

/// The parameters and statistics that `value` holds, directly, in its properties, or in the elements
/// of an array or an optional.
private func leaves(of value: Any, path: [String]) -> [(path: [String], leaf: Any)] {
  if value is Parameter || value is RunningStatistics { return [(path, value)] }
  let mirror = Mirror(reflecting: value)
  let isTransparent = mirror.displayStyle == .optional
  guard value is any Layer || mirror.displayStyle == .collection || isTransparent else { return [] }
  return mirror.children.enumerated().flatMap { index, child in
    leaves(of: child.value, path: isTransparent ? path : path + [child.label ?? String(index)])
  }
}
