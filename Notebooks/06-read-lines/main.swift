// # Read lines
//
// The lab began with a question: how can a program translate handwritten images into text? So far we
// have classified single characters, and made lines of them. Now networks read the lines: first a
// character in each window, then with a loss that finds out by itself where the characters are.

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

/// The options of a training: in the quick form, shorter lines and a smaller network.
///
/// - Parameters:
///   - model: The network.
///   - maxOverlap: The largest overlap of neighbouring characters.
///   - epochs: The number of epochs, and in the quick form.
func options(
  _ model: String, maxOverlap: Double, epochs: (full: Int, quick: Int)
) -> [String] {
  let maxEpochs = parameters.length.maxEpochs ?? (isQuick ? epochs.quick : epochs.full)
  var options = [
    "--model_class=\(model)", "--data_class=EMNISTLines", "--min_overlap=0",
    "--max_overlap=\(maxOverlap)", "--window_width=28", "--max_epochs=\(maxEpochs)",
  ]
  if isQuick {
    options += [
      "--max_length=12", "--num_train=2000", "--num_val=200", "--num_test=400", "--batch_size=32",
      "--conv_dim=16", "--fc_dim=128",
    ]
  }
  if let limit = parameters.length.limitTrainBatches {
    options.append("--limit_train_batches=\(limit.defaultValueDescription)")
  }
  return options + [
    "--data_source=\(parameters.common.dataSource)", "--seed=\(parameters.common.seed)",
  ]
}

// In lines without overlap each character has its own window of 28 columns. A network for characters
// can read them: it looks at one window after another, and its outputs are the labels of the line. The
// course calls this `LineCNNSimple`. The rest of a line is padding, which has a label too, so that the
// accuracy counts many easy answers. The character error rate (`cer`) counts only the text: the
// insertions, deletions and substitutions of characters that turn what was read into the text, divided
// by the length of the text.
cell(
  "A character in each window", tolerance: .init(numbers: 0.06, share: 0.1),
  ignoring: ["Processor: "])
let simple = labTrain(
  options("LineCNNSimple", maxOverlap: 0, epochs: (10, 2)) + ["--window_stride=28"],
  cachedAs: "simple")
note(simple.data)

// People do not write in boxes. When characters overlap, a line gets shorter, and soon a window shows
// the end of one character and the beginning of the next. Both lines below have the same windows.
cell(
  "Windows of lines that overlap", tolerance: .init(numbers: 0.06, share: 0.1),
  ignoring: ["Text: "])
let overlapping = attempt {
  try EMNISTLines(
    DataOptions(source: parameters.common.dataSource, batchSize: isQuick ? 32 : 128),
    isQuick
      ? .init(maxLength: 12, numTrain: 2000, numVal: 200, numTest: 400) : .init())
}
note(overlapping)

/// The first test line with a few words.
let example =
  (0..<overlapping.test.count).first {
    overlapping.string(of: overlapping.test.labels(at: $0)).count > 8
  }
  ?? 0
var windows = Figure(size: (12, 3), rows: 2)
for (row, data) in [simple.data, overlapping].enumerated() {
  drawLine(example, of: data, in: &windows[row])
  windows[row].title = data.string(of: data.test.labels(at: example))
  let shown = Double(min(12, data.config.outputDims[0]) * 28)
  windows[row].xlim = 0...shown
  for edge in stride(from: 0, through: shown, by: 28) {
    windows[row].plot([edge, edge], [0, 28], color: .orange)
  }
}
show(
  windows, of: overlapping, as: "windows",
  alt:
    "Two lines of handwriting with vertical lines every 28 columns: in the first one they separate the characters, in the second one they cut them"
)

// The network that was just trained, on the lines that overlap.
let drifting = attempt {
  try Trainer().test(
    simple.model, overlapping, objective: LineReading(.crossEntropy, overlapping))
}
print("Test CER without overlap: \(rate(simple.lines?.metrics["cer"]))")
print("Test CER with overlap: \(rate(drifting.metrics["cer"]))")
for line in drifting.predictions.prefix(4) {
  print(
    "Text: \(overlapping.string(of: line.labels)), read: \(overlapping.string(of: line.predicted))")
}

// The labels say which characters a line has, not where they are. So the loss must not ask for a
// character at a given window. Connectionist temporal classification (CTC, Alex Graves and others,
// 2006) adds one class, the blank, and lets the network have more outputs than the line has
// characters. What is read are the outputs with repetitions merged and blanks dropped: `aa-t-t` is
// "att", and `a--tt-` is "at". Every way from a start on the left to an end on the right is a path that
// reads as "at"; one of them is blue.
cell("Connectionist temporal classification")
show(
  lattice(), of: overlapping, as: "ctc-lattice",
  alt:
    "A lattice of circles: six columns for the outputs and five rows for blank, a, blank, t, blank; arrows lead from each circle to those that may follow; one path is blue"
)

/// Draws all paths of six outputs that read as "at".
func lattice() -> Figure {
  let rows = ["–", "a", "–", "t", "–"]
  let columns = 6
  // Rows of a path in each column.
  let path = [0, 1, 1, 2, 3, 4]
  var figure = Figure(size: (9, 5))
  figure[0].frame = false
  figure[0].xlim = -1...Double(columns) - 0.3
  figure[0].ylim = -5...0.9
  /// Whether a circle is on a path from a start to an end.
  func isReachable(_ row: Int, _ column: Int) -> Bool {
    row <= 2 * column + 1 && rows.count - 1 - row <= 2 * (columns - 1 - column) + 1
  }
  for column in 0..<columns - 1 {
    for row in rows.indices where isReachable(row, column) {
      // To the same row, the next one, or over the blank between two different characters.
      for next in row...min(row + (rows[row] == "–" ? 1 : 2), rows.count - 1)
      where isReachable(next, column + 1) {
        let isOnPath = path[column] == row && path[column + 1] == next
        let (x, y) = (Double(column), -Double(row))
        let (dx, dy) = (1.0, -Double(next - row))
        let length = (dx * dx + dy * dy).squareRoot()
        let (ux, uy) = (0.24 * dx / length, 0.24 * dy / length)
        figure[0].arrow(
          [(x + ux, y + uy), (x + dx - ux, y + dy - uy)], color: isOnPath ? .blue : .gray,
          linewidth: isOnPath ? 2.5 : 1)
      }
    }
  }
  for column in 0..<columns {
    figure[0].text("output \(column + 1)", at: (Double(column), 0.6), fontsize: 9)
    for row in rows.indices where isReachable(row, column) {
      let isOnPath = path[column] == row
      figure[0].box(
        rows[row], at: (Double(column), -Double(row)), size: (0.44, 0.44), style: .circle,
        facecolor: isOnPath ? .blue : .white, fontsize: 12)
    }
  }
  for (row, name) in rows.enumerated() {
    figure[0].text(name == "–" ? "blank" : name, at: (-0.7, -Double(row)), fontsize: 11)
  }
  return figure
}

// The probability of a text is the sum over its paths, and the loss is minus its logarithm. There are
// too many paths to list them, but the sum goes from column to column of the lattice. Here is a line of
// three outputs for the classes blank, a and t, small enough to check it by hand:
cell("The loss is a sum over all paths")
let classes = ["-", "a", "t"]
let probabilities: [[Float]] = [[0.1, 0.8, 0.1], [0.5, 0.3, 0.2], [0.2, 0.1, 0.7]]
var total: Float = 0
for path in (0..<27).map({ [$0 / 9, $0 / 3 % 3, $0 % 3] }) where greedyDecode(path) == [1, 2] {
  let probability = zip(probabilities, path).map { $0[$1] }.reduce(1, *)
  total += probability
  print("\(path.map { classes[$0] }.joined())  \(String(format: "%.3f", probability))")
}
print("Sum \(String(format: "%.3f", total)), minus its logarithm \(rate(-log(Double(total))))")
let loss = attempt {
  try ctcLoss(
    log(Tensor(probabilities.flatMap { $0 }, shape: [3, 1, 3])), IntTensor([1, 2], shape: [1, 2]),
    inputLengths: [3], targetLengths: [2], reduction: .sum)
}
print("ctcLoss \(rate(Double(loss.item)))")

// `LineCNN` has convolutions that halve the line three times, and one that looks through windows of 24
// columns, 16 columns apart: 55 outputs for 32 characters. The loss falls fast at first, when the
// network learns that most outputs are blank, and stays there for a while: nothing is read, and the
// error rate is 1. Then it finds the first characters, and the others follow.
cell("Train with CTC", tolerance: .init(numbers: 0.1, share: 0.2), ignoring: ["Processor: "])
let reader = labTrain(
  options("LineCNN", maxOverlap: 0.33, epochs: (10, 8)) + ["--window_stride=18", "--loss=ctc"],
  cachedAs: "reader")

cell("Learning curves", tolerance: .init(pixels: 0.05, colors: 0.003))
var curves = Figure(size: (11, 4.2), columns: 2)
curves.supertitle = "LineCNN on \(reader.data.displayName)"
let epochs = reader.history.indices.map(Double.init)
curves[0].plot(epochs, reader.history.map(\.train.loss), label: "train", marker: .circle)
curves[0].plot(
  epochs, reader.history.map { $0.val?.loss ?? .nan }, label: "val", marker: .square)
curves[0].ylabel = "loss"
curves[0].legend()
curves[1].plot(
  epochs, reader.history.map { $0.val?["cer"] ?? .nan }, label: "val", marker: .square)
curves[1].ylabel = "character error rate"
for place in 0..<2 {
  curves[place].xlabel = "epoch"
  curves[place].grid = true
}
show(
  curves, of: reader.data, as: "curves",
  alt: "The loss and the character error rate after each epoch")

// Where does the network read? Below a line are its probabilities: of the blank in gray, and of each
// character that was read, under its window. CTC makes peaks: a character is read at one or two outputs,
// and all the others are blank.
cell("Where each character was read", tolerance: .init(pixels: 0.2, colors: 0.02))
let lineModel = reader.model as? any LineModel
let line = reader.data.test.batch(at: [example])
let steps = attempt { try LogProbabilities.lines(of: reader.model(line.x))[0] }
let read = greedyDecode(steps)
var alignment = Figure(size: (13, 5), rows: 2)
drawLine(example, of: reader.data, in: &alignment[0])
alignment[0].title = reader.data.string(of: reader.data.test.labels(at: example))
let centers = (0..<steps.steps).map { step in
  lineModel.map { Double($0.window.columns(of: step).lowerBound + $0.window.width / 2) } ?? 0
}
alignment[1].plot(
  centers, centers.indices.map { exp(Double(steps[$0, 0])) }, label: "blank", color: .gray)
for label in Set(read.map(\.label)).sorted() {
  alignment[1].plot(centers, centers.indices.map { exp(Double(steps[$0, label])) })
}
for character in read {
  let center = character.steps.map { centers[$0] }.reduce(0, +) / Double(character.steps.count)
  alignment[1].text(reader.data.mapping[character.label], at: (center, 1.12), fontsize: 12)
}
alignment[1].ylim = 0...1.25
alignment[1].xlim = 0...Double(reader.data.config.inputDims[2])
alignment[1].ylabel = "probability"
alignment[1].legend()
show(
  alignment, of: reader.data, as: "alignment",
  alt:
    "A line of handwriting; below it the probabilities of the blank and of the characters, with peaks where the characters are"
)

// Nine lines of the test set: above each its text, below it what was read. Wrong characters are red; `_`
// stands for one that is missing.
cell("Nine lines", tolerance: .init(pixels: 0.3, colors: 0.03))
let lines = reader.lines?.predictions ?? []
show(
  sheet(of: Array(lines.prefix(9))), of: reader.data, as: "nine-lines",
  alt:
    "Nine lines of handwriting; above each its text, below it what was read, wrong characters in red"
)

cell("The worst mistakes", tolerance: .init(pixels: 0.4, colors: 0.05))
let worst = reader.lines?.worstLines(9) ?? []
show(
  sheet(of: worst), of: reader.data, as: "worst-mistakes",
  alt: "The nine lines with the highest error rates; above each its text, below it what was read")

/// Draws lines with what was read below them.
func sheet(of lines: [LinePrediction]) -> Figure {
  let data = reader.data
  let width = Double(data.config.inputDims[2])
  var figure = Figure(size: (12, 12), rows: max(1, lines.count))
  figure.font = .monospaced
  for (row, line) in lines.enumerated() {
    drawLine(line.position, of: data, in: &figure[row])
    figure[row].title = data.string(of: line.labels)
    figure[row].ylim = -26...28
    let steps = align(line.labels, line.predicted)
    for (place, step) in steps.enumerated() {
      let (label, isRight) =
        switch step {
        case .match(_, let index): (line.predicted[index], true)
        case .substitute(_, let index), .insert(let index): (line.predicted[index], false)
        case .delete: (-1, false)
        }
      figure[row].text(
        label < 0 ? "_" : data.mapping[label],
        at: (width * (Double(place) + 0.5) / Double(data.config.outputDims[0]), -13),
        fontsize: 12, color: isRight ? .green : .red)
    }
  }
  return figure
}

// O and 0, l, I and 1 cannot be told apart by their shape alone; a reader knows from the text which one
// it is. A language model of characters knows it, too: how likely each character is after the five
// before it, in the text of the Brown corpus that no line for validation or testing uses. A beam search
// keeps the 25 best beginnings of texts and adds both logarithms. How much the language counts is chosen
// on validation lines.
cell(
  "What a language model changes", tolerance: .init(numbers: 0.1, share: 0.2), ignoring: ["Text: "])
let language = attempt { try overlapping.languageModel() }
print(language)
var search = BeamSearch(mapping: overlapping.mapping, specialTokens: overlapping.specialTokens)
search.languageModel = language.model
let reading = LineReading(.ctc, overlapping)
let tuned = attempt {
  let val = try reading.outputs(of: reader.model, overlapping.valBatches())
  return try search.choosingWeights(
    on: Array(val.lines.prefix(500)), labels: Array(val.labels.prefix(500))
  ).best
}
print("Weights: language \(tuned.languageWeight), bonus per character \(tuned.lengthBonus)")
let test = attempt { try reading.outputs(of: reader.model, overlapping.testBatches()) }
let found = attempt { try tuned.read(test.lines).map { $0.first?.labels ?? [] } }
print("Test CER of the network alone: \(rate(reader.lines?.metrics["cer"]))")
print("Test CER with the language model: \(rate(characterErrorRate(found, test.labels)))")

// The first lines that the language model changed.
for (line, text) in zip(lines, found).filter({ $0.predicted != $1 }).prefix(8) {
  print(
    "Text: \(overlapping.string(of: line.labels)), network alone: "
      + "\(overlapping.string(of: line.predicted)), with the language model: "
      + overlapping.string(of: text))
}

/// Draws a test line in data coordinates, white on black.
func drawLine(_ position: Int, of data: any DataModule, in axes: inout Axes) {
  let x = data.test.batch(at: [position]).x
  let (height, width) = (x.shape[2], x.shape[3])
  axes.frame = false
  axes.imshow(
    Image(width: width, height: height, values: x.elements), x: 0...Double(width),
    y: 0...Double(height), range: 0...1)
}

/// A rate with four decimals.
func rate(_ value: Double?) -> String { String(format: "%.4f", value ?? .nan) }
