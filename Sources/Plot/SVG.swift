import Foundation

/// A figure as an SVG document: text as text, images embedded as PNG.
///
/// The document is as large in CSS pixels as the PNG file in pixels. The same figure gives the same bytes.
package struct SVGDocument: Surface {
  package var clip: Rectangle {
    didSet { clip = clip.intersection(bounds) }
  }
  package var opacity = 1.0
  private let bounds: Rectangle
  private let font: Font
  private var body: [String] = []
  private var definitions: [String] = []
  /// The clip rectangle of the group that is open; `nil` if none is.
  private var openClip: Rectangle?
  private var problem: PlotError?

  init(width: Int, height: Int, font: Font) {
    bounds = Rectangle(x: 0, y: 0, width: width, height: height)
    clip = bounds
    self.font = font
  }

  /// The text of the file.
  ///
  /// - Throws: ``PlotError`` if an image is too large for a PNG file.
  func text() throws(PlotError) -> String {
    if let problem { throw problem }
    let (width, height) = (bounds.width, bounds.height)
    let families = (font.families + Font.koreanFamilies).joined(separator: ", ")
    // Widths are those of the font's advances alone, without pairs of letters.
    let lines =
      [
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
          + "width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\" "
          + "font-family=\"\(families)\" "
          + "style=\"font-kerning: none; font-variant-ligatures: none\">"
      ]
      + (definitions.isEmpty ? [] : ["<defs>"] + definitions + ["</defs>"])
      + ["<rect width=\"\(width)\" height=\"\(height)\" fill=\"#ffffff\"/>"] + body
      + (openClip == nil ? [] : ["</g>"]) + ["</svg>", ""]
    return lines.joined(separator: "\n")
  }

  package mutating func fill(_ rectangle: Rectangle, with color: Color) {
    guard !rectangle.isEmpty else { return }
    add("<rect \(attributes(of: rectangle)) \(paint("fill", color))/>")
  }

  package mutating func fill(_ polygon: [Point], rounding: Double, color: Color) {
    guard let first = polygon.first else { return }
    if polygon.allSatisfy({ $0 == first }) {
      circle(first, radius: rounding, color)
    } else {
      let edge =
        rounding > 0
        ? " stroke=\"\(hex(color))\" stroke-width=\"\(number(2 * rounding))\" "
          + "stroke-linejoin=\"round\"" : ""
      add("<path d=\"\(path(polygon))Z\" \(paint("fill", color))\(edge)/>")
    }
  }

  package mutating func fill(areas: [[Point]], color: Color) {
    let areas = areas.map { $0.clipped(to: clip) }.filter { !$0.isEmpty }
    guard !areas.isEmpty else { return }
    add("<path d=\"\(areas.map { path($0) + "Z" }.joined())\" \(paint("fill", color))/>")
  }

  package mutating func stroke(
    _ paths: [[Point]], width: Double, color: Color, dashes: [Double]
  ) {
    let parts = paths.flatMap { $0.parts(near: clip, width: width) }
    for point in parts where point.count == 1 { circle(point[0], radius: width / 2, color) }
    let lines = parts.filter { $0.count > 1 }
    guard !lines.isEmpty, width > 0 else { return }
    // Round caps make dashes longer and gaps shorter.
    let pattern = dashes.enumerated().map { index, length in
      number(max(0.1, (length + (index % 2 == 0 ? -1 : 1)) * width))
    }
    add(
      "<path d=\"\(lines.map(path).joined())\" fill=\"none\" \(paint("stroke", color)) "
        + "stroke-width=\"\(number(width))\" stroke-linecap=\"round\" stroke-linejoin=\"round\""
        + (pattern.isEmpty ? "" : " stroke-dasharray=\"\(pattern.joined(separator: " "))\"") + "/>")
  }

  package mutating func draw(_ picture: Bitmap, in frame: Rectangle) {
    guard !frame.isEmpty, problem == nil else { return }
    do throws(PlotError) {
      let file = Data(try encodePNG(picture)).base64EncodedString()
      // A picture that is shrunk is smoothed, as in the PNG file.
      let isEnlarged = frame.width >= picture.width && frame.height >= picture.height
      add(
        "<image \(attributes(of: frame)) preserveAspectRatio=\"none\"\(transparency)"
          + (isEnlarged ? " style=\"image-rendering: pixelated\"" : "")
          + " xlink:href=\"data:image/png;base64,\(file)\"/>")
    } catch {
      problem = error
    }
  }

  package mutating func draw(_ text: PlacedText) {
    for line in text.lines where !line.text.isEmpty {
      let position =
        line.isRotated
        ? "transform=\"translate(\(number(line.origin.x)) \(number(line.origin.y))) rotate(-90)\""
        : "x=\"\(number(line.origin.x))\" y=\"\(number(line.origin.y))\""
      // Keeps the layout if the reader has none of the fonts.
      let width = line.typeface.width(of: line.text) * line.size
      add(
        "<text \(position) font-size=\"\(number(line.size))\" textLength=\"\(number(width))\" "
          + "lengthAdjust=\"spacingAndGlyphs\" \(paint("fill", text.color))>"
          + "\(escaped(line.text))</text>")
    }
  }

  /// Adds an element to the group with the clip rectangle.
  private mutating func add(_ element: String) {
    if let openClip, openClip != clip {
      body.append("</g>")
      self.openClip = nil
    }
    if openClip == nil && clip != bounds {
      let name = "clip-\(clip.x)-\(clip.y)-\(clip.width)-\(clip.height)"
      let definition = "<clipPath id=\"\(name)\"><rect \(attributes(of: clip))/></clipPath>"
      if !definitions.contains(definition) { definitions.append(definition) }
      body.append("<g clip-path=\"url(#\(name))\">")
      openClip = clip
    }
    body.append(element)
  }

  private mutating func circle(_ center: Point, radius: Double, _ color: Color) {
    add(
      "<circle cx=\"\(number(center.x))\" cy=\"\(number(center.y))\" r=\"\(number(radius))\" "
        + "\(paint("fill", color))/>")
  }

  private func paint(_ attribute: String, _ color: Color) -> String {
    "\(attribute)=\"\(hex(color))\"\(transparency)"
  }

  private var transparency: String {
    opacity == 1 ? "" : " opacity=\"\(number(opacity, decimals: 4))\""
  }
}

extension Font {
  /// The names of the font and of similar ones, for programs that show SVG.
  fileprivate var families: [String] {
    switch self {
    case .sansSerif: ["'DejaVu Sans'", "Verdana", "Helvetica", "Arial", "sans-serif"]
    case .monospaced: ["'DejaVu Sans Mono'", "Menlo", "Consolas", "monospace"]
    }
  }

  /// Fonts with Hangul, which are used for letters that the others lack.
  fileprivate static let koreanFamilies = [
    "NanumGothic", "'Noto Sans CJK KR'", "'Apple SD Gothic Neo'",
  ]
}

private func attributes(of rectangle: Rectangle) -> String {
  "x=\"\(rectangle.x)\" y=\"\(rectangle.y)\" width=\"\(rectangle.width)\" "
    + "height=\"\(rectangle.height)\""
}

private func path(_ points: [Point]) -> String {
  points.enumerated().map { index, point in
    "\(index == 0 ? "M" : "L")\(number(point.x)) \(number(point.y))"
  }.joined()
}

private func hex(_ color: Color) -> String {
  "#"
    + [color.red, color.green, color.blue].map {
      ($0 < 16 ? "0" : "") + String($0, radix: 16)
    }.joined()
}

/// A number with at most two decimals, or as many as given.
private func number(_ value: Double, decimals: Int = 2) -> String {
  let scale = decimals == 2 ? 100 : 10_000
  let units = Int(clamping: (min(max(value, -1e7), 1e7) * Double(scale)).rounded())
  let (whole, rest) = abs(units).quotientAndRemainder(dividingBy: scale)
  var fraction = String(scale + rest).dropFirst()
  while fraction.last == "0" { fraction.removeLast() }
  return (units < 0 ? "-" : "") + "\(whole)" + (fraction.isEmpty ? "" : ".\(fraction)")
}

/// The text with entities for characters that have a meaning in XML; characters that XML does not allow
/// become �.
private func escaped(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\t", "\u{20}"..."\u{D7FF}", "\u{E000}"..."\u{FFFD}", "\u{10000}"..."\u{10FFFF}":
      result.unicodeScalars.append(scalar)
    default: result += "\u{FFFD}"
    }
  }
  return result
}
