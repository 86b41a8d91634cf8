/// Pixels to draw on, white at first.
package struct Canvas {
  package private(set) var bitmap: Bitmap
  /// Where drawing leaves ink: everywhere, at first.
  package var clip: Rectangle {
    didSet { clip = clip.intersection(bounds) }
  }

  package init(width: Int, height: Int) {
    clip = Rectangle(x: 0, y: 0, width: width, height: height)
    bitmap = Bitmap(
      width: width, height: height, channels: 3,
      bytes: [UInt8](repeating: 255, count: width * height * 3))
  }

  package var bounds: Rectangle {
    Rectangle(x: 0, y: 0, width: bitmap.width, height: bitmap.height)
  }

  /// Fills a rectangle, as far as it can be seen.
  ///
  /// - Parameter opacity: 1 hides what is below; with less, that shines through.
  package mutating func fill(_ rectangle: Rectangle, with color: Color, opacity: Double = 1) {
    let visible = rectangle.intersection(clip)
    let coverage = Int((opacity * 255).rounded())
    for y in visible.y..<visible.maxY {
      for x in visible.x..<visible.maxX { blend(color, x: x, y: y, coverage: coverage) }
    }
  }

  /// Draws lines around a rectangle, outside of it.
  package mutating func outline(_ rectangle: Rectangle, width: Int, color: Color) {
    let (x, y) = (rectangle.x - width, rectangle.y - width)
    let w = rectangle.width + 2 * width
    for edge in [
      Rectangle(x: x, y: y, width: w, height: width),
      Rectangle(x: x, y: rectangle.maxY, width: w, height: width),
      Rectangle(x: x, y: rectangle.y, width: width, height: rectangle.height),
      Rectangle(x: rectangle.maxX, y: rectangle.y, width: width, height: rectangle.height),
    ] { fill(edge, with: color) }
  }

  /// Draws letters with their origin, the start of the baseline, at (x, y).
  package mutating func draw(_ glyph: Glyph, x: Int = 0, y: Int = 0, color: Color) {
    let frame = glyph.moved(x: x, y: y).frame
    let visible = frame.intersection(clip)
    for y in visible.y..<visible.maxY {
      for x in visible.x..<visible.maxX {
        let coverage = glyph.coverage[(y - frame.y) * frame.width + x - frame.x]
        blend(color, x: x, y: y, coverage: Int(coverage))
      }
    }
  }

  /// Draws a picture so that it fills a frame.
  ///
  /// Enlarged, a pixel becomes a block (nearest neighbour). Made smaller, pixels that fall on one are
  /// averaged; to pick one of them would lose thin strokes.
  package mutating func draw(_ picture: Bitmap, in frame: Rectangle) {
    let visible = frame.intersection(clip)
    for y in visible.y..<visible.maxY {
      let rows = sources(of: y - frame.y, count: picture.height, places: frame.height)
      for x in visible.x..<visible.maxX {
        let columns = sources(of: x - frame.x, count: picture.width, places: frame.width)
        for channel in 0..<3 {
          var sum = 0
          for row in rows {
            for column in columns {
              let i = (row * picture.width + column) * picture.channels
              sum += Int(picture.bytes[i + min(channel, picture.channels - 1)])
            }
          }
          let count = rows.count * columns.count
          bitmap.bytes[(y * bitmap.width + x) * 3 + channel] = UInt8((sum + count / 2) / count)
        }
      }
    }
  }

  /// Which of `count` pixels are seen in one of `places` places: one, or several when they are more.
  private func sources(of place: Int, count: Int, places: Int) -> Range<Int> {
    let first = place * count / places
    return first..<max(first + 1, (place + 1) * count / places)
  }

  /// How much of a rectangle is not white, in pixels.
  package func ink(in rectangle: Rectangle) -> Double {
    let visible = rectangle.intersection(bounds)
    var sum = 0
    for y in visible.y..<visible.maxY {
      for x in visible.x..<visible.maxX {
        let i = (y * bitmap.width + x) * 3
        sum += 255 - Int(bitmap.bytes[i..<i + 3].min() ?? 255)
      }
    }
    return Double(sum) / 255
  }

  private mutating func blend(_ color: Color, x: Int, y: Int, coverage: Int) {
    let i = (y * bitmap.width + x) * 3
    for (channel, value) in [color.red, color.green, color.blue].enumerated() {
      let below = Int(bitmap.bytes[i + channel])
      bitmap.bytes[i + channel] = UInt8(
        (below * (255 - coverage) + Int(value) * coverage + 127) / 255)
    }
  }
}
