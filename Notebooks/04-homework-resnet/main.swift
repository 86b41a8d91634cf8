// # Homework: a residual network
//
// The homework of the lab: make the network better. Kaiming He and others found in 2015 how to
// train networks of many layers: let each block of layers compute what is to be *added* to its
// input, `x + F(x)`. We get there in five steps, two of which are mistakes that one makes on the
// way, and train each network on the same images for the same number of epochs, from the same seed.

import ArgumentParser
import Foundation
import Lab
import Literate
import Notebook
import Plot

struct Parameters: ParsableArguments {
  @Option(help: "Train each network from so many seeds, --seed and the next ones.")
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

/// What the network of a step reached.
struct Step {
  let name: String
  let model: any Model.Type
  let parameters: Int
  /// The accuracy on validation images, for each seed.
  var val: [Double] = []
  /// The accuracy on test images, for each seed.
  var test: [Double] = []
  /// How long each epoch took to learn.
  var seconds: [Double] = []
  /// What the network of the last seed says of the test images.
  var predictions: [Prediction] = []
}

var stepsTaken: [Step] = []

/// Trains and tests the network of a step from each seed, with Adam.
///
/// - Parameters:
///   - name: What the step is called.
///   - maxLearningRate: Where a cycle of learning rates has its top; nil keeps the rate at 0.001.
///   - makeModel: Makes a fresh network.
func train<M: Model>(
  _ name: String, maxLearningRate: Double? = nil, _ makeModel: (DataConfig) -> M
) throws {
  var step = Step(
    name: name, model: M.self, parameters: makeModel(data.config).parameterCount)
  for seed in 0..<parameters.seeds {
    manualSeed(UInt64(parameters.common.seed) + UInt64(seed))
    let model = makeModel(data.config)
    let trainer = Trainer(maxEpochs: parameters.length.maxEpochs ?? (isQuick ? 1 : 5))
    if let limit = parameters.length.limitTrainBatches ?? (isQuick ? .count(120) : nil) {
      trainer.limitTrainBatches = limit
    }
    if isQuick { trainer.limitValBatches = .count(50) }
    let schedule = maxLearningRate.map {
      OneCycleLR(maxLearningRate: $0, totalSteps: max(1, trainer.totalSteps(data)))
    }
    let history = try trainer.fit(
      model, data, optimizer: Adam(model.parameters), schedule: schedule)
    let results = try trainer.test(model, data)
    print("Test accuracy: \(String(format: "%.4f", results.accuracy))")
    step.seconds += history.map(\.seconds)
    step.val.append(history.last?.val?.accuracy ?? .nan)
    step.test.append(results.accuracy)
    step.predictions = results.predictions
  }
  stepsTaken.append(step)
}

func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

/// The standard deviation of a sample; 0 for a single value.
func deviation(_ values: [Double]) -> Double {
  guard values.count > 1 else { return 0 }
  let squares = values.map { ($0 - mean(values)) * ($0 - mean(values)) }
  return (squares.reduce(0, +) / Double(values.count - 1)).squareRoot()
}

/// Mean and standard deviation.
func summary(_ values: [Double]) -> String {
  let text = String(format: "%.4f", mean(values))
  return values.count > 1 ? text + String(format: " ± %.4f", deviation(values)) : text
}

// What there is to beat.
cell("The CNN of the course", tolerance: 0.08, ignoring: ["Processor: "])
attempt { try train("CNN") { CNN($0) } }

// The block that one finds everywhere, `relu(x + F(x))` with two convolutions in F, put in place of
// the network's body. Pooling, `flatten` and the fully connected layers are gone, for the block
// came without them. The sum itself is fine: x is repeated over the 64 channels. But what comes out
// are 64 feature maps, where the loss wants a score for each class. The error says so:
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

// So everything else stays, and only the input is added to what the second convolution gives: one
// line of the CNN changes. It runs. But x has one channel and the sum has 64, and broadcasting does
// not ask why: the same image is added to all 64 feature maps, which a convolution could have passed
// on by itself. Nothing in it helps, and nothing tells us so but the accuracy.
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

// A residual block adds tensors of the same shape. Where F changes the number of channels, the skip
// connection goes through a 1×1 convolution that does the same. Each convolution is followed by batch
// normalisation, which keeps the numbers in range from block to block. There are three stages with a
// block each, the later ones with more channels and, after max pooling, smaller feature maps. In the
// end global average pooling leaves one number of each channel, so that a single fully connected
// layer with few weights remains. This is [ResNet.swift](../../Sources/Lab/Models/ResNet.swift).
//
// Such a network stands a learning rate ten times as high, if that is warmed up and annealed: the
// one-cycle policy. So this step changes two things at once; what the learning rate alone brings is
// seen at the end, where the CNN is trained with it too. In a terminal the line would be `lab train
// --model_class=ResNet --data_class=EMNIST --pool --one_cycle_max_lr=1e-2 --max_epochs=5`.
cell("Step 3: residual blocks", tolerance: 0.08, ignoring: ["Processor: "])
var pooling = ResNet.Options.defaults
pooling.halving = .pool
attempt { try train("3: residual blocks", maxLearningRate: 1e-2) { ResNet($0, pooling) } }

// The ResNet of the paper makes feature maps smaller without pooling: in the first convolution of a
// stage, and in its skip connection, the kernel moves on by two pixels at a time. The weights are as
// many, and `ResNet` does so unless told otherwise. Whether it helps where images are small to begin
// with is for the accuracy to say.
cell("Step 4: strides instead of pooling", tolerance: 0.08, ignoring: ["Processor: "])
attempt { try train("4: strides", maxLearningRate: 1e-2) { ResNet($0) } }

// Two blocks in each stage: `--blocks=2`. That a deeper network trains no worse is what residual
// blocks are for.
cell("Step 5: more blocks", tolerance: 0.08, ignoring: ["Processor: "])
var deeper = ResNet.Options.defaults
deeper.blocks = 2
attempt { try train("5: more blocks", maxLearningRate: 1e-2) { ResNet($0, deeper) } }

// Is it the network, or the way in which it was trained? For a fair comparison the CNN is trained the
// same way.
cell("The CNN with a cycle of learning rates", tolerance: 0.08, ignoring: ["Processor: "])
attempt { try train("CNN, one cycle", maxLearningRate: 1e-2) { CNN($0) } }

// The accuracies on the validation set after the last epoch, and on the test set. Step 1 is not among
// them, for it has learned nothing. Compare the CNN with "CNN, one cycle" for what the learning rate
// brings, that one with step 3 for the network, step 3 with 4 for the strides, and 4 with 5 for the
// depth. Behind ± stands the standard deviation over the seeds, if there were several; a difference
// that is not larger than it means nothing. After so few batches as `--quick` takes, networks are
// ranked by how fast they begin to learn: wait for five epochs before you believe in one.
//
// How long an epoch takes depends on the machine, and is reported apart from the results. Whatever
// else the machine does makes an epoch longer, so that the shortest one counts.
cell("Results", tolerance: .init(numbers: 0.08, pixels: 0.2))
let names = stepsTaken.map(\.name)
let rows = stepsTaken.map {
  [$0.name, summary($0.val), summary($0.test), "\($0.parameters)"]
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
    BarSeries("val", stepsTaken.map { mean($0.val) }, errors: stepsTaken.map { deviation($0.val) }),
    BarSeries(
      "test", stepsTaken.map { mean($0.test) }, errors: stepsTaken.map { deviation($0.test) }),
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

// The best of the residual networks, by the validation set; to choose by the test set would be to
// look at it. Which of its mistakes would you have made yourself?
cell("The best network's predictions", tolerance: .init(pixels: 0.05), ignoring: ["Best: "])
let best = stepsTaken.filter { $0.model == ResNet.self }.max { mean($0.val) < mean($1.val) }
print("Best: \(best?.name ?? "none")")
var random = RandomState(seed: parameters.common.seed)
var figure = Figure(size: (9, 9), rows: 3, columns: 3)
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
