/// How a notebook or a cell ended, in words and in a colour.
struct StateLabel {
  private let state: Page.State

  init(_ state: Page.State) {
    self.state = state
  }

  /// A cell that passed needs no label.
  var isWorthSaying: Bool { state != .passed }

  /// The class in the style sheet.
  var style: String {
    switch state {
    case .passed: "passed"
    case .notRun: "not-run"
    case .failedAsExpected: "expected"
    case .failed: "failed"
    }
  }

  var words: String {
    switch state {
    case .passed: "Passed"
    case .notRun: "Not run"
    case .failedAsExpected: "Failed as expected"
    case .failed: "Failed"
    }
  }

  var html: HTML { "<span class=\"label \(style)\">\(words)</span>" }
}
