import ArgumentParser
import Lab
import Plot

/// `lab data`: what there is to do with data sets.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Look at a data set.", subcommands: [ShowDataCommand.self])
}

/// `lab data show`: a data set's statistics, some of its images, and how often each class occurs.
struct ShowDataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Print a data set's statistics; draw a sample and how often each class occurs.",
    discussion: """
      Figures go to output/data (or below LAB_OUTPUT_DIR).

        lab data show --data_class=EMNIST
        lab data show --data_class=EMNISTLines --max_length=16 --max_overlap=0
      """)

  @OptionGroup(title: "Data") var data: DataClassOptions
  @OptionGroup(title: "Lines of EMNISTLines") var lines: LineOptions

  @Option(help: "The sample is drawn from this seed.")
  var seed: UInt32 = 42

  func run() throws {
    let module = try data.load(lines: lines.parameters)
    print(module)
    try show(samples(of: module), of: module, as: "samples")
    try show(classes(of: module), of: module, as: "classes")
  }

  private func show(_ figure: Figure, of module: any DataModule, as name: String) throws {
    let file = OutputFolder.url.appending(path: "data/\(module.displayName)-\(name).png")
    try figure.save(to: file.relativePath)
    print("Figure: \(file.relativePath)")
  }

  /// Some training images with their labels as titles.
  private func samples(of module: any DataModule) -> Figure {
    let (height, width) = (module.config.inputDims[1], module.config.inputDims[2])
    // Wide images one below the other, others eight in a row.
    let (rows, columns) = width > 2 * height ? (9, 1) : (6, 8)
    let scale = max(1, (columns == 1 ? 2_000 : 1_200) / (columns * width))
    var figure = Figure(
      rows: rows, columns: columns, images: (width, height), scale: scale,
      supertitle: "\(module.displayName): training images")
    var random = RandomState(seed: seed)
    for place in 0..<rows * columns {
      let position = random.integer(below: module.train.count)
      let image = module.train.batch(at: [position]).x.elements
      figure[place].imshow(Image(width: width, height: height, values: image))
      figure[place].title = module.string(of: module.train.labels(at: position))
    }
    return figure
  }

  /// How often each class occurs in the training set, but for the padding, which would dwarf all.
  private func classes(of module: any DataModule) -> Figure {
    var counts = [Int](repeating: 0, count: module.mapping.count)
    for position in 0..<module.train.count {
      for label in module.train.labels(at: position) { counts[label] += 1 }
    }
    let shown = counts.indices.filter { module.mapping[$0] != "<P>" }
    var figure = Figure(size: (14, 5))
    figure[0].bar(shown.map { module.mapping[$0] }, shown.map { Double(counts[$0]) })
    let padding = zip(module.mapping, counts).first { $0.0 == "<P>" && $0.1 > 0 }
    figure[0].title =
      "\(module.displayName): labels of \(module.train.count) training images"
      + (padding.map { ", besides \($0.1) of <P>" } ?? "")
    return figure
  }
}
