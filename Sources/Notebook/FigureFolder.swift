import Lab
import Plot

/// Where a notebook's figures go: `output/NAME`, or the same below `LAB_OUTPUT_DIR`.
///
/// ```swift
/// let figures = FigureFolder("01-look-at-emnist", of: data)
/// attempt { try figures.show(figure, as: "characters") }    // Figure: output/…/characters.png
/// ```
public struct FigureFolder: Sendable {
  private let notebook: String
  private let suffix: String

  /// - Parameters:
  ///   - notebook: The notebook's name.
  ///   - data: What its figures show; figures of synthetic data say so in their names.
  public init(_ notebook: String, of data: some DataModule) {
    self.notebook = notebook
    suffix = data.isSynthetic ? "-SYNTHETIC" : ""
  }

  /// Saves a figure, and prints where.
  ///
  /// - Throws: `PlotError`, when the figure cannot be drawn or written.
  public func show(_ figure: Figure, as name: String) throws {
    let file = OutputFolder.url.appending(path: "\(notebook)/\(name)\(suffix).png")
    try figure.save(to: file.relativePath)
    print("Figure: \(file.relativePath)")
  }
}
