import CFreeType
import Foundation
import Synchronization

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

/// A font opened by FreeType, which renders glyphs, and the fonts that have what it lacks.
///
/// Each figure opens its own, because FreeType faces must not be shared between threads.
package final class Typeface {
  private let face: Face
  /// The paths of fonts for characters that the font lacks, and those that are open.
  private let substitutes: [String]
  private var opened: [String: Face?] = [:]
  private var faces: [Unicode.Scalar: Face?] = [:]
  private var advances: [Unicode.Scalar: Double] = [:]

  /// - Parameters:
  ///   - file: The font.
  ///   - substitutes: The paths of fonts for characters that it lacks; those that do not exist are
  ///     passed over.
  /// - Throws: ``PlotError`` if FreeType cannot read the file.
  package init(
    _ file: FontFile, substitutes: [String] = SubstituteFonts.paths
  ) throws(PlotError) {
    face = try Face(file)
    self.substitutes = substitutes
  }

  /// The ascent above the baseline, relative to the font size.
  package var ascent: Double { face.ascent }

  /// The descent below the baseline, relative to the font size.
  package var descent: Double { face.descent }

  /// The width of a line of text, relative to the font size.
  package func width(of text: some StringProtocol) -> Double {
    scalars(of: text).reduce(0) { $0 + advance(of: $1) }
  }

  /// The advance width of a character, relative to the font size.
  private func advance(of scalar: Unicode.Scalar) -> Double {
    if let known = advances[scalar] { return known }
    let advance = face(for: scalar)?.advance(of: scalar) ?? MissingGlyph.advance
    advances[scalar] = advance
    return advance
  }

  /// The font that has a character: this one, or the first of the others; `nil` if none has it.
  private func face(for scalar: Unicode.Scalar) -> Face? {
    if let known = faces[scalar] { return known }
    let found =
      face.has(scalar)
      ? face : substitutes.lazy.compactMap(open).first { $0.has(scalar) }
    if found == nil { SubstituteFonts.tellMissing(scalar) }
    faces[scalar] = .some(found)
    return found
  }

  private func open(_ path: String) -> Face? {
    if let known = opened[path] { return known }
    let face = FileManager.default.fileExists(atPath: path) ? try? Face(path: path) : nil
    opened[path] = .some(face)
    return face
  }

  /// Renders a line of text with the start of its baseline at (0, 0).
  ///
  /// - Parameters:
  ///   - text: The text; a character that no font has is drawn as a box.
  ///   - size: The font size in pixels.
  package func glyphs(of text: some StringProtocol, size: Double) -> [Glyph] {
    var glyphs: [Glyph] = []
    var pen = 0.0
    for scalar in scalars(of: text) {
      let column = pen.rounded(.down)
      if let face = face(for: scalar) {
        if let glyph = face.glyph(of: scalar, size: size, shift: pen - column),
          !glyph.coverage.isEmpty
        {
          glyphs.append(glyph.moved(x: Int(column), y: 0))
        }
      } else {
        glyphs.append(MissingGlyph.draw(size: size).moved(x: Int(column), y: 0))
      }
      pen += advance(of: scalar) * size
    }
    return glyphs
  }

  /// The characters of a text. Hangul in several pieces, as in names of files on a Mac, becomes
  /// syllables, which fonts have.
  private func scalars(of text: some StringProtocol) -> [Unicode.Scalar] {
    let scalars = Array(text.unicodeScalars)
    guard scalars.contains(where: { (0x1100...0x11FF).contains($0.value) }) else { return scalars }
    return Array(String(text).precomposedStringWithCanonicalMapping.unicodeScalars)
  }
}

/// The fonts of the system in which characters are looked up that the figure's own font lacks, such as
/// Hangul.
package enum SubstituteFonts {
  /// The variable with the path of a font that comes first.
  package static let variable = "LAB_FONT"

  /// Where systems have fonts with Hangul: those that `fonts-nanum` and `fonts-noto-cjk` install on
  /// Debian, their places on other distributions, and that of macOS.
  private static let known = [
    "/usr/share/fonts/truetype/nanum/NanumGothic.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/naver-nanum-gothic-fonts/NanumGothic.ttf",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-vf-fonts/NotoSansCJK-VF.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/TTF/NanumGothic.ttf",
    "/System/Library/Fonts/AppleSDGothicNeo.ttc",
  ]

  /// The paths of the fonts, in the order in which characters are looked up.
  package static var paths: [String] {
    let own = ProcessInfo.processInfo.environment[variable] ?? ""
    return (own.isEmpty ? [] : [own]) + known
  }

  /// - Throws: ``PlotError`` if the variable names a file that cannot be read or is no font.
  package static func checkOwn(
    in environment: [String: String] = ProcessInfo.processInfo.environment
  )
    throws(PlotError)
  {
    guard let own = environment[variable], !own.isEmpty else { return }
    do {
      _ = try Face(path: own)
    } catch {
      throw PlotError("\(variable): expected the path of a font file, got \(own)")
    }
  }

  private static let isTold = Mutex(false)

  /// Says once that Hangul is missing, and how to get it.
  fileprivate static func tellMissing(_ scalar: Unicode.Scalar) {
    guard (0xAC00...0xD7A3).contains(scalar.value) || (0x1100...0x11FF).contains(scalar.value),
      isTold.withLock({ isTold in
        defer { isTold = true }
        return !isTold
      })
    else { return }
    let line =
      "Warning: no font has “\(scalar)”, so that figures show Korean as boxes; install a font "
      + "(Debian, Ubuntu: apt-get install fonts-nanum), or name a font file in \(variable)\n"
    // An error of the stream itself cannot be reported.
    try? FileHandle.standardError.write(contentsOf: Data(line.utf8))
  }
}

/// A face of FreeType.
private final class Face {
  /// FreeType reads the file as long as the face is open.
  private let file: FontFile?
  private let library: FT_Library
  private let face: FT_Face

  /// - Throws: ``PlotError`` if FreeType cannot read the file.
  convenience init(_ file: FontFile) throws(PlotError) {
    try self.init(file, named: file.name) { library, face in
      FT_New_Memory_Face(
        library, file.memory.baseAddress, FT_Long(file.memory.count), 0, &face)
    }
  }

  /// Opens a font file; it is not read as a whole.
  ///
  /// - Throws: ``PlotError`` if FreeType cannot read the file.
  convenience init(path: String) throws(PlotError) {
    try self.init(nil, named: path) { library, face in FT_New_Face(library, path, 0, &face) }
  }

  private init(
    _ file: FontFile?, named name: String, _ open: (FT_Library, inout FT_Face?) -> FT_Error
  ) throws(PlotError) {
    var library: FT_Library?
    var face: FT_Face?
    guard FT_Init_FreeType(&library) == 0, let library else {
      throw PlotError("cannot initialize FreeType")
    }
    guard open(library, &face) == 0, let face, face.pointee.units_per_EM > 0 else {
      FT_Done_FreeType(library)
      throw PlotError("cannot read the font \(name)")
    }
    self.file = file
    self.library = library
    self.face = face
  }

  deinit {
    FT_Done_Face(face)
    FT_Done_FreeType(library)
  }

  var ascent: Double { Double(face.pointee.ascender) / unitsPerEm }

  var descent: Double { -Double(face.pointee.descender) / unitsPerEm }

  private var unitsPerEm: Double { Double(face.pointee.units_per_EM) }

  private func index(of scalar: Unicode.Scalar) -> FT_UInt {
    FT_Get_Char_Index(face, FT_ULong(scalar.value))
  }

  func has(_ scalar: Unicode.Scalar) -> Bool { index(of: scalar) != 0 }

  /// The advance width relative to the font size; `nil` if it is not known.
  func advance(of scalar: Unicode.Scalar) -> Double? {
    guard FT_Load_Glyph(face, index(of: scalar), FT_Int32(FT_LOAD_NO_SCALE)) == 0 else {
      return nil
    }
    return Double(face.pointee.glyph.pointee.advance.x) / unitsPerEm
  }

  /// Renders a character at a size in pixels, shifted right by the fraction `shift` of a pixel.
  func glyph(of scalar: Unicode.Scalar, size: Double, shift: Double) -> Glyph? {
    FT_Set_Char_Size(face, 0, FT_F26Dot6((size * 64).rounded()), 72, 72)
    var shift = FT_Vector(x: FT_Pos((shift * 64).rounded()), y: 0)
    FT_Set_Transform(face, nil, &shift)
    guard FT_Load_Glyph(face, index(of: scalar), freetype_render_flags) == 0 else { return nil }
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

/// The box drawn for a character that no font has.
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
