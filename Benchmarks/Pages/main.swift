// Draws twenty pages of handwriting of EMNIST's test characters and the text of EMNIST Lines' test lines,
// photographs them, and reads them with a trained model.
//
//   swift run -c release pages-bench --load_checkpoint=FILE [--pages=FOLDER]

import ArgumentParser
import DrawnPages
import Foundation
import Lab

struct PagesBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pages-bench",
    abstract: "Find and read the lines of twenty drawn pages of handwriting.")

  @Option(name: .customLong("load_checkpoint"), help: "A model; without one, lines are only found.")
  var loadCheckpoint: String?

  @Option(help: "A folder to write the pages and their text to.")
  var pages: String?

  @Option(help: "How many times twenty pages are drawn.")
  var rounds = 1

  /// Edits and characters, and lines found.
  private struct Sums {
    var (edits, characters, lines, found, matched) = (0, 0, 0, 0, 0)
    var overlaps: [Double] = []
    var correlations: [Double] = []

    var errorRate: String { String(format: "%.3f", Double(edits) / Double(max(1, characters))) }
  }

  func run() throws {
    let data = try EMNISTLines(DataOptions())
    let emnist = try EMNIST(DataOptions())
    let letters = LetterImages(emnist.test, mapping: emnist.mapping)
    let texts = (0..<data.test.count).map { data.string(of: data.test.labels(at: $0)) }
    let reader = try loadCheckpoint.map {
      try PageReader(CheckpointedModel(URL(filePath: $0)), named: $0)
    }
    if data.isSynthetic { print("SYNTHETIC data") }
    var all = Sums()
    for round in 0..<rounds {
      for number in PageStyle.twenty.indices {
        let page = DrawnPage.page(
          number, round: round, text: { text(of: texts, most: $0, using: &$1) },
          letter: letters.image)
        try measure(page, "\(round)-\(number)", reader, &all)
      }
    }
    let median = { (values: [Double]) in values.sorted()[values.count / 2] }
    print(
      "all: \(all.lines) lines, \(all.found) found, \(all.matched) right, "
        + String(
          format: "median overlap %.3f, median correlation %.3f", median(all.overlaps),
          median(all.correlations)) + (reader == nil ? "" : ", CER \(all.errorRate)"))
  }

  /// Lines of the test set one after the other, up to a length.
  private func text(of texts: [String], most: Int, using random: inout RandomState) -> String {
    let least = Int(random.uniform(0.4, 0.9) * Double(most))
    var line = ""
    for _ in 0..<100 where line.count < least {
      let next = texts[random.integer(below: texts.count)]
      let longer = line.isEmpty ? next : "\(line) \(next)"
      if longer.count <= most { line = longer }
    }
    return line
  }

  private func measure(
    _ page: DrawnPage, _ name: String, _ reader: PageReader?, _ all: inout Sums
  ) throws {
    let folder = pages.map { URL(filePath: $0, directoryHint: .isDirectory) }
    if let folder {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    let file = (folder ?? FileManager.default.temporaryDirectory)
      .appending(path: folder == nil ? "pages-bench-\(UUID()).png" : "\(name).png")
    try Data(page.picture.encoded()).write(to: file)
    if let folder {
      try page.text.write(
        to: folder.appending(path: "\(name).txt"), atomically: true, encoding: .utf8)
    }
    defer { if folder == nil { try? FileManager.default.removeItem(at: file) } }
    let start = ContinuousClock.now
    let picture = try PagePicture(contentsOf: file)
    let score = PageScore(page, picture)
    var text = "\(name) \(page.style.name): \(score.lines) lines, \(score.found) found, "
    text += "\(score.matched) right"
    if let reader {
      let read = try reader.read(picture).map(\.text)
      let time = ContinuousClock.now - start
      let truth = page.lines.map(\.text)
      let edits = editDistance(
        Array(read.joined(separator: "\n")), Array(truth.joined(separator: "\n")))
      let count = page.text.count
      (all.edits, all.characters) = (all.edits + edits, all.characters + count)
      text += String(format: ", CER %.3f", Double(edits) / Double(count))
      text += ", \(time.formatted(.units(allowed: [.milliseconds])))"
    }
    all.lines += score.lines
    all.found += score.found
    all.matched += score.matched
    all.overlaps += score.overlaps
    all.correlations += score.correlations
    print(text)
  }
}

PagesBench.main()
