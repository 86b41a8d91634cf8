import Foundation
import Lab
import TestSupport
import Testing

/// A model that the standard registry does not have, with an option that ``CNN`` has too.
private struct TinyModel: Model {
  struct Options: ModelOptions {
    var convDim = 8
    var rate = 0.5
    var activation = Activation.relu
    var bias = true

    init() {}

    static let fields: [OptionField<Self>] = [
      .size("conv_dim", \.convDim, 1...64, help: "Features of the hidden layer."),
      .double("rate", \.rate, 0...1, help: "The dropout rate."),
      .flags("activation", \.activation, help: "The activation."),
      .bool("with_bias", \.bias, help: "Whether the result has a bias: true, false."),
    ]
  }

  enum Activation: String, OptionChoice { case relu, identity }

  let hidden, output: Linear
  var dropout: Dropout
  let options: Options

  init(_ data: DataConfig, _ options: Options = .defaults) {
    self.options = options
    hidden = Linear(data.inputDims.reduce(1, *), options.convDim)
    output = Linear(options.convDim, data.mapping.count)
    dropout = Dropout(options.rate)
  }

  func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
    let y = try hidden(flatten(x))
    return try output(dropout(options.activation == .relu ? relu(y) : y))
  }
}

@Suite struct ModelOptionsTests {
  private let data = DataConfig(inputDims: [1, 4, 6], outputDims: [1], mapping: ["a", "b", "c"])
  private let registry = ModelRegistry([CNN.self, MLP.self, ResNet.self, TinyModel.self])

  @Test func theJSONHasTheCoursesNamesAndTypes() throws {
    var options = ResNet.Options.defaults
    (options.blocks, options.halving, options.skip) = (2, .pool, false)
    let text = try ModelConfiguration(ResNet.self, options).json()
    #expect(
      text
        == #"{"blocks":2,"channels":16,"halving":"pool","norm":"batch","skip":false,"stages":3,"#
        + #""stem_channels":0,"stem_pool":false}"#)
    #expect(try JSONDecoder().decode(ResNet.Options.self, from: Data(text.utf8)) == options)
    let encoded = try JSONDecoder().decode(
      [String: OptionValue].self, from: JSONEncoder().encode(options))
    #expect(encoded == options.values)
  }

  /// The form of `run.json` and of checkpoints before the values had types.
  @Test func earlierTextsAreRead() throws {
    let text =
      #"{"blocks":"2","channels":"4","halving":"pool","norm":"none","skip":"false"}"#
    let options = try JSONDecoder().decode(ResNet.Options.self, from: Data(text.utf8))
    var expected = ResNet.Options.defaults
    (expected.blocks, expected.channels, expected.halving) = (2, 4, .pool)
    (expected.norm, expected.skip) = (.none, false)
    #expect(options == expected)
    #expect(try CNN.Options(["conv_dim": "3"]).fcDim == 128)
  }

  @Test(
    arguments: [
      (["conv_dim": 0], "--conv_dim: expected 1 to 64, got 0"),
      (["conv_dim": 65], "--conv_dim: expected 1 to 64, got 65"),
      (["conv_dim": "many"], "--conv_dim: expected 1 to 64, got many"),
      (["conv_dim": 2.5], "--conv_dim: expected 1 to 64, got 2.5"),
      (["conv_dim": true], "--conv_dim: expected 1 to 64, got true"),
      (["rate": -0.1], "--rate: expected 0.0 to 1.0, got -0.1"),
      (["rate": "nan"], "--rate: expected 0.0 to 1.0, got nan"),
      (["with_bias": 1], "--with_bias: expected true or false, got 1"),
      (["with_bias": "yes"], "--with_bias: expected true or false, got yes"),
      (
        ["activation": "rely"],
        "--activation: expected relu, identity, got rely; did you mean relu?"
      ),
      (
        ["fc_dim": 4],
        "--fc_dim: expected one of conv_dim, rate, activation, with_bias, got fc_dim"
      ),
    ] as [([String: OptionValue], String)])
  func badValuesAreOneLine(values: [String: OptionValue], message: String) {
    #expect { try TinyModel.Options(values) } throws: { "\($0)" == message }
  }

  @Test func anIntegerIsARate() throws {
    #expect(try TinyModel.Options(["rate": 1]).rate == 1)
    #expect(try TinyModel.Options(["rate": "0.25"]).rate == 0.25)
  }

  @Test func anUnknownModelIsOneLine() {
    #expect {
      try ModelConfiguration("TinyModle", registry: registry)
    } throws: {
      "\($0)"
        == "--model_class: expected CNN, MLP, ResNet, TinyModel, got TinyModle; did you mean "
        + "TinyModel?"
    }
  }

  /// From the command line through JSON into a network, a checkpoint, and back.
  @Test func anotherModelNeedsOneLineInTheRegistry() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appending(path: "weights.safetensors")
    try ModelRegistry.$current.withValue(registry) {
      let configuration = try ModelArguments.parse(
        ["--conv_dim=5", "--rate=0.25", "--identity", "--with_bias=false"]
      ).configuration("TinyModel")
      let json =
        #"{"activation":"identity","conv_dim":5,"rate":0.25,"with_bias":false}"#
      #expect(try configuration.json() == json)
      let model = seeded(7) { configuration.model(for: data) }
      try Checkpoint.save(
        model, to: url,
        metadata: [
          "model_class": configuration.modelClass, "model_options": configuration.json(),
          "data_config": data.json(), "data_class": "Letters",
        ])
      let checkpoint = try CheckpointedModel(url)
      #expect(checkpoint.configuration == configuration)
      #expect(checkpoint.config == data)
      #expect(checkpoint.dataClass == "Letters" && !checkpoint.isSynthetic)
      let read = try #require(checkpoint.model as? TinyModel)
      #expect(read.options.values == configuration.options)
      let x = Tensor((0..<24).map(Float.init), shape: [1, 1, 4, 6])
      #expect(try read(x).elements == model(x).elements)
    }
    #expect {
      try CheckpointedModel(url)
    } throws: {
      "\($0)".hasSuffix(
        ": model_class in the header: expected \(standardNames), got TinyModel")
    }
  }

  @Test func anOptionOfTwoModelsIsOneOption() throws {
    try ModelRegistry.$current.withValue(registry) {
      let arguments = try ModelArguments.parse(["--conv_dim=32"])
      #expect(try arguments.configuration("CNN").options == ["conv_dim": 32, "fc_dim": 128])
      #expect(try arguments.configuration("TinyModel").options["conv_dim"] == 32)
      #expect {
        try arguments.configuration("MLP")
      } throws: {
        "\($0)" == "--conv_dim belongs to CNN, TinyModel, but --model_class is MLP."
      }
      // Each model has its own range.
      let large = try ModelArguments.parse(["--conv_dim=65"])
      #expect(throws: Never.self) { try large.configuration("CNN") }
      #expect {
        try large.configuration("TinyModel")
      } throws: {
        "\($0)" == "--conv_dim: expected 1 to 64, got 65"
      }
      let help = ModelArguments.helpMessage(columns: 1000)
      #expect(
        help.contains(
          "CNN: Channels of both convolutions. TinyModel: Features of the hidden layer. "
            + "(default: CNN 64, TinyModel 8)"))
      #expect(help.contains("MODEL TINYMODEL:"))
      #expect(help.contains("--relu/--identity"))
      #expect(help.split(separator: "--conv_dim").count == 2)
    }
  }

  @Test func namesThatCannotBeToldApartAreRefused() {
    struct Clash: Model {
      struct Options: ModelOptions {
        var pool = 2
        init() {}
        static let fields: [OptionField<Self>] = [.int("pool", \.pool, 1...9, help: "")]
      }
      init(_ data: DataConfig, _ options: Options) {}
      func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor { x }
    }
    ModelRegistry.$current.withValue(ModelRegistry([ResNet.self, Clash.self])) {
      #expect {
        try ModelArguments.parse([])
      } throws: {
        ModelArguments.message(for: $0)
          == "--pool: ResNet and Clash use it for different options; rename one of them"
      }
    }
  }

  @Test func aDifferenceIsAsTyped() throws {
    let strided = try ModelConfiguration("ResNet")
    let pooled = try ModelConfiguration("ResNet", ["halving": "pool"])
    let wide = try ModelConfiguration("ResNet", ["channels": 32])
    #expect(strided.difference(from: strided) == nil)
    let halving = try #require(strided.difference(from: pooled))
    #expect(halving.here == "--stride" && halving.there == "--pool")
    let channels = try #require(strided.difference(from: wide))
    #expect(channels.here == "--channels=16" && channels.there == "--channels=32")
  }
}

@Suite struct CheckpointedModelTests {
  private let folder: TemporaryFolder
  private let url: URL

  init() throws {
    folder = try TemporaryFolder()
    url = folder.url.appending(path: "weights.safetensors")
  }

  private func save(_ model: some Model, _ metadata: [String: String]) throws {
    try Checkpoint.save(model, to: url, metadata: metadata)
  }

  /// The header of the version before the options had types.
  @Test func earlierHeadersAreRead() throws {
    let options = try ResNet.Options(["channels": 2, "halving": "pool", "skip": false])
    try save(
      ResNet(MNIST.dataConfig, options),
      [
        "data_class": "MNIST", "data_config": MNIST.dataConfig.json(), "data_source": "SYNTHETIC",
        "epoch": "0", "model_class": "ResNet",
        "model_options":
          #"{"blocks":"1","channels":"2","halving":"pool","norm":"batch","skip":"false"}"#,
      ])
    let checkpoint = try CheckpointedModel(url)
    #expect(checkpoint.configuration == ModelConfiguration(ResNet.self, options))
    #expect(checkpoint.dataClass == "MNIST" && checkpoint.isSynthetic)
    let strided = try CheckpointedModel(url, halving: .stride)
    #expect(strided.configuration.options["halving"] == "stride")
  }

  /// A header with the model's name alone, or none, as PyTorch writes it.
  @Test(arguments: [["model_class": "CNN"], [:]])
  func shapesAreReadWhereThereIsNoConfiguration(metadata: [String: String]) throws {
    let options = try CNN.Options(["conv_dim": 3, "fc_dim": 5])
    try save(CNN(EMNIST.dataConfig, options), metadata)
    let checkpoint = try CheckpointedModel(url)
    #expect(checkpoint.configuration == ModelConfiguration(CNN.self, options))
    #expect(checkpoint.config == EMNIST.dataConfig && checkpoint.dataClass == "EMNIST")
  }

  @Test func labelsAndSizesAreThoseOfTheHeader() throws {
    let data = DataConfig(inputDims: [3, 8, 10], outputDims: [1], mapping: ["cat", "dog"])
    let options = try CNN.Options(["conv_dim": 3, "fc_dim": 5])
    try save(
      CNN(data, options),
      [
        "model_class": "CNN", "model_options": #"{"conv_dim":3,"fc_dim":5}"#,
        "data_config": data.json(), "data_class": "Folder",
      ])
    let checkpoint = try CheckpointedModel(url)
    #expect(checkpoint.config == data && checkpoint.dataClass == "Folder")
    #expect(try checkpoint.model(Tensor(repeating: 0, shape: [1, 3, 8, 10])).shape == [1, 2])
  }

  /// Tensors with an extent of 0 take no space, whatever their other extents are.
  @Test func aSmallFileCannotAskForALargeNetwork() throws {
    try save(
      MLP(MNIST.dataConfig, try MLP.Options(["fc1": 4, "fc2": 4])),
      [
        "model_class": "MLP", "model_options": #"{"fc1":65536,"fc2":65535}"#,
        "data_config": try MNIST.dataConfig.json(),
      ])
    var file = try Safetensors(contentsOf: url)
    file.tensors["large"] = Tensor([], shape: [65536, 65535, 0])
    try file.write(to: url)
    #expect { try CheckpointedModel(url) } throws: { error in
      "\(error)".hasSuffix(
        "expected the weights of MLP with the options in the header, got 3210 numbers, which are "
          + "fewer")
    }
  }

  @Test(
    arguments: [
      (
        ["model_options": "?"],
        "expected model_options in the header to be a JSON object of options"
      ),
      (
        ["model_options": #"{"fc1":[]}"#],
        "expected model_options in the header to be a JSON object"
      ),
      (["model_options": #"{"fc1":"x"}"#], "fc1 in the header: expected 1 to 65536, got x"),
      (
        ["model_options": #"{"\u001b[2J":4}"#],
        "\u{FFFD}[2J in the header: expected one of fc1, fc2, got \u{FFFD}[2J"
      ),
      (
        ["model_options": #"{"fc1":60000,"fc2":4}"#],
        "fc1 in the header: expected the extent of a tensor in the file, got 60000"
      ),
      (["model_class": "Tree"], "model_class in the header: expected \(standardNames), got Tree"),
      (
        ["data_config": "{}"],
        "data_config in the header: expected input_dims of channels, rows and"
      ),
      (
        ["data_config": #"{"input_dims":[1,28],"output_dims":[1],"mapping":["a"]}"#],
        "data_config in the header: expected input_dims"
      ),
      (
        ["data_config": #"{"input_dims":[1,28,28],"output_dims":[1],"mapping":["a","b"]}"#],
        "classes in the header: expected the extent of a tensor in the file, got 2"
      ),
    ] as [([String: String], String)])
  func damagedHeadersAreOneLine(change: [String: String], message: String) throws {
    let whole = [
      "model_class": "MLP", "model_options": #"{"fc1":4,"fc2":4}"#,
      "data_config": try MNIST.dataConfig.json(),
    ]
    try save(
      MLP(MNIST.dataConfig, try MLP.Options(["fc1": 4, "fc2": 4])), whole.merging(change) { $1 })
    #expect { try CheckpointedModel(url) } throws: { error in
      "\(error)".contains(message) && !"\(error)".contains("\n")
    }
  }
}

/// The names of the package's models, as messages list them.
private let standardNames = ModelRegistry.standard.names.joined(separator: ", ")
