// # Look at EMNIST Lines
//
// Reading single characters is one thing, reading handwriting another: there, nobody says where a
// character ends and the next one begins. We make lines of handwriting ourselves, from sentences and
// the characters of EMNIST, and so get as many of them as we like, each with its text.

import ArgumentParser
import Lab
import Literate
import Notebook
import Plot

struct Parameters: ParsableArguments {
  @Option(
    name: .customLong("random_start"),
    help: choices(
      "Where the lines' draws start, as in the course's notebook or the written walkthrough",
      default: EMNISTLines.RandomStart.stored),
    transform: { try choice($0) })
  var randomStart = EMNISTLines.RandomStart.stored

  @OptionGroup var common: NotebookOptions
}

let parameters = Parameters.fromCommandLine()
let dataOptions = DataOptions(source: parameters.common.dataSource)

// The text comes from the Brown corpus, a million words that were printed in America in 1961. A
// sentence starts at any word and ends before any other, as long as it is short enough; punctuation
// has been taken out, since EMNIST has no images of it.
cell("Sentences")
let sentences = attempt { try SentenceGenerator(dataOptions) }
var random = RandomState(seed: parameters.common.seed)
if sentences.isSynthetic { print("SYNTHETIC: from a text that was written for this program") }
for _ in 0..<4 {
  print(attempt { try sentences.generate(maxLength: 16, using: &random) })
}

// For each different character of a sentence one image is drawn, and the images are put side by side
// on a black strip of 16 times 28 columns. The labels of a line are its characters' labels; the
// places behind them are filled with 3, which stands for the padding <P>.
cell("Sixteen characters side by side")
let plain = attempt {
  try EMNISTLines(
    dataOptions,
    .init(maxLength: 16, minOverlap: 0, maxOverlap: 0, randomStart: parameters.randomStart))
}
note(plain)
print(plain)

// Which text each label stands for is the same as for single characters:

print("Mapping: \(plain.mappingText)")

// The first line's labels, and the text that they stand for:

let labels = plain.train.labels(at: 0)
print(IntTensor(labels))
print(labels.map { plain.mapping[$0] }.joined())

// Each line has a handwriting of its own, and within a line all letters of a kind are the same one,
// as if it had been stamped.
cell("Nine lines")
showLines(of: plain, scale: 3, as: "sixteen-characters")

// People do not write in boxes. Here each line draws how much its characters overlap, from not at
// all to a third of their width; where two meet, their pixels are added. The lines are longer too:
// sentences of up to 32 characters, and two places for the signs of start and end.
cell("Characters that overlap")
let overlapping = attempt {
  try EMNISTLines(
    dataOptions,
    .init(maxLength: 34, minOverlap: 0, maxOverlap: 0.33, randomStart: parameters.randomStart))
}
print(overlapping)
let longLabels = overlapping.train.labels(at: 0)
print(IntTensor(longLabels))
print(longLabels.map { overlapping.mapping[$0] }.joined())

// The more its characters overlap, the shorter a line becomes: the same text may take a third less
// room. A model that reads such lines cannot count columns.
cell("Nine lines that overlap")
showLines(of: overlapping, scale: 2, as: "overlapping-characters")

/// Draws the first nine training lines with their text above, each in a figure of its own and all of
/// them on one sheet.
///
/// - Parameters:
///   - data: Where the lines come from.
///   - scale: How large a pixel is drawn.
///   - name: What the figures are called.
func showLines(of data: EMNISTLines, scale: Int, as name: String) {
  let size = (width: data.config.inputDims[2], height: data.config.inputDims[1])
  var sheet = Figure(rows: 9, columns: 1, images: size, scale: scale)
  for place in 0..<9 {
    let pixels = data.train.batch(at: [place]).x.elements
    let image = Image(width: size.width, height: size.height, values: pixels)
    var figure = Figure(rows: 1, columns: 1, images: size, scale: scale)
    figure[0].imshow(image, range: 0...1)
    figure[0].title = data.string(of: data.train.labels(at: place))
    sheet[place] = figure[0]
    print("\(place + 1). \(figure[0].title)")
    show(
      figure, of: data, as: "\(name)-\(place + 1)",
      alt: "A line of handwriting: \(figure[0].title)")
  }
  show(sheet, of: data, as: name, alt: "Nine lines of handwriting, each titled with its text")
}
