import Foundation
import Plot
import Testing

struct FigureTests {
  /// Black and light gray above white and dark gray.
  let image = Image(width: 2, height: 2, values: [0, 0.5, 1, 0.25])

  @Test func pixelsOfASmallFigure() throws {
    // 10 × 6 pixels with a margin of 1; the image is enlarged by 2.
    var figure = Figure(size: (2, 1.2), dpi: 5)
    figure[0].imshow(image)
    let o: UInt8 = 255
    #expect(
      try figure.draw().bitmap.grayIfPossible.bytes == [
        o, o, o, o, o, o, o, o, o, o,
        o, o, o, 0, 0, 128, 128, o, o, o,
        o, o, o, 0, 0, 128, 128, o, o, o,
        o, o, o, o, o, 64, 64, o, o, o,
        o, o, o, o, o, 64, 64, o, o, o,
        o, o, o, o, o, o, o, o, o, o,
      ])
  }

  @Test func axesAreInRowMajorOrder() throws {
    var figure = Figure(size: (1.2, 1.2), dpi: 5, rows: 2, columns: 2)
    let dot = Image(width: 1, height: 1, values: [0])
    figure[0, 1].imshow(dot)
    figure[2].imshow(dot)
    let o: UInt8 = 255
    #expect(
      try figure.draw().bitmap.grayIfPossible.bytes == [
        o, o, o, o, o, o,
        o, o, o, 0, o, o,
        o, o, o, o, o, o,
        o, 0, o, o, o, o,
        o, o, o, o, o, o,
        o, o, o, o, o, o,
      ])
  }

  @Test func isGrayscaleWithoutColors() throws {
    var figure = Figure(rows: 1, columns: 2)
    figure[0].imshow(image)
    figure[0].title = "Correct: A, Pred: A"
    figure.supertitle = "Predictions"
    #expect(try figure.draw().bitmap.grayIfPossible.channels == 1)
    figure[0].titleColor = .green
    #expect(try figure.draw().bitmap.grayIfPossible.channels == 3)
    figure[0].titleColor = .black
    figure[1].imshow(Image(width: 1, height: 1, channels: 3, values: [1, 0, 0]))
    #expect(try figure.draw().bitmap.grayIfPossible.channels == 3)
  }

  @Test func fileHasTheFiguresPixelsAndIsReproducible() throws {
    var figure = Figure(size: (3, 2), dpi: 50, rows: 1, columns: 2)
    for i in 0..<2 {
      figure[i].imshow(image)
      figure[i].title = "\(i)"
      figure[i].titleColor = .red
    }
    try withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("figure.png").path
      try figure.save(to: path)
      let file = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
      #expect(try file == figure.png())
      let pixels = try decodeImage(file, named: path, channels: 3)
      #expect(pixels.width == 150 && pixels.height == 100)
      #expect(try pixels == figure.draw().bitmap)
    }
  }

  @Test(arguments: labels) func titlesAreDrawnInTheirColor(label: String) throws {
    var figure = Figure(size: (1, 1))
    figure[0].title = label
    figure[0].titleColor = .red
    let bytes = try figure.draw().bitmap.bytes
    // White and red both have a red channel of 255.
    let ink = stride(from: 0, to: bytes.count, by: 3).filter { bytes[$0 + 1] < 128 }
    #expect(!ink.isEmpty)
    #expect(ink.allSatisfy { bytes[$0] == 255 && bytes[$0 + 2] < 128 })
  }
}

/// The error that drawing a figure gives, after `fill` has added something; nil if it is drawn.
func drawingError(_ figure: Figure, _ fill: (inout Figure) -> Void) -> String? {
  var figure = figure
  fill(&figure)
  do {
    _ = try figure.png()
    return nil
  } catch {
    return error.description
  }
}
