import Plot
import Testing

struct LayoutTests {
  @Test(arguments: [(1, 1), (3, 3), (5, 6), (10, 12), (2, 40), (30, 1)])
  func titlesOverlapNeitherEachOtherNorImages(rows: Int, columns: Int) throws {
    for name in ["j", "Correct: j, Pred: Q", "Donaudampfschifffahrtsgesellschaft", "a\nb\nc"] {
      var figure = Figure(size: (12, 14), rows: rows, columns: columns)
      figure.supertitle = "Supertitle: \(name)"
      for i in 0..<rows * columns { figure[i].title = "\(name)\(i)" }
      let layout = try Layout(figure)
      let page = Rectangle(x: 0, y: 0, width: 1200, height: 1400)
      let boxes = layout.titles.map(\.ink) + layout.areas
      #expect(boxes.count == 1 + 2 * rows * columns)
      for (i, box) in boxes.enumerated() {
        #expect(!box.isEmpty && box.intersection(page) == box)
        #expect(!boxes[..<i].contains { !$0.intersection(box).isEmpty }, "\(name), box \(i)")
      }
    }
  }

  @Test func titlesAreCenteredAboveImages() throws {
    var figure = Figure(rows: 2, columns: 2)
    for i in 0..<4 {
      figure[i].imshow(Image(width: 10, height: 2, values: [Float](repeating: 0, count: 20)))
      figure[i].title = "HH"
    }
    let layout = try Layout(figure)
    for (title, area) in zip(layout.titles, layout.areas) {
      // The image is 10 × 2 in a taller area; matplotlib's distance is 6 points, here 8 pixels.
      let top = area.y + (area.height - area.width / 10 * 2) / 2
      #expect(title.ink.maxY == top - 8)
      #expect(abs(2 * title.ink.x + title.ink.width - 2 * area.x - area.width) <= 3)
    }
  }

  @Test func allTitlesShrinkTogether() throws {
    func height(_ second: String) throws -> Int {
      var figure = Figure(rows: 1, columns: 2)
      figure[0].title = "H"
      figure[1].title = second
      return try Layout(figure).titles[0].ink.height
    }
    #expect(try height("H") == 12)
    #expect(try height("two lines are still fine, and nothing shrinks") == 12)
    #expect(try height("Donaudampfschifffahrtsgesellschaftskapitän") < 12)
  }

  @Test func titleHeightFollowsTheDPI() throws {
    var figure = Figure(dpi: 200)
    figure[0].title = "H"
    // A capital of DejaVu Sans is 0.729 of 12 points high: 24.3 pixels.
    #expect((24...25).contains(try Layout(figure).titles[0].ink.height))
  }

  @Test func withoutTitlesImagesUseTheirSpace() throws {
    let layout = try Layout(Figure(rows: 1, columns: 1))
    #expect(layout.areas == [Rectangle(x: 15, y: 15, width: 610, height: 450)])
    #expect(layout.titles.isEmpty)
  }

  @Test(arguments: [(0.0, 4.0), (4, .infinity), (.nan, 4), (-1, 4), (656, 4)])
  func impossibleSizesAreErrors(width: Double, height: Double) {
    #expect(
      throws: PlotError(
        "expected a figure of 1 to 65535 pixels in each direction at 1 to 2400 dpi, got "
          + "\(width) × \(height) inches at 100.0 dpi")
    ) {
      try Layout(Figure(size: (width, height)))
    }
  }

  @Test func tooSmallFiguresAreErrors() {
    #expect(
      throws: PlotError(
        "a figure of 100 × 100 pixels has no room for 9 × 9 axes; make it larger")
    ) {
      try Layout(Figure(size: (1, 1), rows: 9, columns: 9))
    }
    var figure = Figure(size: (1.5, 1.5), rows: 4, columns: 4)
    figure[0].title = "a"
    #expect(
      throws: PlotError(
        "titles do not fit: each has 18 × 9 pixels, a line is 8 pixels high; "
          + "make the figure larger")
    ) {
      try Layout(figure)
    }
  }
}
