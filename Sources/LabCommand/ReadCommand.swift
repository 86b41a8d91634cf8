import ArgumentParser
import Foundation
import Lab
import Plot

/// `lab read`: reads pages of handwriting with a trained model.
struct ReadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "read",
    abstract: "Read pages of handwriting with a trained model.",
    discussion: """
      A page is a PNG or JPEG file: a scan or a photograph of lines of handwriting, dark on light or light \
      on dark, on plain, ruled or squared paper. Lines may be slanted, the light may be uneven, and a \
      table may be seen around the sheet. Words are separated by spaces. Letters should be separate and \
      about equally large, as in EMNIST, from which the models learn.

      For each line its text and the mean confidence of its characters are printed, from 0 to 1. A figure \
      of each page, with its lines and the place of each character, is saved in output/read (or below \
      LAB_OUTPUT_DIR).

        lab read --load_checkpoint=output/logs/LineCNN-EMNISTLines/version_0 page.jpg
      """)

  @Option(
    name: .customLong("load_checkpoint"),
    help: ArgumentHelp(
      """
      The weights of a model for lines that was trained with --loss=ctc, in safetensors format, or the \
      folder of its run.
      """,
      valueName: "file"))
  var loadCheckpoint: String

  @Option(
    name: .customLong("to"),
    help: ArgumentHelp(
      "A text file to write the text to, with a blank line between pages.", valueName: "file"))
  var textFile: String?

  @OptionGroup(title: "Device") var device: DeviceOptions

  @Argument(help: ArgumentHelp("PNG or JPEG files, one page each.", valueName: "page"))
  var pages: [String]

  /// A page, and what was read on it.
  private struct Reading {
    let path: String
    let page: PagePicture
    let lines: [ReadLine]

    var text: String { lines.map { $0.text + "\n" }.joined() }
  }

  func run() throws {
    // Everything is read before anything is printed or written: either all of it works or nothing.
    let (found, used) = try device.compute { device in
      let checkpoint = try CheckpointedModel(URL(filePath: loadCheckpoint))
      let reader = try PageReader(checkpoint, named: loadCheckpoint)
      checkpoint.model.to(device)
      let readings = try pages.map { path in
        let page = try PagePicture(contentsOf: URL(filePath: path))
        return Reading(path: path, page: page, lines: try reader.read(page))
      }
      return (checkpoint, readings)
    }
    let (checkpoint, readings) = found
    for line in device.lines(about: used) { print(line) }
    let figures = try readings.map { try pageFigure($0.page, $0.lines).png() }
    let data = checkpoint.dataClass.map {
      ", trained on \(checkpoint.isSynthetic ? "SYNTHETIC " : "")\($0)"
    }
    print("Model: \(checkpoint.configuration.modelClass)\(data ?? "")")
    let names = figureNames(checkpoint.isSynthetic ? "-SYNTHETIC" : "")
    for (reading, (figure, name)) in zip(readings, zip(figures, names)) {
      print(printable(reading.path, limit: .max))
      for line in reading.lines {
        print("  " + String(format: "%.2f", line.confidence) + "  \(line.text)")
      }
      let file = OutputFolder.url.appending(path: "read/\(name)")
      try writeWhole(to: file) { try $0.write(contentsOf: figure) }
      print("Figure: \(file.relativePath)")
    }
    if let textFile {
      let text = readings.map(\.text).joined(separator: "\n")
      try writeWhole(to: URL(filePath: textFile)) { try $0.write(contentsOf: Data(text.utf8)) }
      print("Text: \(textFile)")
    }
  }

  /// For each page the name of its figure; pages of the same name get numbers.
  private func figureNames(_ mark: String) -> [String] {
    var taken: Set<String> = []
    return pages.map { path in
      let stem = URL(filePath: path).deletingPathExtension().lastPathComponent
      var (name, number) = ("\(stem)\(mark).png", 2)
      while !taken.insert(name).inserted {
        name = "\(stem)-\(number)\(mark).png"
        number += 1
      }
      return name
    }
  }
}
