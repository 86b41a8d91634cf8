/// The connected pieces of ink in a picture.
struct InkPieces {
  /// A piece: pixels that touch each other, also at their corners.
  struct Piece {
    /// The number of pixels.
    var count = 0
    /// The sum of the pixels' ink.
    var mass: Float = 0
    /// The strongest ink.
    var strongest: Float = 0
    var (left, right, top, bottom) = (Int.max, 0, Int.max, 0)
    /// The number of pixels at the picture's edges.
    var edgeCount = 0

    var width: Int { right - left }
    var height: Int { bottom - top }
    /// The mean of the pixels' ink.
    var mean: Float { mass / Float(max(count, 1)) }

    /// The free columns between two pieces; negative if their columns overlap.
    func columns(to other: Piece) -> Int { max(left, other.left) - min(right, other.right) }

    /// The free rows between two pieces; negative if their rows overlap.
    func rows(to other: Piece) -> Int { max(top, other.top) - min(bottom, other.bottom) }

    func contains(_ other: Piece) -> Bool {
      left < other.left && right > other.right && top < other.top && bottom > other.bottom
    }
  }

  let width: Int
  let height: Int
  private(set) var pieces: [Piece] = []
  /// For each pixel, the index of its piece; −1 without ink.
  private(set) var labels: [Int32]

  /// - Parameters:
  ///   - ink: The ink of each pixel.
  ///   - limit: Pixels above it are ink.
  init(_ ink: Plane, above limit: Float) {
    (width, height) = (ink.width, ink.height)
    labels = [Int32](repeating: -1, count: ink.values.count)
    var stack: [Int] = []
    for start in ink.values.indices where labels[start] < 0 && ink.values[start] > limit {
      let label = Int32(pieces.count)
      var piece = Piece()
      labels[start] = label
      stack.append(start)
      while let index = stack.popLast() {
        let (x, y) = (index % width, index / width)
        piece.add(ink.values[index], x: x, y: y)
        if x == 0 || y == 0 || x == width - 1 || y == height - 1 { piece.edgeCount += 1 }
        for row in max(0, y - 1)...min(height - 1, y + 1) {
          for column in max(0, x - 1)...min(width - 1, x + 1) {
            let next = row * width + column
            guard labels[next] < 0, ink.values[next] > limit else { continue }
            labels[next] = label
            stack.append(next)
          }
        }
      }
      pieces.append(piece)
    }
  }

  /// How many pixels of a piece are near the sides of its bounding box, as a fraction.
  func shareAtSides(of index: Int) -> Double {
    let piece = pieces[index]
    let reach = max(2, max(piece.width, piece.height) / 20)
    var count = 0
    for y in piece.top..<piece.bottom {
      for x in piece.left..<piece.right where labels[y * width + x] == Int32(index) {
        let distance = min(x - piece.left, piece.right - 1 - x, y - piece.top, piece.bottom - 1 - y)
        if distance < reach { count += 1 }
      }
    }
    return Double(count) / Double(piece.count)
  }

  /// The pixels within a distance of some pieces, except those close to other ones.
  func mask(around kept: Set<Int>, distance: Int) -> [Bool] {
    let near = grown(by: distance) { kept.contains($0) }
    let others = grown(by: min(distance, 2)) { !kept.contains($0) }
    return labels.indices.map { index in
      labels[index] >= 0 ? kept.contains(Int(labels[index])) : near[index] && !others[index]
    }
  }

  /// The pixels within a square around the pixels of some pieces.
  private func grown(by distance: Int, _ isPiece: (Int) -> Bool) -> [Bool] {
    var pixels = labels.map { $0 >= 0 && isPiece(Int($0)) }
    for y in 0..<height { grow(&pixels, from: y * width, count: width, step: 1, by: distance) }
    for x in 0..<width { grow(&pixels, from: x, count: height, step: width, by: distance) }
    return pixels
  }

  /// Marks what is near a marked pixel in one row or column.
  private func grow(
    _ pixels: inout [Bool], from first: Int, count: Int, step: Int, by distance: Int
  ) {
    let marked = (0..<count).filter { pixels[first + $0 * step] }
    // Each pixel is written once, however large the distance is.
    var end = 0
    for position in marked {
      let last = min(count, position + distance + 1)
      for near in max(end, position - distance)..<last { pixels[first + near * step] = true }
      end = last
    }
  }
}

extension InkPieces.Piece {
  fileprivate mutating func add(_ ink: Float, x: Int, y: Int) {
    count += 1
    mass += ink
    strongest = max(strongest, ink)
    (left, right) = (min(left, x), max(right, x + 1))
    (top, bottom) = (min(top, y), max(bottom, y + 1))
  }
}
