/// The name with the smallest edit distance from `text`, ignoring case; nil if that distance is more
/// than half of the letters.
///
/// ```swift
/// nearestName(to: "CMN", in: ["MLP", "CNN"])  // "CNN"
/// ```
///
/// - Parameters:
///   - text: The text that is not one of the names.
///   - names: The names to choose from.
public func nearestName(to text: String, in names: [String]) -> String? {
  let distances = names.map { ($0, editDistance(Array(text.lowercased()), Array($0.lowercased()))) }
  guard let (name, distance) = distances.min(by: { $0.1 < $1.1 }),
    distance <= max(text.count, name.count) / 2
  else { return nil }
  return name
}

/// The Levenshtein distance: the number of insertions, deletions and substitutions.
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var row = Array(0...b.count)
  for (i, letter) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for j in b.indices {
      let substituted = diagonal + (letter == b[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
    }
  }
  return row[b.count]
}
