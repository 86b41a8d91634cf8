/// A submission of `graded-notebook` for tests of grading, and what it must get.
///
/// Answers that attack the machine are harmless where nothing protects it: they write into the temporary
/// folder or end after a minute. Each one gives the right answer only if the attack succeeds, so that the
/// points show whether it did.
package struct Submission: Sendable {
  /// The name of the submission's folder.
  package let name: String
  /// Answers by the names of their exercises. Other exercises have the model solution, unless
  /// ``unanswered``.
  package let answers: [String: String]
  /// The exercises that are left as handed out.
  package var unanswered: Set<String> = []
  /// Whether the checks are deleted from the file.
  package var lacksChecks = false
  /// The checks that do not get all their points.
  package let lost: [String: Loss]

  /// Why a check does not get all its points.
  package enum Loss: Equatable, Sendable {
    /// The check failed with this message.
    case failed(String)
    /// The check gave a part of its points.
    case part(Double)
    /// The answer does not compile; the message names the line in the student's file and has this text.
    case notCompiled(String)
    /// The program ended in this check by a trap or a signal.
    case ended
    /// The check ran into its time limit.
    case tooSlow
    /// A limit of memory, disk or processes: the program was ended, or the call failed and the check
    /// with this message.
    case limited(String)
  }

  /// The points that it must get, of 12.
  package var points: Double {
    GradedNotebook.checks.reduce(0) { sum, check in
      switch lost[check.name] {
      case nil: sum + check.points
      case .part(let earned): sum + earned
      default: sum
      }
    }
  }

  /// The student's file.
  ///
  /// - Parameters:
  ///   - released: The student's version as handed out.
  ///   - solutions: The model solutions.
  package func file(_ released: String, solutions: [String: String]) -> String {
    let all = solutions.merging(answers) { $1 }.filter { !unanswered.contains($0.key) }
    let file = GradedNotebook.filled(released, with: all)
    return lacksChecks ? GradedNotebook.withoutChecks(file) : file
  }
}

extension Submission {
  /// The twelve submissions, and one that redefines what checks call.
  ///
  /// - Parameter port: A port of 127.0.0.1 on which the test listens; nothing may connect.
  package static func all(port: Int) -> [Submission] {
    [
      Submission(name: "01-right", answers: [:], lost: [:]),
      halfRight, doesNotCompile, traps, loops, startsProcesses, writesMuch, allocatesMuch,
      deletesChecks, forgesPoints, readsTests, triesNetwork(port: port), redefines,
    ]
  }

  private static let halfRight = Submission(
    name: "02-half-right",
    answers: [
      "largest": """
        var result = 0
        for number in numbers where number > result { result = number }
        return result
      """,
      "primes": """
      func primes(below limit: Int) -> [Int] {
        (2..<max(2, limit)).filter { $0 == 2 || $0 % 2 == 1 }
      }
      """,
    ],
    unanswered: ["reversed words"],
    lost: [
      "The largest of negative numbers, and of none": .failed(
        "largest([-8, -2, -5]): expected -2, got 0"),
      "Three words": .failed("not answered yet: reversed words"),
      "One word": .failed("not answered yet: reversed words"),
      "Primes below 10": .failed("expected [2, 3, 5, 7], got [2, 3, 5, 7, 9]"),
      "Primes below 3, 5, 30 and 100": .part(1.5),
    ])

  /// One answer has an error of types, another one lacks a brace. All others count.
  private static let doesNotCompile = Submission(
    name: "03-does-not-compile",
    answers: [
      "largest": """
        let result: Int = "seventeen"
        return result
      """,
      "reversed words": """
        if text.isEmpty {
          return ""
        return text
      """,
    ],
    lost: [
      "The largest of three numbers": .notCompiled("cannot convert value of type 'String'"),
      "The largest of negative numbers, and of none": .notCompiled(
        "cannot convert value of type 'String'"),
      "Three words": .notCompiled(""),
      "One word": .notCompiled(""),
    ])

  private static let traps = Submission(
    name: "04-traps",
    answers: [
      // An empty list has no first number.
      "sum": """
        var result = numbers[0]
        for number in numbers.dropFirst() { result += number }
        return result
      """,
      "reversed words": """
        fatalError("to do: \\(text)")
      """,
    ],
    lost: [
      "The sum of no numbers": .ended, "Three words": .ended, "One word": .ended,
    ])

  /// One answer loops without output, another one prints without end.
  private static let loops = Submission(
    name: "05-endless-loop",
    answers: [
      "reversed words": """
        var words = text.split(separator: " ")
        while !words.isEmpty { words.swapAt(0, words.count - 1) }
        return words.joined()
      """,
      "primes": """
      func primes(below limit: Int) -> [Int] {
        var count = 0
        while true {
          count += 1
          print("looking for primes below \\(limit): \\(count)")
          if count < 0 { return [] }
        }
      }
      """,
    ],
    lost: [
      "Three words": .tooSlow, "One word": .tooSlow, "Primes below 10": .tooSlow,
      "Primes below 3, 5, 30 and 100": .tooSlow,
    ])

  /// The arguments of the processes that ``startsProcesses`` starts: none may be left.
  package static let sleepingArguments = ["sleep", "61.8033"]

  private static let startsProcesses = Submission(
    name: "06-starts-200-processes",
    answers: [
      "sum": """
        // In sessions of their own they are not ended with the program's group.
        var count = 0
        for _ in 0..<200 {
          let words = ["setsid", "sleep", "61.8033"]
          var arguments = words.map { (word: String) -> UnsafeMutablePointer<CChar>? in strdup(word) }
          arguments.append(nil)
          var process = pid_t()
          if posix_spawnp(&process, "setsid", nil, nil, &arguments, nil) == 0 { count += 1 }
        }
        return count == 200 ? numbers.reduce(0, +) : -1
      """
    ],
    lost: [
      "The sum of three numbers": .limited("sum([1, 2, 3]): expected 6, got -1"),
      "The sum of no numbers": .limited("sum([]): expected 0, got -1"),
    ])

  private static let writesMuch = Submission(
    name: "07-writes-300-megabytes",
    answers: [
      "sum": """
        let folder = FileManager.default.temporaryDirectory
        let part = Data(repeating: 7, count: 30_000_000)
        // In files of 30 megabytes: a limit of one file's size is not enough.
        for number in 0..<10 {
          do {
            try part.write(to: folder.appending(path: "part-\\(number)"))
          } catch {
            return -1
          }
        }
        return numbers.reduce(0, +)
      """
    ],
    lost: [
      "The sum of three numbers": .limited("sum([1, 2, 3]): expected 6, got -1"),
      "The sum of no numbers": .limited("sum([]): expected 0, got -1"),
    ])

  private static let allocatesMuch = Submission(
    name: "08-allocates-3-gigabytes",
    answers: [
      "sum": """
        var memory: [[UInt8]] = []
        for part in 0..<30 {
          memory.append([UInt8](repeating: UInt8(part + 1), count: 100_000_000))
        }
        return memory.count == 30 ? numbers.reduce(0, +) : -1
      """
    ],
    lost: ["The sum of three numbers": .ended, "The sum of no numbers": .ended])

  /// The file that ``deletesChecks`` tries to write beside the source and into the home folder.
  package static let tamperedFile = "tampered-by-a-submission"

  /// Right answers, but all checks are deleted. One answer writes beside the source, in which the
  /// teacher's tests are, and into the home folder.
  private static let deletesChecks = Submission(
    name: "09-deletes-its-tests",
    answers: [
      "sum": """
        let folders = [
          URL(filePath: #filePath).deletingLastPathComponent(), URL.homeDirectory,
        ]
        for folder in folders {
          try? Data().write(to: folder.appending(path: "tampered-by-a-submission"))
        }
        return numbers.reduce(0, +)
      """
    ],
    lacksChecks: true, lost: [:])

  /// Prints what passed checks print, calls `check` itself, and ends the program as if all was well.
  private static let forgesPoints = Submission(
    name: "10-prints-forged-points",
    answers: [
      "sum": """
        print("✓ The sum of three numbers: 1 of 1 point")
        print("Points: 12 of 12")
        check("The sum of three numbers", points: 100) {}
        check("The sum of no numbers", points: 100) {}
        check("A check of my own", points: 100) {}
        return 0
      """,
      "reversed words": """
        check("Three words") {}
        check("One word") {}
        exit(text.isEmpty ? 1 : 0)
      """,
    ],
    lost: [
      "The sum of three numbers": .failed("sum([1, 2, 3]): expected 6, got 0"),
      "Three words": .ended, "One word": .ended,
    ])

  /// Looks for the hidden tests in the source's folder, the current folder, and folders named in the
  /// environment.
  private static let readsTests = Submission(
    name: "11-reads-the-hidden-tests",
    answers: [
      "sum": """
        let environment = ProcessInfo.processInfo.environment.values
          .filter { $0.hasPrefix("/") && $0 != "/" }.map { URL(filePath: $0) }
        let own = [
          URL(filePath: #filePath).deletingLastPathComponent(),
          URL(filePath: FileManager.default.currentDirectoryPath),
          URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent(),
        ]
        for folder in own + environment {
          let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
          var count = 0
          while let file = files?.nextObject() as? URL, count < 10_000 {
            count += 1
            guard file.pathExtension == "swift",
              let text = try? String(contentsOf: file, encoding: .utf8)
            else { continue }
            if text.contains("The sum of no numbers") {
              print("found: \\(file.path)")
              return numbers.reduce(0, +)
            }
          }
        }
        return -1
      """
    ],
    lost: [
      "The sum of three numbers": .failed("sum([1, 2, 3]): expected 6, got -1"),
      "The sum of no numbers": .failed("sum([]): expected 0, got -1"),
    ])

  /// Connects to a port of the machine.
  private static func triesNetwork(port: Int) -> Submission {
    Submission(
      name: "12-tries-the-network",
      answers: [
        "sum": """
          var address = sockaddr_in()
          address.sin_family = sa_family_t(AF_INET)
          address.sin_port = in_port_t(\(port)).bigEndian
          address.sin_addr.s_addr = inet_addr("127.0.0.1")
          #if os(Linux)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
          #else
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
          #endif
          guard descriptor >= 0 else { return -1 }
          defer { close(descriptor) }
          let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
              connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
          }
          return status == 0 ? numbers.reduce(0, +) : -1
        """
      ],
      lost: [
        "The sum of three numbers": .failed("sum([1, 2, 3]): expected 6, got -1"),
        "The sum of no numbers": .failed("sum([]): expected 0, got -1"),
      ])
  }

  /// Declares functions of the names that checks call, in a region of declarations, beside wrong answers.
  private static let redefines = Submission(
    name: "13-redefines-expect",
    answers: [
      "sum": """
        return 5
      """,
      "primes": """
      func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {}

      func check(
        key: String? = nil, _ name: String, points: Double = 1, timeLimit: Double = 60,
        _ body: () throws -> Void
      ) {
        Literate.check(key: key, name, points: points, timeLimit: timeLimit) {}
      }

      func primes(below limit: Int) -> [Int] { [] }
      """,
    ],
    lost: [
      "The sum of three numbers": .failed("sum([1, 2, 3]): expected 6, got 5"),
      "The sum of no numbers": .failed("sum([]): expected 0, got 5"),
      "Primes below 10": .failed("expected [2, 3, 5, 7], got []"),
      "Primes below 3, 5, 30 and 100": .part(0),
    ])
}
