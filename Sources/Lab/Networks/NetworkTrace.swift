import LabRandom
import LabTensors

/// What a network computes from a batch: its operations in their order, and the layers they belong to.
///
/// A layer's call leaves no mark on a tensor, so the layers of operations are found out: operations with
/// parameters belong to the layer that holds these. To know where a layer's call begins and ends, the
/// layer alone is computed from the tensor that it must have got, a tensor of two zero images: its
/// operations are then found again among those of the network. Parameters, statistics and random
/// generators stay as they are.
package struct NetworkTrace {
  /// Where an input of an operation comes from.
  package enum Source: Hashable {
    /// The network's input.
    case input
    /// The result of the operation with this index.
    case operation(Int)
    /// The parameter with this path.
    case parameter(String)
    /// A tensor that depends on none of them.
    case constant
  }

  /// An operation.
  package struct Operation {
    /// Its name, such as `conv2d`.
    package let name: String
    /// The path of the innermost layer that it belongs to; empty for the network itself.
    package let layer: String
    /// Where its inputs come from.
    package let inputs: [Source]
    /// The shapes of its inputs.
    package let inputShapes: [[Int]]
    /// The shape of its result.
    package let shape: [Int]
  }

  /// A layer of the network.
  package struct Entry {
    /// Its path, such as `blocks.1.conv1.conv`; empty for the network itself.
    package let path: String
    /// Its type, such as `Conv2d`.
    package let type: String
    /// The number of its trainable numbers, those of its layers included.
    package let parameterCount: Int
    /// The shape of its input and of its result, in its first call; nil if it was not called, or if its
    /// call could not be told from others.
    package let inputShape, outputShape: [Int]?
    /// The multiply-adds of its calls for one image: those of convolutions, matrix products and LSTMs.
    package let multiplyAdds: Int?
  }

  /// The operations in their order.
  package let operations: [Operation]
  /// The network itself, and all layers, each before those that it holds.
  package let layers: [Entry]
  /// The shape of the batch.
  package let inputShape: [Int]
  /// Where the network's result comes from.
  package let output: Source

  /// Computes a network on images of zeros, off a tape.
  ///
  /// - Parameters:
  ///   - model: The network.
  ///   - inputShape: The shape of a batch.
  /// - Throws: ``ShapeError`` if the network does not fit the batch.
  package init(_ model: some Layer, inputShape: [Int]) throws {
    let states = model.namedGenerators.map { ($0.generator, $0.generator.state) }
    let shared = Generator.shared.state
    defer {
      Generator.shared.state = shared
      for (generator, state) in states { generator.state = state }
    }
    func images(_ count: Int) -> Tensor {
      Tensor(repeating: 0, shape: [count] + inputShape.dropFirst(), on: model.device)
    }
    precondition(!inputShape.isEmpty, "a batch has at least one dimension")
    // Layers are computed from few images; shapes are those of the whole batch.
    let batch = inputShape[0]
    var calls = try Calls(of: model, on: images(min(batch, 2)))
    let shapes = Shapes()
    _ = try OperationObservation.$observer.withValue(shapes) { try model(images(batch)) }
    if shapes.all.map(\.name) != calls.operations.map(\.name) {
      calls = try Calls(of: model, on: images(batch))
    }
    var search = CallSearch(model, calls)
    search.resolve(model, path: [], in: 0..<calls.operations.count)

    let paths = Dictionary(
      model.namedParameters.map { (Self.key($0.parameter), $0.path) }
    ) { first, _ in first }
    var sources = [TensorKey(calls.input): Source.input]
    var operations: [Operation] = []
    for (index, call) in calls.operations.enumerated() {
      let inputs = call.inputs.map { tensor in
        paths[ObjectIdentifier(tensor.storage)].map { Source.parameter($0) }
          ?? sources[TensorKey(tensor)] ?? .constant
      }
      sources[TensorKey(call.output)] = .operation(index)
      let known = shapes.all.indices.contains(index) ? shapes.all[index] : Shapes.Entry(call)
      operations.append(
        Operation(
          name: call.name, layer: search.owners[index].joined(separator: "."), inputs: inputs,
          inputShapes: known.inputs, shape: known.output))
    }
    self.operations = operations
    self.inputShape = inputShape
    output = sources[TensorKey(calls.result)] ?? .constant
    layers = Self.entries(model, search.calls, operations, inputShape, output)
  }

  /// The rows of a network's layers.
  private static func entries(
    _ model: some Layer, _ calls: [CallSearch.Call], _ operations: [Operation],
    _ inputShape: [Int], _ output: Source
  ) -> [Entry] {
    var found: [Entry] = []
    var outputShape = inputShape
    if case .operation(let index) = output { outputShape = operations[index].shape }
    func add(_ layer: any Layer, _ path: [String]) {
      let own = calls.filter { $0.path == path }
      let shape: (input: [Int], output: [Int])? =
        path.isEmpty
        ? (inputShape, outputShape)
        : own.first.map { call in
          (
            operations[call.range.lowerBound].inputShapes[call.input],
            operations[call.output].shape
          )
        }
      let ranges = path.isEmpty ? [operations.indices] : own.map(\.range)
      let products = ranges.reduce(0) { sum, range in
        sum + operations[range].reduce(0) { $0 + $1.multiplyAdds }
      }
      found.append(
        Entry(
          path: path.joined(separator: "."), type: "\(type(of: layer))",
          parameterCount: layer.parameterCount, inputShape: shape?.input,
          outputShape: shape?.output,
          multiplyAdds: shape == nil ? nil : products / max(1, inputShape[0])))
      for (name, sublayer) in layer.sublayers { add(sublayer, path + name) }
    }
    add(model, [])
    return found
  }

  fileprivate static func key(_ parameter: Parameter) -> ObjectIdentifier {
    ObjectIdentifier(parameter.value.storage)
  }
}

extension NetworkTrace.Operation {
  /// The multiply-adds for the whole batch.
  var multiplyAdds: Int {
    let count = shape.reduce(1, *)
    switch name {
    case "conv2d": return count * inputShapes[1].dropFirst().reduce(1, *)
    case "linear": return count * inputShapes[1][1]
    case "matmul": return count * (inputShapes[0].last ?? 1)
    case "lstm":
      let weights = inputShapes.dropFirst().filter { $0.count == 2 }
      return inputShapes[0][0] * inputShapes[0][1] * weights.reduce(0) { $0 + $1.reduce(1, *) }
    default: return 0
    }
  }
}

/// A tensor among others that are all held: a view of another shape has the same elements.
private struct TensorKey: Hashable {
  let storage: ObjectIdentifier
  let shape: [Int]

  init(_ tensor: Tensor) {
    (storage, shape) = (ObjectIdentifier(tensor.storage), tensor.shape)
  }
}

/// An operation with its tensors, which are held so that no two have the same identity.
private struct Recorded {
  let name: String
  let inputs: [Tensor]
  let output: Tensor
}

/// The operations of a layer.
private struct Calls {
  let operations: [Recorded]
  let input, result: Tensor

  init(of layer: any Layer, on input: Tensor) throws {
    let recorder = Recorder()
    self.input = input
    result = try OperationObservation.$observer.withValue(recorder) { try layer(input) }
    operations = recorder.calls
  }
}

/// Records operations with their tensors.
private final class Recorder: OperationObserver, @unchecked Sendable {
  // Sendable because a network is traced by one thread.
  private(set) var calls: [Recorded] = []

  func called(
    _ operation: String, _ inputs: [Tensor], _ output: Tensor, _ kind: OperationKind
  ) -> OperationLabel? {
    calls.append(Recorded(name: operation, inputs: inputs, output: output))
    return nil
  }
}

/// Records operations with the shapes of their tensors.
private final class Shapes: OperationObserver, @unchecked Sendable {
  // Sendable because a network is traced by one thread.
  struct Entry {
    let name: String
    let inputs: [[Int]]
    let output: [Int]

    init(_ name: String, _ inputs: [Tensor], _ output: Tensor) {
      (self.name, self.inputs, self.output) = (name, inputs.map(\.shape), output.shape)
    }

    init(_ call: Recorded) { self.init(call.name, call.inputs, call.output) }
  }

  private(set) var all: [Entry] = []

  func called(
    _ operation: String, _ inputs: [Tensor], _ output: Tensor, _ kind: OperationKind
  ) -> OperationLabel? {
    all.append(Entry(operation, inputs, output))
    return nil
  }
}

/// Finds the calls of layers among the operations of a network.
private struct CallSearch {
  /// A call of a layer.
  struct Call {
    /// The layer's path.
    let path: [String]
    /// Its operations.
    let range: Range<Int>
    /// Which input of its first operation is its own input.
    let input: Int
    /// The operation that gave its result.
    let output: Int
  }

  /// A layer that may have been called.
  private struct Candidate {
    let path: [String]
    let layer: any Layer
    let parameters: Set<ObjectIdentifier>
    /// Its first call.
    var call: Call?

    /// Layers of this package throw an error if they are given a tensor of another rank; others may
    /// look for an extent that it does not have, and end the program.
    var isOwn: Bool { String(reflecting: type(of: layer)).hasPrefix("Lab") }
  }

  private let operations: [Recorded]
  /// The parameters among the inputs of each operation.
  private let parameters: [Set<ObjectIdentifier>]
  /// The path of the innermost layer of each operation.
  private(set) var owners: [[String]]
  private(set) var calls: [Call] = []

  init(_ model: some Layer, _ calls: Calls) {
    operations = calls.operations
    let all = Set(model.parameters.map(NetworkTrace.key))
    parameters = operations.map { operation in
      all.intersection(operation.inputs.map { ObjectIdentifier($0.storage) })
    }
    owners = Array(repeating: [], count: operations.count)
  }

  /// Finds the calls of the layers that a layer holds, and of those that they hold.
  ///
  /// - Parameters:
  ///   - layer: The layer.
  ///   - path: Its path.
  ///   - range: The operations of one of its calls.
  mutating func resolve(_ layer: any Layer, path: [String], in range: Range<Int>) {
    var candidates = layer.sublayers.map {
      Candidate(
        path: path + $0.path, layer: $0.layer,
        parameters: Set($0.layer.parameters.map(NetworkTrace.key)))
    }
    guard !candidates.isEmpty else { return }
    var isOpen = Set(range)
    for index in range where isOpen.contains(index) {
      let used = parameters[index]
      guard !used.isEmpty,
        let number = candidates.firstIndex(where: { !$0.parameters.isDisjoint(with: used) })
      else { continue }
      let candidate = candidates[number]
      var first = index
      while isOpen.contains(first - 1) { first -= 1 }
      // The nearest tensor, and the one with the most dimensions first.
      let call =
        match(candidate, among: inputs(Array((first...index).reversed())), isOpen, with: index)
        ?? guess(candidate, at: index, in: range)
      if candidate.call == nil { candidates[number].call = call }
      add(call, of: candidate, &isOpen)
    }
    // Of the layers without parameters first those of arrays, which are called one after the other.
    let plain = candidates.indices.filter { candidates[$0].parameters.isEmpty }
    for isElement in [true, false] {
      for number in plain where candidates[number].call == nil {
        let bounds = isElement ? neighbors(of: number, candidates, in: range) : range
        guard let bounds else { continue }
        let order = bounds.filter(isOpen.contains)
        let tried = candidates[number].isOwn ? inputs(order, byRank: false) : inputs(order)
        guard let call = match(candidates[number], among: tried, isOpen) else { continue }
        candidates[number].call = call
        add(call, of: candidates[number], &isOpen)
      }
    }
    // They may be called several times.
    for index in range where isOpen.contains(index) {
      for number in plain {
        let candidate = candidates[number]
        guard let first = candidate.call else { continue }
        let rank = operations[first.range.lowerBound].inputs[first.input].rank
        let tried = inputs([index]).filter { $0.tensor.rank == rank }
        guard let call = match(candidate, among: tried, isOpen) else { continue }
        add(call, of: candidate, &isOpen)
        break
      }
    }
  }

  /// The operations between the calls of the elements of an array before and behind one; nil for a layer
  /// that is no element, or if there is no such call.
  private func neighbors(
    of number: Int, _ candidates: [Candidate], in range: Range<Int>
  ) -> Range<Int>? {
    let path = candidates[number].path
    guard path.last.flatMap({ Int($0) }) != nil else { return nil }
    func call(_ number: Int) -> Call? {
      guard candidates.indices.contains(number),
        candidates[number].path.dropLast() == path.dropLast()
      else { return nil }
      return candidates[number].call
    }
    let (before, behind) = (call(number - 1), call(number + 1))
    guard before != nil || behind != nil else { return nil }
    let start = before?.range.upperBound ?? range.lowerBound
    return start..<max(start, behind?.range.lowerBound ?? range.upperBound)
  }

  private mutating func add(_ call: Call, of candidate: Candidate, _ isOpen: inout Set<Int>) {
    calls.append(call)
    for index in call.range {
      isOpen.remove(index)
      owners[index] = candidate.path
    }
    resolve(candidate.layer, path: candidate.path, in: call.range)
  }

  /// A tensor from which a layer may have been computed.
  private typealias Input = (operation: Int, number: Int, tensor: Tensor)

  /// The inputs of operations that are no parameters.
  ///
  /// - Parameter byRank: Whether those with more dimensions come first.
  private func inputs(_ order: [Int], byRank: Bool = true) -> [Input] {
    var found: [Input] = []
    for index in order {
      for (number, tensor) in operations[index].inputs.enumerated()
      where !parameters[index].contains(ObjectIdentifier(tensor.storage)) {
        found.append((index, number, tensor))
      }
    }
    guard byRank else { return found }
    let ranks = Set(found.map(\.tensor.rank)).sorted(by: >)
    return ranks.flatMap { rank in found.filter { $0.tensor.rank == rank } }
  }

  /// The call of a layer from the first of some tensors that gives the network's operations.
  ///
  /// - Parameter index: An operation that belongs to the call.
  private func match(
    _ candidate: Candidate, among inputs: [Input], _ isOpen: Set<Int>, with index: Int? = nil
  ) -> Call? {
    for input in inputs {
      guard let call = match(candidate, input, isOpen) else { continue }
      if index.map(call.range.contains) ?? true { return call }
    }
    return nil
  }

  /// The call of a layer if its operations are those from an operation on, all of them in no other call.
  private func match(_ candidate: Candidate, _ input: Input, _ isOpen: Set<Int>) -> Call? {
    guard let alone = try? Calls(of: candidate.layer, on: input.tensor),
      !alone.operations.isEmpty
    else { return nil }
    let range = input.operation..<input.operation + alone.operations.count
    guard range.allSatisfy(isOpen.contains) else { return nil }
    var output = range.upperBound - 1
    for (index, operation) in zip(range, alone.operations) {
      guard operation.name == operations[index].name,
        operation.output.shape == operations[index].output.shape,
        parameters[index].isSubset(of: operation.inputs.map { ObjectIdentifier($0.storage) })
      else { return nil }
      if operation.output.storage === alone.result.storage { output = index }
    }
    return Call(path: candidate.path, range: range, input: input.number, output: output)
  }

  /// The operations with the layer's parameters, and those between them: what is known of a layer that
  /// computes something else by itself.
  private func guess(_ candidate: Candidate, at index: Int, in range: Range<Int>) -> Call {
    var last = index
    for next in index + 1..<max(index + 1, range.upperBound) {
      guard parameters[next].isSubset(of: candidate.parameters) else { break }
      if !parameters[next].isEmpty { last = next }
    }
    let input = inputs([index], byRank: false).first?.number ?? 0
    return Call(path: candidate.path, range: index..<last + 1, input: input, output: last)
  }
}
