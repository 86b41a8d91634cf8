import Foundation
import Literate
import Testing

struct StyleTests {
  /// The colors of the style sheet by name, as red, green and blue from 0 to 255.
  private func colors() throws -> [String: (light: [Double], dark: [Double])] {
    let page = try withSampleFolder { folder in
      try GalleryWriter([]).write(to: folder)
      return try String(contentsOf: folder.appending(path: "index.html"), encoding: .utf8)
    }
    let pairs = page.matches(of: /--([a-z-]+): light-dark\(#(\w{6}), #(\w{6})\)/)
    return try Dictionary(
      uniqueKeysWithValues: pairs.map { match in
        (String(match.1), (light: try components(match.2), dark: try components(match.3)))
      })
  }

  private func components(_ hexadecimal: Substring) throws -> [Double] {
    let number = try #require(Int(hexadecimal, radix: 16))
    return [number >> 16, number >> 8 & 255, number & 255].map(Double.init)
  }

  /// Source: WCAG 2.2, relative luminance and contrast ratio.
  private func contrast(_ first: [Double], _ second: [Double]) -> Double {
    func luminance(_ color: [Double]) -> Double {
      let linear = color.map {
        $0 / 255 <= 0.04045 ? $0 / 255 / 12.92 : pow(($0 / 255 + 0.055) / 1.055, 2.4)
      }
      return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }
    let (a, b) = (luminance(first), luminance(second))
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)
  }

  @Test func contrastOfBlackOnWhite() {
    #expect(abs(contrast([0, 0, 0], [255, 255, 255]) - 21) < 1e-9)
  }

  @Test(
    arguments: [
      ("ink", ["paper", "panel", "failed-panel", "expected-panel", "warning-panel"]),
      ("warning", ["warning-panel"]),
      ("quiet", ["paper", "panel"]), ("link", ["paper", "failed-panel"]), ("passed", ["paper"]),
      ("failed", ["paper", "failed-panel"]), ("expected", ["expected-panel"]),
      ("keyword", ["panel", "paper"]), ("type", ["panel", "paper"]),
      ("attribute", ["panel", "paper"]), ("string", ["panel", "paper"]),
      ("number", ["panel", "paper"]), ("comment", ["panel", "paper"]),
    ])
  func textHasEnoughContrast(text: String, grounds: [String]) throws {
    let colors = try colors()
    let front = try #require(colors[text])
    for ground in grounds {
      let back = try #require(colors[ground])
      // WCAG level AA for small text.
      #expect(contrast(front.light, back.light) >= 4.5, "\(text) on \(ground), light")
      #expect(contrast(front.dark, back.dark) >= 4.5, "\(text) on \(ground), dark")
    }
  }
}
