import Foundation
import Lab
import TestSupport
import Testing

/// TensorBoard's own reader reads a graph in `make parity`.
struct NetworkGraphTests {
  @Test func layersAreScopes() throws {
    var options = MLP.Options.defaults
    (options.fc1, options.fc2) = (8, 6)
    let data = DataConfig(inputDims: [1, 8, 8], outputDims: [1], mapping: ["a", "b"])
    let model = seeded(1) { MLP(data, options) }
    let graph = NetworkGraph(try NetworkTrace(model, inputShape: [16, 1, 8, 8]))
    let rows = graph.nodes.map { node in
      "\(node.name) \(node.operation) \(node.shape) <- \(node.inputs.joined(separator: " "))"
    }
    #expect(
      rows == [
        "input Input [16, 1, 8, 8] <- ",
        "MLP/reshape reshape [16, 64] <- input",
        "MLP/fc1/weight Parameter [8, 64] <- ",
        "MLP/fc1/bias Parameter [8] <- ",
        "MLP/fc1/linear linear [16, 8] <- MLP/reshape MLP/fc1/weight MLP/fc1/bias",
        "MLP/relu relu [16, 8] <- MLP/fc1/linear",
        "MLP/dropout/dropout dropout [16, 8] <- MLP/relu",
        "MLP/fc2/weight Parameter [6, 8] <- ",
        "MLP/fc2/bias Parameter [6] <- ",
        "MLP/fc2/linear linear [16, 6] <- MLP/dropout/dropout MLP/fc2/weight MLP/fc2/bias",
        "MLP/relu_1 relu [16, 6] <- MLP/fc2/linear",
        "MLP/dropout/dropout_1 dropout [16, 6] <- MLP/relu_1",
        "MLP/fc3/weight Parameter [2, 6] <- ",
        "MLP/fc3/bias Parameter [2] <- ",
        "MLP/fc3/linear linear [16, 2] <- MLP/dropout/dropout_1 MLP/fc3/weight MLP/fc3/bias",
        "output Output [16, 2] <- MLP/fc3/linear",
      ])
  }

  /// Constants are nodes, a parameter that is used twice is one, and names are those that TensorFlow
  /// allows.
  private struct `Généric`<Value>: Layer {
    let scale = Parameter(Tensor([3]))
    let _value: Value? = nil

    func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
      try (x + 1) * scale.on(x.tape) * scale.on(x.tape)
    }
  }

  @Test func namesAreAllowedAndUnique() throws {
    let graph = NetworkGraph(
      try NetworkTrace(Généric<[Int]>(), inputShape: [2, 1]))
    let names = graph.nodes.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.allSatisfy { $0.wholeMatch(of: /[A-Za-z0-9.][A-Za-z0-9_.\\\/-]*/) != nil })
    #expect(
      graph.nodes.map(\.operation) == [
        "Input", "Constant", "add", "Parameter", "multiply", "multiply", "Output",
      ])
    #expect(graph.nodes[5].inputs == [names[4], names[3]])
  }

  /// The message, byte for byte.
  @Test func aGraphIsItsMessage() throws {
    let graph = NetworkGraph(try NetworkTrace(ReLU(), inputShape: [300, 2]))
    func message(_ field: UInt8, _ bytes: [UInt8]) -> [UInt8] {
      [field << 3 | 2, UInt8(bytes.count)] + bytes
    }
    func text(_ field: UInt8, _ text: String) -> [UInt8] { message(field, Array(text.utf8)) }
    let dims = message(2, [0x08, 0xac, 0x02]) + message(2, [0x08, 0x02])
    let shapes = text(1, "_output_shapes") + message(2, message(1, message(7, dims)))
    let attributes = message(5, shapes) + message(5, text(1, "dtype") + message(2, [0x30, 1]))
    var expected: [UInt8] = []
    for (name, operation, input) in [
      ("input", "Input", nil), ("ReLU/relu", "relu", "input"), ("output", "Output", "ReLU/relu"),
    ] {
      var node = text(1, name) + text(2, operation)
      if let input { node += text(3, input) }
      expected += message(1, node + attributes)
    }
    expected += message(4, [0x08, 22])
    #expect(Array(graph.message) == expected)
  }

  /// A run that is interrupted and resumed has the same graph, once.
  @Test func aRunHasItsGraphOnce() throws {
    let folder = try TemporaryFolder()
    var stops = 0
    try withTinyData { data in
      while true {
        let run = try TrainingRun(folder.url)
        let trainer = quietTrainer(maxEpochs: 2)
        trainer.run = run
        trainer.observers = [GraphLogger(run)]
        var isFirst = true
        trainer.isInterrupted = {
          defer { isFirst = false }
          return isFirst && stops < 3
        }
        let model = seeded(42) { MLP(data.config) }
        do {
          try trainer.fit(model, data, optimizer: SGD(model.parameters))
          break
        } catch is TrainingInterruption {
          stops += 1
        }
      }
    }
    #expect(stops == 3)
    let bytes = try Data(contentsOf: folder.url.appending(path: "events.out.tfevents.lab"))
    #expect(bytes.ranges(of: Data("MLP/fc3/linear".utf8)).count == 2)
    #expect(bytes.ranges(of: Data("_output_shapes".utf8)).count == 16)
  }
}
