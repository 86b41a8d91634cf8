// # Train from the command line
//
// Experiments are run from the command line, so that each is described by one line of text: a
// model, a data set, and how to train. Here are the command lines of the course with their results.
// The program is `lab train`. The notebook calls the same code through
// [labTrain](../../Sources/Notebook/LabTrain.swift), so that it can look at the trained network
// afterwards. In a terminal, write `swift run -c release` before such a line.

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
let isQuick = parameters.common.quick
let maxEpochs = "--max_epochs=\(parameters.length.maxEpochs ?? (isQuick ? 2 : 5))"
let limit = parameters.length.limitTrainBatches ?? (isQuick ? .count(200) : nil)
let limits =
  (limit.map { ["--limit_train_batches=\($0.defaultValueDescription)"] } ?? [])
  + (isQuick ? ["--limit_val_batches=50"] : [])
let common = [
  "--data_source=\(parameters.common.dataSource)", "--seed=\(parameters.common.seed)",
]

// The course's network on MNIST: ten digits, clearly written and alike. Each epoch prints one line:
// `train` is measured on the training images, `val` on the validation set, which is not trained on.
// The last line is the accuracy on the test set, which was not used before.
cell("A CNN on MNIST", tolerance: .init(numbers: 0.03, share: 0.1), ignoring: ["Processor: "])
let mnist = labTrain(
  ["--model_class=CNN", "--data_class=MNIST", maxEpochs] + limits + common, cachedAs: "mnist")

// A curve shows more than its last point. While both losses fall, the network improves. When only
// the training loss falls, it overfits: it memorises the training images. The training accuracy is
// measured with dropout and while the weights still change, so it can be lower than the validation
// accuracy.
cell("Learning curves of MNIST", tolerance: .init(pixels: 0.02, colors: 0.003))
showCurves(of: mnist, as: "curves-mnist", title: "CNN on \(mnist.data.displayName)")

/// Plots loss and accuracy over the epochs.
func showCurves(of run: Experiment.Outcome, as name: String, title: String) {
  let epochs = run.history.indices.map(Double.init)
  // Many points would hide the lines.
  let markers: [Marker] = epochs.count > 20 ? [.none, .none] : [.circle, .square]
  var figure = Figure(size: (11, 4.2), columns: 2)
  figure.supertitle = title
  let values: [(name: String, of: (Metrics) -> Double)] = [
    ("loss", \.loss), ("accuracy", \.accuracy),
  ]
  for (place, value) in values.enumerated() {
    let train = run.history.map { value.of($0.train) }
    let val = run.history.map { $0.val.map(value.of) ?? .nan }
    figure[place].plot(epochs, train, label: "train", marker: markers[0])
    figure[place].plot(epochs, val, label: "val", marker: markers[1])
    figure[place].ylabel = value.name
    figure[place].xlabel = "epoch"
    figure[place].grid = true
    figure[place].legend()
  }
  show(
    figure, of: run.data, as: name,
    alt: "\(title): loss and accuracy after each epoch, of training and validation images")
}

// EMNIST has 62 characters instead of ten. It is harder not only because of their number: some of
// them look the same.
cell("A CNN on EMNIST", tolerance: .init(numbers: 0.03, share: 0.1), ignoring: ["Processor: "])
let emnist = labTrain(
  ["--model_class=CNN", "--data_class=EMNIST", maxEpochs] + limits + common, cachedAs: "emnist")
note(mnist.data, emnist.data)

cell("Learning curves of EMNIST", tolerance: .init(pixels: 0.09, colors: 0.003))
showCurves(of: emnist, as: "curves-emnist", title: "CNN on \(emnist.data.displayName)")

// Some characters are more frequent than others: in EMNIST a digit has almost five times as many
// images as a small j, although no class may have more than the average. The network learns these
// frequencies too: if an image is ambiguous, it predicts the more frequent class. In the SYNTHETIC
// data, all classes have nearly the same number of images.
cell("Images of each class")
let classes = emnist.results.confusion.classes
let characters = classes.map { emnist.data.mapping[$0] }
let parts = [("train", emnist.data.train), ("val", emnist.data.val), ("test", emnist.data.test)]
var counts = Figure(size: (14, 4.5))
counts[0].bar(
  characters,
  parts.map { name, images in
    var counts = [Int: Int]()
    for position in 0..<images.count { counts[images.label(at: position), default: 0] += 1 }
    return BarSeries(name, classes.map { Double(counts[$0, default: 0]) })
  }, stacked: true)
counts[0].title = "\(emnist.data.displayName): images of each class"
counts[0].xlabel = "class"
counts[0].ylabel = "images"
counts[0].legend()
show(
  counts, of: emnist.data, as: "images-per-class",
  alt: "A bar for each character: the number of its training, validation and test images")

// Each row is a true class, each column a predicted class. If all predictions were right, only the
// diagonal would be dark. Most of the other spots are characters of the same shape: a capital and
// its small letter, on lines parallel to the diagonal; O, o and 0; 1, I and l.
cell("The confusion matrix", tolerance: .init(pixels: 0.002, levels: 32))
let confusion = emnist.results.confusion

/// The confusion matrix of some classes, as fractions of each true class, in a font that
/// distinguishes I from l.
func confusionMatrix(
  of classes: [Int], _ title: String, size: (Double, Double), decimals: Int? = nil
) -> Figure {
  let characters = classes.map { emnist.data.mapping[$0] }
  let fractions = classes.map { row in
    let images = confusion.counts[row].reduce(0, +)
    return classes.map { Double(confusion[row, $0]) / Double(images) }
  }
  var figure = Figure(size: size)
  figure.font = .monospaced
  figure[0].imshow(
    fractions, xticklabels: characters, yticklabels: characters, cmap: .blues, range: 0...1,
    decimals: decimals)
  figure[0].colorbar(label: "fraction of the true class")
  figure[0].title = "\(emnist.data.displayName): \(title)"
  figure[0].xlabel = "predicted class"
  figure[0].ylabel = "true class"
  return figure
}

show(
  confusionMatrix(of: classes, "confusion matrix of the test set", size: (13, 12)),
  of: emnist.data, as: "confusion",
  alt: "Confusion matrix of 62 characters: dark along the diagonal, with spots beside it")

// The classes of the eight most confused pairs, with numbers.
cell("The most confused classes", tolerance: .init(pixels: 0.48, levels: 8, colors: 0.04))
let pairs = confusion.mostConfused(8)
let confusedClasses = Set(pairs.flatMap { [$0.label.class, $0.predicted.class] }).sorted()
show(
  confusionMatrix(of: confusedClasses, "the most confused classes", size: (9.5, 8.5), decimals: 2),
  of: emnist.data, as: "confusion-excerpt",
  alt: "The confusion matrix of the most confused characters, with a number in each square")

// The same pairs as images. For each pair, three images of the first class that were predicted as
// the second, with red titles, and one of the second class that was predicted correctly, with a
// green title. The titles are true class → predicted class. Which of them could you tell apart?
cell(
  "The most confused pairs", tolerance: .init(pixels: 0.4, colors: 0.045),
  ignoring: ["Predicted "])
for pair in pairs {
  let images = confusion.counts[pair.label.class].reduce(0, +)
  print("Predicted \(pair.predicted.text) for \(pair.count) of \(images) \(pair.label.text)")
}
// Two pairs in each row.
var confused = Figure(rows: 4, columns: 8, images: (28, 28), scale: 4)
confused.font = .monospaced
for (place, pair) in pairs.enumerated() {
  let wrong = emnist.results.predictions.filter {
    $0.label == pair.label.class && $0.predicted == pair.predicted.class
  }
  let right = emnist.results.predictions.filter {
    $0.label == pair.predicted.class && $0.isRight
  }
  for (column, prediction) in (wrong.prefix(3) + right.prefix(1)).enumerated() {
    let (row, column) = (place / 2, place % 2 * 4 + (prediction.isRight ? 3 : column))
    confused[row, column].imshow(image(prediction.position), range: 0...1)
    confused[row, column].title =
      "\(emnist.data.mapping[prediction.label]) → \(emnist.data.mapping[prediction.predicted])"
    confused[row, column].titleColor = prediction.isRight ? .green : .red
  }
}
show(
  confused, of: emnist.data, as: "confused-pairs",
  alt: "Rows of misclassified characters, each with one of the class that was predicted")

/// The test image at an index.
func image(_ position: Int) -> Image {
  Image(width: 28, height: 28, values: emnist.data.test[position].x.elements)
}

// The test images with the largest loss: the network gave almost no probability to the true class.
// Below it is the predicted class with its probability. Look closely: some of the labels are
// doubtful.
cell("The worst mistakes", tolerance: .init(pixels: 0.44, colors: 0.012))
let worst = emnist.results.worstMistakes(16)
var mistakes = Figure(size: (11, 12), rows: 4, columns: 4)
mistakes.font = .monospaced
for (place, prediction) in worst.enumerated() {
  let (label, predicted) = (prediction.label, prediction.predicted)
  let percent = Int((prediction.confidence * 100).rounded())
  mistakes[place].imshow(image(prediction.position), range: 0...1)
  mistakes[place].title =
    "Correct: \(emnist.data.mapping[label])\nPred: \(emnist.data.mapping[predicted]), \(percent) %"
  mistakes[place].titleColor = .red
}
show(
  mistakes, of: emnist.data, as: "worst-mistakes",
  alt: "The sixteen characters with the largest loss, with their true and predicted classes")

// The first convolution has 64 filters of 3×3 weights. White weights are positive, black ones are
// negative, and gray is zero. A filter with white and black side by side detects edges of that
// direction. The weights were initialised at random, and much of that noise is still there: with so
// many filters, none has to be perfect.
cell("The first layer's filters", tolerance: .init(levels: 2))
let filters = emnist.model.parameters[0].value
print("Filters: shape \(filters.shape)")
var grid = Figure(size: (6, 6.4), rows: 8, columns: 8)
let largest = filters.elements.map(abs).max() ?? 0
let bound = String(format: "%.2f", largest)
grid.supertitle = "Weights from −\(bound) (black) to \(bound) (white)"
for place in 0..<min(64, filters.shape[0]) {
  let weights = Image(width: 3, height: 3, values: filters[place].elements)
  grid[place].imshow(weights, range: -largest...largest)
}
show(
  grid, of: emnist.data, as: "filters",
  alt: "The 64 filters of the first layer, 3 by 3 weights each")

// Before you train for hours, let the network overfit two batches. If it does not reach an accuracy
// of 1 on 256 images, something is wrong with the network, the loss or the labels, and more data
// does not help. Here train, val and test are the same two batches.
cell(
  "Overfitting on purpose", tolerance: .init(numbers: 0.05, share: 0.1), ignoring: ["Processor: "])
let overfit = labTrain(
  ["--model_class=CNN", "--data_class=EMNIST", "--overfit_batches=2", "--max_epochs=50"] + common,
  cachedAs: "overfit")

cell("Learning curves of two batches", tolerance: .init(pixels: 0.01, colors: 0.003))
showCurves(
  of: overfit, as: "curves-overfit", title: "CNN on two batches of \(overfit.data.displayName)")

// With `--num_workers=4` four threads load batches in advance. In the course this makes training
// fast, because Python processes each image while a GPU waits. Here, the images are bytes in memory.
// Loading a batch converts 100,000 bytes to floating point, and the loading threads share the
// processor with those that compute. So workers can save at most about the loading time, which is
// measured here too; any other difference is noise. The times are medians of three epochs. They
// depend on the machine, so they are printed separately from the results, which do not depend on
// the number of workers.
cell("Loading with four workers and with none", tolerance: 0.03, ignoring: ["Processor: "])
let steps = isQuick ? 20 : 100
let loaded = [0, 4].map { workers in
  labTrain(
    ["--model_class=CNN", "--data_class=EMNIST", "--num_workers=\(workers)", "--max_epochs=3"]
      + ["--limit_train_batches=\(steps)", "--limit_val_batches=0"] + common)
}
print("Same loss, to the last bit: \(loaded[0].results.loss == loaded[1].results.loss)")
for (workers, run) in zip([0, 4], loaded) {
  tellTime("num_workers=\(workers): \(millisecondsAStep(run.history.map(\.seconds))) ms a step")
}
let gathering = (0..<3).map { _ in
  let batches = loaded[0].data.trainBatches().prefix(steps)
  return ContinuousClock().measure { for batch in batches { _ = batch } } / .seconds(1)
}
tellTime("Gathering alone: \(millisecondsAStep(gathering)) ms a batch")

/// The median of three times, per step: milliseconds, rounded to hundredths.
func millisecondsAStep(_ seconds: [Double]) -> Double {
  let median = seconds.sorted()[seconds.count / 2]
  return (median / Double(steps) * 100_000).rounded() / 100
}
