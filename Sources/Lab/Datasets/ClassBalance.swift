import LabRandom

/// Draws a subset in which frequent classes are less so: from each class as many images as classes
/// have on average, with replacement, each kept once.
///
/// The draws are the course's, NumPy's number for number: per label in ascending order
/// `unique(choice(places of the label, draws))`, with `draws = int(bincount(labels).mean())`.
///
/// ```swift
/// var random = RandomState(seed: 42)
/// let selection = balance(labels: labels, using: &random)
/// // random goes on where the course's `np.random` does after balancing these labels
/// ```
///
/// - Parameters:
///   - labels: The label of each image; 0 counts as a class even when no image has it.
///   - random: Where the draws come from.
/// - Complexity: O(images · log images)
package func balance(labels: [UInt8], using random: inout RandomState) -> [Int] {
  guard let largest = labels.max() else { return [] }
  var places = [[Int]](repeating: [], count: Int(largest) + 1)
  for (place, label) in labels.enumerated() { places[Int(label)].append(place) }
  let draws = labels.count / places.count
  return places.flatMap { places -> [Int] in
    guard !places.isEmpty else { return [] }
    // Sorting numbers of places sorts places, which ascend.
    let chosen = Set(random.choice(below: places.count, count: draws))
    return chosen.sorted().map { places[$0] }
  }
}
