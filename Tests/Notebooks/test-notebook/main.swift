// # A notebook for tests
//
// It ends as the parameter `end` says: *well*, or in one of the ways in which programs end.

import ArgumentParser
import Foundation
import Literate
import Plot

enum End: String, CaseIterable, ExpressibleByArgument {
  case well, trap, thrown, uncaught, killed, hanging, exit, full, expectedTrap
}

struct Parameters: ParsableArguments {
  @Flag(help: "Leave the second figure out.")
  var quick = false

  @Option(help: "How the notebook ends.")
  var end = End.well

  @Option(help: "What is printed and drawn comes from this number.")
  var seed = 42

  @Option(help: "A number to print.")
  var number = 0.5

  @Option(help: "What a line says that is not compared.")
  var machine = "mine"

  @Flag(help: "Let the cell that is to fail not fail.")
  var correct = false

  @Option(help: "A folder with data.")
  var data: String?
}

/// An error with a text.
struct Mistake: Error, CustomStringConvertible {
  let description: String
}

func writeError(_ text: String) {
  FileHandle.standardError.write(Data(text.utf8))
}

func picture(_ level: Int) -> Figure {
  var figure = Figure(size: (1, 0.8))
  figure[0].imshow(Image(width: 2, height: 2, values: [0, 1, Float(level % 100) / 100, 0]))
  return figure
}

let parameters = Parameters.parameters(from: Array(CommandLine.arguments.dropFirst()))
note("Kind", "test")
if let data = parameters.data { noteData(in: URL(filePath: data)) }

// Lines on both streams, in turn:
// | one | two |
// | --- | --- |
cell("Streams")
for line in 1...20 {
  print("out \(line)")
  writeError("error \(line)\n")
}

// # A bar
//
// Nothing of a progress bar is worth keeping.
cell(
  "Progress, \"figures\" (and numbers)",
  tolerance: .init(numbers: 0.1, pixels: 0.5), ignoring: ["Machine: "])
writeError("\rearlier\u{1b}[K\r\u{1b}[K\n")
for state in 1...100 { writeError("\r\(state) %\u{1b}[K") }
writeError("\r\u{1b}[K")
print("Machine: \(parameters.machine)")
print("number: \(parameters.number)")
show(picture(parameters.seed), as: "first", alt: "Four squares")
if !parameters.quick { show(picture(7), as: "second", alt: "Four more") }
show(picture(50), as: "times", alt: "How long it took", showsTimes: true)

cell("An error", expectedToFail: true)
attempt {
  if !parameters.correct { throw Mistake(description: "as it should be") }
}

// Here it ends, if it does.

cell("The end", expectedToFail: parameters.end == .expectedTrap)
print("last words", terminator: "")
switch parameters.end {
case .well: print()
case .trap, .expectedTrap: print([1][parameters.seed])
case .thrown: attempt { throw Mistake(description: "no luck") }
case .uncaught: try { throw Mistake(description: "nobody cares") }()
case .killed: kill(getpid(), SIGKILL)
case .hanging: while true { usleep(1_000) }
case .exit: exit(3)
case .full:
  // Whatever room the disk has left.
  let file = URL(filePath: ProcessInfo.processInfo.environment["LITERATE_FOLDER"] ?? ".")
    .appending(path: "rest")
  attempt {
    try Data().write(to: file)
    let handle = try FileHandle(forWritingTo: file)
    for _ in 0..<1_000 { try handle.write(contentsOf: Data(count: 1 << 20)) }
  }
}

cell("After the end")
print("still there")
