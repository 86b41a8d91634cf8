import Lab
import Literate
import Plot

/// Puts a figure of a data set into the page; one of synthetic data says so in its file's name and
/// in its text.
///
/// ```swift
/// show(figure, of: data, as: "characters", alt: "Nine handwritten characters")
/// // Figure: output/01-look-at-emnist/characters-SYNTHETIC.png
/// ```
@MainActor
public func show(
  _ figure: Figure, of data: some DataModule, as name: String, alt text: String,
  line: Int = #line
) {
  show(
    figure, as: data.isSynthetic ? "\(name)-SYNTHETIC" : name,
    alt: data.isSynthetic ? "\(text) (SYNTHETIC data)" : text, line: line)
}

/// Puts a data set into the box on the page, with the checksums of what it was made from.
@MainActor
public func note(_ data: some DataModule) {
  note("Data", data.isSynthetic ? "SYNTHETIC \(type(of: data).name)" : type(of: data).name)
  for (file, sum) in data.sources.sorted(by: { $0.key < $1.key }) {
    note(file, sum.count == 64 ? "SHA-256 \(sum)" : sum)
  }
  noteData(in: data.options.folder.url.appending(path: "processed"))
}
