// # A notebook with stored results

import ArgumentParser
import Foundation
import Literate
import Plot

struct Parameters: ParsableArguments {
  @Option(help: "A file that gets a line for each computation.")
  var computed = "/dev/null"

  @Option(help: "A number that the results depend on.")
  var number = 1.5

  @Option(help: "A folder with data, declared before.")
  var before: String?

  @Option(help: "A folder with data, declared while a result is computed.")
  var within: String?

  @Flag(help: "Let a computation fail.")
  var fails = false

  @Flag(help: "Use a name twice.")
  var twice = false

  @Option(help: "The number of states of a progress bar, 50 ms each.")
  var bar = 0

  @Option(help: "The number of lines to print.")
  var lines = 0

  @Option(help: "The size of a result in kilobytes.")
  var size = 1
}

struct Mistake: Error {}

/// A state that computations change.
final class Counter: CachedState {
  var count = 0

  func savedState() throws -> Data { Data("\(count)".utf8) }

  func restoration(of data: Data) throws -> () -> Void {
    guard let count = Int(String(decoding: data, as: UTF8.self)) else { throw Mistake() }
    return { self.count = count }
  }
}

/// Adds a line to the file of computations.
func tell(_ name: String) {
  // Two computations at once must not mix their lines.
  let file = open(parameters.computed, O_WRONLY | O_CREAT | O_APPEND, 0o666)
  _ = write(file, name + "\n", name.utf8.count + 1)
  close(file)
}

let parameters = Parameters.parameters(from: Array(CommandLine.arguments.dropFirst()))
if let folder = parameters.before { noteData(in: URL(filePath: folder)) }
let shared = Counter()
sharesState("shared", shared)
let own = Counter()
var drawn = 0

// Prose.
cell("Earlier")
let earlier = 1

cell("Values")
print("before")
let numbers = cached("numbers", changing: [own]) {
  tell("numbers")
  if let folder = parameters.within { noteData(in: URL(filePath: folder)) }
  shared.count += 1
  own.count += 2
  print("computing")
  FileHandle.standardError.write(Data("not recorded\n".utf8))
  note("Fact", "\(parameters.number)")
  tellTime("it took long")
  var figure = Figure(size: (1, 0.8))
  figure[0].imshow(Image(width: 2, height: 2, values: [0, 1, 0.5, Float(parameters.number) / 4]))
  show(figure, as: "drawn", alt: "Four squares")
  show(figure, as: "timed", alt: "A time", showsTimes: true)
  print("computed")
  return [parameters.number, .nan, .infinity, -.infinity, 0.1 + 0.2, Double(used())]
}
print("numbers: \(numbers)")
print("states: \(shared.count) \(own.count)")
let random = cached("random", updating: &drawn) { drawn in
  tell("random")
  drawn += 1
  return drawn
}
print("random: \(random) \(drawn)")

// More prose.
cell("Large")
let large = cached("large") {
  tell("large")
  return String(repeating: "\(parameters.number)", count: parameters.size * 1000 / 3)
}
print("large: \(large.count) \(Set(large).sorted().map(String.init))")

cell("Fails", expectedToFail: parameters.fails)
let outcome = try? cached("fails") {
  tell("fails")
  if parameters.fails { throw Mistake() }
  return 1
}
attempt {
  guard outcome != nil else { throw Mistake() }
}
cached("reports an error") {
  tell("reports an error")
  attempt { if parameters.fails { throw Mistake() } }
}
if parameters.twice { print(cached("large") { "" }) }

cell("A bar")
for state in 0..<parameters.bar {
  let percent = 100 * state / parameters.bar
  FileHandle.standardError.write(Data("\rEpoch 0: \(percent)%|███   | \(state)/9\u{1b}[K".utf8))
  usleep(50_000)
}
if parameters.bar > 0 {
  FileHandle.standardError.write(Data("\r\u{1b}[K".utf8))
  var figure = Figure(size: (1, 0.8))
  figure[0].imshow(Image(width: 2, height: 2, values: [0, 1, 0.5, 0]))
  show(figure, as: "after", alt: "Four squares")
}
for line in 0..<parameters.lines {
  print("line \(line)", String(repeating: "x", count: 90))
}

cell("Later")
print("later")

/// A function that an earlier cell calls.
func used() -> Int {
  7
}
