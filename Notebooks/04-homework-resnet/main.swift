// # Homework: a residual network
//
// The homework of the lab: improve the network. In 2015, Kaiming He and others found a way to train
// networks of many layers: each block of layers computes what is *added* to its input, `x + F(x)`.
// We build such a network in five steps, of which the first two are common mistakes. Each network is
// trained on the same images, for the same number of epochs, from the same seed. The sixth step changes
// both the network and its training.

import ArgumentParser
import Foundation
import Lab
import Literate
import Notebook
import Plot

struct Parameters: ParsableArguments {
  @Option(help: "Train each network with this number of seeds: --seed and the next ones.")
  var seeds = 1

  @OptionGroup var length: TrainingLength
  @OptionGroup var common: NotebookOptions

  func validate() throws {
    guard seeds >= 1 else { throw ValidationError("--seeds: expected at least 1, got \(seeds)") }
  }
}

let parameters = Parameters.fromCommandLine()
let isQuick = parameters.common.quick
let data = attempt { try EMNIST(DataOptions(source: parameters.common.dataSource)) }
note(data)

// Each network is trained and tested by the same function, with each seed, and its results are kept
// for the comparison at the end. They are also stored: the next run of the notebook trains only the
// networks whose code has changed.
cell("How each network is trained")

/// The results of one step's network.
struct Step {
  let name: String
  let model: any Model.Type
  let parameters: Int
  /// The accuracy on the validation set, for each seed.
  var val: [Double] = []
  /// The accuracy on the test set, for each seed.
  var test: [Double] = []
  /// The training time of each epoch.
  var seconds: [Double] = []
  /// The predictions for the test set, for the last seed.
  var predictions: [Prediction] = []
}

/// What is measured of a network with one seed.
nonisolated struct Measurements: Codable {
  let history: [Epoch]
  let results: TestResults
}

var stepsTaken: [Step] = []

/// Trains and tests the network of a step with each seed, with Adam.
///
/// - Parameters:
///   - name: The name of the step.
///   - maxLearningRate: The maximum of the one-cycle schedule; nil for a constant rate of 0.001.
///   - data: The images.
///   - epochs: The number of epochs, without `--max_epochs` and `--quick`.
///   - settings: Changes other settings of the trainer.
///   - makeModel: Creates a network.
func train<M: Model>(
  _ name: String, maxLearningRate: Double? = nil, on data: EMNIST = data, epochs: Int = 5,
  settings: (Trainer) -> Void = { _ in }, _ makeModel: (DataConfig) -> M
) throws {
  var step = Step(
    name: name, model: M.self, parameters: makeModel(data.config).parameterCount)
  for seed in 0..<parameters.seeds {
    manualSeed(UInt64(parameters.common.seed) + UInt64(seed))
    let model = makeModel(data.config)
    let trainer = Trainer(maxEpochs: parameters.length.maxEpochs ?? (isQuick ? 1 : epochs))
    settings(trainer)
    if let limit = parameters.length.limitTrainBatches ?? (isQuick ? .count(120) : nil) {
      trainer.limitTrainBatches = limit
    }
    if isQuick { trainer.limitValBatches = .count(50) }
    let schedule = maxLearningRate.map {
      OneCycleLR(maxLearningRate: $0, totalSteps: max(1, trainer.totalSteps(data)))
    }
    let measured = try cached("\(name), seed \(seed)", training: model, with: trainer) {
      let history = try trainer.fit(
        model, data, optimizer: Adam(model.parameters), schedule: schedule)
      let results = try trainer.test(model, data)
      print("Test accuracy: \(String(format: "%.4f", results.accuracy))")
      return Measurements(history: history, results: results)
    }
    step.seconds += measured.history.map(\.seconds)
    step.val.append(measured.history.last?.val?.accuracy ?? .nan)
    step.test.append(measured.results.accuracy)
    step.predictions = measured.results.predictions
  }
  stepsTaken.append(step)
}

// The baseline.
cell("The CNN of the course", tolerance: 0.08, ignoring: ["Processor: "])
attempt { try train("CNN") { CNN($0) } }

// The usual residual block, `relu(x + F(x))` with two convolutions in F, replaces the body of the
// network. Pooling, `flatten` and the fully connected layers are missing. The sum itself works: x is
// broadcast over the 64 channels. But the result is 64 feature maps, while the loss expects a score
// for each class. The error says so:
cell("Step 1: a residual block, pasted in", expectedToFail: true, ignoring: ["Processor: "])

nonisolated struct PastedBlock: Model {
  let conv1, conv2: ConvBlock

  init(_ data: DataConfig, _ options: CNN.Options = .defaults) {
    conv1 = ConvBlock(data.inputDims[0], options.convDim)
    conv2 = ConvBlock(options.convDim, options.convDim)
  }

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    try relu(x + conv2(conv1(x)))
  }
}

attempt { try train("1: block pasted in") { PastedBlock($0) } }

// Now everything else stays, and only the input is added to the result of the second convolution:
// one line of the CNN changes. It runs. But x has one channel and the sum has 64, so that
// broadcasting adds the same image to all 64 feature maps, which a convolution could have passed on
// by itself. This does not help, and there is no error: only the accuracy shows it.
cell("Step 2: the input added to the CNN", tolerance: 0.08, ignoring: ["Processor: "])

nonisolated struct InputAdded: Model {
  let cnn: CNN

  init(_ data: DataConfig, _ options: CNN.Options = .defaults) { cnn = CNN(data, options) }

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    // In the CNN: conv2(conv1(x)).
    var y = try x + cnn.conv2(cnn.conv1(x))
    y = try cnn.maxPool(y)
    y = cnn.dropout(y)
    y = try flatten(y)
    y = try relu(cnn.fc1(y))
    return try cnn.fc2(y)
  }
}

attempt { try train("2: input added") { InputAdded($0) } }

// A residual block adds tensors of the same shape. If F changes the number of channels, the skip
// connection has a 1×1 convolution with the same change. Each convolution is followed by batch
// normalization, which keeps activations in range from block to block. There are three stages of one
// block each. The later ones have more channels and, after max pooling, smaller feature maps. Global
// average pooling then leaves one number for each channel, and a single fully connected layer with
// few weights. This is [ResNet.swift](../../Sources/Lab/Models/ResNet.swift).
//
// Such a network can be trained with a learning rate ten times as high if it is warmed up and
// annealed: the one-cycle policy. So this step changes two things at once. The effect of the
// learning rate alone is measured at the end, where the CNN is trained with it too. In a terminal,
// the command is `lab train --model_class=ResNet --data_class=EMNIST --pool
// --one_cycle_max_lr=1e-2 --max_epochs=5`.
cell("Step 3: residual blocks", tolerance: 0.08, ignoring: ["Processor: "])
var pooling = ResNet.Options.defaults
pooling.halving = .pool
attempt { try train("3: residual blocks", maxLearningRate: 1e-2) { ResNet($0, pooling) } }

// The ResNet of the paper makes feature maps smaller without pooling: the first convolution of a
// stage and its skip connection have a stride of 2. The number of weights is the same. This is the
// default of `ResNet`. Whether it helps with small images, the accuracy shows.
cell("Step 4: strides instead of pooling", tolerance: 0.08, ignoring: ["Processor: "])
attempt { try train("4: strides", maxLearningRate: 1e-2) { ResNet($0) } }

// Two blocks in each stage: `--blocks=2`. Residual blocks are designed so that deeper networks train
// no worse.
cell("Step 5: more blocks", tolerance: 0.08, ignoring: ["Processor: "])
var deeper = ResNet.Options.defaults
deeper.blocks = 2
attempt { try train("5: more blocks", maxLearningRate: 1e-2) { ResNet($0, deeper) } }

// Is it the network, or the way it was trained? For a fair comparison, the CNN is trained the same
// way.
cell("The CNN with a cycle of learning rates", tolerance: 0.08, ignoring: ["Processor: "])
attempt { try train("CNN, one cycle", maxLearningRate: 1e-2) { CNN($0) } }

// How much more is there to gain? A network of 16 channels is small for 62 classes, and most of the time
// goes into its first stage, where images are large. So images are halved by max pooling right after the
// first convolution, as in ResNet-18, and two stages have 64 and 128 channels. A larger network needs more
// images, so training images are rotated, moved, scaled and sheared at random. Three epochs of it take
// about as long as five of step 4. Label smoothing keeps the network from being too sure of characters like
// O and 0, which nobody can tell apart. The weights that are tested are a moving average over the last
// steps. Which part helps? Augmentation: `--augment` alone takes step 4 from 0.770 to 0.801 on the images
// that we had, and this recipe reaches 0.804. In a terminal, this is `lab train --model_class=ResNet
// --data_class=EMNIST --channels=64 --stages=2 --stem_channels=32 --stem_pool --one_cycle_max_lr=1e-2
// --max_epochs=3 --degrees=15 --translate=0.08 --scale=0.85,1.15 --shear=15 --label_smoothing=0.1
// --ema_decay=0.998 --num_workers=1`.
cell("Step 6: a recipe", tolerance: 0.08, ignoring: ["Processor: "])
var wide = ResNet.Options.defaults
(wide.channels, wide.stages, wide.stemChannels, wide.stemPool) = (64, 2, 32, true)
attempt {
  let augmented = try EMNIST(
    DataOptions(
      source: parameters.common.dataSource, workers: 1,
      augmentation: RandomAffine(degrees: 15, translate: 0.08, scale: 0.85...1.15, shear: 15)))
  try train(
    "6: recipe", maxLearningRate: 1e-2, on: augmented, epochs: 3,
    settings: {
      $0.loss = .crossEntropy(labelSmoothing: 0.1)
      $0.averaging = .exponential(decay: 0.998)
    }
  ) { ResNet($0, wide) }
}

// The accuracies on the validation set after the last epoch, and on the test set. Step 1 is missing,
// because it could not be trained. Compare the CNN with "CNN, one cycle" for the effect of the
// learning rate, that one with step 3 for the network, step 3 with 4 for the strides, and 4 with 5
// for the depth. With several seeds, the number after ± is the standard deviation over the seeds; a
// difference that is not larger is not significant. The few batches of `--quick` rank networks by
// how fast they start to learn: train for five epochs before you draw conclusions.
//
// The time of an epoch depends on the machine, so it is printed separately from the results. Other
// programs on the machine make an epoch longer, so the shortest one is shown.
cell("Results", tolerance: .init(numbers: 0.08, pixels: 0.2))
let names = stepsTaken.map(\.name)
let rows = stepsTaken.map {
  [$0.name, $0.val.meanAndDeviation, $0.test.meanAndDeviation, "\($0.parameters)"]
}
print(textTable([["", "val", "test", "parameters"]] + rows))
let seconds = stepsTaken.map { $0.seconds.min() ?? .nan }
let told = textTable(zip(names, seconds).map { [$0, String(format: "%.1f s an epoch", $1)] })
for line in told.split(separator: "\n") { tellTime(String(line)) }
var chart = Figure(size: (13, 5.4), columns: 2)
chart.supertitle = "Networks on \(data.displayName)"
chart[0].barh(
  names,
  [
    BarSeries(
      "val", stepsTaken.map(\.val.mean), errors: stepsTaken.map(\.val.standardDeviation)),
    BarSeries(
      "test", stepsTaken.map(\.test.mean), errors: stepsTaken.map(\.test.standardDeviation)),
  ], decimals: 3)
chart[0].xlabel = "accuracy"
chart[0].legend()
chart[1].barh(names, stepsTaken.map { Double($0.parameters) / 1000 }, decimals: 0)
chart[1].xlabel = "parameters, in thousands"
show(
  chart, of: data, as: "networks",
  alt: "Bars of each network's accuracy on validation and test images, and of its parameters")
var times = Figure(size: (6.5, 4.2))
times[0].barh(names, seconds, decimals: 1)
times[0].title = "Shortest epoch of training on \(data.displayName)"
times[0].xlabel = "seconds"
show(
  times, of: data, as: "times",
  alt: "Bars of the seconds that the shortest epoch of each network took", showsTimes: true)

// The best of the residual networks by the validation set: the test set must not be used to choose
// between models. Which of its mistakes would you have made yourself?
cell("The best network's predictions", tolerance: .init(pixels: 0.05), ignoring: ["Best: "])
let best = stepsTaken.filter { $0.model == ResNet.self }.max { $0.val.mean < $1.val.mean }
print("Best: \(best?.name ?? "none")")
var random = RandomState(seed: parameters.common.seed)
var figure = Figure(size: (6, 6.6), rows: 3, columns: 3)
for place in 0..<9 {
  let position = random.integer(below: data.test.count)
  let (image, label) = data.test[position]
  let predicted = best?.predictions[position].predicted ?? label
  figure[place].imshow(Image(width: 28, height: 28, values: image.elements))
  figure[place].title = "Correct: \(data.mapping[label]), Pred: \(data.mapping[predicted])"
  figure[place].titleColor = predicted == label ? .green : .red
}
show(
  figure, of: data, as: "predictions",
  alt: "Nine handwritten characters, titled with their true and predicted labels")
