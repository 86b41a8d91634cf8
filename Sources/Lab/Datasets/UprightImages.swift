/// How the pixels of many images lie in memory.
package enum PixelLayout {
  /// All pixels of the first image, then all of the second.
  case rowsOfPixels
  /// The first pixel of all images, then the second of all: MATLAB's order.
  case columnsOfPixels(images: Int)
}

/// Some of many images, each transposed: EMNIST's files hold them lying on their side, mirrored.
///
/// - Parameters:
///   - images: 784 bytes an image, each column by column.
///   - layout: How they lie in memory.
///   - selection: Which images, in which order.
package func upright(
  _ images: [UInt8], _ layout: PixelLayout, _ selection: [Int]
) -> [UInt8] {
  let side = CharacterFiles.side
  let pixels = side * side
  let (imageStride, pixelStride) =
    switch layout {
    case .rowsOfPixels: (pixels, 1)
    case .columnsOfPixels(let count): (1, count)
    }
  var result = [UInt8](repeating: 0, count: selection.count * pixels)
  // Neighbours in memory together, and few at a time: so each cache line is fetched once.
  let order = selection.indices.sorted { selection[$0] < selection[$1] }
  for start in stride(from: 0, to: order.count, by: 256) {
    let block = order[start..<min(order.count, start + 256)]
    for column in 0..<side {
      for row in 0..<side {
        let source = (column * side + row) * pixelStride
        let target = row * side + column
        for place in block {
          result[place * pixels + target] = images[source + selection[place] * imageStride]
        }
      }
    }
  }
  return result
}
