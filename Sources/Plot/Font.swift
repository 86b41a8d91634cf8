import CFontconfig

/// The font of a figure's text.
public enum Font: String, CaseIterable, Sendable {
  /// DejaVu Sans, as in matplotlib, or the closest sans-serif font.
  case sansSerif
  /// DejaVu Sans Mono, or the closest monospaced font: for text in which I, l and 1 must differ.
  case monospaced

  /// The font's file, looked up once (about 30 ms).
  ///
  /// - Throws: ``PlotError`` if no font is installed.
  package var file: FontFile {
    get throws(PlotError) {
      switch self {
      case .sansSerif: try Self.sansSerifFile.get()
      case .monospaced: try Self.monospacedFile.get()
      }
    }
  }

  private static let sansSerifFile = Result<FontFile, PlotError> { () throws(PlotError) in
    try FontFile(family: "DejaVu Sans", or: "sans-serif")
  }

  private static let monospacedFile = Result<FontFile, PlotError> { () throws(PlotError) in
    try FontFile(family: "DejaVu Sans Mono", or: "monospace")
  }
}

/// The file of an installed font.
package struct FontFile: Sendable, Equatable {
  package let path: String
  /// The index of the font in a file with several fonts.
  package let index: Int

  package init(path: String, index: Int) {
    self.path = path
    self.index = index
  }

  /// The advice if there is no usable font.
  static let advice =
    "install one: apt-get install fonts-dejavu-core (macOS: brew install --cask font-dejavu)"

  /// Finds the font of a family, or the closest one.
  ///
  /// - Parameters:
  ///   - family: The name of the family.
  ///   - kind: The generic family to fall back to.
  ///   - files: The font files to choose from instead of the installed ones.
  /// - Throws: ``PlotError`` if there is no font.
  package init(family: String, or kind: String, among files: [String]? = nil) throws(PlotError) {
    var configuration: OpaquePointer?
    if let files {
      configuration = FcConfigCreate()
      for file in files { FcConfigAppFontAddFile(configuration, file) }
    }
    defer { if let configuration { FcConfigDestroy(configuration) } }

    let wanted = FcPatternCreate()
    defer { FcPatternDestroy(wanted) }
    FcPatternAddString(wanted, FC_FAMILY, family)
    FcPatternAddString(wanted, FC_FAMILY, kind)
    FcPatternAddBool(wanted, FC_OUTLINE, FcBool(FcTrue))
    FcConfigSubstitute(configuration, wanted, FcMatchPattern)
    FcDefaultSubstitute(wanted)

    var result = FcResultNoMatch
    let found = FcFontMatch(configuration, wanted, &result)
    defer { if let found { FcPatternDestroy(found) } }
    var path: UnsafeMutablePointer<FcChar8>?
    var index: Int32 = 0
    guard let found, FcPatternGetString(found, FC_FILE, 0, &path) == FcResultMatch, let path else {
      throw PlotError("found no font for text in figures; \(Self.advice)")
    }
    FcPatternGetInteger(found, FC_INDEX, 0, &index)
    self.path = String(cString: path)
    self.index = Int(index)
  }
}
