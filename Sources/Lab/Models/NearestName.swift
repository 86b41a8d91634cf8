/// The name that takes the fewest insertions, deletions and substitutions of letters from `text`,
/// whatever their case; nil when even that takes more than half of the letters.
///
/// ```swift
/// nearestName(to: "CMN", in: ["MLP", "CNN"])  // "CNN"
/// ```
///
/// - Parameters:
///   - text: What was typed.
///   - names: What may be meant.
public func nearestName(to text: String, in names: [String]) -> String? {
  let distances = names.map { ($0, editDistance(Array(text.lowercased()), Array($0.lowercased()))) }
  guard let (name, distance) = distances.min(by: { $0.1 < $1.1 }),
    distance <= max(text.count, name.count) / 2
  else { return nil }
  return name
}

/// The Levenshtein distance.
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
