/// An image as it is shown: in bytes, with square pixels.
package struct ShownImage: Sendable {
  package let bitmap: Bitmap

  /// Turns values into brightness as matplotlib's `imshow(cmap="gray")` does.
  ///
  /// A gray value v becomes ⌊256 · (v − low) / (high − low)⌋, cut to 0…255, where the range goes from
  /// the image's smallest to its largest value if none is given; an image of one value is black, and
  /// values that are no numbers are white. RGB values are taken as they are, from 0 to 1.
  package init(_ image: Image, range: ClosedRange<Float>? = nil) {
    let bytes: [UInt8]
    if image.channels == 3 {
      bytes = image.values.map { byte($0 * 255) }
    } else {
      let finite = image.values.filter(\.isFinite)
      let low = range?.lowerBound ?? finite.min() ?? 0
      let high = range?.upperBound ?? finite.max() ?? 0
      bytes = image.values.map { value in
        guard value.isFinite else { return 255 }
        return low < high ? byte((value - low) / (high - low) * 256) : 0
      }
    }
    bitmap = Bitmap(
      width: image.width, height: image.height, channels: image.channels, bytes: bytes)
  }

  /// In the middle of the area and as large as fits; enlarged by a whole number, so that all pixels
  /// of the image are equally large.
  package func frame(in area: Rectangle) -> Rectangle {
    var scale = min(
      Double(area.width) / Double(bitmap.width), Double(area.height) / Double(bitmap.height))
    if scale > 1 { scale.round(.down) }
    let width = max(1, Int((Double(bitmap.width) * scale).rounded()))
    let height = max(1, Int((Double(bitmap.height) * scale).rounded()))
    return Rectangle(
      x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2,
      width: width, height: height)
  }
}

/// The value without its fraction, cut to 0…255; 0 for what is no number.
func byte(_ value: Float) -> UInt8 {
  value > 0 ? UInt8(min(value, 255)) : 0
}
