import CFreeType

/// Draws the glyphs of a font.
///
/// Each figure opens its own, for FreeType's are not to be shared between threads.
package final class Typeface {
  private let library: FT_Library
  private let face: FT_Face
  private var advances: [Unicode.Scalar: Double] = [:]

  /// - Throws: ``PlotError``, when FreeType cannot read the file.
  package init(_ file: FontFile) throws(PlotError) {
    var library: FT_Library?
    var face: FT_Face?
    guard FT_Init_FreeType(&library) == 0, let library else {
      throw PlotError("FreeType does not start")
    }
    guard FT_New_Face(library, file.path, FT_Long(file.index), &face) == 0, let face,
      face.pointee.units_per_EM > 0
    else {
      FT_Done_FreeType(library)
      throw PlotError("cannot read the font \(file.path); \(FontFile.advice)")
    }
    self.library = library
    self.face = face
  }

  deinit {
    FT_Done_Face(face)
    FT_Done_FreeType(library)
  }

  /// How far letters reach above the baseline, in parts of the font's size.
  package var ascent: Double { Double(face.pointee.ascender) / unitsPerEm }

  /// How far letters reach below the baseline, in parts of the font's size.
  package var descent: Double { -Double(face.pointee.descender) / unitsPerEm }

  private var unitsPerEm: Double { Double(face.pointee.units_per_EM) }

  /// The width of a line of text, in parts of the font's size.
  package func width(of text: some StringProtocol) -> Double {
    text.unicodeScalars.reduce(0) { $0 + advance(of: $1) }
  }

  /// How far the next letter is from this one, in parts of the font's size.
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

  /// A line of text as pixels, around a baseline that starts at (0, 0).
  ///
  /// - Parameters:
  ///   - text: What to write; a character that the font does not have becomes a box.
  ///   - size: The font's size in pixels.
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

  /// A glyph at the size that is set, `shift` of a pixel to the right of the origin.
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
