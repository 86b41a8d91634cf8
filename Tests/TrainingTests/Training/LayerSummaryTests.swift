import Lab
import TestSupport
import Testing

struct LayerSummaryTests {
  @Test func hasARowForEachLayer() throws {
    let text = try layerSummary(seeded(1) { CNN(.emnist) }, inputShape: [128, 1, 28, 28])
    #expect(
      text == """
          | Name       | Type      | In sizes          | Out sizes         | Params | Multiply-adds
        -------------------------------------------------------------------------------------------
        0 | model      | CNN       | [128, 1, 28, 28]  | [128, 83]         | 1.7 M  | 31.0 M
        1 | conv1      | ConvBlock | [128, 1, 28, 28]  | [128, 64, 28, 28] | 640    | 451 K
        2 | conv1.conv | Conv2d    | [128, 1, 28, 28]  | [128, 64, 28, 28] | 640    | 451 K
        3 | conv2      | ConvBlock | [128, 64, 28, 28] | [128, 64, 28, 28] | 36.9 K | 28.9 M
        4 | conv2.conv | Conv2d    | [128, 64, 28, 28] | [128, 64, 28, 28] | 36.9 K | 28.9 M
        5 | maxPool    | MaxPool2d | [128, 64, 28, 28] | [128, 64, 14, 14] | 0      | 0
        6 | dropout    | Dropout   | [128, 64, 14, 14] | [128, 64, 14, 14] | 0      | 0
        7 | fc1        | Linear    | [128, 12544]      | [128, 128]        | 1.6 M  | 1.6 M
        8 | fc2        | Linear    | [128, 128]        | [128, 83]         | 10.7 K | 10.6 K
        -------------------------------------------------------------------------------------------
        1.7 M     Trainable params
        0         Non-trainable params
        1.7 M     Total params
        6.616     Total estimated model params size (MB)
        31.0 M    Total multiply-adds for one image
        """)
  }

  @Test func aLayerThatIsNotCalledHasNoSizes() throws {
    struct Partly: Layer {
      let used = Linear(4, 2)
      let unused = Linear(4, 3)
      func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor { try used(x) }
    }
    let text = try layerSummary(seeded(1) { Partly() }, inputShape: [5, 4])
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines[2] == "0 | model  | Partly | [5, 4]   | [5, 2]    | 25     | 8")
    #expect(lines[3] == "1 | used   | Linear | [5, 4]   | [5, 2]    | 10     | 8")
    #expect(lines[4] == "2 | unused | Linear | -        | -         | 15     | -")
  }

  @Test func theTrainerPrintsItWithoutChangingTheTraining() throws {
    let weights = try [false, true].map { showsLayers in
      try withTinyData { data in
        let trainer = quietTrainer(maxEpochs: 1)
        trainer.isQuiet = false
        trainer.showsProgress = false
        trainer.showsLayers = showsLayers
        return try seeded(3) {
          let model = ResNet(data.config)
          try trainer.fit(model, data, optimizer: SGD(model.parameters))
          return model.parameters.map(\.value.elements)
        }
      }
    }
    #expect(weights[0] == weights[1])
  }

  @Test func columnsAreAligned() throws {
    var options = ResNet.Options.defaults
    options.blocks = 4
    let text = try layerSummary(
      seeded(1) { ResNet(.emnist, options) }, inputShape: [16, 1, 28, 28])
    let rows = text.split(separator: "\n").filter { $0.contains(" | ") }
    let positions = rows.map { row in
      row.indices.filter { row[$0] == "|" }.map { row.distance(from: row.startIndex, to: $0) }
    }
    #expect(rows.count > 60 && Set(positions).count == 1)
    // The longest name and the last layer.
    #expect(rows.count { $0.contains("| blocks.11.conv2.norm ") } == 1)
    #expect(rows.last?.contains(" | fc ") == true)
  }
}
