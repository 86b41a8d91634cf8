// Does with our models what test_parity.py does with PyTorch's, and leaves the results in files.

import ArgumentParser
import Foundation
import Lab

struct Options: ParsableArguments {
  @Argument(help: "CNN, MLP, ResNet, LineCNNSimple, LineCNN or LineCNNLSTM.") var model: String
  @Argument(help: "A folder with batches.safetensors: x0, y0, x1, y1, …") var folder: String
  @Option(help: "Compute the logits of x0 from these weights, and nothing else.") var weights:
    String?
}

let options = Options.parseOrExit()
let folder = URL(filePath: options.folder, directoryHint: .isDirectory)
let config = DataConfig(
  inputDims: [1, 28, 28], outputDims: [1], mapping: (0..<83).map(String.init))
let lines = DataConfig(
  inputDims: [1, 28, 224], outputDims: [8], mapping: (0..<83).map(String.init))

manualSeed(42)
exitOnError {
  switch options.model {
  case "CNN":
    var cnn = CNN(config)
    cnn.dropout = Dropout(0)
    try compare(cnn, Adam(cnn.parameters))
  case "MLP":
    var mlp = MLP(config)
    mlp.dropout = Dropout(0)
    try compare(mlp, Adam(mlp.parameters))
  case "LineCNNSimple":
    var model = LineCNNSimple(lines, changed(LineCNNSimple.Options()) { $0.windowStride = 28 })
    model.cnn.dropout = Dropout(0)
    try compare(model, Adam(model.parameters))
  case "LineCNN":
    var model = LineCNN(lines, changed(LineCNN.Options(), forLines))
    model.dropout = Dropout(0)
    try compare(model, Adam(model.parameters), reading: .ctc)
  case "LineCNNLSTM":
    var model = LineCNNLSTM(lines, changed(LineCNNLSTM.Options()) { forLines(&$0.lineCNN) })
    model.lineCNN.dropout = Dropout(0)
    try compare(model, Adam(model.parameters), reading: .ctc)
  default:
    let resNet = ResNet(config)
    try compare(resNet, SGD(resNet.parameters, learningRate: 0.01, momentum: 0.9))
  }
}

func forLines(_ options: inout LineCNN.Options) {
  (options.windowWidth, options.windowStride) = (28, 18)
}

/// Options with some changes.
func changed<Options>(_ defaults: Options, _ change: (inout Options) -> Void) -> Options {
  var options = defaults
  change(&options)
  return options
}

/// Writes the initial weights, ten steps' losses, and the weights and logits after them; with
/// `--weights` only the logits that these give.
///
/// - Parameter criterion: The loss of lines; nil for the cross-entropy.
func compare(
  _ model: some Model, _ optimizer: any Optimizer, reading criterion: LineReading.Criterion? = nil
) throws {
  let reading = criterion.map { LineReading($0, padding: 3, special: [0, 1, 2, 3]) }
  let batches = try Safetensors(contentsOf: folder.appending(path: "batches.safetensors"))
  func batch(_ step: Int) throws -> Batch {
    guard let x = batches.tensors["x\(step)"], let y = batches.integers["y\(step)"] else {
      throw TrainingError("batches.safetensors: expected x\(step) and y\(step)")
    }
    return Batch(x: x, y: y)
  }
  if let path = options.weights {
    try Checkpoint.load(URL(filePath: path), into: model)
  } else {
    try Checkpoint.save(model, to: folder.appending(path: "initial.safetensors"))
    let losses = try (0..<10).map { step in
      let batch = try batch(step)
      let tape = Tape()
      optimizer.clearGradients()
      let output = try model(tape.input(batch.x))
      let loss = try reading?.score(output, batch).loss ?? crossEntropy(output, batch.y)
      try tape.backward(loss)
      optimizer.step()
      return loss.item
    }
    try Safetensors(tensors: ["losses": Tensor(losses)])
      .write(to: folder.appending(path: "losses.safetensors"))
    try Checkpoint.save(model, to: folder.appending(path: "trained.safetensors"))
  }
  try Safetensors(tensors: ["logits": model(try batch(0).x)])
    .write(to: folder.appending(path: "logits.safetensors"))
}
