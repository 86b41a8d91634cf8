import DrawnPages
import Foundation
import ImageFiles
import Lab
import TestSupport
import Testing

/// The lines of drawn pages are found and brought into the form of EMNIST Lines.
struct DrawnPageTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func score(_ page: DrawnPage) throws -> PageScore {
    let file = folder.url.appending(path: "page.png")
    try Data(page.picture.encoded()).write(to: file)
    return PageScore(page, try PagePicture(contentsOf: file))
  }

  private func check(_ page: DrawnPage, correlation least: Double) throws {
    let score = try score(page)
    let name = page.style.name
    #expect(score.lines == page.lines.count && score.matched == score.lines, "\(name)")
    #expect(score.found == score.lines, "\(name): \(score.found) lines found")
    #expect(score.matches == Array(0..<score.lines), "\(name): the order of lines")
    #expect(score.overlaps.allSatisfy { $0 > 0.8 }, "\(name): \(score.overlaps)")
    #expect(score.heights.allSatisfy { (0.8...1.25).contains($0) }, "\(name): \(score.heights)")
    #expect(score.drifts.allSatisfy { $0 < 4 }, "\(name): \(score.drifts)")
    let mean = score.correlations.reduce(0, +) / Double(score.lines)
    #expect(mean > least, "\(name): \(score.correlations)")
  }

  @Test(arguments: PageStyle.twenty.indices)
  func linesOfSyntheticHandwritingAreFound(number: Int) throws {
    let sentences = try SentenceGenerator(DataOptions(source: .synthetic))
    let page = try DrawnPage.page(
      number, text: { try sentences.generate(maxLength: $0 + 1, using: &$1) },
      letter: { $0 == " " ? nil : SyntheticHandwriting.image(of: $0, using: &$1) })
    try check(page, correlation: 0.85)
  }

  @Test(.enabled(if: realData != nil, "LAB_TEST_DATA names no folder"))
  func linesOfEMNISTAreFound() throws {
    let folder = try copyOfMetadata()
    let options = DataOptions(source: .download, folder: folder.folder, report: Lines().add)
    let (emnist, sentences) = (try EMNIST(options), try SentenceGenerator(options))
    let letters = LetterImages(emnist.test, mapping: emnist.mapping)
    for number in PageStyle.twenty.indices {
      let page = try DrawnPage.page(
        number, text: { try sentences.generate(maxLength: $0 + 1, using: &$1) },
        letter: letters.image)
      try check(page, correlation: 0.88)
    }
  }

  /// Letters of different heights, and some below the base line, as in no data set.
  @Test func linesOfNaturalHandwritingAreFound() throws {
    let lines = [
      "apples give good jam", "my dog jumps high", "every night they play", "quick foxes run",
    ]
    for (seed, gap) in [(1, 0.5), (2, 0.3)] as [(UInt32, Double)] {
      let style = PageStyle("natural") {
        ($0.isNatural, $0.gap, $0.slant) = (true, gap, 2)
      }
      let page = DrawnPage(style, lines: lines, seed: seed) {
        $0 == " " ? nil : SyntheticHandwriting.image(of: $0, using: &$1)
      }
      let score = try score(page)
      #expect(score.matched == lines.count && score.found == lines.count)
      #expect(score.matches == Array(0..<lines.count))
    }
  }

  @Test func pagesDependOnlyOnTheSeed() throws {
    func page(_ seed: UInt32) -> DrawnPage {
      DrawnPage(PageStyle("a") { $0.lineHeight = 30 }, lines: ["ab"], seed: seed) {
        SyntheticHandwriting.image(of: $0, using: &$1)
      }
    }
    #expect(page(1).picture == page(1).picture)
    #expect(page(1).picture != page(2).picture)
  }

  /// What the drawer says about a line's place is what the picture shows.
  @Test func outlinesSurroundTheInk() throws {
    let style = PageStyle("a") {
      ($0.rotation, $0.perspective, $0.bend) = (3, (0.05, -0.04), 1)
      ($0.fall, $0.vignetting, $0.noise, $0.quality) = ((0, 0), 0, 0, 0)
    }
    let page = DrawnPage(style, lines: ["HHHHHHHH"], seed: 1) {
      SyntheticHandwriting.image(of: $0, using: &$1)
    }
    let (line, picture) = (page.lines[0], page.picture)
    var (inside, outside) = (0, 0)
    for y in 0..<picture.height {
      for x in 0..<picture.width where picture.bytes[3 * (y * picture.width + x)] < 100 {
        let place = line.position(of: [Double(x) + 0.5, Double(y) + 0.5])
        let isInside =
          (1...27).contains(place.y) && (-1...Double(line.width) + 1).contains(place.x)
        if isInside { inside += 1 } else { outside += 1 }
      }
    }
    #expect(inside > 1000 && outside == 0)
    // Corner by corner, back from the photograph to the line.
    let first = line.position(of: line.outline[0])
    let last = line.position(of: line.outline[line.outline.count - 1])
    #expect(abs(first.y - 3) < 0.01 && abs(last.y - 25) < 0.01 && abs(first.x - last.x) < 0.01)
  }
}

struct PagePictureTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func write(_ image: FileImage, _ name: String = "page.png") throws -> URL {
    let file = folder.url.appending(path: name)
    try Data(image.encoded()).write(to: file)
    return file
  }

  private func read(_ image: FileImage) throws -> PagePicture {
    try PagePicture(contentsOf: write(image))
  }

  private func gray(_ width: Int, _ height: Int, _ value: (Int, Int) -> Int) -> FileImage {
    let bytes = (0..<width * height).map {
      UInt8(min(max(value($0 % width, $0 / width), 0), 255))
    }
    return FileImage(width: width, height: height, channels: 1, bytes: bytes)
  }

  private func page(
    _ lines: [String], _ change: (inout PageStyle) -> Void = { _ in }
  ) -> DrawnPage {
    DrawnPage(PageStyle("a", change), lines: lines, seed: 5) {
      $0 == " " ? nil : SyntheticHandwriting.image(of: $0, using: &$1)
    }
  }

  @Test func pagesWithoutWritingAreOneLine() throws {
    var random = RandomState(seed: 3)
    func noise(_ strength: Double) -> Int {
      Int((random.uniform(-1, 1) + random.uniform(-1, 1) + random.uniform(-1, 1)) * strength)
    }
    let onTable = { (x: Int, y: Int) in (100..<700).contains(x) && (100..<500).contains(y) }
    let pictures: [(String, FileImage)] = [
      ("white", gray(300, 200) { _, _ in 255 }),
      ("noise", gray(800, 600) { x, _ in 200 - x / 20 + noise(4) }),
      ("strong noise", gray(800, 600) { x, _ in 200 - x / 20 + noise(20) }),
      ("dark", gray(800, 600) { _, _ in 20 + noise(3) }),
      ("ruled", gray(900, 700) { _, y in (y % 60 < 2 ? 150 : 230) + noise(4) }),
      ("strongly ruled", gray(900, 700) { _, y in (y % 60 < 3 ? 30 : 230) + noise(4) }),
      (
        "squared", gray(900, 700) { x, y in (x % 30 < 2 || y % 30 < 2 ? 150 : 230) + noise(4) }
      ),
      ("shadow", gray(900, 700) { x, _ in (x < 500 ? 230 : 120) + noise(4) }),
      ("table", gray(900, 700) { x, y in (onTable(x, y) ? 220 : 40) + noise(4) }),
      ("slope", gray(600, 400) { x, _ in x * 255 / 600 }),
      ("points", gray(600, 400) { x, y in x % 100 < 3 && y % 100 < 3 ? 0 : 255 }),
      ("halftone", gray(300, 200) { x, y in (x + y) % 2 * 255 }),
    ]
    for (name, picture) in pictures {
      let file = try write(picture)
      let text =
        "\(file.path(percentEncoded: false)): expected a page of handwriting, got one without"
      #expect(throws: DataError(.damaged, text), "\(name)") {
        _ = try PagePicture(contentsOf: file)
      }
    }
  }

  @Test func smallPicturesAreOneLine() throws {
    for (width, height) in [(15, 400), (40, 15), (1, 1)] {
      let file = try write(gray(width, height) { x, _ in x % 2 * 255 })
      let text =
        "\(file.path(percentEncoded: false)): expected a page of at least 16 × 16 pixels, got "
        + "\(width) × \(height)"
      #expect(throws: DataError(.damaged, text)) { _ = try PagePicture(contentsOf: file) }
    }
    // The smallest ones that are read, whatever is on them.
    for (width, height) in [(16, 16), (17, 300), (300, 16)] {
      for value in [{ x, y in x % 2 * 255 }, { x, y in x * y % 256 }] as [(Int, Int) -> Int] {
        _ = try? read(gray(width, height, value))
      }
      #expect(throws: DataError.self) { _ = try read(gray(width, height) { x, _ in x % 256 }) }
    }
  }

  @Test func tooManyLinesAreOneLine() throws {
    let file = try write(gray(120, 2520) { x, y in x % 12 < 3 && y % 12 < 9 ? 0 : 255 })
    let text =
      "\(file.path(percentEncoded: false)): expected at most 200 lines of handwriting, got 210; "
      + "cut the picture into several"
    #expect(throws: DataError(.unusable, text)) { _ = try PagePicture(contentsOf: file) }
  }

  @Test func otherFilesAreOneLine() throws {
    let file = folder.url.appending(path: "a.png")
    try Data("words".utf8).write(to: file)
    let path = file.path(percentEncoded: false)
    for (url, text) in [
      (file, "cannot read \(path): expected a PNG or JPEG file, got something else"),
      (URL(filePath: path + "x"), "cannot read \(path)x: No such file or directory"),
    ] {
      #expect(throws: DataError(.damaged, text)) { _ = try PagePicture(contentsOf: url) }
    }
  }

  @Test func fewLettersAreALine() throws {
    for (text, letters) in [("e", 1), ("it", 2), ("word", 4), ("the quick brown fox", 17)] {
      for margin in [0.1, 1, 5] {
        let picture = try read(page([text]) { $0.margin = margin }.picture)
        #expect(picture.lines.count == 1, "\(text) with a margin of \(margin)")
        let width = picture.lines.first?.width ?? 0
        #expect((10 * letters..<32 * (text.count + 1)).contains(width), "\(text): \(width)")
      }
    }
  }

  @Test func sizesDoNotMatter() throws {
    for height in [14.0, 30, 120, 320] {
      let picture = try read(page(["the quick", "jumps"]) { $0.lineHeight = height }.picture)
      #expect(picture.lines.count == 2, "\(height) pixels")
    }
  }

  @Test func colorsAndTransparencyAreRead() throws {
    let drawn = page(["the quick brown fox", "jumps over the dog"]) { $0.noise = 0.004 }
    let (plain, pixels) = (drawn.picture, drawn.picture.width * drawn.picture.height)
    func image(_ channels: Int, _ color: (UInt8) -> [UInt8]) -> FileImage {
      FileImage(
        width: plain.width, height: plain.height, channels: channels,
        bytes: (0..<pixels).flatMap { color(plain.bytes[3 * $0]) })
    }
    let images = [
      // Ink on transparent paper, and light ink on dark paper.
      image(4) { [0, 0, 0, 255 - $0] },
      image(3) { [255 - $0, 255 - $0, 255 - $0] },
      // Equally light: green on pink.
      image(3) { value in
        let share = min(max((Double(value) / 255 - 0.2) / 0.5, 0), 1)
        return [UInt8(60 + share * 164), UInt8(172 - share * 52), UInt8(60 + share * 60)]
      },
    ]
    let first = try read(plain)
    #expect(first.lines.count == 2)
    for (number, image) in images.enumerated() {
      let other = try read(image)
      #expect(other.lines.count == 2, "image \(number)")
      for (a, b) in zip(first.lines, other.lines) {
        #expect(abs(a.width - b.width) < a.width / 10, "image \(number)")
      }
    }
  }

  @Test func theFormIsThatOfEMNISTLines() throws {
    let picture = try read(page(["the quick brown fox"]).picture)
    let line = try #require(picture.lines.first)
    #expect(line.pixels.count == 28 * line.width)
    #expect(line.pixels.allSatisfy { (0...1).contains($0) })
    // Most rows at the upper and the lower edge are empty, letters are white.
    let rows = (0..<28).map { row in
      line.pixels[row * line.width..<(row + 1) * line.width].reduce(0, +) / Float(line.width)
    }
    #expect(rows[0] < 0.02 && rows[27] < 0.02 && rows[6...21].allSatisfy { $0 > 0.02 })
    #expect(line.pixels.count { $0 > 0.9 } > line.width)
    // Four free columns, then ink.
    let columns = (0..<line.width).map { column in
      (0..<28).map { line.pixels[$0 * line.width + column] }.max() ?? 0
    }
    #expect(columns.prefix(3).allSatisfy { $0 < 0.2 } && columns[3...6].contains { $0 > 0.2 })
    // Positions in the picture are where the ink is.
    let inked = (0..<line.width * 28).filter { line.pixels[$0] > 0.95 }
    let levels = inked.map { index in
      let point = line.point(
        x: Double(index % line.width) + 0.5, y: Double(index / line.width) + 0.5)
      return picture.gray[Int(point.y) * picture.width + Int(point.x)]
    }
    #expect(levels.count { $0 < 0.5 } * 10 > 9 * levels.count)
  }

  @Test func longLinesAreDividedBetweenWords() throws {
    let text = "every other morning the quick brown fox jumps over the lazy dog"
    let picture = try read(page([text]) { $0.maxOverlap = 0.1 }.picture)
    let line = try #require(picture.lines.first)
    #expect(picture.lines.count == 1 && line.width > 1000)
    for most in [2000, 896, 448] {
      let parts = line.parts(most: most)
      #expect(parts.allSatisfy { !$0.columns.isEmpty && $0.columns.count <= most })
      #expect(parts.first?.columns.lowerBound == 0)
      #expect(parts.last?.columns.upperBound == line.width)
      #expect(parts.allSatisfy { $0.startsWord })
      // No ink is lost between parts, and there is little in their border columns.
      for (part, next) in zip(parts, parts.dropFirst()) {
        let between = part.columns.upperBound..<next.columns.lowerBound
        #expect(part.columns.upperBound <= next.columns.lowerBound)
        for column in between {
          #expect((0..<28).allSatisfy { line.pixels[$0 * line.width + column] <= 0.2 })
        }
      }
      let pixels = line.pixels(of: parts[0], width: 2000)
      #expect(pixels.count == 28 * 2000)
      let columns = parts[0].columns
      #expect(
        Array(pixels[2000 * 14..<2000 * 14 + columns.count])
          == Array(line.pixels[14 * line.width..<14 * line.width + columns.count]))
      #expect(pixels[2000 * 14 + columns.count..<2000 * 15].allSatisfy { $0 == 0 })
    }
    // Parts narrower than words, and than letters.
    for most in [60, 5, 1] {
      let parts = line.parts(most: most)
      #expect(parts.allSatisfy { !$0.columns.isEmpty && $0.columns.count <= most })
      #expect(parts.contains { !$0.startsWord })
      #expect(parts.last?.columns.upperBound == line.width)
    }
  }

  @Test func gapsBetweenWordsAreNotWide() throws {
    let narrow = try read(page(["ab cd"]).picture)
    let wide = try read(page(["ab   cd"]).picture)
    #expect(narrow.lines.count == 1 && wide.lines.count == 1)
    #expect(wide.lines[0].width < narrow.lines[0].width + 40)
    // The letters are where they were.
    let line = wide.lines[0]
    let end = line.point(x: Double(line.width) - 6, y: 14)
    #expect(end.x > 0.6 * Double(wide.width))
  }
}
