import CFontconfig

/// An installed font's file.
package struct FontFile: Sendable, Equatable {
  package let path: String
  /// Which font of the file, for files that hold several.
  package let index: Int

  package init(path: String, index: Int) {
    self.path = path
    self.index = index
  }

  /// What to do when there is no usable font.
  static let advice =
    "install one: apt-get install fonts-dejavu-core (macOS: brew install --cask font-dejavu)"

  /// Looks for a font of a family, or for the one closest to it.
  ///
  /// - Parameters:
  ///   - family: The font's name.
  ///   - kind: What kind of font to take if there is none of that name.
  ///   - files: The font files to choose from instead of the installed ones.
  /// - Throws: ``PlotError``, when there is no font.
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
      throw PlotError("found no font to write titles with; \(Self.advice)")
    }
    FcPatternGetInteger(found, FC_INDEX, 0, &index)
    self.path = String(cString: path)
    self.index = Int(index)
  }
}
