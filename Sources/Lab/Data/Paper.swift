/// The brightness of paper.
enum Paper {
  case even(Float)
  case uneven(Surroundings)

  /// The difference between a picture and the paper; 0 for what is not ink.
  ///
  /// - Parameters:
  ///   - picture: The picture.
  ///   - isDark: Whether ink is darker than paper.
  ///   - scale: How many times the picture is larger than the one that the paper was found in.
  func ink(of picture: Plane, isDark: Bool, scale: Int = 1) -> Plane {
    var ink = picture
    switch self {
    case .even(let paper):
      ink.values = picture.values.map { max(0, isDark ? paper - $0 : $0 - paper) }
    case .uneven(let paper):
      let levels = paper.levels(of: picture, isDark: isDark, scale: scale)
      // A shadow makes paper and ink darker by the same factor.
      ink.values = zip(picture.values, levels.values).map { value, level in
        max(0, isDark ? level - value : value - level) / max(level, 0.1)
      }
    }
    return ink
  }
}

/// The medians of a picture's surroundings.
struct Surroundings {
  /// The smallest and the largest of the medians nearby: at the edge of a shadow, all values between
  /// them are paper.
  private let (darkest, lightest): (Plane, Plane)
  /// The means of blocks of pixels.
  let means: Plane
  /// The height and width of a block, which has one median.
  let factor: Int

  /// - Parameters:
  ///   - picture: The picture.
  ///   - most: The height and width up to which medians are taken of all pixels.
  ///   - reach: How far surroundings reach in each direction, in pixels; a fifth of the shorter side by
  ///     default.
  init(_ picture: Plane, most: Int = 150, reach: Int? = nil) {
    let factor = max(1, (max(picture.width, picture.height) + most - 1) / most)
    let small = picture.averaged(by: factor, isPadded: false)
    let levels = small.values.map { UInt8(min(max($0, 0), 1) * 255) }
    let reach = max(4, reach.map { $0 / factor } ?? min(small.width, small.height) / 5)
    var medians = small
    for y in 0..<small.height {
      for x in 0..<small.width {
        // As far to one side as to the other: otherwise slopes would end at the edges.
        let across = max(min(reach, x, small.width - 1 - x), reach / 3)
        let down = max(min(reach, y, small.height - 1 - y), reach / 3)
        var counts = [Int](repeating: 0, count: 256)
        var total = 0
        for row in stride(from: max(0, y - down), through: min(small.height - 1, y + down), by: 2) {
          for column in stride(
            from: max(0, x - across), through: min(small.width - 1, x + across), by: 2)
          {
            counts[Int(levels[row * small.width + column])] += 1
            total += 1
          }
        }
        var (level, below) = (0, counts[0])
        while 2 * below < total {
          level += 1
          below += counts[level]
        }
        medians.values[y * small.width + x] = (Float(level) + 0.5) / 255
      }
    }
    darkest = medians.nearby(min)
    lightest = medians.nearby(max)
    means = small
    self.factor = factor
  }

  /// The paper at each pixel of a picture.
  ///
  /// - Parameters:
  ///   - picture: The picture.
  ///   - isDark: Whether darker pixels are ink, otherwise lighter ones.
  ///   - scale: How many times the picture is larger than the one that medians were taken of.
  func levels(of picture: Plane, isDark: Bool, scale: Int = 1) -> Plane {
    var levels = picture
    let medians = isDark ? darkest : lightest
    func place(_ index: Int) -> Float {
      (Float(index) + 0.5) / Float(scale) / Float(factor) - 0.5
    }
    for y in 0..<picture.height {
      for x in 0..<picture.width {
        levels.values[y * picture.width + x] = medians.interpolated(x: place(x), y: place(y))
      }
    }
    return levels
  }
}

extension Plane {
  /// The smallest or largest element within a distance of two.
  func nearby(_ choice: (Float, Float) -> Float) -> Plane {
    var (across, result) = (self, self)
    for y in 0..<height {
      for x in 0..<width {
        for column in max(0, x - 2)...min(width - 1, x + 2) {
          across.values[y * width + x] = choice(across[x, y], self[column, y])
        }
      }
    }
    result = across
    for y in 0..<height {
      for x in 0..<width {
        for row in max(0, y - 2)...min(height - 1, y + 2) {
          result.values[y * width + x] = choice(result[x, y], across[x, row])
        }
      }
    }
    return result
  }
}

extension Plane {
  /// The standard deviation of the noise, from the differences of neighbors.
  var noise: Float {
    var differences: [Float] = []
    for y in 0..<height {
      for x in stride(from: 1, to: width, by: 2) {
        differences.append(abs(self[x, y] - self[x - 1, y]))
      }
    }
    guard !differences.isEmpty else { return 0 }
    differences.sort()
    // The median of the difference of two normal variables is 0.954 standard deviations.
    return differences[differences.count / 2] / 0.954
  }
}
