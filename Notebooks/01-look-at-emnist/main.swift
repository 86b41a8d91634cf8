// # Look at EMNIST
//
// EMNIST is MNIST's bigger sibling: next to the ten digits it has the capital and the small
// letters, 62 characters from thousands of writers. We look at the data, train a small
// convolutional network on them, and look at what it makes of characters it has never seen.

import ArgumentParser
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
manualSeed(UInt64(parameters.common.seed))
var random = RandomState(seed: parameters.common.seed)

// The images are 28×28 pixels with values from 0 to 1. The mapping tells which character a label
// stands for. Its first four entries are no characters but signs that we need once we read whole
// lines, and the punctuation at its end has no images yet: of 83 classes 62 are in use. The images
// have been "balanced": no class has more of them than the average class of the archive.
cell("The data")
let data = attempt { try EMNIST(DataOptions(source: parameters.common.dataSource)) }
note(data)
print(data)

// Models see images in batches of 128. The shape of x reads: images, channels (one: gray), height,
// width. The test set is in the order of its classes, so all labels of the first batch are the
// first character's: a 4, which stands for "0".
cell("A batch of the test set")
let batch = attempt { try data.testBatches().first() }
print("x: \(batch.x.statistics)")
print("y: \(batch.y.statistics)")

// Some are hard even for us: without its neighbours nobody can tell a capital O from a zero, or an
// l from a 1.
cell("Nine characters")
var characters = Figure(size: (9, 9), rows: 3, columns: 3)
for place in 0..<9 {
  let (image, label) = data.test[random.integer(below: data.test.count)]
  characters[place].imshow(Image(width: 28, height: 28, values: image.elements))
  characters[place].title = data.mapping[label]
}
show(
  characters, of: data, as: "characters",
  alt: "Nine handwritten characters in a grid, each titled with its label")

// Two convolutions of 3×3 pixels with 64 channels find strokes and how they join; pooling keeps the
// strongest of each 2×2; two fully connected layers decide. The code is in
// Sources/Lab/Models/CNN.swift. Dropout switches off a quarter of the features at random during
// training, so that none is relied on alone.
cell("A convolutional network", tolerance: 0.02, ignoring: ["Processor: "])
let model = CNN(data.config)
let trainer = Trainer(maxEpochs: parameters.length.maxEpochs ?? (isQuick ? 1 : 5))
if let limit = parameters.length.limitTrainBatches ?? (isQuick ? .count(750) : nil) {
  trainer.limitTrainBatches = limit
}
if isQuick { trainer.limitValBatches = .count(100) }
attempt { try trainer.fit(model, data, optimizer: Adam(model.parameters)) }

// For each image the network gives 83 numbers, the logits: the larger, the likelier the class. The
// largest is its answer. Above are the right labels, below the predicted ones.
cell("What the network says of a batch", tolerance: .init(share: 0.2))
let logits = attempt { try model(batch.x) }
print("logits: shape \(logits.shape)")
print(batch.y)
print(argmax(logits))

// Green titles are right, red ones wrong. Look at the mistakes: how many of them would you have
// made yourself?
cell("Nine predictions", tolerance: .init(pixels: 0.02))
var predictions = Figure(size: (9, 9), rows: 3, columns: 3)
for place in 0..<9 {
  let index = random.integer(below: data.test.count)
  let (image, label) = data.test[index]
  let predicted = attempt { argmax(try model(data.test.batch(at: [index]).x)).elements[0] }
  predictions[place].imshow(Image(width: 28, height: 28, values: image.elements))
  predictions[place].title =
    "Correct: \(data.mapping[label]), Pred: \(data.mapping[predicted])"
  predictions[place].titleColor = predicted == label ? .green : .red
}
show(
  predictions, of: data, as: "predictions",
  alt: "Nine handwritten characters, titled with the right and the predicted label")
