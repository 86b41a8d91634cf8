import Foundation
import LabNetworks

/// Logs the network's graph for TensorBoard, at the start of a run: `lab train --log_graph`.
///
/// Layers are name scopes such as `CNN/conv1/conv`, which the tab GRAPHS shows as boxes that open. A run
/// that is resumed has its graph.
public final class GraphLogger: TrainingObserver {
  private let run: TrainingRun

  /// - Parameter run: The run whose event file gets the graph.
  public init(_ run: TrainingRun) {
    self.run = run
  }

  public func trainingBegan(_ training: TrainingStart) throws {
    guard !training.isResumed else { return }
    try run.log(NetworkTrace(training.model, inputShape: training.inputShape))
  }
}

/// A network as TensorFlow's message `GraphDef`: a node for each operation, for each parameter that is
/// used, for the input and the output.
///
/// Source: the definitions graph.proto, node_def.proto, attr_value.proto and tensor_shape.proto of
/// TensorFlow.
package struct NetworkGraph {
  /// A node.
  package struct Node: Equatable {
    /// Its name with its scopes, such as `CNN/conv1/conv/conv2d`.
    package let name: String
    /// What it computes, such as `conv2d`.
    package let operation: String
    /// The names of the nodes whose results it takes.
    package let inputs: [String]
    /// The shape of its result.
    package let shape: [Int]
  }

  /// All nodes, each behind those whose results it takes.
  package let nodes: [Node]

  /// - Parameter trace: What the network computes.
  package init(_ trace: NetworkTrace) {
    let root = trace.layers.first?.type ?? "model"
    var taken: Set<String> = []
    /// A name that no other node has.
    func name(_ path: String, _ last: String) -> String {
      let scopes = path.split(separator: ".").map(String.init)
      let wanted = ([root] + scopes + [last]).map(Self.nodeName).joined(separator: "/")
      var (free, number) = (wanted, 0)
      while !taken.insert(free).inserted {
        number += 1
        free = "\(wanted)_\(number)"
      }
      return free
    }

    var nodes = [
      Node(name: "input", operation: "Input", inputs: [], shape: trace.inputShape)
    ]
    var parameters: [String: String] = [:]
    var operations: [String] = []
    for operation in trace.operations {
      var inputs: [String] = []
      for (source, shape) in zip(operation.inputs, operation.inputShapes) {
        switch source {
        case .input: inputs.append("input")
        case .operation(let index): inputs.append(operations[index])
        case .parameter(let path):
          if let known = parameters[path] {
            inputs.append(known)
            continue
          }
          let parts = path.split(separator: ".").map(String.init)
          let new = name(parts.dropLast().joined(separator: "."), parts.last ?? "parameter")
          parameters[path] = new
          nodes.append(Node(name: new, operation: "Parameter", inputs: [], shape: shape))
          inputs.append(new)
        case .constant:
          let new = name(operation.layer, "constant")
          nodes.append(Node(name: new, operation: "Constant", inputs: [], shape: shape))
          inputs.append(new)
        }
      }
      let new = name(operation.layer, operation.name)
      nodes.append(
        Node(name: new, operation: operation.name, inputs: inputs, shape: operation.shape))
      operations.append(new)
    }
    switch trace.output {
    case .operation(let index):
      nodes.append(
        Node(
          name: "output", operation: "Output", inputs: [operations[index]],
          shape: trace.operations[index].shape))
    default: break
    }
    self.nodes = nodes
  }

  /// A part of a name: letters, digits, and what else TensorFlow allows.
  private static func nodeName(_ text: String) -> String {
    let allowed = text.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "_" }
    // An underscore must not be the first one.
    return String(allowed.first == "_" ? ["x"] + allowed : allowed)
  }

  /// The graph as a message `GraphDef`.
  package var message: Data {
    var graph = ProtocolBuffer()
    for node in nodes {
      graph.add(1) { message in
        message.add(1, node.name)
        message.add(2, node.operation)
        for input in node.inputs { message.add(3, input) }
        message.add(5) { entry in
          entry.add(1, "_output_shapes")
          entry.add(2) { value in
            value.add(1) { list in
              list.add(7) { shape in
                for extent in node.shape { shape.add(2) { $0.add(1, extent) } }
              }
            }
          }
        }
        message.add(5) { entry in
          entry.add(1, "dtype")
          entry.add(2) { $0.add(6, 1) }  // DT_FLOAT
        }
      }
    }
    // The versions that produced the graph and that read it.
    graph.add(4) { $0.add(1, 22) }
    return graph.bytes
  }
}
