import Lab
import TestSupport
import Testing

/// What PyTorch computes with `torch.manual_seed(3)`, `l = nn.LSTM(3, 2, num_layers, bidirectional)`,
/// `x = pattern(4, 2, 3)` and the loss `(l(x)[0] * pattern(*y.shape, step=3)).sum()`.
struct LayerResult: Sendable, CustomTestStringConvertible {
  let numLayers: Int
  let bidirectional: Bool
  let y, dx: [Float]
  /// For each parameter p, `(p.grad * pattern(*p.shape, step=5)).sum()`.
  let dots: [Float]

  var testDescription: String { "\(numLayers) layers\(bidirectional ? ", both directions" : "")" }
}

struct LSTMLayerTests {
  static let results = [
    LayerResult(
      numLayers: 1, bidirectional: false,
      y: [
        0.1918135, -0.0133444, 0.01626008, -0.06048157, 0.235718, -0.1161309, 0.1603132, -0.1225228,
        0.01702436, 0.03742283, 0.003332299, 0.05930954, -0.01766713, 0.120106, 0.04420931,
        0.1483219,
      ],
      dx: [
        0.1240836, 0.09485321, 0.03601146, -0.03264626, -0.1533961, 0.1560277, 0.07295403,
        0.004463363, 0.1069709, -0.08955165, -0.2232288, 0.1499905, -0.02566309, -0.0472603,
        0.03599237, 0.03429328, -0.01316219, -0.03166953, 0.0395467, 0.02671327, 0.05310086,
        -0.03121169, -0.07493014, -0.04880641,
      ],
      dots: [-0.7064617, -0.02245981, -0.2315686, -0.2315686]),
    LayerResult(
      numLayers: 1, bidirectional: true,
      y: [
        0.1918135, -0.0133444, 0.08412068, -0.129831, 0.01626008, -0.06048157, 0.1934963, 0.1336744,
        0.235718, -0.1161309, 0.1703704, 0.09818367, 0.1603132, -0.1225228, 0.1243402, 0.07108729,
        0.01702436, 0.03742283, 0.1676503, 0.08404244, 0.003332299, 0.05930954, 0.1117367,
        0.05640718, -0.01766713, 0.120106, 0.0591744, 0.03060468, 0.04420931, 0.1483219, 0.01894379,
        0.01214078,
      ],
      dx: [
        0.0980029, 0.04945387, -0.07113205, 0.2986263, 0.05772378, 0.1790496, -0.07021922,
        0.05005379, 0.108832, 0.005857959, 0.01272933, 0.1627344, -0.1435215, 0.2316287, 0.04835964,
        -0.2195469, -0.02469212, -0.08690723, -0.2237456, 0.02277113, -0.1373824, -0.1983307,
        0.02598606, -0.1813053,
      ],
      dots: [
        -0.09322035, -0.008077114, -0.8051981, -0.8051981, -0.784436, -0.02879015, 0.562334,
        0.562334,
      ]),
    LayerResult(
      numLayers: 2, bidirectional: false,
      y: [
        -0.07667121, 0.2012399, -0.0612074, 0.1947727, -0.1022617, 0.2610303, -0.0926194, 0.2595519,
        -0.1170131, 0.2881394, -0.1155384, 0.2887649, -0.1310984, 0.2995296, -0.1380606, 0.3005689,
      ],
      dx: [
        -0.01403223, -0.0570675, 0.0674501, -9.311434e-05, 0.01136567, -0.01528401, -0.001910321,
        -0.01906752, 0.02059373, 0.006708646, 0.004622263, 0.003607961, -0.002728265, 0.004248066,
        -0.006478678, 0.01157793, -0.002512675, 0.01548614, -0.008226856, 0.001613289, -0.01019347,
        0.01714082, -0.005914191, 0.02155489,
      ],
      dots: [
        -0.1778289, 0.002612505, -0.03950523, -0.03950523, -0.1007863, 0.023364, 0.001064047,
        0.001064047,
      ]),
    LayerResult(
      numLayers: 2, bidirectional: true,
      y: [
        -0.1725185, -0.09332576, -0.1415255, -0.6059234, -0.1454473, -0.1191906, -0.0756867,
        -0.5668544, -0.225693, -0.1603337, -0.1026214, -0.5210395, -0.2293661, -0.1669983,
        -0.1074029, -0.5103035, -0.2487281, -0.2327755, -0.0737666, -0.3804301, -0.2601102,
        -0.2305545, -0.08861916, -0.3725779, -0.2789541, -0.2606141, -0.05870215, -0.2023578,
        -0.2897695, -0.2480106, -0.07200473, -0.2008949,
      ],
      dx: [
        -0.02155375, -0.02881556, -0.004061023, 0.04043169, -0.02976678, 0.01624189, -0.008487161,
        0.02646849, -0.02924818, -0.004890445, 0.01638705, -0.05850773, 0.009723062, 0.02654413,
        0.01975862, -0.03511604, 0.01140835, -0.02840896, -0.04678484, 0.02299333, -0.01637788,
        -0.06689617, 0.006199824, -0.03956785,
      ],
      dots: [
        -0.3535943, 0.0005418153, 0.2082855, 0.2082855, -0.246522, -0.0003975117, 0.02475919,
        0.02475919, -0.07000066, 0.3216552, -0.5872036, -0.5872036, -0.2390487, 0.5222262, 1.615641,
        1.615641,
      ]),
    LayerResult(
      numLayers: 3, bidirectional: false,
      y: [
        -0.07728503, 0.2219454, -0.07830007, 0.2205076, -0.09296653, 0.2731181, -0.09419583,
        0.2714729, -0.09673843, 0.2834121, -0.09731566, 0.2825084, -0.09693492, 0.2859872,
        -0.09643432, 0.2864929,
      ],
      dx: [
        0.002344643, 0.01346756, -0.01739799, -0.0002944802, -0.005395839, 0.006716371,
        -3.173927e-05, 0.002916044, -0.00361301, 7.815704e-05, -0.001081303, 0.001569005,
        0.0002371242, -0.0003913332, 0.000573405, 0.0009888108, -0.0002938887, 0.001336466,
        0.0002560761, -4.283135e-05, 0.0003181691, 0.0003002349, -9.12789e-05, 0.0003789239,
      ],
      dots: [
        0.05826016, -0.001217427, 0.006184335, 0.006184335, 0.01579578, -0.01950914, -0.004481329,
        -0.004481329, 0.260774, 0.2200362, -0.02130756, -0.02130756,
      ]),
    LayerResult(
      numLayers: 3, bidirectional: true,
      y: [
        -0.1801946, -0.1263859, 0.1509393, -0.1131219, -0.1741208, -0.1205511, 0.1459442,
        -0.1137854, -0.2794398, -0.1702349, 0.1248478, -0.1109106, -0.2786599, -0.165275, 0.1243574,
        -0.1117412, -0.3477745, -0.1699337, 0.09179302, -0.0992947, -0.3493217, -0.1659602,
        0.09136362, -0.1003557, -0.3979042, -0.1436051, 0.04842362, -0.06944066, -0.3985676,
        -0.141885, 0.04810185, -0.07012205,
      ],
      dx: [
        -0.001970964, -0.004439442, 0.007690949, -0.003523092, -0.00274353, 0.003317927,
        -0.003684704, -0.004791097, 0.002007817, -0.0007705498, -0.002551027, 0.006245641,
        -0.004901509, -0.003271281, -0.002862607, 0.001437066, -0.01292311, -0.0003438757,
        0.0009969469, -0.007020805, -0.001740471, 0.01290912, -0.01244073, 0.002115665,
      ],
      dots: [
        0.02427587, -0.0007830193, -0.04250558, -0.04250558, 0.1071928, 0.00138764, -0.0665449,
        -0.0665449, 0.1332086, -0.04191539, -0.01717585, -0.01717585, 0.04789588, -0.1004051,
        -0.4880306, -0.4880306, 0.6425158, 0.211059, -1.180902, -1.180902, -0.01254885, 0.01150723,
        0.2304304, 0.2304304,
      ]),
  ]

  /// The weights are PyTorch's for the same seed, so the results must be too.
  @Test(arguments: results)
  func agreesWithPyTorch(_ result: LayerResult) throws {
    let layer = LSTM(
      inputSize: 3, hiddenSize: 2, numLayers: result.numLayers,
      bidirectional: result.bidirectional, generator: Generator(seed: 3))
    #expect(layer.numLayers == result.numLayers && layer.bidirectional == result.bidirectional)
    let tape = Tape()
    let x = tape.variable(pattern([4, 2, 3]))
    let y = try layer(x)
    #expect(y.shape == [4, 2, result.bidirectional ? 4 : 2])
    try tape.backward(y, gradient: pattern(y.shape, step: 3))
    try expectClose(y, result.y)
    try expectClose(tape.gradient(of: x), result.dx)
    let dots = try layer.parameters.map { parameter in
      let gradient = try #require(parameter.gradient)
      return sum(try gradient * pattern(gradient.shape, step: 5)).item
    }
    try expectClose(Tensor(dots), result.dots)
  }

  /// ```python
  /// torch.manual_seed(42)
  /// l = nn.LSTM(5, 3, num_layers=2, bidirectional=True)
  /// [(name, p.shape, p.flatten()[[0, -1]]) for name, p in l.named_parameters()]
  /// ```
  @Test func namesAndInitialWeightsArePyTorchs() {
    let layer = LSTM(
      inputSize: 5, hiddenSize: 3, numLayers: 2, bidirectional: true,
      generator: Generator(seed: 42))
    let expected: [(String, [Int], Float, Float)] = [
      ("weight_ih_l0", [12, 5], 0.441406518, -0.410215199),
      ("weight_hh_l0", [12, 3], 0.0363521241, -0.30822894),
      ("bias_ih_l0", [12], 0.528657675, -0.317925215),
      ("bias_hh_l0", [12], -0.505303919, -0.345641464),
      ("weight_ih_l0_reverse", [12, 5], 0.00159998669, -0.543540835),
      ("weight_hh_l0_reverse", [12, 3], 0.134089991, 0.558499515),
      ("bias_ih_l0_reverse", [12], 0.0835180432, 0.210414261),
      ("bias_hh_l0_reverse", [12], -0.40257144, -0.540023744),
      ("weight_ih_l1", [12, 6], 0.236345232, 0.265998363),
      ("weight_hh_l1", [12, 3], -0.500331521, -0.278868675),
      ("bias_ih_l1", [12], -0.387706846, 0.550410986),
      ("bias_hh_l1", [12], -0.21594508, 0.333085686),
      ("weight_ih_l1_reverse", [12, 6], -0.33615309, 0.450679302),
      ("weight_hh_l1_reverse", [12, 3], 0.555110991, 0.121162295),
      ("bias_ih_l1_reverse", [12], 0.297217965, 0.198699534),
      ("bias_hh_l1_reverse", [12], 0.132954374, 0.430962175),
    ]
    let found = layer.namedParameters
    #expect(found.map(\.path) == expected.map(\.0))
    #expect(found.map(\.parameter.shape) == expected.map(\.1))
    #expect(found.map { $0.parameter.value.elements[0] } == expected.map(\.2))
    #expect(found.map { $0.parameter.value.elements.last } == expected.map(\.3))
    #expect(layer.namedGenerators.map(\.path) == ["generator"])
    #expect(LSTM(inputSize: 1, hiddenSize: 1).namedGenerators.isEmpty)
  }

  /// The layer that reads lines: the sums of its weights in double precision.
  @Test func initialWeightsOfTheLayerThatReadsLines() {
    let layer = LSTM(
      inputSize: 83, hiddenSize: 512, bidirectional: true, generator: Generator(seed: 42))
    let expected = [
      9.54813102, -54.5175528, -2.32489031, -0.720748684, 7.49802322, -36.4216068, 0.180019795,
      0.343332378,
    ]
    for (parameter, sum) in zip(layer.parameters, expected) {
      let found = parameter.value.elements.reduce(0.0) { $0 + Double($1) }
      #expect(abs(found - sum) < 1e-6)
    }
    #expect(layer.parameterCount == 2_445_312)
  }

  @Test func dropoutIsBetweenLayersInTraining() throws {
    let x = pattern([4, 2, 3])
    func layer(_ layers: Int, dropout: Double) -> LSTM {
      LSTM(
        inputSize: 3, hiddenSize: 2, numLayers: layers, dropout: dropout, bidirectional: true,
        generator: Generator(seed: 3))
    }
    func training(_ layer: LSTM) throws -> Tensor { try layer(Tape().input(x)).detached }
    // The last layer's outputs are kept.
    #expect(try training(layer(1, dropout: 0.9)) == layer(1, dropout: 0)(x))
    // Without a tape nothing is dropped.
    #expect(try layer(3, dropout: 0.9)(x) == layer(3, dropout: 0)(x))
    // The same seed drops the same.
    let dropped = try training(layer(3, dropout: 0.5))
    #expect(try training(layer(3, dropout: 0.5)) == dropped)
    #expect(try training(layer(3, dropout: 0)) != dropped)
    // If everything is dropped, the last layer sees zeros, whatever came before.
    let nothing = layer(2, dropout: 1)
    #expect(try training(nothing) == nothing(Tape().input(x * 2)).detached)
  }

  @Test func gradientsReachBothLayersThroughDropout() throws {
    let layer = LSTM(
      inputSize: 3, hiddenSize: 2, numLayers: 2, dropout: 0.5, generator: Generator(seed: 1))
    let tape = Tape()
    let x = tape.variable(pattern([4, 2, 3]))
    try tape.backward(sum(layer(x)))
    for parameter in layer.parameters {
      #expect(try #require(parameter.gradient).elements.contains { $0 != 0 })
    }
  }
}
