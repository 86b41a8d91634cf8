import ArgumentParser
import Lab
import Plot

/// `lab data`: commands about data sets.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Look at a data set.", subcommands: [ShowDataCommand.self])
}

/// `lab data show`: prints a data set's statistics and draws some images and the class counts.
struct ShowDataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Print a data set's statistics; draw some images and the number of each class.",
    discussion: """
      Figures are saved in output/data (or in LAB_OUTPUT_DIR/data).

        lab data show --data_class=EMNIST
        lab data show --data_class=EMNISTLines --max_length=16 --max_overlap=0
        lab data show --data_class=Folder --data_dir=shapes --image_size=28
      """)

  @OptionGroup(title: "Data") var data: DataClassOptions

  @Option(help: "The seed that chooses the images. (default: 42)", transform: number)
  var seed: UInt32 = 42

  func run() throws {
    let module = try data.load()
    print(module)
    if let lines = module as? EMNISTLines { print(try lines.languageModel()) }
    try save(samples(of: module), of: module, as: "samples")
    try save(classes(of: module), of: module, as: "classes")
  }

  private func save(_ figure: Figure, of module: any DataModule, as name: String) throws {
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
    for cell in 0..<rows * columns {
      let position = random.integer(below: module.train.count)
      figure[cell].imshow(Image(module.train.batch(at: [position]).x[0]))
      figure[cell].title = module.string(of: module.train.labels(at: position))
    }
    return figure
  }

  /// The number of each class in the training set, without the padding, which would dwarf all others.
  private func classes(of module: any DataModule) -> Figure {
    var counts = [Int](repeating: 0, count: module.mapping.count)
    for position in 0..<module.train.count {
      for label in module.train.labels(at: position) { counts[label] += 1 }
    }
    let padding = module.specialTokens.contains("<P>") ? module.mapping.firstIndex(of: "<P>") : nil
    let shown = counts.indices.filter { $0 != padding }
    var figure = Figure(size: (14, 5))
    figure[0].bar(shown.map { module.mapping[$0] }, shown.map { Double(counts[$0]) })
    figure[0].title = "\(module.displayName): labels of \(module.train.count) training images"
    if let padding, counts[padding] > 0 {
      figure[0].title += ", besides \(counts[padding]) of <P>"
    }
    return figure
  }
}
