import Foundation
import Plot
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

struct SVGTests {
  /// The elements of a document, with their attributes and text.
  private final class Reader: NSObject, XMLParserDelegate {
    var elements: [(name: String, attributes: [String: String], text: String)] = []
    private var open: [Int] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      open.append(elements.count)
      elements.append((name, attributes, ""))
    }

    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?,
      qualifiedName: String?
    ) {
      open.removeLast()
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
      if let last = open.last { elements[last].text += text }
    }
  }

  private func elements(
    of figure: Figure, _ name: String
  ) throws -> [(attributes: [String: String], text: String)] {
    let reader = Reader()
    let parser = XMLParser(data: Data(try figure.svg().utf8))
    parser.delegate = reader
    #expect(parser.parse())
    return reader.elements.filter { $0.name == name }.map { ($0.attributes, $0.text) }
  }

  private var figure: Figure {
    var figure = Figure(size: (6, 3), rows: 1, columns: 2)
    figure.supertitle = "Ärger & <tags> \"quoted\""
    figure[0].plot([1, 3, 2], label: "val", linestyle: .dashed, marker: .circle, alpha: 0.5)
    figure[0].ylabel = "loss"
    figure[0].legend()
    figure[1].imshow([[0, 1], [2, 3]], cmap: .magma)
    return figure
  }

  @Test func textIsText() throws {
    let texts = try elements(of: figure, "text")
    let words = Set(texts.map(\.text))
    for word in ["Ärger & <tags> \"quoted\"", "val", "loss", "0", "1"] {
      #expect(words.contains(word))
    }
    let label = try #require(texts.first { $0.text == "loss" }?.attributes)
    #expect(label["transform"]?.hasSuffix(" rotate(-90)") == true)
    let root = try #require(try elements(of: figure, "svg").first?.attributes)
    #expect(root["font-family"]?.hasPrefix("'DejaVu Sans', ") == true)
    #expect(root["width"] == "600" && root["viewBox"] == "0 0 600 300")
  }

  /// Letters in another font keep the widths that the layout assumes.
  @Test func textHasItsWidth() throws {
    let typeface = try Typeface(Font.sansSerif.file)
    for text in try elements(of: figure, "text") {
      let size = try #require(Double(text.attributes["font-size"] ?? ""))
      let length = try #require(Double(text.attributes["textLength"] ?? ""))
      #expect(abs(length - typeface.width(of: text.text) * size) < 0.1)
    }
  }

  @Test func imagesAreEmbedded() throws {
    let image = try #require(try elements(of: figure, "image").first?.attributes)
    let link = try #require(image["xlink:href"])
    let start = "data:image/png;base64,"
    #expect(link.hasPrefix(start))
    let file = try #require(Data(base64Encoded: String(link.dropFirst(start.count))))
    let bitmap = try decodeImage(Array(file), named: "image", channels: 3)
    #expect(bitmap.width == 2 && bitmap.height == 2)
    #expect(bitmap.bytes.prefix(3) == [0, 0, 4] && bitmap.bytes.suffix(3) == [252, 253, 191])
  }

  @Test func linesAreClippedDashedAndTransparent() throws {
    let clips = try elements(of: figure, "clipPath").map { $0.attributes["id"] ?? "" }
    let groups = try elements(of: figure, "g").map { $0.attributes["clip-path"] ?? "" }
    #expect(Set(groups) == Set(clips.map { "url(#\($0))" }) && clips.count == 2)
    let line = try #require(
      try elements(of: figure, "path").first { $0.attributes["stroke-dasharray"] != nil })
    #expect(line.attributes["opacity"] == "0.5" && line.attributes["fill"] == "none")
    // One line, and three points with an opacity of their own; then the sample in the legend.
    #expect(try elements(of: figure, "circle").count == 4)
  }

  @Test func charactersThatXMLForbidsAreReplaced() throws {
    var figure = Figure()
    figure[0].title = "a\u{1}b\u{FFFE}c"
    #expect(try elements(of: figure, "text").map(\.text) == ["a\u{FFFD}b\u{FFFD}c"])
  }

  @Test func sameFigureSameFile() throws {
    try withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("a/figure.SVG").path
      try figure.save(to: path)
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(try text == figure.svg())
      #expect(text.hasPrefix("<svg ") && text.hasSuffix("</svg>\n"))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder.path + "/a") == ["figure.SVG"])
    }
  }

  @Test func errorsAreThoseOfThePNG() {
    var figure = Figure()
    figure[0].plot([1], [])
    let expected = PlotError("plot: expected as many x as y, got 1 and 0")
    #expect(throws: expected) { try figure.svg() }
    #expect(throws: expected) { try figure.save(to: "/nowhere/a.svg") }
  }
}

struct ResolutionTests {
  @Test func twiceTheResolutionIsTheSameFigure() throws {
    var figure = Figure(size: (4, 3))
    figure[0].plot([1, 3, 2], label: "val", marker: .triangleUp)
    figure[0].bar(["a", "b", "c"], [1, 2, 3])
    figure[0].fillBetween([0, 1, 2], [1, 2, 3])
    figure[0].imshow(Image(width: 2, height: 1, values: [0, 1]), x: 0...1, y: 2...3)
    figure[0].title = "A title"
    figure[0].ylabel = "loss"
    figure[0].legend()
    let once = try decodeImage(try figure.png(), named: "once", channels: 3)
    let twice = try decodeImage(try figure.png(dpi: 200), named: "twice", channels: 3)
    #expect(once.width == 400 && twice.width == 800 && twice.height == 600)
    #expect(try figure.png(dpi: 100) == figure.png())
    var small = Canvas(width: once.width, height: once.height)
    small.draw(twice, in: small.bounds)
    let differences = zip(small.bitmap.bytes, once.bytes).map { abs(Int($0) - Int($1)) }
    // Only edges of letters and lines differ.
    #expect(differences.reduce(0, +) < 2 * differences.count)
    #expect(differences.count { $0 > 64 } < differences.count / 100)
  }

  @Test(arguments: [0, -1, .nan, 1e300]) func impossibleResolutionsAreErrors(dpi: Double) {
    #expect(
      throws: PlotError(
        "expected a figure of 1 to 65535 pixels in each direction at 1 to 2400 dpi, got 6.4 × 4.8 "
          + "inches at \(dpi) dpi")
    ) {
      try Figure().png(dpi: dpi)
    }
  }

  @Test func resolutionsNeedNotBeWholeMultiples() throws {
    var figure = Figure(size: (3, 2))
    figure[0].plot([1, 2])
    let file = try decodeImage(try figure.png(dpi: 130), named: "a", channels: 3)
    #expect(file.width == 390 && file.height == 260)
  }
}
