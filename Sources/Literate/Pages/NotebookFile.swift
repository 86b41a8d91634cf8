import Foundation

/// A Jupyter notebook file of format 4.5.
///
/// Source: [The notebook file format](https://nbformat.readthedocs.io/en/latest/format_description.html)
struct NotebookFile: Encodable {
  private let nbformat = 4
  private let nbformat_minor = 5
  private let metadata = Metadata()
  let cells: [Cell]

  private struct Metadata: Encodable {
    let kernelspec = ["display_name": "Swift", "language": "swift", "name": "swift"]
    let language_info = [
      "file_extension": ".swift", "mimetype": "text/x-swift", "name": "swift",
    ]
  }

  enum Cell: Encodable {
    case markdown(id: String, String)
    /// The execution count is `nil` for a cell that did not run.
    case code(id: String, String, executionCount: Int?, outputs: [Output], tags: [String])

    func encode(to encoder: any Encoder) throws {
      var fields = encoder.container(keyedBy: Field.self)
      switch self {
      case .markdown(let id, let text):
        try fields.encode("markdown", forKey: "cell_type")
        try fields.encode(id, forKey: "id")
        try fields.encode([String: String](), forKey: "metadata")
        try fields.encode(lines(of: text), forKey: "source")
      case .code(let id, let text, let executionCount, let outputs, let tags):
        try fields.encode("code", forKey: "cell_type")
        // The format wants a null, not a field that is missing.
        try fields.encode(executionCount, forKey: "execution_count")
        try fields.encode(id, forKey: "id")
        try fields.encode(tags.isEmpty ? [:] : ["tags": tags], forKey: "metadata")
        try fields.encode(outputs, forKey: "outputs")
        try fields.encode(lines(of: text), forKey: "source")
      }
    }
  }

  enum Output: Encodable {
    /// The name is `stdout` or `stderr`.
    case stream(name: String, String)
    /// Without a file, the alternative text alone.
    case figure(Page.Figure, png: Data?)
    case error(name: String, message: String)

    func encode(to encoder: any Encoder) throws {
      var fields = encoder.container(keyedBy: Field.self)
      switch self {
      case .stream(let name, let text):
        try fields.encode("stream", forKey: "output_type")
        try fields.encode(name, forKey: "name")
        try fields.encode(lines(of: text), forKey: "text")
      case .figure(let figure, let png):
        try fields.encode("display_data", forKey: "output_type")
        var data = ["text/plain": [figure.alternativeText]]
        if let png { data["image/png"] = [png.base64EncodedString()] }
        try fields.encode(data, forKey: "data")
        try fields.encode(png == nil ? [:] : ["image/png": Size(figure)], forKey: "metadata")
      case .error(let name, let message):
        try fields.encode("error", forKey: "output_type")
        try fields.encode(name, forKey: "ename")
        try fields.encode(message, forKey: "evalue")
        try fields.encode(
          [name] + message.split(separator: "\n").map(String.init), forKey: "traceback")
      }
    }
  }

  private struct Size: Encodable {
    let alt: String
    let width: Int
    let height: Int

    init(_ figure: Page.Figure) {
      alt = figure.alternativeText
      width = figure.width
      height = figure.height
    }
  }

  private struct Field: CodingKey, ExpressibleByStringLiteral {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringLiteral name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}

/// Text as the format has it: its lines, each with its line break.
private func lines(of text: String) -> [String] {
  var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { "\($0)\n" }
  let last = lines.removeLast().dropLast()
  return last.isEmpty ? lines : lines + [String(last)]
}
