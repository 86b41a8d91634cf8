/// The font of a figure's text. Both fonts are part of the library, so that figures look the same
/// everywhere.
///
/// They have Latin, Greek and Cyrillic letters, digits and signs. Other characters, such as Hangul, are
/// looked up in the fonts that are installed (`fonts-nanum` or `fonts-noto-cjk` on Debian), after the one
/// that the variable `LAB_FONT` names.
public enum Font: String, CaseIterable, Sendable {
  /// DejaVu Sans, as in matplotlib.
  case sansSerif
  /// DejaVu Sans Mono: for text in which I, l and 1 must differ.
  case monospaced

  /// The font's TrueType file, decoded once.
  package var file: FontFile {
    switch self {
    case .sansSerif: Self.sansSerifFile
    case .monospaced: Self.monospacedFile
    }
  }

  private static let sansSerifFile = FontFile(base64: dejaVuSans, name: "DejaVu Sans")
  private static let monospacedFile = FontFile(base64: dejaVuSansMono, name: "DejaVu Sans Mono")
}
