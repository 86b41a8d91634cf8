/// What a program printed, without what only a terminal understands: colours, movements of the
/// cursor, links, bells.
package func plainText(_ text: String) -> String {
  // A sequence begins with ESC [ and ends with a letter, or begins with ESC ] and ends with BEL or
  // ESC \; all others are ESC and one or two characters. (ECMA-48, 5.4 and 5.6)
  text
    .replacing(/\u{1B}\[[\u{30}-\u{3F}]*[\u{20}-\u{2F}]*[\u{40}-\u{7E}]/, with: "")
    .replacing(/\u{1B}\][^\u{07}\u{1B}]*(?:\u{07}|\u{1B}\\)/, with: "")
    .replacing(/\u{1B}[\u{20}-\u{2F}]*[\u{30}-\u{7E}]/, with: "")
    .replacing("\r\n", with: "\n")
    .filter { $0 == "\n" || $0 == "\t" || !$0.unicodeScalars.allSatisfy(\.isControl) }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool { properties.generalCategory == .control }
}
