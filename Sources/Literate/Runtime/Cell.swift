import Foundation
import Plot
import StandardStreams

/// Starts a cell: the lines up to the next call, with the comment directly above the call as prose.
///
/// ```swift
/// // About the data, in *Markdown*.
/// cell("The data")
/// print(data)
/// ```
///
/// A notebook run directly prints the title. The runner makes a page with prose, code and output.
///
/// - Parameters:
///   - title: The title, unique in the notebook.
///   - expectedToFail: Whether the cell demonstrates an error. An error caught by ``attempt(line:_:)``
///     does not end the notebook here; without an error the run fails.
///   - tolerance: The tolerance with which a check compares results with the accepted ones.
///   - ignoring: The prefixes of lines that a check ignores, such as the name of the processor.
///   - line: The line of the call.
///   - file: The file of the call.
@MainActor
public func cell(
  _ title: String, expectedToFail: Bool = false, tolerance: Tolerance = .exact,
  ignoring: [String] = [], line: Int = #line, file: String = #filePath
) {
  Session.current.file = file
  Session.current.open(
    .init(
      title: title, line: line, expectedToFail: expectedToFail, tolerance: tolerance,
      ignoring: ignoring, time: monotonicTime(), peakMemory: Session.peakMemory))
}

/// Returns the result of `body`. If it throws, prints the error to standard error and ends the notebook
/// with exit status 1.
///
/// For top-level code, where an uncaught error would end in a crash report:
///
/// ```swift
/// let data = attempt { try EMNIST() }
/// ```
@MainActor
@discardableResult
public func attempt<Result>(line: Int = #line, _ body: () throws -> Result) -> Result {
  do {
    return try body()
  } catch {
    report(error, line: line)
    exit(1)
  }
}

/// Runs `body`. If it throws, prints the error to standard error and ends the notebook with exit
/// status 1, except in a cell that is expected to fail.
///
/// ```swift
/// cell("A wrong shape", expectedToFail: true)
/// attempt { print(try linear(images, weight)) }
/// ```
@MainActor
public func attempt(line: Int = #line, _ body: () throws -> Void) {
  do {
    try body()
  } catch {
    report(error, line: line)
    guard Session.current.cell?.expectedToFail == true else { exit(1) }
  }
}

@MainActor
private func report(_ error: any Error, line: Int) {
  // Earlier output must come before the error, even if both go to the same file.
  fflush(nil)
  StandardStreams.writeError(Array("Error: \(error)\n".utf8))
  Session.current.report(.failure(.init(message: "\(error)", line: line)))
}

/// Shows a figure on the page, and writes its file to the notebook's output folder. The file has twice
/// the pixels of the figure in each direction, for sharp screens.
///
/// ```swift
/// show(figure, as: "characters", alt: "Nine handwritten characters with their labels")
/// // Figure: output/01-look-at-emnist/characters.png
/// ```
///
/// If the figure cannot be drawn or written, the notebook ends with an error.
///
/// - Parameters:
///   - figure: The figure.
///   - name: The name of the file without `.png`; a later figure of the same name replaces it.
///   - text: The text for readers who cannot see the figure.
///   - showsTimes: Whether the figure shows times, which differ from run to run: it is left out of pages
///     without times.
///   - line: The line of the call.
@MainActor
public func show(
  _ figure: Figure, as name: String, alt text: String, showsTimes: Bool = false, line: Int = #line
) {
  let session = Session.current
  if showsTimes, !session.recordsTimes, !Recorder.isRecording { return }
  attempt(line: line) {
    try session.show(
      .init(
        file: "\(name).png", alternativeText: text, width: figure.pixels.width,
        height: figure.pixels.height), png: Data(try figure.atTwiceTheResolution.png()),
      showsTimes: showsTimes)
  }
}

/// Prints a line about time on standard error; a page without times leaves it out.
///
/// ```swift
/// tellTime("An epoch took \(epoch.seconds) s")
/// ```
///
/// - Parameter text: The line.
@MainActor
public func tellTime(_ text: String) {
  let session = Session.current
  session.report(.time(.init(text: text)))
  // Earlier output comes before the line, also when both go to one file.
  if !session.isSupervised {
    Recorder.pausing { StandardStreams.writeError(Array("\(text)\n".utf8)) }
  }
}

/// Adds a fact to the list on the page.
///
/// ```swift
/// note("Kernels", "AVX-512")
/// ```
///
/// - Parameters:
///   - name: The name; a later fact of the same name replaces the earlier one.
///   - value: The value.
@MainActor
public func note(_ name: String, _ value: String) {
  Session.current.report(.fact(.init(name, value)))
}

/// Declares that results depend on the files of a folder: when they change, an earlier run is outdated.
@MainActor
public func noteData(in folder: URL) {
  Session.current.report(.data(.init(folder: folder.path(percentEncoded: false))))
}

/// The tolerance with which a check compares the results of a cell with the accepted ones.
///
/// ```swift
/// cell("A convolutional network", tolerance: 0.01)
/// cell("Nine predictions", tolerance: .init(pixels: 0.02))
/// ```
public struct Tolerance: Codable, Equatable, Sendable, ExpressibleByFloatLiteral {
  /// The largest difference between two numbers of the output.
  public var numbers: Double
  /// The fraction of numbers that may differ by more, from 0 to 1.
  public var share: Double
  /// The fraction of a figure's pixels that may differ, from 0 to 1.
  public var pixels: Double
  /// The largest difference of a pixel's red, green or blue, from 0 to 255, that does not count: small
  /// differences of values that are drawn as gray levels or colors.
  public var levels: Int
  /// The fraction of a figure's pixels that may have another color wherever they are, from 0 to 1; `nil`
  /// if only ``pixels`` counts. It makes a check fail of a figure whose curves or pictures may move: most
  /// of its pixels may differ, but not its amounts of ink.
  public var colors: Double?

  /// - Parameters:
  ///   - numbers: The largest difference between two numbers of the output.
  ///   - share: The fraction of numbers that may differ by more, from 0 to 1.
  ///   - pixels: The fraction of a figure's pixels that may differ, from 0 to 1.
  ///   - levels: The largest difference of a pixel's red, green or blue, from 0 to 255, that does not
  ///     count.
  ///   - colors: The fraction of a figure's pixels that may have another color wherever they are, from 0
  ///     to 1; `nil` if only `pixels` counts.
  public init(
    numbers: Double = 0, share: Double = 0, pixels: Double = 0, levels: Int = 0,
    colors: Double? = nil
  ) {
    self.numbers = numbers
    self.share = share
    self.pixels = pixels
    self.levels = levels
    self.colors = colors
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      numbers: try values.decode(Double.self, forKey: .numbers),
      share: try values.decode(Double.self, forKey: .share),
      pixels: try values.decode(Double.self, forKey: .pixels),
      // Logs of older versions have none.
      levels: try values.decodeIfPresent(Int.self, forKey: .levels) ?? 0,
      colors: try values.decodeIfPresent(Double.self, forKey: .colors))
  }

  /// A tolerance for numbers; figures must be equal.
  public init(floatLiteral value: Double) {
    self.init(numbers: value)
  }

  /// Everything must be equal.
  public static let exact = Tolerance()
}
