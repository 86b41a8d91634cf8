import Lab
import LabTensors
import Testing

@Suite(.needsOpenCL) struct PoolingTests {
  @Test(arguments: [
    ([1, 1, 2, 2], 2, 2), ([2, 3, 7, 5], 2, 2), ([1, 2, 6, 6], 3, 1), ([2, 1, 5, 8], 2, 3),
    ([3, 17, 9, 7], 3, 2), ([1, 5, 1, 1], 1, 1), ([2, 2, 40, 37], 17, 4), ([1, 3, 16, 18], 16, 1),
    ([0, 3, 4, 4], 2, 2), ([2, 64, 14, 14], 2, 2),
  ])
  func maxPoolIsThatOfTheProcessor(shape: [Int], size: Int, stride: Int) throws {
    try expectSame([numbers(shape)], tolerance: 1e-6) {
      try maxPool2d($0[0], size: size, stride: stride)
    }
    // Ties.
    let coarse = numbers(shape).elements.map { ($0 * 2).rounded() }
    try expectSame([Tensor(coarse, shape: shape)], tolerance: 1e-6) {
      try maxPool2d($0[0], size: size, stride: stride)
    }
  }

  @Test(arguments: [[1, 1, 6, 6], [2, 3, 6, 6]])
  func notANumberIsTheLargest(shape: [Int]) throws {
    var values = numbers(shape).elements
    for place in stride(from: 0, to: values.count, by: 5) { values[place] = .nan }
    for place in stride(from: 1, to: values.count, by: 7) { values[place] = .infinity }
    for place in stride(from: 2, to: values.count, by: 3) { values[place] = -.infinity }
    let x = Tensor(values, shape: shape)
    try expectSame([x]) { try maxPool2d($0[0], size: 3, stride: 1) }
    try expectSame([x]) { try maxPool2d($0[0], size: 2) }
  }

  @Test(arguments: [
    [1, 1, 1, 1], [2, 3, 2, 2], [3, 17, 1, 4], [5, 2, 3, 1], [2, 100, 14, 9], [0, 2, 3, 3],
    [3, 1, 28, 28],
  ])
  func globalAveragePoolIsThatOfTheProcessor(shape: [Int]) throws {
    try expectSame([numbers(shape)]) { try globalAveragePool($0[0]) }
  }

  @Test(arguments: [[1, 1, 2, 2], [2, 3, 5, 4], [1, 17, 4, 6], [3, 1, 9, 8], [0, 2, 4, 4]])
  func averagePoolIsThatOfTheProcessor(shape: [Int]) throws {
    try expectSame([numbers(shape)]) {
      try avgPool2d($0[0], size: (2, 2), stride: (1, 2), padding: (1, 0))
    }
    try expectSame([numbers(shape)]) { try avgPool2d($0[0], size: 2) }
    try expectSame([numbers(shape)]) { try adaptiveAvgPool2d($0[0], outputSize: (3, 2)) }
    try expectSame([numbers(shape)]) { try adaptiveAvgPool2d($0[0], outputSize: (7, 5)) }
    try expectSame([numbers(shape)]) {
      try avgPool2d($0[0], size: (2, 1), stride: (3, 2), padding: (1, 0))
    }
  }
}
