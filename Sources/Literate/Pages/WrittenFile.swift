import Foundation
import Plot

/// Writes text in UTF-8, the file as a whole or not at all.
func writeFile(_ text: String, to file: URL) throws(PlotError) {
  try writeFile(Array(text.utf8), to: file.path(percentEncoded: false))
}
