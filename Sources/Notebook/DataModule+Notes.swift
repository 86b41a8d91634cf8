import Lab
import Literate
import Plot

/// Adds a figure of a data set to the page; figures of synthetic data have SYNTHETIC in the name of
/// their file and in their text.
///
/// ```swift
/// show(figure, of: data, as: "characters", alt: "Nine handwritten characters")
/// // Figure: output/01-look-at-emnist/characters-SYNTHETIC.png
/// ```
@MainActor
public func show(
  _ figure: Figure, of data: some DataModule, as name: String, alt text: String,
  showsTimes: Bool = false, line: Int = #line
) {
  show(
    figure, as: data.isSynthetic ? "\(name)-SYNTHETIC" : name,
    alt: data.isSynthetic ? "\(text) (SYNTHETIC data)" : text, showsTimes: showsTimes, line: line)
}

/// Adds data sets to the box on the page, with the checksums of their source files.
@MainActor
public func note(_ data: any DataModule...) {
  let names = data.map { $0.isSynthetic ? "SYNTHETIC \(type(of: $0).name)" : type(of: $0).name }
  note("Data", names.joined(separator: ", "))
  for (set, name) in zip(data, names) {
    for (file, sum) in set.sources.sorted(by: { $0.key < $1.key }) {
      note(data.count > 1 ? "\(name): \(file)" : file, sum.count == 64 ? "SHA-256 \(sum)" : sum)
    }
    for folder in set.fileFolders { noteData(in: folder) }
  }
}
