import Foundation
import Plot
import Testing

struct ImageGridTests {
  // torchvision.utils on
  //   a = torch.arange(12.).reshape(3, 1, 2, 2) / 8 - 0.25
  // gives the numbers of these tests, in each of the three channels to which it copies `a`.
  let images = (0..<3).map { i in
    Image(width: 2, height: 2, values: (0..<4).map { Float(4 * i + $0) / 8 - 0.25 })
  }
  let p: Float = 0.5

  @Test func imagesAreInRowMajorOrderWithPadding() throws {
    // make_grid(a, nrow=2, padding=1, pad_value=0.5)
    let grid = try makeGrid(images, nrow: 2, padding: 1, padValue: 0.5)
    #expect(
      grid
        == Image(
          width: 7, height: 7,
          values: [
            p, p, p, p, p, p, p,
            p, -0.25, -0.125, p, 0.25, 0.375, p,
            p, 0.0, 0.125, p, 0.5, 0.625, p,
            p, p, p, p, p, p, p,
            p, 0.75, 0.875, p, p, p, p,
            p, 1.0, 1.125, p, p, p, p,
            p, p, p, p, p, p, p,
          ]))
  }

  @Test func normalizeRescalesAllImagesTogether() throws {
    // make_grid(a, nrow=8, padding=0, normalize=True)
    let grid = try makeGrid(images, padding: 0, normalize: true)
    expect(
      grid,
      [
        0, 0.090909, 0.363636, 0.454545, 0.727273, 0.818182,
        0.181818, 0.272727, 0.545455, 0.636364, 0.909091, 1,
      ])
  }

  @Test func scaleEachRescalesEachImage() throws {
    // make_grid(a, nrow=3, padding=0, normalize=True, scale_each=True)
    let grid = try makeGrid(images, nrow: 3, padding: 0, normalize: true, scaleEach: true)
    expect(
      grid,
      [0, 0.333333, 0, 0.333333, 0, 0.333333, 0.666667, 1, 0.666667, 1, 0.666667, 1])
  }

  @Test func valueRangeClampsValues() throws {
    // make_grid(a, padding=0, normalize=True, value_range=(0, 0.5))
    let grid = try makeGrid(images, padding: 0, normalize: true, valueRange: 0...0.5)
    expect(grid, [0, 0, 0.5, 0.75, 1, 1, 0, 0.25, 1, 1, 1, 1])
  }

  @Test func oneImageHasNoPadding() throws {
    // make_grid(a[:1], padding=3, normalize=True)
    let grid = try makeGrid([images[0]], padding: 3, normalize: true)
    expect(grid, [0, 0.333333, 0.666667, 1])
    #expect(grid.width == 2)
  }

  @Test func constantImagesBecomeZero() throws {
    // make_grid(torch.full((2, 1, 1, 2), 3.), padding=0, normalize=True)
    let image = Image(width: 2, height: 1, values: [3, 3])
    #expect(try makeGrid([image, image], padding: 0, normalize: true).values == [0, 0, 0, 0])
  }

  @Test func savesGrayscaleLikeTorchvision() throws {
    // save_image(a, path, nrow=2, padding=1, pad_value=0.5)
    let saved = try saved(channels: 1) {
      try saveImage(images, to: $0, nrow: 2, padding: 1, padValue: 0.5)
    }
    #expect(
      saved.bytes == [
        128, 128, 128, 128, 128, 128, 128,
        128, 0, 0, 128, 64, 96, 128,
        128, 0, 32, 128, 128, 159, 128,
        128, 128, 128, 128, 128, 128, 128,
        128, 191, 223, 128, 128, 128, 128,
        128, 255, 255, 128, 128, 128, 128,
        128, 128, 128, 128, 128, 128, 128,
      ])
  }

  @Test func savesColorsLikeTorchvision() throws {
    // rgb = torch.arange(12.).reshape(2, 3, 1, 2) / 11
    // save_image(rgb, path, nrow=1, padding=1, pad_value=1.)
    let rgb = (0..<2).map { n in
      let order = [0, 2, 4, 1, 3, 5]  // planes to pixels
      return Image(
        width: 2, height: 1, channels: 3, values: order.map { Float(6 * n + $0) / 11 })
    }
    let saved = try saved(channels: 3) {
      try saveImage(rgb, to: $0, nrow: 1, padding: 1, padValue: 1)
    }
    let white = [UInt8](repeating: 255, count: 3)
    let row = white + white + white + white
    #expect(
      saved.bytes == row + white + [0, 46, 93, 23, 70, 116] + white
        + row + white + [139, 185, 232, 162, 209, 255] + white + row)
  }

  @Test func unequalImagesAreRefused() {
    #expect(throws: PlotError("makeGrid expected images, got none")) { try makeGrid([]) }
    let wide = Image(width: 3, height: 2, values: [Float](repeating: 0, count: 6))
    #expect(
      throws: PlotError(
        "makeGrid expected images of equal size, got 2 × 2 × 1 and, at index 3, 3 × 2 × 1")
    ) {
      try makeGrid(images + [wide])
    }
  }

  private func expect(_ grid: Image, _ values: [Float]) {
    #expect(grid.values.count == values.count)
    #expect(zip(grid.values, values).allSatisfy { abs($0 - $1) < 1e-6 }, "\(grid.values)")
  }

  private func saved(channels: Int, by save: (String) throws -> Void) throws -> Bitmap {
    var bitmap: Bitmap?
    try withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("grid.png").path
      try save(path)
      let file = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
      bitmap = try decodeImage(file, named: path, channels: channels)
    }
    return try #require(bitmap)
  }
}
