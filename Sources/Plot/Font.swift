/// What the texts of a figure are written in.
public enum Font: String, CaseIterable, Sendable {
  /// DejaVu Sans, as in matplotlib, or the sans-serif font closest to it.
  case sansSerif
  /// DejaVu Sans Mono, or the font closest to it: for texts in which a capital I, a small l and a 1
  /// must look different.
  case monospaced

  /// The font's file; it is looked up once, which takes fontconfig some 30 ms.
  ///
  /// - Throws: ``PlotError``, when no font is installed.
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
