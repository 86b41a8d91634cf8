import Foundation
import Plot

/// Puts a figure into the page, and its file into the notebook's folder.
///
/// ```swift
/// show(figure, as: "characters", alt: "Nine handwritten characters with their labels")
/// // Figure: output/01-look-at-emnist/characters.png
/// ```
///
/// A figure that cannot be drawn or written ends the notebook with one line that says why.
///
/// - Parameters:
///   - figure: The figure.
///   - name: The file's name, without `.png`; a later figure of the same name takes its place.
///   - text: What a reader hears who cannot see the figure.
///   - tellsTimes: Whether the figure shows times, which differ from run to run: where the page is to
///     tell none, it has no such figure.
///   - line: The line of the call.
@MainActor
public func show(
  _ figure: Figure, as name: String, alt text: String, tellsTimes: Bool = false, line: Int = #line
) {
  let session = Session.current
  if tellsTimes, !session.tellsTimes { return }
  let file = session.folder.appending(path: "\(name).png")
  attempt(line: line) {
    try figure.save(to: file.relativePath)
    if session.isSupervised {
      session.report(
        .figure(
          .init(
            file: file.lastPathComponent, alternativeText: text, width: figure.pixels.width,
            height: figure.pixels.height)))
    } else {
      print("Figure: \(file.relativePath)")
    }
  }
}
