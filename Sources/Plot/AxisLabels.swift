/// The ticks along one axis and their labels, at a size at which no two labels overlap.
struct AxisLabels {
  struct Label {
    /// The position along the axis, in data coordinates.
    let value: Double
    var lines: [String]
    /// The row of the label, counted away from the axis: labels that would overlap are staggered.
    var row = 0
  }

  private(set) var labels: [Label]
  /// The ticks without labels, in data coordinates.
  private(set) var minor: [Double] = []
  /// The font size in pixels.
  private(set) var size: Double
  /// Whether labels are rotated by 90°.
  private(set) var isRotated = false
  /// The number of rows of text.
  private(set) var rows = 1

  /// The labels below a horizontal axis.
  ///
  /// - Parameters:
  ///   - range: The limits of the axis.
  ///   - extent: The data along the axis.
  ///   - length: The length of the axis in pixels.
  ///   - height: The height available for rotated names; longer ones are truncated.
  ///   - hand: The ticks set by the user.
  init(
    below range: ClosedRange<Double>, _ extent: Extent, scale: AxisScale = .linear, length: Int,
    height: Double, hand: HandTicks? = nil, _ pen: Pen
  ) {
    size = pen.size
    labels = []
    if let hand {
      fitBelow(hand.within(range, scale), range, scale, length: length, height: height, pen)
      return
    }
    if let names = extent.categories {
      let slot = Double(length) / (range.upperBound - range.lowerBound)
      fit(names.map(showingSpaces), slot: slot, height: height, pen)
      labels.removeAll { !range.contains($0.value) }
      return
    }
    // As in matplotlib a label takes three times its font size, or more if it is long.
    let pixels = scale.pixels(per: range, length)
    var count = Int(clamping: min(max(Double(length) / (3 * size), 1), 9))
    while true {
      let ticks = scale.ticks(range, atMost: count, wholeOnly: extent.isWhole)
      let widths = ticks.labels.map { pen.width(of: $0, size: pen.size) }
      let positions = ticks.values.map(scale.position)
      let fits = positions.indices.dropFirst().allSatisfy { i in
        (positions[i] - positions[i - 1]) * pixels
          >= (widths[i] + widths[i - 1]) / 2 + 0.7 * pen.size
      }
      labels = zip(ticks.values, ticks.labels).map { Label(value: $0, lines: [$1]) }
      minor = ticks.minor
      if fits || count == 1 { return }
      count -= 1
    }
  }

  /// The labels left or right of a vertical axis.
  ///
  /// - Parameters:
  ///   - width: The width available for names; longer ones are wrapped, then truncated.
  ///   - hand: The ticks set by the user.
  init(
    beside range: ClosedRange<Double>, _ extent: Extent, scale: AxisScale = .linear, length: Int,
    width: Double, hand: HandTicks? = nil, _ pen: Pen
  ) {
    size = pen.size
    labels = []
    if let hand {
      fitBeside(hand.within(range, scale), range, scale, length: length, width: width, pen)
      return
    }
    guard let names = extent.categories else {
      let count = Int(clamping: min(max(Double(length) / (2 * size), 1), 9))
      let ticks = scale.ticks(range, atMost: count, wholeOnly: extent.isWhole)
      labels = zip(ticks.values, ticks.labels).map { Label(value: $0, lines: [$1]) }
      minor = ticks.minor
      return
    }
    let slot = Double(length) / (range.upperBound - range.lowerBound)
    // Single lines may be as close as their letters are high.
    size = pen.sizes.first { pen.lineHeight($0) <= 1.05 * slot } ?? pen.size
    let step = max(1, Int(clamping: (pen.lineHeight(size) / (1.05 * slot)).rounded(.up)))
    let lines = max(1, Int(clamping: slot / pen.lineHeight(size)))
    labels = stride(from: 0, to: names.count, by: step).map {
      Label(
        value: Double($0),
        lines: fitted(showingSpaces(names[$0]), width: width, lines: lines, pen))
    }
    labels.removeAll { !range.contains($0.value) }
  }

  /// Fits labels set by the user below an axis: smaller or else rotated; at the smallest size, those that
  /// would overlap the one before lose their text.
  private mutating func fitBelow(
    _ given: [Label], _ range: ClosedRange<Double>, _ scale: AxisScale, length: Int, height: Double,
    _ pen: Pen
  ) {
    let pixels = scale.pixels(per: range, length)
    let positions = given.map { scale.position(of: $0.value) * pixels }
    func overlap(_ i: Int, _ j: Int, _ extent: (Int) -> Double) -> Bool {
      positions[j] - positions[i] < (extent(i) + extent(j)) / 2
    }
    labels = given
    for size in pen.sizes {
      let gap = 0.5 * size
      let widths = given.map { pen.width(of: $0.lines[0], size: size) + gap }
      self.size = size
      if !given.indices.dropFirst().contains(where: { overlap($0 - 1, $0) { widths[$0] } }) {
        return
      }
    }
    isRotated = true
    let sizes = pen.sizes
    size =
      sizes.first { size in
        !given.indices.dropFirst().contains { overlap($0 - 1, $0) { _ in pen.lineHeight(size) } }
      } ?? sizes.last ?? size
    var last: Int?
    for index in given.indices {
      if let last, overlap(last, index, { _ in pen.lineHeight(size) }) {
        labels[index].lines = []
      } else {
        labels[index].lines = fitted(given[index].lines[0], width: height, lines: 1, pen)
        last = index
      }
    }
  }

  /// Fits labels set by the user beside an axis: smaller, wrapped or truncated; at the smallest size,
  /// those that would overlap the one before lose their text.
  private mutating func fitBeside(
    _ given: [Label], _ range: ClosedRange<Double>, _ scale: AxisScale, length: Int, width: Double,
    _ pen: Pen
  ) {
    let pixels = scale.pixels(per: range, length)
    let positions = given.map { scale.position(of: $0.value) * pixels }
    let least = zip(positions, positions.dropFirst()).map { $1 - $0 }.min() ?? .infinity
    let sizes = pen.sizes
    size = sizes.first { pen.lineHeight($0) <= 1.05 * least } ?? sizes.last ?? size
    labels = given
    let lines = max(1, Int(clamping: least / pen.lineHeight(size)))
    var last = -Double.infinity
    for index in given.indices {
      if positions[index] - last < pen.lineHeight(size) / 1.05 {
        labels[index].lines = []
      } else {
        labels[index].lines = fitted(given[index].lines[0], width: width, lines: lines, pen)
        last = positions[index]
      }
    }
  }

  /// The wrapped lines of a name, truncated after `lines` lines.
  private func fitted(_ name: String, width: Double, lines: Int, _ pen: Pen) -> [String] {
    let measure = { [size] (text: String) in pen.width(of: text, size: size) }
    var paragraph = Paragraph(name, width: width, measure: measure)
    paragraph.cut(to: lines, width: width, measure: measure)
    return paragraph.lines
  }

  /// Fits names below an axis: wrapped into up to three lines, else staggered in up to three rows,
  /// else rotated, where some are left out if there are too many.
  private mutating func fit(_ names: [String], slot: Double, height: Double, _ pen: Pen) {
    // Slightly smaller letters are easier to read than a second row; much smaller ones are not.
    for size in pen.sizes.prefix(4) {
      let measure = { (text: String) in pen.width(of: text, size: size) }
      let room = slot - min(0.08 * slot, 0.8 * size)
      let broken = names.map { Paragraph($0, width: room, measure: measure) }
      // A single letter is not broken even if it is too wide.
      let fits = broken.allSatisfy { paragraph in
        paragraph.lines.count <= 3 && paragraph.lines.allSatisfy { measure($0) <= room }
          && !paragraph.hasBrokenWords
      }
      if fits {
        self.size = size
        labels = broken.enumerated().map { Label(value: Double($0), lines: $1.lines) }
        rows = labels.map(\.lines.count).max() ?? 1
        return
      }
    }
    for size in pen.sizes {
      self.size = size
      labels = Self.staggered(names, slot: slot, gap: 0.3 * size) { pen.width(of: $0, size: size) }
      rows = (labels.map(\.row).max() ?? 0) + 1
      if rows <= 3 { return }
    }
    (isRotated, rows) = (true, 1)
    size = pen.sizes.first { pen.lineHeight($0) <= slot } ?? size
    let step = max(1, Int(clamping: (pen.lineHeight(size) / slot).rounded(.up)))
    labels = stride(from: 0, to: names.count, by: step).map {
      Label(value: Double($0), lines: fitted(names[$0], width: height, lines: 1, pen))
    }
  }

  /// Labels of one line each; a label that would overlap its neighbor moves down one row.
  private static func staggered(
    _ names: [String], slot: Double, gap: Double, measure: (String) -> Double
  ) -> [Label] {
    var ends: [Double] = []
    return names.enumerated().map { index, name in
      let width = measure(name)
      let start = (Double(index) + 0.5) * slot - width / 2
      let row = ends.firstIndex { $0 + gap <= start } ?? ends.count
      if row == ends.count { ends.append(0) }
      ends[row] = start + width
      return Label(value: Double(index), lines: [name], row: row)
    }
  }

  /// The laid out labels below a line at `top`.
  func texts(below top: Double, _ pen: Pen, x: (Double) -> Double) -> [PlacedText] {
    labels.flatMap { label in
      label.lines.enumerated().map { number, line in
        let down = Double(label.row + number) * pen.lineHeight(size)
        return PlacedText(
          line, at: Point(x: x(label.value), y: top + down), across: isRotated ? .end : .middle,
          down: isRotated ? .middle : .start, size: size, pen, isRotated: isRotated)
      }
    }
  }

  /// The laid out labels that end at the column `edge`, or start there if `isRight`.
  func texts(
    beside edge: Double, _ pen: Pen, isRight: Bool = false, y: (Double) -> Double
  ) -> [PlacedText] {
    labels.flatMap { label in
      label.lines.enumerated().map { number, line in
        let down = (Double(number) - Double(label.lines.count - 1) / 2) * pen.lineHeight(size)
        return PlacedText(
          line, at: Point(x: edge, y: y(label.value) + down), across: isRight ? .start : .end,
          down: .middle, size: size, pen)
      }
    }
  }
}

extension AxisScale {
  /// The number of pixels for a step of 1 in positions.
  fileprivate func pixels(per range: ClosedRange<Double>, _ length: Int) -> Double {
    Double(length) / (position(of: range.upperBound) - position(of: range.lowerBound))
  }

  fileprivate func ticks(_ range: ClosedRange<Double>, atMost count: Int, wholeOnly: Bool) -> Ticks
  {
    self == .log
      ? Ticks(logarithmic: range, atMost: count)
      : Ticks(range, atMost: count, wholeOnly: wholeOnly)
  }
}

extension HandTicks {
  /// The ticks within the limits of an axis, from the smallest to the largest value.
  fileprivate func within(_ range: ClosedRange<Double>, _ scale: AxisScale) -> [AxisLabels.Label] {
    let texts =
      labels.isEmpty ? Ticks(at: values, sharesDecimals: scale == .linear).labels : labels
    let slack = (range.upperBound - range.lowerBound) * 1e-9
    return zip(values, texts)
      .filter { range.lowerBound - slack <= $0.0 && $0.0 <= range.upperBound + slack }
      .sorted { $0.0 < $1.0 }
      .map { AxisLabels.Label(value: $0, lines: [showingSpaces($1)]) }
  }
}
