/// Numbers in memory with a margin on both sides. A loop that writes into a margin is reported, and one
/// that uses what it reads there gives NaN.
final class Memory<Element: MemoryElement> {
  let pointer: UnsafeMutablePointer<Element>
  let count: Int

  // An odd number: a loop must not expect that its arrays begin at a multiple of a vector's size.
  private static var margin: Int { 17 }

  init(_ values: [Element]) {
    count = values.count
    let whole = UnsafeMutablePointer<Element>.allocate(capacity: count + 2 * Self.margin)
    whole.initialize(repeating: Element.margin, count: count + 2 * Self.margin)
    pointer = whole + Self.margin
    for index in 0..<count { pointer[index] = values[index] }
  }

  deinit {
    (pointer - Self.margin).deallocate()
  }

  var values: [Double] { (0..<count).map { pointer[$0].number } }

  /// Whether nothing has been written into the margins.
  var isIntact: Bool {
    (1...Self.margin).allSatisfy {
      pointer[-$0].isMargin && pointer[count + $0 - 1].isMargin
    }
  }
}

extension Memory where Element == Float {
  /// Memory whose numbers must not matter.
  convenience init(undefined count: Int) { self.init([Float](repeating: .nan, count: count)) }

  /// Makes numbers that loops have left behind undefined again.
  func undefine() { pointer.update(repeating: .nan, count: count) }

  /// Pseudorandom numbers in -1..<1.
  convenience init(_ count: Int, seed: UInt64) { self.init(numbers(count, seed: seed)) }
}

/// What ``Memory`` can hold.
protocol MemoryElement {
  static var margin: Self { get }
  var isMargin: Bool { get }
  var number: Double { get }
}

extension Float: MemoryElement {
  static var margin: Float { .nan }
  var isMargin: Bool { isNaN }
  var number: Double { Double(self) }
}

extension Double: MemoryElement {
  static var margin: Double { .nan }
  var isMargin: Bool { isNaN }
  var number: Double { self }
}

extension UInt8: MemoryElement {
  static var margin: UInt8 { 0xa5 }
  var isMargin: Bool { self == UInt8.margin }
  var number: Double { Double(self) }
}
