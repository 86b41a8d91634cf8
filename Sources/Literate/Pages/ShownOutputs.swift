extension Page.Cell {
  /// The outputs as a page shows them: without a terminal's codes, what went to one stream in one
  /// piece, and without the line of the failure, which a page tells by itself.
  var shownOutputs: [Page.Output] {
    var shown: [Page.Output] = []
    let failure: String? =
      switch state {
      case .failed(let message, _), .failedAsExpected(let message): "Error: \(plainText(message))\n"
      case .notRun, .passed: nil
      }
    for output in outputs {
      guard case .text(let raw, let stream) = output else {
        shown.append(output)
        continue
      }
      var text = plainText(raw)
      if stream == .standardError, let failure { text = text.replacing(failure, with: "") }
      if case .text(let before, stream)? = shown.last {
        shown[shown.count - 1] = .text(before + text, stream: stream)
      } else if !text.isEmpty {
        shown.append(.text(text, stream: stream))
      }
    }
    return shown
  }
}
