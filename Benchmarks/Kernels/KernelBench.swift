import Foundation
import Kernels

/// Times every kernel on the shapes of the course's networks, with one thread and with two.
///
/// `LAB_KERNELS` selects the set of kernels; an argument selects the rows whose name contains it. What
/// consists of matrix products is timed with each provider of them, or the one that `LAB_BLAS` names: the rule
/// in `MatrixProducts` rests on these rows with `LAB_KERNELS=portable`.
@main
struct KernelBench {
  static func main() {
    do {
      try KernelSet.checkRequest()
    } catch {
      print(error)
      exit(1)
    }
    let set = KernelSet.current
    Threads.count = 1
    let peak = set.measurePeak()
    let description = providers(set).last?.1.description ?? set.description
    print("\(Processor.name), \(description), \(peak.rounded()) GFLOP/s at most a thread")
    print(row("kernel", "threads", "ms", "GFLOP/s", "of peak"))
    let filter = CommandLine.arguments.dropFirst().first
    let byProducts =
      products() + linearLayers() + winogradConvolutions() + directConvolutions()
      + groupedConvolutions()
    for (name, work) in byProducts where filter.map(name.contains) ?? true {
      for (provider, set) in providers(set) {
        KernelSet.$current.withValue(set) { printRows(name + provider, work, peak) }
      }
    }
    for (name, work) in elementLoops() + vocabulary() where filter.map(name.contains) ?? true {
      printRows(name, work, peak)
    }
  }

  /// The set with each provider of matrix products.
  private static func providers(_ set: KernelSet) -> [(String, KernelSet)] {
    if let name = ProcessInfo.processInfo.environment["LAB_BLAS"], !name.isEmpty {
      return [("", set)]
    }
    let own = (try? set.multiplying(by: "own")).map { ("", $0) }
    let library = (try? set.multiplying(by: KernelSet.libraryName)).map { (", BLAS", $0) }
    return [own, library].compactMap { $0 }
  }

  private static func printRows(_ name: String, _ work: Work, _ peak: Double) {
    for threads in [1, 2] {
      Threads.count = threads
      let time = milliseconds(work.run)
      let speed = work.operations / time / 1e6
      print(
        row(
          name, "\(threads)", decimal(time, 3), decimal(speed, 1),
          decimal(100 * speed / peak / Double(threads), 0) + " %"))
    }
  }
}

/// A kernel to time, and its number of multiplications and additions.
struct Work {
  let operations: Double
  let run: () -> Void
}

/// The shortest time of many, which other programs on the machine disturb least.
func milliseconds(_ run: () -> Void) -> Double {
  let clock = ContinuousClock()
  run()
  var times: [Double] = []
  let start = clock.now
  repeat {
    times.append(clock.measure(run) / .milliseconds(1))
  } while times.count < 5 || clock.now - start < .milliseconds(500)
  return times.min() ?? 0
}

/// Floats that are not all equal, for the lifetime of the program.
func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
  let pointer = UnsafeMutablePointer<Float>.allocate(capacity: count)
  for index in 0..<count { pointer[index] = Float(index % 251) / 251 - 0.5 }
  return pointer
}

private func decimal(_ value: Double, _ places: Int) -> String {
  let scale = [1.0, 10, 100, 1000][places]
  let text = "\((value * scale).rounded() / scale)"
  return places == 0 ? String(text.dropLast(2)) : text
}

private func row(_ name: String, _ others: String...) -> String {
  func pad(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count))
  }
  return name + pad(name, 54) + others.map { pad($0, 10) + $0 }.joined()
}
