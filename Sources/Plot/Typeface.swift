import CFreeType
import Foundation

/// A font file in memory.
package final class FontFile: Sendable {
  package let name: String
  /// FreeType keeps the address as long as the font is open.
  nonisolated(unsafe) fileprivate let memory: UnsafeMutableBufferPointer<UInt8>

  package init(_ bytes: some Collection<UInt8>, name: String) {
    self.name = name
    memory = .allocate(capacity: bytes.count)
    _ = memory.initialize(from: bytes)
  }

  convenience init(base64: String, name: String) {
    self.init(Data(base64Encoded: base64, options: .ignoreUnknownCharacters) ?? Data(), name: name)
  }

  deinit { memory.deallocate() }

  /// The file's bytes.
  package var bytes: [UInt8] { Array(memory) }
}

/// A font opened by FreeType, which renders glyphs.
///
/// Each figure opens its own, because FreeType faces must not be shared between threads.
package final class Typeface {
  private let file: FontFile
  private let library: FT_Library
  private let face: FT_Face
  private var advances: [Unicode.Scalar: Double] = [:]

  /// - Throws: ``PlotError`` if FreeType cannot read the file.
  package init(_ file: FontFile) throws(PlotError) {
    var library: FT_Library?
    var face: FT_Face?
    guard FT_Init_FreeType(&library) == 0, let library else {
      throw PlotError("cannot initialize FreeType")
    }
    let error = FT_New_Memory_Face(
      library, file.memory.baseAddress, FT_Long(file.memory.count), 0, &face)
    guard error == 0, let face, face.pointee.units_per_EM > 0 else {
      FT_Done_FreeType(library)
      throw PlotError("cannot read the font \(file.name)")
    }
    self.file = file
    self.library = library
    self.face = face
  }

  deinit {
    FT_Done_Face(face)
    FT_Done_FreeType(library)
  }

  /// The ascent above the baseline, relative to the font size.
  package var ascent: Double { Double(face.pointee.ascender) / unitsPerEm }

  /// The descent below the baseline, relative to the font size.
  package var descent: Double { -Double(face.pointee.descender) / unitsPerEm }

  private var unitsPerEm: Double { Double(face.pointee.units_per_EM) }

  /// The width of a line of text, relative to the font size.
  package func width(of text: some StringProtocol) -> Double {
    text.unicodeScalars.reduce(0) { $0 + advance(of: $1) }
  }

  /// The advance width of a character, relative to the font size.
  private func advance(of scalar: Unicode.Scalar) -> Double {
    if let known = advances[scalar] { return known }
    let index = FT_Get_Char_Index(face, FT_ULong(scalar.value))
    var advance = MissingGlyph.advance
    if index != 0, FT_Load_Glyph(face, index, FT_Int32(FT_LOAD_NO_SCALE)) == 0 {
      advance = Double(face.pointee.glyph.pointee.advance.x) / unitsPerEm
    }
    advances[scalar] = advance
    return advance
  }

  /// Renders a line of text with the start of its baseline at (0, 0).
  ///
  /// - Parameters:
  ///   - text: The text; a character missing from the font is drawn as a box.
  ///   - size: The font size in pixels.
  package func glyphs(of text: some StringProtocol, size: Double) -> [Glyph] {
    FT_Set_Transform(face, nil, nil)
    FT_Set_Char_Size(face, 0, FT_F26Dot6((size * 64).rounded()), 72, 72)
    var glyphs: [Glyph] = []
    var pen = 0.0
    for scalar in text.unicodeScalars {
      let index = FT_Get_Char_Index(face, FT_ULong(scalar.value))
      let column = pen.rounded(.down)
      if index == 0 {
        glyphs.append(MissingGlyph.draw(size: size).moved(x: Int(column), y: 0))
      } else if let glyph = glyph(index, shift: pen - column), !glyph.coverage.isEmpty {
        glyphs.append(glyph.moved(x: Int(column), y: 0))
      }
      pen += advance(of: scalar) * size
    }
    return glyphs
  }

  /// Renders a glyph at the current size, shifted right by the fraction `shift` of a pixel.
  private func glyph(_ index: FT_UInt, shift: Double) -> Glyph? {
    var shift = FT_Vector(x: FT_Pos((shift * 64).rounded()), y: 0)
    FT_Set_Transform(face, nil, &shift)
    guard FT_Load_Glyph(face, index, freetype_render_flags) == 0 else { return nil }
    let slot = face.pointee.glyph.pointee
    let (width, height) = (Int(slot.bitmap.width), Int(slot.bitmap.rows))
    var coverage: [UInt8] = []
    if let buffer = slot.bitmap.buffer {
      for row in 0..<height {
        coverage += UnsafeBufferPointer(
          start: buffer + row * Int(slot.bitmap.pitch), count: width)
      }
    }
    return Glyph(
      frame: Rectangle(
        x: Int(slot.bitmap_left), y: -Int(slot.bitmap_top), width: width, height: height),
      coverage: coverage)
  }
}

/// A rendered glyph.
package struct Glyph: Sendable, Equatable {
  /// The pixels covered, relative to the start of the baseline.
  package var frame: Rectangle
  /// The coverage of each pixel, row by row, from 0 to 255.
  package var coverage: [UInt8]

  package init(frame: Rectangle, coverage: [UInt8]) {
    self.frame = frame
    self.coverage = coverage
  }

  func moved(x: Int, y: Int) -> Glyph {
    var copy = self
    copy.frame.x += x
    copy.frame.y += y
    return copy
  }

  /// The glyph rotated by 90° counterclockwise around (0, 0).
  package var rotated: Glyph {
    let turned = Rectangle(
      x: frame.y, y: -frame.maxX, width: frame.height, height: frame.width)
    return Glyph(
      frame: turned,
      coverage: (0..<turned.height).flatMap { y in
        (0..<turned.width).map { x in coverage[x * frame.width + frame.width - 1 - y] }
      })
  }
}

/// The box drawn for a character missing from the font.
///
/// Fonts have their own, but in some of them it is blank.
enum MissingGlyph {
  /// The advance width, relative to the font size.
  static let advance = 0.6

  static func draw(size: Double) -> Glyph {
    let line = max(1, Int((0.06 * size).rounded()))
    let width = max(3 * line, Int((0.45 * size).rounded()))
    let height = max(3 * line, Int((0.7 * size).rounded()))
    let coverage = (0..<height).flatMap { y in
      (0..<width).map { x in
        min(x, y, width - 1 - x, height - 1 - y) < line ? UInt8(255) : 0
      }
    }
    return Glyph(
      frame: Rectangle(
        x: Int((0.08 * size).rounded()), y: -height, width: width, height: height),
      coverage: coverage)
  }
}
