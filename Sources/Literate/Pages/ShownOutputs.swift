extension Page.Cell {
  /// The outputs as a page shows them: without a terminal's codes, and what went to one stream in
  /// one piece.
  var shownOutputs: [Page.Output] {
    var shown: [Page.Output] = []
    for output in outputs {
      guard case .text(let raw, let stream) = output else {
        shown.append(output)
        continue
      }
      let text = plainText(raw)
      if case .text(let before, stream)? = shown.last {
        shown[shown.count - 1] = .text(before + text, stream: stream)
      } else if !text.isEmpty {
        shown.append(.text(text, stream: stream))
      }
    }
    return shown
  }
}
