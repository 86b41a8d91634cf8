import Lab
import Testing

/// The expected texts are what `print` of PyTorch gives for the tensors named beside them.
struct PrintingTests {
  /// `torch.arange(4, 132)`
  @Test func integersAreWrapped() {
    #expect(
      "\(IntTensor(Array(4..<132)))" == """
        tensor([  4,   5,   6,   7,   8,   9,  10,  11,  12,  13,  14,  15,  16,  17,
                 18,  19,  20,  21,  22,  23,  24,  25,  26,  27,  28,  29,  30,  31,
                 32,  33,  34,  35,  36,  37,  38,  39,  40,  41,  42,  43,  44,  45,
                 46,  47,  48,  49,  50,  51,  52,  53,  54,  55,  56,  57,  58,  59,
                 60,  61,  62,  63,  64,  65,  66,  67,  68,  69,  70,  71,  72,  73,
                 74,  75,  76,  77,  78,  79,  80,  81,  82,  83,  84,  85,  86,  87,
                 88,  89,  90,  91,  92,  93,  94,  95,  96,  97,  98,  99, 100, 101,
                102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115,
                116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129,
                130, 131])
        """)
    #expect("\(IntTensor(Array(-3..<4)))" == "tensor([-3, -2, -1,  0,  1,  2,  3])")
  }

  /// `torch.arange(60.) / 8`, `torch.tensor(3.5)`, `torch.tensor([1.5, -2, float("nan")])`
  @Test func fractionsHaveFourDigits() {
    #expect(
      "\(Tensor((0..<20).map { Float($0) / 8 }))" == """
        tensor([0.0000, 0.1250, 0.2500, 0.3750, 0.5000, 0.6250, 0.7500, 0.8750, 1.0000,
                1.1250, 1.2500, 1.3750, 1.5000, 1.6250, 1.7500, 1.8750, 2.0000, 2.1250,
                2.2500, 2.3750])
        """)
    #expect("\(Tensor([3.5], shape: []))" == "tensor(3.5000)")
    #expect("\(Tensor([1.5, -2, .nan]))" == "tensor([ 1.5000, -2.0000,     nan])")
  }

  /// `torch.arange(24.).reshape(2, 3, 4)`, `torch.zeros(2, 3)`
  @Test func wholeNumbersHaveAPoint() {
    #expect(
      "\(Tensor((0..<24).map { Float($0) }, shape: [2, 3, 4]))" == """
        tensor([[[ 0.,  1.,  2.,  3.],
                 [ 4.,  5.,  6.,  7.],
                 [ 8.,  9., 10., 11.]],

                [[12., 13., 14., 15.],
                 [16., 17., 18., 19.],
                 [20., 21., 22., 23.]]])
        """)
    #expect(
      "\(Tensor(repeating: 0, shape: [2, 3]))" == """
        tensor([[0., 0., 0.],
                [0., 0., 0.]])
        """)
  }

  /// `torch.tensor([1e-5, 1.])`, `torch.tensor([1., 2000., float("inf")])`,
  /// `torch.tensor([0.1, -12345.678])`
  @Test func wideRangesAreScientific() {
    #expect("\(Tensor([1e-5, 1]))" == "tensor([1.0000e-05, 1.0000e+00])")
    #expect("\(Tensor([1, 2000, .infinity]))" == "tensor([1.0000e+00, 2.0000e+03,        inf])")
    #expect("\(Tensor([0.1, -12345.678]))" == "tensor([ 1.0000e-01, -1.2346e+04])")
  }

  /// `torch.arange(1200)`, `torch.arange(2000).reshape(50, 40) / 7`
  @Test func ofLongTensorsOnlyTheEdges() {
    #expect(
      "\(IntTensor(Array(0..<1200)))" == "tensor([   0,    1,    2,  ..., 1197, 1198, 1199])")
    #expect(
      "\(Tensor((0..<2000).map { Float($0) / 7 }, shape: [50, 40]))" == """
        tensor([[0.0000e+00, 1.4286e-01, 2.8571e-01,  ..., 5.2857e+00, 5.4286e+00,
                 5.5714e+00],
                [5.7143e+00, 5.8571e+00, 6.0000e+00,  ..., 1.1000e+01, 1.1143e+01,
                 1.1286e+01],
                [1.1429e+01, 1.1571e+01, 1.1714e+01,  ..., 1.6714e+01, 1.6857e+01,
                 1.7000e+01],
                ...,
                [2.6857e+02, 2.6871e+02, 2.6886e+02,  ..., 2.7386e+02, 2.7400e+02,
                 2.7414e+02],
                [2.7429e+02, 2.7443e+02, 2.7457e+02,  ..., 2.7957e+02, 2.7971e+02,
                 2.7986e+02],
                [2.8000e+02, 2.8014e+02, 2.8029e+02,  ..., 2.8529e+02, 2.8543e+02,
                 2.8557e+02]])
        """)
  }

  /// `torch.tensor([])`, `torch.zeros(0, 3)`
  @Test func emptyTensorsSayTheirSize() {
    #expect("\(Tensor([]))" == "tensor([])")
    #expect("\(Tensor([], shape: [0, 3]))" == "tensor([], size=(0, 3))")
  }
}
