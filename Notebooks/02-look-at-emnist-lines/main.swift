// # Look at EMNIST Lines
//
// Reading handwriting is harder than reading single characters: nothing marks where a character
// ends and the next one begins. We make lines of handwriting from sentences and the characters of
// EMNIST, and get as many as we like, each with its text.

import ArgumentParser
import Lab
import Literate
import Notebook
import Plot

struct Parameters: ParsableArguments {
  @OptionGroup var common: NotebookOptions
}

let parameters = Parameters.fromCommandLine()
let dataOptions = DataOptions(source: parameters.common.dataSource)

// The text comes from the Brown corpus, a million words printed in the United States in 1961. A
// sentence starts at a random word and ends at a later one, so that it is short enough. Punctuation
// is removed, because EMNIST has no images of it.
cell("Sentences")
let sentences = attempt { try SentenceGenerator(dataOptions) }
var random = RandomState(seed: parameters.common.seed)
if sentences.isSynthetic { print("SYNTHETIC: from a text that was written for this program") }
for _ in 0..<4 {
  print(attempt { try sentences.generate(maxLength: 16, using: &random) })
}

// For each different character of a sentence one image is drawn at random. The images are placed
// side by side on a black strip of 16 × 28 columns. The labels of a line are those of its
// characters, padded at the end with 3, the label of the padding token <P>.
cell("Sixteen characters side by side")
let plain = attempt {
  try EMNISTLines(dataOptions, .init(maxLength: 16, minOverlap: 0, maxOverlap: 0))
}
note(plain)
print(plain)

// The mapping from labels to text is that of the single characters:

print("Mapping: \(plain.mappingText)")

// The labels of the first line, and their text:

let labels = plain.train.labels(at: 0)
print(IntTensor(labels))
print(labels.map { plain.mapping[$0] }.joined())

// Each line has its own handwriting. Within a line, all occurrences of a character are the same
// image.
cell("Nine lines")
let texts = firstTexts(of: plain)
for (index, text) in texts.enumerated() { print("\(index + 1). \(text)") }
showLines(of: plain, scale: 2, as: "sixteen-characters")

// The course's notebook and its written walkthrough show different lines, although both start from
// seed 42. Preparing EMNIST draws from the same random numbers as the lines. When the notebook was
// run, EMNIST had been prepared before, so that the lines begin with the first random number: "phase
// of", "jobs Each of", …. For the walkthrough, EMNIST was prepared in the same run, and the lines begin
// where that ended: "it force", "at this years", …. `randomStart` is one or the other; `lab data show`
// has it as `--random_start`. From the SYNTHETIC text, other lines are drawn.
cell("The lines of the walkthrough")
let walkthrough = attempt {
  try EMNISTLines(
    dataOptions, .init(maxLength: 16, minOverlap: 0, maxOverlap: 0, randomStart: .walkthrough))
}
let lists = zip(texts, firstTexts(of: walkthrough)).enumerated().map { index, texts in
  ["\(index + 1).", texts.0, texts.1]
}
print(textTable([["", "stored", "walkthrough"]] + lists, left: 3))

// People do not write in boxes. Here the characters of each line overlap by a random part of their
// width, from none to a third; where two overlap, their pixels are added. The lines are also longer:
// sentences of up to 32 characters, plus two for the start and end tokens.
cell("Characters that overlap")
let overlapping = attempt {
  try EMNISTLines(dataOptions, .init(maxLength: 34, minOverlap: 0, maxOverlap: 0.33))
}
print(overlapping)
let longLabels = overlapping.train.labels(at: 0)
print(IntTensor(longLabels))
print(longLabels.map { overlapping.mapping[$0] }.joined())

// The more the characters overlap, the shorter the line: the same text can be a third shorter. A
// model that reads such lines cannot rely on fixed positions.
cell("Nine lines that overlap")
for (index, text) in firstTexts(of: overlapping).enumerated() { print("\(index + 1). \(text)") }
showLines(of: overlapping, scale: 1, as: "overlapping-characters")

/// The texts of the first nine training lines.
func firstTexts(of data: EMNISTLines) -> [String] {
  (0..<9).map { data.string(of: data.train.labels(at: $0)) }
}

/// Draws the first nine training lines with their text as title.
///
/// - Parameters:
///   - data: The lines.
///   - scale: The size of an image's pixel in the figure.
///   - name: The name of the figure.
func showLines(of data: EMNISTLines, scale: Int, as name: String) {
  let size = (width: data.config.inputDims[2], height: data.config.inputDims[1])
  var sheet = Figure(rows: 9, columns: 1, images: size, scale: scale)
  for (place, text) in firstTexts(of: data).enumerated() {
    let pixels = data.train.batch(at: [place]).x.elements
    sheet[place].imshow(
      Image(width: size.width, height: size.height, values: pixels), range: 0...1)
    sheet[place].title = text
  }
  show(sheet, of: data, as: name, alt: "Nine lines of handwriting, each titled with its text")
}
