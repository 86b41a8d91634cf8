import Foundation
import Plot

/// A small picture of a figure, which a gallery has inside.
struct Thumbnail {
  /// A PNG file.
  let png: Data
  let width: Int
  let height: Int

  /// The figure's file, made smaller where it is larger than 640 × 400 pixels.
  init(_ file: Data) throws(PlotError) {
    let figure = try decodePNG(Array(file), named: "a figure", channels: 3)
    let scale = min(640 / Double(figure.width), 400 / Double(figure.height))
    guard scale < 1 else {
      (png, width, height) = (file, figure.width, figure.height)
      return
    }
    width = max(1, Int((Double(figure.width) * scale).rounded()))
    height = max(1, Int((Double(figure.height) * scale).rounded()))
    png = Data(try encodePNG(shrunk(figure, width: width, height: height)))
  }
}

/// Every pixel is the mean of those that it takes the place of, in whole or in part.
private func shrunk(_ bitmap: Bitmap, width: Int, height: Int) -> Bitmap {
  let channels = bitmap.channels
  var bytes: [UInt8] = []
  bytes.reserveCapacity(width * height * channels)
  for y in 0..<height {
    let rows = covered(y, of: height, in: bitmap.height)
    for x in 0..<width {
      let columns = covered(x, of: width, in: bitmap.width)
      let count = rows.count * columns.count
      for channel in 0..<channels {
        var sum = count / 2
        for row in rows {
          for column in columns {
            sum += Int(bitmap.bytes[(row * bitmap.width + column) * channels + channel])
          }
        }
        bytes.append(UInt8(sum / count))
      }
    }
  }
  return Bitmap(width: width, height: height, channels: channels, bytes: bytes)
}

private func covered(_ place: Int, of count: Int, in larger: Int) -> Range<Int> {
  place * larger / count..<((place + 1) * larger + count - 1) / count
}
