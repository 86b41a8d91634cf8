import LabRandom
import LabTensors

/// A part of a network: parameters, and a function of a tensor.
///
/// A layer is a type whose stored properties are parameters or other layers, also in arrays,
/// dictionaries, tuples, optionals, enumerations and structures of your own; what a closure captures
/// is not found. To write one, declare what it holds and what it computes:
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

/// The running statistics of a normalization layer, and the path of the layer, such as `conv1.norm`.
public struct NamedStatistics {
  public let path: String
  public let statistics: RunningStatistics
}

/// A random number generator of a layer's own, and its path, such as `dropout.generator`.
public struct NamedGenerator {
  public let path: String
  public let generator: Generator
}

extension Layer {
  /// All parameters with their paths, in the order of their declaration, which is PyTorch's order
  /// for the same network. A parameter that several layers share appears once, under its first path.
  public var namedParameters: [NamedParameter] {
    leaves(Parameter.self).map {
      NamedParameter(path: $0.path.joined(separator: "."), parameter: $0.leaf)
    }
  }

  /// All parameters, in the order of their declaration, each once.
  public var parameters: [Parameter] {
    namedParameters.map(\.parameter)
  }

  /// The number of trainable numbers.
  public var parameterCount: Int {
    parameters.reduce(0) { $0 + $1.count }
  }

  /// All running statistics with the paths of their layers, in the order of their declaration.
  public var namedStatistics: [NamedStatistics] {
    leaves(RunningStatistics.self).map {
      NamedStatistics(path: $0.path.dropLast().joined(separator: "."), statistics: $0.leaf)
    }
  }

  /// The generators of layers that have one of their own instead of ``Generator/shared``, in the order
  /// of their declaration, each once.
  public var namedGenerators: [NamedGenerator] {
    leaves(Generator.self).filter { $0.leaf !== Generator.shared }.map {
      NamedGenerator(path: $0.path.joined(separator: "."), generator: $0.leaf)
    }
  }

  /// The device of the parameters, on which inputs have to be; the processor if there are none.
  public var device: Device { parameters.first?.value.device ?? .cpu }

  /// Moves all parameters and running statistics to a device.
  ///
  /// ```swift
  /// model.to(try .gpu)
  /// let logits = try model(batch.x.to(model.device))
  /// ```
  ///
  /// - Returns: The layer itself.
  @discardableResult
  public func to(_ device: Device) -> Self {
    for parameter in parameters { parameter.move(to: device) }
    for named in namedStatistics { named.statistics.move(to: device) }
    return self
  }

  private func leaves<Leaf: AnyObject>(_ type: Leaf.Type) -> [(path: [String], leaf: Leaf)] {
    var found: [(path: [String], leaf: Leaf)] = []
    var seen: Set<ObjectIdentifier> = []
    var search = PropertySearch()
    search.visit(self) { value, path in
      guard let leaf = value as? Leaf else { return true }
      if seen.insert(ObjectIdentifier(leaf)).inserted { found.append((path, leaf)) }
      return false
    }
    return found
  }

  /// The layers that this one holds, with their paths from it, in the order of their declaration; not
  /// those that these hold.
  package var sublayers: [(path: [String], layer: any Layer)] {
    var found: [(path: [String], layer: any Layer)] = []
    var search = PropertySearch()
    search.visit(self) { value, path in
      guard !path.isEmpty, let layer = value as? any Layer else { return true }
      found.append((path, layer))
      return false
    }
    return found
  }
}

/// Goes through the stored properties of a value, and through those of what they hold.
private struct PropertySearch {
  private var seen: Set<ObjectIdentifier> = []

  /// - Parameters:
  ///   - value: The value.
  ///   - path: Its path.
  ///   - enter: Called with each value and its path; whether to go through its properties.
  mutating func visit(
    _ value: Any, path: [String] = [], _ enter: (_ value: Any, _ path: [String]) -> Bool
  ) {
    guard enter(value, path) else { return }
    if value is Parameter || value is RunningStatistics || value is Generator { return }
    if let sequential = value as? Sequential {
      for (index, layer) in sequential.layers.enumerated() {
        visit(layer, path: path + ["\(index)"], enter)
      }
      return
    }
    let mirror = Mirror(reflecting: value)
    guard let style = mirror.displayStyle else { return }
    switch style {
    case .optional, .enum:
      // A choice adds nothing to the path.
      for child in mirror.children { visit(child.value, path: path, enter) }
    case .dictionary:
      let entries = mirror.children.map { Mirror(reflecting: $0.value).children.map(\.value) }
      for entry in entries.sorted(by: { "\($0[0])" < "\($1[0])" }) {
        visit(entry[1], path: path + ["\(entry[0])"], enter)
      }
    case .collection, .set:
      for (index, child) in mirror.children.enumerated() {
        // Elements are of one type: numbers need not all be looked at.
        guard Mirror(reflecting: child.value).displayStyle != nil else { return }
        visit(child.value, path: path + ["\(index)"], enter)
      }
    case .tuple, .struct, .class:
      if style == .class, !seen.insert(ObjectIdentifier(value as AnyObject)).inserted { return }
      guard value is any Layer || style == .tuple || isOfUser(value) else { return }
      visitProperties(mirror, path: path, enter)
    default: return
    }
  }

  private mutating func visitProperties(
    _ mirror: Mirror, path: [String], _ enter: (_ value: Any, _ path: [String]) -> Bool
  ) {
    if let parent = mirror.superclassMirror { visitProperties(parent, path: path, enter) }
    for (index, child) in mirror.children.enumerated() {
      // Elements of a tuple without labels are called .0, .1 and so on.
      let name = child.label.map { $0.hasPrefix(".") ? String($0.dropFirst()) : $0 } ?? "\(index)"
      visit(child.value, path: path + [name], enter)
    }
  }

  /// Whether the type is neither one of Swift's own nor a tensor: what may hold layers.
  private func isOfUser(_ value: Any) -> Bool {
    guard !(value is Tensor || value is IntTensor) else { return false }
    let name = String(reflecting: type(of: value))
    return !name.hasPrefix("Swift.") && !name.hasPrefix("Foundation")
  }
}
