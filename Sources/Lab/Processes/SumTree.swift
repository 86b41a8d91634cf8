/// A fixed binary tree in which the terms of a sum are added, so that the sum has the same bits
/// whichever process adds which part.
///
/// Addition of floating-point numbers is not associative: `(a + b) + c` may differ from `a + (b + c)`.
/// Over n terms the tree adds the first half, the largest power of two below n, to the rest.
///
/// ```swift
/// SumTree(count: 8).parts(of: 3..<6)  // [3..<4, 4..<6]: what a process with these terms can add
/// ```
package struct SumTree: Equatable, Sendable {
  /// The number of terms.
  package let count: Int

  /// - Parameter count: The number of terms, at least 1.
  package init(count: Int) {
    precondition(count > 0, "a sum has at least one term")
    self.count = count
  }

  /// The terms of each process: contiguous, and as many for each as possible.
  package func share(of rank: Int, among size: Int) -> Range<Int> {
    count * rank / size..<count * (rank + 1) / size
  }

  /// The largest parts of the tree of which all terms are in a range, in their order.
  package func parts(of range: Range<Int>) -> [Range<Int>] {
    parts(of: range, below: 0..<count)
  }

  private func parts(of range: Range<Int>, below node: Range<Int>) -> [Range<Int>] {
    let common = node.clamped(to: range)
    if common.isEmpty { return [] }
    if common == node { return [node] }
    let (left, right) = Self.halves(of: node)
    return parts(of: range, below: left) + parts(of: range, below: right)
  }

  private static func halves(of node: Range<Int>) -> (Range<Int>, Range<Int>) {
    var half = 1
    while half * 2 < node.count { half *= 2 }
    return (node.lowerBound..<node.lowerBound + half, node.lowerBound + half..<node.upperBound)
  }

  /// The sum over a part of the tree.
  ///
  /// - Parameters:
  ///   - part: All terms, or one of ``parts(of:)``.
  ///   - known: The sum over a part of the tree if it is known; those of single terms must be.
  ///   - add: Adds two sums.
  package func sum<Value>(
    over part: Range<Int>, _ known: (Range<Int>) -> Value?, add: (Value, Value) -> Value
  ) -> Value {
    if let value = known(part) { return value }
    precondition(part.count > 1, "term \(part.lowerBound) is not known")
    let (left, right) = Self.halves(of: part)
    return add(sum(over: left, known, add: add), sum(over: right, known, add: add))
  }
}

/// Adds arrays number by number.
package func added(_ a: [Double], _ b: [Double]) -> [Double] {
  zip(a, b).map { $0 + $1 }
}

/// Adds arrays number by number.
func added(_ a: [Float], _ b: [Float]) -> [Float] {
  precondition(a.count == b.count, "arrays of \(a.count) and \(b.count) numbers")
  var sum = a
  var target = sum.mutableSpan
  let source = b.span
  for index in source.indices { target[unchecked: index] += source[unchecked: index] }
  return sum
}

// MARK: Sums over all processes

extension Communicator {
  /// The sums of arrays over all terms of a tree, whose parts the processes have.
  ///
  /// - Parameters:
  ///   - kind: What is added up.
  ///   - number: The number of the exchange.
  ///   - parts: The sums over the parts of this process; see ``SumTree/parts(of:)``. All have the same
  ///     number of elements.
  ///   - tree: The tree; process r has the terms ``SumTree/share(of:among:)``.
  ///   - then: Called with the sums, on a thread of the communicator.
  package func sum(
    _ kind: ExchangeKind, _ number: Int, _ parts: [Range<Int>: [Double]], _ tree: SumTree,
    then: @escaping @Sendable (Result<[Double], PeerFailure>) -> Void
  ) {
    let (others, size) = (others, size)
    let own = tree.parts(of: tree.share(of: rank, among: size))
    let count = own.first.flatMap { parts[$0]?.count } ?? 0
    let message = own.flatMap { parts[$0] ?? [] }
    let shares = others.map { tree.parts(of: tree.share(of: $0, among: size)) }
    exchange(
      kind, number, sends: others.map { ($0, message) },
      receives: zip(others, shares).map { ($0, $1.count * count) }
    ) { (received: Result<[[Double]], PeerFailure>) in
      then(
        received.map { arrays in
          var known = parts
          for (share, array) in zip(shares, arrays) {
            for (index, part) in share.enumerated() {
              known[part] = Array(array[index * count..<(index + 1) * count])
            }
          }
          return tree.sum(over: 0..<tree.count, { known[$0] }, add: added)
        })
    }
  }

  /// The sums of long arrays over all terms of a tree: each process adds up a slice of the elements and
  /// sends it to the others, so that all have as much to send.
  ///
  /// - Parameters:
  ///   - number: The number of the exchange.
  ///   - parts: The sums over the parts of this process; see ``SumTree/parts(of:)``. All have `count`
  ///     elements.
  ///   - count: The number of elements.
  ///   - tree: The tree; process r has the terms ``SumTree/share(of:among:)``.
  ///   - then: Called with the sums, on a thread of the communicator.
  package func sumInSlices(
    _ number: Int, _ parts: [Range<Int>: [Float]], count: Int, _ tree: SumTree,
    then: @escaping @Sendable (Result<[Float], PeerFailure>) -> Void
  ) {
    let (others, size, rank) = (others, size, rank)
    func slice(_ rank: Int) -> Range<Int> {
      // Whole cache lines.
      let blocks = (count + 15) / 16
      return min(count, blocks * rank / size * 16)..<min(count, blocks * (rank + 1) / size * 16)
    }
    let slices = (0..<size).map(slice)
    let own = tree.parts(of: tree.share(of: rank, among: size))
    let shares = others.map { tree.parts(of: tree.share(of: $0, among: size)) }
    exchange(
      .gradients, number,
      sends: others.map { other in (other, own.flatMap { parts[$0]?[slices[other]] ?? [] }) },
      receives: zip(others, shares).map { ($0, $1.count * slices[rank].count) }
    ) { [self] (received: Result<[[Float]], PeerFailure>) in
      let arrays: [[Float]]
      switch received {
      case .success(let all): arrays = all
      case .failure(let failure): return then(.failure(failure))
      }
      let length = slices[rank].count
      var known = parts.mapValues { Array($0[slices[rank]]) }
      for (share, array) in zip(shares, arrays) {
        for (index, part) in share.enumerated() {
          known[part] = Array(array[index * length..<(index + 1) * length])
        }
      }
      let sum = tree.sum(over: 0..<tree.count, { known[$0] }, add: added)
      exchange(
        .gradientSums, number, sends: others.map { ($0, sum) },
        receives: others.map { ($0, slices[$0].count) }
      ) { (received: Result<[[Float]], PeerFailure>) in
        then(
          received.map { arrays in
            var all = arrays
            all.insert(sum, at: rank)
            return all.flatMap { $0 }
          })
      }
    }
  }
}
