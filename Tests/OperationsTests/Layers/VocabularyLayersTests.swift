import Lab
import TestSupport
import Testing

/// The layers beside those of the course's networks.
struct VocabularyLayersTests {
  /// ```python
  /// torch.manual_seed(3); conv = torch.nn.Conv2d(4, 6, (3, 5), groups=2)
  /// conv.weight.flatten()[:4], conv.weight.flatten()[-2:], conv.bias
  /// ```
  @Test func initialWeightsOfAGroupedConvolutionAreThoseOfPyTorch() throws {
    let conv = Conv2d(4, 6, kernelSize: (3, 5), groups: 2, generator: Generator(seed: 3))
    #expect(conv.weight.shape == [6, 2, 3, 5])
    let elements = conv.weight.value.elements
    try expectClose(
      Tensor(Array(elements.prefix(4))), [-0.1810174, -0.1440257, -0.07819927, -0.1727317],
      tolerance: 1e-7)
    try expectClose(Tensor(Array(elements.suffix(2))), [0.121749, -0.09169069], tolerance: 1e-7)
    try expectClose(
      conv.bias?.value,
      [0.1598589, 0.0234971, 0.1611867, 0.1659595, 0.02863351, 0.02952473], tolerance: 1e-7)
  }

  /// ```python
  /// torch.manual_seed(3); torch.nn.Embedding(5, 3).weight  # and Embedding(7, 3)
  /// ```
  @Test func initialWeightsOfAnEmbeddingAreThoseOfPyTorch() throws {
    try expectClose(
      Embedding(5, 3, generator: Generator(seed: 3)).weight.value,
      [
        0.8032761, 0.1748334, 0.0889781, -0.613718, 0.04618245, -1.368259, 0.3374951, 1.011116,
        -1.435179, 0.9774318, 0.52205, 1.237917, -0.8646356, 0.2989608, 0.4192187,
      ], tolerance: 1e-6)
    try expectClose(
      Embedding(7, 3, generator: Generator(seed: 3)).weight.value,
      [
        -0.07664429, 0.3598815, -0.7820168, 0.07152773, 0.6648394, 0.522187, -0.1668092, 0.0530334,
        0.4046071, 0.6112996, 0.7603904, -0.03364326, -0.3448453, 0.4591804, 2.436397, -0.1468082,
        0.485114, 0.2052344, 0.3384282, 1.352754, 0.3736354,
      ], tolerance: 1e-6)
  }

  @Test func layersComputeWhatTheirOperationsDo() throws {
    let x = pattern([2, 4, 6, 5])
    #expect(ReLU()(x) == relu(x) && Sigmoid()(x) == sigmoid(x) && Tanh()(x) == tanh(x))
    #expect(GELU()(x) == gelu(x) && SiLU()(x) == silu(x))
    #expect(try Flatten()(x).shape == [2, 120] && Flatten(from: 2)(x).shape == [2, 4, 30])
    #expect(try AvgPool2d(2)(x) == avgPool2d(x, size: 2))
    #expect(
      try AvgPool2d((3, 2), stride: (1, 2), padding: (1, 1))(x)
        == avgPool2d(x, size: (3, 2), stride: (1, 2), padding: (1, 1)))
    #expect(try AdaptiveAvgPool2d(1)(x) == adaptiveAvgPool2d(x, outputSize: 1))
    #expect(try AdaptiveAvgPool2d((2, 3))(x).shape == [2, 4, 2, 3])
    #expect(try LayerNorm(5)(x) == layerNorm(x, normalizedShape: [5]))
    let embedding = Embedding(3, 2)
    #expect(try embedding(IntTensor([1, 1]))[0] == embedding.weight.value[1])
  }

  @Test func parametersOfALayerNormAreOptional() {
    let paths = { (layer: LayerNorm) in layer.namedParameters.map(\.path) }
    #expect(paths(LayerNorm([2, 3])) == ["weight", "bias"])
    #expect(paths(LayerNorm(2, bias: false)) == ["weight"])
    #expect(paths(LayerNorm(2, elementwiseAffine: false)).isEmpty)
    #expect(LayerNorm(2).weight?.value == Tensor([1, 1]))
    #expect(LayerNorm(2).bias?.value == Tensor([0, 0]))
  }

  @Test func aSequentialNamesItsParametersByTheirIndex() throws {
    let model = Sequential(Flatten(), Linear(4, 3), ReLU(), Sequential([Linear(3, 1)]))
    #expect(model.count == 4 && model[1] is Linear)
    #expect(
      model.namedParameters.map(\.path) == ["1.weight", "1.bias", "3.0.weight", "3.0.bias"])
    let x = pattern([2, 2, 2])
    #expect(try model(x).shape == [2, 1])
    expectShapeError(
      "linear: expected x of shape [rows, 4] (the weight is [3, 4]), got [2, 5]; the layer's first "
        + "size is the number of input features"
    ) { () throws(ShapeError) in try model(pattern([2, 5])) }
  }

  private struct TokenClassifier {
    let embedding = Embedding(5, 4, generator: Generator(seed: 1))
    let head = Sequential(LayerNorm(4), Linear(4, 3, generator: Generator(seed: 2)))
  }

  @Test func anEmbeddingIsTrained() throws {
    let model = TokenClassifier()
    let before = model.embedding.weight.value
    let tape = Tape()
    let y = try model.head(model.embedding(IntTensor([1, 3, 1]), on: tape))
    try tape.backward(crossEntropy(y, IntTensor([0, 1, 2])))
    let gradient = try #require(model.embedding.weight.gradient)
    #expect(gradient[0] == Tensor([0, 0, 0, 0]) && gradient[1] != Tensor([0, 0, 0, 0]))
    #expect(model.embedding.weight.value == before)
  }

  /// A network of rectangular, strided, dilated and grouped convolutions learns its batch.
  @Test func aNetworkOfGeneralConvolutionsLearns() throws {
    let generator = Generator(seed: 4)
    let model = Sequential(
      Conv2d(1, 8, kernelSize: (3, 5), stride: (1, 2), padding: (1, 2), generator: generator),
      SiLU(),
      Conv2d(8, 8, kernelSize: 3, padding: 2, dilation: 2, groups: 4, generator: generator),
      GELU(), AdaptiveAvgPool2d((2, 2)), Flatten(), LayerNorm(32),
      Linear(32, 3, generator: generator))
    let (x, labels) = (pattern([6, 1, 8, 8]), IntTensor([0, 1, 2, 0, 1, 2]))
    let optimizer = Adam(model.parameters, learningRate: 0.02)
    var losses: [Float] = []
    for _ in 0..<30 {
      optimizer.clearGradients()
      let tape = Tape()
      let loss = try crossEntropy(model(tape.input(x)), labels)
      try tape.backward(loss)
      optimizer.step()
      losses.append(loss.item)
    }
    #expect(losses[29] < 0.3 * losses[0], "\(losses)")
  }
}
