// # Look at EMNIST
//
// EMNIST extends MNIST: besides the ten digits it has capital and small letters, 62 characters
// from thousands of writers. We look at the data, train a small convolutional network, and look at
// its predictions for characters that it was not trained on.

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

// The images are 28×28 pixels with values from 0 to 1. The mapping gives the character of each
// label. Its first four entries are special tokens, which we need for whole lines, and the
// punctuation at its end has no images yet: 62 of the 83 classes are in use. The images are
// "balanced": no class has more of them than the average class of the archive.
cell("The data")
let data = attempt { try EMNIST(DataOptions(source: parameters.common.dataSource)) }
note(data)
print(data)

// Models get images in batches of 128. The shape of x is images × channels × height × width, with
// one channel for gray. The test set is sorted by class, so all labels of the first batch are those
// of the first character: 4, the label of "0". `inspect` shows a value in more detail: of a tensor of
// images also the first ones.
cell("A batch of the test set")
let batch = attempt { try data.testBatches().first() }
print("x: \(batch.x.statistics)")
print("y: \(batch.y.statistics)")
inspect(batch.x)

// Some are hard even for people: without its neighbours, a capital O looks like a zero, and an l
// like a 1.
cell("Nine characters")
var characters = Figure(size: (6, 6.6), rows: 3, columns: 3)
for place in 0..<9 {
  let (image, label) = data.test[random.integer(below: data.test.count)]
  characters[place].imshow(Image(width: 28, height: 28, values: image.elements))
  characters[place].title = data.mapping[label]
}
show(
  characters, of: data, as: "characters",
  alt: "Nine handwritten characters in a grid, each titled with its label")

// Two 3×3 convolutions with 64 channels detect strokes and how they join, max pooling keeps the
// largest value of each 2×2 square, and two fully connected layers classify. The code is in
// Sources/Lab/Models/CNN.swift, and its layers are in Sources/Lab/Networks. During training, dropout
// sets a random quarter of the features to zero, so that the network does not rely on single ones.
cell("A convolutional network", tolerance: 0.02, ignoring: ["Processor: "])
let model = CNN(data.config)
let trainer = Trainer(maxEpochs: parameters.length.maxEpochs ?? (isQuick ? 1 : 5))
if let limit = parameters.length.limitTrainBatches ?? (isQuick ? .count(750) : nil) {
  trainer.limitTrainBatches = limit
}
if isQuick { trainer.limitValBatches = .count(100) }
attempt {
  try cached("cnn", training: model, with: trainer) {
    try trainer.fit(model, data, optimizer: Adam(model.parameters))
  }
}

// For each image the network computes 83 logits, one for each class: the larger, the likelier. The
// prediction is the class with the largest logit. First come the true labels, then the predicted
// ones.
cell("What the network says of a batch", tolerance: .init(share: 0.2))
let logits = attempt { try model(batch.x) }
print("logits: shape \(logits.shape)")
print(batch.y)
print(argmax(logits))

// Titles of correct predictions are green, those of wrong ones are red. How many of the mistakes
// would you have made yourself?
cell("Nine predictions", tolerance: .init(pixels: 0.02))
var predictions = Figure(size: (6, 6.6), rows: 3, columns: 3)
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
