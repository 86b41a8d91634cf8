import CFontconfig

/// An installed font's file.
package struct FontFile: Sendable, Equatable {
  package let path: String
  /// Which font of the file, for files that hold several.
  package let index: Int

  /// The font of all figures: DejaVu Sans, as in matplotlib, or the sans-serif font closest to it.
  ///
  /// It is looked up once; that takes fontconfig some 20 ms.
  package static let standard = Result<FontFile, PlotError> { () throws(PlotError) in
    try FontFile(family: "DejaVu Sans")
  }

  /// Looks for a font of a family, or for the one closest to it.
  ///
  /// - Parameters:
  ///   - family: The font's name.
  ///   - folder: Where to look instead of in the system's font folders.
  /// - Throws: ``PlotError``, when there is no font.
  package init(family: String, in folder: String? = nil) throws(PlotError) {
    var configuration: OpaquePointer?
    if let folder {
      configuration = FcConfigCreate()
      FcConfigAppFontAddDir(configuration, folder)
    }
    defer { if let configuration { FcConfigDestroy(configuration) } }

    let wanted = FcPatternCreate()
    defer { FcPatternDestroy(wanted) }
    FcPatternAddString(wanted, FC_FAMILY, family)
    FcPatternAddString(wanted, FC_FAMILY, "sans-serif")
    FcPatternAddBool(wanted, FC_OUTLINE, FcBool(FcTrue))
    FcConfigSubstitute(configuration, wanted, FcMatchPattern)
    FcDefaultSubstitute(wanted)

    var result = FcResultNoMatch
    let found = FcFontMatch(configuration, wanted, &result)
    defer { if let found { FcPatternDestroy(found) } }
    var path: UnsafeMutablePointer<FcChar8>?
    var index: Int32 = 0
    guard FcPatternGetString(found, FC_FILE, 0, &path) == FcResultMatch, let path else {
      throw PlotError(
        "found no font to write titles with; install one: apt-get install fonts-dejavu-core "
          + "(macOS: brew install --cask font-dejavu)")
    }
    FcPatternGetInteger(found, FC_INDEX, 0, &index)
    self.path = String(cString: path)
    self.index = Int(index)
  }
}
