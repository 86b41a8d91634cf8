import Lab
import LabTensors
import Testing

/// Convolutions, linear layers and products of matrices: as on the processor.
@Suite(.needsOpenCL) struct ConvolutionTests {
  struct Case: CustomTestStringConvertible {
    var x = [2, 8, 9, 11]
    var weight = [12, 8, 3, 2]
    var stride = (1, 1)
    var padding = (0, 0)
    var dilation = (1, 1)
    var groups = 1

    var testDescription: String { "\(x) \(weight) \(stride) \(padding) \(dilation) \(groups)" }
  }

  /// Few, since each shape is a program of its own, and PoCL takes about a second for each.
  static let cases = [
    Case(x: [2, 3, 7, 6], weight: [5, 3, 3, 3], padding: (1, 1)),
    Case(stride: (2, 3), padding: (1, 2), dilation: (2, 1)),
    Case(weight: [12, 2, 3, 2], stride: (2, 1), padding: (1, 2), groups: 4),
    // Rows of a tile are in one line of an image or in two.
    Case(x: [2, 8, 5, 301], weight: [8, 8, 3, 3], stride: (2, 2), padding: (1, 1)),
  ]

  @Test(arguments: cases) func convolutionsAreThoseOfTheProcessor(_ test: Case) throws {
    let inputs = [
      numbers(test.x), numbers(test.weight, seed: 2), numbers([test.weight[0]], seed: 3),
    ]
    try expectSame(inputs) {
      try conv2d(
        $0[0], weight: $0[1], bias: $0[2], stride: test.stride, padding: test.padding,
        dilation: test.dilation, groups: test.groups)
    }
  }

  @Test func poolingAndFlatteningFollowAConvolution() throws {
    let shape = [3, 3, 7, 9]
    let pixels = (shape[2] / 2) * (shape[3] / 2)
    let inputs = [
      numbers(shape), numbers([16, shape[1], 3, 3], seed: 2), numbers([16], seed: 3),
      numbers([16, 16, 3, 3], seed: 4), numbers([16], seed: 5), numbers([7, 16 * pixels], seed: 6),
      numbers([7], seed: 8),
    ]
    try expectSame(inputs) {
      let front = try relu(conv2d($0[0], weight: $0[1], bias: $0[2], padding: 1))
      let images = try maxPool2d(
        relu(conv2d(front, weight: $0[3], bias: $0[4], padding: 1)), size: 2)
      return try linear(flatten(images), weight: $0[5], bias: $0[6])
    }
  }

  @Test func linearLayersAreThoseOfTheProcessor() throws {
    let (rows, inputs, outputs) = (5, 1031, 31)
    try expectSame([
      numbers([rows, inputs]), numbers([outputs, inputs], seed: 2), numbers([outputs], seed: 3),
    ]) { try linear($0[0], weight: $0[1], bias: $0[2]) }
  }

  @Test func productsOfMatricesAreThoseOfTheProcessor() throws {
    try expectSame([numbers([5, 83]), numbers([83, 31], seed: 2)]) { try matmul($0[0], $0[1]) }
    try expectSame([numbers([3, 5, 40]), numbers([3, 40, 31], seed: 2)]) {
      try matmul($0[0], $0[1])
    }
  }
}
