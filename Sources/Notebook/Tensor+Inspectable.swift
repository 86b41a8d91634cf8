import Lab
import Literate
import Plot

extension Tensor: Inspectable {
  /// Shape, statistics, and an image of a tensor of shape height × width, channels × height × width, or
  /// images × channels × height × width, with one channel or three; of many images the first ones.
  public var inspected: InspectedValue {
    let elements = elements
    return InspectedValue(
      type: "Tensor", shape: shape, numbers: elements.lazy.map(Double.init),
      figure: images(elements).flatMap(figure))
  }

  /// The number of images that are shown.
  private static var mostImages: Int { 8 }
  /// The largest height and width of images that are shown.
  private static var largestSide: Int { 1024 }

  /// The first images; empty if the tensor is not like images.
  private func images(_ elements: [Float]) -> [Image]? {
    let (height, width) = (shape.dropLast().last ?? 0, shape.last ?? 0)
    let channels = shape.count > 2 ? shape[shape.count - 3] : 1
    let sides = 2...Self.largestSide
    guard (2...4).contains(shape.count), [1, 3].contains(channels), sides.contains(height),
      sides.contains(width)
    else { return nil }
    let pixels = height * width
    let count = Swift.min(shape.count == 4 ? shape[0] : 1, Self.mostImages)
    return (0..<count).map { index in
      let first = index * channels * pixels
      // In a tensor the channels of a pixel are not adjacent.
      let values = (0..<pixels).flatMap { pixel in
        (0..<channels).map { elements[first + $0 * pixels + pixel] }
      }
      return Image(width: width, height: height, channels: channels, values: values)
    }
  }

  /// The images in a row, with the same range of values.
  private func figure(_ images: [Image]) -> Figure? {
    let values = images.flatMap(\.values).filter(\.isFinite)
    guard let first = images.first, let low = values.min(), let high = values.max() else {
      return nil
    }
    let isInRange = low >= 0 && high <= 1
    guard
      let row = try? makeGrid(
        images, nrow: Self.mostImages, padding: 2, normalize: !isInRange, padValue: 1)
    else { return nil }
    let scale = Swift.max(1, Swift.min(8, 84 / first.height, 860 / row.width))
    var figure = Figure(
      size: (Double(row.width * scale + 30) / 100, Double(row.height * scale + 30) / 100))
    figure[0].imshow(row, range: 0...1)
    return figure
  }
}

extension IntTensor: Inspectable {
  /// Shape and statistics.
  public var inspected: InspectedValue {
    InspectedValue(
      type: "IntTensor", shape: shape, numbers: elements.lazy.map(Double.init), areWhole: true)
  }
}
