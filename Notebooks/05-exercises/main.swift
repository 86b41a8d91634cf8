// # Exercises: a residual network
//
// The homework of the lab: improve the network. In 2015, Kaiming He and others found a way to train
// networks of many layers: each block of layers computes what is *added* to its input, `x + F(x)`. In
// eight exercises you build such a network, make it deeper by an option, and train it against the CNN
// of the course.
//
// You edit this one file. Write your answers between `// BEGIN ANSWER` and `// END ANSWER`: only what
// is between them is graded. Functions, structures and initializers that the exercise gives must keep
// their names and parameters; inside you are free, and may declare helpers. Each exercise has checks
// that say what was expected, what came, and what to look at:
//
// ```text
// lab notebooks watch 05 --quick     the page in the browser, run again whenever you save
// lab notebooks run 05 --quick       once, in the terminal
// ```
//
// There are 30 points. You see the checks for 15 of them. The other 15 are for hidden checks of the
// same answers: other sizes, odd images, other numbers of channels.

import ArgumentParser
import Foundation
import Lab
import Literate
import Notebook
import Plot

struct Parameters: ParsableArguments {
  @OptionGroup var length: TrainingLength
  @OptionGroup var common: NotebookOptions
}

let parameters = Parameters.fromCommandLine()
let data = attempt { try EMNIST(DataOptions(source: parameters.common.dataSource)) }
note(data)

/// Normally distributed random numbers, the same for the same seed.
func randomTensor(_ shape: [Int], seed: UInt64 = 1) -> Tensor {
  Tensor(Generator(seed: seed).normal(count: shape.reduce(1, *)), shape: shape)
}

/// The result of a layer, which must have this shape.
@discardableResult
func result(
  of layer: some Layer, _ x: Tensor, shape: [Int], _ hint: String
) throws -> Tensor {
  let y = try layer(x)
  try expect(
    y.shape == shape, "for x of shape \(x.shape): expected shape \(shape), got \(y.shape); \(hint)")
  return y
}

/// The result of a layer of any shape, in evaluation mode unless x is on a tape.
func evaluated(_ layer: some Layer, _ x: Tensor) throws -> Tensor { try layer(x) }

/// The result of a layer in training mode, which a layer is in on a tape.
func trainingResult(of layer: some Layer, _ x: Tensor) throws -> Tensor {
  try layer(Tape().input(x)).detached
}

/// The value of the first parameter of a layer with this shape.
func weight(of layer: some Layer, shape: [Int]) throws -> Tensor {
  let found = layer.parameters.first { $0.shape == shape }
  try expect(found != nil, "expected a weight of shape \(shape), got none")
  return found?.value ?? Tensor(repeating: 0, shape: shape)
}

/// Two tensors must be equal but for rounding errors.
func expectEqual(
  _ got: Tensor, _ expected: Tensor, within tolerance: Float = 1e-3, _ hint: String
) throws {
  try expect(
    got.shape == expected.shape, "expected shape \(expected.shape), got \(got.shape); \(hint)")
  let differences = zip(got.elements, expected.elements).map { abs($0 - $1) }
  // Also false for NaN.
  let isEqual = differences.allSatisfy { $0 <= tolerance }
  let largest = differences.max() ?? 0
  try expect(
    isEqual, "the result differs from the expected one by up to \(decimals(largest)); \(hint)")
}

/// A layer must have this number of weights.
func expectWeights(_ layer: some Layer, _ count: Int, _ hint: String) throws {
  try expect(
    layer.parameterCount == count,
    "expected \(count) weights, got \(layer.parameterCount); \(hint)")
}

/// Sets all weights of a layer to 0, except the centers of its 3×3 kernels.
func clear(_ layer: some Layer, centers: Float = 0) throws {
  for parameter in layer.parameters {
    var elements = [Float](repeating: 0, count: parameter.count)
    if parameter.shape.suffix(2) == [3, 3] {
      for center in stride(from: 4, to: elements.count, by: 9) { elements[center] = centers }
    }
    try parameter.load(Tensor(elements, shape: parameter.shape))
  }
}

/// Gradients must be equal to central differences, `(L(w + h) - L(w - h)) / 2h`, at three numbers of
/// each weight. L is the sum of all results, each multiplied by a random number.
func expectGradients(of layer: some Layer, _ x: Tensor) throws {
  try expect(layer.parameterCount > 0, "expected weights, got a layer without any")
  let factors = randomTensor(try trainingResult(of: layer, x).shape, seed: 2)
  func loss() throws -> Double {
    zip(try trainingResult(of: layer, x).elements, factors.elements)
      .reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }
  let tape = Tape()
  try tape.backward(try layer(tape.input(x)), gradient: factors)
  for (name, parameter) in layer.namedParameters.map({ ($0.path, $0.parameter) }) {
    let value = parameter.value
    let gradient = parameter.gradient?.elements ?? [Float](repeating: 0, count: parameter.count)
    for index in Set([0, parameter.count / 2, parameter.count - 1]).sorted() {
      // Where a ReLU bends between w - h and w + h, the difference is wrong: try two steps.
      let differences = try [1e-3, 2e-4].map { (step: Float) in
        let losses = try [step, -step].map { change in
          var elements = value.elements
          elements[index] += change
          try parameter.load(Tensor(elements, shape: parameter.shape))
          return try loss()
        }
        return Float((losses[0] - losses[1]) / Double(2 * step))
      }
      try parameter.load(value)
      let got = gradient[index]
      try expect(
        differences.contains { abs($0 - got) <= 0.05 * (1 + abs(got)) },
        "the gradient of \(name)[\(index)] is \(decimals(got)), but a small change of it changes "
          + "the result by \(decimals(differences[1])) times as much; is each step an operation on "
          + "tensors, without reading elements in between?")
    }
  }
}

/// A number with four decimals.
func decimals(_ number: Float) -> String { String(format: "%.4f", Double(number)) }

// The CNN of the course is trained for a short time: a budget of few batches. In the last exercise
// your own network gets the same budget. It is trained by the one-cycle policy: the learning rate
// rises to a maximum and falls to almost zero. Both maximum and network are yours to choose then; for
// the CNN the maximum is 0.01, which is good for it.
cell("The network to beat", tolerance: 0.08, ignoring: ["Processor: "])

/// The accuracies of a trained network.
nonisolated struct Accuracies: Codable {
  let val, test: Double
}

/// Trains a network on the budget, and tests it.
func train(
  _ name: String, _ model: some Model, maxLearningRate: Double
) throws -> Accuracies {
  let trainer = Trainer(maxEpochs: parameters.length.maxEpochs ?? 1)
  trainer.limitTrainBatches =
    parameters.length.limitTrainBatches ?? .count(parameters.common.quick ? 100 : 400)
  trainer.limitValBatches = .count(50)
  if parameters.common.quick { trainer.limitTestBatches = .count(50) }
  let steps = max(1, trainer.totalSteps(data))
  return try cached(name, training: model, with: trainer) {
    let history = try trainer.fit(
      model, data, optimizer: Adam(model.parameters),
      schedule: OneCycleLR(maxLearningRate: maxLearningRate, totalSteps: steps))
    let results = try trainer.test(model, data)
    let accuracies = Accuracies(
      val: history.last?.val?.accuracy ?? 0, test: results.accuracy)
    print("Test accuracy: \(String(format: "%.4f", accuracies.test))")
    return accuracies
  }
}

manualSeed(UInt64(parameters.common.seed))
let cnn = CNN(data.config)
let cnnAccuracies = attempt { try train("CNN", cnn, maxLearningRate: 1e-2) }

// A residual block is the formula relu(x + F(x)), where F is two convolutions. The first idea: replace
// the body of the network by it, in one line. Pooling, `flatten` and the fully connected layers go.
//
// **Before you run it**, predict the shape of the result for a batch of images, and the shape that the
// loss needs. x has one channel, F(x) has `convDim` of them; think of what `+` does then. When your
// prediction is right, the check shows the error. (2 points)
cell("Exercise 1: a block, pasted in")

nonisolated struct PastedBlock: Layer {
  let conv1, conv2: ConvBlock

  init(_ inputChannels: Int, convDim: Int) {
    conv1 = ConvBlock(inputChannels, convDim)
    conv2 = ConvBlock(convDim, convDim)
  }

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try relu(x + conv2(conv1(x)))
  }
}

/// The shape of the result, and the shape that the loss needs.
///
/// - Parameters:
///   - images: The number of images in the batch.
///   - size: The height and width of an image of one channel.
///   - convDim: The number of channels of both convolutions.
///   - classes: The number of classes.
func predictedShapes(
  images: Int, size: (height: Int, width: Int), convDim: Int, classes: Int
) throws -> (result: [Int], needed: [Int]) {
  // BEGIN SOLUTION: pasted block
  // Broadcasting repeats the one channel of x, so that the sum has the shape of F(x): maps of
  // features. What is missing are the layers from features to one number for each class.
  ([images, convDim, size.height, size.width], [images, classes])
  // END SOLUTION
}

/// The prediction must be right; returns the error of the loss.
func comparePrediction(
  images: Int, size: (height: Int, width: Int), convDim: Int, classes: Int
) throws -> String {
  let predicted = try predictedShapes(
    images: images, size: size, convDim: convDim, classes: classes)
  let y = try PastedBlock(1, convDim: convDim)(randomTensor([images, 1, size.height, size.width]))
  try expect(
    predicted.result == y.shape,
    "the result does not have the shape \(predicted.result); which shape has F(x), and which one "
      + "has its sum with x of shape \([images, 1, size.height, size.width])?")
  let labels = IntTensor((0..<images).map { $0 % classes })
  try expect(
    predicted.needed == [images, classes],
    "the loss needs another shape than \(predicted.needed): a number for each image and class")
  do {
    _ = try crossEntropy(y, labels)
    return "no error"
  } catch {
    return "\(error)"
  }
}

check("1: the shapes of a batch of EMNIST") {
  let error = try comparePrediction(images: 4, size: (28, 28), convDim: 64, classes: 62)
  print("The error of the pasted block: \(error)")
}
// BEGIN HIDDEN TESTS
check("1: the shapes of other batches") {
  _ = try comparePrediction(images: 3, size: (9, 7), convDim: 5, classes: 10)
  _ = try comparePrediction(images: 1, size: (4, 6), convDim: 2, classes: 7)
}
// END HIDDEN TESTS

// Now everything else stays, and only the input is added to the result of the second convolution,
// before pooling. You find the CNN in [CNN.swift](../../Sources/Lab/Models/CNN.swift); its layers are
// `cnn.conv1`, `cnn.conv2`, `cnn.maxPool`, `cnn.dropout`, `cnn.fc1` and `cnn.fc2`.
//
// It runs, although x has one channel and the sum has 64: broadcasting adds the same image to all 64
// feature maps. Does that help? A convolution could have passed the image on by itself, so not really,
// and there is no error that says so. In the next exercises the shapes will be equal. (2 points)
cell("Exercise 2: the input added to the CNN")

nonisolated struct InputAdded: Model {
  let cnn: CNN

  init(_ data: DataConfig, _ options: CNN.Options = .defaults) { cnn = CNN(data, options) }

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    // BEGIN SOLUTION: input added
    // STUB: return try cnn(x)
    var y = try x + cnn.conv2(cnn.conv1(x))
    y = try cnn.maxPool(y)
    y = cnn.dropout(y)
    y = try flatten(y)
    y = try relu(cnn.fc1(y))
    return try cnn.fc2(y)
    // END SOLUTION
  }
}

check("2: the input reaches the fully connected layers") {
  let model = InputAdded(data.config)
  let images = randomTensor([3, 1, 28, 28])
  let classes = data.mapping.count
  try result(
    of: model, images, shape: [3, classes], "everything after the sum stays as in the CNN")
  try expectWeights(model, CNN(data.config).parameterCount, "a sum has no weights")
  // Without the convolutions, only what was added is left.
  try clear(model.cnn.conv2)
  let y = try result(of: model, images, shape: [3, classes], "the same shape as before")
  try expect(
    y[0] != y[1],
    "with the weights of conv2 set to 0, two different images give equal results; the image itself "
      + "must be added to what the second convolution gives")
}
// BEGIN HIDDEN TESTS
check("2: equal to a plain computation") {
  var few = CNN.Options()
  (few.convDim, few.fcDim) = (3, 11)
  let small = DataConfig(inputDims: [1, 14, 10], outputDims: [1], mapping: ["a", "b", "c", "d"])
  let model = InputAdded(small, few)
  let images = randomTensor([2, 1, 14, 10], seed: 3)
  let features = try maxPool2d(
    images + model.cnn.conv2(model.cnn.conv1(images)), size: 2, stride: 2)
  let expected = try model.cnn.fc2(relu(model.cnn.fc1(flatten(features))))
  try expectEqual(
    try evaluated(model, images), expected, "the image is added after conv2 and before pooling")
}
// END HIDDEN TESTS

// This is a residual block as in the paper: x goes through two weight layers, here 3×3 convolutions
// with padding 1, with a ReLU between them. Then x itself is added, and a second ReLU follows. If F is
// of no use, its weights can go to zero and the block passes x on: more blocks cannot make it much
// worse. In the backward pass, the gradient has a path without any layer.
//
// x and F(x) must have the same shape. If F changes the number of channels, x goes through a 1×1
// convolution with the same change.
//
// Write such a block. The convolutions are `Conv2d` with their biases, and there is a 1×1 convolution
// only if the numbers of channels differ. (6 points)
cell("Exercise 3: a residual block")

/// Draws a residual block.
///
/// - Parameters:
///   - layers: The text of each box in F, from top to bottom.
///   - shortcut: The text of a box on the skip connection; nil for none.
func blockDiagram(_ layers: [String], shortcut: String? = nil) -> Figure {
  let top = Double(layers.count)
  let (sum, bottom) = (-0.5, -1.45)
  let middle = (top + sum) / 2
  var figure = Figure(size: (4, 0.62 * (top - bottom) + 0.4))
  figure[0].frame = false
  (figure[0].xlim, figure[0].ylim) = (-1.65...2.65, bottom - 0.05...top + 0.35)
  let blue = Color(red: 222, green: 235, blue: 247)
  // From x at the top down to the sum.
  figure[0].text("x", at: (-0.15, top + 0.15), align: .right, fontsize: 12)
  figure[0].arrow([(0, top + 0.3), (0, top - 0.45)])
  for (index, layer) in layers.enumerated() {
    let isLast = index == layers.count - 1
    let y = top - 0.75 - Double(index)
    figure[0].box(layer, at: (0, y), size: (2, 0.6), facecolor: blue)
    figure[0].arrow([(0, y - 0.3), (0, y - (isLast ? 0.55 : 0.7))])
    if !isLast { figure[0].text("relu", at: (0.12, y - 0.5), align: .left) }
  }
  figure[0].text("F(x)", at: (-1.1, middle), align: .right, fontsize: 12)
  figure[0].box("+", at: (0, sum), size: (0.42, 0.4), style: .circle, fontsize: 12)
  // Around F.
  figure[0].arrow([(0, top), (1.9, top), (1.9, sum), (0.17, sum)], rounding: 12)
  if let shortcut {
    figure[0].box(shortcut, at: (1.9, middle), size: (1.3, 0.9), facecolor: blue)
  } else {
    figure[0].text("F(x) + x", at: (-0.3, sum), align: .right, fontsize: 12)
    figure[0].text("x", at: (2, middle + 0.15), align: .left, fontsize: 12)
    figure[0].text("identity", at: (2, middle - 0.15), align: .left)
  }
  figure[0].arrow([(0, sum - 0.2), (0, bottom)])
  figure[0].text("relu", at: (0.12, sum - 0.5), align: .left)
  return figure
}

show(
  blockDiagram(["weight layer", "weight layer"]), as: "residual-block",
  alt: "x goes through a weight layer, a ReLU and a second weight layer, which is F(x); an arrow "
    + "around them adds x; a ReLU follows")

// BEGIN SOLUTION: residual block
// STUB: nonisolated struct Block: Layer {
// STUB:   init(_ inputChannels: Int, _ outputChannels: Int) {
// STUB:   }
// STUB:
// STUB:   func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
// STUB:     x
// STUB:   }
// STUB: }
nonisolated struct Block: Layer {
  let conv1, conv2: Conv2d
  let shortcut: Conv2d?

  init(_ inputChannels: Int, _ outputChannels: Int) {
    conv1 = Conv2d(inputChannels, outputChannels, kernelSize: 3, padding: 1)
    conv2 = Conv2d(outputChannels, outputChannels, kernelSize: 3, padding: 1)
    let isSame = inputChannels == outputChannels
    shortcut = isSame ? nil : Conv2d(inputChannels, outputChannels, kernelSize: 1)
  }

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    let y = try conv2(relu(conv1(x)))
    return try relu(y + (shortcut?(x) ?? x))
  }
}
// END SOLUTION

check("3: shapes and number of weights") {
  try result(
    of: Block(16, 16), randomTensor([2, 16, 7, 7]), shape: [2, 16, 7, 7],
    "padding 1 keeps the size of an image")
  try expectWeights(
    Block(16, 16), 2 * (16 * 16 * 9 + 16), "two 3×3 convolutions from 16 to 16 channels")
  try result(
    of: Block(8, 16), randomTensor([2, 8, 7, 7]), shape: [2, 16, 7, 7],
    "the second number is that of the result's channels")
  try expectWeights(
    Block(8, 16), 8 * 16 * 9 + 16 + 16 * 16 * 9 + 16 + 8 * 16 + 16,
    "3×3 convolutions from 8 to 16 and from 16 to 16 channels, and a 1×1 convolution from 8 to 16")
}
check("3: gradients") {
  try expectGradients(of: Block(2, 3), randomTensor([1, 2, 4, 4]))
}
check("3: without weights it is relu(x), and F has a ReLU inside") {
  let x = randomTensor([2, 4, 5, 5])
  let block = Block(4, 4)
  try clear(block)
  try expectEqual(
    try evaluated(block, x), relu(x), "with all weights 0, F(x) is 0, and relu(x) is left")
  // Both convolutions only change the sign of a single channel.
  let positive = abs(randomTensor([1, 1, 3, 3]))
  let single = Block(1, 1)
  try clear(single, centers: -1)
  try expectEqual(
    try evaluated(single, positive), positive,
    "if both convolutions change the sign of a positive x, the ReLU between them leaves nothing, "
      + "and the result is x")
}
// BEGIN HIDDEN TESTS
check("3: other sizes") {
  for (shape, channels) in [([1, 3, 5, 4], 5), ([2, 6, 1, 1], 2), ([3, 1, 2, 9], 1)] {
    let block = Block(shape[1], channels)
    try result(
      of: block, randomTensor(shape), shape: [shape[0], channels, shape[2], shape[3]],
      "images may have any height and width")
    let shortcut = shape[1] == channels ? 0 : shape[1] * channels + channels
    let expected = (shape[1] + channels) * channels * 9 + 2 * channels + shortcut
    try expectWeights(block, expected, "for \(shape[1]) to \(channels) channels")
  }
}
check("3: the skip connection with a change of channels") {
  let block = Block(2, 3)
  let x = randomTensor([2, 2, 5, 4])
  let kernel = try weight(of: block, shape: [3, 2, 1, 1])
  try clear(block)
  for parameter in block.parameters where parameter.shape == [3, 2, 1, 1] {
    try parameter.load(kernel)
  }
  try expectEqual(
    try evaluated(block, x), relu(try conv2d(x, weight: kernel)),
    "with the weights of F 0, the result is relu of the 1×1 convolution of x")
}
check("3: equal to a plain computation") {
  let block = Block(2, 3)
  let x = randomTensor([2, 2, 6, 5], seed: 4)
  for bias in block.parameters where bias.shape == [3] {
    try bias.load(Tensor(repeating: 0, shape: [3]))
  }
  let inner = relu(try conv2d(x, weight: weight(of: block, shape: [3, 2, 3, 3]), padding: 1))
  let f = try conv2d(inner, weight: weight(of: block, shape: [3, 3, 3, 3]), padding: 1)
  try expectEqual(
    try evaluated(block, x),
    relu(try f + conv2d(x, weight: weight(of: block, shape: [3, 2, 1, 1]))),
    "relu(x + F(x)), where F is convolution, ReLU, convolution")
}
// END HIDDEN TESTS

// In a network of many blocks, the sums grow from block to block. Batch normalization keeps them in
// range: `BatchNorm2d(channels)` after each convolution, also after the one on the skip connection,
// and before each ReLU. It subtracts a channel's mean, so that a bias before it would have no effect:
// the convolutions get `bias: false`.
//
// In training, it uses mean and variance of the batch. In evaluation, it uses the running statistics
// of the batches so far, so that the result for an image does not depend on its neighbors. Here, being
// on a tape means training, as for dropout. The check prints how far the two are apart before there
// were any batches. (4 points)
cell("Exercise 4: batch normalization")

// BEGIN SOLUTION: batch normalization
// STUB: nonisolated struct NormBlock: Layer {
// STUB:   init(_ inputChannels: Int, _ outputChannels: Int) {
// STUB:   }
// STUB:
// STUB:   func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
// STUB:     x
// STUB:   }
// STUB: }
nonisolated struct NormBlock: Layer {
  let conv1, conv2: Conv2d
  let norm1, norm2: BatchNorm2d
  let shortcut: Sequential?

  init(_ inputChannels: Int, _ outputChannels: Int) {
    conv1 = Conv2d(inputChannels, outputChannels, kernelSize: 3, padding: 1, bias: false)
    conv2 = Conv2d(outputChannels, outputChannels, kernelSize: 3, padding: 1, bias: false)
    (norm1, norm2) = (BatchNorm2d(outputChannels), BatchNorm2d(outputChannels))
    shortcut =
      inputChannels == outputChannels
      ? nil
      : Sequential(
        Conv2d(inputChannels, outputChannels, kernelSize: 1, bias: false),
        BatchNorm2d(outputChannels))
  }

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    let y = try norm2(conv2(relu(norm1(conv1(x)))))
    return try relu(y + (shortcut?(x) ?? x))
  }
}
// END SOLUTION

/// The number of weights of a block with batch normalization.
func normBlockWeights(_ input: Int, _ output: Int, hasShortcut: Bool) -> Int {
  (input + output) * output * 9 + 4 * output + (hasShortcut ? input * output + 2 * output : 0)
}

check("4: number of weights and of running statistics") {
  for (input, output) in [(16, 16), (8, 16)] {
    let block = NormBlock(input, output)
    let hasShortcut = input != output
    try result(
      of: block, randomTensor([2, input, 6, 6]), shape: [2, output, 6, 6], "the shapes stay")
    try expectWeights(
      block, normBlockWeights(input, output, hasShortcut: hasShortcut),
      "for \(input) to \(output) channels: no biases in convolutions, and each batch normalization "
        + "has two numbers for each channel")
    let norms = hasShortcut ? 3 : 2
    try expect(
      block.namedStatistics.count == norms,
      "for \(input) to \(output) channels: expected \(norms) batch normalizations, got "
        + "\(block.namedStatistics.count); one follows each convolution")
  }
}
check("4: training and evaluation differ") {
  let x = randomTensor([4, 3, 6, 6]) * 3 + 2
  let block = NormBlock(3, 5)
  let evaluation = try evaluated(block, x)
  let training = try trainingResult(of: block, x)
  try expect(
    evaluation.shape == training.shape, "expected equal shapes in training and evaluation")
  let largest = zip(evaluation.elements, training.elements).map { abs($0 - $1) }.max() ?? 0
  try expect(
    largest > 0.1,
    "the results of training and evaluation differ by \(decimals(largest)) only; is each "
      + "convolution followed by batch normalization?")
  try expect(
    !block.namedStatistics.isEmpty
      && block.namedStatistics.allSatisfy { $0.statistics.batches == 1 },
    "after one batch, expected running statistics of one batch in each layer; each batch "
      + "normalization is called once")
  print("Largest difference of training and evaluation: \(String(format: "%.1f", largest))")
}
// BEGIN HIDDEN TESTS
check("4: after many batches, evaluation is like training") {
  let x = randomTensor([4, 2, 9, 7], seed: 5) * 2 - 1
  let block = NormBlock(2, 4)
  try expect(!block.namedStatistics.isEmpty, "expected batch normalization, got none")
  for _ in 0..<150 { _ = try trainingResult(of: block, x) }
  try expectEqual(
    try evaluated(block, x), try trainingResult(of: block, x), within: 0.05,
    "after 150 times the same batch, the running statistics are those of the batch")
}
check("4: gradients, and relu(x) without weights in its convolutions") {
  try expectGradients(of: NormBlock(2, 3), randomTensor([2, 2, 3, 4]))
  let x = randomTensor([2, 4, 5, 3])
  let block = NormBlock(4, 4)
  for parameter in block.parameters where parameter.shape.count == 4 {
    try parameter.load(Tensor(repeating: 0, shape: parameter.shape))
  }
  try expectEqual(
    try trainingResult(of: block, x), relu(x),
    "with the kernels of F 0, relu(x) is left: x itself is not normalized if its shape does not "
      + "change")
}
// END HIDDEN TESTS

// So far, a block keeps the height and width of images. Networks make them smaller from stage to
// stage, and have more channels instead. The CNN does this by max pooling; the ResNet of the paper by
// strides: the first convolution of F and the one on the skip connection move by two pixels. There
// must be a convolution on the skip connection if *any* part of the shape changes. In the drawing, an
// image of odd height is halved as well: rounded up.
//
// Write the block of exercise 4 with one more parameter, `stride`. (4 points)
cell("Exercise 5: strides")

show(
  blockDiagram(["3×3, stride 2", "3×3"], shortcut: "1×1,\nstride 2"),
  as: "block-with-stride",
  alt:
    "x goes through a 3×3 convolution of stride 2, a ReLU and a 3×3 convolution; on the way around "
    + "them is a 1×1 convolution of stride 2; their sum goes through a ReLU")

// BEGIN SOLUTION: strides
// STUB: nonisolated struct StridedBlock: Layer {
// STUB:   init(_ inputChannels: Int, _ outputChannels: Int, stride: Int = 1) {
// STUB:   }
// STUB:
// STUB:   func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
// STUB:     x
// STUB:   }
// STUB: }
nonisolated struct StridedBlock: Layer {
  let conv1, conv2: Conv2d
  let norm1, norm2: BatchNorm2d
  let shortcut: Sequential?

  init(_ inputChannels: Int, _ outputChannels: Int, stride: Int = 1) {
    conv1 = Conv2d(
      inputChannels, outputChannels, kernelSize: 3, stride: stride, padding: 1, bias: false)
    conv2 = Conv2d(outputChannels, outputChannels, kernelSize: 3, padding: 1, bias: false)
    (norm1, norm2) = (BatchNorm2d(outputChannels), BatchNorm2d(outputChannels))
    shortcut =
      inputChannels == outputChannels && stride == 1
      ? nil
      : Sequential(
        Conv2d(inputChannels, outputChannels, kernelSize: 1, stride: stride, bias: false),
        BatchNorm2d(outputChannels))
  }

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    let y = try norm2(conv2(relu(norm1(conv1(x)))))
    return try relu(y + (shortcut?(x) ?? x))
  }
}
// END SOLUTION

check("5: half the size") {
  for (size, half) in [([8, 8], [4, 4]), ([7, 5], [4, 3])] {
    try result(
      of: StridedBlock(4, 8, stride: 2), randomTensor([2, 4] + size), shape: [2, 8] + half,
      "both ways through the block have the stride; the 3×3 convolutions have padding 1, the 1×1 "
        + "convolution has none")
  }
}
check("5: number of weights") {
  for stride in 1...2 {
    let block = StridedBlock(4, 8, stride: stride)
    try expectWeights(
      block, normBlockWeights(4, 8, hasShortcut: true), "a stride changes no number of weights")
  }
  try expectWeights(
    StridedBlock(8, 8), normBlockWeights(8, 8, hasShortcut: false),
    "with equal channels and stride 1 nothing is on the skip connection")
}
// BEGIN HIDDEN TESTS
check("5: other sizes and strides") {
  let cases = [
    ([9, 9], 2, [5, 5]), ([1, 1], 2, [1, 1]), ([10, 7], 3, [4, 3]), ([6, 3], 1, [6, 3]),
  ]
  for (size, stride, smaller) in cases {
    let block = StridedBlock(3, 5, stride: stride)
    let x = randomTensor([2, 3] + size)
    try result(of: block, x, shape: [2, 5] + smaller, "stride \(stride)")
    let trained = try trainingResult(of: block, x)
    try expect(
      trained.shape == [2, 5] + smaller,
      "in training: expected shape \([2, 5] + smaller), got \(trained.shape)")
  }
}
check("5: half the size, equal channels") {
  let block = StridedBlock(4, 4, stride: 2)
  try result(
    of: block, randomTensor([2, 4, 6, 5]), shape: [2, 4, 3, 3],
    "the shape changes although the number of channels does not: x needs its convolution")
  let expected = normBlockWeights(4, 4, hasShortcut: true)
  try expectWeights(block, expected, "with the convolution on the skip connection")
  try expectGradients(of: block, randomTensor([2, 4, 4, 4]))
}
// END HIDDEN TESTS

// Blocks can be stacked, as many as you like. Build the network from blocks of exercise 5:
//
// | part | channels | size |
// | --- | --- | --- |
// | stem: 3×3 convolution without bias, batch normalization, ReLU | `channels` | 28 × 28 |
// | stage 1: `blocks` blocks | `channels` | 28 × 28 |
// | stage 2: `blocks` blocks, the first one with stride 2 | 2 × `channels` | 14 × 14 |
// | stage 3: `blocks` blocks, the first one with stride 2 | 4 × `channels` | 7 × 7 |
// | `globalAveragePool` | 4 × `channels` | |
// | fully connected layer, with bias | classes | |
//
// Each of the two options is one line in a list, from which the command line, its help and its error
// messages are made: see how [CNN.swift](../../Sources/Lab/Models/CNN.swift) declares `conv_dim`. Here
// they are `blocks`, from 1 to 100, by default 1, and `channels`, from 1 to 1024, by default 16. Layers
// in an array are found, too: `Sequential(layers)` takes one. (4 points)
cell("Exercise 6: the number of blocks as an option")

// BEGIN SOLUTION: number of blocks
// STUB: nonisolated struct DeepNetwork: Model {
// STUB:   nonisolated struct Options: ModelOptions {
// STUB:     static let fields: [OptionField<Self>] = []
// STUB:   }
// STUB:
// STUB:   init(_ data: DataConfig, _ options: Options) {
// STUB:   }
// STUB:
// STUB:   func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
// STUB:     x
// STUB:   }
// STUB: }
nonisolated struct DeepNetwork: Model {
  nonisolated struct Options: ModelOptions {
    var blocks = 1
    var channels = 16

    static let fields: [OptionField<Self>] = [
      .int("blocks", \.blocks, 1...100, help: "Blocks in each stage."),
      .size("channels", \.channels, 1...1024, help: "Channels of the first stage."),
    ]
  }

  let stem: Sequential
  let blocks: [StridedBlock]
  let fc: Linear

  init(_ data: DataConfig, _ options: Options) {
    stem = Sequential(
      Conv2d(data.inputDims[0], options.channels, kernelSize: 3, padding: 1, bias: false),
      BatchNorm2d(options.channels), ReLU())
    var blocks: [StridedBlock] = []
    var channels = options.channels
    for width in [1, 2, 4].map({ $0 * options.channels }) {
      for index in 0..<options.blocks {
        blocks.append(
          StridedBlock(channels, width, stride: index == 0 && width > options.channels ? 2 : 1))
        channels = width
      }
    }
    self.blocks = blocks
    fc = Linear(channels, data.mapping.count)
  }

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    var x = try stem(x)
    for block in blocks { x = try block(x) }
    return try fc(globalAveragePool(x))
  }
}
// END SOLUTION

/// The number of weights of the network in the table.
func deepNetworkWeights(_ data: DataConfig, blocks: Int, channels: Int) -> Int {
  var sum = data.inputDims[0] * channels * 9 + 2 * channels
  var input = channels
  for output in [channels, 2 * channels, 4 * channels] {
    for _ in 0..<blocks {
      sum += normBlockWeights(input, output, hasShortcut: input != output)
      input = output
    }
  }
  return sum + input * data.mapping.count + data.mapping.count
}

/// The network with these options, whose number of weights and result must be right.
func expectDeepNetwork(
  _ data: DataConfig, blocks: Int, channels: Int, images: Int
) throws {
  let options = try DeepNetwork.Options([
    "blocks": .int(blocks), "channels": .int(channels),
  ])
  let network = DeepNetwork(data, options)
  try expectWeights(
    network, deepNetworkWeights(data, blocks: blocks, channels: channels),
    "for blocks \(blocks), channels \(channels): see the table; only the first block of stages 2 "
      + "and 3 changes the number of channels")
  try result(
    of: network, randomTensor([images] + data.inputDims), shape: [images, data.mapping.count],
    "a number for each class")
}

check("6: one block in each stage") {
  try expectDeepNetwork(data.config, blocks: 1, channels: 16, images: 2)
  let network = DeepNetwork(data.config, .defaults)
  try expectWeights(
    network, deepNetworkWeights(data.config, blocks: 1, channels: 16),
    "by default there is one block, and 16 channels")
  print("One block in each stage: \(network.parameterCount) weights")
}
check("6: two blocks in each stage") {
  try expectDeepNetwork(data.config, blocks: 2, channels: 16, images: 2)
}
// BEGIN HIDDEN TESTS
check("6: three blocks, images of three channels") {
  let other = DataConfig(inputDims: [3, 13, 10], outputDims: [1], mapping: ["a", "b", "c"])
  try expectDeepNetwork(other, blocks: 3, channels: 5, images: 3)
  for wrong in [0, 101] {
    let options = try? DeepNetwork.Options(["blocks": .int(wrong)])
    try expect(
      options == nil, "--blocks=\(wrong): expected an error, because the range is 1 to 100")
  }
}
check("6: every weight is used") {
  let network = DeepNetwork(data.config, try DeepNetwork.Options(["blocks": 2, "channels": 4]))
  let tape = Tape()
  let y = try evaluated(network, tape.input(randomTensor([4] + data.config.inputDims)))
  try tape.backward(y, gradient: randomTensor(y.shape, seed: 2))
  for named in network.namedParameters {
    try expect(
      named.parameter.gradient?.elements.contains { $0 != 0 } == true,
      "the loss does not depend on \(named.path); is each layer called?")
  }
  try expect(network.parameterCount > 0, "expected weights, got none")
}
// END HIDDEN TESTS

// In this package as in PyTorch, there is a ReLU twice: the layer `ReLU()` and the function `relu(x)`.
// Which one is right, and what is the difference? Write the block of exercise 3 for equal numbers of
// channels once with each: `BlockWithLayer` holds F as a `Sequential` of three layers, and a `ReLU()`
// for the end; `BlockWithFunction` calls the function. Then say which of these statements are true:
//
// - **a** The layer has weights that are trained, the function has none.
// - **b** The same `ReLU()` may be called at two places of a network.
// - **c** In a `Sequential` there is only place for the layer.
// - **d** Gradients pass through the layer only; the function is for evaluation.
//
// (3 points; the statements are checked when your answers are graded)
cell("Exercise 7: a ReLU layer or the relu function?")

// BEGIN SOLUTION: ReLU twice
// STUB: nonisolated struct BlockWithLayer: Layer {
// STUB:   init(_ channels: Int) {
// STUB:   }
// STUB:
// STUB:   func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
// STUB:     x
// STUB:   }
// STUB: }
// STUB:
// STUB: nonisolated struct BlockWithFunction: Layer {
// STUB:   init(_ channels: Int) {
// STUB:   }
// STUB:
// STUB:   func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
// STUB:     x
// STUB:   }
// STUB: }
// Both compute the same. A layer is a value that can be held: in a property, in a list, in a
// Sequential, which calls one layer after another. It appears in the list of the network's parts. The
// function is a call, written where it happens. ReLU has no weights, so that nothing has to be held: a
// layer is needed only where a layer must be given, as in a Sequential. A layer with weights, such as
// Conv2d, must be held, or its weights would be new in each call.
nonisolated struct BlockWithLayer: Layer {
  let f: Sequential
  let relu = ReLU()

  init(_ channels: Int) {
    f = Sequential(
      Conv2d(channels, channels, kernelSize: 3, padding: 1), ReLU(),
      Conv2d(channels, channels, kernelSize: 3, padding: 1))
  }

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try relu(x + f(x))
  }
}

nonisolated struct BlockWithFunction: Layer {
  let conv1, conv2: Conv2d

  init(_ channels: Int) {
    conv1 = Conv2d(channels, channels, kernelSize: 3, padding: 1)
    conv2 = Conv2d(channels, channels, kernelSize: 3, padding: 1)
  }

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try relu(x + conv2(relu(conv1(x))))
  }
}
// END SOLUTION

/// The letters of the true statements.
func trueStatements() throws -> Set<Character> {
  // BEGIN SOLUTION: true statements
  ["b", "c"]
  // END SOLUTION
}

/// The number of ReLU layers among the properties of a value, and in sequences of layers.
func reluLayers(in value: Any) -> Int {
  if value is ReLU { return 1 }
  guard !(value is Parameter || value is Tensor) else { return 0 }
  return Mirror(reflecting: value).children.reduce(0) { $0 + reluLayers(in: $1.value) }
}

check("7: both blocks have equally many weights, one has ReLU layers") {
  let (withLayer, withFunction) = (BlockWithLayer(3), BlockWithFunction(3))
  for count in [withLayer.parameterCount, withFunction.parameterCount] {
    try expect(
      count == 2 * (3 * 3 * 9 + 3),
      "expected two 3×3 convolutions with \(2 * (3 * 3 * 9 + 3)) weights, got \(count)")
  }
  let layers = [reluLayers(in: withLayer), reluLayers(in: withFunction)]
  try expect(
    layers[0] >= 1, "expected ReLU() among the layers of BlockWithLayer, got \(layers[0])")
  try expect(
    layers[1] == 0, "expected no ReLU() in BlockWithFunction, got \(layers[1])")
}
check("7: both blocks give the same") {
  let (withLayer, withFunction) = (BlockWithLayer(4), BlockWithFunction(4))
  let x = randomTensor([2, 4, 6, 5])
  try expect(
    withLayer.parameters.map(\.shape) == withFunction.parameters.map(\.shape)
      && withLayer.parameterCount > 0,
    "expected weights of the same shapes in the same order; declare the convolutions in the order "
      + "in which they are called")
  for (from, to) in zip(withLayer.parameters, withFunction.parameters) { try to.load(from.value) }
  let y = try result(of: withLayer, x, shape: x.shape, "the shape stays")
  try expectEqual(
    try evaluated(withFunction, x), y, "with the same weights, both give the same results")
  try clear(withLayer)
  try expectEqual(
    try evaluated(withLayer, x), relu(x), "with all weights 0, the block is relu(x)")
}
// BEGIN HIDDEN TESTS
check("7: the true statements") {
  let answer = try trueStatements()
  let right = "abcd".count { answer.contains($0) == "bc".contains($0) }
  if right < 4 { print("\(right) of 4 statements are judged rightly") }
  // Two of four are right by chance.
  return Double(right - 2) / 2
}
// END HIDDEN TESTS

// Now your own network, any that you like: it gets the same images, the same few batches and the same
// schedule as the CNN at the top, and may have at most 500,000 weights. `maxLearningRate` is yours,
// too. Half of the first check's points are for the accuracy of the CNN on validation images, all of
// them for 2 % more; the hidden check wants the same on test images, and up to 4 % more.
//
// What to think of: the budget is short, so that a network has to learn fast. Batch normalization
// allows a high learning rate. Many channels at full size cost time. Global average pooling has few
// weights, but forgets where something was; `flatten` does not. Residual blocks as you have them can be
// combined with max pooling. (5 points)
cell("Exercise 8: better than the CNN", tolerance: 0.08, ignoring: ["Processor: "])

// BEGIN SOLUTION: own network
// STUB: nonisolated struct OwnNetwork: Model {
// STUB:   static let maxLearningRate = 1e-3
// STUB:   let fc: Linear
// STUB:
// STUB:   init(_ data: DataConfig, _ options: CNN.Options) {
// STUB:     fc = Linear(data.inputDims.reduce(1, *), data.mapping.count)
// STUB:   }
// STUB:
// STUB:   func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
// STUB:     try fc(flatten(x))
// STUB:   }
// STUB: }
nonisolated struct OwnNetwork: Model {
  static let maxLearningRate = 1e-2

  let stem: Sequential
  let block1, block2: StridedBlock
  let pool = MaxPool2d(2)
  let dropout = Dropout(0.25)
  let fc: Linear

  init(_ data: DataConfig, _ options: CNN.Options) {
    stem = Sequential(
      Conv2d(data.inputDims[0], 32, kernelSize: 3, padding: 1, bias: false), BatchNorm2d(32),
      ReLU())
    block1 = StridedBlock(32, 64)
    block2 = StridedBlock(64, 64)
    fc = Linear(64 * (data.inputDims[1] / 4) * (data.inputDims[2] / 4), data.mapping.count)
  }

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    var x = try pool(stem(x))
    x = try pool(block1(x))
    x = try block2(x)
    return try fc(dropout(flatten(x)))
  }
}
// END SOLUTION

/// The accuracies of your network; trained by the first check that asks for them.
func ownAccuracies() throws -> Accuracies {
  manualSeed(UInt64(parameters.common.seed))
  let network = OwnNetwork(data.config, .defaults)
  try expect(
    network.parameterCount <= 500_000,
    "expected at most 500,000 weights, got \(network.parameterCount)")
  try result(
    of: network, randomTensor([2] + data.config.inputDims), shape: [2, data.mapping.count],
    "a number for each class")
  return try train("own network", network, maxLearningRate: OwnNetwork.maxLearningRate)
}
var trained: Accuracies?

/// The fraction of points for an accuracy: half for that of the CNN, all for `more`.
func fraction(_ name: String, own: Double, cnn: Double, more: Double) -> Double {
  print(String(format: "\(name) accuracy: %.4f, of the CNN: %.4f", own, cnn))
  return own < cnn ? 0 : 0.5 + 0.5 * (own - cnn) / more
}

check("8: the accuracy on validation images", points: 2, timeLimit: 900) {
  let accuracies = try ownAccuracies()
  trained = accuracies
  return fraction("Validation", own: accuracies.val, cnn: cnnAccuracies.val, more: 0.02)
}
// BEGIN HIDDEN TESTS
check("8: the accuracy on test images", points: 3, timeLimit: 900) {
  let accuracies = try trained ?? ownAccuracies()
  return fraction("Test", own: accuracies.test, cnn: cnnAccuracies.test, more: 0.04)
}
// END HIDDEN TESTS

// Your network can be trained from the command line as well, with all images and for as long as you
// like. Put it into the place of the CNN in [CNN.swift](../../Sources/Lab/Models/CNN.swift), with what
// it is built from, under the name `CNN`:
//
// ```text
// swift build -c release
// lab train --model_class=CNN --data_class=EMNIST --one_cycle_max_lr=1e-2 --max_epochs=5
// ```
//
// The options that you declare appear in `lab train --model_class=CNN --help`.
cell("What next?", tolerance: .init(pixels: 0.02))
let networks = [("CNN", cnnAccuracies)] + (trained.map { [("your network", $0)] } ?? [])
var chart = Figure(size: (5, 2.6))
chart[0].barh(
  networks.map(\.0),
  [
    BarSeries("val", networks.map(\.1.val)), BarSeries("test", networks.map(\.1.test)),
  ], decimals: 3)
chart[0].xlabel = "accuracy"
chart[0].title = "After a few batches of \(data.displayName)"
chart[0].legend()
show(chart, of: data, as: "networks", alt: "Bars of the accuracies of the CNN and of your network")
