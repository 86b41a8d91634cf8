import Foundation
import LabData
import LabNetworks
import LabRandom
import LabTensors
import LabTraining
import Plot

/// An own operation with its own gradient: `x / (1 + exp(-x))` of each element.
func swish(_ x: Tensor) -> Tensor {
  let sigmoid = x.elements.map { 1 / (1 + exp(-$0)) }
  let y = Tensor(zip(x.elements, sigmoid).map { $0 * $1 }, shape: x.shape)
  return y.recorded(from: [x]) { dy in
    let slopes = zip(y.elements, sigmoid).map { y, sigmoid in y + sigmoid * (1 - y) }
    x.receive(Tensor(zip(dy.elements, slopes).map { $0 * $1 }, shape: x.shape))
  }
}

/// An own model.
struct StripeNet: Layer {
  var conv = Conv2d(1, 8, kernelSize: 3, padding: 1)
  var maxPool = MaxPool2d(2)
  var fc = Linear(8 * 8 * 8, 3)

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try fc(flatten(maxPool(swish(conv(x)))))
  }
}

/// Own data: PNG files of noisy stripes in three directions, in one folder per class.
func writeStripes(to folder: URL, count: Int) throws {
  let generator = Generator(seed: 7)
  let directions: [(name: String, along: (Int, Int) -> Int)] = [
    ("diagonal", { $0 + $1 }), ("horizontal", { _, y in y }), ("vertical", { x, _ in x }),
  ]
  for (name, along) in directions {
    for number in 0..<count {
      let noise = generator.uniform(count: 256, -0.1, 0.1)
      let values = noise.enumerated().map { index, noise in
        let isBright = (along(index % 16, index / 16) + number) / 2 % 2 == 0
        return (isBright ? 0.8 : 0.2) + noise
      }
      try saveImage(
        [Image(width: 16, height: 16, values: values)],
        to: folder.appending(path: "\(name)/\(number).png").path)
    }
  }
}

/// Compares the gradient of ``swish(_:)`` with central differences.
func gradientError() throws -> Float {
  let values: [Float] = [-2, -0.5, 0, 0.25, 3]
  let tape = Tape()
  let x = tape.variable(Tensor(values))
  try tape.backward(sum(swish(x)))
  let step: Float = 1e-2
  let expected = values.map { value in
    (swish(Tensor([value + step])).item - swish(Tensor([value - step])).item) / (2 * step)
  }
  let gradient = tape.gradient(of: x)?.elements ?? []
  return zip(gradient, expected).map { abs($0 - $1) }.max() ?? .infinity
}

struct Failure: Error {
  let description: String
}

let folder = URL(filePath: CommandLine.arguments[1], directoryHint: .isDirectory)
let images = folder.appending(path: "stripes")
try writeStripes(to: images, count: 60)
guard try gradientError() < 1e-3 else {
  throw Failure(description: "the gradient of swish differs from central differences")
}

manualSeed(1)
let data = try ImageFolder(images, batchSize: 16)
let model = StripeNet()
let trainer = Trainer(maxEpochs: 8)
trainer.isQuiet = true
// An own loss: cross-entropy with a small penalty for large logits.
trainer.loss = Loss { logits, labels throws(ShapeError) in
  try crossEntropy(logits, labels) + 1e-4 * mean(logits * logits)
}
var losses: [Double] = []
trainer.stepEnded = { step in losses.append(Double(step.loss.item)) }
let history = try trainer.fit(model, data, optimizer: Adam(model.parameters, learningRate: 1e-2))
let results = try trainer.test(model, data)
guard results.accuracy > 0.9, history.count == 8 else {
  throw Failure(description: "test accuracy \(results.accuracy) after \(history.count) epochs")
}

var figure = Figure()
figure[0].plot(losses, label: "train")
figure[0].xlabel = "step"
figure[0].ylabel = "loss"
try figure.save(to: folder.appending(path: "loss.png").path)
print("\(data.train.count) training images, test accuracy \(results.accuracy)")
