/// The page of a notebook: its source and the results of a run, ready to be rendered.
public struct Page: Codable, Equatable, Sendable {
  /// The name of the notebook, such as `01-look-at-emnist`: also the name of its folder and files.
  public var name: String
  public var title: String
  /// The Markdown of the comment at the top of the source, without the title.
  public var introduction: String
  /// The code before the first cell.
  public var setup: String
  public var cells: [Cell]
  public var state: State
  /// The facts listed on the page: seed, parameters, data, checksums, Swift, processor, commit.
  public var facts: [Fact]
  /// The wall time of the whole run; `nil` if times are not shown.
  public var seconds: Double?

  public init(
    name: String, title: String, introduction: String = "", setup: String = "", cells: [Cell] = [],
    state: State = .notRun, facts: [Fact] = [], seconds: Double? = nil
  ) {
    self.name = name
    self.title = title
    self.introduction = introduction
    self.setup = setup
    self.cells = cells
    self.state = state
    self.facts = facts
    self.seconds = seconds
  }

  /// The outcome of a notebook or of one of its cells.
  public enum State: Codable, Equatable, Sendable {
    case notRun
    case passed
    /// The cell was expected to fail, and did, with this message.
    case failedAsExpected(message: String)
    /// `message` may have several lines; `line` is a line of the source, counted from 1.
    case failed(message: String, line: Int?)
  }

  /// A fact listed on the page.
  public struct Fact: Codable, Equatable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// A cell: prose, code and outputs.
  public struct Cell: Codable, Equatable, Sendable {
    /// An identifier made from the title, the same in every run.
    public var id: String
    public var title: String
    /// The line of the call `cell(…)`, counted from 1.
    public var line: Int
    /// Markdown.
    public var prose: String
    public var code: String
    public var outputs: [Output]
    public var state: State
    /// The wall time; `nil` if the cell did not run or times are not shown.
    public var seconds: Double?
    /// The peak resident memory of the program at the end of the cell, in bytes; `nil` as for `seconds`.
    public var peakMemory: Int?

    public init(
      id: String, title: String, line: Int, prose: String = "", code: String = "",
      outputs: [Output] = [], state: State = .notRun, seconds: Double? = nil, peakMemory: Int? = nil
    ) {
      self.id = id
      self.title = title
      self.line = line
      self.prose = prose
      self.code = code
      self.outputs = outputs
      self.state = state
      self.seconds = seconds
      self.peakMemory = peakMemory
    }
  }

  /// An output of a cell.
  public enum Output: Codable, Equatable, Sendable {
    /// Printed text, without progress bars.
    case text(String, stream: Stream)
    case figure(Figure)
    /// Lines about times, which differ from run to run.
    case times(String)
    /// A value that the notebook shows.
    case inspection(Inspection)
    /// The outputs that follow were computed by an earlier run.
    case cached(Cached)
    /// The result of a check.
    case check(Check)
  }

  /// A value that a notebook shows: its type, shape and statistics.
  public struct Inspection: Codable, Equatable, Sendable {
    /// The expression, such as `batch.x`.
    public var name: String
    /// What is known about it, such as its type, its shape and its mean.
    public var facts: [Fact]
    /// An image of the value; `nil` if it is none.
    public var figure: Figure?

    public init(name: String, facts: [Fact], figure: Figure? = nil) {
      self.name = name
      self.facts = facts
      self.figure = figure
    }
  }

  /// The origin of a result that was not computed again.
  public struct Cached: Codable, Equatable, Sendable {
    /// The name of the result in the notebook.
    public var name: String
    /// When it was computed, in seconds since 1970.
    public var time: Double
    /// How long that took, in seconds.
    public var seconds: Double

    public init(name: String, time: Double, seconds: Double) {
      self.name = name
      self.time = time
      self.seconds = seconds
    }
  }

  /// An output stream of a program.
  public enum Stream: String, Codable, Sendable {
    case standardOutput
    case standardError
  }

  /// A figure: a PNG file beside the page.
  public struct Figure: Codable, Equatable, Sendable {
    /// The name of the file in the notebook's output folder, such as `characters.png`.
    public var file: String
    /// The text for readers who cannot see the figure.
    public var alternativeText: String
    /// The width at which pages show the figure, in CSS pixels; for sharp screens the file has twice as
    /// many.
    public var width: Int
    /// The height at which pages show the figure, in CSS pixels.
    public var height: Int

    public init(file: String, alternativeText: String, width: Int, height: Int) {
      self.file = file
      self.alternativeText = alternativeText
      self.width = width
      self.height = height
    }
  }
}
