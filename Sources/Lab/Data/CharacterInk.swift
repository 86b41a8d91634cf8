/// The pieces of ink that make up the character in a picture.
///
/// The largest piece is the character, together with smaller ones close to it, such as the dot of an
/// "i". Specks, and what runs along the picture's edges, such as the edge of a table or a frame, do
/// not belong to it.
struct CharacterInk {
  let pieces: InkPieces
  /// The indices of the character's pieces.
  let kept: Set<Int>
  /// The sum of the character's ink.
  let mass: Float
  /// The mean of the character's ink.
  let strength: Float
  /// Whether there is a second character.
  let isSeveral: Bool

  /// The smallest difference between ink and paper, as a fraction of white.
  static let leastContrast: Float = 0.05

  /// - Parameters:
  ///   - ink: The difference from the paper of each pixel; 0 for paper.
  ///   - noise: The standard deviation of the paper's noise.
  ///   - removals: How often surroundings may still be removed, such as a frame within a table's edge.
  init?(_ ink: Plane, noise: Float, removals: Int = 2) {
    guard (ink.values.max() ?? 0) >= Self.leastContrast else { return nil }
    let (split, isClear) = inkSplit(ink.values)
    // Little ink is too little for the best split of all pixels to be the one between ink and paper.
    let limit = isClear ? split : max(5 * noise, Self.leastContrast * 0.99)
    let pieces = InkPieces(ink, above: limit)
    let all = pieces.pieces
    let byMass = all.indices.sorted { all[$0].mass > all[$1].mass }
    guard let heaviest = byMass.first else { return nil }

    // Fainter ink may be inside. If there is none, the character itself touches the edges.
    let surroundings = Set(all.indices.filter(pieces.isSurrounding))
    if !surroundings.isEmpty, removals > 0 {
      let removed = pieces.mask(around: surroundings, distance: 2)
      var rest = ink
      for index in rest.values.indices where removed[index] { rest.values[index] = 0 }
      if let inner = CharacterInk(rest, noise: noise, removals: removals - 1),
        inner.mass >= 0.02 * all[heaviest].mass
      {
        self = inner
        return
      }
    }
    let main = all[heaviest]
    var kept: Set<Int> = [heaviest]
    var isSeveral = false
    for index in byMass.dropFirst() {
      let piece = all[index]
      if main.isBeside(piece) {
        isSeveral = true
      } else if main.isPart(piece) {
        kept.insert(index)
      }
    }
    self.pieces = pieces
    self.kept = kept
    self.isSeveral = isSeveral
    mass = kept.reduce(0) { $0 + all[$1].mass }
    strength = main.mean
  }

  /// The pixels of the character and around it.
  var mask: [Bool] {
    let sizes = kept.map { max(pieces.pieces[$0].width, pieces.pieces[$0].height) }
    return pieces.mask(around: kept, distance: max(2, (sizes.max() ?? 0) / 16))
  }
}

extension InkPieces {
  /// Whether a piece runs along the picture's edges, or is a frame around other ink.
  fileprivate func isSurrounding(_ index: Int) -> Bool {
    let piece = pieces[index]
    if piece.edgeCount * 4 > min(width, height) { return true }
    return piece.width * 3 > width && piece.height * 3 > height
      && pieces.contains { piece.contains($0) && $0.mass > 0.02 * piece.mass }
      && shareAtSides(of: index) > 0.8
  }
}

extension InkPieces.Piece {
  /// Whether a smaller piece belongs to this one, such as the dot of an "i".
  fileprivate func isPart(_ other: Self) -> Bool {
    let (gap, size) = (max(columns(to: other), rows(to: other)), max(width, height))
    guard other.strongest >= 0.5 * mean, other.mean <= 1.5 * strongest else { return false }
    return gap * 10 <= size
      ? other.mass >= 0.01 * mass : gap * 2 <= size && other.mass >= 0.02 * mass
  }

  /// Whether another piece is a second character: about as large, and beside or below this one.
  fileprivate func isBeside(_ other: Self) -> Bool {
    guard other.mass >= 0.25 * mass else { return false }
    let size = max(height, other.height)
    let isTall = other.height * 5 >= size * 2 && height * 5 >= size * 2
    let areWide = min(width, other.width) * 3 >= size
    let columns = columns(to: other)
    if isTall && (columns * 20 > size * (areWide ? 1 : 3)) { return true }
    // The lines of "=" and the dots of ":" are no characters of two lines of text.
    let areLarge = min(height, other.height) * 2 >= max(width, other.width)
    return areLarge && areWide && rows(to: other) * 10 > size
  }
}

/// The value that best splits numbers of 0 or more into two classes.
///
/// Source: N. Otsu, "A threshold selection method from gray-level histograms" (1979).
///
/// - Returns: The value, and whether the classes account for most of the variance.
func inkSplit(_ values: [Float]) -> (value: Float, isClear: Bool) {
  let (binCount, top) = (256, values.max() ?? 0)
  guard top > 0 else { return (0, false) }
  var counts = [Double](repeating: 0, count: binCount)
  for value in values { counts[min(Int(value / top * Float(binCount)), binCount - 1)] += 1 }
  let total = Double(values.count)
  let sum = counts.indices.reduce(0) { $0 + Double($1) * counts[$1] }
  let square = counts.indices.reduce(0) { $0 + Double($1 * $1) * counts[$1] }
  let variance = square / total - (sum / total) * (sum / total)
  var (below, sumBelow) = (0.0, 0.0)
  var (best, first, last) = (0.0, 0, 0)
  for bin in 0..<binCount - 1 {
    below += counts[bin]
    sumBelow += Double(bin) * counts[bin]
    guard below > 0, below < total else { continue }
    let difference = sumBelow / below - (sum - sumBelow) / (total - below)
    let between = below * (total - below) / (total * total) * difference * difference
    if between > best { (best, first) = (between, bin) }
    // Between two peaks without values there are many equally good splits.
    if between >= best { last = bin }
  }
  let middle = Float(first + last + 2) / 2
  return (middle / Float(binCount) * top, variance > 0 && best / variance > 0.5)
}
