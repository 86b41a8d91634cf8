import Foundation

/// The points of a student.
public struct Grade: Codable, Sendable {
  public var student: String
  /// The results of all checks, in the order of the notebooks.
  public var checks: [Check]
  /// What the teacher and the student should know.
  public var notes: [String]
  /// What the points depend on: the answers, the teacher's files and the options.
  var digest: String

  /// The result of a check.
  public struct Check: Codable, Equatable, Sendable {
    public var notebook: String
    public var name: String
    public var points: Double
    public var earned: Double
    /// Whether students have not got the check.
    public var isHidden: Bool
    /// Why points are missing; nil if nothing is to be said, as of hidden checks.
    public var message: String?
  }

  package var sum: PointSum {
    PointSum(checks.map { Page.Check(name: $0.name, points: $0.points, earned: $0.earned) })
  }

  /// The points in words: `12.5 of 20`.
  public var amount: String {
    let sum = sum
    return "\(pointsText(sum.earned)) of \(pointsText(sum.points))"
  }
}

/// The files with the points of a class.
struct GradeBook {
  let folder: URL
  let grades: [Grade]

  /// The name of the folder of a student's files, in the folder `students`.
  static func folder(of student: String, in folder: URL) -> URL {
    folder.appending(path: "students/\(student)", directoryHint: .isDirectory)
  }

  /// Writes `grades.csv`, `grades.json` and `index.html`.
  func write() throws {
    try writeFile(csv, to: folder.appending(path: "grades.csv"))
    try writeFile(try jsonText(of: grades), to: folder.appending(path: "grades.json"))
    try writeFile(html, to: folder.appending(path: "index.html"))
  }

  /// One line a student: the sum, the points of each check, and the notes.
  var csv: String {
    let checks = grades.first?.checks ?? []
    let head =
      ["student", "points", "of"] + checks.map { "\($0.notebook): \($0.name)" } + ["notes"]
    let rows = grades.map { grade -> [String] in
      let sum = grade.sum
      return [grade.student, pointsText(sum.earned), pointsText(sum.points)]
        + grade.checks.map { pointsText($0.earned) } + [grade.notes.joined(separator: "; ")]
    }
    return ([head] + rows).map { $0.map(Self.field).joined(separator: ",") + "\r\n" }.joined()
  }

  /// A field of RFC 4180. Spreadsheets compute what begins like a formula: an apostrophe prevents it.
  private static func field(_ text: String) -> String {
    var text = plainText(text)
    if let first = text.first, "=+-@\t".contains(first), Double(text) == nil { text = "'\(text)" }
    guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
    return "\"\(text.replacing("\"", with: "\"\""))\""
  }

  private var html: String {
    let rows = grades.map { grade -> HTML in
      let pages = Set(grade.checks.map(\.notebook)).sorted().map { notebook -> HTML in
        let address = linkAddress("students/\(grade.student)/\(notebook)/index.html")
        return "<a href=\"\(address)\">\(notebook)</a>"
      }
      let notes = grade.notes.map { note -> HTML in "<p>\(note)</p>" }
      return """
        <tr>
        <td>\(grade.student)</td>
        <td>\(grade.amount)</td>
        <td>\(pages.joined(separator: "<br>"))</td>
        <td>\(notes.joined())</td>
        </tr>
        """
    }
    return htmlDocument(
      title: "Grades", in: .english,
      body: """
        <div class="page">
        <main class="prose grades">
        <h1>Grades</h1>
        <table>
        <thead><tr><th>Student</th><th>Points</th><th>Page</th><th>Notes</th></tr></thead>
        <tbody>
        \(rows.joined(separator: "\n"))
        </tbody>
        </table>
        <p>The same as a table: <a href="grades.csv">grades.csv</a>, \
        <a href="grades.json">grades.json</a>.</p>
        </main>
        </div>
        """)
  }
}
