/// A notebook's page: what its source says and what a run of it recorded, ready to be rendered.
public struct Page: Codable, Equatable, Sendable {
  /// The notebook's name, such as `01-look-at-emnist`; its folder and its files are called so.
  public var name: String
  public var title: String
  /// Markdown, from the comment at the top of the source, without the title.
  public var introduction: String
  /// The code before the first cell.
  public var setup: String
  public var cells: [Cell]
  public var state: State
  /// What the box on the page names: seed, parameters, data, checksums, Swift, processor, commit.
  public var facts: [Fact]
  /// Wall time of the whole run; `nil` if times are not to be shown.
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

  /// How a notebook, or a cell of it, ended.
  public enum State: Codable, Equatable, Sendable {
    case notRun
    case passed
    /// The cell was to fail, and did; the message says how.
    case failedAsExpected(message: String)
    /// `message` is one line, or several; `line` is a line of the source, counted from 1.
    case failed(message: String, line: Int?)
  }

  /// A line of the box on the page.
  public struct Fact: Codable, Equatable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// A cell: prose, code, and what the code gave.
  public struct Cell: Codable, Equatable, Sendable {
    /// The same from run to run: made of the title.
    public var id: String
    public var title: String
    /// The line of the call `cell(…)`, counted from 1.
    public var line: Int
    /// Markdown.
    public var prose: String
    public var code: String
    public var outputs: [Output]
    public var state: State
    /// Wall time; `nil` if it did not run or times are not to be shown.
    public var seconds: Double?
    /// The program's largest resident memory at the cell's end, in bytes; `nil` as for `seconds`.
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

  /// What a cell gave, in its order.
  public enum Output: Codable, Equatable, Sendable {
    /// Progress bars are in their last state.
    case text(String, stream: Stream)
    case figure(Figure)
  }

  /// Where a program prints.
  public enum Stream: String, Codable, Sendable {
    case standardOutput
    case standardError
  }

  /// A PNG file beside the page.
  public struct Figure: Codable, Equatable, Sendable {
    /// The name of the file in the notebook's folder, such as `characters.png`.
    public var file: String
    /// What a reader hears who cannot see it.
    public var alternativeText: String
    /// In pixels.
    public var width: Int
    public var height: Int

    public init(file: String, alternativeText: String, width: Int, height: Int) {
      self.file = file
      self.alternativeText = alternativeText
      self.width = width
      self.height = height
    }
  }
}
