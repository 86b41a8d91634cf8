/// The smallest number of substitutions, insertions and deletions of single elements that turn one
/// sequence into another one: the Levenshtein distance.
///
/// ```swift
/// editDistance(Array("kitten"), Array("sitting"))  // 3
/// ```
///
/// - Parameters:
///   - a: A sequence.
///   - b: Another one; swapping both does not change the distance.
/// - Complexity: O(`a.count` · `b.count`) time, O(min(`a.count`, `b.count`)) memory
public func editDistance<Element: Equatable>(_ a: [Element], _ b: [Element]) -> Int {
  // What both begin and end with needs no edits.
  let start = zip(a, b).prefix { $0 == $1 }.count
  let end = zip(a[start...].reversed(), b[start...].reversed()).prefix { $0 == $1 }.count
  var (long, short) = (a[start..<a.count - end], b[start..<b.count - end])
  if long.count < short.count { swap(&long, &short) }
  // The distances between the elements of `long` so far and each beginning of `short`.
  var row = Array(0...short.count)
  for (count, element) in zip(1..., long) {
    var diagonal = row[0]
    row[0] = count
    for (column, other) in zip(1..., short) {
      let changed = diagonal + (element == other ? 0 : 1)
      diagonal = row[column]
      row[column] = min(changed, min(row[column], row[column - 1]) + 1)
    }
  }
  return row[short.count]
}

/// One step of an alignment of two sequences `a` and `b`, with the indices of its elements.
public enum AlignmentStep: Equatable, Sendable {
  /// The elements are equal.
  case match(a: Int, b: Int)
  /// Another element stands in `b`.
  case substitute(a: Int, b: Int)
  /// The element of `a` is missing in `b`.
  case delete(a: Int)
  /// The element of `b` is missing in `a`.
  case insert(b: Int)

  /// Whether the step counts in ``editDistance(_:_:)``.
  public var isEdit: Bool {
    if case .match = self { false } else { true }
  }
}

/// Aligns two sequences with as few edits as possible.
///
/// ```swift
/// align(Array("cat"), Array("at"))  // [.delete(a: 0), .match(a: 1, b: 0), .match(a: 2, b: 1)]
/// ```
///
/// Each element of both sequences belongs to one step; indices increase. Of several alignments with as
/// few edits, it is the one whose last step is a match or substitution if possible, or else a deletion,
/// and so on for the step before.
///
/// - Parameters:
///   - a: What was expected, such as the text of a line.
///   - b: What was found, such as the text that was read.
/// - Complexity: O(`a.count` · `b.count`) time and memory, of one byte each
public func align<Element: Equatable>(_ a: [Element], _ b: [Element]) -> [AlignmentStep] {
  let width = b.count + 1
  var steps = [Move](repeating: .insert, count: (a.count + 1) * width)
  var row = Array(0...b.count)
  for (i, element) in zip(1..., a) {
    var diagonal = row[0]
    row[0] = i
    steps[i * width] = .delete
    for (j, other) in zip(1..., b) {
      let changed = diagonal + (element == other ? 0 : 1)
      let (deleted, inserted) = (row[j] + 1, row[j - 1] + 1)
      diagonal = row[j]
      row[j] = min(changed, min(deleted, inserted))
      steps[i * width + j] =
        changed == row[j] ? .both : deleted == row[j] ? .delete : .insert
    }
  }
  var (i, j) = (a.count, b.count)
  var alignment: [AlignmentStep] = []
  while i > 0 || j > 0 {
    switch steps[i * width + j] {
    case .both:
      (i, j) = (i - 1, j - 1)
      alignment.append(a[i] == b[j] ? .match(a: i, b: j) : .substitute(a: i, b: j))
    case .delete:
      i -= 1
      alignment.append(.delete(a: i))
    case .insert:
      j -= 1
      alignment.append(.insert(b: j))
    }
  }
  return alignment.reversed()
}

/// Which of the two sequences the last step of an alignment takes an element from.
private enum Move: UInt8 {
  case both, delete, insert
}
