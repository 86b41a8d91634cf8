/// The elements of images in the order N C H W, rearranged to N H W C.
func channelsLast<Element>(_ values: [Element], n: Int, c: Int, pixels: Int) -> [Element] {
  (0..<n * pixels * c).map { index in
    let (image, pixel, channel) = (index / (pixels * c), index / c % pixels, index % c)
    return values[(image * c + channel) * pixels + pixel]
  }
}

/// The elements of images in the order N H W C, rearranged to N C H W.
func channelsFirst<Element>(_ values: [Element], n: Int, c: Int, pixels: Int) -> [Element] {
  (0..<n * pixels * c).map { index in
    let (image, channel, pixel) = (index / (pixels * c), index / pixels % c, index % pixels)
    return values[(image * pixels + pixel) * c + channel]
  }
}
