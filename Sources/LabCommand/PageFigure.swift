import Lab
import Plot

/// A figure of a page and what was read on it: the page with its lines framed, and below it the image of
/// each line with the characters where they were seen. Colors show the confidence.
///
/// - Parameters:
///   - page: The page.
///   - lines: What was read.
func pageFigure(_ page: PagePicture, _ lines: [ReadLine]) -> Figure {
  // Units are pixels of the figure, from the upper left corner down; y is negative there.
  let side = 20.0
  let widest = lines.map(\.line.width).max() ?? 0
  let width = Double(min(max(widest + 60, 800), 1600))
  let rows = lines.enumerated().flatMap { number, line in
    stride(from: 0, to: line.line.width, by: Int(width) - 60).map { (number: number, from: $0) }
  }
  let scale = (width - 2 * side) / Double(page.width)
  let pageHeight = Double(page.height) * scale
  let rowHeight = Double(PageLine.height) + 26
  let height = side + pageHeight + side + Double(rows.count) * rowHeight + side
  var figure = Figure(size: (width / 100, height / 100))
  figure[0].frame = false
  (figure[0].xlim, figure[0].ylim) = (0...width, -height...0)
  figure[0].imshow(
    Image(width: page.width, height: page.height, values: page.gray),
    x: side...width - side, y: -side - pageHeight ... -side, range: 0...1)
  for (number, line) in lines.enumerated() {
    let outline = line.line.outline
    let corners = outline + outline.prefix(1)
    let color = color(of: line.confidence)
    figure[0].plot(
      corners.map { side + $0.x * scale }, corners.map { -side - $0.y * scale }, color: color)
    if let first = outline.first {
      figure[0].text(
        "\(number + 1)", at: (side + first.x * scale - 10, -side - first.y * scale - 6),
        fontsize: 8, color: color)
    }
  }
  for (index, row) in rows.enumerated() {
    let line = lines[row.number]
    let columns = row.from..<min(line.line.width, row.from + Int(width) - 60)
    let top = -2 * side - pageHeight - Double(index) * rowHeight
    let part = line.line.pixels(
      of: PageLine.Part(columns: columns), width: columns.count)
    if row.from == 0 {
      figure[0].text(
        "\(row.number + 1)", at: (side + 6, top - 14), fontsize: 8,
        color: color(of: line.confidence))
    }
    let left = 40 - Double(row.from)
    figure[0].imshow(
      Image(width: columns.count, height: PageLine.height, values: part),
      x: 40...40 + Double(columns.count), y: top - Double(PageLine.height)...top, range: 0...1)
    for character in line.characters {
      let middle = (character.columns.lowerBound + character.columns.upperBound) / 2
      guard columns.contains(Int(middle)), character.text != " " else { continue }
      figure[0].text(
        character.text, at: (left + middle, top - Double(PageLine.height) - 9), fontsize: 9,
        color: color(of: character.confidence))
    }
  }
  return figure
}

/// From red for 0.5 and less to green for 1.
private func color(of confidence: Float) -> Color {
  let share = min(max(2 * Double(confidence) - 1, 0), 1)
  func mixed(_ from: Double, _ to: Double) -> UInt8 { UInt8(from + (to - from) * share) }
  return Color(red: mixed(214, 0), green: mixed(39, 128), blue: mixed(40, 0))
}
